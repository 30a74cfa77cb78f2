#!/usr/bin/env python3
"""feed.py USER [FILE]: prints USER's notifications; FILE (USER.place) keeps the place between runs."""
import os
import sys
import time
import urllib.request

SERVER = os.environ.get("TAPECAST_URL", "http://127.0.0.1:8080")


def read_place(file):
    try:
        with open(file, encoding="ascii") as place:
            return place.read().strip()
    except FileNotFoundError:
        return ""


def write_place(file, place):
    with open(file + ".new", "w", encoding="ascii") as new:
        new.write(place)
    os.replace(file + ".new", file)


def blocks(answer):
    """The blocks of an event-stream, as dictionaries of their fields."""
    block = {}
    for line in answer:
        line = line.decode().rstrip("\r\n")
        if not line:
            yield block
            block = {}
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        block[name] = block[name] + "\n" + value if name == "data" and name in block else value


def follow(user, file):
    place = read_place(file)
    request = urllib.request.Request(f"{SERVER}/v1/streams/users/{user}/notifications?from=start",
                                     headers={"Last-Event-ID": place} if place else {})
    with urllib.request.urlopen(request) as answer:
        if answer.status == 204:
            return False  # the stream has ended, and all of it is read
        for block in blocks(answer):
            if block.get("event") == "notification":
                print(block["data"], flush=True)
            elif block.get("event") == "tapecast.gap":
                print("(some notifications are not kept any more)", flush=True)
            if "id" in block:
                write_place(file, block["id"])
    return True


def main():
    user = sys.argv[1]
    file = sys.argv[2] if len(sys.argv) > 2 else f"{user}.place"
    while True:
        try:
            if not follow(user, file):
                return
        except OSError as trouble:
            print(f"({trouble}; trying again)", file=sys.stderr)
        time.sleep(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
