"""A server's life: its options, its start, its end."""
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pytest
from house import PATIENCE_S, TAPECAST, Server, fresh


def run(*args, env=None):
    done = subprocess.run([TAPECAST, "serve", *args], capture_output=True, timeout=PATIENCE_S,
                          env={**os.environ, **(env or {})})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_help_and_the_table_of_bounds():
    status, out, err = run("--help")
    assert status == 0 and "--session-max" in out and not err
    assert all(len(line) <= 100 for line in out.splitlines())
    status, out, _ = run("--print-limits")
    assert status == 0 and out.startswith("# Limits\n")


def test_the_page_of_bounds_is_current():
    source = os.environ.get("TAPECAST_SOURCE",
                            os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    with open(os.path.join(source, "docs", "limits.md")) as page:
        assert page.read() == run("--print-limits")[1], "serve --print-limits >docs/limits.md"


@pytest.mark.parametrize("args,words", [
    (["--typo"], "there is no option --typo"),
    (["--sesion-max", "3"], "did you mean --session-max?"),
    (["--heartbeet", "3"], "did you mean --heartbeat?"),
    (["--session-max"], "a value is missing"), (["--session-max", "0"], "from 1 to"),
    (["--session-max", "many"], '"many"'), (["--session-max=-1"], '"-1"'),
    (["--heartbeat", "0.01"], "from 0.05 to 3600"), (["--heartbeat", "1.2345"], "1.2345"),
    (["--heartbeat", "."], '"."'), (["--event-bytes", "5m"], "from 1 to"),
    (["--event-bytes", "k"], '"k"'), (["--listen", ""], "missing"),
    (["--listen", "here"], "here"), (["--listen", "127.0.0.1:99999"], "99999"),
    (["--listen", "127.0.0.1:0,"], ""), (["--log-level", "loud"], "error, warn, info or debug"),
    (["--dev=maybe"], "1 or 0"), (["stray"], "stray"), (["-x"], "-x"), (["--"], "--"),
    (["--cors-origins", "*"], "origin"), (["--cors-origins", "https://a.example/"], "origin"),
    (["--session-retry-min", "6"], "retry-max"), (["--loops", "65"], "from 0 to 64"),
    (["--dev", "--listen", "0.0.0.0:0"], "this machine alone"),
])
def test_a_wrong_option_is_64_and_told(args, words):
    status, out, err = run(*args)
    assert status == 64 and words in err and not out, (status, out, err)


def test_the_environment_counts_less_than_the_command_line():
    status, _, err = run(env={"TAPECAST_SESSION_MAX": "none"})
    assert status == 64 and "TAPECAST_SESSION_MAX" in err
    environment = {"TAPECAST_EVENT_BYTES": "10", "TAPECAST_STREAM_MAX": "1",
                   "TAPECAST_LISTEN": "nonsense"}
    with Server("--event-bytes", "20", env=environment) as server:
        name = fresh()
        assert server.ask("POST", f"/v1/streams/{name}", "x" * 15).status == 201
        assert server.ask("POST", f"/v1/streams/{fresh()}", "x").status == 507


def test_a_port_that_cannot_be_had_is_69_and_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, _, err = run("--no-auth", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert status == 69 and "in use" in err
    status, _, err = run("--no-auth", "--listen", "192.0.2.1:0")
    assert status == 69 and "no such address" in err


def test_two_servers_share_a_port_only_on_purpose():
    with Server() as first:
        status, _, err = run("--dev", "--listen", f"127.0.0.1:{first.port}")
        assert status == 69 and "in use" in err
        with Server(dev=False, listen=(f"127.0.0.1:{first.port}",)) as second:  # a deploy
            assert second.port == first.port


def test_the_ready_line_names_every_address():
    with Server(listen=("127.0.0.1:0", "[::1]:0", "127.0.0.2:0"), dev=False) as server:
        assert re.fullmatch(r"tapecast is ready on http://127\.0\.0\.1:\d+ http://\[::1\]:\d+ "
                            r"http://127\.0\.0\.2:\d+\n", server.ready_line)
        name = fresh()
        server.publish(name, "x")
        for host, port in zip(("127.0.0.1", "::1", "127.0.0.2"), server.ports):
            for _ in range(8):  # each loop has a socket of its own
                with socket.create_connection((host, port), timeout=PATIENCE_S) as peer:
                    peer.sendall(f"HEAD /v1/streams/{name} HTTP/1.1\r\nHost: s\r\n\r\n".encode())
                    assert peer.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_in_development_it_says_what_to_try():
    with Server() as server:
        lines = [server.process.stdout.readline().decode() for _ in range(3)]
        assert "open" in lines[0] and server.urls[0] + "/" in lines[0]
        assert "curl -N " in lines[1] and "curl -d " in lines[2]
        listen = lines[1].split("listen", 1)[1].split()
        publish = lines[2].split("publish", 1)[1].strip()
        heard = subprocess.Popen(listen, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            assert heard.stdout.readline().startswith(b"event: tapecast.open")
            subprocess.run(publish, shell=True, check=True, timeout=PATIENCE_S,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while heard.stdout.readline() != b"data: hello, world\n":
                pass
        finally:
            heard.kill()
            heard.wait()
            heard.stdout.close()


def test_one_loop_or_several_serve_the_same_streams():
    for loops in ("1", "4"):
        with Server("--loops", loops) as server:
            name = fresh()
            listeners = [server.listen(f"/v1/streams/{name}") for _ in range(12)]
            for listener in listeners:
                assert listener.event().type == "tapecast.open"
            ids = [server.publish(name, str(i)) for i in range(20)]
            for listener in listeners:
                assert [e.id for e in listener.events(20)] == ids
                listener.close()


def test_systemd_is_told():
    with tempfile.TemporaryDirectory() as folder, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"{folder}/notify")
        systemd.settimeout(PATIENCE_S)
        with Server(env={"NOTIFY_SOCKET": f"{folder}/notify"}):
            assert systemd.recv(100) == b"READY=1"
        assert systemd.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_cleanly(signum):
    server = Server()
    assert server.stop(signum) == 0
    assert "event=stopped" in server.said()


def test_a_drain_lets_listeners_go_with_an_id_to_come_back_with():
    server = Server("--drain-window", "0.3")
    name = fresh()
    listeners = [server.listen(f"/v1/streams/{name}") for _ in range(10)]
    last = server.publish(name, "x")
    for listener in listeners:
        assert [e.type for e in listener.events(2)] == ["tapecast.open", "message"]
    begin = time.monotonic()
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    ends = []
    for listener in listeners:
        rest = listener.rest().decode()
        ends.append(time.monotonic() - begin)
        assert re.search(r"^retry: \d+$", rest, re.M), rest
        assert f"id: {last}" in rest or "id:" not in rest
        listener.close()
    stopping.join()
    assert server.process.returncode == 0
    assert 0.1 < max(ends) < 2, ends  # spread, and not beyond


def test_a_second_signal_ends_at_once():
    server = Server("--drain-window", "30")
    with server.listen(f"/v1/streams/{fresh()}") as listener:
        assert listener.event().type == "tapecast.open"
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        begin = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begin < 5


def test_while_it_drains_new_connections_find_nobody():
    server = Server("--drain-window", "2")
    held = [server.listen(f"/v1/streams/{fresh()}") for _ in range(10)]
    kept = server.connect()  # kept alive from before
    kept.sendall(b"GET /healthz/ready HTTP/1.1\r\nHost: s\r\n\r\n")
    assert b"200" in kept.recv(65536).split(b"\r\n")[0]
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    with pytest.raises(OSError):
        server.connect()
    kept.sendall(b"GET /healthz/ready HTTP/1.1\r\nHost: s\r\n\r\n")
    answer = kept.recv(65536)
    assert b"503" in answer.split(b"\r\n")[0] and b'"draining"' in answer
    kept.close()
    for listener in held:
        listener.close()
    assert server.stop() == 0


def test_its_log_is_lines_of_fields_and_never_of_the_clients():
    with Server("--log-level", "debug") as server:
        server.raw(b"GET /\x1b[31m HTTP/1.1\r\nHost: s\r\n\r\n")
        server.ask("GET", "/v1/streams/a?access_token=secret&x=1")
    assert "secret" not in server.said() and "\x1b" not in server.said()
    for line in server.errors:
        assert line.startswith("time=") or " event=" in line, line


def test_a_request_under_way_is_finished_first():
    server = Server("--drain-window", "2")
    name = fresh()
    with server.connect() as peer:
        peer.sendall(f"POST /v1/streams/{name} HTTP/1.1\r\nHost: s\r\nContent-Length: 10\r\n\r\n"
                     "first".encode())
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert server.process.poll() is None
        peer.sendall(b"-half")
        assert peer.recv(65536).startswith(b"HTTP/1.1 201 ")
    begin = time.monotonic()
    assert server.stop() == 0 and time.monotonic() - begin < 5
