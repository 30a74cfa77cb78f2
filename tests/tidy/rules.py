"""
The rules that the text of the code keeps. A rule looks at a tree, {path: text}, and yields what is
wrong with it; beside each stand samples that it must and must not complain of.
"""
import os
import re

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 100
TAB_COLUMNS = 8

RULES = []


def rule(bad, good):
    """bad: trees of which each must be complained of; good: a tree of which nothing may be."""
    def register(function):
        RULES.append((function, bad, good))
        return function
    return register


def is_c(path):
    return path.endswith((".c", ".h"))


def floor_of(path):
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "src" else None


def c_files(tree, under=("src/", "tests/", "bench/")):
    return [(path, text) for path, text in tree.items() if is_c(path) and path.startswith(under)]


def numbered(text):
    return enumerate(text.splitlines(), 1)


def code_only(text):
    """Comments, strings and characters made blank; lines stay where they are."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())
    return re.sub(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", blank, text,
                  flags=re.S)


def parse_floors(text):
    floors = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, below = line.partition(":")
            floors[name.strip()] = below.split()
    return floors


@rule(bad=[{"src/FLOORS": "base:\nwire: base\n", "src/base/a.c": '#include "wire/b.h"\n'},
           {"src/FLOORS": "base:\n", "src/base/a.c": '#include "b.h"\n'},
           {"src/FLOORS": "base:\n", "src/attic/a.c": ""},
           {"src/FLOORS": "base: wire\nwire: base\n"},
           {"src/FLOORS": "base:\nwire: base\n", "src/wire/a.c": '#include "base/map_impl.h"\n'},
           {"src/FLOORS": "base:\n", "src/base/a.c": '# include  "wire/b.h"\n'}],
      good={"src/FLOORS": "# words\nbase:\nwire: base\n", "src/base/a.c": '#include "base/a.h"\n',
            "src/wire/b.c": '#include "base/a.h"\n#include "wire/b_impl.h"\n#include <stdio.h>\n'})
def a_floor_includes_only_the_floors_below_it(tree):
    floors = parse_floors(tree.get("src/FLOORS", ""))
    seen = set()
    for floor, below in floors.items():
        seen.add(floor)
        for name in below:
            if name not in seen or name == floor:
                yield f"src/FLOORS: {floor} stands on {name}, which is not listed above it"
    for path, text in c_files(tree, ("src/",)):
        floor = floor_of(path)
        if floor not in floors:
            yield f"{path}: src/FLOORS has no floor {floor}"
            continue
        for line, words in numbered(text):
            match = re.match(r'\s*#\s*include\s*"([^"]*)"', words)
            if not match:
                continue
            home, slash, name = match.group(1).partition("/")
            if not slash:
                yield f"{path}:{line}: write the include from src/"
            elif home != floor and home not in floors[floor]:
                yield f"{path}:{line}: {floor} may not include {home}"
            elif home != floor and name.endswith("_impl.h"):
                yield f"{path}:{line}: {name} belongs to {home} alone"


HOMES = {
    "microhttpd.h": ("src/front/",),
    "sodium.h": ("src/base/hash.c", "src/world/linux.c", "src/auth/"),
    "gnutls/": ("src/auth/", "src/wire/ws_key.c"),
    "sys/epoll.h": ("src/world/",),
    "hiredis/": ("src/backplane/redis",),
    "cjson/": ("src/wire/json",),
}


@rule(bad=[{"src/serve/a.c": "#include <microhttpd.h>\n"},
           {"src/base/map.c": "#include <sodium.h>\n"},
           {"src/delivery/loop.c": "#  include <sys/epoll.h>\n"},
           {"src/front/a.c": "#include <hiredis/read.h>\n"}],
      good={"src/front/a.c": "#include <microhttpd.h>\n", "src/world/linux.c": "#include <sodium.h>\n",
            "tests/world/a.c": "#include <sys/epoll.h>\n"})
def an_outside_header_stays_in_its_home(tree):
    for path, text in c_files(tree, ("src/",)):
        for line, words in numbered(text):
            match = re.match(r"\s*#\s*include\s*<([^>]*)>", words)
            for header, homes in HOMES.items():
                if match and match.group(1).startswith(header) and not path.startswith(homes):
                    yield f"{path}:{line}: <{match.group(1)}> is at home in {', '.join(homes)}"


@rule(bad=[{"src/base/a.c": "\n" * 501}, {"tests/story/test_a.py": "\n" * 501}],
      good={"src/base/a.c": "\n" * 500})
def a_file_has_at_most_500_lines(tree):
    for path, text in tree.items():
        count = text.count("\n")
        if (is_c(path) or path.endswith((".py", ".sh"))) and count > FILE_LINES_MAX:
            yield f"{path}: {count} lines; split it"


@rule(bad=[{"src/base/a.c": "int f(void)\n{\n" + "\tg();\n" * 69 + "}\n"}],
      good={"src/base/a.c": "int f(void)\n{\n" + "\tg();\n" * 68 + "}\n"
            "static int rows[] = {\n" + "\t1,\n" * 90 + "};\n"})
def a_function_has_at_most_70_lines(tree):
    for path, text in c_files(tree):
        start = 0
        for line, words in numbered(text):
            if words.startswith("{"):
                start = line
            elif words.startswith("}") and start:
                if line - start + 1 > FUNCTION_LINES_MAX:
                    yield f"{path}:{start}: a function of {line - start + 1} lines"
                start = 0


@rule(bad=[{"src/base/a.c": "\t" * 12 + "12345\n"}, {"src/base/a.c": "int a; \n"},
           {"src/base/a.c": "\tint a;\r\n"}, {"src/base/a.c": "int f(void)\n{\n    g();\n}\n"},
           {"src/base/a.c": "int a;"}],
      good={"src/base/a.c": "\t" * 12 + "1234\n/*\n * words\n */\n\n"})
def lines_are_indented_by_tabs_and_end_by_column_100(tree):
    for path, text in c_files(tree):
        if text and not text.endswith("\n"):
            yield f"{path}: the last line has no end"
        for line, words in enumerate(text.split("\n"), 1):
            if len(words.expandtabs(TAB_COLUMNS)) > COLUMNS_MAX:
                yield f"{path}:{line}: ends beyond column {COLUMNS_MAX}"
            if words != words.rstrip():
                yield f"{path}:{line}: blanks at the end"
            if words.startswith("    "):
                yield f"{path}:{line}: indented by blanks"


def has_head(path, text):
    name = os.path.splitext(os.path.basename(path))[0]
    return re.match(r"/\*\n \* " + re.escape(name) + r": \S", text)


@rule(bad=[{"src/base/map.h": "#ifndef TAPECAST_BASE_MAP_H\n"},
           {"src/base/map.h": "/*\n * list: a list.\n */\n#ifndef TAPECAST_BASE_MAP_H\n"},
           {"src/base/map.h": "/*\n * map: a map.\n */\n#ifndef MAP_H\n"},
           {"src/cli/main.c": "int main(void)\n"}],
      good={"src/base/map.h": "/*\n * map: a map.\n */\n#ifndef TAPECAST_BASE_MAP_H\n",
            "src/base/map.c": '#include "base/map.h"\n',
            "src/base/err_table.h": "/*\n * err_table: rows.\n */\n",
            "src/cli/main.c": "/*\n * main: the command.\n */\n"})
def a_file_begins_with_what_it_is(tree):
    for path, text in c_files(tree, ("src/",)):
        if path.endswith(".h") and not has_head(path, text):
            yield f"{path}: begin with a head: '/*', then ' * name: what it is'"
        if path.endswith(".c") and path[:-1] + "h" not in tree and not has_head(path, text):
            yield f"{path}: has no header of its name, so it needs a head itself"
        if path.endswith(".h") and not path.endswith("_table.h"):
            guard = "TAPECAST_" + re.sub(r"[/.]", "_", path[len("src/"):]).upper()
            if not re.search(r"^#ifndef " + guard + "$", text, re.M):
                yield f"{path}: guard it with {guard}"


BANNED = """strcpy strcat stpcpy sprintf vsprintf strtok gets atoi atol atoll usleep sleep time rand
            srand alloca strdupa mktemp tmpnam""".split()
AT_HOME = {
    "src/base/mem.c": "malloc calloc realloc reallocarray free strdup strndup asprintf".split(),
    "src/world/": """clock_gettime gettimeofday getrandom epoll_create1 epoll_ctl epoll_wait
                     eventfd sendmsg writev nanosleep""".split(),
}


def calls(text, names):
    """(line, name) of each call by name; those through a table of functions are not meant."""
    pattern = re.compile(r"(?<![\w.>])(" + "|".join(names) + r")\s*\(")
    for line, words in numbered(code_only(text)):
        for match in pattern.finditer(words):
            yield line, match.group(1)


@rule(bad=[{"src/base/a.c": "\tstrcpy(a, b);\n"}, {"tests/base/a.c": "\tsleep (1);\n"},
           {"bench/a.c": "\tx = (int)atoi(b);\n"}, {"src/base/a.c": "\tnow = time(NULL);\n"},
           {"src/base/a.c": "\tp = malloc(1);\n"}, {"src/front/a.c": "\tfree(p);\n"},
           {"src/stream/a.c": "\tclock_gettime(CLOCK_MONOTONIC, &now);\n"},
           {"src/delivery/a.c": '\tf("a"); epoll_wait(1, 2, 3, 4);\n'}],
      good={"src/base/a.c": "/* strcpy(a, b) */\n\tf(\"time(\");\n\tops->free(p);\n\tx.time(1);\n"
            "\tworld_time(1);\n\tsnprintf(a, 1, \"\");\n\ttimeout(1);\n", "tests/a.c": "\tfree(p);\n",
            "src/base/mem.c": "\tfree(p);\n", "src/world/linux.c": "\tgetrandom(a, 1, 0);\n"})
def a_banned_call_is_not_made(tree):
    for path, text in c_files(tree):
        for line, name in calls(text, BANNED):
            yield f"{path}:{line}: {name}() is banned"
    for path, text in c_files(tree, ("src/",)):
        for home, names in AT_HOME.items():
            if not path.startswith(home):
                for line, name in calls(text, names):
                    yield f"{path}:{line}: {name}() is called in {home} only"


# Taken apart, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
MACHINE = re.compile(r"(?<![\w.])/(work|farm|root|home/\w+)" r"/")


@rule(bad=[{"src/base/a.c": "/* TO" "DO: later */\n"}, {"tests/a.py": "# FIX" "ME\n"},
           {"man/a.1": "XX" "X\n"}], good={"src/base/a.c": 'mkstemp("/tmp/a-XXXX' 'XX");\n'})
def nothing_is_left_for_later(tree):
    for path, text in tree.items():
        for line, words in numbered(text):
            if UNFINISHED.search(words):
                yield f"{path}:{line}: finish it, or write it down elsewhere"


@rule(bad=[{"docs/a.md": "see /ro" "ot/x\n"}, {"check": "cd /ho" "me/me/x\n"}],
      good={"docs/a.md": "see ./root/x and https://example.org/work/x\n"})
def no_path_of_one_machine_is_written_down(tree):
    for path, text in tree.items():
        for line, words in numbered(text):
            if MACHINE.search(words):
                yield f"{path}:{line}: a path of one machine"


@rule(bad=[{"tests/base/test_a.c": "", "tests/base/local.mk": "x = tests/base/test_ab.c\n"},
           {"src/base/a.c": "", "src/base/local.mk": ""}, {"src/base/a.h": "", "src/base/local.mk": ""},
           {"tests/tidy/test_a.py": ""}, {"src/base/local.mk": "x = src/base/gone.c\n"}],
      good={"tests/base/test_a.c": "", "tests/base/dies.h": "", "src/base/a.c": "",
            "tests/base/local.mk": "x = tests/base/test_a.c tests/base/dies.h\n",
            "src/base/local.mk": "x = \\\n\tsrc/base/a.c\n"})
def every_file_is_in_a_local_mk(tree):
    registered = set()
    for path, text in tree.items():
        if path.endswith("local.mk"):
            named = set(re.findall(r"[\w./-]+\.(?:c|h|py|sh)(?![\w.])", text))
            registered |= named
            for name in sorted(named):
                if name.startswith(("src/", "tests/", "bench/")) and name not in tree:
                    yield f"{path}: {name} is not there"
    for path in tree:
        is_test = re.match(r"tests/.*/test_[^/]*\.(py|sh)$", path) and "/story/" not in path
        if (is_c(path) and path.startswith(("src/", "tests/"))) or is_test:
            if path not in registered:
                yield f"{path}: is in no local.mk, so it is neither built nor distributed"
