#!/usr/bin/env python3
"""The examples do what they say, with the real server; and so does the command, end to end."""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stand_in import PATIENCE_S, TAPECAST, main, run, start

SOURCE = os.environ.get("TAPECAST_SOURCE") or os.path.join(os.path.dirname(__file__), "..", "..")
EXAMPLES = os.path.abspath(os.path.join(SOURCE, "examples"))
ANSWER = "The tape keeps what was said, so you may come late, leave, and come back. You miss nothing."


class RealServer:
    """tapecast serve on a port that the system chooses."""

    def __enter__(self):
        self.process = start("serve", "--dev", "--listen", "127.0.0.1:0")
        self.url = re.search(r"http://\S+", self.process.stdout.readline().decode()).group()
        for pipe in (self.process.stdout, self.process.stderr):
            threading.Thread(target=pipe.read, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        assert code == 0, code

    def example(self, line, **more):
        """Runs a shell line in the examples' folder; tapecast is the one under test."""
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(os.path.abspath(TAPECAST), os.path.join(folder, "tapecast"))
            environment = {**os.environ, "TAPECAST_URL": self.url, "TAPECAST": TAPECAST,
                           "PATH": folder + os.pathsep + os.environ["PATH"], "EXAMPLES": EXAMPLES}
            done = subprocess.run(["sh", "-c", line], cwd=EXAMPLES, env=environment, timeout=PATIENCE_S * 3,
                                  capture_output=True, text=True, **more)
        assert done.returncode == 0, (line, done.returncode, done.stdout, done.stderr)
        return done.stdout


def test_a_models_answer_reaches_readers_early_and_late():
    with RealServer() as server:
        early = start("sub", "chat/1", "--from", "start", url=server.url)
        server.example("llm-tokens/fake-model 0.01 | tapecast pub chat/1 - --end complete")
        out, _ = early.communicate(timeout=PATIENCE_S)
        late = run("sub", "chat/1", "--from", "start", url=server.url)
        assert (early.returncode, out.decode()) == (0, late[1]) and late[0] == 0
        chunks = late[1].splitlines()
        assert chunks[-1] == "[DONE]"
        assert "".join(json.loads(c)["choices"][0]["delta"].get("content", "") for c in chunks[:-1]) == ANSWER
        assert server.example("tapecast sub chat/1 --from start | llm-tokens/words") == ANSWER + "\n"


def test_prices_come_with_keys():
    with RealServer() as server:
        server.example("ticker/prices 8 0 | tapecast pub prices - --format ndjson")
        code, out, _ = run("sub", "prices", "--from", "start", "-n", "8", "--json", url=server.url)
        events = [json.loads(line) for line in out.splitlines() if "tapecast.open" not in line]
        assert code == 0 and len(events) == 8
        assert all(e["key"] == e["data"]["symbol"] and e["type"] == "price" for e in events), events
        assert {e["key"] for e in events} == {"ACME", "BOLT", "CORK", "DELFT"}
        assert re.search(r'"price":\d+\.\d\d}', out), "numbers are kept as they were written"


def test_notifications_come_once_also_to_who_was_away():
    with RealServer() as server, tempfile.TemporaryDirectory() as folder:
        place = os.path.join(folder, "place")
        feed = [sys.executable, os.path.join(EXAMPLES, "notifications", "feed.py"), "ada", place]
        environment = {**os.environ, "TAPECAST_URL": server.url, "PYTHONUNBUFFERED": "1"}

        def listen_for(*texts):
            reader = subprocess.Popen(feed, env=environment, stdout=subprocess.PIPE, text=True)
            guard = threading.Timer(PATIENCE_S, reader.kill)
            guard.start()
            try:
                for text in texts:
                    assert reader.stdout.readline() == text + "\n"
                # The place is written behind the line that was printed.
                run("pub", "users/ada/notifications", "for nobody", "--type", "other", url=server.url)
                wanted = run("sub", "users/ada/notifications", "--from", "-1", "-n", "1", "--json", url=server.url)
                last = json.loads(wanted[1].splitlines()[-1])["id"]
                while open(place).read() != last:
                    assert guard.is_alive()
            finally:
                guard.cancel()
                reader.kill()
                reader.wait()
                reader.stdout.close()

        server.example("notifications/notify ada first && notifications/notify ada 'second, and last' --ttl 60")
        listen_for("first", "second, and last")
        server.example("notifications/notify ada third")
        listen_for("third")


def test_the_walk_with_curl_shows_what_it_promises():
    with RealServer() as server:
        out = server.example("curl/walk")
    for words in ('"id":"1.', '"count":3', "event: price", '"up_to_date":false', '"reason":"invalid"', "worth the wait",
                  '"status":412', "event: tapecast.end", '"status":409'):
        assert words in out, words
    keyed = re.findall(r"order-7.*\n(.*)\n", out)
    assert len(keyed) == 2 and keyed[0] == keyed[1], keyed


def paper(name):
    with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
        return file.read()


PAPERS = ("README.md", "docs/start.md", "examples/README.md", "examples/llm-tokens/README.md",
          "examples/ticker/README.md", "examples/notifications/README.md", "examples/curl/README.md")


def test_the_commands_that_are_written_down_work():
    with RealServer() as server:
        ran = 0
        for name in ("README.md", "docs/start.md"):
            text = paper(name).replace("http://127.0.0.1:8080", server.url)
            for line in re.findall(r"^(?:    |\$ )((?:curl|tapecast pub) [^#\n]*)", text, re.M):
                if "MODEL_URL" in line:
                    continue
                line = line.replace("curl -N", "curl -N -m 1")
                server.example(f"{line} || [ $? = 28 ]")
                ran += 1
            for code in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S):
                done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
                assert done.returncode == 0 and done.stdout.startswith("1."), done
                ran += 1
        assert ran >= 6, ran


def test_links_lead_somewhere():
    for name in PAPERS:
        for link in re.findall(r"\]\(([^)#:]+)\)", paper(name)):
            assert os.path.exists(os.path.join(SOURCE, os.path.dirname(name), link)), (name, link)


def test_a_reader_outlives_the_servers_restart_and_is_told_what_is_gone():
    with RealServer() as server:
        run("pub", "a", "one", url=server.url)
        reader = start("sub", "a", "--from", "start", "-n", "2", url=server.url)
        assert reader.stdout.readline() == b"one\n"
        port = server.url.rsplit(":", 1)[1]
    again = start("serve", "--dev", "--listen", f"127.0.0.1:{port}")
    again.stdout.readline()
    for pipe in (again.stdout, again.stderr):
        threading.Thread(target=pipe.read, daemon=True).start()
    code, _, _ = run("pub", "a", "two", url=server.url)
    out, err = reader.communicate(timeout=PATIENCE_S * 2)
    again.send_signal(signal.SIGTERM)
    assert again.wait(PATIENCE_S) == 0
    assert code == 0 and reader.returncode == 0 and out == b"two\n", (out, err)
    assert b"was cut" in err and b"gap on a" in err, err


def test_two_commands_meet_on_several_streams():
    with RealServer() as server:
        reader = start("sub", "a", "b/c", "--from", "start", url=server.url)
        run("pub", "a", "-", "--end", "complete", stdin=b"1\n2\n", url=server.url)
        run("pub", "b/c", "x\ny", "--end", "failed", url=server.url)
        out, err = reader.communicate(timeout=PATIENCE_S)
        assert reader.returncode == 3, (reader.returncode, err)
        assert sorted(out.decode().splitlines()) == ["a: 1", "a: 2", "b/c: x", "b/c: y"]


def test_bench_counts_right():
    with RealServer() as server:
        for args, delivered in ((["fanout", "--listeners", "20", "--events", "50", "--rate", "0"], 1000),
                                (["many", "--listeners", "20", "--streams", "4", "--events", "42", "--rate", "0"], 210),
                                (["resume", "--listeners", "20", "--events", "50"], 1000)):
            code, out, err = run("bench", *args, "--json", url=server.url)
            assert code == 0, (args, out, err)
            result = json.loads(out)
            assert result["delivered"] == delivered and result["lost"] == result["doubled"] == 0, result
        code, out, _ = run("bench", "fanout", "--events", "20", "--rate", "200", url=server.url)
        assert code == 0 and "lost 0, doubled" in out, out


if __name__ == "__main__":
    main(globals())
