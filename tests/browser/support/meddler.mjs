// Between page and server: changes single frames of the real conversation, for what only moderation or a broken disk causes.

export class Meddler {
  #socket = null;
  #rules = [];

  /** From the page's next socket on. */
  async attach(page) {
    await page.routeWebSocket(/\/chat\/ws/, (socket) => {
      this.#socket = socket;
      const server = socket.connectToServer();
      socket.onMessage((frame) => this.#pass(JSON.parse(frame), "toServer", (text) => server.send(text)));
      server.onMessage((frame) => this.#pass(JSON.parse(frame), "toPage", (text) => socket.send(text)));
    });
  }

  /** `answer(frame)`: null lets a request through, a frame is answered to the page in the server's place. */
  refuse(answer) {
    this.#rules.push(answer);
  }

  /** The server goes back to doing what it does. */
  relent() {
    this.#rules = [];
  }

  /** Says something to the page in the server's name. */
  tell(frame) {
    this.#socket.send(JSON.stringify(frame));
  }

  /** Ends the connection as the server would. */
  hangUp(code, reason) {
    return this.#socket.close({ code, reason });
  }

  #pass(frame, direction, on) {
    const answer = direction === "toServer" && this.#rules.map((rule) => rule(frame)).find(Boolean);
    if (answer) this.tell({ id: frame.id, ...answer });
    else on(JSON.stringify(frame));
  }
}
