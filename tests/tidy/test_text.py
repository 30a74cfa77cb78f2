#!/usr/bin/env python3
"""Is the text of the code as we want it? Every rule first shows that it can complain."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from report import Report
from rules import RULES

ROOT = os.environ.get("TAPECAST_SOURCE") or os.path.join(os.path.dirname(__file__), "..", "..")
FOLDERS = ("src", "tests", "bench", "examples", "man", "docs")
SUFFIXES = (".c", ".h", ".py", ".sh", ".mk", ".md", ".1", ".5", ".7", ".8", ".mjs", ".js", ".html")


def read_tree():
    paths = [name for name in os.listdir(ROOT)
             if name.endswith((".md", ".ac", ".am", ".sh")) or name in ("check", "quickstart")]
    for folder in FOLDERS:
        for place, folders, names in os.walk(os.path.join(ROOT, folder)):
            folders[:] = [name for name in folders if name not in ("node_modules", "corpus")]
            paths += [os.path.relpath(os.path.join(place, name), ROOT) for name in names
                      if name.endswith(SUFFIXES) or name == "FLOORS"]
    tree = {}
    for path in sorted(paths):
        with open(os.path.join(ROOT, path), encoding="utf-8", newline="") as file:
            tree[path] = file.read()
    return tree


if os.environ.get("TAPECAST_SANITIZE", "").strip():
    print("skipped: the build without sanitizers looks at the text")
    sys.exit(77)

report = Report("tidy: text")
tree = read_tree()
report.check("the tree is there to be looked at",
             [] if "src/base/err.c" in tree else [f"{ROOT} is not the tree"])
for rule, bad, good in RULES:
    name = rule.__name__
    report.check(f"{name}: complains of a bad sample",
                 [f"accepted: {sample}" for sample in bad if not list(rule(sample))])
    report.check(f"{name}: accepts a good sample", rule(good))
    report.check(name, rule(tree))
report.finish()
