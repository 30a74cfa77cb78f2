"""The administrators' socket: what is measured, which streams there are, and that it is nobody else's."""
import http.client
import json
import os
import re
import shutil
import signal
import subprocess

import pytest
from house import PATIENCE_S, Server, eventually, fresh

DOCS = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "operate.md")


class Admin:
    def __init__(self, server):
        eventually(lambda: "event=started" in server.said(), "the line that tells the address")
        self.port = int(re.search(r" admin=127\.0\.0\.1:(\d+)", server.said())[1])

    def ask(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def metrics(self):
        status, text = self.ask("/metrics")
        assert status == 200
        return text

    def value(self, series):
        return float(re.search("^tapecast_" + re.escape(series) + " (.*)$", self.metrics(), re.M)[1])


def test_what_happens_is_counted():
    with Server("--event-bytes", "100", "--session-max", "1") as server:
        admin, name = Admin(server), fresh()
        with server.listen(f"/v1/streams/{name}") as listener:
            listener.event()
            for data in ("one", "two"):
                server.publish(name, data)
            listener.events(2)
            assert admin.value('sessions{form="sse"}') == 1
            assert server.ask("GET", f"/v1/streams/{name}", None,
                              {"Accept": "application/x-ndjson"}).status == 503
        assert server.ask("POST", f"/v1/streams/{name}", "x" * 101).status == 413
        assert admin.value("events_in_total") == 2 and admin.value("bytes_in_total") == 6
        assert admin.value("publish_seconds_count") == 2
        assert admin.value("events_out_total") == 2
        assert admin.value('limit_hits_total{limit="event_bytes"}') == 1
        assert admin.value('limit_hits_total{limit="session_max"}') == 1
        assert admin.value('problems_total{error="too_big"}') == 1
        assert admin.value('requests_total{status="2xx",socket="public"}') == 2
        assert admin.value("loop_lag_seconds_count") > 0
        assert admin.value('memory_bytes{account="resident"}') > 1e6
        assert admin.value("open_descriptors") > 5
        assert admin.value('backplane_ready{backplane="memory"}') == 1
        eventually(lambda: admin.value('sessions_closed_total{reason="peer"}') == 1, "it has left")


def test_a_gap_is_counted_by_its_reason():
    with Server("--stream-events", "2") as server:
        admin, name = Admin(server), fresh()
        first = server.publish(name, "0")
        for i in range(5):
            server.publish(name, str(i))
        with server.listen(f"/v1/streams/{name}?after={first}") as listener:
            while listener.event().type != "tapecast.gap":
                pass
        assert admin.value('gaps_total{reason="trimmed"}') == 1


def test_no_label_is_a_stream_s_name_and_promtool_is_content():
    with Server() as server:
        admin, name = Admin(server), fresh()
        server.publish(name, "x")
        text = admin.metrics()
        assert name not in text
        if not shutil.which("promtool"):
            pytest.skip("promtool (Debian: prometheus) is not here")
        run = subprocess.run(["promtool", "check", "metrics"], input=text.encode(),
                             capture_output=True, timeout=30, check=False)
        assert run.returncode == 0 and not run.stderr, run.stderr


def test_every_metric_is_documented(server):
    with open(DOCS, encoding="utf-8") as file:
        told = set(re.findall(r"^\| `(tapecast_\w+)`", file.read(), re.M))
    assert told == set(re.findall(r"^# TYPE (\w+)", Admin(server).metrics(), re.M))


def test_streams_are_listed_by_prefix():
    with Server() as server:
        admin = Admin(server)
        for name in ("a/1", "a/2", "b/1"):
            server.publish(name, "x" * 10)
        listed = json.loads(admin.ask("/v1/streams?prefix=a/")[1])
        assert sorted(s["stream"] for s in listed["streams"]) == ["a/1", "a/2"]
        assert listed["scope"] == "all" and not listed["more"]
        assert all(s["count"] == 1 and s["state"] == "open" and 0 < s["per_second"] < 1
                   for s in listed["streams"])
        assert json.loads(admin.ask("/v1/streams?limit=2")[1])["more"]
        assert admin.ask("/v1/streams?limit=0")[0] == 400


def test_each_socket_has_its_own_paths(server):
    admin = Admin(server)
    assert server.ask("GET", "/metrics").status == 404
    assert server.ask("GET", "/v1/streams?prefix=a").status == 404
    assert admin.ask("/v1/streams/a")[0] == 404
    assert admin.ask("/healthz/live")[0] == admin.ask("/healthz/ready")[0] == 200


def test_it_tells_of_the_drain_to_the_end():
    with Server("--drain-window", "3") as server:
        admin = Admin(server)
        with server.listen(f"/v1/streams/{fresh()}"), server.listen(f"/v1/streams/{fresh()}"):
            server.process.send_signal(signal.SIGTERM)
            eventually(lambda: admin.ask("/healthz/ready")[0] == 503, "not ready")
            assert admin.value("draining") == 1


def test_off_is_off_and_a_port_that_is_taken_is_told():
    with Server("--admin", "off") as server:
        eventually(lambda: "event=started" in server.said(), "started")
        assert " admin=off" in server.said()
    with Server() as first:
        with pytest.raises(AssertionError, match="--admin: 127.0.0.1.*in use"):
            Server("--admin", f"127.0.0.1:{Admin(first).port}")
