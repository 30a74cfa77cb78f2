"""The JavaScript client: its size, and what it does in Node and in a browser."""
import contextlib
import functools
import http.server
import json
import os
import pathlib
import queue
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import pytest
from house import PATIENCE_S, Server, fresh

ROOT = pathlib.Path(os.environ.get("TAPECAST_SOURCE", pathlib.Path(__file__).parents[2]))
CLIENT = ROOT / "clients/js/tapecast.js"
MINIFIED_BYTES_MAX = 5120
NODE, CHROMIUM, ESBUILD = (shutil.which(name) for name in ("node", "chromium", "esbuild"))
needs_node = pytest.mark.skipif(not NODE, reason="node is not installed")


@pytest.mark.skipif(not ESBUILD, reason="esbuild is not installed")
def test_it_is_small():
    small = subprocess.run([ESBUILD, "--minify", "--format=esm", CLIENT], capture_output=True,
                           check=True, timeout=PATIENCE_S * 3).stdout
    assert len(small) < MINIFIED_BYTES_MAX


class Cutter:
    """A proxy that counts connections, and cuts those that listen after so many bytes."""

    def __init__(self, port, bytes_max=None):
        self.target, self.bytes_max, self.listening, self.opened = port, bytes_max, 0, 0
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.server.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        upstream = socket.create_connection(("127.0.0.1", self.target))
        with client, upstream, contextlib.suppress(OSError):
            head = client.recv(65536)
            upstream.sendall(head)
            listens = head.startswith(b"GET /v1/events")
            self.listening += listens
            self.opened += listens
            threading.Thread(target=self._pump, args=(client, upstream), daemon=True).start()
            self._pump(upstream, client, self.bytes_max if listens else None)
            self.listening -= listens
            client.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _pump(source, sink, bytes_max=None):
        with contextlib.suppress(OSError):
            while (piece := source.recv(bytes_max or 65536)):
                sink.sendall(piece)
                if bytes_max is not None:
                    bytes_max -= len(piece)
                    if bytes_max <= 0:
                        return

    def close(self):
        self.server.close()


def node(script, *args):
    """Runs a module that has Tapecast; gives the lines of JSON that it prints."""
    source = f'import {{ Tapecast }} from "{CLIENT.as_uri()}";\n' \
             "const say = what => console.log(JSON.stringify(what));\n" + script
    done = subprocess.run([NODE, "--input-type=module", "-e", source, "--", *args],
                          capture_output=True, timeout=PATIENCE_S * 3, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@needs_node
def test_every_event_comes_once_over_cut_connections():
    with Server("--session-retry-min", "0.01", "--session-retry-max", "0.05") as server:
        proxy, names = Cutter(server.port, bytes_max=2500), [fresh("js"), fresh("js")]

        def publish():
            for i in range(100):
                for name in names:
                    server.publish(name, f"{i}")
        publisher = threading.Thread(target=publish)
        publisher.start()
        said = node("""
            const [url, ...streams] = process.argv.slice(1);
            const source = new Tapecast(url, { streams, from: "start" });
            let left = 200;
            source.onmessage = event => {
                say([event.stream, event.data]);
                if (--left === 0)
                    source.close();
            };
            source.ongap = event => say(["gap", event.reason]);
            """, proxy.url, *names)
        publisher.join()
        proxy.close()
    for name in names:
        assert [data for stream, data in said if stream == name] == [str(i) for i in range(100)]
    assert len(said) == 200 and proxy.opened > 5


@needs_node
def test_types_ends_and_what_a_retry_cannot_mend(server, name):
    said = node("""
        const [url, stream] = process.argv.slice(1);
        const source = new Tapecast(url, { streams: stream, from: "start" });
        source.onopen = event => say(["open", event.recovered, source.readyState]);
        source.addEventListener("price", event => say([event.data, event.key, event.type]));
        const over = new Promise(done => source.onend = event => {
            say(["end", event.stream, event.end, source.readyState]);
            if (source.readyState === 2)
                done();
        });
        await source.publish(stream, "4.2", { type: "price", key: "eur" });
        await source.publish(stream, "", { end: "complete" });
        await over;
        const bad = new Tapecast(url, { streams: "a//b" });
        bad.onerror = event => say(["error", event.status, bad.readyState]);
        await new Tapecast(url).publish(stream, "late").catch(error => say(error.status));
        """, server.urls[0], name)
    late, bad = [409], ["error", 400, 2]
    assert said[:3] == [["open", False, 1], ["4.2", "eur", "price"], ["end", name, "complete", 1]]
    assert said[3] == ["end", None, None, 2]
    assert sorted(map(str, said[4:])) == sorted(map(str, late + [bad]))


class StandIn(http.server.BaseHTTPRequestHandler):
    """A server with tokens whose time is short, and answers that get lost."""
    protocol_version = "HTTP/1.0"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Retry-After", "0.01")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        token = self.headers.get("Authorization", "")
        self.server.asked.append((token, self.path.partition("&")[2]))
        if token == "Bearer token-1":
            self.answer(401, b'{"title":"late","status":401}')
        elif token == "Bearer token-2":
            self.answer(200, b'event: tapecast.open\ndata: {"session":"x"}\nid: at-1\n\n'
                             b'event: tapecast.auth\ndata: {"expires_in":30}\n\n')
            time.sleep(PATIENCE_S)
        else:
            heard = b'data: {"stream":"s","id":"p","data":"heard"}\nid: at-2\n\n'
            self.answer(200, 2 * heard + b'data: {"stream":"s","data":"last"}\n\n')

    def do_POST(self):
        self.server.keys.append(self.headers["Idempotency-Key"])
        count = len(self.server.keys)
        if count == 1:
            self.answer(503, b"{}")
        elif count > 2:
            self.answer(200, b'{"stream":"s","id":"1"}')
        self.close_connection = True # the second answer is lost


@needs_node
def test_tokens_are_asked_for_anew_and_lost_answers_make_no_second_event():
    stand_in = http.server.ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    stand_in.daemon_threads, stand_in.asked, stand_in.keys = True, [], []
    threading.Thread(target=stand_in.serve_forever, daemon=True).start()
    said = node("""
        let count = 0;
        const token = async () => "token-" + ++count;
        const url = process.argv[1];
        const source = new Tapecast(url, { streams: "s", token });
        await new Promise(done => source.onmessage = event => {
            say(event.data);
            if (event.data === "last")
                done();
        });
        source.close();
        say((await new Tapecast(url, { token }).publish("s", "x")).id);
        """, f"http://127.0.0.1:{stand_in.server_port}")
    stand_in.shutdown()
    assert said == ["heard", "last", "1"] # the same event again is not heard
    assert stand_in.asked == [("Bearer token-1", ""), ("Bearer token-2", ""),
                              ("Bearer token-3", "after=at-1")]
    assert len(stand_in.keys) == 3 and len(set(stand_in.keys)) == 1 and stand_in.keys[0]


TABS = """<script type="module">
import { Tapecast } from "/clients/js/tapecast.js";
const query = new URLSearchParams(location.search);
const source = new Tapecast(query.get("url"), { streams: query.get("stream"), shared: true });
source.onopen = () => parent.postMessage(["open", query.get("tab")], "*");
source.onmessage = event => parent.postMessage([event.data, query.get("tab")], "*");
</script>"""

PAGE = """<body><script type="module">
const tell = what => fetch("/told", { method: "POST", body: JSON.stringify(what) });
let chain = Promise.resolve();
onmessage = ({ data }) => chain = chain.then(() => tell(data));
const open = tab => {
    const frame = document.createElement("iframe");
    frame.src = "/tab" + location.search + "&tab=" + tab;
    document.body.append(frame);
    return frame;
};
const tabs = [0, 1, 2].map(open);
for (;;) {
    const wish = await (await fetch("/wish")).json();
    if (wish === "one more")
        tabs.push(open(tabs.length));
    else if (wish !== null)
        tabs[wish].remove();
}
</script>"""


class Pages(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/wish":
            with contextlib.suppress(queue.Empty):
                return self.give(self.server.wishes.get(timeout=0.2), "application/json")
            return self.give(b"null", "application/json")
        if path in ("/tab", "/"):
            return self.give((TABS if path == "/tab" else PAGE).encode(), "text/html")
        return super().do_GET()

    def do_POST(self):
        self.server.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.give(b"", "text/plain")

    def give(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def until(holds):
    end = time.monotonic() + PATIENCE_S * 3
    while not holds():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.02)


@contextlib.contextmanager
def browser(url):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        process = subprocess.Popen(
            [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-dev-shm-usage", f"--user-data-dir={home}", url],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


@pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")
def test_all_tabs_share_one_connection_and_another_takes_over(server, name):
    proxy = Cutter(server.port)
    pages = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                            functools.partial(Pages, directory=ROOT))
    pages.daemon_threads, pages.told, pages.wishes = True, [], queue.Queue()
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    with browser(f"http://127.0.0.1:{pages.server_port}/?url={proxy.url}&stream={name}"):
        until(lambda: {tab for what, tab in pages.told if what == "open"} == {"0", "1", "2"})
        assert proxy.listening == 1 and proxy.opened == 1
        for i in range(20):
            server.publish(name, f"a{i}")
        until(lambda: len([t for t in pages.told if t[0] == "a19"]) == 3)
        pages.wishes.put(b'"one more"')
        until(lambda: ["open", "3"] in pages.told)
        left = {"0", "1", "2", "3"}
        for letter, gone in zip("bc", "01"): # one of them has the connection
            left -= {gone}
            pages.wishes.put(gone.encode())
            time.sleep(0.5)
            for i in range(20):
                server.publish(name, f"{letter}{i}")
            until(lambda: {t for what, t in pages.told if what == f"{letter}19"} == left)
            assert proxy.listening == 1
    wanted = [f"{letter}{i}" for letter in "abc" for i in range(20)]
    for tab, (first, behind) in {"0": (0, 20), "1": (0, 40), "2": (0, 60), "3": (20, 60)}.items():
        assert [what for what, t in pages.told if t == tab and what != "open"] == \
            wanted[first:behind]
    pages.shutdown()
    proxy.close()
