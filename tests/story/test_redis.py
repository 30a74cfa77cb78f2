"""Nodes that share a Redis: what is published on one is heard on all, whatever happens in between.

Every story keeps the history of each listener and judges it: nothing lost in silence, nothing twice,
nothing out of order, no gap without a loss. Figures are printed (pytest -s)."""
import collections
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from house import PATIENCE_S, Server, eventually

pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server")


class Redis:
    """A real server of the story's own, on a Unix socket."""

    def __init__(self, folder, *args):
        self.folder = str(folder)
        self.path = os.path.join(self.folder, "s")
        self.args = args
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--dir", self.folder,
             "--save", "", *self.args], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(self._answers, "redis-server answers")

    def _answers(self):
        try:
            return self.ask("PING") in (b"+PONG", b"-NOAUTH Authentication required.")
        except OSError:
            return False

    def ask(self, *words):
        """The first line of the answer."""
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(PATIENCE_S)
            peer.connect(self.path)
            data = b"*%d\r\n" % len(words)
            for word in words:
                word = word.encode()
                data += b"$%d\r\n%s\r\n" % (len(word), word)
            peer.sendall(data)
            answer = b""
            while b"\r\n" not in answer:
                more = peer.recv(65536)
                if not more:
                    raise ConnectionError("closed")
                answer += more
            return answer.split(b"\r\n")[0]

    def signal(self, signum):
        self.process.send_signal(signum)
        if signum == signal.SIGKILL:
            self.process.wait(PATIENCE_S)

    def node(self, *args):
        return Server("--redis", f"unix:{self.path}", *args)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait(PATIENCE_S)


@pytest.fixture
def redis(tmp_path):
    with Redis(tmp_path) as running:
        yield running


@pytest.fixture
def pair(redis):
    with redis.node() as a, redis.node() as b:
        wait_ready(a, b)
        yield a, b


def wait_ready(*nodes):
    for node in nodes:
        eventually(lambda node=node: node.ask("GET", "/healthz/ready").status == 200, "ready")


def news(stream, count):
    """Events but the greeting."""
    got = []
    while len(got) < count:
        event = stream.event()
        if event.type != "tapecast.open":
            got.append(event)
    return got


class Reader(threading.Thread):
    """Listens, resumes by Last-Event-ID when it is cut, and writes down what it is shown."""

    def __init__(self, name, *nodes):
        super().__init__(daemon=True)
        self.name_, self.nodes, self.turn = name, list(nodes), 0
        self.shown, self.gaps, self.opened = [], [], 0
        self.last, self.done = None, threading.Event()
        self.start()
        eventually(lambda: self.opened, "the stream opens")

    def run(self):
        while not self.done.is_set():
            node = self.nodes[self.turn % len(self.nodes)]
            try:
                self._listen(node)
            except (OSError, EOFError, ValueError, IndexError):
                self.turn += 1
                time.sleep(0.05)

    def _listen(self, node):
        headers = {"Last-Event-ID": self.last} if self.last else {}
        with node.listen(f"/v1/streams/{self.name_}", "text/event-stream", **headers) as stream:
            if stream.status != 200:
                raise EOFError
            self.opened += 1
            stream.socket.settimeout(0.5)
            while not self.done.is_set():
                try:
                    event = stream.event()
                except TimeoutError:
                    continue
                if event.type == "tapecast.gap":
                    self.gaps.append((len(self.shown), event.json))
                elif not event.type.startswith("tapecast."):
                    self.shown.append(event.data)
                if event.id:
                    self.last = event.id

    def stop(self):
        self.done.set()
        self.join(PATIENCE_S)


class Writer(threading.Thread):
    """Publishes numbers, one after the other; remembers what came of each."""

    def __init__(self, name, node, count=10**9, pause_s=0.002):
        super().__init__(daemon=True)
        self.name_, self.node, self.count, self.pause_s = name, node, count, pause_s
        self.acked, self.refused, self.unknown = [], [], []
        self.statuses, self.slowest_s = collections.Counter(), 0
        self.done = threading.Event()
        self.start()

    def run(self):
        for number in range(self.count):
            if self.done.is_set():
                return
            began = time.monotonic()
            try:
                status = self.node.ask("POST", f"/v1/streams/{self.name_}", str(number)).status
            except OSError:
                status = 0
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            self.statuses[status] += 1
            where = (self.acked if status in (200, 201) else
                     self.refused if status == 503 else self.unknown)
            where.append(str(number))
            time.sleep(self.pause_s)

    def stop(self):
        self.done.set()
        self.join(PATIENCE_S)


def judge(what, writer, *readers, gaps=0):
    """The history: each acknowledged event shown once, in order, or behind a gap that tells."""
    figures = collections.Counter()
    for reader in readers:
        told = len(reader.gaps)
        seen = collections.Counter(reader.shown)
        figures["lost"] += 0 if told else sum(not seen[number] for number in writer.acked)
        figures["refused_but_shown"] += sum(seen[number] > 0 for number in writer.refused)
        parts = [at for at, _ in reader.gaps] + [len(reader.shown)]
        begin = 0
        for end in parts:
            part = [int(number) for number in reader.shown[begin:end]]
            figures["twice"] += len(part) - len(set(part))
            figures["out_of_order"] += sum(b < a for a, b in zip(part, part[1:]))
            begin = end
        figures["false_gaps"] += max(0, told - gaps)
    print(f"\n{what}: acked {len(writer.acked)}, refused {len(writer.refused)}, unknown "
          f"{len(writer.unknown)}, shown {[len(r.shown) for r in readers]}, gaps "
          f"{[len(r.gaps) for r in readers]}, slowest publish {writer.slowest_s:.2f} s; "
          f"silently lost {figures['lost']}, twice {figures['twice']}, out of order "
          f"{figures['out_of_order']}, false gaps {figures['false_gaps']}")
    assert not any(figures.values()), figures


def settle(writer, *readers):
    """Until every listener has what was acknowledged last."""
    writer.stop()
    last = writer.acked[-1]
    for reader in readers:
        eventually(lambda reader=reader: last in reader.shown[-50:], "the last event arrives", 15)
        reader.stop()


def test_what_is_published_on_one_node_is_heard_on_the_other(pair, name):
    a, b = pair
    readers = [Reader(name, a), Reader(name, b)]
    writer = Writer(name, a, count=300, pause_s=0)
    writer.join(30)
    settle(writer, *readers)
    assert readers[1].shown == [str(number) for number in range(300)]
    judge("two nodes", writer, *readers)


def test_a_listener_resumes_on_the_other_node(pair, name):
    a, b = pair
    ids = [a.publish(name, str(number)) for number in range(10)]
    with b.listen(f"/v1/streams/{name}", "text/event-stream", Last_Event_ID=ids[3]) as stream:
        assert [event.data for event in news(stream, 6)] == [str(n) for n in range(4, 10)]
    assert [e["data"] for e in b.page(name, "?from=start").json["events"]] == [str(n) for n in range(10)]


def test_keys_conditions_and_ends_hold_across_nodes(pair, name):
    a, b = pair
    first = a.publish(name, "x", Idempotency_Key="k")
    again = b.ask("POST", f"/v1/streams/{name}", "x", {"Idempotency-Key": "k"})
    assert again.status == 200 and again.json["id"] == first
    assert b.ask("POST", f"/v1/streams/{name}", "y", {"Idempotency-Key": "k"}).status == 422
    assert a.ask("DELETE", f"/v1/streams/{name}").status in (200, 204)
    assert b.ask("POST", f"/v1/streams/{name}", "y").status == 409


def test_redis_is_killed_and_comes_back(tmp_path, name):
    with Redis(tmp_path, "--appendonly", "yes", "--appendfsync", "everysec") as redis, \
            redis.node() as a, redis.node() as b:
        wait_ready(a, b)
        readers = [Reader(name, a), Reader(name, b)]
        writer = Writer(name, a)
        time.sleep(1.5)
        redis.signal(signal.SIGKILL)
        eventually(lambda: writer.refused, "publishes are refused")
        assert b.ask("GET", "/healthz/live").status == 200
        eventually(lambda: b.ask("GET", "/healthz/ready").status == 503, "not ready", 5)
        redis.start()
        before = len(writer.acked)
        eventually(lambda: len(writer.acked) > before + 100, "publishes go on", 15)
        settle(writer, *readers)
        assert [reader.opened for reader in readers] == [1, 1]
        assert writer.slowest_s < 2.5
        judge("killed and restarted", writer, *readers, gaps=1)


def test_redis_stands_still(redis, name):
    with redis.node() as a, redis.node() as b:
        wait_ready(a, b)
        readers = [Reader(name, a), Reader(name, b)]
        writer = Writer(name, a)
        time.sleep(0.5)
        redis.signal(signal.SIGSTOP)
        began = time.monotonic()
        eventually(lambda: a.ask("GET", "/healthz/ready").status == 503, "not ready", 5)
        red_s = time.monotonic() - began
        time.sleep(1)
        redis.signal(signal.SIGCONT)
        before = len(writer.acked)
        eventually(lambda: len(writer.acked) > before + 100, "publishes go on", 15)
        settle(writer, *readers)
        assert [reader.opened for reader in readers] == [1, 1]
        print(f"\nnot ready {red_s:.2f} s after it stood still")
        judge("stood still", writer, *readers)


def test_what_was_sent_again_stands_in_the_history_once(redis, name):
    with redis.node() as a, redis.node() as b:
        wait_ready(a, b)
        readers = [Reader(name, a), Reader(name, b)]
        writer = Writer(name, a, pause_s=0)
        for _ in range(5):
            time.sleep(0.3)
            redis.signal(signal.SIGSTOP)
            # The node has given the connection up, and Redis will still read what was sent.
            time.sleep(0.85)
            redis.signal(signal.SIGCONT)
        time.sleep(0.3)
        settle(writer, *readers)
        judge("stood still for a moment, 5 times", writer, *readers)


def test_subscriptions_are_killed_under_load(pair, redis, name):
    a, b = pair
    readers = [Reader(name, a), Reader(name, b)]
    writer = Writer(name, a, pause_s=0.001)
    for _ in range(5):
        time.sleep(0.4)
        assert redis.ask("CLIENT", "KILL", "TYPE", "pubsub").startswith(b":")
    settle(writer, *readers)
    judge("subscriptions killed 5 times", writer, *readers)


def test_commands_are_killed_under_load(pair, redis, name):
    a, b = pair
    readers = [Reader(name, a), Reader(name, b)]
    writer = Writer(name, a, pause_s=0)
    for _ in range(10):
        time.sleep(0.2)
        assert redis.ask("CLIENT", "KILL", "TYPE", "normal").startswith(b":")
    settle(writer, *readers)
    judge("commands killed 10 times", writer, *readers)
    assert not writer.refused and not writer.unknown


def test_scripts_are_flushed_under_load(pair, redis, name):
    a, b = pair
    readers = [Reader(name, a), Reader(name, b)]
    writer = Writer(name, a, pause_s=0)
    for _ in range(5):
        time.sleep(0.1)
        assert redis.ask("SCRIPT", "FLUSH") == b"+OK"
    settle(writer, *readers)
    judge("scripts flushed 5 times", writer, *readers)
    assert not writer.refused and not writer.unknown


def test_everything_is_flushed_and_listeners_are_told(pair, redis, name):
    a, b = pair
    for number in range(5):
        a.publish(name, str(number))
    with b.listen(f"/v1/streams/{name}?from=start", "text/event-stream") as stream:
        got = news(stream, 5)
        assert [event.data for event in got] == [str(number) for number in range(5)]
        assert redis.ask("FLUSHALL") == b"+OK"
        a.publish(name, "after")
        gap = news(stream, 1)[0]
        assert gap.type == "tapecast.gap" and gap.json["reason"] == "epoch", gap
        assert news(stream, 1)[0].data == "after"


def test_a_lost_tail_is_told_also_to_who_had_not_seen_it(redis, name):
    with redis.node() as a, redis.node() as b:
        wait_ready(a, b)
        ids = [a.publish(name, str(number)) for number in range(10)]
        with b.listen(f"/v1/streams/{name}?from=start", "text/event-stream") as stream:
            news(stream, 10)
            assert redis.ask("SAVE") == b"+OK"
            for number in range(10, 15):
                a.publish(name, str(number))
            news(stream, 5)
            redis.signal(signal.SIGKILL)
            redis.start()
            wait_ready(a, b)
            gap = news(stream, 1)[0]
            assert gap.type == "tapecast.gap", gap
            # By then the history may have grown beyond what was lost.
            for number in range(20, 30):
                b.publish(name, str(number))
            with b.listen(f"/v1/streams/{name}", "text/event-stream",
                          Last_Event_ID=ids[9]) as late:  # b has the tail in memory
                first = news(late, 1)[0]
                if first.type != "tapecast.gap":
                    tail = [first] + news(late, 4)
                    assert [event.data for event in tail] == [str(n) for n in range(10, 15)]
                    first = news(late, 1)[0]
                # If b read the shortened history before a had fenced it, the id stands in that
                # one as well, where nothing but the fence follows. Either way it is told.
                assert first.type == "tapecast.gap", first
                assert first.json["reason"] in ("epoch", "rewound"), first
            with redis.node() as c, c.listen(f"/v1/streams/{name}", "text/event-stream",
                                             Last_Event_ID=ids[9]) as late:
                gap = news(late, 1)[0]
                assert gap.type == "tapecast.gap" and gap.json["reason"] == "epoch", gap


def test_a_node_is_killed_and_its_listeners_resume_on_the_other(redis, name):
    with redis.node() as b:
        a = redis.node()
        wait_ready(a, b)
        readers = [Reader(name, a, b), Reader(name, a, b), Reader(name, b)]
        writer = Writer(name, b, pause_s=0.001)
        time.sleep(1)
        a.process.kill()
        a.process.wait(PATIENCE_S)
        time.sleep(1)
        settle(writer, *readers)
        a.process.stdout.close()
        assert readers[0].opened == 2
        judge("a node killed", writer, *readers)


RIGHTS = ("user node on >secret -@all ~tc1:* &tc1:* +auth +select +info +script|load +eval "
          "+evalsha +multi +exec +hmget +hset +hget +hlen +llen +lindex +lrange +rpush +lpop "
          "+ltrim +del +pexpire +publish +subscribe +unsubscribe +wait +time +hgetall +hexists +hdel "
          "+zadd +zrem +zrangebyscore +pttl")


def test_the_least_rights_are_enough(tmp_path, name):
    (tmp_path / "acl").write_text("user default off\n" + RIGHTS + "\n")
    (tmp_path / "password").write_text("secret\n")
    port = free_port()
    with Redis(tmp_path, "--aclfile", str(tmp_path / "acl"), "--bind", "127.0.0.1", "--port",
               str(port)) as redis, \
            Server("--redis", f"redis://node@127.0.0.1:{port}", "--redis-password-file",
                   str(tmp_path / "password")) as node:
        wait_ready(node)
        reader = Reader(name, node)
        first = node.publish(name, "0", Idempotency_Key="k")
        assert node.publish(name, "0", Idempotency_Key="k") == first
        assert node.ask("POST", f"/v1/streams/{name}?ephemeral=1", "1").status == 202
        eventually(lambda: reader.shown == ["0", "1"], "both arrive")
        reader.stop()
        assert node.ask("DELETE", f"/v1/streams/{name}").status in (200, 204)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_node_starts_without_its_redis(tmp_path, name):
    with Server("--redis", f"unix:{tmp_path}/s") as node:
        assert node.ask("GET", "/healthz/ready").status == 503
        began = time.monotonic()
        assert node.ask("POST", f"/v1/streams/{name}", "x").status == 503
        assert time.monotonic() - began < 1.5
        with Redis(tmp_path):
            wait_ready(node)
            node.publish(name, "x")


def test_options_are_refused_that_cannot_be(tmp_path):
    for args in (["--redis", "http://x"], ["--redis-prefix", "x"],
                 ["--redis", "redis://u:secret@x"],
                 ["--redis", f"unix:{tmp_path}/s", "--redis-password-file", f"{tmp_path}/none"]):
        with pytest.raises(AssertionError, match="no ready line"):
            Server(*args)
