"""Who may listen and speak. Tokens are made here, by hand, so that they can be wrong in every way."""
import base64
import contextlib
import hashlib
import hmac
import json
import os
import signal
import time

import pytest
from house import Server, eventually, fresh

SECRET = b"0123456789abcdef0123456789abcdef"
API_KEY = "back-end-0123456789abcdef0123456789"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def seal(header, payload, secret=SECRET):
    text = f"{b64(header.encode())}.{b64(payload.encode())}"
    return f"{text}.{b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def mint(ttl=600, secret=SECRET, **claims):
    grants = {key: claims.pop(key) for key in ("subscribe", "publish", "admin") if key in claims}
    whole = {"exp": int(time.time()) + ttl, **claims, "tapecast": grants}
    return seal('{"alg":"HS256"}', json.dumps(whole), secret)


ALL = dict(subscribe=["*"], publish=["*"])


def bearer(token):
    return {"Authorization": "Bearer " + token}


@contextlib.contextmanager
def guarded(folder, *args, dev=False):
    key, api = folder / "key", folder / "api"
    key.write_bytes(SECRET)
    api.write_text(json.dumps({"key": API_KEY, "sub": "billing", "publish": ["orders/*"]}))
    with Server("--jwt-key", str(key), "--api-key", str(api), *args, dev=dev) as server:
        server.key_path = key
        yield server


@pytest.fixture(scope="module")
def guard(tmp_path_factory):
    with guarded(tmp_path_factory.mktemp("keys"), "--cors-origins", "https://ours.example",
                 "--jwt-issuer", "us", "--jwt-audience", "tapecast") as server:
        yield server


def ours(**claims):
    return mint(**{"iss": "us", "aud": "tapecast", **claims})


def test_nobody_is_let_in_without_a_token(guard, name):
    for method, path in (("GET", f"/v1/streams/{name}"), ("HEAD", f"/v1/streams/{name}"),
                         ("POST", f"/v1/streams/{name}"), ("DELETE", f"/v1/streams/{name}"),
                         ("GET", f"/v1/events?stream={name}"), ("POST", "/v1/publish")):
        answer = guard.ask(method, path, body="[]" if method == "POST" else None)
        assert answer.status == 401, (method, path, answer)
        assert answer.headers["www-authenticate"] == 'Bearer realm="tapecast"'
        if method != "HEAD":
            assert answer.problem["code"] == "token_missing"
            assert "Authorization: Bearer" in answer.problem["detail"]
    assert guard.ask("GET", "/healthz/live").status == 200
    assert guard.ask("OPTIONS", f"/v1/streams/{name}").status == 204


def test_a_token_opens_what_it_names_and_nothing_else(guard, name):
    token = ours(sub="ada", subscribe=[name, "u/{sub}/*"], publish=[name])
    assert guard.publish(name, "hello", **bearer(token))
    assert guard.page(name, "?from=start", bearer(token)).json["events"][0]["data"] == "hello"
    assert guard.page("u/ada/x", "", bearer(token)).status == 200
    answer = guard.page("u/bob/x", "", bearer(token))
    assert answer.status == 403 and answer.problem["code"] == "forbidden"
    assert "u/bob/x" in answer.problem["detail"]
    assert guard.ask("POST", "/v1/streams/u/ada/x", "no", bearer(token)).status == 403
    assert guard.ask("DELETE", "/v1/streams/u/ada/x", None, bearer(token)).status == 403
    with guard.listen(f"/v1/streams/{name}?access_token={token}") as listener:
        assert listener.status == 200 and listener.event().type == "tapecast.open"


def test_of_several_streams_those_are_kept_that_may_be_seen(guard, name):
    token = ours(subscribe=[name + "/a", name + "/c"])
    names = "&".join(f"stream={name}/{letter}" for letter in "abc")
    with guard.listen(f"/v1/events?{names}", **bearer(token)) as listener:
        opened = listener.event()
        assert opened.json["refused"] == [{"stream": name + "/b", "code": "forbidden"}]
        guard.publish(name + "/b", "unheard", **bearer(ours(**ALL)))
        guard.publish(name + "/c", "heard", **bearer(ours(**ALL)))
        event = listener.event()
        assert event.json["stream"] == name + "/c" and event.json["data"] == "heard"
        here = event.id
        guard.publish(name + "/a", "later", **bearer(ours(**ALL)))
    with guard.listen(f"/v1/events?{names}", Last_Event_ID=here, **bearer(token)) as again:
        assert again.event().type == "tapecast.open"
        assert again.event().json["data"] == "later"
    assert guard.listen(f"/v1/events?stream={name}/b&stream={name}/d",
                        **bearer(token)).status == 403


def test_each_entry_of_a_batch_is_checked(guard, name):
    token = ours(publish=[name + "/yes"])
    body = json.dumps([{"stream": name + "/yes", "data": "1"}, {"stream": name + "/no", "data": "2"},
                       {"stream": name + "/no", "data": "3", "ephemeral": True}])
    answer = guard.ask("POST", "/v1/publish", body,
                       {"Content-Type": "application/json", **bearer(token)})
    assert answer.status == 207, answer
    told = answer.json
    assert "id" in told[0] and told[1]["problem"]["code"] == "forbidden"
    assert told[2]["problem"]["status"] == 403
    assert guard.page(name + "/no", "?from=start", bearer(ours(**ALL))).json["events"] == []


def forged():
    late, head = int(time.time()) + 600, '{"alg":"HS256"}'
    ours_claims = f'"iss":"us","aud":"tapecast","tapecast":{{"subscribe":["*"],"publish":["*"]}}'
    good = f'{{"exp":{late},{ours_claims}}}'
    for header in ('{"alg":"none"}', '{"alg":"None"}', '{"alg":"NONE"}', '{"alg":""}', '{}', '[]',
                   'x', '{"alg":1}', '{"alg":null}', '{"alg":"hs256"}', '{"alg":"HS256\\u0000"}',
                   '{"alg":"RS256"}', '{"alg":"ES256"}', '{"alg":"HS384"}', '{"alg":"HS512"}',
                   '{"alg":"EdDSA"}', '{"alg":"PS256"}', '{"alg":"HS256","alg":"HS256"}',
                   '{"alg":"HS256","\\u0061lg":"none"}', '{"alg":"HS256","crit":[]}',
                   '{"alg":"HS256","crit":["exp"]}', '{"alg":"HS256","b64":false}',
                   '{"alg":"HS256","kid":1}', '{"alg":"HS256","kid":"a\\u0000"}',
                   '{"alg":"HS256"}x', '{"alg":"HS256",}', '{"alg":["HS256"]}', '{"alg":"HS256"',
                   '\ufeff{"alg":"HS256"}', '{"alg":"HS256","kid":"' + "k" * 300 + '"}',
                   '{"alg":"none","jwk":{"kty":"oct","k":"AA"}}'):
        yield "header " + header[:40], seal(header, good)
    sealed = seal(head, good)
    h, p, s = sealed.split(".")
    other = seal(head, f'{{"exp":{late + 1},{ours_claims}}}').split(".")
    for text in ("x", ".", "..", "...", h, f"{h}.{p}", f"{h}.{p}.", f".{p}.{s}", f"{h}..{s}",
                 f"{sealed}.", f".{sealed}", f"{sealed}.{s}", f"{sealed}=", f"{h}=.{p}.{s}",
                 f"{h}.{p}=.{s}", f"{h}.{p}.{s[:-1]}", f"{h}.{p}.{s}A", f"{h}.{p}.-{s[1:]}A",
                 f"{h}.{p}.{'A' * 43}", f"{h}.{other[1]}.{s}", f"{other[0]}.{p}.{other[2]}",
                 "a" * 5000, "a" * 2000 + "." + "b" * 2000 + "." + "c" * 2000, "." * 100,
                 "bad.bad.bad", "null", "undefined", "Bearer", API_KEY + "x"):
        yield "text " + text[:30], text
    yield "another key", seal(head, good, b"f" * 32)
    yield "an empty key", seal(head, good, b"")
    yield "the key with its line end", seal(head, good, SECRET + b"\n")
    exp = f'"exp":{late}'
    for payload in ("{}", "[]", "1", "{", '{"exp":"9999999999"}', '{"exp":9999999999.5}',
                    '{"exp":1e10}', '{"exp":-1}', '{"exp":null}', '{"exp":true}', '{"exp":[1]}',
                    '{"exp":99999999999999999999}', f'{{"exp":{late - 601}}}', '{"exp":0}',
                    f'{{{exp},{exp}}}', f'{{{exp},"\\u0065xp":1}}', f'{{{exp},"nbf":{late}}}',
                    f'{{{exp},"iat":{late}}}', f'{{{exp},"nbf":"1"}}', f'{{{exp},"sub":1}}',
                    f'{{{exp},"sub":"a\\u0000"}}', f'{{{exp},"jti":{{}}}}',
                    f'{{{exp},"tapecast":1}}', f'{{{exp},"tapecast":{{"subscribe":"*"}}}}'):
        yield "claims " + payload, seal(head, payload.replace("}", f',{ours_claims}}}', 1)
                                        if '"tapecast"' not in payload else payload)
    for claims in ('"iss":"them","aud":"tapecast"', '"iss":"us","aud":"other"', '"iss":"us"',
                   '"aud":"tapecast"', '"iss":"us\\u0000","aud":"tapecast"',
                   '"iss":["us"],"aud":"tapecast"', '"iss":"us","aud":[]',
                   '"iss":"US","aud":"tapecast"'):
        yield "for others " + claims, seal(head, f'{{{exp},{claims},"tapecast":{{"subscribe":["*"]}}}}')


def test_what_is_forged_confused_or_malformed_is_refused_wherever_it_is_carried(guard, name):
    table = list(forged())
    assert len(table) >= 80
    path = f"/v1/streams/{name}"
    page = {"Accept": "application/json"}
    good = ours(**ALL)
    for headers, query in ((bearer(good), ""), ({}, "?access_token=" + good),
                           ({"Cookie": "a=b; tapecast_token=" + good}, "")):
        assert guard.ask("GET", path + query, None, {**page, **headers}).status == 200
    for what, token in table:
        for headers, query in ((bearer(token), ""), ({}, "?access_token=" + token),
                               ({"Cookie": "tapecast_token=" + token}, "")):
            answer = guard.ask("GET", path + query, None, {**page, **headers})
            assert answer.status == 401, (what, headers, query[:20], answer)
            assert answer.problem["code"] in ("token_invalid", "token_expired"), (what, answer)
            assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert name not in guard.said() and good not in guard.said()


def test_a_refusal_says_what_to_do_but_not_which_of_key_and_signature_failed(guard, name):
    def told(token):
        return guard.page(name, "", bearer(token)).problem
    expired = told(ours(ttl=-5, **ALL))
    assert expired["code"] == "token_expired" and "expired 5 s ago" in expired["detail"] or \
        "expired 6 s ago" in expired["detail"]
    assert "audience" in told(mint(iss="us", aud="x", **ALL))["detail"]
    assert "issuer" in told(mint(iss="x", aud="tapecast", **ALL))["detail"]
    text = ours(**ALL)
    broken = text[:-3] + ("A" if text[-3] != "A" else "B") + text[-2:]
    assert told(broken) == told(ours(secret=b"g" * 32, **ALL))


def test_two_tokens_are_one_too_many(guard, name):
    token = ours(**ALL)
    answer = guard.page(name, "?access_token=" + token, bearer(token))
    assert answer.status == 400 and answer.problem["code"] == "bad_header"
    raw = guard.raw(f"GET /v1/streams/{name} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\n"
                    f"Authorization: Bearer {token}\r\n\r\n".encode())
    assert raw.startswith(b"HTTP/1.1 400")
    twice = {"Cookie": f"tapecast_token={token}; tapecast_token={token}"}
    assert guard.page(name, "", twice).status == 401
    assert guard.page(name, "", {"Authorization": "Basic " + token}).status == 401


def test_a_cookie_is_taken_from_our_own_pages_only(guard, name):
    cookie = {"Cookie": "tapecast_token=" + ours(**ALL)}
    own = f"http://127.0.0.1:{guard.port}"
    for origin, status in (("https://ours.example", 200), (own, 200), ("null", 403),
                           ("https://ours.example.evil.com", 403), ("http://ours.example", 403),
                           ("https://OURS.example", 403), ("https://evil.com", 403), ("", 403),
                           ("https://ours.example:444", 403), (own + "0", 403)):
        answer = guard.page(name, "", {**cookie, "Origin": origin})
        assert answer.status == status, (origin, answer)
        posted = guard.ask("POST", f"/v1/streams/{name}", "x", {**cookie, "Origin": origin})
        assert posted.status == (201 if status == 200 else 403), (origin, posted)
    assert guard.ask("POST", f"/v1/streams/{name}", "x", cookie).status == 403
    assert guard.page(name, "", {**cookie, "Sec-Fetch-Site": "cross-site"}).status == 403
    assert guard.page(name, "", {**cookie, "Sec-Fetch-Site": "same-origin"}).status == 200
    answer = guard.page(name, "", {**cookie, "Origin": "https://ours.example"})
    assert answer.headers["access-control-allow-origin"] == "https://ours.example"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "origin" in answer.headers["vary"].lower()
    other = guard.page(name, "", {**bearer(ours(**ALL)), "Origin": "https://evil.com"})
    assert other.status == 200 and "access-control-allow-origin" not in other.headers


def test_an_api_key_goes_into_the_header_alone(guard):
    assert guard.publish("orders/1", "paid", **bearer(API_KEY))
    assert guard.ask("POST", "/v1/streams/other", "x", bearer(API_KEY)).status == 403
    assert guard.ask("POST", "/v1/streams/orders/1?access_token=" + API_KEY, "x").status == 401
    assert guard.ask("POST", "/v1/streams/orders/1", "x",
                     {"Cookie": "tapecast_token=" + API_KEY,
                      "Origin": "https://ours.example"}).status == 401


def test_an_open_session_ends_with_its_token(guard, name):
    token = ours(ttl=3, **ALL)
    exp = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["exp"]
    with guard.listen(f"/v1/streams/{name}", **bearer(token)) as listener:
        assert listener.event().type == "tapecast.open"
        assert b"tapecast.auth" in listener.rest()
        assert exp - 0.1 <= time.time() <= exp + 1
    assert guard.listen(f"/v1/streams/{name}", **bearer(token)).status == 401


def test_a_long_publish_ends_with_its_token(guard, name):
    token = ours(ttl=2, **ALL)
    with guard.connect() as peer:
        peer.sendall(f"POST /v1/streams/{name} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\n"
                     "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        peer.sendall(b'd\r\n{"data":"a"}\n\r\n')
        eventually(lambda: guard.page(name, "?from=start", bearer(ours(**ALL))).json["events"],
                   "the first line")
        time.sleep(2.5)
        peer.sendall(b'd\r\n{"data":"b"}\n\r\n0\r\n\r\n')
        answer = peer.recv(65536)
        while b"token_expired" not in answer:
            more = peer.recv(65536)
            assert more, answer
            answer += more
    events = guard.page(name, "?from=start", bearer(ours(**ALL))).json["events"]
    assert [event["data"] for event in events] == ["a"]


def test_keys_are_read_again_at_sighup(tmp_path, name):
    with guarded(tmp_path) as server:
        old, fresh_one = mint(**ALL), mint(secret=b"n" * 40, **ALL)
        assert server.page(name, "", bearer(old)).status == 200
        server.key_path.write_bytes(b"short")
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: "keys_not_reloaded" in server.said(), "the refusal is said")
        assert server.page(name, "", bearer(old)).status == 200
        server.key_path.write_bytes(b"n" * 40)
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: "keys_reloaded" in server.said(), "the keys are said to be read")
        assert server.page(name, "", bearer(old)).status == 401
        assert server.page(name, "", bearer(fresh_one)).status == 200


def test_query_and_cookie_can_be_switched_off(tmp_path, name):
    with guarded(tmp_path, "--query-token", "off", "--cookie-name", "off", dev=True) as server:
        token = mint(**ALL)
        assert server.page(name, "?access_token=" + token).status == 401
        assert server.page(name, "", {"Cookie": "tapecast_token=" + token}).status == 401
        assert server.page(name, "", bearer(token)).status == 200


def test_a_server_without_keys_must_be_told_that_this_is_meant():
    with pytest.raises(AssertionError, match="say who is let in.*--no-auth"):
        Server("--no-auth=0", dev=False)
    with pytest.raises(AssertionError, match="say one or the other"):
        Server("--no-auth", "--jwt-key", os.devnull, dev=False)
    with Server(dev=False) as server:
        eventually(lambda: "no_auth" in server.said(), "the log says that nobody is asked")
        assert server.publish(fresh(), "x")
