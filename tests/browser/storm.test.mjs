import assert from "node:assert/strict";
import { test } from "node:test";
import { stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

const world = stage();
const VISITORS = 10;
const VISITS = 20;

/** Runs in a visitor's page: asks to join and to leave so often, all at once, and resolves with the answers. */
function visit({ room, visits }) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}/chat/ws`, "chatrooms.v1.json");
    const answers = [];
    socket.onerror = () => reject(new Error("the socket failed"));
    socket.onopen = () => {
      for (let id = 1; id <= 2 * visits; id += 2) {
        socket.send(JSON.stringify({ type: "join", id, room }));
        socket.send(JSON.stringify({ type: "leave", id: id + 1, room }));
      }
    };
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.id === undefined) return;
      answers.push(frame);
      if (answers.length < 2 * visits) return;
      socket.close();
      resolve(answers);
    };
  });
}

/** A visitor's script, ready to storm a room. */
async function visitor(room) {
  const guest = await world.guest("Visitor");
  await guest.context.request.post(`${guest.url}/rooms`, { form: { username: guest.name, room }, maxRedirects: 0 });
  const tab = await guest.newTab();
  await tab.goto("/");
  return () => tab.page.evaluate(visit, { room, visits: VISITS });
}

test("two people talk through a storm of 200 joins and leaves, and afterwards everything is as it should be", async () => {
  const room = world.room();
  const [ada, bo] = [await world.guest("Ada"), await world.guest("Bo")];
  const [adas, bos] = [await ada.enter(room), await bo.enter(room)];
  const storm = await Promise.all(Array.from({ length: VISITORS }, () => visitor(room)));

  const said = Array.from({ length: 10 }, (_, n) => [`ada says ${n}`, `bo says ${n}`]).flat();
  const talking = async () => {
    for (const [n, text] of said.entries()) {
      const tab = n % 2 === 0 ? adas : bos;
      await tab.say(text);
      await tab.hears(text);
    }
  };
  const [visits] = await Promise.all([Promise.all(storm.map((start) => start())), talking()]);

  for (const answers of visits) {
    assert.deepEqual(answers.map(({ id }) => id), Array.from({ length: 2 * VISITS }, (_, n) => n + 1));
    assert.ok(answers.every(({ type, id }) => type === (id % 2 === 1 ? "joined" : "left")));
    const epochs = new Set(answers.filter(({ type }) => type === "joined").map(({ epoch }) => epoch));
    assert.equal(epochs.size, 1, "the room has not ended meanwhile");
  }
  for (const tab of [adas, bos]) {
    await until("both have heard everything", async () => (await tab.texts()).length === said.length);
    assert.deepEqual(await tab.texts(), said, "once each, in one order");
    await tab.seesMembers(ada.name, bo.name);
  }

  await adas.page.close();
  await bos.page.close();
  const cy = await world.guest("Cy");
  const cys = await cy.enter(room);
  assert.deepEqual(await cys.texts(), [], "with the last one the talk is gone");
  await cys.seesMembers(cy.name);
});
