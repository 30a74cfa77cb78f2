"""A server that says what each test wants it to say, and the command that is run against it."""
import os
import re
import socket
import subprocess
import sys
import threading
import traceback

TAPECAST = os.environ.get("TAPECAST", "./tapecast")
PATIENCE_S = 20

SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
OPEN = b"event: tapecast.open\nretry: 20\ndata: {\"session\":\"s\",\"recovered\":true}\nid: 1.a-0-0\n\n"


def answer(status, body=b"", media="application/json", more=""):
    if isinstance(body, str):
        body = body.encode()
    return (f"HTTP/1.1 {status} X\r\nContent-Type: {media}\r\n{more}"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


class Peer:
    """One connection as the server sees it."""

    def __init__(self, sock, held=b""):
        self.sock = sock
        self.sock.settimeout(PATIENCE_S)
        self.held = held
        head = self.until(b"\r\n\r\n").decode()
        lines = head.split("\r\n")
        self.method, self.path, _ = lines[0].split(" ")
        self.headers = {k.lower(): v for k, v in (l.split(": ", 1) for l in lines[1:] if l)}

    def more(self):
        got = self.sock.recv(65536)
        if not got:
            raise EOFError
        self.held += got

    def until(self, mark):
        while mark not in self.held:
            self.more()
        part, self.held = self.held.split(mark, 1)
        return part + mark

    def exactly(self, count):
        while len(self.held) < count:
            self.more()
        part, self.held = self.held[:count], self.held[count:]
        return part

    def chunk(self):
        count = int(self.until(b"\r\n"), 16)
        data = self.exactly(count)
        assert self.exactly(2) == b"\r\n"
        return data

    def body(self):
        if self.headers.get("transfer-encoding") == "chunked":
            parts = []
            while True:
                parts.append(self.chunk())
                if not parts[-1]:
                    return b"".join(parts)
        return self.exactly(int(self.headers.get("content-length", 0)))

    def say(self, *parts):
        self.sock.sendall(b"".join(p.encode() if isinstance(p, str) else p for p in parts))

    def close(self):
        self.sock.close()


class Server:
    """Each connection is served by the next of the acts; a failed act fails the test."""

    def __init__(self, *acts):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE_S)
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.failure = None
        self.served = 0
        self.thread = threading.Thread(target=self.run, args=(acts,), daemon=True)
        self.thread.start()

    def run(self, acts):
        try:
            for act in acts:
                sock, _ = self.listener.accept()
                peer = Peer(sock)
                act(peer)
                self.served += 1
                peer.close()
        except BaseException as failure:
            self.failure = failure

    def done(self):
        self.thread.join(PATIENCE_S)
        self.listener.close()
        if self.failure:
            raise self.failure
        assert not self.thread.is_alive(), "an act was not reached"


def start(*args, url=None, env=None, **more):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TAPECAST_")}
    environment.update(env or {})
    if url:
        environment["TAPECAST_URL"] = url
    return subprocess.Popen([TAPECAST, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env=environment, **more)


def run(*args, stdin=b"", **more):
    process = start(*args, **more)
    try:
        out, err = process.communicate(stdin, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, out.decode(), err.decode()


def main(names):
    """Runs every test_ function, or those that match the argument; prints as cmocka does."""
    if not os.access(TAPECAST, os.X_OK):
        print(f"no {TAPECAST}: set TAPECAST to the command")
        sys.exit(77)
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    passed, failed = 0, []
    for name, test in list(names.items()):
        if not name.startswith("test_") or not re.search(wanted, name):
            continue
        try:
            test()
            passed += 1
            print(f"[       OK ] {name[5:]}", flush=True)
        except Exception:
            traceback.print_exc(file=sys.stdout)
            failed.append(name[5:])
            print(f"[  FAILED  ] {name[5:]}", flush=True)
    print(f"[==========] {passed + len(failed)} test(s) run.")
    print(f"[  PASSED  ] {passed} test(s).")
    if failed:
        print(f"[  FAILED  ] {len(failed)} test(s), listed below:")
        for name in failed:
            print(f"[  FAILED  ] {name}")
    sys.exit(1 if failed else 0)
