"""What the protocol's page promises, as a foreign client meets it."""

import json
import time

from websockets.exceptions import InvalidStatus

from visitor import PATIENCE, SUBPROTOCOL


def hello_comes_first_and_names_the_limits(site):
    visitor = site.visitor()
    socket = visitor.socket()
    assert socket.connection.subprotocol == SUBPROTOCOL
    assert socket.hello["user"] == visitor.name
    assert set(socket.hello["limits"]) >= {
        "body_bytes", "data_bytes", "meta_bytes", "frame_bytes", "reply_bytes",
        "rooms_per_session", "sends_per_second", "history", "presence_exact",
    }
    socket.close()


def nobody_gets_in_without_a_cookie(site):
    visitor = site.visitor()
    visitor.cookie = "none=1"
    assert status_of_socket(visitor) == 401
    assert visitor.request("GET", "/chat/session")[0] == 401


def two_people_chat(site):
    room, ann, ben = site.room(), site.visitor("ann"), site.visitor("ben")
    one, two = ann.socket(), ben.socket()
    assert one.join(room)["seq"] == 0
    joined = two.join(room)
    assert [member["user"] for member in joined["members"]] == [ann.name, ben.name]
    assert one.expect("presence")["joined"][0]["user"] == ben.name
    sent = one.say(room, "hello, Ben", data={"mood": 1})
    for socket in (one, two):
        message = socket.expect("message")
        assert (message["seq"], message["at"]) == (1, sent["at"])
        assert (message["user"], message["body"]) == (ann.name, "hello, Ben")
        assert message["data"] == {"mood": 1}
    two.send(type="signal", room=room, name="typing")
    assert one.expect("signal")["user"] == ben.name
    assert two.request(type="leave", room=room)["type"] == "left"
    assert one.expect("presence")["left"] == [ben.name]
    one.close()
    two.close()


def rooms_in_the_address_are_joined(site):
    visitor, rooms = site.visitor(), [site.room("the hall"), site.room("a/b?c")]
    socket = visitor.socket(rooms[0], rooms[1], rooms[0])
    assert [socket.expect("joined")["room"] for _ in rooms] == rooms
    assert socket.say(rooms[1], "here")["seq"] == 1
    socket.close()


def a_repeated_nonce_stores_nothing(site):
    room, socket = site.room(), site.visitor().socket()
    socket.join(room)
    first = socket.say(room, "once", nonce="n")
    again = socket.say(room, "once", nonce="n")
    assert again["duplicate"] is True and again["seq"] == first["seq"]
    assert socket.say(room, "twice")["seq"] == 2
    socket.close()


def a_lost_connection_resumes(site):
    room, ann, ben = site.room(), site.visitor("ann"), site.visitor("ben")
    one, two = ann.socket(), ben.socket()
    epoch = one.join(room)["epoch"]
    two.join(room)
    one.say(room, "one")
    assert two.expect("message")["seq"] == 1
    two.drop()
    for body in ("two", "three"):
        one.say(room, body)
    back = ben.socket()
    joined = back.join(room, resume={"epoch": epoch, "seq": 1})
    assert joined["resumed"] is True and joined["epoch"] == epoch
    assert [message["body"] for message in joined["messages"]] == ["two", "three"]
    one.say(room, "four")
    assert back.expect("message")["seq"] == 4
    stranger = site.visitor().socket()
    assert stranger.join(room, resume={"epoch": "another", "seq": 1})["resumed"] is False
    for socket in (one, back, stranger):
        socket.close()


def messages_are_taken_back(site):
    room, one, two = site.room(), site.visitor().socket(), site.visitor().socket()
    one.join(room)
    two.join(room)
    one.say(room, "oops")
    two.refused("forbidden", type="redact", room=room, seq=1)
    assert one.request(type="redact", room=room, seq=1)["type"] == "ok"
    assert two.expect("redacted")["seq"] == 1
    kept = two.request(type="history", room=room)["messages"][0]
    assert (kept["body"], kept["redacted"]) == ("", True)
    one.close()
    two.close()


def mistakes_are_answered_not_punished(site):
    room, socket = site.room(), site.visitor().socket()
    socket.refused("not_in_room", type="send", room=room, body="?")
    socket.refused("invalid_room", type="join", room="..")
    socket.refused("unknown_type", type="teleport")
    socket.refused("bad_request", type="join")
    socket.connection.send(b"\x00\x01")
    assert socket.expect("error")["code"] == "bad_request"
    socket.connection.send("no json")
    assert socket.expect("error")["code"] == "bad_request"
    assert socket.request(type="ping")["type"] == "pong"
    assert socket.connection.ping().wait(PATIENCE), "a WebSocket ping is answered"
    socket.close()


def http_stands_beside_the_socket(site):
    room, visitor = site.room("hall"), site.visitor()
    socket = visitor.socket(room)
    socket.expect("joined")
    kind = {"Content-Type": "application/json"}
    message = json.dumps({"body": "by post", "nonce": "p"})
    path = f"/chat/rooms/{room}/messages"
    status, _, body = visitor.request("POST", path, message, kind)
    assert (status, json.loads(body)["seq"]) == (201, 1), body
    assert socket.expect("message")["body"] == "by post"
    status, _, body = visitor.request("POST", path, message, kind)
    assert (status, json.loads(body)["duplicate"]) == (200, True), body
    status, _, body = visitor.request("GET", path)
    assert json.loads(body)["messages"][0]["body"] == "by post"
    status, _, body = visitor.request("GET", f"/chat/rooms/{room}")
    assert (json.loads(body)["users"], json.loads(body)["seq"]) == (1, 1), body
    status, headers, _ = site.request("GET", "/chat/chatrooms.js")
    assert status == 200 and headers["Content-Type"].startswith("text/javascript")
    socket.close()
    assert eventually(lambda: visitor.request("GET", f"/chat/rooms/{room}")[0] == 404)


def an_empty_room_forgets(site):
    room, socket = site.room(), site.visitor().socket()
    epoch = socket.join(room)["epoch"]
    socket.say(room, "soon gone")
    socket.request(type="leave", room=room)
    joined = socket.join(room)
    assert joined["epoch"] != epoch
    assert (joined["seq"], joined["messages"]) == (0, [])
    socket.close()


def logging_out_ends_every_socket(site):
    room, visitor, other = site.room(), site.visitor(), site.visitor("other").socket()
    other.join(room)
    tabs = [visitor.socket(room), visitor.socket()]
    visitor.log_out()
    for tab in tabs:
        assert tab.closed() == 4501
        bye = tab.expect("bye")
        assert (bye["code"], bye["reconnect"]) == ("logged_out", False)
    assert other.expect("presence")["joined"][0]["user"] == visitor.name
    assert other.expect("presence")["left"] == [visitor.name]
    assert status_of_socket(visitor) == 401
    other.close()


def status_of_socket(visitor):
    try:
        visitor.socket().close()
    except InvalidStatus as refused:
        return refused.response.status_code
    return 101


def eventually(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


SCENARIOS = [
    hello_comes_first_and_names_the_limits,
    nobody_gets_in_without_a_cookie,
    two_people_chat,
    rooms_in_the_address_are_joined,
    a_repeated_nonce_stores_nothing,
    a_lost_connection_resumes,
    messages_are_taken_back,
    mistakes_are_answered_not_punished,
    http_stands_beside_the_socket,
    an_empty_room_forgets,
    logging_out_ends_every_socket,
]
