// A recorded player in a live room: Phoenix's npm client as it is, a real WebSocket, and the acts of a recording in their own time.

import { Socket } from "phoenix";
import WebSocket from "ws";

import { Room } from "../../../priv/static/roomfold.mjs";

/** @typedef {import("./recording.mjs").Act} Act */

const key = (position) => position.map(Math.fround).join();

export class Player {
  /** @type {Room} */
  room;
  /** Milliseconds until the server answered what it was told. @type {number[]} */
  replies = [];
  refused = 0;
  said = 0;

  #socket;
  #webSocket = null;
  #timer = null;
  // Where it said it is → when it said so.
  #sent = new Map();

  /**
   * @param {number} port of the gateway @param {string} user @param {string} topic
   * @param {import("../../../priv/static/roomfold/room.mjs").Options} [options]
   */
  constructor(port, user, topic, options = {}) {
    const self = this;
    class Transport extends WebSocket {
      constructor(...args) {
        super(...args);
        self.#webSocket = this;
      }
    }
    this.user = user;
    this.#socket = new Socket(`ws://127.0.0.1:${port}/socket`, {
      transport: Transport,
      params: { user_id: user },
      reconnectAfterMs: () => 100,
      rejoinAfterMs: () => 100,
    });
    this.room = new Room(this.#socket, topic, { move: "player_moved", inputHz: 1000, ...options });
  }

  /** @returns {Promise<Object<string, any>>} */
  join() {
    this.#socket.connect();
    return this.room.join();
  }

  /** Does what was recorded, once or over and over. @param {Act[]} acts @param {number} length ms @param {boolean} [again] */
  play(acts, length, again = false) {
    this.stop();
    let start = performance.now();
    let next = 0;
    const step = () => {
      if (next === acts.length && again) [start, next] = [start + length, 0];
      const now = performance.now() - start;
      while (next < acts.length && acts[next].ms <= now) this.#act(acts[next++]);
      const wait = (next < acts.length ? acts[next].ms : length) - (performance.now() - start);
      if (next < acts.length || again) this.#timer = setTimeout(step, Math.max(0, wait));
    };
    step();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #act({ name, payload }) {
    // Meanwhile it stands still.
    if (this.room.status !== "joined") return;
    this.said++;
    if (name === "player_moved") {
      this.#sent.set(key(payload.position), performance.now());
      this.room.input({ position: payload.position, rotation: payload.rotation });
    } else {
      const at = performance.now();
      const seen = { seen_seq: this.room.world.seq };
      this.room.push(name, name === "weapon_fired" ? { ...payload, ...seen } : payload).then(
        () => this.replies.push(performance.now() - at),
        () => this.refused++,
      );
    }
  }

  /** How long ago it said that it is there, in milliseconds; undefined if it never did. @param {number[]} position */
  since(position) {
    const at = this.#sent.get(key(position));
    return at === undefined ? undefined : performance.now() - at;
  }

  /** Its tab is closed: the connection goes without a word, and it does not come back. */
  vanish() {
    this.stop();
    this.#webSocket.terminate();
    this.#socket.disconnect();
  }

  async leave() {
    this.stop();
    await this.room.leave();
    this.#socket.disconnect();
  }
}
