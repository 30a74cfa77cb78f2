"""Publishing: every form of body, and what is answered."""
import json

import pytest
from house import Server, eventually, fresh, read_all
from test_listen import after_open


def start_chunked(server, name, content_type, query="", **headers):
    peer = server.connect()
    fields = "".join(f"{key.replace('_', '-')}: {value}\r\n" for key, value in headers.items())
    peer.sendall((f"POST /v1/streams/{name}{query} HTTP/1.1\r\nHost: story\r\n"
                  f"Content-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n{fields}"
                  "\r\n").encode())
    return peer


def chunk(peer, data):
    peer.sendall(b"%x\r\n%s\r\n" % (len(data), data))


def finish(peer):
    peer.sendall(b"0\r\n\r\n")
    return answer_of(peer)


def answer_of(peer):
    data = b""
    while b"\r\n\r\n" not in data:
        more = peer.recv(65536)
        assert more, data
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    length = int([line for line in head.lower().split(b"\r\n")
                  if line.startswith(b"content-length:")][0].split(b":")[1])
    while len(body) < length:
        more = peer.recv(65536)
        assert more, (head, body)
        body += more
    peer.close()
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize("content_type", [
    None, "text/plain", "text/plain; charset=utf-8", 'text/plain;charset="UTF-8"', "text/x-log",
    "application/x-www-form-urlencoded"])
def test_text_is_published_byte_for_byte(server, name, content_type):
    data = 'ä{"not json\n' + "x" * 5000
    headers = {"Content-Type": content_type} if content_type else {}
    answer = server.ask("POST", f"/v1/streams/{name}", data.encode(), headers)
    assert answer.status == 201 and answer.json["stream"] == name
    assert answer.headers["content-type"] == "application/json"
    event, = server.page(name, "?from=start").json["events"]
    assert event["data"] == data and event["id"] == answer.json["id"]


def test_json_is_embedded_as_it_is(server, name):
    data = b' {"a": [1e999, 12345678901234567890, "\\u00e4"]} '
    server.publish(name, data, Content_Type="application/json")
    server.publish(name, b"[]", Content_Type="application/vnd.x+json; charset=utf-8")
    page = server.page(name, "?from=start").body
    assert data.strip() in page and b'"data":[]' in page


def test_all_parameters_are_kept(server, name):
    server.publish(name, "x", "?type=price&key=%C3%A4%2Fb+c&ttl=60")
    event, = server.page(name, "?from=start").json["events"]
    assert (event["type"], event["key"], event["data"]) == ("price", "ä/b c", "x")


def test_an_event_with_a_ttl_goes(server, name):
    server.publish(name, "short", "?ttl=1")
    server.publish(name, "long")
    assert len(server.page(name, "?from=start").json["events"]) == 2
    eventually(lambda: [e["data"] for e in server.page(name, "?from=start").json["events"]] ==
               ["long"], "the end of a second")


def test_end_alone_and_with_data(server):
    for body, events in [("", []), ("bye", ["bye"])]:
        name = fresh("end")
        answer = server.ask("POST", f"/v1/streams/{name}?end=complete", body)
        assert answer.status == 201, answer
        page = server.page(name, "?from=start").json
        assert [e["data"] for e in page["events"]] == events and page["end"] == "complete"
        assert page["next"] == answer.json["id"]
        answer = server.ask("POST", f"/v1/streams/{name}", "too late")
        assert answer.status == 409 and answer.problem["code"] == "stream_ended"


def test_an_empty_body_is_an_empty_event(server, name):
    server.publish(name, b"")
    assert server.page(name, "?from=start").json["events"][0]["data"] == ""


def test_the_same_key_again_is_the_same_event(server, name):
    headers = {"Idempotency-Key": "order-1"}
    first = server.ask("POST", f"/v1/streams/{name}?type=t", "x", headers)
    again = server.ask("POST", f"/v1/streams/{name}?type=t", "x", headers)
    assert (first.status, again.status) == (201, 200)
    assert first.json == again.json
    for query, body in [("?type=t", "y"), ("?type=u", "x"), ("", "x"), ("?type=t&key=k", "x"),
                        ("?type=t&ttl=9", "x"), ("?type=t&end=complete", "x")]:
        other = server.ask("POST", f"/v1/streams/{name}{query}", body, headers)
        assert other.status == 422 and other.problem["code"] == "idempotency_key_reused", other
    assert len(server.page(name, "?from=start").json["events"]) == 1
    headers = {"Idempotency-Key": "order-2"}
    for query, status in [("?key=one&type=a", 201), ("?key=one&type=a", 200),
                          ("?key=two&type=a", 422), ("?key=one&type=b", 422)]:
        assert server.ask("POST", f"/v1/streams/{name}{query}", "x", headers).status == status


def test_if_match_publishes_only_at_the_position(server, name):
    first = server.publish(name, "a", If_Match="0")
    second = server.publish(name, "b", If_Match=f'"{first}"')
    answer = server.ask("POST", f"/v1/streams/{name}", "c", {"If-Match": first})
    assert answer.status == 412 and answer.problem["position"] == second
    assert answer.headers["etag"] == f'"{second}"'
    assert server.ask("POST", f"/v1/streams/{name}", "c", {"If-Match": "0"}).status == 412
    assert server.ask("POST", f"/v1/streams/{name}", "c", {"If-Match": "*"}).status == 400


@pytest.mark.parametrize("content_type", [
    "application/octet-stream", "image/png", "multipart/form-data; boundary=x",
    "text/plain; charset=latin1", "application/xml"])
def test_what_is_no_text_is_415(server, name, content_type):
    answer = server.ask("POST", f"/v1/streams/{name}", b"x", {"Content-Type": content_type})
    assert answer.status == 415 and answer.problem["code"] == "unsupported_media_type"


@pytest.mark.parametrize("body,content_type", [
    (b"\xff", "text/plain"), (b"a\xc3", "text/plain"), (b"nul\0", "text/plain"),
    (b"\xed\xa0\x80", "text/plain"), (b"{", "application/json"), (b"", "application/json"),
    (b"{} {}", "application/json"), (b'"\\ud800"', "application/json"),
    (b"nan", "application/json"),
    (b"[" * 129 + b"]" * 129, "application/json"), (b"[1,]", "application/json"),
    (b"\xff", "application/json")])
def test_what_is_not_well_formed_is_400(server, name, body, content_type):
    answer = server.ask("POST", f"/v1/streams/{name}", body, {"Content-Type": content_type})
    assert answer.status == 400 and answer.problem["code"] in ("malformed", "not_utf8"), answer
    assert server.ask("HEAD", f"/v1/streams/{name}").status == 404


@pytest.mark.parametrize("query,word", [
    ("?typ=x", "typ"), ("?type=a%20b", "type"), ("?type=tapecast.x", "tapecast."),
    ("?type=" + "x" * 65, "type"), ("?key=" + "x" * 201, "key"), ("?key=%01", "key"),
    ("?ttl=0", "ttl"), ("?ttl=soon", "ttl"), ("?ephemeral=yes", "ephemeral"), ("?end=now", "end"),
    ("?type=a&type=b", "twice"), ("?key=%ff", "UTF-8"), ("?key=%0", "hex"), ("?key=%00", "%00"),
    ("?ephemeral=1&ttl=3", "ttl"), ("?ephemeral=1&end=complete", "ephemeral"),
    ("?from=now", "from")])
def test_a_parameter_that_is_wrong_is_named(server, name, query, word):
    answer = server.ask("POST", f"/v1/streams/{name}{query}", "x")
    assert answer.status in (400, 413) and word in answer.problem["detail"], answer


@pytest.mark.parametrize("headers,word", [
    ({"Idempotency-Key": "a b"}, "Idempotency-Key"), ({"Idempotency-Key": ""}, "Idempotency-Key"),
    ({"Idempotency-Key": "x" * 201}, "Idempotency-Key"), ({"If-Match": "nonsense"}, "If-Match")])
def test_a_header_that_is_wrong_is_named(server, name, headers, word):
    answer = server.ask("POST", f"/v1/streams/{name}", "x", headers)
    assert answer.status in (400, 413) and word in answer.problem["detail"], answer


def test_an_ephemeral_event_takes_no_key_and_no_position(server, name):
    for headers in ({"Idempotency-Key": "k"}, {"If-Match": "0"}):
        answer = server.ask("POST", f"/v1/streams/{name}?ephemeral=1", "x", headers)
        assert answer.status == 400 and "ephemeral" in answer.problem["detail"]


def test_too_large_is_413_at_once_or_as_it_comes(server, name):
    answer = server.ask("POST", f"/v1/streams/{name}", b"x" * 65536)
    assert answer.status == 201
    with server.connect() as peer:
        peer.sendall(f"POST /v1/streams/{name} HTTP/1.1\r\nHost: s\r\n"
                     "Content-Length: 65537\r\n\r\n".encode())
        status, told = answer_of(peer)  # no byte of the body was sent
        assert status == 413 and told["code"] == "too_large"
    peer = start_chunked(server, name, "text/plain")
    for _ in range(5):
        chunk(peer, b"x" * 16384)
    status, told = answer_of(peer)  # the body has not ended
    assert status == 413 and "65536" in told["detail"]


# --- long bodies ---

def test_ndjson_lines_are_live_as_they_arrive(server, name):
    with server.listen(f"/v1/streams/{name}") as listener:
        after_open(listener)
        peer = start_chunked(server, name, "application/x-ndjson")
        chunk(peer, b'{"data":"one"}\n{"data":{"n":2},"type":"t","key":"k"}\n{"da')
        first, second = listener.events(2)
        assert (first.data, second.data, second.type) == ("one", '{"n":2}', "t")
        chunk(peer, b'ta":"three"}\r\n\n   \n')
        assert listener.event().data == "three"
        chunk(peer, b'{"data":"four"}')
        status, told = finish(peer)
        last = listener.event()
        assert last.data == "four"
        assert status == 201
        assert told == {"stream": name, "first": first.id, "last": last.id, "count": 4}


@pytest.mark.parametrize("line,word", [
    (b'{"dta":1}', "dta"), (b"nonsense", ""), (b'{"data":"\\ud800"}', ""), (b"[]", ""),
    (b'{"data":1,"type":"a b"}', "type"), (b'{"data":1,"stream":"another"}', "another stream"),
    (b'{"data":"\xff"}', ""), (b'{}', ""), (b'{"data":1,"ttl":0}', "ttl"),
    (b'{"data":1,"idempotency_key":"a b"}', "")])
def test_a_broken_line_is_named_and_what_stood_before_it_stands(server, name, line, word):
    peer = start_chunked(server, name, "application/x-ndjson")
    chunk(peer, b'{"data":1}\n\n{"data":2}\n' + line + b'\n{"data":"never"}\n')
    status, told = answer_of(peer)  # the body has not ended
    assert status == 400 and told["line"] == 4 and told["published"] == 2, told
    assert word in told["detail"]
    events = server.page(name, "?from=start").json["events"]
    assert [e["data"] for e in events] == [1, 2]
    assert (told["first"], told["last"]) == (events[0]["id"], events[1]["id"])


def test_a_line_that_is_too_long_is_413(server, name):
    peer = start_chunked(server, name, "application/x-ndjson")
    chunk(peer, b'{"data":1}\n{"data":"' + b"x" * 66000 + b'"}\n')
    status, told = answer_of(peer)
    assert status == 413 and told["line"] == 2 and told["published"] == 1
    peer = start_chunked(server, name, "application/x-ndjson")
    for _ in range(30):
        try:
            chunk(peer, b"x" * 16384)
        except (BrokenPipeError, ConnectionResetError):
            break
    status, told = answer_of(peer)
    assert status == 413 and told["line"] == 1 and told["published"] == 0


def test_an_ndjson_line_may_end_the_stream(server, name):
    body = b'{"data":1}\n{"data":2,"end":"complete"}\n'
    answer = server.ask("POST", f"/v1/streams/{name}", body,
                        {"Content-Type": "application/x-ndjson"})
    assert answer.status == 201 and answer.json["count"] == 2
    assert server.page(name, "?from=start").json["end"] == "complete"
    answer = server.ask("POST", f"/v1/streams/{name}", body,
                        {"Content-Type": "application/x-ndjson"})
    assert answer.status == 409 and answer.problem["published"] == 0


def test_defaults_of_the_query_hold_for_each_line(server, name):
    answer = server.ask("POST", f"/v1/streams/{name}?type=t&key=k&end=complete",
                        b'{"data":1}\n{"data":2,"type":"u"}\n',
                        {"Content-Type": "application/x-ndjson"})
    assert answer.status == 201
    page = server.page(name, "?from=start").json
    assert [(e["type"], e["key"]) for e in page["events"]] == [("t", "k"), ("u", "k")]
    assert page["end"] == "complete" and page["next"] == answer.json["last"]


def test_a_long_request_with_a_key_can_be_sent_again(server, name):
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": "import-1"}
    half = server.ask("POST", f"/v1/streams/{name}", b'{"data":1}\n{"data":2}\n', headers)
    whole = server.ask("POST", f"/v1/streams/{name}", b'{"data":1}\n{"data":2}\n{"data":3}\n',
                       headers)
    again = server.ask("POST", f"/v1/streams/{name}", b'{"data":1}\n{"data":2}\n{"data":3}\n',
                       headers)
    assert (half.status, whole.status, again.status) == (201, 201, 200)
    assert whole.json["first"] == half.json["first"] and again.json == whole.json
    assert [e["data"] for e in server.page(name, "?from=start").json["events"]] == [1, 2, 3]


def test_a_lines_own_key_is_its_own_alone(server, name):
    body = (b'{"data":1,"idempotency_key":"a"}\n{"data":2}\n{"data":3,"idempotency_key":"b"}\n'
            b'{"data":4}\n')
    headers = {"Content-Type": "application/x-ndjson"}
    for status in (201, 201):
        assert server.ask("POST", f"/v1/streams/{name}", body, headers).status == status
    events = server.page(name, "?from=start").json["events"]
    assert [e["data"] for e in events] == [1, 2, 3, 4, 2, 4]


def test_what_follows_an_end_is_refused_and_the_end_stands(server, name):
    answer = server.ask("POST", f"/v1/streams/{name}",
                        b'{"data":1}\n{"data":2,"end":"failed"}\n{"data":3}\n',
                        {"Content-Type": "application/x-ndjson"})
    assert answer.status == 409 and answer.problem["published"] == 3  # two events and the end
    page = server.page(name, "?from=start").json
    assert [e["data"] for e in page["events"]] == [1, 2] and page["end"] == "failed"


def test_ndjson_ephemeral_lines_stay_in_order(server, name):
    with server.listen(f"/v1/streams/{name}") as listener:
        after_open(listener)
        assert listener.quiet(0.1)  # it has caught up: what is ephemeral is not left out
        body = b'{"data":1}\n{"data":2,"ephemeral":true}\n{"data":3}\n'
        answer = server.ask("POST", f"/v1/streams/{name}", body,
                            {"Content-Type": "application/x-ndjson"})
        assert answer.status == 201 and answer.json["count"] == 3
        got = listener.events(3)
        assert [e.data for e in got] == ["1", "2", "3"]
        assert [e.id is None for e in got] == [False, True, False]


def test_a_models_answer_is_piped_straight_in(server, name):
    with server.listen(f"/v1/streams/{name}") as listener:
        after_open(listener)
        peer = start_chunked(server, name, "text/event-stream", "?end=complete")
        chunk(peer, b": hello\n\nevent: content_block_delta\ndata: {\"a\":1}\nid: theirs\n\n"
                    b"data: b")
        event = listener.event()
        assert (event.type, event.data) == ("content_block_delta", '{"a":1}')
        chunk(peer, b"\ndata: c\r\n\r")
        assert listener.event().data == "b\nc"
        chunk(peer, b"\nevent: not a type!\ndata: d\n\nevent: tapecast.gap\ndata: no\n\n"
                    b"data: [DONE]\n\ndata: cut")
        assert [(e.type, e.data) for e in listener.events(2)] == [("message", "d"),
                                                                  ("message", "[DONE]")]
        status, told = finish(peer)
        assert status == 201 and told["count"] == 5  # four events and the end
        assert listener.event().type == "tapecast.end"


def test_a_body_that_is_cut_keeps_what_it_brought(server, name):
    peer = start_chunked(server, name, "application/x-ndjson")
    with server.listen(f"/v1/streams/{name}") as listener:
        after_open(listener)
        chunk(peer, b'{"data":"kept"}\n{"data":"cu')
        assert listener.event().data == "kept"
        peer.close()
    server.publish(name, "next")
    assert [e["data"] for e in server.page(name, "?from=start").json["events"]] == ["kept", "next"]


def test_a_thousand_lines_in_small_chunks(server, name):
    peer = start_chunked(server, name, "application/x-ndjson")
    body = b"".join(b'{"data":%d}\n' % i for i in range(1000))
    for at in range(0, len(body), 777):
        chunk(peer, body[at:at + 777])
    status, told = finish(peer)
    assert status == 201 and told["count"] == 1000
    page = server.page(name, "?from=start&limit=1000").json
    assert [e["data"] for e in page["events"]] == list(range(1000))


def test_if_match_holds_for_the_first_line(server, name):
    headers = {"Content-Type": "application/x-ndjson", "If-Match": "0"}
    body = b"".join(b'{"data":%d}\n' % i for i in range(200))
    assert server.ask("POST", f"/v1/streams/{name}", body, headers).status == 201
    answer = server.ask("POST", f"/v1/streams/{name}", body, headers)
    assert answer.status == 412 and answer.problem["published"] == 0 and answer.problem["position"]


# --- many streams ---

def test_many_streams_in_one_call(server):
    a, b = fresh("a"), fresh("b")
    entries = [{"stream": a, "data": 1}, {"stream": b, "data": "x", "type": "t"},
               {"stream": a, "data": {"two": 2}, "key": "k"}, {"stream": b, "data": "typing",
                                                              "ephemeral": True}]
    answer = server.ask("POST", "/v1/publish", json.dumps(entries),
                        {"Content-Type": "application/json"})
    assert answer.status == 201
    got = answer.json
    assert [entry["stream"] for entry in got] == [a, b, a, b]
    assert got[3] == {"stream": b, "ephemeral": True}
    events = server.page(a, "?from=start").json["events"]
    assert [e["data"] for e in events] == [1, {"two": 2}]
    assert [e["id"] for e in events] == [got[0]["id"], got[2]["id"]]


def test_each_entry_has_its_own_answer(server):
    a = fresh("a")
    entries = [{"stream": a, "data": 1}, {"stream": "no name", "data": 2},
               {"stream": a, "data": 3, "type": " "},
               {"stream": a, "data": "x" * 70000}, {"stream": a, "data": 4, "end": "complete"},
               {"stream": a, "data": 5}]
    answer = server.ask("POST", "/v1/publish", json.dumps(entries))
    assert answer.status == 207
    codes = [entry.get("problem", {}).get("status", 201) for entry in answer.json]
    assert codes == [201, 400, 400, 413, 201, 409]
    assert [e["data"] for e in server.page(a, "?from=start").json["events"]] == [1, 4]


def test_an_entrys_key_makes_it_once(server):
    a = fresh("a")
    entries = [{"stream": a, "data": 1, "idempotency_key": "k1"}, {"stream": a, "data": 2},
               {"stream": a, "data": 1, "idempotency_key": "k1"}]
    got = server.ask("POST", "/v1/publish", json.dumps(entries)).json
    assert got[0]["id"] == got[2]["id"] and got[2]["duplicate"] is True
    assert [e["data"] for e in server.page(a, "?from=start").json["events"]] == [1, 2]


def test_a_thousand_entries_and_no_more(server):
    a, b = fresh("a"), fresh("b")
    entries = [{"stream": (a, b)[i % 2], "data": i} for i in range(1000)]
    answer = server.ask("POST", "/v1/publish", json.dumps(entries))
    assert answer.status == 201 and len({entry["id"] for entry in answer.json}) == 1000
    page = server.page(b, "?from=start&limit=1000").json
    assert [e["data"] for e in page["events"]] == list(range(1, 1000, 2))
    answer = server.ask("POST", "/v1/publish", json.dumps(entries + entries[:1]))
    assert answer.status == 413 and "1000" in answer.problem["detail"]


@pytest.mark.parametrize("body,status", [
    (b"", 400), (b"{}", 400), (b"[1]", 400), (b'[{"stream":"a","data":1,"more":2}]', 400),
    (b'[{"stream":"a"', 400), (b"[" + b" " * (1 << 20) + b"]", 413)])
def test_a_batch_that_is_wrong(server, body, status):
    answer = server.ask("POST", "/v1/publish", body)
    assert answer.status == status and answer.problem


def test_an_empty_batch_is_fine(server):
    answer = server.ask("POST", "/v1/publish", b"[]")
    assert answer.status == 201 and answer.json == []


def test_expect_100_continue(server, name):
    with server.connect() as peer:
        peer.sendall(f"POST /v1/streams/{name} HTTP/1.1\r\nHost: s\r\nContent-Length: 5\r\n"
                     "Expect: 100-continue\r\n\r\n".encode())
        assert peer.recv(65536).startswith(b"HTTP/1.1 100 ")
        peer.sendall(b"hello")
        assert answer_of(peer)[0] == 201


def test_a_connection_serves_many_requests(server, name):
    with server.connect() as peer:
        for i in range(20):
            peer.sendall(f"POST /v1/streams/{name} HTTP/1.1\r\nHost: s\r\nContent-Length: 1\r\n\r\n"
                         "x".encode())
            data = b""
            while not data.endswith(b"}"):
                data += peer.recv(65536)
            assert data.startswith(b"HTTP/1.1 201 "), data
        peer.sendall((f"POST /v1/streams/{name} HTTP/1.1\r\nHost: s\r\nContent-Length: 1\r\n\r\nx"
                      * 3 + f"GET /v1/streams/{name}?from=-1&notices=off HTTP/1.1\r\nHost: s\r\n"
                            "Accept: application/json\r\n\r\n").encode())
        got = read_all(peer)
        assert got.count(b"HTTP/1.1 201 ") == 3 and got.count(b"HTTP/1.1 200 ") == 1


def test_a_small_event_bound_holds():
    with Server("--event-bytes", "10") as server:
        name = fresh()
        assert server.ask("POST", f"/v1/streams/{name}", b"x" * 10).status == 201
        assert server.ask("POST", f"/v1/streams/{name}", b"x" * 11).status == 413
