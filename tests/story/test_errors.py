"""What is refused, and how it is said; CORS; the small answers."""
import json

import pytest
from house import Server, fresh


@pytest.mark.parametrize("path,word", [
    ("/v1/streams/", "name"), ("/v1/streams/-x", "byte"), ("/v1/streams/a%20b", "' '"),
    ("/v1/streams/a%00", "%00"), ("/v1/streams/%ff", "UTF-8"), ("/v1/streams/a%2", "hex"),
    ("/v1/streams/a//b", "segment"), ("/v1/streams/a/../b", "segment"),
    ("/v1/streams/a/%2e%2e/b", "segment"), ("/v1/streams/a/.", "segment"),
    ("/v1/streams/a/", "segment"), ("/v1/streams/%2fa", "byte"), ("/v1/streams/a*", "*"),
    ("/v1/streams/a%7bb%7d", "{"), ("/v1/streams/" + "a" * 201, "200"),
    ("/v1/streams/%C3%A4", "0xc3"), ("/v1/streams/a%0d%0aX:1", "0x0d"),
    ("/v1/events?stream=a%20b", "' '"), ("/v1/events", "stream="), ("/v1/events?stream=", "name"),
    ("/v1/events?stream=a&stream=a", "twice"),
    ("/v1/events?" + "&".join(f"stream=s{i}" for i in range(65)), "64"),
    ("/v1/events?stream=a&stream=b&envelope=none", "envelope"),
    ("/v1/streams/a?form=start", "form"), ("/v1/streams/a?from=yesterday", "from"),
    ("/v1/streams/a?from=-", "from"), ("/v1/streams/a?from=--1", "from"),
    ("/v1/streams/a?from=2026-13-01T00:00:00Z", "from"), ("/v1/streams/a?from=-99999999", "from"),
    ("/v1/streams/a?interval=-1", "interval"), ("/v1/streams/a?interval=60001", "interval"),
    ("/v1/streams/a?notices=no", "notices"), ("/v1/streams/a?envelope=xml", "envelope"),
    ("/v1/streams/a?stream=b", "stream"), ("/v1/streams/a?from=now&from=now", "twice"),
    ("/v1/streams/a?x=%ff", "UTF-8"), ("/v1/streams/a?after=%zz", "hex"),
])
def test_a_bad_request_is_told_what_is_bad(server, path, word):
    answer = server.ask("GET", path)
    assert answer.status == 400, answer
    assert word in answer.problem["detail"], answer.problem


@pytest.mark.parametrize("path", ["/v1/streams/a:b@c~d+e.f_g-h", "/v1/streams/a%2Fb%3Ac/d",
                                  "/v1/streams/" + "a" * 200, "/v1/streams/0"])
def test_names_that_are_fine(server, path):
    assert server.ask("POST", path, "x").status in (201, 409)


@pytest.mark.parametrize("query", ["?access_token=secret", "?utm_source=x", "?_=123", "?&&", "?"])
def test_parameters_that_pass(server, name, query):
    with server.listen(f"/v1/streams/{name}{query}") as listener:
        assert listener.status == 200


@pytest.mark.parametrize("path", ["/nothing", "/v1", "/v1/", "/v1/streams", "/v1/stream/a",
                                  "/v2/streams/a", "/V1/streams/a", "/healthz", "/v1/eventsx",
                                  "/v1/publish/", "//", "/metrics"])
def test_an_unknown_path_is_404(server, path):
    answer = server.ask("GET", path)
    assert answer.status == 404 and answer.problem["code"] == "not_found"


@pytest.mark.parametrize("method,path,allow", [
    ("PUT", "/v1/streams/a", "GET, HEAD, POST, DELETE, OPTIONS"),
    ("PATCH", "/v1/streams/a", "GET, HEAD, POST, DELETE, OPTIONS"),
    ("get", "/v1/streams/a", "GET, HEAD, POST, DELETE, OPTIONS"),
    ("POST", "/v1/events", "GET, OPTIONS"), ("HEAD", "/v1/events?stream=a", "GET, OPTIONS"),
    ("GET", "/v1/publish", "POST, OPTIONS"), ("DELETE", "/healthz/live", "GET, HEAD, OPTIONS"),
    ("TRACE", "/", "GET, HEAD, OPTIONS")])
def test_a_wrong_method_is_told_the_right_ones(server, method, path, allow):
    answer = server.ask(method, path)
    assert answer.status == 405 and answer.headers["allow"] == allow


def test_head_tells_position_count_and_bytes(server, name):
    assert server.ask("HEAD", f"/v1/streams/{name}").status == 404
    server.publish(name, "one")
    last = server.publish(name, "two")
    answer = server.ask("HEAD", f"/v1/streams/{name}")
    assert answer.status == 200 and answer.body == b""
    assert answer.headers["tapecast-position"] == last
    assert answer.headers["etag"] == f'"{last}"'
    assert answer.headers["tapecast-count"] == "2"
    assert int(answer.headers["tapecast-bytes"]) > 6
    assert answer.headers["tapecast-state"] == "open"
    server.publish(name, "", "?end=failed")
    assert server.ask("HEAD", f"/v1/streams/{name}").headers["tapecast-state"] == "failed"


def test_delete_ends_and_forgets(server, name):
    assert server.ask("DELETE", f"/v1/streams/{name}").status == 404
    server.publish(name, "secret")
    with server.listen(f"/v1/streams/{name}") as listener:
        assert listener.event().type == "tapecast.open"
        answer = server.ask("DELETE", f"/v1/streams/{name}")
        assert answer.status == 204 and answer.body == b""
        end = listener.event()
        assert end.type == "tapecast.end" and end.json["state"] == "cancelled"
        assert listener.rest() == b""
    assert b"secret" not in server.page(name, "?from=start").body
    assert server.ask("DELETE", f"/v1/streams/{name}").status == 404


def test_health(server):
    for path in ("/healthz/live", "/healthz/ready"):
        answer = server.ask("GET", path)
        assert answer.status == 200 and answer.body == b"ok\n"
        assert server.ask("HEAD", path).status == 200


def test_the_page_is_for_development_alone(server):
    answer = server.ask("GET", "/")
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/html")
    assert b"tapecast" in answer.body
    with Server(dev=False) as other:
        assert other.ask("GET", "/").status == 404


def test_the_description_names_every_path_and_answer(server):
    answer = server.ask("GET", "/openapi.json")
    assert answer.status == 200
    told = answer.json
    assert told["openapi"].startswith("3.")
    methods = {path: set(item) & {"get", "head", "post", "delete"}
               for path, item in told["paths"].items()}
    assert methods == {
        "/v1/streams/{name}": {"get", "head", "post", "delete"}, "/v1/events": {"get"},
        "/v1/publish": {"post"}, "/healthz/live": {"get"}, "/healthz/ready": {"get"},
        "/openapi.json": {"get"}, "/": {"get"}}
    for path, item in told["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                assert operation["responses"] and operation["operationId"], (path, method)


def test_the_description_knows_the_parameters(server):
    """Each parameter described is known, and each one known is described."""
    told = server.ask("GET", "/openapi.json").json

    def resolve(item):
        while "$ref" in item:
            target = told
            for part in item["$ref"].lstrip("#/").split("/"):
                target = target[part]
            item = target
        return item

    for path, method in [("/v1/streams/{name}", "get"), ("/v1/streams/{name}", "post"),
                         ("/v1/events", "get")]:
        described = {resolve(p)["name"] for p in told["paths"][path][method]["parameters"]
                     if resolve(p)["in"] == "query"}
        url = path.replace("{name}", "a") + "?nonsense=1"
        body = "x" if method == "post" else None
        detail = server.ask(method.upper(), url, body).problem["detail"]
        assert described == set(detail.split("known are ")[1].split(", "))


# --- CORS ---

def test_in_development_any_origin_may(server, name):
    answer = server.ask("POST", f"/v1/streams/{name}", "x", {"Origin": "http://localhost:3000"})
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["vary"] == "Origin"
    with server.listen(f"/v1/streams/{name}", Origin="https://x.example") as listener:
        assert listener.headers["access-control-allow-origin"] == "https://x.example"
        assert listener.headers["vary"] == "Origin"
    for path in ("/nothing", "/v1/streams/-"):
        answer = server.ask("GET", path, None, {"Origin": "https://x.example"})
        assert answer.headers["access-control-allow-origin"] == "https://x.example"
    answer = server.page(name, "", {"Origin": "https://x.example"})
    assert answer.headers["access-control-allow-origin"] == "https://x.example"


def test_a_preflight_is_answered(server, name):
    answer = server.ask("OPTIONS", f"/v1/streams/{name}", None, {
        "Origin": "https://x.example", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,idempotency-key"})
    assert answer.status == 204
    assert "POST" in answer.headers["access-control-allow-methods"]
    for header in ("authorization", "content-type", "last-event-id", "idempotency-key",
                   "cache-control"):
        assert header in answer.headers["access-control-allow-headers"]
    assert int(answer.headers["access-control-max-age"]) > 0
    answer = server.ask("OPTIONS", "/v1/publish")
    assert answer.status == 204 and answer.headers["allow"] == "POST, OPTIONS"


def test_elsewhere_only_who_is_listed_may():
    with Server("--cors-origins", "https://good.example,http://localhost:3000",
                dev=False) as server:
        for origin, allowed in [
                ("https://good.example", True), ("http://localhost:3000", True),
                ("https://good.example.evil.example", False), ("http://good.example", False),
                ("https://good.example:8443", False), ("https://Good.example", False),
                ("null", False), ("https://evil.example", False), ("https://good.example/", False)]:
            name = fresh()
            answer = server.ask("POST", f"/v1/streams/{name}", "x", {"Origin": origin})
            assert ("access-control-allow-origin" in answer.headers) == allowed, origin
            preflight = server.ask("OPTIONS", f"/v1/streams/{name}", None, {
                "Origin": origin, "Access-Control-Request-Method": "POST"})
            assert ("access-control-allow-methods" in preflight.headers) == allowed, origin


def test_notes_that_quote_the_client_stay_json(server):
    for path in ['/v1/streams/a?%22%5C=1', '/v1/streams/a?' + '%C3%A4' * 100 + '=1',
                 '/v1/streams/a?' + 'x' + '%F0%9F%93%BC' * 60 + '=1']:
        answer = server.ask("GET", path)
        assert answer.status == 400 and json.loads(answer.body)["detail"]
