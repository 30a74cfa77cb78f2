#!/usr/bin/env python3
"""Is the program that was built hardened? The checks first look at one that is not."""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from report import Report

SKIP = 77
TAPECAST = os.environ.get("TAPECAST", "")
CC = shlex.split(os.environ.get("TAPECAST_CC") or "cc")[0]
SOFT_FLAGS = ["-O0", "-no-pie", "-fno-stack-protector", "-Wl,-z,norelro", "-Wl,-z,lazy",
              "-Wl,-z,execstack", "-Wl,-rpath,/tmp"]


def readelf(*words):
    return subprocess.run(["readelf", "-W", *words], capture_output=True, text=True, check=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout


def is_position_independent(path):
    return "DYN (Position-Independent Executable" in readelf("-h", path) and \
        "INTERP" in readelf("-l", path)


def has_relocations_read_only(path):
    return "GNU_RELRO" in readelf("-l", path)


def is_bound_at_start(path):
    return re.search(r"BIND_NOW|FLAGS.*\bNOW\b", readelf("-d", path)) is not None


def has_no_executable_stack(path):
    flags = re.search(r"GNU_STACK(?: +0x[0-9a-f]+)+ +([RWE]+) +0x", readelf("-l", path))
    return flags is not None and "E" not in flags.group(1)


def has_stack_protector(path):
    return "__stack_chk_fail" in readelf("--dyn-syms", path)


def has_fortified_calls(path):
    return re.search(r"__\w+_chk\b(?<!__stack_chk)", readelf("--dyn-syms", path)) is not None


def has_no_library_path(path):
    return re.search(r"R(UN)?PATH", readelf("-d", path)) is None


CHECKS = (is_position_independent, has_relocations_read_only, is_bound_at_start,
          has_no_executable_stack, has_stack_protector, has_fortified_calls, has_no_library_path)

if not shutil.which("readelf"):
    print("skipped: there is no readelf (binutils)")
    sys.exit(SKIP)
if os.environ.get("TAPECAST_SANITIZE", "").strip():
    print("skipped: a build with sanitizers is not what is shipped")
    sys.exit(SKIP)
if not os.path.exists(TAPECAST):
    print("skipped: TAPECAST names no program")
    sys.exit(SKIP)

report = Report("tidy: binary")
with tempfile.TemporaryDirectory() as folder:
    soft = os.path.join(folder, "soft")
    subprocess.run([CC, *SOFT_FLAGS, "-x", "c", "-", "-o", soft], text=True, check=True,
                   input="int main(void) { return 0; }\n", stderr=subprocess.DEVNULL)
    for check in CHECKS:
        report.check(f"{check.__name__}: is not said of a soft program",
                     ["it was said"] if check(soft) else [])
for check in CHECKS:
    report.check(check.__name__, [] if check(TAPECAST) else [f"not so: {TAPECAST}"])
report.finish()
