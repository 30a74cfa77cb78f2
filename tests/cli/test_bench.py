#!/usr/bin/env python3
"""tapecast bench against servers that lie: what they lose, double or mix up is found out."""
import json
import os
import socketserver
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stand_in import OPEN, SSE, Peer, answer, main, run


class Liar(socketserver.ThreadingTCPServer):
    """Gives each listener what `twist` makes of the list of all events, once they are all there."""
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, count, twist, greeting=OPEN):
        super().__init__(("127.0.0.1", 0), Connection)
        self.count, self.twist, self.greeting = count, twist, greeting
        self.events, self.news = [], threading.Condition()
        self.url = "http://127.0.0.1:%d" % self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def bench(self, *args):
        try:
            code, out, err = run("bench", *args, "--events", str(self.count), "--rate", "0", "--json", url=self.url)
        finally:
            self.shutdown()
            self.server_close()
        return code, json.loads(out) if out else err


class Connection(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            peer = Peer(self.request)
            while True:
                self.answer(peer)
                peer = Peer(self.request, peer.held)
        except (EOFError, OSError):
            pass

    def answer(self, peer):
        liar = self.server
        if peer.method == "GET":
            peer.say(SSE, liar.greeting)
            with liar.news:
                liar.news.wait_for(lambda: len(liar.events) == liar.count)
                told = liar.twist(list(liar.events))
            peer.say(*("data: " + event + "\n\n" for event in told))
            raise EOFError
        body = peer.body().decode()
        if peer.method == "POST":
            with liar.news:
                liar.events.append(body)
                liar.news.notify_all()
        peer.say(answer(201, "{}"))


def counted(twist, *args, count=20, **more):
    code, result = Liar(count, twist, **more).bench("fanout", "--listeners", "3", *args)
    return code, {name: result[name] for name in ("delivered", "lost", "doubled", "gaps", "not_kept")}


def test_an_honest_server_is_believed():
    assert counted(lambda events: events) == \
        (0, {"delivered": 60, "lost": 0, "doubled": 0, "gaps": 0, "not_kept": 0})


def test_a_lost_event_is_found_in_the_middle_and_at_the_end():
    assert counted(lambda events: events[:5] + events[6:]) == \
        (1, {"delivered": 57, "lost": 3, "doubled": 0, "gaps": 0, "not_kept": 0})
    assert counted(lambda events: events[:-2]) == \
        (1, {"delivered": 54, "lost": 6, "doubled": 0, "gaps": 0, "not_kept": 0})


def test_a_doubled_event_is_found():
    assert counted(lambda events: events[:5] + events[4:]) == \
        (1, {"delivered": 60, "lost": 0, "doubled": 3, "gaps": 0, "not_kept": 0})


def test_events_out_of_order_are_found():
    code, found = counted(lambda events: [events[1], events[0]] + events[2:])
    assert code == 1 and found["lost"] == 3 and found["doubled"] == 3, found


def test_what_a_notice_accounts_for_is_not_called_lost():
    gap = 'event: tapecast.gap\ndata: {"lost":4}\nid: 1\n\n'
    code, found = counted(lambda events: events[4:], greeting=OPEN + gap.encode())
    assert (code, found) == (0, {"delivered": 48, "lost": 0, "doubled": 0, "gaps": 3, "not_kept": 12})


def test_what_this_run_did_not_publish_ends_it():
    code, words = Liar(3, lambda events: ["who am I"] + events).bench("fanout", "--listeners", "2")
    assert code == 1 and "did not publish" in words, (code, words)


def test_a_refused_event_ends_it():
    class Refuser(Connection):
        def answer(self, peer):
            if peer.method == "GET":
                peer.say(SSE, OPEN)
                raise EOFError
            peer.body()
            peer.say(answer(503, "{}"))
    liar = Liar(3, list)
    liar.RequestHandlerClass = Refuser
    code, words = liar.bench("resume", "--listeners", "2")
    assert code == 1 and "refused an event" in words, (code, words)


if __name__ == "__main__":
    main(globals())
