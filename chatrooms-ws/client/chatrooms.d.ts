/**
 * The browser client of chatrooms, protocol `chatrooms.v1.json`.
 *
 * ```js
 * import { connect } from "/chat/chatrooms.js";
 *
 * const client = connect({ mount: "/chat" });
 * client.on("state", (state) => banner(state));
 *
 * const room = client.join("lobby", { history: 50 });
 * room.on("joined", ({ resumed }) => { if (!resumed) renderAll(room.entries); });
 * room.on("message", ({ entry, index }) => insert(entry, index));
 * room.on("update", ({ entry, index }) => refresh(entry, index));
 *
 * const entry = room.send("hello");      // shown at once, entry.state === "pending"
 * ```
 *
 * One client is one WebSocket. It reconnects, resumes its rooms and sends again what was not answered; no message
 * is doubled by that, because a repeat carries the same nonce.
 */

/** The subprotocol that is offered. */
export const SUBPROTOCOL: "chatrooms.v1.json";

/** Starts to connect and returns at once. Without `url` and `mount`: the mount this module was loaded from. */
export function connect(options?: ConnectOptions): Client;

export interface ConnectOptions {
  /** Where the server is mounted, absolute or relative to the page: `"/chat"`, `"https://example.org/chat"`. */
  mount?: string | URL;
  /** The WebSocket's address instead: `"wss://example.org/chat/ws"`. The mount is what stands before `/ws`. */
  url?: string | URL;
  /** Added to the query of the WebSocket and of `session`. A function is asked before each attempt (fresh tokens). */
  query?: Dynamic<Record<string, string>>;
  /**
   * Subprotocols to offer, for authenticators that read a token there: `["token.ABC"]`. `chatrooms.v1.json` is added where it is missing.
   * A browser takes letters, digits and ``!#$%&'*+-.^_`|~``, no `/` and no `=`. A function is asked before each attempt.
   * A browser cannot repeat them in the `session` request, so that one is then asked only if `headers` are given too; without it a token
   * that has ended looks like a server that is away, and is tried again and again.
   */
  subprotocols?: Dynamic<readonly string[]>;
  /** Headers of the `session` request, e.g. `{ Authorization: "Bearer ..." }`. A function is asked before each request. */
  headers?: Dynamic<Record<string, string>>;
  /** How long a handshake may take. Default 15,000 ms. */
  connectTimeoutMs?: number;
  /** The back-off: a random wait of 0 to `min(capMs, baseMs * 2^attempt)`. Default 1,000 and 30,000 ms. */
  backoff?: { baseMs?: number; capMs?: number };

  /** Replaces the global WebSocket. */
  WebSocket?: new (url: string, protocols: string[]) => WebSocket;
  /** Replaces the global fetch. */
  fetch?: typeof fetch;
  /** Replaces time. */
  clock?: Clock;
  /** Replaces `Math.random` for the back-off's jitter. Nonces come from `crypto`. */
  random?: () => number;
  /** Who tells of `online` and `offline`. Default: the window, where there is one. */
  network?: EventTarget | null;
}

export type Dynamic<T> = T | (() => T | Promise<T>);

export interface Clock {
  now(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

// ---------------------------------------------------------------------------------------------------------- events

/** An EventTarget with known events. Every event is a `CustomEvent` whose `detail` is described in the map. */
export interface TypedEventTarget<Events> extends EventTarget {
  addEventListener<K extends keyof Events & string>(
    type: K,
    listener: ((event: CustomEvent<Events[K]>) => void) | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** Calls `handler` with the event's detail; the returned function ends that. */
  on<K extends keyof Events & string>(
    type: K,
    handler: (detail: Events[K]) => void,
    options?: AddEventListenerOptions,
  ): () => void;
}

// ---------------------------------------------------------------------------------------------------------- client

export type ConnectionState =
  | { readonly status: "connecting"; readonly attempt: number }
  | { readonly status: "open" }
  /** Between two attempts, the next one at `retryAt` (ms since the epoch). `reason`: why the last one ended. */
  | { readonly status: "waiting"; readonly retryAt: number; readonly attempt: number; readonly reason: string }
  /**
   * Over; only `reconnect()` starts again. `code`: the close code, or 401 / 403 for a refused handshake.
   * `reason`: `closed` (by `close()`), `unauthorized`, `forbidden`, `logged_out`, `kicked`, `banned`, `abuse`, ...
   */
  | { readonly status: "closed"; readonly code: number; readonly reason: string };

export interface ClientEvents {
  state: ConnectionState;
  /** Once a second while `waiting`. */
  countdown: { readonly seconds: number; readonly retryAt: number };
  hello: Hello;
  bye: Bye;
  /** An error that answers no request. */
  error: ChatError;
  /** What the host tells this user on all of their connections, whatever rooms they are in. It is never kept. */
  notice: { readonly name: string; readonly data: unknown };
}

export interface Client extends TypedEventTarget<ClientEvents> {
  readonly state: ConnectionState;
  /** What the last `hello` said; null before the first. */
  readonly hello: Hello | null;
  /** Who the server says we are; null before the first `hello`. */
  readonly user: string | null;
  readonly name: string | null;
  readonly limits: Limits | null;
  /** The rooms joined or being joined. */
  readonly rooms: readonly Room[];
  /** Joins a room, now or when the connection is open. A room that is joined already is returned as it is. */
  join(room: string, options?: JoinOptions): Room;
  /** Tries at once instead of at `retryAt`; starts again after `closed`, with credentials that are asked for anew. */
  reconnect(): void;
  /** Ends the session and all rooms. */
  close(): void;
}

export interface JoinOptions {
  /** How many recent messages to begin with. The server's default is 50. */
  history?: number;
  /** Shown to the others beside this user, up to `limits.meta_bytes`. */
  meta?: Record<string, unknown>;
  /** Load all pages of a long member list (default), or only the first: then see `membersMore`. */
  allMembers?: boolean;
}

// ------------------------------------------------------------------------------------------------------------ room

/**
 * - `joining`: not in the room now, but it will be as soon as the connection allows (also while reconnecting).
 * - `joined`: in the room.
 * - `left`: by `leave()` or `client.close()`. `removed`: see the event. `refused`: the server said no, see `error`.
 *   These three are final; `client.join` makes a new Room.
 */
export type RoomState = "joining" | "joined" | "left" | "removed" | "refused";

export interface RoomEvents {
  state: { readonly state: RoomState; readonly error: ChatError | null };
  /**
   * We are in the room. `resumed: true`: what was missed follows as `message` events. `resumed: false`: `room.entries`
   * has been replaced, render it anew; `newLife`: it is not the epoch that was known before, the room had ended.
   * `members` has been replaced in both cases.
   */
  joined: { readonly resumed: boolean; readonly newLife: boolean };
  /** A new entry, one's own optimistic ones included. `index` is its place in `room.entries`. */
  message: { readonly entry: Entry; readonly index: number };
  /** An entry has changed (sent, failed, retried, redacted); `index` is its place now, `from` that before. */
  update: { readonly entry: Entry; readonly index: number; readonly from: number };
  /** An entry is gone: discarded, or found to be the same message as another one. */
  remove: { readonly entry: Entry; readonly index: number };
  /** Older entries stand now at the front of `room.entries`. */
  older: { readonly entries: readonly Entry[]; readonly more: boolean };
  /** A message was taken back; `entry` is null if it is not loaded. The entry's `update` comes first. */
  redacted: { readonly seq: number; readonly by: string | null; readonly entry: Entry | null };
  /** Who came and who went, never oneself. */
  presence: { readonly joined: readonly Member[]; readonly left: readonly Member[] };
  /** `room.members` has changed in whatever way. */
  members: { readonly size: number; readonly more: boolean };
  /** Who is typing now, never oneself. */
  typing: { readonly users: readonly string[] };
  signal: { readonly user: string; readonly name: string; readonly data: unknown };
  removed: { readonly code: "kicked" | "banned" | "room_closed" | (string & {}); readonly reason: string | null };
}

export interface Room extends TypedEventTarget<RoomEvents> {
  /** As the server normalised it; before the first `joined` as it was asked for. */
  readonly name: string;
  readonly state: RoomState;
  /** Why the room is `refused` or the join is being tried again; null otherwise. */
  readonly error: ChatError | null;
  /** Resolves at the first `joined`; rejects with a ChatError if that never comes. */
  readonly ready: Promise<Room>;
  readonly epoch: string | null;
  /** The newest message that has been delivered; 0 if none. */
  readonly seq: number;

  /** Sent messages by `seq`, then the pending and failed ones in the order of sending. */
  readonly entries: readonly Entry[];
  /** Older messages than the first entry are kept by the server. */
  readonly more: boolean;
  readonly members: ReadonlyMap<string, Member>;
  /** `members` is not complete. */
  readonly membersMore: boolean;
  readonly typingUsers: readonly string[];

  /**
   * Shows the message at once as a pending entry and sends it, now or when the room is joined. Never throws for what
   * the server may refuse: that is the entry's `failed`. The same `nonce` again returns the same entry while it is pending.
   */
  send(body: string, options?: { data?: unknown; nonce?: string }): Entry;
  /** Takes a message back. */
  redact(message: Entry | number): Promise<void>;
  /** Tells all others in the room; never stored. False if it could not be sent now. */
  signal(name: string, data?: unknown): boolean;
  /** Call it on every key press: it tells the others at most every 3 s. What they show ends after 6 s or with a message. */
  typing(): void;
  /** Loads older messages to the front. Calls while one is under way share its answer. */
  loadOlder(limit?: number): Promise<{ entries: readonly Entry[]; more: boolean }>;
  /** Loads the next page of members; only of use with `allMembers: false`. */
  loadMembers(): Promise<{ more: boolean }>;
  /** Forgets the oldest sent entries beyond `keep` and returns them; `loadOlder` brings them back. */
  trim(keep: number): readonly Entry[];
  leave(): Promise<void>;
}

/** A message in a room. The object stays the same for its life, from pending to sent. */
export interface Entry {
  /** Unique in the room and stable: use it as the key when rendering. */
  readonly key: string;
  readonly state: "pending" | "sent" | "failed";
  /** Why it is `failed`; null otherwise. */
  readonly error: ChatError | null;
  /** Null until sent. */
  readonly seq: number | null;
  /** Null: the host itself. */
  readonly user: string | null;
  readonly name: string | null;
  /** Written by this user, in whichever tab. */
  readonly own: boolean;
  readonly body: string;
  readonly data: unknown;
  /** ms since the epoch; this browser's time until sent. */
  readonly at: number;
  readonly nonce: string | null;
  readonly redacted: boolean;
  /** Sends a failed one again, with the same nonce. */
  retry(): void;
  /** Removes a failed one. */
  discard(): void;
  /** Resolves when it is no longer pending; never rejects. */
  settled(): Promise<Entry>;
}

export interface Member {
  readonly user: string;
  readonly name?: string;
  readonly connections: number;
  readonly meta?: Record<string, unknown>;
}

// ------------------------------------------------------------------------------------------------------------ wire

export interface Limits {
  readonly body_bytes: number;
  readonly data_bytes: number;
  readonly meta_bytes: number;
  readonly frame_bytes: number;
  readonly reply_bytes: number;
  readonly rooms_per_session: number;
  readonly sends_per_second: number;
  readonly history: number;
  readonly presence_exact: number;
}

export interface Hello {
  readonly session: string;
  readonly user: string;
  readonly name?: string;
  readonly heartbeat_ms: number;
  readonly limits: Limits;
}

export interface Bye {
  readonly code: string;
  readonly reason: string;
  readonly reconnect: boolean;
  readonly after_ms: number;
}

/** What a server of protocol version 1 may answer; a host's own begin with `x-`. Treat unknown ones as `forbidden`. */
export type ServerErrorCode =
  | "bad_request" | "unknown_type" | "too_large" | "invalid_room" | "invalid_user" | "not_in_room"
  | "already_in_room" | "forbidden" | "banned" | "muted" | "room_full" | "too_many_rooms" | "too_many_sessions"
  | "server_full" | "busy" | "rate_limited" | "slow_mode" | "store_unavailable" | "outcome_unknown" | "not_found"
  | "unauthorized" | "shutting_down" | "internal";

/**
 * What this module itself says:
 * - `disconnected`: the connection ended before the answer came.
 * - `closed`: the client is closed for good.
 * - `not_joined`: the room is not joined (any more).
 * - `room_ended`: the room ended while a message was under way, so nobody knows whether it was shown there.
 */
export type ClientErrorCode = "disconnected" | "closed" | "not_joined" | "room_ended";

export class ChatError extends Error {
  constructor(code: string, message?: string, retryAfterMs?: number | null);
  /** As the server sent it. */
  readonly code: ServerErrorCode | ClientErrorCode | (string & {});
  /** `code`, or `forbidden` where that is unknown to this module: for choosing what to say. */
  readonly kind: ServerErrorCode | ClientErrorCode;
  /** How long to wait before trying again; null if the server did not say. */
  readonly retryAfterMs: number | null;
}
