"""A running server, and clients that read every byte. Nothing here waits without a bound."""
import contextlib
import http.client
import itertools
import json
import os
import re
import resource
import signal
import socket
import subprocess
import threading
import time

TAPECAST = os.environ.get("TAPECAST", "./tapecast")
PATIENCE_S = float(os.environ.get("TAPECAST_PATIENCE", "10"))
_names = itertools.count(1)


def fresh(prefix="story"):
    """A stream nobody else has."""
    return f"{prefix}/{os.getpid()}-{next(_names)}"


class Server:
    def __init__(self, *args, dev=True, listen=("127.0.0.1:0",), env=None, descriptors=None):
        command = [TAPECAST, "serve"] + (["--dev"] if dev else [])
        if not dev and not any(word.startswith(("--jwt-key", "--api-key")) for word in args):
            command.append("--no-auth")
        for address in listen:
            command += ["--listen", address]
        limit = None
        if descriptors:
            def limit():
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
        self.process = subprocess.Popen(
            command + list(args), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})}, preexec_fn=limit)
        self.errors = []
        self.reader = threading.Thread(target=self._read_errors, daemon=True)
        self.reader.start()
        self.ready_line = self._first_line()
        self.urls = re.findall(r"http://\S+", self.ready_line)
        self.ports = [int(url.rsplit(":", 1)[1]) for url in self.urls]
        self.port = self.ports[0]

    def _first_line(self):
        timer = threading.Timer(PATIENCE_S, self.process.kill)
        timer.start()
        line = self.process.stdout.readline().decode()
        timer.cancel()
        if "ready" not in line:
            self.process.wait(PATIENCE_S)
            self.reader.join(PATIENCE_S)
            raise AssertionError(f"no ready line, but {line!r}; {self.said()}")
        return line

    def _read_errors(self):
        for line in self.process.stderr:
            self.errors.append(line.decode(errors="replace"))

    def said(self):
        return "".join(self.errors)

    def stop(self, signum=signal.SIGTERM, wait_s=PATIENCE_S):
        if self.process.poll() is None:
            self.process.send_signal(signum)
        try:
            status = self.process.wait(wait_s)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()
        self.reader.join(PATIENCE_S)
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        status = self.stop()
        assert status == 0, (status, self.said())

    # --- clients ---

    def ask(self, method, path, body=None, headers=None):
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def publish(self, name, data, query="", **headers):
        answer = self.ask("POST", f"/v1/streams/{name}{query}", data,
                          {key.replace("_", "-"): value for key, value in headers.items()})
        assert answer.status in (200, 201), answer
        return answer.json["id"]

    def page(self, name, query="", headers=None):
        return self.ask("GET", f"/v1/streams/{name}{query}", None,
                        {"Accept": "application/json", **(headers or {})})

    def connect(self, port=None):
        return socket.create_connection(("127.0.0.1", port or self.port), timeout=PATIENCE_S)

    def raw(self, data, half_close=False):
        """Sends bytes and reads until the server closes; "" if it says nothing."""
        with self.connect() as peer:
            peer.sendall(data)
            if half_close:
                with contextlib.suppress(OSError):  # the server may be done already
                    peer.shutdown(socket.SHUT_WR)
            return read_all(peer)

    def listen(self, path, accept=None, **headers):
        return Listener(self, path, accept, headers)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {key.lower(): value for key, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def problem(self):
        assert self.headers["content-type"] == "application/problem+json", self
        told = self.json
        assert told["status"] == self.status and told["title"] and told["detail"], told
        assert told["type"] == "urn:tapecast:problem:" + told["code"], told
        return told

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:400]!r}>"


def read_all(peer):
    data = b""
    while True:
        try:
            more = peer.recv(65536)
        except ConnectionResetError:
            return data
        if not more:
            return data
        data += more


class Listener:
    """An open stream, byte for byte."""

    def __init__(self, server, path, accept=None, headers=None):
        self.socket = server.connect()
        lines = [f"GET {path} HTTP/1.1", "Host: story"]
        if accept:
            lines.append(f"Accept: {accept}")
        for key, value in (headers or {}).items():
            lines.append(f"{key.replace('_', '-')}: {value}")
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.wire = b""  # received, and not yet out of its chunks
        self.data = b""  # of the body
        self.chunked = False
        self.finished = False  # the last chunk was here
        head = self._head()
        status, *fields = head.decode().split("\r\n")
        self.status = int(status.split()[1])
        self.status_line = status
        self.headers = {}
        for field in fields:
            if field:
                key, _, value = field.partition(": ")
                self.headers[key.lower()] = value
        self.chunked = self.headers.get("transfer-encoding") == "chunked"
        self._unwrap()

    def _head(self):
        while b"\r\n\r\n" not in self.wire:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError(f"no head, but {self.wire!r}")
            self.wire += more
        head, self.wire = self.wire.split(b"\r\n\r\n", 1)
        return head + b"\r\n\r\n"

    def _more(self):
        try:
            more = self.socket.recv(65536)
        except ConnectionResetError:
            more = b""
        self.wire += more
        self._unwrap()
        return bool(more)

    def _unwrap(self):
        """Takes what is whole out of its chunks."""
        if not self.chunked:
            self.data, self.wire = self.data + self.wire, b""
            return
        while b"\r\n" in self.wire:
            size, rest = self.wire.split(b"\r\n", 1)
            size = int(size, 16)
            if len(rest) < size + 2:
                return
            assert rest[size:size + 2] == b"\r\n", rest[:size + 10]
            assert not self.finished
            self.finished = size == 0
            self.data, self.wire = self.data + rest[:size], rest[size + 2:]

    def until(self, mark):
        """The bytes up to and with mark."""
        while mark not in self.data:
            if not self._more():
                raise EOFError(f"ended, left was {self.data!r}")
        at = self.data.index(mark) + len(mark)
        taken, self.data = self.data[:at], self.data[at:]
        return taken

    def block(self):
        """The next block that is not a comment, as it came."""
        while True:
            text = self.until(b"\n")
            if not text.startswith(b":"):
                break
        while not text.endswith(b"\n\n"):
            text += self.until(b"\n")
        return text

    def event(self):
        return Event(self.block())

    def events(self, count):
        return [self.event() for _ in range(count)]

    def line(self):
        return json.loads(self.until(b"\n"))

    def rest(self):
        while self._more():
            pass
        taken, self.data = self.data, b""
        return taken

    def quiet(self, seconds):
        """Nothing but heartbeats comes for so long."""
        self.socket.settimeout(seconds)
        try:
            while self._more():
                assert re.fullmatch(rb"(:\n)*", self.data), self.data
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(PATIENCE_S)
        return False

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Event:
    """A block, by the rules of the WHATWG."""

    def __init__(self, block):
        self.block = block
        self.type, self.data, self.id, self.retry = "message", None, None, None
        for line in block.decode().split("\n"):
            field, _, value = line.partition(":")
            value = value[1:] if value.startswith(" ") else value
            if field == "event":
                self.type = value
            elif field == "data":
                self.data = value if self.data is None else self.data + "\n" + value
            elif field == "id":
                self.id = value
            elif field == "retry":
                self.retry = int(value)

    @property
    def json(self):
        return json.loads(self.data)

    def __repr__(self):
        return f"<{self.block!r}>"


def eventually(condition, what, seconds=PATIENCE_S):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not in {seconds} s: {what}"
        time.sleep(0.01)
