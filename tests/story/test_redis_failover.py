"""A primary, its replica and a sentinel: what is promoted, lost or cut off is never lost in silence."""
import shutil
import signal
import subprocess
import time

import pytest

from house import PATIENCE_S, Server, eventually
from test_redis import Reader, Redis, Writer, free_port, judge, settle, wait_ready

pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server")


class House:
    """Two servers, of which the first is the primary, and one sentinel."""

    def __init__(self, folder, *args):
        self.folder = folder
        self.servers, self.ports = [], []
        for number in range(2):
            where = folder / f"r{number}"
            where.mkdir()
            port = free_port()
            more = ["--replicaof", "127.0.0.1", str(self.ports[0])] if number else []
            self.ports.append(port)
            self.servers.append(Redis(where, "--bind", "127.0.0.1", "--port", str(port),
                                      "--repl-diskless-sync-delay", "0", *more, *args))
        self.primary, self.replica = self.servers
        eventually(self.replicates, "the replica has its primary")
        self.sentinel_port = free_port()
        conf = folder / "sentinel.conf"
        conf.write_text(f"port {self.sentinel_port}\nbind 127.0.0.1\ndir {folder}\n"
                        f"sentinel monitor main 127.0.0.1 {self.ports[0]} 1\n"
                        "sentinel down-after-milliseconds main 500\n"
                        "sentinel failover-timeout main 3000\n")
        self.sentinel = subprocess.Popen(["redis-server", str(conf), "--sentinel"],
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(lambda: "slaves=1" in self.cli("INFO", "sentinel"), "the sentinel knows both")

    def replicates(self):
        answer = subprocess.run(["redis-cli", "-p", str(self.ports[1]), "INFO", "replication"],
                                capture_output=True, text=True, timeout=PATIENCE_S)
        return "master_link_status:up" in answer.stdout

    def cli(self, *words):
        answer = subprocess.run(["redis-cli", "-p", str(self.sentinel_port), *words],
                                capture_output=True, text=True, timeout=PATIENCE_S)
        return answer.stdout

    def node(self, *args):
        # The first sentinel is not there: the next one is asked.
        where = f"redis-sentinel://127.0.0.1:1,127.0.0.1:{self.sentinel_port}/main"
        return Server("--redis", where, *args)

    def part(self):
        """From now on the replica gets nothing, and does not know."""
        self.replica.signal(signal.SIGSTOP)
        self.primary.ask("CLIENT", "KILL", "TYPE", "replica")

    def moved(self):
        return str(self.ports[1]) in self.cli("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sentinel.kill()
        self.sentinel.wait(PATIENCE_S)
        for server in self.servers:
            server.__exit__()


@pytest.fixture
def house(tmp_path):
    with House(tmp_path) as made:
        yield made


def kept(node, name):
    """What the history has now."""
    answer = node.page(name, "?from=start&limit=1000")
    assert answer.status == 200, answer
    return [event["data"] for event in answer.json["events"]]


def judge_history(what, writer, node, name, *readers):
    """All that is acknowledged stands in the history, or every listener was told of a gap; and
    behind the last gap nothing is missing."""
    history = kept(node, name)
    lost = [number for number in writer.acked if number not in set(history)]
    print(f"\n{what}: acknowledged {len(writer.acked)}, of which the history lacks {len(lost)}; "
          f"answers {dict(writer.statuses)}")
    silent = 0
    for reader in readers:
        if lost and not reader.gaps:
            silent += len([number for number in lost if number not in reader.shown])
        part = reader.shown[reader.gaps[-1][0]:] if reader.gaps else reader.shown
        silent += len([number for number in history if part and int(part[0]) <= int(number) <=
                       int(part[-1]) and number not in part])
    print(f"silently lost {silent}")
    assert silent == 0
    return lost


def test_the_primary_is_found_and_followed(house, name):
    with house.node() as a, house.node() as b:
        wait_ready(a, b)
        readers = [Reader(name, a), Reader(name, b)]
        writer = Writer(name, a, pause_s=0.005)
        time.sleep(0.5)
        house.primary.signal(signal.SIGKILL)
        began = time.monotonic()
        before = len(writer.acked)
        eventually(lambda: len(writer.acked) > before + 50, "publishes go on", 20)
        print(f"\npublishes go on {time.monotonic() - began:.1f} s after the primary was killed")
        settle(writer, *readers)
        judge("failover", writer, *readers, gaps=1)
        judge_history("failover", writer, b, name, *readers)
        assert [reader.opened for reader in readers] == [1, 1]


def test_a_lost_tail_is_told(house, name):
    with house.node() as a, house.node() as b:
        wait_ready(a, b)
        readers = [Reader(name, a), Reader(name, b)]
        writer = Writer(name, a, pause_s=0.002)
        time.sleep(0.3)
        house.part()
        before = len(writer.acked)
        eventually(lambda: len(writer.acked) > before + 50, "a tail grows")
        house.primary.signal(signal.SIGKILL)
        house.replica.signal(signal.SIGCONT)
        before = len(writer.acked)
        eventually(lambda: len(writer.acked) > before + 50, "publishes go on", 20)
        settle(writer, *readers)
        judge("lost tail", writer, *readers, gaps=3)
        lost = judge_history("lost tail", writer, b, name, *readers)
        assert len(lost) >= 50
        assert all(reader.gaps for reader in readers)
        assert {gap["reason"] for reader in readers for _, gap in reader.gaps} <= {
            "rewound", "epoch"}


def split(house, writer):
    """The replica is promoted while the old primary lives on and is written to."""
    before = len(writer.acked)
    assert "OK" in house.cli("SENTINEL", "FAILOVER", "main")
    eventually(house.moved, "the sentinel has promoted the replica", 20)
    before = len(writer.acked)
    eventually(lambda: len(writer.acked) > before + 100, "publishes go on", 20)


def test_a_split_brain_is_told(house, name):
    with house.node() as a, house.node() as b:
        wait_ready(a, b)
        readers = [Reader(name, a), Reader(name, b)]
        writer = Writer(name, a, pause_s=0.002)
        time.sleep(0.3)
        split(house, writer)
        settle(writer, *readers)
        judge("split brain", writer, *readers, gaps=3)
        judge_history("split brain", writer, b, name, *readers)


def test_what_a_replica_has_survives_a_split_brain(house, name):
    with house.node("--ack", "replica:1") as a, house.node("--ack", "replica:1") as b:
        wait_ready(a, b)
        readers = [Reader(name, a), Reader(name, b)]
        writer = Writer(name, a, pause_s=0.002)
        eventually(lambda: writer.acked, "the first publish is acknowledged", 20)
        writer_went_on = len(writer.acked)
        assert "OK" in house.cli("SENTINEL", "FAILOVER", "main")
        eventually(house.moved, "the sentinel has promoted the replica", 20)
        eventually(lambda: len(writer.acked) > writer_went_on + 100, "publishes go on", 30)
        settle(writer, *readers)
        judge("split brain, ack=replica:1", writer, *readers, gaps=3)
        lost = judge_history("split brain, ack=replica:1", writer, b, name, *readers)
        assert not lost


def test_stored_but_not_replicated_is_told_so(house, name):
    with house.node("--ack", "replica:1") as node:
        wait_ready(node)
        assert node.ask("POST", f"/v1/streams/{name}", "0").status == 201
        house.part()
        began = time.monotonic()
        answer = node.ask("POST", f"/v1/streams/{name}", "1", {"Idempotency-Key": "k"})
        assert answer.status == 202 and answer.json["replicated"] is False and answer.json["id"]
        assert time.monotonic() - began < 1
        assert kept(node, name) == ["0", "1"]
        house.replica.signal(signal.SIGCONT)
        eventually(house.replicates, "the replica is back")

        def again():
            same = node.ask("POST", f"/v1/streams/{name}", "1", {"Idempotency-Key": "k"})
            assert same.json["id"] == answer.json["id"]
            return same.status == 200
        eventually(again, "the same key waits again")
        assert kept(node, name) == ["0", "1"]


def test_a_primary_without_replicas_may_refuse(tmp_path, name):
    with House(tmp_path, "--min-replicas-to-write", "1", "--min-replicas-max-lag", "1") as house:
        with house.node() as node:
            wait_ready(node)
            node.publish(name, "0")
            house.replica.signal(signal.SIGKILL)
            began = time.monotonic()

            def refused():
                answer = node.ask("POST", f"/v1/streams/{name}", "1")
                return answer.status == 503 and "NOREPLICAS" in answer.json["detail"]
            eventually(refused, "publishes are refused", 15)
            assert time.monotonic() - began < 15
            assert node.ask("GET", "/healthz/live").status == 200


def test_levels_of_acknowledgement_are_checked():
    for args in (["--ack", "replica:1"], ["--redis", "unix:/x", "--ack", "replica:0"],
                 ["--redis", "unix:/x", "--ack", "some"],
                 ["--redis", "redis-sentinel://127.0.0.1"]):
        with pytest.raises(AssertionError, match="no ready line"):
            Server(*args)
