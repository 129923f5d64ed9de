// What the creator of a room may do there. The server knows who that is: this asks it how things stand, and passes orders on.

const NOBODY = { creator: false };

export class Moderation {
  #room;
  #changed;
  #standing = NOBODY;
  #asked = 0;

  /** `changed()` is called whenever things stand differently. */
  constructor(room, changed) {
    this.#room = room;
    this.#changed = changed;
  }

  /** Whether this window may moderate the life of the room that it shows. */
  get allowed() {
    return this.#standing.creator && this.#standing.epoch === this.#room.epoch;
  }

  get slowSeconds() {
    return this.#standing.slow_seconds;
  }

  isMuted(user) {
    return this.muted.includes(user);
  }

  /** Whom this room keeps out. */
  get banned() {
    return this.#standing.banned ?? [];
  }

  /** Who may not write in this room. */
  get muted() {
    return this.#standing.muted ?? [];
  }

  /** To be called on every join. Who resumes and is not the creator knows that already: a thousand who return at once need not ask. */
  joined(resumed) {
    if (!resumed || this.allowed) this.ask();
  }

  async ask() {
    const turn = ++this.#asked;
    const standing = await fetch(this.#address()).then((answer) => answer.ok && answer.json()).catch(() => false);
    // Without an answer nothing is known to be different; an older one than what is known is out of date.
    if (standing && turn === this.#asked) this.#take(standing);
  }

  /** `fields` is what is asked for; throws an error that says in words why not. */
  async order(fields) {
    const turn = ++this.#asked;
    const body = new URLSearchParams({ epoch: this.#standing.epoch, ...fields });
    const answer = await fetch(this.#address(), { method: "POST", body }).catch(() => null);
    if (!answer) throw new Error("The server cannot be reached.");
    if (!answer.ok) throw new Error(await answer.text());
    const standing = await answer.json();
    if (turn === this.#asked) this.#take(standing);
  }

  /** The room is over for this window. */
  end() {
    this.#asked += 1;
    this.#take(NOBODY);
  }

  #take(standing) {
    this.#standing = standing;
    this.#changed();
  }

  #address() {
    return `/rooms/${encodeURIComponent(this.#room.name)}/moderation`;
  }
}
