"""A browser without a screen: enters by the form, keeps the cookie, talks over the socket."""

import http.client
import itertools
import json
import secrets
import socket
import urllib.parse

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

PATIENCE = 10
SUBPROTOCOL = "chatrooms.v1.json"


class Site:
    """Where the application is."""

    def __init__(self, url):
        self.url = url.rstrip("/")
        self.host = urllib.parse.urlsplit(self.url).netloc

    def request(self, method, path, body=None, headers=None):
        """Status, headers and body of an answer; redirects are left to the caller."""
        connection = http.client.HTTPConnection(self.host, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def visitor(self, label="guest"):
        return Visitor(self, f"{label}-{secrets.token_hex(4)}")

    @staticmethod
    def room(label="hall"):
        return f"{label}-{secrets.token_hex(4)}"


class Visitor:
    """A user with a cookie of their own."""

    def __init__(self, site, name):
        self.site, self.name = site, name
        form = urllib.parse.urlencode({"username": name, "room": "hall"})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        status, headers, body = site.request("POST", "/rooms", form, kind)
        assert status == 303, (status, body)
        assert headers["Location"] == "/rooms/hall", headers["Location"]
        self.cookie = headers["Set-Cookie"].split(";")[0]

    def request(self, method, path, body=None, headers=None):
        return self.site.request(method, path, body, {"Cookie": self.cookie, **(headers or {})})

    def socket(self, *rooms):
        query = urllib.parse.urlencode([("room", room) for room in rooms], quote_via=urllib.parse.quote)
        return Socket(self, f"/chat/ws?{query}" if rooms else "/chat/ws")

    def log_out(self):
        status, headers, _ = self.request("POST", "/logout")
        assert (status, headers["Location"]) == (303, "/"), (status, headers["Location"])


class Socket:
    """One session: frames in order, answers by id."""

    def __init__(self, visitor, path):
        site = visitor.site
        self.connection = connect(
            site.url.replace("http", "ws", 1) + path,
            origin=site.url,
            subprotocols=[SUBPROTOCOL],
            additional_headers={"Cookie": visitor.cookie},
            open_timeout=PATIENCE,
            proxy=None,
        )
        self.arrived = []
        self.ids = itertools.count(1)
        self.hello = self.expect("hello")

    def send(self, **frame):
        self.connection.send(json.dumps(frame))

    def request(self, **frame):
        """Sends with a fresh id and waits for the one answer to it."""
        number = next(self.ids)
        self.send(id=number, **frame)
        return self.first(lambda answer: answer.get("id") == number, frame)

    def expect(self, kind):
        """The next frame of a type; others wait until they are expected."""
        return self.first(lambda frame: frame["type"] == kind, kind)

    def first(self, wanted, what):
        for frame in self.arrived:
            if wanted(frame):
                self.arrived.remove(frame)
                return frame
        while True:
            try:
                frame = json.loads(self.connection.recv(timeout=PATIENCE))
            except TimeoutError:
                raise AssertionError(f"waited in vain for {what}; got {self.arrived}") from None
            if wanted(frame):
                return frame
            self.arrived.append(frame)

    def join(self, room, **fields):
        joined = self.request(type="join", room=room, **fields)
        assert joined["type"] == "joined", joined
        return joined

    def say(self, room, body, **fields):
        sent = self.request(type="send", room=room, body=body, **fields)
        assert sent["type"] == "sent", sent
        return sent

    def refused(self, code, **frame):
        answer = self.request(**frame)
        assert (answer["type"], answer["code"]) == ("error", code), answer
        return answer

    def drop(self):
        """Loses the connection without a word."""
        self.connection.socket.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.connection.close()

    def closed(self):
        """Reads to the end and hands out the close code."""
        try:
            while True:
                self.arrived.append(json.loads(self.connection.recv(timeout=PATIENCE)))
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else None
