"""The way to Redis is slow, drips, or swallows everything; nodes die; publishers race and repeat."""
import collections
import os
import random
import select
import shutil
import signal
import socket
import threading
import time

import pytest

from house import PATIENCE_S, Server, eventually
from test_redis import Reader, Redis, Writer, judge, redis, settle, wait_ready  # noqa: F401

pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server")
LONG = os.environ.get("TAPECAST_LONG")


class Proxy:
    """Between a node and its Redis. `fault` says what becomes of bytes: None, "slow" (50 ms late),
    "drip" (one byte at a time), "hole" (nowhere, for ever: the connection stays open)."""

    def __init__(self, path):
        self.path, self.fault, self.victim = path, None, None
        self.gate = socket.create_server(("127.0.0.1", 0))
        self.port = self.gate.getsockname()[1]
        self.open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while self.open:
            try:
                near, _ = self.gate.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near):
        far = socket.socket(socket.AF_UNIX)
        kind, swallowed = "commands", False
        try:
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            far.connect(self.path)
            while True:
                ready, _, _ = select.select([near, far], [], [], 0.2)
                for source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    if b"SUBSCRIBE" in data:
                        kind = "subscription"
                    hit = self.victim in (None, kind)
                    swallowed |= hit and self.fault == "hole"
                    if not swallowed:
                        self._pass(data, far if source is near else near, hit)
        except OSError:
            pass
        finally:
            near.close()
            far.close()

    def _pass(self, data, to, hit):
        if hit and self.fault == "slow":
            time.sleep(0.05)
        if hit and self.fault == "drip":
            for at in range(len(data)):
                to.sendall(data[at:at + 1])
        else:
            to.sendall(data)

    def node(self, *args):
        return Server("--redis", f"redis://127.0.0.1:{self.port}", *args)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.open = False
        self.gate.close()


def through(redis, name, fault, victim=None, seconds=2.0, gaps=0):
    """A node behind the proxy publishes and listens, another one goes straight; then the fault."""
    with Proxy(redis.path) as proxy, proxy.node() as a, redis.node() as b:
        wait_ready(a, b)
        readers = [Reader(name, a), Reader(name, b)]
        beyond = Reader(name + "/far", a)
        near, far = Writer(name, a, pause_s=0.005), Writer(name + "/far", b, pause_s=0.005)
        time.sleep(0.5)
        proxy.victim, proxy.fault = victim, fault
        time.sleep(seconds)
        proxy.fault = None
        healed = time.monotonic()
        before = len(near.acked)
        eventually(lambda: len(near.acked) > before + 20, "publishes go on", 20)
        eventually(lambda: a.ask("GET", "/healthz/ready").status == 200, "ready again", 8)
        settle(near, *readers)
        settle(far, beyond)
        print(f"\nhealed {time.monotonic() - healed:.1f} s after the fault was over")
        what = f"{fault} {victim or 'both'}"
        judge(what, near, *readers, gaps=gaps)
        judge(what + ", from beyond", far, beyond, gaps=gaps)
        assert near.slowest_s < 2.5 and far.slowest_s < 1
        assert {reader.opened for reader in readers + [beyond]} == {1}


@pytest.mark.parametrize("fault", ["slow", "drip"])
def test_a_slow_way_loses_nothing(redis, name, fault):  # noqa: F811
    through(redis, name, fault)


@pytest.mark.parametrize("victim", ["commands", "subscription", None])
def test_a_way_that_swallows_all_is_left(redis, name, victim):  # noqa: F811
    through(redis, name, "hole", victim, seconds=6.0)


def test_racing_publishers_repeat_themselves_and_nothing_stands_twice(redis, name):  # noqa: F811
    with redis.node() as a, redis.node() as b:
        wait_ready(a, b)
        reader = Reader(name, b)
        answers, failures = collections.defaultdict(set), []

        def publish(who):
            dice = random.Random(who)
            for number in range(60):
                key = f"{number}"  # the same keys for all: they race
                for _ in range(dice.randint(1, 3)):
                    node = dice.choice((a, b))
                    told = node.ask("POST", f"/v1/streams/{name}", key, {"Idempotency-Key": key})
                    if told.status not in (200, 201):
                        failures.append(told)
                    else:
                        answers[key].add(told.json["id"])
        threads = [threading.Thread(target=publish, args=(who,)) for who in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            time.sleep(0.1)
            redis.ask("CLIENT", "KILL", "TYPE", "normal")
        for thread in threads:
            thread.join(PATIENCE_S * 3)
        eventually(lambda: len(reader.shown) >= 60, "all arrive")
        reader.stop()
        seen = collections.Counter(reader.shown)
        print(f"\n60 keys, 4 publishers, 2 nodes: twice {sum(n > 1 for n in seen.values())}, "
              f"keys with two ids {sum(len(ids) > 1 for ids in answers.values())}, "
              f"refused {len(failures)}")
        assert len(seen) == 60 and max(seen.values()) == 1 and not reader.gaps
        assert all(len(ids) == 1 for ids in answers.values()) and not failures


def test_nodes_are_killed_under_load_and_nothing_acknowledged_is_lost(redis, name):  # noqa: F811
    kills = 50 if LONG else 5
    with redis.node() as stays:
        wait_ready(stays)
        mortal = redis.node()
        readers = [Reader(name, stays)]
        writer = Writer(name, stays, pause_s=0.001)
        acked = []
        for _ in range(kills):
            wait_ready(mortal)
            other = Writer(name, mortal, pause_s=0.001)
            time.sleep(0.3)
            mortal.process.send_signal(signal.SIGKILL)
            other.done.set()
            other.join(PATIENCE_S)
            mortal.process.wait(PATIENCE_S)
            mortal.process.stdout.close()
            acked.append(len(other.acked))
            mortal = redis.node()
        settle(writer, *readers)
        mortal.stop()
        counts = collections.Counter(readers[0].shown)
        lost = [number for number in writer.acked if not counts[number]]
        # Numbers of the writers overlap: what was acknowledged in all must have been shown.
        missing = sum(acked) + len(writer.acked) - len(readers[0].shown)
        print(f"\n{kills} kills: acknowledged {sum(acked)} by the killed and {len(writer.acked)} "
              f"by the other, shown {len(readers[0].shown)}, lost {len(lost)}")
        assert not lost and missing <= 0 and not readers[0].gaps
