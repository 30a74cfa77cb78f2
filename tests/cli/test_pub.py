#!/usr/bin/env python3
"""tapecast, and tapecast pub: what is sent, what is said, and the exit codes."""
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stand_in import PATIENCE_S, Server, answer, main, run, start


def test_no_command_is_a_usage_error_and_help_is_not():
    assert run()[0] == 64
    for args in (["--help"], ["help"], ["pub", "--help"], ["help", "sub"], ["bench", "-h"]):
        code, out, err = run(*args)
        assert code == 0 and "Usage" in out and not err, (args, code, err)
    assert run("--version")[1].startswith("tapecast ")


def test_wrong_use_exits_64_and_says_what():
    for args, words in [
        (["nonsense"], "no command 'nonsense'"),
        (["pub"], "which stream"),
        (["pub", "a", "b", "c"], "quotes"),
        (["pub", "no spaces", "x"], "stream name"),
        (["pub", "a", "x", "--ttl", "soon"], "whole number"),
        (["pub", "a", "x", "--end", "never"], "cancelled"),
        (["pub", "a", "x", "--type", "tapecast.gap"], "tapecast."),
        (["pub", "a", "x", "--ephemeral", "--end", "failed"], "ephemeral"),
        (["pub", "a", "--end", "failed", "--key", "k"], "no other option"),
        (["pub", "a", "x", "--format", "sse"], "--format"),
        (["pub", "a", "-", "--format", "xml"], "xml"),
        (["pub", "a", "x", "--typo"], "--typo"),
        (["sub"], "which stream"),
        (["sub", "a", "--count", "0"], "between"),
        (["sub", "a", "--timeout", "1.2345"], "seconds"),
        (["sub", "a", "--from", "now", "--after", "x"], "both"),
        (["sub", "a", "--url", "https://x"], "plain http"),
        (["sub", "a", "--url", "http://x:70000"], "port"),
        (["sub", "a", "--token", "two words"], "one word"),
        (["sub", "a", "--token-file", "/nonexistent"], "/nonexistent"),
    ]:
        code, out, err = run(*args)
        assert code == 64, (args, code, err)
        assert words in err and "--help'" in err and not out, (args, err)


def test_nobody_listening_exits_69_and_says_how_to_start_one():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    for args in (["pub", "a", "x"], ["sub", "a"]):
        code, _, err = run(*args, url=f"http://127.0.0.1:{port}")
        assert code == 69 and "tapecast serve" in err, (code, err)


def test_pub_sends_one_event_and_prints_its_id():
    def act(peer):
        assert peer.method == "POST" and peer.path == "/base/v1/streams/chat/1", peer.path
        assert peer.headers["content-type"] == "text/plain; charset=utf-8"
        assert peer.headers["authorization"] == "Bearer s3cret"
        assert peer.body() == "grüß dich\nzwei".encode()
        peer.say(answer(201, '{"stream":"chat/1","id":"1.b-7-c"}'))
    server = Server(act)
    code, out, err = run("pub", "chat/1", "grüß dich\nzwei", url=server.url + "/base/",
                         env={"TAPECAST_TOKEN": "s3cret"})
    server.done()
    assert (code, out, err) == (0, "1.b-7-c\n", "")


def test_pub_puts_the_options_where_the_server_looks_for_them():
    def act(peer):
        assert peer.path == ("/v1/streams/a?type=tick&key=A%26B%20%C3%BC&ttl=60&end=complete"), peer.path
        assert peer.headers["idempotency-key"] == "k-1"
        assert peer.headers["if-match"] == "1.b-7-c"
        assert peer.headers["content-type"] == "application/json"
        assert peer.body() == b"[1]"
        peer.say(answer(200, '{"stream":"a","id":"x"}'))
    server = Server(act)
    code, out, _ = run("pub", "a", "[1]", "--json", "-t", "tick", "-k", "A&B ü", "--ttl", "60", "--end",
                       "complete", "--idempotency-key", "k-1", "--if-match", "1.b-7-c", url=server.url)
    server.done()
    assert (code, out) == (0, "x\n")


def test_pub_of_an_end_alone_posts_only_that():
    def act(peer):
        assert peer.path == "/v1/streams/a?end=cancelled" and peer.body() == b""
        assert "content-type" not in peer.headers
        peer.say(answer(201, '{"stream":"a","id":"1-9"}'))
    server = Server(act)
    code, out, err = run("pub", "a", "--end", "cancelled", url=server.url)
    server.done()
    assert (code, out, err) == (0, "1-9\n", "")


def test_pub_prints_the_servers_reason_and_exits_1():
    problem = '{"type":"x","title":"Stream has ended","status":409,"detail":"It ended \\u001b[31mcomplete."}'
    server = Server(lambda peer: (peer.body(), peer.say(answer(409, problem, "application/problem+json"))))
    code, out, err = run("pub", "a", "x", url=server.url)
    server.done()
    assert code == 1 and not out
    assert "409: Stream has ended: It ended  [31mcomplete." in err, err


def test_pub_tells_apart_what_may_succeed_later():
    problem = '{"title":"The backplane is away","status":503,"detail":"d"}'
    server = Server(lambda peer: (peer.body(), peer.say(answer(503, problem, more="Retry-After: 2\r\n"))))
    code, _, err = run("pub", "a", "x", url=server.url)
    server.done()
    assert code == 69 and "try again in 2 s" in err, (code, err)


def test_pub_hints_at_the_token():
    server = Server(lambda peer: (peer.body(), peer.say(answer(401, "no"))))
    code, _, err = run("pub", "a", "x", url=server.url)
    server.done()
    assert code == 1 and "TAPECAST_TOKEN" in err, (code, err)


def test_each_line_is_on_its_way_before_the_next_is_written():
    process = None
    wrote = threading.Event()

    def act(peer):
        assert peer.headers["content-type"] == "application/x-ndjson"
        assert peer.chunk() == b'{"data":"one \\"1\\""}\n'
        wrote.set()
        assert peer.chunk() == b'{"data":""}\n'
        wrote.set()
        assert peer.chunk() == b'{"data":"no end"}\n'
        assert peer.chunk() == b""
        peer.say(answer(201, '{"stream":"a","first":"1-1","last":"1-3","count":3}'))
    server = Server(act)
    process = start("pub", "a", "-", url=server.url)
    for line in (b'one "1"\r\n', b"\n"):
        process.stdin.write(line)
        process.stdin.flush()
        assert wrote.wait(PATIENCE_S)
        wrote.clear()
    out, err = process.communicate(b"no end", timeout=PATIENCE_S)
    server.done()
    assert (process.returncode, out) == (0, b"1-3\n")
    assert b"3 events published to a" in err


def an_end(peer):
    assert peer.path == "/v1/streams/a?end=complete" and peer.body() == b""
    peer.say(answer(201, '{"stream":"a","id":"1-end"}'))


def test_lines_carry_the_options_and_the_end_comes_last():
    def act(peer):
        assert peer.path == "/v1/streams/a?type=t&key=k&ttl=9", peer.path
        assert peer.headers["if-match"] == "1-0" and "idempotency-key" not in peer.headers
        assert peer.body() == (b'{"data":{"a": 1},"idempotency_key":"job-1"}\n'
                               b'{"data":[],"idempotency_key":"job-2"}\n')
        peer.say(answer(201, '{"first":"1","last":"2","count":2}'))
    server = Server(act, an_end)
    code, out, err = run("pub", "a", "-", "-q", "-t", "t", "-k", "k", "--ttl", "9", "--json", "--end", "complete",
                         "--idempotency-key", "job", "--if-match", "1-0", stdin=b'{"a": 1}\n []\n', url=server.url)
    server.done()
    assert (code, out, err) == (0, "2\n", "")


def test_server_sent_events_are_recognised_and_go_out_untouched():
    for text in (b"data: x\n\n", b"event: y\r\ndata: {}\r\n\r\n", b": hello\n\ndata: x\n\n", b":\ndata: 1\n\n",
                 b"id: 4\ndata: \xff\n\n", b"retry: 10\n\n"):
        def act(peer):
            assert peer.headers["content-type"] == "text/event-stream", text
            assert peer.path == "/v1/streams/a"
            assert peer.body() == text
            peer.say(answer(201, '{"first":"1","last":"2","count":2}'))
        server = Server(act, an_end)
        code, _, err = run("pub", "a", "-", "--end", "complete", stdin=text, url=server.url)
        server.done()
        assert code == 0, err


def test_what_only_looks_like_server_sent_events_is_lines():
    for text in (b"dat", b":) smile\n", b"database: up\n", b"", b"{}\n", b" data: x\n", b"evening\n"):
        def act(peer):
            assert peer.headers["content-type"] == "application/x-ndjson", text
            peer.body()
            peer.say(answer(201, '{"count":1}'))
        server = Server(act)
        assert run("pub", "a", stdin=text, url=server.url)[0] == 0
        server.done()


def test_ndjson_goes_out_untouched_with_what_holds_for_all_of_it():
    def act(peer):
        assert peer.headers["content-type"] == "application/x-ndjson"
        assert peer.path == "/v1/streams/a?key=k" and peer.headers["idempotency-key"] == "job"
        assert peer.body() == b'{"data":1}\n{"data":2}'
        peer.say(answer(201, '{"first":"1","last":"2","count":2}'))
    server = Server(act)
    assert run("pub", "a", "-", "--format", "ndjson", "-k", "k", "--idempotency-key", "job",
               stdin=b'{"data":1}\n{"data":2}', url=server.url)[0] == 0
    server.done()


def test_json_is_for_lines():
    code, _, err = run("pub", "a", "-", "--json", stdin=b"data: x\n\n", url="http://127.0.0.1:1")
    assert code == 1 and "--format lines" in err, (code, err)


def test_nothing_is_ended_after_a_refusal():
    def act(peer):
        peer.body()
        peer.say(answer(400, '{"title":"No","detail":"event 3","published":2}'))
    server = Server(act)
    code, out, err = run("pub", "a", "-", "--end", "complete", stdin=b"data: x\n\n", url=server.url)
    server.done()
    assert code == 1 and out == "" and "No: event 3 (2 before it published)" in err, (code, out, err)


def test_a_broken_line_is_named_and_all_before_it_stands():
    for flags, text, kept in ((["--json"], b"1\n{\n3\n", b'{"data":1}\n'),
                              ([], b"one\n\xff\xfe\nthree\n", b'{"data":"one"}\n')):
        def act(peer):
            assert peer.body() == kept
            peer.say(answer(201, '{"first":"1","last":"1","count":1}'))
        server = Server(act)
        code, out, err = run("pub", "a", "-", *flags, "--end", "complete", stdin=text, url=server.url)
        server.done()
        assert code == 1 and out == "1\n" and "line 2" in err, (code, out, err)


def test_a_long_input_goes_on_in_another_request_between_events():
    process = None

    def first(peer):
        assert peer.headers["if-match"] == "1-0"
        assert peer.chunk() == b"data: 1\n"
        process.stdin.write(b"data: more\n\n:\n")
        process.stdin.flush()
        rest = b""
        while True:
            part = peer.chunk()
            if not part:
                break
            rest += part
        assert rest == b"data: more\n\n:\n", rest
        peer.say(answer(201, '{"first":"1-1","last":"1-1","count":1}'))
        process.stdin.write(b"data: 2\n\n")
        process.stdin.close()

    def second(peer):
        assert "if-match" not in peer.headers
        assert peer.body() == b"data: 2\n\n"
        peer.say(answer(201, '{"first":"1-2","last":"1-2","count":1}'))
    server = Server(first, second)
    process = start("pub", "a", "-", "--renew", "0.3", "--if-match", "1-0", url=server.url)
    process.stdin.write(b"data: 1\n")
    process.stdin.flush()
    code = process.wait(PATIENCE_S)
    server.done()
    assert (code, process.stdout.read()) == (0, b"1-2\n")
    assert b"2 events published" in process.stderr.read()


def test_a_request_with_a_key_of_its_own_is_not_renewed():
    def act(peer):
        assert peer.headers["idempotency-key"] == "k"
        assert peer.chunk() == b"data: 1\n\n"
        peer.sock.settimeout(0.4)
        try:
            raise AssertionError(peer.chunk())
        except TimeoutError:
            pass
        peer.sock.settimeout(PATIENCE_S)
        process.stdin.close()
        assert peer.chunk() == b""
        peer.say(answer(201, '{"last":"1-1","count":1}'))
    server = Server(act)
    process = start("pub", "a", "-", "--renew", "0.1", "--idempotency-key", "k", url=server.url)
    process.stdin.write(b"data: 1\n\n")
    process.stdin.flush()
    code = process.wait(PATIENCE_S)
    server.done()
    assert code == 0
    process.stdout.close()


def test_a_refusal_ends_pub_while_its_input_is_still_open():
    def act(peer):
        peer.chunk()
        peer.say(answer(413, '{"title":"Too large","detail":"line 1"}'))
    server = Server(act)
    process = start("pub", "a", "-", url=server.url)
    process.stdin.write(b"one\n")
    process.stdin.flush()
    code = process.wait(PATIENCE_S)
    assert code == 1 and b"Too large: line 1" in process.stderr.read()
    server.done()
    process.communicate()


if __name__ == "__main__":
    main(globals())
