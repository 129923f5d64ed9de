// The browser client of chatrooms, protocol `chatrooms.v1.json`. What it offers is described in chatrooms.d.ts beside it.
//
// From the wire upwards: Connection (one WebSocket), Client (reconnects, keeps the rooms), Room, and what a room is made
// of: Timeline (what is shown), SendQueue (what is still to be sent), Roster (who is here), Typing.

/** @typedef {import("./chatrooms.js").ConnectOptions} ConnectOptions */
/** @typedef {import("./chatrooms.js").ConnectionState} ConnectionState */
/** @typedef {import("./chatrooms.js").JoinOptions} JoinOptions */
/** @typedef {import("./chatrooms.js").RoomState} RoomState */
/** @typedef {import("./chatrooms.js").Member} Member */
/** @typedef {import("./chatrooms.js").Hello} Hello */
/** @typedef {import("./chatrooms.js").Bye} Bye */
/** @typedef {import("./chatrooms.js").Clock} Clock */
/** @typedef {Record<string, any>} Frame A parsed frame: its fields are only as good as the server. */
/** @typedef {(error: ChatError | null, frame: Frame) => void} Answer Called once; `frame` is empty where there is an error. */
/** @typedef {{seq: number, user: string | null, name?: string, body: string, at: number, data?: unknown, nonce?: string, redacted?: true}} Message */

export const SUBPROTOCOL = "chatrooms.v1.json";

const CONNECT_TIMEOUT_MS = 15_000;
const HEARTBEAT_MS = 25_000;
const HEARTBEAT_GRACE_MS = 10_000;
/** A connection that lived this long was a good one: the next back-off starts small again. */
const STABLE_MS = 5_000;
const TYPING_SEND_MS = 3_000;
const TYPING_SHOW_MS = 6_000;
const UNKNOWN_RETRY_MS = 1_000;
const UNKNOWN_RETRIES = 5;

// ---------------------------------------------------------------------------------------------------------- errors

/** A join that met one of these may well work a moment later. */
const TRANSIENT = new Set([
  "busy", "rate_limited", "slow_mode", "store_unavailable", "outcome_unknown", "server_full", "shutting_down", "internal",
]);

const KNOWN = new Set([
  ...TRANSIENT, "bad_request", "unknown_type", "too_large", "invalid_room", "invalid_user", "not_in_room",
  "already_in_room", "forbidden", "banned", "muted", "room_full", "too_many_rooms", "too_many_sessions", "not_found",
  "unauthorized", "disconnected", "closed", "not_joined", "room_ended",
]);

export class ChatError extends Error {
  /** @param {string} code @param {string} [message] @param {number | null} [retryAfterMs] */
  constructor(code, message = code, retryAfterMs = null) {
    super(message);
    this.name = "ChatError";
    this.code = code;
    this.kind = /** @type {any} */ (KNOWN.has(code) ? code : "forbidden");
    this.retryAfterMs = retryAfterMs;
  }
}

/** @param {Frame} frame */
const errorFrom = (frame) => new ChatError(String(frame.code), frame.message, frame.retry_after_ms);

// ----------------------------------------------------------------------------------------------------------- tools

class TypedTarget extends EventTarget {
  /** @param {string} type @param {(detail: any) => void} handler @param {AddEventListenerOptions} [options] */
  on(type, handler, options) {
    const listener = (/** @type {Event} */ event) => handler(/** @type {CustomEvent} */ (event).detail);
    this.addEventListener(type, listener, options);
    return () => this.removeEventListener(type, listener, options);
  }

  /** @internal @param {string} type @param {unknown} detail */
  _emit(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
}

/** Full jitter: any wait between nothing and a bound that doubles, so that clients dropped together do not return together. */
class Backoff {
  #random;
  #baseMs;
  #capMs;
  attempt = 0;

  /** @param {() => number} random @param {{baseMs?: number, capMs?: number}} [bounds] */
  constructor(random, { baseMs = 1_000, capMs = 30_000 } = {}) {
    this.#random = random;
    this.#baseMs = baseMs;
    this.#capMs = capMs;
  }

  next() {
    const bound = Math.min(this.#capMs, this.#baseMs * 2 ** this.attempt++);
    return Math.round(this.#random() * bound);
  }

  reset() { this.attempt = 0; }
}

/** Keeps to `limits.sends_per_second`, so that what piled up offline is not refused when it is all sent at once. */
class Pacer {
  #clock;
  /** @type {number[]} */ #sent = [];
  perSecond = Infinity;

  /** @param {Clock} clock */
  constructor(clock) { this.#clock = clock; }

  /** 0: send now, it is counted. Otherwise: how long to wait before asking again. */
  take() {
    const now = this.#clock.now();
    this.#sent = this.#sent.filter((at) => at > now - 1_000 && at <= now);
    if (this.#sent.length < this.perSecond) {
      this.#sent.push(now);
      return 0;
    }
    return this.#sent[0] + 1_000 - now;
  }
}

/** `crypto.randomUUID` is missing on plain http; this is not. */
function randomNonce() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @template T @param {T | (() => T | Promise<T>) | undefined} value @returns {Promise<T | undefined>} */
const current = async (value) => (typeof value === "function" ? /** @type {() => T} */ (value)() : value);

/** Seconds or a date, as HTTP has it. @param {string | null} header @param {number} now */
function retryAfterMs(header, now) {
  if (!header) return 0;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Math.max(0, ms || 0);
}

/** How the server normalises names, near enough to recognise a room that is asked for twice. @param {string} name */
const normalise = (name) => name.normalize("NFC").trim().replace(/\s+/gu, " ");

// ------------------------------------------------------------------------------------------------------ connection

/** @typedef {{code: number, reason: string, opened: boolean, bye: Bye | null}} End */
/**
 * @typedef {object} ConnectionHandlers
 * @property {(hello: Hello) => void} onHello
 * @property {(frame: Frame) => void} onFrame What answers no request.
 * @property {(bye: Bye) => void} onBye
 * @property {(end: End) => void} onEnd Called once, unless `close` was called.
 */

/** One WebSocket from its opening to its end: hello, requests and their answers, liveness. */
class Connection {
  #clock;
  #handlers;
  #socket;
  /** @type {Map<unknown, Answer>} */ #pending = new Map();
  #nextId = 1;
  #opened = false;
  #ended = false;
  /** @type {Hello | null} */ #hello = null;
  /** @type {Bye | null} */ #bye = null;
  #heardAt = 0;
  #pinged = false;
  /** @type {unknown} */ #timer = null;

  /**
   * @param {{WebSocket: new (url: string, protocols: string[]) => WebSocket, clock: Clock, timeoutMs: number}} env
   * @param {string} url @param {string[]} protocols @param {ConnectionHandlers} handlers
   */
  constructor({ WebSocket, clock, timeoutMs }, url, protocols, handlers) {
    this.#clock = clock;
    this.#handlers = handlers;
    this.#socket = new WebSocket(url, protocols);
    this.#socket.onopen = () => { this.#opened = true; };
    this.#socket.onmessage = (event) => this.#receive(event.data);
    this.#socket.onclose = (event) => this.#end(event.code, event.reason);
    this.#arm(timeoutMs, () => this.abandon("connect_timeout"));
  }

  get open() { return this.#hello !== null && !this.#ended; }

  /** @param {Frame} frame @param {Answer} answer */
  request(frame, answer) {
    if (!this.open) return answer(new ChatError("disconnected"), {});
    const id = this.#nextId++;
    this.#pending.set(id, answer);
    if (this.post({ ...frame, id })) return;
    this.#pending.delete(id);
    answer(new ChatError("too_large", "more than a frame may hold"), {});
  }

  /** False if it would be more than the server takes: it would close the whole connection for that. @param {Frame} frame */
  post(frame) {
    const text = JSON.stringify(frame);
    const max = this.#hello?.limits?.frame_bytes ?? Infinity;
    if (text.length * 3 > max && new TextEncoder().encode(text).length > max) return false;
    this.#socket.send(text);
    return true;
  }

  /** Asks whether somebody is there; if nothing at all is heard within the grace, there is not. */
  probe() {
    if (!this.open || this.#pinged) return;
    this.#pinged = true;
    this.post({ type: "ping" });
    this.#arm(HEARTBEAT_GRACE_MS, () => this.#watch());
  }

  /** Gives the socket up without waiting for a close handshake, which on a dead link takes very long. @param {string} reason */
  abandon(reason) {
    this.#socket.close();
    this.#end(1006, reason);
  }

  /** The end that the user wants. */
  close() {
    this.#release(new ChatError("closed"));
    this.#socket.close(1000);
  }

  /** @param {unknown} data */
  #receive(data) {
    this.#heardAt = this.#clock.now();
    this.#pinged = false;
    const frame = parseFrame(data);
    if (!frame) return;
    if (frame.type === "hello") return this.#greet(/** @type {any} */ (frame));
    if (!this.#hello) return;
    if (frame.type === "bye") {
      this.#bye = /** @type {any} */ (frame);
      return this.#handlers.onBye(/** @type {any} */ (frame));
    }
    const answer = this.#pending.get(frame.id);
    if (!answer) return this.#handlers.onFrame(frame);
    this.#pending.delete(frame.id);
    if (frame.type === "error") answer(errorFrom(frame), {});
    else answer(null, frame);
  }

  /** @param {Hello} hello */
  #greet(hello) {
    if (this.#hello) return;
    this.#hello = hello;
    this.#watch();
    this.#handlers.onHello(hello);
  }

  /**
   * The server's own pings are invisible to a page, so the page has to ask. Silence alone proves nothing, because
   * timers of hidden tabs run late: only an unanswered question does.
   */
  #watch() {
    if (this.#pinged) return this.abandon("heartbeat_timeout");
    const heartbeat = this.#hello?.heartbeat_ms || HEARTBEAT_MS;
    const left = this.#heardAt + heartbeat - this.#clock.now();
    if (left > 0) this.#arm(left, () => this.#watch());
    else this.probe();
  }

  /** @param {number} ms @param {() => void} callback */
  #arm(ms, callback) {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(callback, ms);
  }

  /** @param {number} code @param {string} reason */
  #end(code, reason) {
    if (this.#ended) return;
    this.#release(new ChatError("disconnected"));
    this.#handlers.onEnd({ code, reason, opened: this.#opened, bye: this.#bye });
  }

  /** @param {ChatError} error */
  #release(error) {
    this.#ended = true;
    this.#clock.clearTimeout(this.#timer);
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const answer of pending) answer(error, {});
  }
}

/** @param {unknown} data @returns {Frame | null} */
function parseFrame(data) {
  if (typeof data !== "string") return null;
  try {
    const frame = JSON.parse(data);
    return typeof frame?.type === "string" ? frame : null;
  } catch {
    return null;
  }
}

/** @type {Record<number, string>} */
const CLOSE_NAMES = {
  1001: "shutting_down", 1002: "protocol_error", 1007: "invalid_data", 1009: "too_large", 1011: "internal",
  4000: "slow_consumer", 4001: "heartbeat_timeout", 4002: "moved",
  4500: "unauthorized", 4501: "logged_out", 4502: "kicked", 4503: "banned", 4504: "abuse",
};

/** @param {End} end */
function mayReconnect({ code, bye }) {
  if (bye?.reconnect === false) return false;
  // 1005 and 1014 are what proxies in between make of a lost server.
  return [1001, 1005, 1006, 1011, 1012, 1013, 1014].includes(code) || (code >= 4000 && code < 4500);
}

// ---------------------------------------------------------------------------------------------------------- client

/** What a room may ask of its client. @typedef {ReturnType<Client["_link"]>} Link */

class Client extends TypedTarget {
  #options;
  #clock;
  #network;
  #backoff;
  #pacer;
  /** @type {ConnectionState} */ #state = { status: "closed", code: 1000, reason: "closed" };
  /** @type {Connection | null} */ #connection = null;
  /** @type {Hello | null} */ #hello = null;
  /** @type {Set<Room>} */ #rooms = new Set();
  /** Those that are joined, by the name the server uses. @type {Map<string, Room>} */ #joined = new Map();
  /** Counts attempts, so that an answer to an earlier one is recognised as stale. */
  #run = 0;
  #openedAt = 0;
  /** The server asked not to come before this time. */
  #notBefore = 0;
  /** @type {unknown} */ #timer = null;

  /** @param {ConnectOptions} options */
  constructor(options) {
    super();
    this.#options = { ...options, ...addresses(options) };
    this.#clock = options.clock ?? {
      now: () => Date.now(),
      setTimeout: (callback, ms) => setTimeout(callback, ms),
      clearTimeout: (timer) => clearTimeout(/** @type {any} */ (timer)),
    };
    this.#network = options.network === undefined ? browserWindow() : options.network;
    this.#backoff = new Backoff(options.random ?? Math.random, options.backoff);
    this.#pacer = new Pacer(this.#clock);
    this.reconnect();
  }

  get state() { return this.#state; }
  get hello() { return this.#hello; }
  get user() { return this.#hello?.user ?? null; }
  get name() { return this.#hello?.name ?? null; }
  get limits() { return this.#hello?.limits ?? null; }
  get rooms() { return [...this.#rooms]; }

  /** @param {string} name @param {JoinOptions} [options] */
  join(name, options) {
    const wanted = normalise(name);
    for (const room of this.#rooms) if (room.name === wanted) return room;
    const room = new Room(this._link(), wanted, options);
    this.#rooms.add(room);
    if (this.#state.status === "open") room._connected();
    return room;
  }

  reconnect() {
    const { status } = this.#state;
    if (status === "open" || status === "connecting") return;
    if (status === "closed") {
      this.#backoff.reset();
      this.#network?.addEventListener("online", this.#onOnline);
      this.#network?.addEventListener("offline", this.#onOffline);
    }
    this.#open();
  }

  close() {
    for (const room of this.#rooms) room._leave();
    this.#finish(1000, "closed");
  }

  /** @internal */
  _link() {
    return {
      clock: this.#clock,
      pacer: this.#pacer,
      backoff: () => new Backoff(this.#options.random ?? Math.random, this.#options.backoff),
      me: () => ({ user: this.user, name: this.name }),
      closed: () => this.#state.status === "closed",
      /** @param {Frame} frame @param {Answer} answer */
      request: (frame, answer) => {
        if (this.#connection) this.#connection.request(frame, answer);
        else answer(new ChatError("disconnected"), {});
      },
      /** @param {Frame} frame */
      post: (frame) => this.#connection?.open ? this.#connection.post(frame) : false,
      /** @param {Room} room */
      joined: (room) => { this.#joined.set(room.name, room); },
      /** @param {Room} room */
      gone: (room) => {
        this.#rooms.delete(room);
        if (this.#joined.get(room.name) === room) this.#joined.delete(room.name);
      },
      /** @param {string} reason */
      broken: (reason) => this.#connection?.abandon(reason),
    };
  }

  /** @param {ConnectionState} state */
  #become(state) {
    this.#state = state;
    this._emit("state", state);
  }

  async #open() {
    const run = ++this.#run;
    this.#clock.clearTimeout(this.#timer);
    this.#become({ status: "connecting", attempt: this.#backoff.attempt });
    let query, offered;
    try {
      [query, offered] = await Promise.all([current(this.#options.query), current(this.#options.subprotocols)]);
    } catch {
      // Whoever makes them (a token) could not: most likely offline.
      if (run === this.#run) this.#wait(0, "credentials_unavailable");
    }
    if (run !== this.#run) return;
    this.#dial(withQuery(this.#options.socketUrl, query), [...new Set([...(offered ?? []), SUBPROTOCOL])]);
  }

  /** @param {string} url @param {string[]} protocols */
  #dial(url, protocols) {
    const env = {
      WebSocket: this.#options.WebSocket ?? globalThis.WebSocket,
      clock: this.#clock,
      timeoutMs: this.#options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    };
    try {
      this.#connection = new Connection(env, url, protocols, {
        onHello: (hello) => this.#onHello(hello),
        onFrame: (frame) => this.#onFrame(frame),
        onBye: (bye) => this._emit("bye", bye),
        onEnd: (end) => this.#onEnd(end),
      });
    } catch (error) {
      // The browser refuses the address or a subprotocol itself: it will tomorrow, too.
      this.#finish(1002, error instanceof Error ? error.message : "refused");
    }
  }

  /** @param {Hello} hello */
  #onHello(hello) {
    if (this.#hello && this.#hello.user !== hello.user) for (const room of this.#rooms) room._forget();
    this.#hello = hello;
    this.#openedAt = this.#clock.now();
    this.#notBefore = 0;
    this.#pacer.perSecond = hello.limits?.sends_per_second || Infinity;
    const run = this.#run;
    this._emit("hello", hello);
    if (run === this.#run) this.#become({ status: "open" });
    for (const room of this.rooms) if (this.#connection?.open) room._connected();
  }

  /** @param {Frame} frame */
  #onFrame(frame) {
    if (frame.type === "error") this._emit("error", errorFrom(frame));
    else if (frame.type === "notice") this._emit("notice", { name: frame.name, data: frame.data });
    else this.#joined.get(frame.room)?._receive(frame);
  }

  /** @param {End} end */
  #onEnd(end) {
    this.#connection = null;
    this.#joined.clear();
    const wasOpen = this.#state.status === "open";
    if (wasOpen && this.#clock.now() - this.#openedAt >= STABLE_MS) this.#backoff.reset();
    const run = this.#run;
    for (const room of this.rooms) room._disconnected();
    if (run !== this.#run) return; // a listener has closed the client meanwhile
    const reason = end.bye?.code || CLOSE_NAMES[end.code] || end.reason;
    if (!mayReconnect(end)) this.#finish(end.code, reason || "closed_by_server");
    else if (end.opened) this.#wait(end.bye?.after_ms ?? 0, reason || "connection_lost");
    else this.#explain(run);
  }

  /** A browser hides why a handshake failed; `session` answers with the same status, and that can be read. @param {number} run */
  async #explain(run) {
    const answer = await this.#askSession();
    if (run !== this.#run) return;
    if (answer.status === 401) this.#finish(401, "unauthorized");
    else if (answer.status === 403) this.#finish(403, "forbidden");
    else this.#wait(answer.retryAfterMs, answer.code);
  }

  /** @returns {Promise<{status: number, retryAfterMs: number, code: string}>} */
  async #askSession() {
    const { sessionUrl, subprotocols, query, headers, connectTimeoutMs } = this.#options;
    const unknown = { status: 0, retryAfterMs: 0, code: "connection_failed" };
    if (!sessionUrl || (subprotocols && !headers)) return unknown;
    const abort = new AbortController();
    const timer = this.#clock.setTimeout(() => abort.abort(), connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
    try {
      const ask = this.#options.fetch ?? globalThis.fetch.bind(globalThis);
      const url = withQuery(sessionUrl, await current(query));
      const init = { headers: await current(headers), cache: "no-store", credentials: "include", signal: abort.signal };
      const response = await ask(url, /** @type {RequestInit} */ (init));
      const { status } = response;
      if (status !== 429 && status !== 503) return { ...unknown, status };
      const code = (await response.json().catch(() => null))?.error?.code ?? "try_later";
      return { status, retryAfterMs: retryAfterMs(response.headers.get("retry-after"), this.#clock.now()), code };
    } catch {
      return unknown;
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }

  /** @param {number} atLeastMs What the server asked for. @param {string} reason */
  #wait(atLeastMs, reason) {
    const now = this.#clock.now();
    const attempt = this.#backoff.attempt;
    this.#notBefore = now + atLeastMs;
    const retryAt = now + Math.max(atLeastMs, this.#backoff.next());
    this.#waitUntil(retryAt, attempt, reason);
  }

  /** @param {number} retryAt @param {number} attempt @param {string} reason */
  #waitUntil(retryAt, attempt, reason) {
    const run = ++this.#run;
    this.#clock.clearTimeout(this.#timer);
    this.#become({ status: "waiting", retryAt, attempt, reason });
    if (run === this.#run) this.#countDown(run, retryAt);
  }

  /** @param {number} run @param {number} retryAt */
  #countDown(run, retryAt) {
    const left = retryAt - this.#clock.now();
    if (left <= 0) return void this.#open();
    this._emit("countdown", { seconds: Math.ceil(left / 1_000), retryAt });
    if (run !== this.#run) return;
    this.#timer = this.#clock.setTimeout(() => this.#countDown(run, retryAt), left % 1_000 || 1_000);
  }

  /** @param {number} code @param {string} reason */
  #finish(code, reason) {
    this.#run++;
    this.#clock.clearTimeout(this.#timer);
    this.#network?.removeEventListener("online", this.#onOnline);
    this.#network?.removeEventListener("offline", this.#onOffline);
    this.#connection?.close();
    this.#connection = null;
    this.#joined.clear();
    if (this.#state.status === "closed") return;
    this.#become({ status: "closed", code, reason });
    for (const room of this.rooms) room._closed(new ChatError("closed", reason));
  }

  #onOnline = () => {
    this.#connection?.probe();
    if (this.#state.status !== "waiting") return;
    const { attempt, reason } = this.#state;
    if (this.#notBefore > this.#clock.now()) this.#waitUntil(this.#notBefore, attempt, reason);
    else this.#open();
  };

  #onOffline = () => this.#connection?.probe();
}

/** @param {ConnectOptions} options @returns {{socketUrl: URL, sessionUrl: URL | null}} */
function addresses({ url, mount }) {
  const base = globalThis.document?.baseURI ?? import.meta.url;
  const root = mount === undefined ? new URL(".", import.meta.url) : new URL(mount, base);
  const socketUrl = withScheme(url === undefined ? beneath(root, "ws") : new URL(url, base), /^http/, "ws");
  if (url === undefined || mount !== undefined) return { socketUrl, sessionUrl: beneath(root, "session") };
  if (!socketUrl.pathname.endsWith("/ws")) return { socketUrl, sessionUrl: null };
  const sessionUrl = withScheme(new URL(socketUrl), /^ws/, "http");
  sessionUrl.pathname = sessionUrl.pathname.replace(/ws$/, "session");
  return { socketUrl, sessionUrl };
}

/** @param {URL} root @param {string} leaf */
const beneath = ({ origin, pathname }, leaf) => new URL(`${pathname.replace(/\/+$/, "")}/${leaf}`, origin);

/** @param {URL} url @param {RegExp} from @param {string} to */
function withScheme(url, from, to) {
  url.protocol = url.protocol.replace(from, to);
  url.hash = ""; // a WebSocket's address may not have one
  return url;
}

/** @param {URL} url @param {Record<string, string>} [query] */
function withQuery(url, query = {}) {
  const full = new URL(url);
  for (const [key, value] of Object.entries(query)) full.searchParams.append(key, value);
  return full.href;
}

/** @returns {EventTarget | null} */
const browserWindow = () => (typeof window === "undefined" ? null : window);

// ------------------------------------------------------------------------------------------------------------ room

class Room extends TypedTarget {
  #link;
  #options;
  #timeline;
  #queue;
  #typing;
  #roster = new Roster();
  #backoff;
  /** @type {RoomState} */ #state = "joining";
  /** @type {ChatError | null} */ #error = null;
  /** @type {string | null} */ #epoch = null;
  #seq = 0;
  #more = false;
  /** Counts the `joined`, so that an answer from before one is recognised as stale. */
  #cut = 0;
  /** A `join` has been sent on this connection. */
  #asked = false;
  /** @type {unknown} */ #timer = null;
  /** @type {Promise<{entries: Entry[], more: boolean}> | null} */ #loadingOlder = null;
  /** @type {Promise<{more: boolean}> | null} */ #loadingMembers = null;
  /** @type {(room: Room) => void} */ #resolveReady = () => {};
  /** @type {(error: ChatError) => void} */ #rejectReady = () => {};

  /** @param {Link} link @param {string} name @param {JoinOptions} [options] */
  constructor(link, name, options = {}) {
    super();
    this.#link = link;
    this.#options = options;
    this.name = name;
    this.#backoff = link.backoff();
    const emit = this._emit.bind(this);
    this.#timeline = new Timeline(emit, () => link.me().user, (entry) => this.#queue.drop(entry), {
      retry: (entry) => this.#retry(entry),
      discard: (entry) => this.#discard(entry),
    });
    this.#queue = new SendQueue(link, this.#timeline, () => (this.#state === "joined" ? this.name : null));
    this.#typing = new Typing(link.clock, (users) => emit("typing", { users }));
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    this.ready.catch(() => {}); // nobody has to wait for it
  }

  get state() { return this.#state; }
  get error() { return this.#error; }
  get epoch() { return this.#epoch; }
  get seq() { return this.#seq; }
  get entries() { return this.#timeline.entries; }
  get more() { return this.#more; }
  get members() { return this.#roster.members; }
  get membersMore() { return this.#roster.more; }
  get typingUsers() { return this.#typing.users; }

  /** @param {string} body @param {{data?: unknown, nonce?: string}} [options] */
  send(body, { data, nonce = randomNonce() } = {}) {
    if (typeof body !== "string") throw new TypeError("a message's body is a string");
    const known = this.#timeline.unsent(nonce);
    if (known) {
      known.retry();
      return known;
    }
    // A copy, so that a later repeat says the same even if the caller goes on changing the object.
    const copy = data === undefined ? undefined : JSON.parse(JSON.stringify(data));
    const entry = this.#timeline.compose({ ...this.#link.me(), body, data: copy, nonce, at: this.#link.clock.now() });
    this.#typing.rest();
    this.#enqueue(entry);
    return entry;
  }

  /** @param {Entry | number} message */
  async redact(message) {
    const seq = typeof message === "number" ? message : message.seq;
    if (seq === null) throw new ChatError("not_found", "the message is not sent");
    await this.#request({ type: "redact", seq });
  }

  /** @param {string} name @param {unknown} [data] */
  signal(name, data) {
    return this.#state === "joined" && this.#link.post({ type: "signal", room: this.name, name, data });
  }

  typing() { if (this.#state === "joined" && this.#typing.mayTell()) this.signal("typing"); }

  /** @param {number} [limit] */
  loadOlder(limit) {
    this.#loadingOlder ??= this.#loadOlder(limit).finally(() => { this.#loadingOlder = null; });
    return this.#loadingOlder;
  }

  loadMembers() {
    this.#loadingMembers ??= this.#loadMembers().finally(() => { this.#loadingMembers = null; });
    return this.#loadingMembers;
  }

  /** @param {number} keep */
  trim(keep) {
    const gone = this.#timeline.trim(keep);
    if (gone.length > 0) this.#more = true;
    return gone;
  }

  /** @returns {Promise<void>} */
  leave() {
    const asked = this.#asked;
    this._leave();
    if (!asked) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#link.request({ type: "leave", room: this.name }, (error) => {
        // Without the connection, or not in the room: that is where we wanted to be.
        if (!error || ["disconnected", "closed", "not_in_room"].includes(error.code)) resolve();
        else reject(error);
      });
    });
  }

  /** @internal */
  _connected() {
    this.#backoff.reset();
    this.#join();
  }

  /** @internal */
  _disconnected() {
    this.#rest();
    if (this.#state === "joined") this.#become("joining");
  }

  /** The client has ended; `reconnect()` may bring it, and the room, back. @internal @param {ChatError} error */
  _closed(error) {
    this._disconnected();
    this.#queue.failAll(error);
    this.#rejectReady(error);
  }

  /** @internal */
  _leave() { this.#leaveAs("left", new ChatError("not_joined")); }

  /** Another user is logged in now: nothing that was known can be continued. @internal */
  _forget() { this.#epoch = null; }

  /** @internal @param {Frame} frame */
  _receive(frame) {
    switch (frame.type) {
      case "message": return this.#deliver(/** @type {any} */ (frame));
      case "redacted": return this.#redacted(frame.seq, frame.by ?? null);
      case "presence": return this.#presence(frame);
      case "signal": return this.#signalled(frame);
      case "joined": return this.#enter(frame, false);
      case "removed":
        this.#leaveAs("removed", new ChatError("not_joined", frame.code));
        return this._emit("removed", { code: frame.code, reason: frame.reason ?? null });
    }
  }

  // Coming and going.

  #join() {
    if (this.#state !== "joining" || this.#asked) return;
    this.#asked = true;
    const { history, meta } = this.#options;
    const resume = this.#epoch === null ? undefined : { epoch: this.#epoch, seq: this.#seq };
    this.#link.request({ type: "join", room: this.name, history, meta, resume }, (error, frame) => {
      if (this.#state !== "joining") return; // left while the answer was under way
      if (!error) this.#enter(frame, resume !== undefined);
      else if (error.code !== "disconnected" && error.code !== "closed") this.#refused(error);
    });
  }

  /** @param {ChatError} error */
  #refused(error) {
    this.#asked = false;
    if (!TRANSIENT.has(error.code)) return this.#leaveAs("refused", new ChatError("not_joined", error.message), error);
    const wait = Math.max(error.retryAfterMs ?? 0, this.#backoff.next());
    this.#timer = this.#link.clock.setTimeout(() => this.#join(), wait);
    this.#become("joining", error);
  }

  /** The one cut: from here on, everything follows from the frames in order. @param {Frame} frame @param {boolean} asked */
  #enter(frame, asked) {
    const sameLife = frame.epoch === this.#epoch;
    const newLife = this.#epoch !== null && !sameLife;
    const resumed = asked && sameLife && frame.resumed === true;
    const cut = ++this.#cut;
    this.name = frame.room;
    this.#epoch = frame.epoch;
    this.#roster.replace(frame.members ?? [], frame.members_more === true, this.#link.me().user);
    this.#typing.clear();
    this.#more = frame.more === true && (!resumed || this.#more);
    if (!resumed) {
      this.#seq = frame.seq;
      this.#timeline.replace(frame.messages ?? [], frame.seq, sameLife);
    }
    this.#link.joined(this);
    if (this.#state !== "joined") this.#become("joined");
    this._emit("joined", { resumed, newLife });
    this.#emitMembers();
    for (const seq of frame.redacted ?? []) this.#redacted(seq, null);
    if (resumed) for (const message of frame.messages) this.#deliver(message);
    // Whether those that were under way have been shown is not known in the new life, and their nonces are not either.
    if (!sameLife) this.#queue.failTried(new ChatError("room_ended"));
    this.#queue.flush();
    this.#resolveReady(this);
    if (this.#options.allMembers !== false) this.#loadAllMembers(cut);
  }

  /** @param {RoomState} state @param {ChatError} forEntries @param {ChatError | null} [error] */
  #leaveAs(state, forEntries, error = null) {
    if (this.#final) return;
    this.#cut++;
    this.#link.gone(this);
    this.#rest();
    this.#become(state, error);
    this.#queue.failAll(forEntries);
    this.#rejectReady(error ?? forEntries);
  }

  #rest() {
    this.#asked = false;
    this.#link.clock.clearTimeout(this.#timer);
    this.#typing.clear();
  }

  get #final() { return this.#state !== "joining" && this.#state !== "joined"; }

  /** @param {RoomState} state @param {ChatError | null} [error] */
  #become(state, error = null) {
    this.#state = state;
    this.#error = error;
    this._emit("state", { state, error });
  }

  // Messages.

  /** @param {Message} message */
  #deliver(message) {
    if (this.#state !== "joined" || message.seq <= this.#seq) return;
    // Never seen from a correct server. What is missing comes with the resume on a new connection.
    if (message.seq !== this.#seq + 1) return this.#link.broken("gap");
    this.#seq = message.seq;
    if (message.user !== null) this.#typing.stopped(message.user);
    this.#timeline.accept(message);
  }

  /** @param {number} seq @param {string | null} by */
  #redacted(seq, by) { this._emit("redacted", { seq, by, entry: this.#timeline.redact(seq) }); }

  /** @param {Entry} entry */
  #enqueue(entry) {
    if (this.#final) this.#timeline.fail(entry, new ChatError("not_joined"));
    else if (this.#link.closed()) this.#timeline.fail(entry, new ChatError("closed"));
    else this.#queue.add(entry);
  }

  /** @param {Entry} entry */
  #retry(entry) {
    if (entry.state !== "failed") return;
    this.#timeline.revive(entry);
    this.#enqueue(entry);
  }

  /** @param {Entry} entry */
  #discard(entry) { if (entry.state === "failed") this.#timeline.remove(entry); }

  /** @param {number} [limit] @returns {Promise<{entries: Entry[], more: boolean}>} */
  async #loadOlder(limit) {
    if (!this.#more) return { entries: [], more: false };
    const cut = this.#cut;
    return this.#request({ type: "history", before: this.#timeline.floor, limit }, (frame) => {
      if (cut !== this.#cut) return { entries: [], more: this.#more }; // of an earlier life, perhaps
      this.#more = frame.more === true;
      const entries = this.#timeline.prepend(frame.messages);
      this._emit("older", { entries, more: this.#more });
      return { entries, more: this.#more };
    });
  }

  // People.

  /** @param {Frame} frame */
  #presence(frame) {
    const { joined, left } = this.#roster.apply(frame.joined ?? [], frame.left ?? [], this.#link.me().user);
    for (const { user } of left) this.#typing.stopped(user);
    if (joined.length + left.length === 0) return;
    this._emit("presence", { joined, left });
    this.#emitMembers();
  }

  #emitMembers() { this._emit("members", { size: this.members.size, more: this.membersMore }); }

  /** @returns {Promise<{more: boolean}>} */
  async #loadMembers() {
    if (!this.#roster.more) return { more: false };
    const cut = this.#cut;
    const after = this.#roster.startPage();
    return this.#request({ type: "members", after }, (frame) => {
      if (cut !== this.#cut) return { more: this.#roster.more };
      this.#roster.addPage(frame.members, frame.more === true, this.#link.me().user);
      this.#emitMembers();
      return { more: this.#roster.more };
    });
  }

  /** @param {number} cut */
  async #loadAllMembers(cut) {
    while (cut === this.#cut && this.#state === "joined" && this.#roster.more) {
      try {
        await this.loadMembers();
      } catch (error) {
        if (!(error instanceof ChatError) || !TRANSIENT.has(error.code)) return;
        await new Promise((resolve) => this.#link.clock.setTimeout(() => resolve(null), error.retryAfterMs ?? 1_000));
      }
    }
  }

  /** @param {Frame} frame */
  #signalled({ user, name, data }) {
    if (name === "typing" && user !== this.#link.me().user) this.#typing.started(user);
    this._emit("signal", { user, name, data });
  }

  /**
   * `take` sees the answer at its place among the frames; the promise is only heard of later.
   * @template T @param {Frame} frame @param {(frame: Frame) => T} [take] @returns {Promise<T>}
   */
  #request(frame, take = (answer) => /** @type {any} */ (answer)) {
    return new Promise((resolve, reject) => {
      if (this.#final) return reject(new ChatError("not_joined"));
      if (this.#state !== "joined") return reject(new ChatError("disconnected"));
      this.#link.request({ ...frame, room: this.name }, (error, answer) => {
        if (error) reject(error);
        else resolve(take(answer));
      });
    });
  }
}

// -------------------------------------------------------------------------------------------------------- timeline

/** @typedef {{retry: (entry: Entry) => void, discard: (entry: Entry) => void}} EntryCommands */

class Entry {
  #commands;
  /** @type {((entry: Entry) => void)[]} */ #waiters = [];
  /** @type {"pending" | "sent" | "failed"} */ state = "pending";
  /** @type {ChatError | null} */ error = null;
  /** @type {number | null} */ seq = null;
  /** @type {string | null} */ user = null;
  /** @type {string | null} */ name = null;
  own = false;
  body = "";
  /** @type {unknown} */ data = undefined;
  at = 0;
  /** @type {string | null} */ nonce = null;
  redacted = false;

  /** @param {string} key @param {EntryCommands} commands */
  constructor(key, commands) {
    this.key = key;
    this.#commands = commands;
  }

  retry() { this.#commands.retry(this); }

  discard() { this.#commands.discard(this); }

  /** @returns {Promise<Entry>} */
  settled() {
    return this.state === "pending" ? new Promise((resolve) => this.#waiters.push(resolve)) : Promise.resolve(this);
  }

  /** @internal @param {Partial<Entry>} fields */
  _set(fields) {
    Object.assign(this, fields);
    if (this.state === "pending") return;
    for (const resolve of this.#waiters.splice(0)) resolve(this);
  }
}

/**
 * What is shown: sent entries by seq, without a hole from `floor` on, then the unsent ones. A message and the entry that
 * was shown for it before are one: found by seq, or by one's own nonce.
 */
class Timeline {
  #emit;
  #me;
  #onSent;
  #commands;
  /** @type {Entry[]} */ entries = [];
  /** @type {Map<number, Entry>} */ #bySeq = new Map();
  /** The pending and the failed ones. @type {Map<string, Entry>} */ #unsent = new Map();
  /** Redactions of messages that are not loaded. @type {Set<number>} */ #redacted = new Set();
  #keys = 0;
  /** The oldest seq that is loaded, or the next one if none is. */
  floor = 1;

  /**
   * @param {(type: string, detail: unknown) => void} emit @param {() => string | null} me
   * @param {(entry: Entry) => void} onSent Before the `update` is told. @param {EntryCommands} commands
   */
  constructor(emit, me, onSent, commands) {
    this.#emit = emit;
    this.#me = me;
    this.#onSent = onSent;
    this.#commands = commands;
  }

  /** @param {string} nonce */
  unsent(nonce) { return this.#unsent.get(nonce); }

  /** @param {Partial<Entry> & {nonce: string}} fields */
  compose(fields) {
    const entry = this.#create({ ...fields, own: true });
    this.#unsent.set(fields.nonce, entry);
    this.entries.push(entry);
    this.#emit("message", { entry, index: this.entries.length - 1 });
    return entry;
  }

  /** A delivered message. @param {Message} message */
  accept(message) {
    const entry = this.#find(message);
    if (entry) return this.#place(entry, this.#fields(message));
    const added = this.#create(this.#fields(message));
    const index = this.#insert(added);
    this.#emit("message", { entry: added, index });
  }

  /** The `sent` of an entry. @param {Entry} entry @param {number} seq @param {number} at */
  confirm(entry, seq, at) {
    const twin = this.#bySeq.get(seq);
    if (twin) {
      this.remove(twin); // its message came without the nonce
      const { user, name, body, data, redacted } = twin;
      entry._set({ user, name, body, data, redacted });
    }
    this.#place(entry, { seq, at, state: "sent", error: null, user: this.#me() });
    if (this.#redacted.delete(seq)) this.redact(seq);
    // Sent long ago, as a repeat has told: its place is in the history that is not loaded.
    if (seq < this.floor) this.remove(entry);
  }

  /** @param {Entry} entry @param {ChatError} error */
  fail(entry, error) { this.#place(entry, { state: "failed", error }); }

  /** @param {Entry} entry */
  revive(entry) { this.#place(entry, { state: "pending", error: null }); }

  /** @param {number} seq @returns {Entry | null} */
  redact(seq) {
    const entry = this.#bySeq.get(seq);
    if (entry) this.#place(entry, { redacted: true, body: "", data: undefined });
    else this.#redacted.add(seq);
    return entry ?? null;
  }

  /** @param {Message[]} messages @param {number} head The newest seq. @param {boolean} sameLife */
  replace(messages, head, sameLife) {
    if (!sameLife) {
      this.#redacted.clear();
      this.#bySeq.clear();
    }
    const sent = messages.map((message) => {
      const entry = this.#find(message) ?? this.#create({});
      entry._set(this.#fields(message));
      return entry;
    });
    this.#bySeq.clear();
    for (const entry of sent) this.#index(entry);
    this.entries = [...sent, ...this.#unsent.values()];
    this.floor = messages[0]?.seq ?? head + 1;
  }

  /** @param {Message[]} messages @returns {Entry[]} */
  prepend(messages) {
    const older = messages.filter(({ seq }) => seq < this.floor);
    if (older.length === 0) return [];
    this.floor = older[0].seq;
    const added = older.filter((message) => !this.#find(message)).map((message) => this.#create(this.#fields(message)));
    for (const entry of added) this.#index(entry);
    this.entries.unshift(...added);
    for (const message of older) if (!this.#bySeq.has(message.seq)) this.accept(message);
    return added;
  }

  /** @param {number} keep @returns {Entry[]} */
  trim(keep) {
    const gone = this.entries.splice(0, Math.max(0, this.#bySeq.size - keep));
    for (const { seq } of gone) this.#bySeq.delete(/** @type {number} */ (seq));
    const last = gone.at(-1)?.seq;
    if (last) this.floor = this.entries[0]?.seq ?? last + 1;
    return gone;
  }

  /** @param {Entry} entry */
  remove(entry) {
    const index = this.entries.lastIndexOf(entry);
    if (index < 0) return;
    this.entries.splice(index, 1);
    if (entry.seq !== null) this.#bySeq.delete(entry.seq);
    else if (entry.nonce !== null) this.#unsent.delete(entry.nonce);
    this.#emit("remove", { entry, index });
  }

  /** @param {Partial<Entry>} fields */
  #create(fields) {
    const entry = new Entry(`m${++this.#keys}`, this.#commands);
    entry._set(fields);
    return entry;
  }

  /** A nonce is known per user: another one's same nonce is another message. @param {Message} message */
  #find({ seq, user, nonce }) {
    return this.#bySeq.get(seq) ?? (nonce !== undefined && user === this.#me() ? this.#unsent.get(nonce) : undefined);
  }

  /** @param {Message} message @returns {Partial<Entry>} */
  #fields({ seq, user, name, body, at, data, nonce, redacted }) {
    const gone = redacted === true || this.#redacted.delete(seq);
    return {
      state: "sent", error: null, seq, user, name: name ?? null, own: user !== null && user === this.#me(), at,
      body: gone ? "" : body, data: gone ? undefined : data, nonce: nonce ?? null, redacted: gone,
    };
  }

  /** Changes an entry and puts it where it belongs now. @param {Entry} entry @param {Partial<Entry>} fields */
  #place(entry, fields) {
    const from = this.entries.lastIndexOf(entry);
    const { seq, nonce } = entry;
    entry._set({ ...fields, nonce: fields.nonce ?? nonce });
    let index = from;
    if (entry.seq !== seq) {
      this.entries.splice(from, 1);
      index = this.#insert(entry);
    }
    this.#emit("update", { entry, index, from });
  }

  /** @param {Entry} entry */
  #insert(entry) {
    const seq = this.#index(entry);
    let index = this.entries.length;
    while (index > 0 && (this.entries[index - 1].seq ?? Infinity) > seq) index--;
    this.entries.splice(index, 0, entry);
    return index;
  }

  /** @param {Entry} entry */
  #index(entry) {
    const seq = /** @type {number} */ (entry.seq);
    this.#bySeq.set(seq, entry);
    if (entry.nonce !== null && this.#unsent.get(entry.nonce) === entry) this.#unsent.delete(entry.nonce);
    this.#onSent(entry);
    return seq;
  }
}

// ------------------------------------------------------------------------------------------------------ send queue

/** @typedef {{phase: "queued" | "under way" | "held", tried: boolean, unknowns: number}} Job */

/** What is still to be sent, in order. A repeat carries the entry's nonce, so it cannot double what was sent before. */
class SendQueue {
  #link;
  #timeline;
  #room;
  /** @type {Map<Entry, Job>} */ #jobs = new Map();
  /** @type {unknown} */ #timer = null;

  /** @param {Link} link @param {Timeline} timeline @param {() => string | null} room Its name while it is joined. */
  constructor(link, timeline, room) {
    this.#link = link;
    this.#timeline = timeline;
    this.#room = room;
  }

  /** @param {Entry} entry */
  add(entry) {
    this.#jobs.set(entry, { phase: "queued", tried: false, unknowns: 0 });
    this.flush();
  }

  /** @param {Entry} entry */
  drop(entry) { this.#jobs.delete(entry); }

  flush() {
    for (const [entry, job] of this.#jobs) {
      const room = this.#room();
      if (room === null) return;
      if (job.phase !== "queued") continue;
      const wait = this.#link.pacer.take();
      if (wait > 0) return this.#flushIn(wait);
      this.#transmit(room, entry, job);
    }
  }

  /** @param {ChatError} error */
  failAll(error) { this.#fail([...this.#jobs.keys()], error); }

  /** Those that have been sent on a connection that is gone. @param {ChatError} error */
  failTried(error) {
    const tried = [...this.#jobs].filter(([, job]) => job.tried && job.phase !== "under way");
    this.#fail(tried.map(([entry]) => entry), error);
  }

  /** @param {Entry[]} entries @param {ChatError} error */
  #fail(entries, error) {
    for (const entry of entries) {
      if (this.#jobs.delete(entry)) this.#timeline.fail(entry, error);
    }
  }

  /** @param {string} room @param {Entry} entry @param {Job} job */
  #transmit(room, entry, job) {
    job.phase = "under way";
    job.tried = true;
    const { body, data, nonce } = entry;
    this.#link.request({ type: "send", room, body, data, nonce }, (error, frame) => {
      if (this.#jobs.get(entry) !== job) return; // its message came first
      job.phase = "queued";
      if (!error) this.#timeline.confirm(entry, frame.seq, frame.at);
      else if (error.code === "outcome_unknown" && job.unknowns++ < UNKNOWN_RETRIES) this.#hold(job, error);
      else if (error.code !== "disconnected" && error.code !== "closed") this.#fail([entry], error);
    });
  }

  /** @param {Job} job @param {ChatError} error */
  #hold(job, error) {
    job.phase = "held";
    this.#link.clock.setTimeout(() => {
      job.phase = "queued";
      this.flush();
    }, error.retryAfterMs ?? UNKNOWN_RETRY_MS);
  }

  /** @param {number} ms */
  #flushIn(ms) {
    this.#timer ??= this.#link.clock.setTimeout(() => {
      this.#timer = null;
      this.flush();
    }, ms);
  }
}

// ---------------------------------------------------------------------------------------------- presence and typing

/** Who is here. A Map, because `__proto__` is a good name for a user. */
class Roster {
  /** @type {Map<string, Member>} */ members = new Map();
  more = false;
  /** @type {string | undefined} */ #after = undefined;
  /** Named by a frame since the page was asked for: the page may be older than that. @type {Set<string>} */ #touched = new Set();

  /** @param {Member[]} members @param {boolean} more @param {string | null} me */
  replace(members, more, me) {
    this.members.clear();
    this.#after = undefined;
    this.#touched.clear();
    this.addPage(members, more, me);
  }

  /** What is new in it; ourselves we know. @param {Member[]} joined @param {string[]} left @param {string | null} me */
  apply(joined, left, me) {
    const came = joined.filter(({ user }) => user !== me && !this.members.has(user));
    const gone = left.flatMap((user) => (user === me ? [] : this.members.get(user) ?? []));
    for (const user of left) this.#touched.add(user);
    for (const { user } of joined) this.#touched.add(user);
    for (const member of joined) if (member.user !== me) this.members.set(member.user, member);
    for (const { user } of gone) this.members.delete(user);
    return { joined: came, left: gone };
  }

  startPage() {
    this.#touched.clear();
    return this.#after;
  }

  /** @param {Member[]} members @param {boolean} more @param {string | null} me */
  addPage(members, more, me) {
    for (const member of members) if (!this.#touched.has(member.user)) this.members.set(member.user, member);
    // One's own place in the list may be out of order, so the next page does not start there.
    const last = members.findLast(({ user }) => user !== me)?.user;
    this.more = more && last !== undefined && last !== this.#after;
    this.#after = last;
  }
}

class Typing {
  #clock;
  #onChange;
  #toldAt = -Infinity;
  /** @type {Map<string, unknown>} */ #timers = new Map();

  /** @param {Clock} clock @param {(users: string[]) => void} onChange */
  constructor(clock, onChange) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  get users() { return [...this.#timers.keys()]; }

  mayTell() {
    const now = this.#clock.now();
    if (now - this.#toldAt < TYPING_SEND_MS) return false;
    this.#toldAt = now;
    return true;
  }

  /** What was typed is sent: the next key press is news. */
  rest() { this.#toldAt = -Infinity; }

  /** @param {string} user */
  started(user) {
    const known = this.#timers.has(user);
    this.#clock.clearTimeout(this.#timers.get(user));
    this.#timers.set(user, this.#clock.setTimeout(() => this.stopped(user), TYPING_SHOW_MS));
    if (!known) this.#onChange(this.users);
  }

  /** @param {string} user */
  stopped(user) {
    if (!this.#timers.has(user)) return;
    this.#clock.clearTimeout(this.#timers.get(user));
    this.#timers.delete(user);
    this.#onChange(this.users);
  }

  clear() {
    if (this.#timers.size === 0) return;
    for (const timer of this.#timers.values()) this.#clock.clearTimeout(timer);
    this.#timers.clear();
    this.#onChange(this.users);
  }
}

// --------------------------------------------------------------------------------------------------------- entrance

/** @param {ConnectOptions} [options] */
export function connect(options = {}) {
  return new Client(options);
}
