"""The doctor sees what is wrong with a real Redis, and what it says mends it."""
import shutil
import subprocess

import pytest

from house import PATIENCE_S, TAPECAST
from test_redis import RIGHTS, Redis, free_port

pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server")


def doctor(*args):
    done = subprocess.run([TAPECAST, "doctor", *args], capture_output=True, text=True,
                          timeout=PATIENCE_S * 2)
    return done.returncode, done.stdout, done.stderr


def look(redis, *args):
    return doctor("--redis", f"unix:{redis.path}", *args)


def test_a_server_as_it_comes_is_criticised_and_each_line_mends(tmp_path):
    with Redis(tmp_path, "--appendonly", "no") as redis:
        status, said, _ = look(redis)
        assert status == 1
        assert "wrong   what was published since the last snapshot" in said
        assert "has no replica" in said and "its memory has no bound" in said
        assert "8388608" not in said and "cut off" in said
        assert said.rstrip().split("\n")[-1].startswith("1 wrong, ")
        for line in said.splitlines():
            if line.strip().startswith("mend: CONFIG SET"):
                words = line.split("mend: ")[1].replace(" (or what the machine has)", "")
                words = words.replace('"', "").split(" ", 3)
                assert redis.ask(*words) == b"+OK", words
        status, said, _ = look(redis)
        assert status == 0 and "no replica" in said
        assert said.rstrip().split("\n")[-1] == "0 wrong, 1 to think about", said


def test_eviction_is_wrong(tmp_path):
    with Redis(tmp_path, "--appendonly", "yes", "--maxmemory", "100mb", "--maxmemory-policy",
               "allkeys-lru") as redis:
        status, said, _ = look(redis)
        assert status == 1 and "wrong   maxmemory-policy allkeys-lru" in said
        assert "mend: CONFIG SET maxmemory-policy noeviction" in said


def test_a_replica_is_no_place_to_publish(tmp_path):
    port = free_port()
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with Redis(tmp_path / "a", "--bind", "127.0.0.1", "--port", str(port)), \
            Redis(tmp_path / "b", "--replicaof", "127.0.0.1", str(port)) as replica:
        status, said, _ = look(replica)
        assert status == 1 and f"it is a replica of 127.0.0.1 port {port}" in said


def test_a_user_with_few_rights_is_looked_at_as_far_as_may_be(tmp_path):
    (tmp_path / "acl").write_text("user default off\n" + RIGHTS + "\n")
    (tmp_path / "password").write_text("secret\n")
    port = free_port()
    with Redis(tmp_path, "--aclfile", str(tmp_path / "acl"), "--bind", "127.0.0.1", "--port",
               str(port)):
        where = f"redis://node@127.0.0.1:{port}"
        status, said, _ = doctor("--redis", where, "--redis-password-file",
                                 str(tmp_path / "password"))
        assert status == 0 and "its settings cannot be read" in said
        status, said, errors = doctor("--redis", where)
        assert status == 1 and "NOAUTH" in errors and not said


def test_who_is_not_there_is_told():
    status, said, errors = doctor("--redis", f"redis://127.0.0.1:{free_port()}")
    assert status == 69 and "Connection refused" in errors and not said
    status, said, errors = doctor("--redis", f"redis-sentinel://127.0.0.1:{free_port()}/main")
    assert status == 69 and "no sentinel knows main" in errors
    assert doctor()[0] == 64
    assert doctor("--redis", "http://x")[0] == 64
    assert doctor("--redis", "redis://x", "more")[0] == 64
