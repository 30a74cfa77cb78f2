#!/usr/bin/env python3
"""Does every header compile alone, whatever was included before it?"""
import os
import shlex
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from report import Report

ROOT = os.environ.get("TAPECAST_SOURCE") or os.path.abspath(
    os.path.join(os.path.dirname(__file__), "..", ".."))
CC = shlex.split(os.environ.get("TAPECAST_CC") or f"cc -std=gnu11 -D_GNU_SOURCE -I{ROOT}/src")
FLAGS = [f"-I{ROOT}/tests", "-O2", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c", "-"]


def complaints(source):
    """source twice: a header that is not guarded shows, too."""
    run = subprocess.run(CC + FLAGS, input=source * 2, capture_output=True, text=True)
    return run.stderr.splitlines() if run.returncode else []


if os.environ.get("TAPECAST_SANITIZE", "").strip():
    print("skipped: the build without sanitizers looks at the text")
    sys.exit(77)

report = Report("tidy: headers")
report.check("a header that leans on another one is found",
             [] if complaints("static inline size_t f(void) { return 0; }\n") else ["accepted"])
report.check("a header without a guard is found",
             [] if complaints("struct x { int a; };\n") else ["accepted"])
report.check("a good header is accepted", complaints("#include <stddef.h>\nextern int x;\n"))
for folder in ("src", "tests", "bench"):
    for place, _, names in sorted(os.walk(os.path.join(ROOT, folder))):
        for name in sorted(names):
            if name.endswith(".h") and not name.endswith("_table.h"):
                path = os.path.join(place, name)
                report.check(f"{os.path.relpath(path, ROOT)} compiles alone",
                             complaints(f'#include "{path}"\n'))
report.finish()
