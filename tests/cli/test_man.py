#!/usr/bin/env python3
"""The man pages are well-formed, and say of the options what the command's own help says."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stand_in import main, run

SOURCE = os.environ.get("TAPECAST_SOURCE") or os.path.join(os.path.dirname(__file__), "..", "..")
MAN = os.path.join(SOURCE, "man")
COMMANDS = ("serve", "pub", "sub", "bench", "token", "doctor")


def page(name):
    with open(os.path.join(MAN, name), encoding="utf-8") as file:
        return file.read()


def options_of_help(text):
    """{option: its default or None}; an option's words begin a line."""
    found, names = {}, []
    for line in text.splitlines():
        if re.match(r"\s+-", line):
            head = re.split(r"\s{2,}(?=[A-Za-z])", line.strip())[0]
            names = re.findall(r"(?<!\S)(--?[a-z][a-z-]*)", head)
            found.update((name, None) for name in names)
        default = re.search(r"\[([^\]]+)\]$|\(default (\d+)\)", line)
        if default:
            found.update((name, default.group(1) or default.group(2)) for name in names)
    return found


def options_of_page(text):
    found = {}
    for head, body in re.findall(r"^\.It (Fl .*)\n((?:(?!\.It|\.El|\.Sh).*\n)*)", text, re.M):
        default = re.search(r"^Default: (.*)\.$", body, re.M)
        for name in re.findall(r"Fl (-?[a-z][a-z-]*)", head):
            found["-" + name] = default and default.group(1)
    return found


def test_every_page_is_well_formed():
    if not shutil.which("mandoc"):
        print("[  SKIPPED ] mandoc is not here")
        return
    pages = sorted(name for name in os.listdir(MAN) if re.search(r"\.\d$", name))
    assert len(pages) >= 6
    for name in pages:
        lint = subprocess.run(["mandoc", "-Tlint", "-W", "warning", os.path.join(MAN, name)],
                              capture_output=True, text=True)
        assert lint.returncode == 0, lint.stdout


def test_every_option_of_the_help_stands_in_the_page_and_the_other_way_round():
    for command in COMMANDS:
        help_text = run(command, "--help")[1]
        helped, paged = options_of_help(help_text), options_of_page(page(f"tapecast-{command}.1"))
        assert len(helped) >= (4 if command == "doctor" else 8), (command, helped)
        hidden = {"--print-limits"} if command == "serve" else set()
        assert set(helped) == set(paged) - hidden, (command, set(helped) ^ set(paged))


def test_the_page_knows_the_defaults():
    for command in COMMANDS:
        paged = options_of_page(page(f"tapecast-{command}.1"))
        for option, default in options_of_help(run(command, "--help")[1]).items():
            if default and default.strip() != "the default":
                assert paged[option] == default, (command, option, default, paged[option])


def test_the_page_says_what_happens_at_each_bound():
    text = page("tapecast-serve.1")
    rows = re.findall(r"^\| `-(-[a-z-]+)` \|(.*)\|$", run("serve", "--print-limits")[1], re.M)
    assert len(rows) > 20, rows
    for option, cells in rows:
        answer = cells.split("|")[-1].strip()
        item = text.split(f".It Fl {option} ", 1)[1].split(".It ", 1)[0].split(".El", 1)[0]
        assert ("When it is reached: " in item) == bool(answer), option
        assert not answer or f"When it is reached: {answer}." in item.replace("\n", " "), (option, answer)


def test_the_first_page_names_every_command():
    text = page("tapecast.1")
    for command in COMMANDS:
        assert f".It Cm {command}" in text and f".Xr tapecast-{command} 1" in text, command


def test_the_readers_of_help_and_pages_can_find_fault():
    assert options_of_help("  -t, --type TYPE   words\n  --x N\n        Words [15 s]\n") == \
        {"-t": None, "--type": None, "--x": "15 s"}
    assert options_of_page(".It Fl t Ar T , Fl -type Ar T\nWords.\nDefault: 15 s.\n.It Fl -x\nNo.\n.El\n") == \
        {"-t": "15 s", "--type": "15 s", "--x": None}


if __name__ == "__main__":
    main(globals())
