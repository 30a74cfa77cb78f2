#!/usr/bin/env python3
"""The agreement between nodes and Redis, checked in every order of events there is (within bounds),
and each of its rules taken away once: then the checker must find out. Needs spin; TAPECAST_LONG
checks more."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MODEL = os.path.join(HERE, "resume.pml")
SKIPPED = 77
HOLDS = [["K=2", "HIST=1"]]
HOLDS_LONG = [["K=2", "WIPE"], ["K=3"], ["K=3", "HIST=2"], ["K=2", "DISC=2", "DROPS=2"]]
BROKEN = [["M_NOTAG"], ["M_NOLEDGER"], ["M_NOPROBE"], ["M_NODEDUPE"],
          ["M_READFIRST", "M_NOPROBE", "DROPS=0", "DISC=0"]]
BROKEN_LONG = [["M_LATEACK"], ["M_PROBETRUST"], ["M_GOBACK"], ["M_NOCHECK"], ["M_RESETPOS"],
               ["M_LEDGERCLEAR", "V_ALWAYS", "HIST=1"]]


def run(folder, *command):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


def errors_of(defines):
    """How many violations were found, and among how many states."""
    with tempfile.TemporaryDirectory() as folder:
        made = run(folder, "spin", "-a", *[f"-D{define}" for define in defines], MODEL)
        assert os.path.exists(os.path.join(folder, "pan.c")), made.stdout + made.stderr
        built = run(folder, os.environ.get("CC", "cc").split()[0], "-O1", "-w", "-DSAFETY",
                    "-DCOLLAPSE", "-DMEMLIM=1500", "-o", "pan", "pan.c")
        assert built.returncode == 0, built.stderr
        said = run(folder, "./pan", "-E", "-m200000").stdout
        errors = re.search(r"errors: (\d+)", said)
        states = re.search(r"(\d+) states, stored", said)
        assert errors and states and "max search depth too small" not in said, said
        # A search cut short for want of memory proves nothing.
        assert int(errors.group(1)) or "Search not completed" not in said, said
        return int(errors.group(1)), int(states.group(1))


def main():
    if not shutil.which("spin"):
        print("[  SKIPPED ] spin is not here")
        return SKIPPED
    long = os.environ.get("TAPECAST_LONG")
    cases = [(defines, False) for defines in HOLDS + (HOLDS_LONG if long else [])]
    cases += [(defines, True) for defines in BROKEN + (BROKEN_LONG if long else [])]
    failed = 0
    print(f"[==========] model: {len(cases)} test(s).")
    for defines, broken in cases:
        errors, states = errors_of(defines)
        fine = (errors > 0) == broken
        failed += not fine
        what = "is found out" if broken else "holds"
        print(f"[{'       OK' if fine else '  FAILED '} ] {' '.join(defines)} {what}: "
              f"{states} states, {errors} violation(s)")
    print(f"[==========] {len(cases)} test(s) run.")
    print(f"[  PASSED  ] {len(cases) - failed} test(s).")
    if failed:
        print(f"[  FAILED  ] {failed} test(s)")
    return 1 if failed else 0


sys.exit(main())
