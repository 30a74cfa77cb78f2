#!/usr/bin/env python3
"""tapecast sub: what is printed, how it resumes, and the exit codes."""
import os
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stand_in import OPEN, PATIENCE_S, SSE, TAPECAST, Peer, Server, answer, main, run, start


def test_sub_prints_data_and_leaves_with_the_stream():
    for state, code in (("complete", 0), ("failed", 3), ("cancelled", 4)):
        def act(peer):
            assert (peer.method, peer.path) == ("GET", "/v1/streams/a?from=-3")
            assert peer.headers["accept"] == "text/event-stream"
            assert "last-event-id" not in peer.headers
            peer.say(SSE, OPEN, ":\n", "event: t\ndata: one\ndata: two\nid: 1.a-1-0\n\ndata: three\nid: 1.a-2-0\n\n",
                     'event: tapecast.end\ndata: {"stream":"a","state":"%s"}\nid: 1.a-3-0\n\n' % state)
        server = Server(act)
        got = run("sub", "a", "--from", "-3", url=server.url)
        server.done()
        assert got[:2] == (code, "one\ntwo\nthree\n"), got
        assert (state in got[2]) == (state != "complete"), got


def test_sub_resumes_exactly_where_it_was_cut():
    def first(peer):
        peer.say(SSE, OPEN, "data: one\nid: 1.a-1-0\n\ndata: half")

    def second(peer):
        assert peer.path == "/v1/streams/a" and peer.headers["last-event-id"] == "1.a-1-0"
        peer.say(SSE, OPEN.replace(b"1.a-0-0", b"1.a-1-0"))

    def third(peer):
        assert peer.headers["last-event-id"] == "1.a-1-0"
        peer.say(SSE, "data: half and whole\nid: 1.a-2-0\n\n")

    def fourth(peer):
        assert peer.headers["last-event-id"] == "1.a-2-0"
        peer.say("HTTP/1.1 204 No Content\r\n\r\n")
    server = Server(first, second, third, fourth)
    code, out, err = run("sub", "a", "--from", "start", url=server.url)
    server.done()
    assert (code, out) == (0, "one\nhalf and whole\n"), (code, out, err)
    assert err.count("the connection was cut; trying again") == 3, err


def test_sub_cut_before_any_id_begins_as_it_was_told():
    def first(peer):
        assert peer.path == "/v1/streams/a?after=1.a-9-0"
        peer.say(SSE, ":\n")

    def second(peer):
        assert peer.path == "/v1/streams/a?after=1.a-9-0"
        peer.say(SSE, OPEN, "data: x\n\n")
    server = Server(first, second)
    code, out, _ = run("sub", "a", "--after", "1.a-9-0", "--count", "1", url=server.url)
    server.done()
    assert (code, out) == (0, "x\n")


def test_sub_outlives_a_restart_of_the_server():
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    process = start("sub", "a", "-n", "2", url=f"http://127.0.0.1:{port}")
    peer = Peer(listener.accept()[0])
    peer.say(SSE, OPEN, "data: one\nid: 1.a-1-0\n\n")
    assert process.stdout.readline() == b"one\n"
    listener.close()
    peer.close()
    assert b"was cut" in process.stderr.readline()
    assert b"refused" in process.stderr.readline()
    listener = socket.create_server(("127.0.0.1", port))
    peer = Peer(listener.accept()[0])
    assert peer.headers["last-event-id"] == "1.a-1-0"
    peer.say(SSE, OPEN, "data: two\nid: 1.a-2-0\n\n")
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0 and out == b"two\n"
    peer.close()
    listener.close()


def test_sub_says_gaps_in_words():
    notice = 'event: tapecast.gap\ndata: {"stream":"a","after":"x","next":"y","lost":%s,"reason":"%s"}\nid: 1.a-5-0\n\n'
    def act(peer):
        peer.say(SSE, OPEN, notice % ("12", "trimmed"), notice % ("null", "epoch"), notice % ("1", "new one"),
                 "data: x\n\n")
    server = Server(act)
    code, out, err = run("sub", "a", "-n", "1", url=server.url)
    server.done()
    assert (code, out) == (0, "x\n")
    assert "gap on a: 12 events could not be given: they are older" in err, err
    assert "gap on a: some events could not be given: the server's store was lost" in err, err
    assert "1 event could not be given: the server does not say why" in err, err


def test_sub_json_gives_events_and_notices_as_objects():
    event = '{"stream":"a","id":"1.a-1-0","data":{"x":[1, 2]}}'
    def act(peer):
        assert peer.path == "/v1/streams/a?envelope=json&from=start", peer.path
        peer.say(SSE, OPEN, f"event: t\ndata: {event}\nid: 1.a-1-0\n\n",
                 'event: tapecast.end\ndata: {"stream":"a","state":"complete"}\nid: 1.a-2-0\n\n')
    server = Server(act)
    code, out, _ = run("sub", "a", "--json", "--from", "start", url=server.url)
    server.done()
    assert code == 0
    assert out.splitlines() == [
        '{"event":"tapecast.open","id":"1.a-0-0","data":{"session":"s","recovered":true}}', event,
        '{"event":"tapecast.end","id":"1.a-2-0","data":{"stream":"a","state":"complete"}}']


def test_sub_of_several_streams_names_them_and_waits_for_all_ends():
    def first(peer):
        assert peer.path == "/v1/events?stream=a%2Bb&stream=c/d", peer.path
        peer.say(SSE, OPEN, 'data: {"stream":"a+b","data":"x\\ny"}\nid: 1\n\n',
                 'event: tapecast.end\ndata: {"stream":"a+b","state":"failed"}\nid: 2\n\n')

    def second(peer):
        assert peer.path == "/v1/events?stream=c/d" and peer.headers["last-event-id"] == "2", peer.path
        peer.say(SSE, OPEN, 'data: {"stream":"c/d","data":{"n":1}}\nid: 3\n\n',
                 'event: tapecast.end\ndata: {"stream":"c/d","state":"complete"}\nid: 4\n\n')
    server = Server(first, second)
    code, out, err = run("sub", "a+b", "c/d", url=server.url)
    server.done()
    assert code == 3, (code, err)
    assert out == 'a+b: x\na+b: y\nc/d: {"n":1}\n', out
    assert "a+b has ended: failed" in err and "c/d has ended: complete" in err


def test_the_worst_end_is_the_exit_code():
    for states, code in ((("cancelled", "failed"), 3), (("failed", "cancelled"), 3), (("complete", "cancelled"), 4)):
        ends = ['event: tapecast.end\ndata: {"stream":"%s","state":"%s"}\nid: 2\n\n' % pair
                for pair in zip(("a", "b"), states)]
        server = Server(lambda peer: peer.say(SSE, OPEN, *ends))
        assert run("sub", "a", "b", url=server.url)[0] == code, states
        server.done()


def test_sub_takes_a_refusal_for_an_answer():
    for status, words in ((400, "bad"), (401, "token"), (403, "does not allow"), (404, "--url")):
        server = Server(lambda peer: peer.say(answer(status, '{"title":"T","detail":"bad"}')))
        code, out, err = run("sub", "a", url=server.url)
        server.done()
        assert code == 1 and words in err and not out, (status, code, err)


def test_sub_refuses_what_is_no_event_stream():
    server = Server(lambda peer: peer.say(answer(200, "<html>", "text/html")))
    code, out, err = run("sub", "a", url=server.url)
    server.done()
    assert code == 1 and "text/html" in err and not out
    listener = socket.create_server(("127.0.0.1", 0))
    process = start("sub", "a", url="http://127.0.0.1:%d" % listener.getsockname()[1])
    sock = listener.accept()[0]
    sock.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")
    assert process.wait(PATIENCE_S) == 1 and b"not an HTTP/1.1 server" in process.stderr.read()
    sock.close()
    listener.close()
    process.communicate()


def test_sub_ends_at_its_timeout():
    for args, code in (([], 0), (["-n", "1"], 124)):
        wait = threading.Event()
        server = Server(lambda peer: (peer.say(SSE, OPEN), wait.wait(PATIENCE_S)))
        began = time.monotonic()
        got = run("sub", "a", "--timeout", "0.2", *args, url=server.url)
        assert got[0] == code and 0.2 <= time.monotonic() - began < 5, got
        wait.set()
        server.done()


def test_sub_without_resume_ends_with_the_connection():
    server = Server(lambda peer: peer.say(SSE, OPEN, "data: x\n\n"))
    code, out, err = run("sub", "a", "--no-resume", url=server.url)
    server.done()
    assert (code, out) == (69, "x\n") and "cut" in err


def test_an_interrupt_ends_sub_with_130_and_says_where_it_was():
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        wait = threading.Event()
        server = Server(lambda peer: (peer.say(SSE, OPEN, "data: x\nid: 1.a-1-0\n\n"), wait.wait(PATIENCE_S)))
        process = start("sub", "a", url=server.url)
        assert process.stdout.readline() == b"x\n"
        time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == code
        assert process.stderr.read() == b"tapecast sub: to go on from here: --after 1.a-1-0\n"
        wait.set()
        server.done()
        process.communicate()


def test_sub_reads_chunked_bodies_too():
    body = OPEN + b"data: one\nid: 1.a-1-0\n\nevent: tapecast.end\ndata: {\"stream\":\"a\",\"state\":\"complete\"}\n\n"
    def act(peer):
        peer.say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-type: Text/Event-Stream; charset=utf-8\r\n"
                 "transfer-encoding: chunked\r\n\r\n")
        for i in range(0, len(body), 7):
            part = body[i:i + 7]
            peer.say("%x;ext=1\r\n" % len(part), part, "\r\n")
        peer.say("0\r\nTrailer: x\r\n\r\n")
    server = Server(act)
    code, out, err = run("sub", "a", url=server.url)
    server.done()
    assert (code, out) == (0, "one\n"), (code, out, err)


def test_a_terminal_sees_no_control_characters():
    import pty
    import tty
    def act(peer):
        peer.say(SSE, OPEN, "data: a\x1b[2Jb\x07c\td\u0085e\n\n")
    server = Server(act)
    master, slave = pty.openpty()
    tty.setraw(slave)
    process = subprocess.Popen([TAPECAST, "sub", "a", "-n", "1", "--url", server.url], stdout=slave)
    assert process.wait(PATIENCE_S) == 0
    os.close(slave)
    assert os.read(master, 100) == b"a?[2Jb?c\td?e\n"
    os.close(master)
    server.done()


if __name__ == "__main__":
    main(globals())
