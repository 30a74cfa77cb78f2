"""Pages: history by the piece, conditional requests, long polls."""
import threading
import time

import pytest
from house import Server, fresh


def test_pages_walk_through_the_history(server, name):
    for i in range(250):
        server.publish(name, str(i))
    seen, query = [], "?from=start"
    for _ in range(4):
        page = server.page(name, query).json
        seen += [event["data"] for event in page["events"]]
        assert page["next"] == page["events"][-1]["id"]
        query = f"?after={page['next']}"
        if page["up_to_date"]:
            break
        assert len(page["events"]) == 100
    assert seen == [str(i) for i in range(250)]
    page = server.page(name, query).json
    assert page == {"events": [], "next": page["next"], "up_to_date": True}


def test_a_page_looks_as_written_down(server, name):
    last = server.publish(name, "x", "?type=t")
    answer = server.page(name, "?from=start")
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    assert answer.headers["etag"] and answer.headers["cache-control"] == "no-cache"
    event = answer.json["events"][0]
    assert list(event) == ["stream", "id", "type", "time", "data"]
    assert answer.json["next"] == last and answer.json["up_to_date"] is True


def test_limit(server, name):
    for i in range(5):
        server.publish(name, str(i))
    page = server.page(name, "?from=start&limit=2").json
    assert [e["data"] for e in page["events"]] == ["0", "1"] and page["up_to_date"] is False
    page = server.page(name, "?from=start&limit=5").json
    assert len(page["events"]) == 5 and page["up_to_date"] is True
    for bad in ("0", "1001", "x", ""):
        answer = server.page(name, f"?limit={bad}")
        assert answer.status == 400 and "limit" in answer.problem["detail"]


def test_a_page_steps_over_what_is_left_out(server, name):
    with server.listen(f"/v1/streams/{name}") as listener:
        assert listener.event().type == "tapecast.open"
        last = server.publish(name, "kept")
        server.ask("POST", f"/v1/streams/{name}?ephemeral=1", "not kept")
        page = server.page(name, "?from=start&limit=1").json
        assert [e["data"] for e in page["events"]] == ["kept"]
        assert page["up_to_date"] is True and page["next"] == last


def test_a_page_is_bounded_in_bytes(server, name):
    for i in range(10):
        server.publish(name, "x" * 60000)
    page = server.page(name, "?from=start").json
    assert 4 <= len(page["events"]) < 10 and page["up_to_date"] is False


def test_a_stream_that_nobody_has_written(server, name):
    page = server.page(name, "?from=start").json
    assert page == {"events": [], "next": "0", "up_to_date": True}
    last = server.publish(name, "first")
    assert server.page(name, "?after=0").json["next"] == last


def test_the_same_page_again_is_304(server, name):
    server.publish(name, "x")
    answer = server.page(name, "?from=start")
    etag = answer.headers["etag"]
    again = server.page(name, "?from=start", {"If-None-Match": f'"other", {etag}'})
    assert again.status == 304 and again.body == b"" and again.headers["etag"] == etag
    first = server.page(name, "?from=start&limit=1")
    server.publish(name, "y")
    again = server.page(name, "?from=start&limit=1", {"If-None-Match": first.headers["etag"]})
    assert again.status == 200  # the event is the same, but it is no longer all
    assert (first.json["up_to_date"], again.json["up_to_date"]) == (True, False)
    assert server.page(name, "?from=start", {"If-None-Match": etag}).status == 200
    server.ask("POST", f"/v1/streams/{name}?end=complete", "")
    etag = server.page(name, "?from=start").headers["etag"]
    assert server.page(name, "?from=start", {"If-None-Match": etag}).status == 304


def test_a_gap_is_told_in_the_page():
    with Server("--stream-events", "3") as server:
        name = fresh()
        ids = [server.publish(name, str(i)) for i in range(6)]
        page = server.page(name, f"?after={ids[0]}").json
        assert page["gap"] == {"stream": name, "after": ids[0], "next": ids[2], "lost": 2,
                               "reason": "trimmed"}
        assert [e["data"] for e in page["events"]] == ["3", "4", "5"]
        page = server.page(name, "?after=nonsense").json
        assert page["gap"]["reason"] == "invalid" and len(page["events"]) == 3
        assert "gap" not in server.page(name, f"?after={ids[2]}").json


def test_the_end_is_told_in_the_page(server, name):
    server.publish(name, "a")
    end = server.publish(name, "", "?end=cancelled")
    page = server.page(name, "?from=start&limit=1").json
    assert page["up_to_date"] is True and page["end"] == "cancelled" and page["next"] == end
    page = server.page(name, f"?after={end}").json
    assert page["events"] == [] and page["end"] == "cancelled"


def test_a_long_poll_answers_at_the_first_event(server, name):
    last = server.publish(name, "old")
    timer = threading.Timer(0.2, server.publish, (name, "new"))
    timer.start()
    begin = time.monotonic()
    page = server.page(name, f"?after={last}&wait=9").json
    assert [e["data"] for e in page["events"]] == ["new"]
    assert 0.1 < time.monotonic() - begin < 5
    timer.join()


def test_a_long_poll_answers_at_once_if_there_is_something(server, name):
    server.publish(name, "old")
    begin = time.monotonic()
    assert len(server.page(name, "?from=start&wait=9").json["events"]) == 1
    assert time.monotonic() - begin < 3


def test_a_long_poll_ends_empty(server, name):
    last = server.publish(name, "old")
    begin = time.monotonic()
    page = server.page(name, f"?after={last}&wait=1").json
    assert page == {"events": [], "next": last, "up_to_date": True}
    assert 0.9 < time.monotonic() - begin < 3


def test_a_long_poll_that_hears_the_end(server, name):
    last = server.publish(name, "old")
    timer = threading.Timer(0.2, server.publish, (name, "", "?end=complete"))
    timer.start()
    assert server.page(name, f"?after={last}&wait=9").json["end"] == "complete"
    timer.join()


@pytest.mark.parametrize("query", ["?wait=0", "?wait=61", "?wait=x"])
def test_wait_has_bounds(server, name, query):
    assert server.page(name, query).status == 400


def test_limit_and_wait_are_for_pages(server, name):
    for query in ("?limit=3", "?wait=3"):
        answer = server.ask("GET", f"/v1/streams/{name}{query}")
        assert answer.status == 400 and "application/json" in answer.problem["detail"]


def test_a_page_of_two_streams_is_refused(server):
    answer = server.ask("GET", f"/v1/events?stream={fresh()}&stream={fresh()}", None,
                        {"Accept": "application/json"})
    assert answer.status == 400
    name = fresh()
    server.publish(name, "x")
    answer = server.ask("GET", f"/v1/events?stream={name}&from=start", None,
                        {"Accept": "application/json"})
    assert len(answer.json["events"]) == 1
