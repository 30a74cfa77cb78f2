"""Bounds and deadlines: what is reached is told or ended, and everybody else goes on."""
import contextlib
import json
import re
import select
import time

import pytest
from house import Server, eventually, fresh, read_all


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_a_head_that_does_not_come_is_ended_even_if_it_drips():
    with Server("--request-head", "0.4") as server, server.connect() as peer:
        begin = time.monotonic()
        peer.sendall(b"GET /healthz/live HTTP/1.1\r\nHost: s\r\nX: ")
        while not select.select([peer], [], [], 0.05)[0]:
            peer.sendall(b"x")  # each byte would renew an idle timer
            assert time.monotonic() - begin < 5
        got = read_all(peer)
        assert got.startswith(b"HTTP/1.1 408 ") and b'"request_timeout"' in got
        assert 0.3 < time.monotonic() - begin < 3


def test_a_head_that_the_library_chokes_on_is_ended():
    with Server("--request-head", "0.4") as server:
        many = b"&".join(b"x%d=1" % i for i in range(3000))
        got = server.raw(b"GET /v1/streams/a?" + many + b" HTTP/1.1\r\nHost: s\r\n\r\n")
        assert not got or got.startswith(b"HTTP/1.1 4")


def test_a_body_that_does_not_come_is_ended():
    with Server("--request-body", "0.4") as server, server.connect() as peer:
        name = fresh()
        begin = time.monotonic()
        peer.sendall(f"POST /v1/streams/{name} HTTP/1.1\r\nHost: s\r\nContent-Length: 50\r\n\r\n"
                     .encode())
        while not select.select([peer], [], [], 0.05)[0]:
            peer.sendall(b"x")
            assert time.monotonic() - begin < 2
        assert read_all(peer).startswith(b"HTTP/1.1 408 ")
        assert server.ask("HEAD", f"/v1/streams/{name}").status == 404


def test_a_long_request_lives_as_long_as_it_brings_events():
    with Server("--request-body", "0.3", "--request-idle", "0.6") as server:
        name = fresh()
        with server.connect() as peer:
            peer.sendall(f"POST /v1/streams/{name} HTTP/1.1\r\nHost: s\r\n"
                         "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
                         .encode())
            for _ in range(4):
                time.sleep(0.3)
                peer.sendall(b'b\r\n{"data":1}\n\r\n')
            begin = time.monotonic()
            while not select.select([peer], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    peer.sendall(b"1\r\n \r\n")  # bytes, but no event
                assert time.monotonic() - begin < 5
            assert read_all(peer).startswith(b"HTTP/1.1 408 ")
        assert len(server.page(name, "?from=start").json["events"]) == 4


def test_an_idle_connection_that_is_kept_alive_just_ends():
    with Server("--request-head", "0.3") as server, server.connect() as peer:
        peer.sendall(b"GET /healthz/live HTTP/1.1\r\nHost: s\r\n\r\n")
        got = read_all(peer)
        assert got.startswith(b"HTTP/1.1 200 ") and got.count(b"HTTP/1.1") == 1


def test_an_answer_that_nobody_reads_is_ended():
    with Server("--request-body", "0.5", "--loops", "1") as server:
        name = fresh()
        for _ in range(4):
            server.publish(name, "x" * 65000)
        with server.connect() as peer:
            request = b"GET /openapi.json HTTP/1.1\r\nHost: s\r\n\r\n"
            peer.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                for _ in range(3000):  # far more answers than sockets hold
                    peer.sendall(request * 20)
            time.sleep(1)
            peer.setblocking(True)
            peer.settimeout(5)
            assert read_all(peer) is not None  # it ended


def test_the_session_bound_turns_away_politely():
    with Server("--session-max", "2", "--session-retry-min", "2",
                "--session-retry-max", "3") as server:
        name = fresh()
        server.publish(name, "x")
        with server.listen(f"/v1/streams/{name}"), server.listen(f"/v1/streams/{name}"):
            with server.listen(f"/v1/streams/{name}") as third:
                assert third.status == 200
                assert third.headers["content-type"] == "text/event-stream"
                rest = third.rest().decode()
                match = re.fullmatch(r": [ -~]*\nretry: (\d+)\n", rest)
                assert match and 2000 <= int(match[1]) <= 3000, rest
            for accept in ("application/json", "application/x-ndjson"):
                answer = server.ask("GET", f"/v1/streams/{name}", None, {"Accept": accept})
                assert answer.status == 503 and answer.headers["retry-after"]
                assert answer.problem["code"] == "overloaded"
            assert server.ask("POST", f"/v1/streams/{name}", "y").status == 201

        def there_is_room():
            with server.listen(f"/v1/streams/{name}") as listener:
                return listener.headers.get("x-accel-buffering") == "no"
        eventually(there_is_room, "room after the two have left")


def test_the_bound_of_an_address():
    with Server("--session-per-address", "1") as server:
        with server.listen(f"/v1/streams/{fresh()}"):
            with server.listen(f"/v1/streams/{fresh()}") as second:
                assert second.rest().decode().startswith(": ")


def test_the_stream_bound_is_507():
    with Server("--stream-max", "2") as server:
        for _ in range(2):
            assert server.ask("POST", f"/v1/streams/{fresh()}", "x").status == 201
        answer = server.ask("POST", f"/v1/streams/{fresh()}", "x")
        assert answer.status == 507 and answer.problem["code"] == "store_full"


def test_few_descriptors_do_not_spin_and_do_not_stop_it():
    with Server("--loops", "1", descriptors=200) as server, contextlib.ExitStack() as stack:
        name = fresh()
        listeners, away = [], 0
        for _ in range(150):
            listener = stack.enter_context(server.listen(f"/v1/streams/{name}"))
            if "x-accel-buffering" in listener.headers:
                listeners.append(listener)
            else:
                away += 1
        assert len(listeners) > 50 and away > 20
        # and as many again that never say anything, which waits in the kernel
        for _ in range(150):
            stack.enter_context(contextlib.closing(server.connect()))
        before = cpu_s(server.process.pid)
        time.sleep(1)
        assert cpu_s(server.process.pid) - before < 0.3
        server.publish(name, "still there")
        for listener in listeners:
            assert listener.event().type == "tapecast.open"
            assert listener.event().data == "still there"
        with open(f"/proc/{server.process.pid}/limits") as limits:
            assert re.search(r"Max open files +200", limits.read())


def test_more_requests_than_there_may_be_wait_their_turn():
    with Server("--loops", "1", "--request-connections", "4", "--request-head", "0.6") as server:
        with contextlib.ExitStack() as stack:
            for _ in range(12):  # slow heads, three times what may be in flight
                peer = stack.enter_context(server.connect())
                peer.sendall(b"GET /healthz/live HTTP/1.1\r\nHost")
            begin = time.monotonic()
            assert server.ask("GET", "/healthz/live").status == 200
            assert time.monotonic() - begin < 6


def test_a_listener_that_does_not_read_holds_up_nobody_and_is_told_what_it_missed():
    with Server("--loops", "1", "--stream-events", "100") as server:
        name = fresh()
        with server.listen(f"/v1/streams/{name}") as asleep, \
                server.listen(f"/v1/streams/{name}") as awake:
            assert awake.event().type == "tapecast.open"
            lines = 0
            for _ in range(100):  # 10 MB: more than sockets hold
                body = "".join(json.dumps({"data": f"{lines + i} " + "x" * 1000}) + "\n"
                               for i in range(100))
                lines += 100
                answer = server.ask("POST", f"/v1/streams/{name}", body,
                                    {"Content-Type": "application/x-ndjson"})
                assert answer.status == 201
                for event in awake.events(100):
                    assert event.type == "message"
            expected, gaps = 0, 0
            while expected < lines:
                event = asleep.event()
                if event.type == "tapecast.gap":
                    assert event.json["reason"] == "skipped"
                    expected += event.json["lost"]
                    gaps += 1
                elif event.type == "message":
                    assert int(event.data.split()[0]) == expected
                    expected += 1
            assert gaps > 0


def test_who_lags_may_be_given_the_newest_of_each_key():
    with Server("--loops", "1", "--stream-slow", "coalesce", "--stream-bytes", "64m",
                "--stream-events", "100000") as server:
        name = fresh()
        with server.listen(f"/v1/streams/{name}?envelope=json") as asleep:
            total = 0
            for _ in range(100):
                body = "".join(json.dumps({"data": total + i, "key": f"k{i % 5}", "type": "x" * 60})
                               + "\n" for i in range(200))
                total += 200
                answer = server.ask("POST", f"/v1/streams/{name}", body,
                                    {"Content-Type": "application/x-ndjson"})
                assert answer.status == 201
            seen, given = {}, 0
            while len(seen) < 5 or min(seen.values()) < total - 5:
                event = asleep.event()
                if not event.type.startswith("tapecast."):
                    seen[event.json["key"]] = event.json["data"]
                    given += 1
            assert seen == {f"k{i}": total - 5 + i for i in range(5)}
            assert given < total


@pytest.mark.parametrize("count", [1, 2, 3, 5, 64])
def test_many_streams_of_one_listener(server, count):
    names = [fresh("many") for _ in range(count)]
    query = "&".join(f"stream={name}" for name in names)
    with server.listen(f"/v1/events?{query}") as listener:
        assert listener.event().type == "tapecast.open"
        for name in names:
            server.publish(name, name)
        assert sorted(e.json["data"] for e in listener.events(count)) == sorted(names)
