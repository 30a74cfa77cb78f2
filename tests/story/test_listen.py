"""Listening: the bytes of an open stream, and where it begins."""
import json
import re
from datetime import datetime, timezone

import pytest
from house import Server, eventually, fresh

POSITION = r"\d+\.[0-9a-z]{8}-\d+-[0-9a-f]{12}"


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:23] + "Z"


def after_open(listener):
    opened = listener.event()
    assert opened.type == "tapecast.open", opened
    return opened


def test_the_head_of_a_stream_is_as_written_down(server, name):
    with server.listen(f"/v1/streams/{name}") as listener:
        assert listener.status_line == "HTTP/1.1 200 OK"
        assert listener.headers["content-type"] == "text/event-stream"
        assert listener.headers["cache-control"] == "no-cache, no-transform"
        assert listener.headers["x-accel-buffering"] == "no"
        assert listener.headers["connection"] == "close"
        assert "content-length" not in listener.headers
        assert listener.headers["transfer-encoding"] == "chunked"


def test_the_first_block_says_where_the_session_stands(server, name):
    last = server.publish(name, "before")
    with server.listen(f"/v1/streams/{name}") as listener:
        block = listener.block().decode()
        match = re.fullmatch(r"event: tapecast\.open\nretry: (\d+)\ndata: (\{.*\})\nid: (.*)\n\n",
                             block)
        assert match, block
        assert 200 <= int(match[1]) <= 600
        told = json.loads(match[2])
        assert told["recovered"] is False and len(told["session"]) >= 32
        assert match[3] == last


def test_an_event_is_type_data_and_id_last(server, name):
    with server.listen(f"/v1/streams/{name}") as listener:
        after_open(listener)
        first = server.publish(name, "one\ntwo\r\nthree\rfour")
        second = server.publish(name, "{}", "?type=tick.x:1")
        third = server.publish(name, "")
        assert re.fullmatch(POSITION, first)
        assert listener.block() == (b"data: one\ndata: two\ndata: three\ndata: four\n"
                                    b"id: " + first.encode() + b"\n\n")
        assert listener.block() == b"event: tick.x:1\ndata: {}\nid: " + second.encode() + b"\n\n"
        assert listener.block() == b"data: \nid: " + third.encode() + b"\n\n"


def test_nobody_can_forge_a_field(server, name):
    with server.listen(f"/v1/streams/{name}") as listener:
        after_open(listener)
        forged = server.publish(name, "a\rid: x\r\revent: admin\n\nretry: 1")
        event = listener.event()
        assert event.data == "a\nid: x\n\nevent: admin\n\nretry: 1" and event.id == forged
        assert event.type == "message"


def test_utf8_and_a_bom_come_through(server, name):
    text = "\ufeffäöü \U0001f4fc \x01\x7f"
    with server.listen(f"/v1/streams/{name}") as listener:
        after_open(listener)
        server.publish(name, text.encode())
        assert listener.event().data == text


@pytest.mark.parametrize("cut", range(6))
def test_a_client_cut_anywhere_resumes_exactly(server, cut):
    name = fresh("resume")
    server.publish(name, "zero")
    with server.listen(f"/v1/streams/{name}") as listener:
        stands_at = after_open(listener).id
        for i in range(5):
            server.publish(name, f"event {i}")
        for i in range(cut):
            stands_at = listener.event().id
    with server.listen(f"/v1/streams/{name}?from=start&after=bad",
                       Last_Event_ID=stands_at) as listener:
        assert after_open(listener).json["recovered"] is True
        assert [e.data for e in listener.events(5 - cut)] == [f"event {i}" for i in range(cut, 5)]
        last = server.publish(name, "live")
        assert listener.event().id == last


@pytest.mark.parametrize("query", ["?after={}", "?last_event_id={}", "?lastEventId={}"])
def test_the_id_may_stand_in_the_query(server, name, query):
    ids = [server.publish(name, str(i)) for i in range(3)]
    with server.listen(f"/v1/streams/{name}{query.format(ids[0])}") as listener:
        after_open(listener)
        assert [e.data for e in listener.events(2)] == ["1", "2"]


def test_the_header_wins_over_the_query(server, name):
    ids = [server.publish(name, str(i)) for i in range(4)]
    with server.listen(f"/v1/streams/{name}?after={ids[0]}&from=start",
                       Last_Event_ID=ids[2]) as listener:
        after_open(listener)
        assert listener.event().data == "3"


def test_an_empty_id_is_none(server, name):
    server.publish(name, "old")
    with server.listen(f"/v1/streams/{name}?after=&from=start", Last_Event_ID="") as listener:
        after_open(listener)
        assert listener.event().data == "old"


@pytest.mark.parametrize("query,expected", [
    ("?from=start", "abcd"), ("?from=now", ""), ("", ""), ("?from=-2", "cd"), ("?from=-0", ""),
    ("?from=-9", "abcd"), ("?from=1970-01-01T00:00:00Z", "abcd"),
    ("?from=1970-01-01T02:00:00+02:00", "abcd"), ("?from=1970-01-01T02:00:00%2B02:00", "abcd"),
    ("?from=9999-01-01T00:00:00Z", ""), ("?after=0", "abcd"),
])
def test_from_chooses_where_to_begin(server, name, query, expected):
    for data in "abcd":
        server.publish(name, data)
    with server.listen(f"/v1/streams/{name}{query}") as listener:
        after_open(listener)
        server.publish(name, "live")
        assert "".join(e.data for e in listener.events(len(expected) + 1)) == expected + "live"


def test_from_a_time_between_two_events(server, name):
    server.publish(name, "early")
    early = server.page(name, "?from=start").json["events"][0]["time"]
    eventually(lambda: now() > early, "the next millisecond")
    server.publish(name, "late")
    late = server.page(name, "?from=-1").json["events"][0]["time"]
    for start, expected in [(early, ["early", "late"]), (late, ["late"])]:
        with server.listen(f"/v1/streams/{name}?from={start}") as listener:
            after_open(listener)
            assert [e.data for e in listener.events(len(expected))] == expected


@pytest.mark.parametrize("bad", ["garbage", "1.aaaaaaaa-1", "-1", "9" * 100, "1.aaaaaaaa-1-zz",
                                 "1.k3x9q2ab-1042-9f86d081884c-1", "%F0%9F%93%BC"])
def test_an_id_that_is_none_is_a_gap_and_never_an_error(server, name, bad):
    server.publish(name, "kept")
    with server.listen(f"/v1/streams/{name}?after={bad}") as listener:
        assert listener.status == 200
        assert after_open(listener).json["recovered"] is False
        gap = listener.event()
        assert gap.type == "tapecast.gap" and gap.json["reason"] == "invalid"
        assert gap.json["stream"] == name and gap.id
        assert listener.event().data == "kept"


def test_an_id_of_another_stream_is_told(server, name):
    other = fresh("other")
    foreign = server.publish(other, "x")
    server.publish(name, "kept")
    with server.listen(f"/v1/streams/{name}", Last_Event_ID=foreign) as listener:
        after_open(listener)
        gap = listener.event()
        assert gap.type == "tapecast.gap" and gap.json["after"] == foreign
        assert listener.event().data == "kept"


def test_what_was_trimmed_is_told_with_its_number():
    with Server("--stream-events", "3") as server:
        name = fresh()
        ids = [server.publish(name, str(i)) for i in range(6)]
        with server.listen(f"/v1/streams/{name}", Last_Event_ID=ids[0]) as listener:
            after_open(listener)
            gap = listener.event()
            assert gap.json == {"stream": name, "after": ids[0], "next": ids[2], "lost": 2,
                                "reason": "trimmed"}
            assert gap.id == ids[2]
            assert [e.data for e in listener.events(3)] == ["3", "4", "5"]


def test_notices_can_be_left_out(server, name):
    server.publish(name, "a")
    server.publish(name, "b", "?end=complete")
    with server.listen(f"/v1/streams/{name}?from=start&notices=off") as listener:
        assert b"tapecast." not in listener.rest()


def test_several_streams_come_in_envelopes_and_resume_by_one_id(server):
    a, b = fresh("a"), fresh("b")
    with server.listen(f"/v1/events?stream={a}&stream={b}") as listener:
        after_open(listener)
        id_a = server.publish(a, "in a", "?type=t&key=k")
        got = listener.event()
        assert got.type == "t"
        told = got.json
        assert (told["stream"], told["id"], told["type"], told["key"], told["data"]) == \
            (a, id_a, "t", "k", "in a") and told["time"].endswith("Z")
        server.publish(b, '{"n": 1}', Content_Type="application/json")
        got = listener.event()
        assert got.json["stream"] == b and got.json["data"] == {"n": 1}
        assert re.fullmatch(r"[A-Za-z0-9._~,;=/-]+", got.id) and a not in got.id
        stands_at = got.id
    server.publish(a, "second")
    server.publish(b, "second")
    # in any order, and with one stream more
    c = fresh("c")
    with server.listen(f"/v1/events?stream={b}&stream={c}&stream={a}",
                       Last_Event_ID=stands_at) as listener:
        assert listener.event().type == "tapecast.open"
        got = sorted((e.json["stream"], e.json["data"]) for e in listener.events(2))
        assert got == sorted([(a, "second"), (b, "second")])


def test_one_stream_with_an_envelope(server, name):
    with server.listen(f"/v1/streams/{name}?envelope=json") as listener:
        after_open(listener)
        server.publish(name, "x")
        assert listener.event().json["data"] == "x"
    with server.listen(f"/v1/events?stream={name}&envelope=none&from=start") as listener:
        after_open(listener)
        assert listener.event().data == "x"


def test_ndjson_is_one_object_a_line(server, name):
    with server.listen(f"/v1/streams/{name}", "application/x-ndjson") as listener:
        assert listener.headers["content-type"] == "application/x-ndjson"
        opened = listener.line()
        assert opened["event"] == "tapecast.open"
        last = server.publish(name, "a\nb", "?type=t")
        told = listener.line()
        assert (told["stream"], told["id"], told["type"], told["data"]) == (name, last, "t", "a\nb")


def test_ndjson_of_several_streams_carries_a_cursor(server):
    a, b = fresh("a"), fresh("b")
    with server.listen(f"/v1/events?stream={a}&stream={b}", "application/x-ndjson") as listener:
        assert listener.line()["event"] == "tapecast.open"
        server.publish(b, "x")
        assert listener.line()["cursor"]


def test_an_ended_stream_says_so_and_closes(server, name):
    with server.listen(f"/v1/streams/{name}") as listener:
        after_open(listener)
        server.publish(name, "last words", "?end=failed")
        assert listener.event().data == "last words"
        end = listener.event()
        assert end.type == "tapecast.end"
        assert end.json == {"stream": name, "state": "failed"}
        assert listener.rest() == b""
        assert listener.finished  # by a last chunk, not by the close alone
    answer = server.ask("GET", f"/v1/streams/{name}", None, {"Last-Event-ID": end.id})
    assert answer.status == 204 and answer.body == b""


def test_an_ephemeral_event_reaches_who_listens_and_nobody_else(server, name):
    with server.listen(f"/v1/streams/{name}") as listener:
        after_open(listener)
        answer = server.ask("POST", f"/v1/streams/{name}?ephemeral=1&type=typing", "anna")
        assert answer.status == 202 and answer.json == {"stream": name, "ephemeral": True}
        assert listener.block() == b"event: typing\ndata: anna\n\n"
    assert server.page(name, "?from=start").json["events"] == []


def test_heartbeats_are_one_comment_line():
    with Server("--heartbeat", "0.1") as server:
        with server.listen(f"/v1/streams/{fresh()}") as listener:
            after_open(listener)
            assert listener.until(b"\n") == b":\n"
            assert listener.until(b"\n") == b":\n"


def test_an_interval_gathers_but_loses_nothing(server, name):
    with server.listen(f"/v1/streams/{name}?interval=200") as listener:
        after_open(listener)
        for i in range(5):
            server.publish(name, str(i))
        assert [e.data for e in listener.events(5)] == list("01234")


def test_an_http_1_0_client_is_served(server, name):
    server.publish(name, "x", "?end=complete")
    got = server.raw(f"GET /v1/streams/{name}?from=start HTTP/1.0\r\n\r\n".encode())
    head, body = got.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n") and b"Transfer-Encoding" not in head
    assert body.startswith(b"event: tapecast.open\n") and b"\n\ndata: x\n" in body


def test_two_events_at_once_and_a_thousand(server, name):
    with server.listen(f"/v1/streams/{name}") as listener:
        after_open(listener)
        lines = "".join(json.dumps({"data": f"{i}"}) + "\n" for i in range(1000))
        answer = server.ask("POST", f"/v1/streams/{name}", lines,
                            {"Content-Type": "application/x-ndjson"})
        assert answer.status == 201 and answer.json["count"] == 1000
        assert [e.data for e in listener.events(1000)] == [str(i) for i in range(1000)]


@pytest.mark.parametrize("accept,kind", [
    (None, "text/event-stream"), ("*/*", "text/event-stream"), ("text/*", "text/event-stream"),
    ("application/x-ndjson", "application/x-ndjson"), ("application/json", "application/json"),
    ("application/json, text/plain, */*", "application/json"),
    ("text/html, */*;q=0.1", "text/event-stream"),
    ("application/json;q=0.5, text/event-stream", "text/event-stream"),
])
def test_accept_chooses_the_form(server, name, accept, kind):
    with server.listen(f"/v1/streams/{name}", accept) as listener:
        assert listener.status == 200 and listener.headers["content-type"] == kind


@pytest.mark.parametrize("accept", ["image/png", "text/html", "text/event-stream;q=0"])
def test_nothing_acceptable_is_406(server, name, accept):
    answer = server.ask("GET", f"/v1/streams/{name}", None, {"Accept": accept})
    assert answer.status == 406 and "text/event-stream" in answer.problem["detail"]
