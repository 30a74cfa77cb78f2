"""Requests that are wrong on the wire: never taken for two, and answered once at most."""
import pytest
from house import fresh

HEAD = b"Host: story\r\n"


def post(fields, body=b"x", target=b"/v1/streams/bytes", version=b"HTTP/1.1"):
    return b"POST " + target + b" " + version + b"\r\n" + fields + b"\r\n" + body


SMUGGLED = b"GET /healthz/live HTTP/1.1\r\nHost: story\r\n\r\n"

BAD = {
    "two lengths": post(HEAD + b"Content-Length: 1\r\nContent-Length: 1\r\n"),
    "two lengths that differ": post(HEAD + b"Content-Length: 1\r\nContent-Length: 50\r\n",
                                    b"x" + SMUGGLED),
    "a list of lengths": post(HEAD + b"Content-Length: 1, 1\r\n"),
    "length and chunks": post(HEAD + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
                              b"0\r\n\r\n" + SMUGGLED),
    "chunks and length": post(HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
                              b"0\r\n\r\n" + SMUGGLED),
    "an unknown coding": post(HEAD + b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    "gzip, chunked": post(HEAD + b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
    "chunked, identity": post(HEAD + b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n"),
    "chunked twice": post(HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                          b"0\r\n\r\n"),
    "a coding with a vertical tab": post(HEAD + b"Transfer-Encoding: \x0bchunked\r\n",
                                         b"0\r\n\r\n" + SMUGGLED),
    "chunks in HTTP/1.0": post(HEAD + b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n",
                               version=b"HTTP/1.0"),
    "a length of letters": post(HEAD + b"Content-Length: x\r\n"),
    "a negative length": post(HEAD + b"Content-Length: -1\r\n"),
    "a length with a sign": post(HEAD + b"Content-Length: +1\r\n"),
    "a length in hex": post(HEAD + b"Content-Length: 0x1\r\n"),
    "an empty length": post(HEAD + b"Content-Length: \r\n"),
    "a length beyond 64 bits": post(HEAD + b"Content-Length: 99999999999999999999999\r\n"),
    "two hosts": post(HEAD + HEAD + b"Content-Length: 1\r\n"),
    "no host": b"GET /healthz/live HTTP/1.1\r\n\r\n",
    "a blank before the colon": post(HEAD + b"Content-Length : 1\r\n", b"x" + SMUGGLED),
    "a header without a colon": post(HEAD + b"nonsense\r\nContent-Length: 1\r\n"),
    "a name with a blank": post(HEAD + b"X Y: z\r\nContent-Length: 1\r\n"),
    "a name with a control byte": post(HEAD + b"X\x01: z\r\nContent-Length: 1\r\n"),
    "a value with a control byte": post(HEAD + b"X: a\x01b\r\nContent-Length: 1\r\n"),
    "a value with DEL": post(HEAD + b"X: a\x7fb\r\nContent-Length: 1\r\n"),
    "two types": post(HEAD + b"Content-Type: text/plain\r\nContent-Type: application/json\r\n"
                      b"Content-Length: 1\r\n"),
    "two keys": post(HEAD + b"Idempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: 1\r\n"),
    "two ids": b"GET /v1/streams/a HTTP/1.1\r\nHost: s\r\nLast-Event-ID: 0\r\n"
               b"Last-Event-ID: 0\r\n\r\n",
    "two origins": b"GET /healthz/live HTTP/1.1\r\nHost: s\r\nOrigin: http://a\r\n"
                   b"Origin: http://b\r\n\r\n",
    "a body of GET": b"GET /v1/streams/a HTTP/1.1\r\nHost: s\r\nContent-Length: 3\r\n\r\nabc",
    "a chunked body of GET": b"GET /v1/streams/a HTTP/1.1\r\nHost: s\r\n"
                             b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a body of DELETE": b"DELETE /v1/streams/a HTTP/1.1\r\nHost: s\r\nContent-Length: 1\r\n\r\nx",
    "a body of HEAD": b"HEAD /v1/streams/a HTTP/1.1\r\nHost: s\r\nContent-Length: 1\r\n\r\nx",
    "a control byte in the target": b"GET /healthz/live\x01 HTTP/1.1\r\nHost: s\r\n\r\n",
    "a tab in the target": b"GET /healthz/live\t HTTP/1.1\r\nHost: s\r\n\r\n",
    "a blank in the target": b"GET /v1/streams/a b HTTP/1.1\r\nHost: s\r\n\r\n",
    "DEL in the target": b"GET /v1/streams/a\x7f HTTP/1.1\r\nHost: s\r\n\r\n",
    "a target without a slash": b"GET nothing HTTP/1.1\r\nHost: s\r\n\r\n",
    "the star of OPTIONS": b"GET * HTTP/1.1\r\nHost: s\r\n\r\n",
    "an empty target": b"GET  HTTP/1.1\r\nHost: s\r\n\r\n",
    "raw bytes above ASCII in a name": b"GET /v1/streams/\xc3\xa4 HTTP/1.1\r\nHost: s\r\n\r\n",
    "raw bytes that are no UTF-8": b"GET /v1/streams/a?from=\xff HTTP/1.1\r\nHost: s\r\n\r\n",
    "an overlong form": b"GET /v1/streams/a%c0%af HTTP/1.1\r\nHost: s\r\n\r\n",
    "a surrogate": b"GET /v1/streams/a?after=%ed%a0%80 HTTP/1.1\r\nHost: s\r\n\r\n",
    "a version from the future": b"GET /healthz/live HTTP/2.0\r\nHost: s\r\n\r\n",
    "no version": b"GET /healthz/live\r\nHost: s\r\n\r\n",
    "a word for a version": b"GET /healthz/live SPDY/1.1\r\nHost: s\r\n\r\n",
    "HTTP/2's first words": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS's first bytes": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 300 +
                         b"\r\n\r\n",
    "nothing but NUL": b"\0" * 64 + b"\r\n\r\n",
    "only line ends": b"\r\n\r\n\r\n\r\n",
    "a method of blanks": b"   /healthz/live HTTP/1.1\r\nHost: s\r\n\r\n",
    "NUL in the target": b"GET /healthz/live\0x HTTP/1.1\r\nHost: s\r\n\r\n",
    "a chunk's size of letters": post(HEAD + b"Transfer-Encoding: chunked\r\n", b"zz\r\nx\r\n"),
    "a negative chunk": post(HEAD + b"Transfer-Encoding: chunked\r\n", b"-1\r\nx\r\n"),
    "a chunk beyond 64 bits": post(HEAD + b"Transfer-Encoding: chunked\r\n",
                                   b"fffffffffffffffff\r\nx\r\n"),
    "a chunk longer than it said": post(HEAD + b"Transfer-Encoding: chunked\r\n",
                                        b"1\r\nxyz\r\n0\r\n\r\n"),
    "a head beyond its bound": b"GET /healthz/live HTTP/1.1\r\nHost: s\r\nX: " + b"x" * 40000 +
                               b"\r\n\r\n",
    "a thousand headers": b"GET /healthz/live HTTP/1.1\r\nHost: s\r\n" +
                          b"".join(b"X-%d: y\r\n" % i for i in range(4000)) + b"\r\n",
    "a target beyond its bound": b"GET /" + b"x" * 40000 + b" HTTP/1.1\r\nHost: s\r\n\r\n",
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_gets_a_refusal_or_nothing(server, case):
    name = fresh("bytes")
    got = server.raw(BAD[case].replace(b"/v1/streams/bytes", b"/v1/streams/" + name.encode()),
                     half_close=True)
    statuses = [int(line.split()[1]) for line in got.split(b"\r\n")
                if line.startswith(b"HTTP/1.1 ")]
    # libmicrohttpd 0.9.75 writes the head of its own refusals twice
    assert len(set(statuses)) <= 1 and len(statuses) <= 2, got
    assert not statuses or 400 <= statuses[0] <= 505, got
    assert b"ok\n" not in got
    assert server.ask("HEAD", f"/v1/streams/{name}").status == 404  # nothing was published
    assert server.ask("GET", "/healthz/live").status == 200


FINE = {
    "absolute form": b"GET http://story/healthz/live HTTP/1.1\r\nHost: story\r\n\r\n",
    "absolute form of nothing": b"GET http://story/healthz/live?x HTTP/1.1\r\nHost: s\r\n\r\n",
    "HTTP/1.0": b"GET /healthz/live HTTP/1.0\r\n\r\n",
    "a line end before": b"\r\nGET /healthz/live HTTP/1.1\r\nHost: s\r\n\r\n",
    "names of any case": b"GET /healthz/live HTTP/1.1\r\nhOST: s\r\naCCEPT: */*\r\n\r\n",
    "a value with a tab": b"GET /healthz/live HTTP/1.1\r\nHost: s\r\nX: a\tb\r\n\r\n",
    "a value of Latin 1": b"GET /healthz/live HTTP/1.1\r\nHost: s\r\nX: \xe4\r\n\r\n",
}


@pytest.mark.parametrize("case", FINE)
def test_what_is_unusual_but_right(server, case):
    got = server.raw(FINE[case], half_close=True)
    if case == "absolute form of nothing":
        assert got.startswith(b"HTTP/1.1 400 ")
    else:
        assert got.startswith(b"HTTP/1.1 200 ") and got.endswith(b"ok\n"), got


def test_a_request_byte_by_byte(server, name):
    request = (f"POST /v1/streams/{name}?type=t HTTP/1.1\r\nHost: s\r\n"
               "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\n"
               "Trailer: x\r\n\r\n").encode()
    with server.connect() as peer:
        for at in range(len(request)):
            peer.sendall(request[at:at + 1])
        assert peer.recv(65536).startswith(b"HTTP/1.1 201 ")
    assert server.page(name, "?from=start").json["events"][0]["data"] == "abcde"


def test_a_client_that_leaves_at_every_byte(server, name):
    request = (f"POST /v1/streams/{name} HTTP/1.1\r\nHost: s\r\nContent-Length: 3\r\n\r\n"
               "abc").encode()
    for at in range(len(request)):
        with server.connect() as peer:
            peer.sendall(request[:at])
    listen = f"GET /v1/streams/{name} HTTP/1.1\r\nHost: s\r\n\r\n".encode()
    for at in range(len(listen) + 1):
        with server.connect() as peer:
            peer.sendall(listen[:at])
    assert server.ask("HEAD", f"/v1/streams/{name}").status == 404
    server.publish(name, "alive")


def test_requests_behind_a_listen_are_not_answered(server):
    name = fresh()
    server.publish(name, "x", "?end=complete")
    listen = f"GET /v1/streams/{name}?from=start HTTP/1.1\r\nHost: s\r\n\r\n".encode()
    got = server.raw(listen + SMUGGLED)
    assert got.count(b"HTTP/1.1 ") == 1 and b"ok\n" not in got
