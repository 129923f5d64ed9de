import assert from "node:assert/strict";
import { test } from "node:test";
import { inRoom, joined, message, reconnected, record, settle } from "./harness.mjs";

const member = (user, fields = {}) => ({ user, connections: 1, ...fields });
const presence = (came, left = []) => ({ type: "presence", room: "lobby", joined: came.map((user) => member(user)), left });
const names = (room) => [...room.members.keys()];

test("members are those of the join, and those that the frames bring and take", async () => {
  const world = await inRoom({ members: [member("ann"), member("bob", { name: "Bob" })] });
  const events = record(world.room, "presence");
  const sizes = record(world.room, "members");
  world.socket.receive(presence(["cyd"], ["bob"]));
  assert.deepEqual(names(world.room), ["ann", "cyd"]);
  assert.deepEqual(events, [{ joined: [member("cyd")], left: [member("bob", { name: "Bob" })] }], "the one who left has a name");
  assert.deepEqual(sizes, [{ size: 2, more: false }]);
});

test("oneself is ignored in presence frames", async () => {
  const world = await inRoom({ members: [member("ann", { meta: { mine: true } })] });
  const events = record(world.room, "presence");
  world.socket.receive(presence(["ann"]), presence([], ["ann"]));
  assert.deepEqual([[...world.room.members.values()], events], [[member("ann", { meta: { mine: true } })], []]);
});

test("oneself is no news even where the list does not name one yet", async () => {
  const world = await inRoom({ members: [member("aaa")], members_more: true });
  const events = record(world.room, "presence");
  world.socket.receive(presence(["ann"]));
  assert.deepEqual([events, names(world.room)], [[], ["aaa"]]);
});

test("only changes are told as such", async () => {
  const world = await inRoom({ members: [member("ann"), member("bob")] });
  const events = record(world.room, "presence");
  world.socket.receive(presence(["bob"]), presence([], ["nobody"]));
  assert.deepEqual([events, names(world.room)], [[], ["ann", "bob"]]);
});

test("a join or a resume replaces the members", async () => {
  const world = await inRoom({ members: [member("ann"), member("bob")] });
  const socket = await reconnected(world);
  socket.answer(socket.take("join"), joined({ resumed: true, members: [member("ann"), member("cyd")] }));
  assert.deepEqual(names(world.room), ["ann", "cyd"]);
});

test("a long member list is loaded page by page", async () => {
  const world = await inRoom({ members: [member("ann"), member("bob")], members_more: true });
  assert.equal(world.room.membersMore, true);
  const first = world.socket.take("members");
  assert.deepEqual([first.room, first.after], ["lobby", "bob"]);
  world.socket.answer(first, { type: "members", members: [member("cyd")], more: true });
  await settle();
  const second = world.socket.take("members");
  assert.equal(second.after, "cyd");
  world.socket.answer(second, { type: "members", members: [member("dan")], more: false });
  await settle();
  assert.deepEqual([names(world.room), world.room.membersMore], [["ann", "bob", "cyd", "dan"], false]);
  assert.ok(!world.socket.has("members"));
});

test("oneself at the end of a page, out of order, is not where the next page begins", async () => {
  const world = await inRoom({ members: [member("aaa"), member("aab"), member("ann")], members_more: true });
  assert.equal(world.socket.take("members").after, "aab");
});

test("a page that is older than a frame does not undo it", async () => {
  const world = await inRoom({ members: [member("ann"), member("bob")], members_more: true });
  const request = world.socket.take("members");
  world.socket.receive(presence(["eve"], ["cyd"]));
  world.socket.answer(request, { type: "members", members: [member("cyd"), member("dan"), member("eve", { connections: 9 })], more: false });
  assert.deepEqual(names(world.room).sort(), ["ann", "bob", "dan", "eve"]);
  assert.equal(world.room.members.get("eve").connections, 1);
});

test("pages that were refused for a moment are asked for again", async () => {
  const world = await inRoom({ members: [member("ann"), member("bob")], members_more: true });
  world.socket.refuse(world.socket.take("members"), "busy", { retry_after_ms: 300 });
  await settle();
  assert.ok(!world.socket.has("members"));
  await world.clock.advance(300);
  world.socket.take("members");
});

test("a page of an earlier join is not mixed into this one", async () => {
  const world = await inRoom({ members: [member("ann"), member("bob")], members_more: true });
  const request = world.socket.take("members");
  world.socket.receive(joined({ room: "lobby", epoch: "e2", members: [member("ann")] }));
  world.socket.answer(request, { type: "members", members: [member("cyd")], more: true });
  await settle();
  assert.deepEqual([names(world.room), world.room.membersMore], [["ann"], false]);
});

test("a server that repeats a page is not asked for ever", async () => {
  const world = await inRoom({ members: [member("ann"), member("bob")], members_more: true });
  world.socket.answer(world.socket.take("members"), { type: "members", members: [member("bob")], more: true });
  await settle();
  assert.ok(!world.socket.has("members"));
});

test("the first page alone is loaded where that is wanted", async () => {
  const world = await inRoom({ members: [member("ann"), member("bob")], members_more: true }, { allMembers: false });
  assert.ok(!world.socket.has("members"));
  const loading = world.room.loadMembers();
  world.socket.answer(world.socket.take("members"), { type: "members", members: [member("cyd")], more: true });
  assert.deepEqual(await loading, { more: true });
  await settle();
  assert.ok(!world.socket.has("members"));
});

test("typing is told at most every 3 s, and again after a message", async () => {
  const world = await inRoom();
  for (let i = 0; i < 5; i++) world.room.typing();
  const { type, room, name, id } = world.socket.sent[0];
  assert.deepEqual([type, room, name, id, world.socket.sent.length], ["signal", "lobby", "typing", undefined, 1]);
  await world.clock.advance(2_999);
  world.room.typing();
  assert.equal(world.socket.sent.length, 1);
  await world.clock.advance(1);
  world.room.typing();
  assert.equal(world.socket.sent.length, 2);
  world.room.send("done");
  world.room.typing();
  assert.equal(world.socket.sent.length, 4);
});

const typing = (user) => ({ type: "signal", room: "lobby", user, name: "typing" });

test("who is typing is shown for 6 s after the last sign of it", async () => {
  const world = await inRoom();
  const events = record(world.room, "typing");
  world.socket.receive(typing("bob"));
  await world.clock.advance(4_000);
  world.socket.receive(typing("bob"));
  await world.clock.advance(5_999);
  assert.deepEqual(world.room.typingUsers, ["bob"]);
  await world.clock.advance(1);
  assert.deepEqual(world.room.typingUsers, []);
  assert.deepEqual(events, [{ users: ["bob"] }, { users: [] }], "told only when it changes");
});

test("typing ends with the message, with the user, and with the connection", async () => {
  const world = await inRoom({ members: [member("ann"), member("bob"), member("cyd"), member("dan")] });
  world.socket.receive(typing("bob"), typing("cyd"), typing("dan"));
  world.socket.receive({ type: "message", room: "lobby", ...message(1, { user: "bob" }) });
  assert.deepEqual(world.room.typingUsers, ["cyd", "dan"]);
  world.socket.receive(presence([], ["cyd"]));
  assert.deepEqual(world.room.typingUsers, ["dan"]);
  world.socket.drop();
  assert.deepEqual(world.room.typingUsers, []);
});

test("one's own other tab is not shown as typing", async () => {
  const world = await inRoom();
  world.socket.receive(typing("ann"));
  assert.deepEqual(world.room.typingUsers, []);
});

test("signals of one's own making go out and come in, and are lost while there is no connection", async () => {
  const world = await inRoom();
  const signals = record(world.room, "signal");
  assert.equal(world.room.signal("wave", { hand: "left" }), true);
  assert.deepEqual(world.socket.take("signal"), { type: "signal", room: "lobby", name: "wave", data: { hand: "left" } });
  world.socket.receive({ type: "signal", room: "lobby", user: "bob", name: "wave", data: 7 });
  assert.deepEqual(signals, [{ user: "bob", name: "wave", data: 7 }]);
  world.socket.drop();
  assert.equal(world.room.signal("wave"), false);
  world.room.typing();
});
