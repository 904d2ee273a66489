#!/usr/bin/env python3
"""An acked producer in plain Python: the whole protocol a feed handler needs.

    examples/feed_handler.py 127.0.0.1:7450 feed-a < lines.ndjson

Every record gets the next sequence and is kept until tickd has acked it. After a broken connection
the same hello is said again; the welcome says where to resume. Nothing is lost, nothing doubled.
"""
import collections, json, select, socket, sys, time


class Producer:
    def __init__(self, host, port, name):
        self.address, self.name = (host, port), name
        self.unacked = collections.OrderedDict()  # seq -> line
        self.seq, self.rejected, self.sock = 0, 0, None

    def connect(self):
        wait = 0.05
        while True:
            try:
                self.sock = socket.create_connection(self.address, timeout=60)
                self.replies = b""
                hello = {"type": "hello", "producer": self.name, "ack": "committed"}
                self.sock.sendall(json.dumps(hello).encode() + b"\n")
                while (message := self.reply())["type"] != "welcome":
                    if message["type"] == "error":
                        sys.exit(f"refused: {message}")
                self.settle(message["resume_after"])
                self.seq = max(self.seq, message["resume_after"])
                self.sock.sendall(b"".join(self.unacked.values()))
                return
            except OSError as broken:
                print(f"no connection: {broken}; again in {wait:.2f} s", file=sys.stderr)
                time.sleep(wait)
                wait = min(wait * 2, 5)

    def reply(self):
        while b"\n" not in self.replies:
            more = self.sock.recv(65536)
            if not more:
                raise ConnectionError("tickd closed the connection")
            self.replies += more
        line, self.replies = self.replies.split(b"\n", 1)
        return json.loads(line)

    def settle(self, upto):
        while self.unacked and next(iter(self.unacked)) <= upto:
            self.unacked.popitem(last=False)

    def hear(self, until_fewer_than):
        """Takes what tickd says; waits only while too much is unacked."""
        while len(self.unacked) >= until_fewer_than or b"\n" in self.replies or \
                select.select([self.sock], [], [], 0)[0]:
            message = self.reply()
            if message["type"] == "ack":
                self.settle(message["seq"])
            elif message["type"] == "reject":
                self.rejected += 1
                print(f"rejected: {message}", file=sys.stderr)
            elif message["type"] == "error":
                if message["code"] in ("superseded", "unauthorized"):
                    sys.exit(f"told to stop: {message}")
                raise ConnectionError(message["code"])

    def send(self, record):
        self.seq += 1
        self.unacked[self.seq] = json.dumps(record | {"seq": self.seq}).encode() + b"\n"
        try:
            self.sock.sendall(self.unacked[self.seq])
            self.hear(until_fewer_than=10_000)
        except OSError:
            self.connect()  # which sends everything unacked again

    def finish(self):
        while self.unacked:
            try:
                self.hear(until_fewer_than=1)
            except OSError:
                self.connect()


if __name__ == "__main__":
    host, port = sys.argv[1].rsplit(":", 1)
    feed = Producer(host, int(port), sys.argv[2])
    feed.connect()
    for line in sys.stdin:
        if line.strip():
            feed.send(json.loads(line))
    feed.finish()
    print(f"settled {feed.seq}, rejected {feed.rejected}")
