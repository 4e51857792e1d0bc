// The page's conversation with a room or a replay: the client, and what the page keeps of what comes.

import { reconnectAfterMs, rejoinAfterMs, Room } from "../../priv/static/roomfold.mjs";
import { paramsNow } from "./load.mjs";
import { Feed } from "./model/feed.mjs";
import { Playback } from "./model/playback.mjs";
import { Stream } from "./model/inspector.mjs";
import { Socket } from "./vendor.mjs";

const INFO_MS = 1000;
const TELEPORT = 6; // metres in one step

/**
 * @typedef {import("./model/identity.mjs").Place} Place
 * @typedef {{socket: string, level: string, params: Object<string, any>, format: "json" | "packed", replays: string[]}} Config
 * @typedef {{onEvent: (event: any) => void, onDiff: (diff: any) => void, onSnapshot: (snapshot: any) => void, onStatus: () => void,
 *   onRefused: (refused: {event: string, message: string, reason: string}) => void}} Listeners
 */

export class Link {
  stream = new Stream();
  playback = new Playback();
  /** Ids that were ever a player here. @type {Set<string>} */
  players = new Set();
  feed = new Feed((id) => this.players.has(id));
  #timer = null;
  /** Where a replay was when the connection broke. @type {import("./model/playback.mjs").Info | null} */
  #broken = null;

  /** @param {Place & {id: string}} place @param {string} user @param {Config} config @param {Listeners} listeners */
  constructor(place, user, config, listeners) {
    this.place = place;
    this.listeners = listeners;
    this.replay = place.kind === "replay";
    let { params } = config;
    this.socket = new Socket(config.socket, { params: () => ({ ...params, user_id: user }), reconnectAfterMs, rejoinAfterMs });
    // What the page was told may have expired, or belong to a cookie in whose place another tab has got one.
    this.socket.onClose(() => paramsNow().then((now) => (params = now), () => {}));
    this.room = new Room(this.socket, `${place.kind}:${place.id}`, { format: config.format, events: true, presence: !this.replay, move: "user_moved", teleport: TELEPORT });
    this.#bind();
  }

  #bind() {
    const { room, stream, feed, listeners } = this;
    room.on("event", (event) => {
      stream.event(event);
      feed.event(event, performance.now());
      listeners.onEvent(event);
    });
    room.on("diff", (diff) => {
      this.#meet(diff.creates);
      stream.diff(diff);
      listeners.onDiff(diff);
    });
    room.on("snapshot", (snapshot) => {
      this.#meet(snapshot.entities);
      stream.snapshot(snapshot);
      if (this.replay) feed.restart(snapshot.seq);
      else feed.snapshot(snapshot.seq);
      listeners.onSnapshot(snapshot);
    });
    room.on("presence", (users) => feed.people(users, performance.now()));
    room.on("status", ({ status }) => {
      if (this.#timer !== null) this.#keepPlace(status);
      listeners.onStatus();
    });
    room.on("refused", (refused) => listeners.onRefused(refused));
  }

  #meet(entities) {
    for (const [id, { kind, head }] of Object.entries(entities)) if (kind === "player" || (kind === undefined && head)) this.players.add(id);
  }

  /** Joins; rejected if the server refuses. */
  async join() {
    this.socket.connect();
    const reply = await this.room.join();
    if (this.replay) {
      this.playback.said(reply.replay, performance.now());
      this.#timer = setInterval(() => this.control("info"), INFO_MS);
    }
    return reply;
  }

  // The server plays it from its beginning for who comes back: on from where one was.
  async #keepPlace(status) {
    const { playback } = this;
    if (status === "rejoining") this.#broken ??= { ...playback.info, position_ms: playback.position(performance.now()) };
    if (status !== "joined" || !this.#broken) return;
    const { paused, speed, position_ms } = this.#broken;
    this.#broken = null;
    if (paused) await this.control("pause");
    await this.control("speed", { speed });
    await this.control("seek", { ms: Math.round(position_ms) });
  }

  /** Says something; what is refused is told. @param {string} name @param {Object<string, any>} payload */
  async say(name, payload) {
    try {
      return await this.room.push(name, payload);
    } catch (error) {
      this.listeners.onRefused({ event: name, message: error.message, reason: error.reason });
      return null;
    }
  }

  /** Controls a replay. @param {"pause" | "resume" | "seek" | "speed" | "info"} what @param {Object<string, any>} [payload] */
  async control(what, payload = {}) {
    if (this.room.status !== "joined") return;
    const info = await this.say(what, payload);
    if (info) this.playback.said(info, performance.now());
  }

  leave() {
    clearInterval(this.#timer);
    const left = this.room.leave();
    left.then(() => this.socket.disconnect());
    return left;
  }
}
