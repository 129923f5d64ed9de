// What stands in for the browser: time, chance, the network, and a server that a test plays by hand.

import { connect } from "../../chatrooms-ws/client/chatrooms.js";

/** Lets everything run that waits for nothing but its turn. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

export class FakeClock {
  #now = 1_700_000_000_000;
  #timers = new Map();
  #nextId = 1;

  now = () => this.#now;

  setTimeout = (callback, ms) => {
    this.#timers.set(this.#nextId, { callback, at: this.#now + ms });
    return this.#nextId++;
  };

  clearTimeout = (id) => {
    this.#timers.delete(id);
  };

  get pending() {
    return this.#timers.size;
  }

  async advance(ms) {
    const end = this.#now + ms;
    for (let next = this.#nextUntil(end); next; next = this.#nextUntil(end)) {
      const [id, { callback, at }] = next;
      this.#timers.delete(id);
      this.#now = Math.max(this.#now, at);
      callback();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  #nextUntil(end) {
    const due = [...this.#timers].filter(([, { at }]) => at <= end);
    return due.sort(([a, x], [b, y]) => x.at - y.at || a - b)[0];
  }
}

/** A WebSocket whose other end is the test. */
export class FakeSocket {
  sent = [];
  closedWith = null;

  constructor(url, protocols) {
    Object.assign(this, { url, protocols });
  }

  // The client's side.
  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close(code) {
    this.closedWith = code ?? 1005;
  }

  // The server's side.
  hello(fields = {}) {
    this.onopen?.({});
    this.receive({ ...HELLO, ...fields });
  }

  receive(...frames) {
    for (const frame of frames) this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }

  /** The oldest frame of this type that has not been taken yet. */
  take(type) {
    const index = this.sent.findIndex((frame) => frame.type === type);
    if (index < 0) throw new Error(`no ${type} was sent, but: ${this.sent.map((frame) => frame.type)}`);
    return this.sent.splice(index, 1)[0];
  }

  has(type) {
    return this.sent.some((frame) => frame.type === type);
  }

  answer(request, frame) {
    this.receive({ id: request.id, room: request.room, ...frame });
  }

  refuse(request, code, fields = {}) {
    this.receive({ type: "error", id: request.id, code, message: code, ...fields });
  }

  drop(code = 1006, reason = "") {
    this.onclose?.({ code, reason });
  }
}

export const LIMITS = {
  body_bytes: 4_096, data_bytes: 4_096, meta_bytes: 1_024, frame_bytes: 53_248, reply_bytes: 262_144,
  rooms_per_session: 16, sends_per_second: 100, history: 100, presence_exact: 200,
};

export const HELLO = { type: "hello", session: "s1", user: "ann", name: "Ann", heartbeat_ms: 25_000, limits: LIMITS };

export const message = (seq, fields = {}) => ({ seq, user: "bob", body: `message ${seq}`, at: 1_000 + seq, ...fields });

export const joined = (fields = {}) => ({
  type: "joined", epoch: "e1", seq: 0, resumed: false, members: [{ user: "ann", connections: 1 }], messages: [], more: false,
  ...fields,
});

/** A client with everything replaced. `random` is 1 unless told, so that a back-off waits its whole bound. */
export function start(options = {}) {
  const clock = new FakeClock();
  const network = new EventTarget();
  const sockets = [];
  const requests = [];
  const world = {
    clock, network, sockets, requests,
    /** What `session` answers; null is a network failure. */
    session: null,
    get socket() { return sockets.at(-1); },
  };
  class WebSocket extends FakeSocket {
    constructor(url, protocols) {
      super(url, protocols);
      sockets.push(this);
    }
  }
  const fetch = async (url, init) => {
    requests.push({ url, init });
    if (!world.session) throw new TypeError("network");
    return world.session;
  };
  world.client = connect({ mount: "https://host.example/chat", WebSocket, fetch, clock, network, random: () => 1, ...options });
  world.states = record(world.client, "state");
  return world;
}

/** A client that is open. */
export async function opened(options, hello) {
  const world = start(options);
  await settle();
  world.socket.hello(hello);
  return world;
}

/** A client that is in a room. */
export async function inRoom(answer = {}, joinOptions = undefined, options = undefined) {
  const world = await opened(options);
  world.room = world.client.join("lobby", joinOptions);
  world.socket.answer(world.socket.take("join"), joined(answer));
  await settle();
  return world;
}

/** Loses the connection and has the next one at `hello`. */
export async function reconnected(world, hello) {
  world.socket.drop();
  await world.clock.advance(world.client.state.retryAt - world.clock.now());
  world.socket.hello(hello);
  return world.socket;
}

/** Collects the details of an event as it happens. */
export function record(target, type) {
  const details = [];
  target.on(type, (detail) => details.push(detail));
  return details;
}

export const bodies = (room) => room.entries.map((entry) => entry.body);
