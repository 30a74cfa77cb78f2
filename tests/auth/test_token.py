#!/usr/bin/env python3
"""tapecast token: what is minted checks, and what is forged, malformed or late does not."""
import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import tempfile
import time

TAPECAST = os.environ.get("TAPECAST", "./tapecast")
SECRET = b"0123456789abcdef0123456789abcdef"


def token(*words, text=b""):
    done = subprocess.run([TAPECAST, "token", *words], input=text, capture_output=True, timeout=20)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def seal(header, payload, secret=SECRET):
    text = f"{b64(header.encode())}.{b64(payload.encode())}"
    return f"{text}.{b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def refused(key, tokens, *words):
    for name, text in tokens.items():
        code, out, _ = token("check", "--key", key, *words, text=text.encode())
        assert code == 1 and not out, f"{name}: {code} {out}"


def test_what_is_minted_checks_and_grants_what_it_says(folder):
    for alg in ("EdDSA", "HS256", "HS384", "HS512"):
        key = os.path.join(folder, alg)
        assert token("keygen", "--alg", alg, "--kid", "k1", "--out", key)[0] == 0
        assert os.stat(key).st_mode & 0o777 == 0o600
        assert token("keygen", "--out", key)[0] == 1
        code, text, err = token("mint", "--key", key, "--sub", "ada", "--subscribe", "u/{sub}/*")
        assert code == 0, err
        check = ("check", "--key", key, "--subscribe")
        assert token(*check, "u/ada/1", text=text.encode())[0] == 0
        assert 'grant to subscribe "u/bob/1"' in token(*check, "u/bob/1", text=text.encode())[2]
        for i in range(0, len(text) - 1, 9):
            other = text[:i] + ("A" if text[i] != "A" else "B") + text[i + 1:]
            assert token("check", "--key", key, text=other.encode())[0] == 1, i


def test_headers_that_lie_or_ask_for_more_are_refused(folder):
    key, late = secret_file(folder), json.dumps({"exp": int(time.time()) + 60})
    good = '{"alg":"HS256"}'
    assert token("check", "--key", key, text=seal(good, late).encode())[0] == 0
    headers = ['{"alg":"none"}', '{"alg":"None"}', '{"alg":""}', '{}', '[]', '', 'x', '{"alg":1}',
               '{"alg":null}', '{"alg":"hs256"}', '{"alg":"HS256\\u0000"}', '{"alg":"RS256"}',
               '{"alg":"HS512"}', '{"alg":"EdDSA"}', '{"alg":"HS256","alg":"HS256"}',
               '{"alg":"HS256","\\u0061lg":"none"}', '{"alg":"HS256","crit":[]}',
               '{"alg":"HS256","crit":["exp"]}', '{"alg":"HS256","b64":false}',
               '{"alg":"HS256","kid":1}', '{"alg":"HS256","kid":"a\\u0000"}', '{"alg":"HS256"}x',
               '{"alg":"HS256",}', '{"alg":["HS256"]}']
    refused(key, {header: seal(header, late) for header in headers})
    refused(key, {"empty key": seal(good, late, b""), "other key": seal(good, late, b"x" * 32)})


def test_texts_that_are_no_token_are_refused(folder):
    key = secret_file(folder)
    good = seal('{"alg":"HS256"}', json.dumps({"exp": int(time.time()) + 60}))
    head, body, sig = good.split(".")
    texts = ["", ".", "..", "...", head, f"{head}.{body}", f"{head}.{body}.", f".{body}.{sig}",
             f"{good}.", f".{good}", f"{good}.{sig}", f"{good}=", f"{good}\n\n", f" {good}",
             f"{head}=.{body}.{sig}", f"{head}.{body}=.{sig}", f"{head}.{body}.{sig[:-1]}",
             f"{head}.{body}.{sig}A", f"{head}.{body}.+{sig[1:]}", f"{head}.{body}.{'A' * 43}",
             f"{good}\0", f"{head} .{body}.{sig}", "a" * 5000, "." * 5000,
             seal('{"alg":"HS256"}', json.dumps({"exp": 9999999999, "x": "a" * 4000}))]
    refused(key, {text[:80]: text for text in texts})
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    same_bytes = good[:-1] + digits[digits.index(good[-1]) ^ 1]
    refused(key, {"bits behind the last byte": same_bytes})
    assert token("check", "--key", key, texts[-1])[0] == 1


def test_claims_that_are_wrong_are_refused(folder):
    key, now = secret_file(folder), int(time.time())
    exp = f'"exp":{now + 60}'
    payloads = ["", "{}", "[]", "1", "{", '{"exp":"9999999999"}', '{"exp":9999999999.5}',
                '{"exp":1e10}', '{"exp":-1}', '{"exp":null}', '{"exp":true}', '{"exp":[1]}',
                '{"exp":99999999999999999999}', f'{{"exp":{now}}}', f'{{"exp":{now - 5}}}',
                f'{{{exp},{exp}}}', f'{{{exp},"\\u0065xp":1}}', f'{{{exp},"nbf":{now + 50}}}',
                f'{{{exp},"iat":{now + 50}}}', f'{{{exp},"nbf":"1"}}', f'{{{exp},"sub":1}}',
                f'{{{exp},"sub":"a\\u0000"}}', f'{{{exp},"iss":[]}}', f'{{{exp},"aud":1}}',
                f'{{{exp},"aud":[1]}}', f'{{{exp},"jti":{{}}}}', f'{{{exp},"tapecast":1}}',
                f'{{{exp},"tapecast":{{"admin":1}}}}', f'{{{exp},"tapecast":{{"subscribe":"*"}}}}',
                f'{{{exp},"tapecast":{{"subscribe":["a*b"]}}}}',
                f'{{{exp},"tapecast":{{"subscribe":[""]}}}}',
                f'{{{exp},"tapecast":{{"publish":[1]}}}}',
                f'{{{exp},"tapecast":{{"admin":true,"admin":true}}}}']
    refused(key, {payload: seal('{"alg":"HS256"}', payload) for payload in payloads})
    late = seal('{"alg":"HS256"}', f'{{"exp":{now - 5}}}').encode()
    assert "expired" in token("check", "--key", key, text=late)[2]
    assert token("check", "--key", key, "--leeway", "60", text=late)[0] == 0
    ours = seal('{"alg":"HS256"}', f'{{{exp},"aud":["a","b"],"iss":"i"}}').encode()
    assert token("check", "--key", key, "--audience", "b", "--issuer", "i", text=ours)[0] == 0
    assert "audience" in token("check", "--key", key, "--audience", "c", text=ours)[2]
    assert "issuer" in token("check", "--key", key, "--issuer", "j", text=ours)[2]


def test_a_star_in_the_subject_is_a_star(folder):
    key = secret_file(folder)
    text = seal('{"alg":"HS256"}', json.dumps({"exp": int(time.time()) + 60, "sub": "*",
                "tapecast": {"subscribe": ["u/{sub}"]}})).encode()
    assert token("check", "--key", key, "--subscribe", "u/ada", text=text)[0] == 1
    assert token("check", "--key", key, "--subscribe", "u/*", text=text)[0] == 0


def secret_file(folder):
    path = os.path.join(folder, "secret")
    with open(path, "wb") as file:
        file.write(SECRET)
    return path


if __name__ == "__main__":
    failures = 0
    for name, test in [item for item in globals().items() if item[0].startswith("test_")]:
        with tempfile.TemporaryDirectory() as place:
            try:
                test(place)
                print("[       OK ]", name)
            except AssertionError as error:
                failures += 1
                print("[  FAILED  ]", name, error)
    sys.exit(1 if failures else 0)
