// A live room over a channel of the npm `phoenix` client (or a replay of one): its world, its events, who is here, and what
// this client says. It comes back by itself where it was, without a gap.

import { versions } from "../wire.mjs";
import { Inputs } from "./inputs.mjs";
import { People } from "./presence.mjs";
import { Timeline, View } from "./timeline.mjs";
import { GapError, World } from "./world.mjs";

/**
 * @typedef {"connecting" | "joined" | "rejoining" | "closed"} Status
 * @typedef {{
 *   format?: "json" | "packed",
 *   events?: boolean,
 *   presence?: boolean,
 *   params?: Object<string, any>,
 *   token?: string | (() => string),
 *   move?: string,
 *   inputHz?: number,
 *   delayTicks?: number,
 *   teleport?: number,
 *   now?: () => number
 * }} Options
 *   format: "packed" falls back to "json" where one side can't; events: those that a diff does not tell; presence: who is here;
 *   params: for the room; token: says who one is where the channel asks for one, a function is asked at each join; move: the event that `input` sends ("user_moved"); inputHz: how often at most (20); delayTicks: how many
 *   of the longer of tick and input what `at` shows is behind (2); teleport: metres in one tick that are a jump and not a way (4); now: a clock in milliseconds
 */

/** Why the server did not take something. */
export class RoomError extends Error {
  /** @param {{reason?: string, message?: string, index?: number, field?: string, component?: string}} reply index: of several events the one that is at fault */
  constructor(reply) {
    super(reply?.message ?? reply?.reason ?? "no reason was given");
    this.name = "RoomError";
    this.reason = reply?.reason ?? "unknown";
    this.index = reply?.index;
    this.field = reply?.field ?? reply?.component;
    this.reply = reply;
  }
}

// Reading an acknowledgement costs the server about what sending a diff does, so there are few: each time that a quarter of what may be
// unacknowledged has come. JSON comes parsed: what an entity weighs is guessed, so there it is a sixteenth.
const MAX_UNACKNOWLEDGED = 1048576;
const SHARE = { packed: 1 / 4, json: 1 / 16 };
const ENTITY_BYTES = 128;
// And so long after the last at most. A guess that is much too low would make one lag, for which the server has less patience (15 s).
const ACK_MS = { packed: 30000, json: 2000 };

const GONE = "the connection is gone";
// A browser does not tell which.
const UNREACHABLE = "the server can't be reached, or refuses the connection";

export class Room {
  world = new World();
  /** @type {Status} */
  status = "closed";
  /** Why it is not joined, for a person; "" if it is. */
  reason = "not joined yet";
  /** What the server said at the last join. @type {Object<string, any> | null} */
  joined = null;
  /** Who sends system events, where a client does. @type {string | null} */
  authority = null;

  #options;
  #socket;
  #channel;
  #timeline;
  #people = new People();
  #listeners = new Map();
  #refs = [];
  #first = null;
  #leaving = false;
  #resume = false;
  /** Whether a frame could not be used: those that follow can't either, until the next join. */
  #lacks = false;
  /** Why the server said that it is going to close it. @type {string | null} */
  #closing = null;
  #ack = { seq: 0, sent: 0, at: 0, bytes: 0, timer: null };
  #inputs;

  /**
   * @param {import("phoenix").Socket} socket of the npm `phoenix` client, connected or not
   * @param {string} topic "room:ID" or "replay:NAME"
   * @param {Options} [options] RangeError: a format or a number that can't be meant
   */
  constructor(socket, topic, options = {}) {
    // A copy: it changes.
    this.#options = { format: "json", events: false, presence: false, params: {}, move: "user_moved", inputHz: 20, now: () => performance.now(), ...options };
    check(this.#options);
    this.#socket = socket;
    this.#timeline = new Timeline(this.#options);
    this.#channel = socket.channel(topic, () => this.#joinParams());
    this.#inputs = this.#makeInputs();
    this.#bind();
  }

  get topic() {
    return this.#channel.topic;
  }

  /** The user that the server knows this client as. @returns {string | undefined} */
  get user() {
    return this.joined?.user;
  }

  /** Ids of the users who are here, sorted (with the option `presence`). @returns {string[]} */
  get presence() {
    return this.#people.list();
  }

  // --- joining and leaving ---------------------------------------------------------------------------

  /**
   * Joins, once: who is refused, or has left, needs a new Room. While the server can't be reached it goes on trying, and `status`
   * and `reason` say so.
   * @returns {Promise<Object<string, any>>} what the server said, when the world is here
   * @throws {RoomError} if the server refuses, or `leave` was called before (`left`)
   */
  join() {
    if (this.#first) return this.#first.promise;
    if (this.#leaving) return Promise.reject(new RoomError({ reason: "left" }));
    this.#first = withResolvers();
    this.#setStatus("connecting", "");
    this.#channel
      .join()
      .receive("ok", (reply) => this.#onJoined(reply))
      .receive("error", (reply) => this.#onRefused(reply))
      .receive("timeout", () => this.#setStatus(this.joined ? "rejoining" : "connecting", "the server does not answer"));
    return this.#first.promise;
  }

  /** Leaves: the others see it at once. @returns {Promise<void>} */
  leave() {
    this.#leaving = true;
    this.#stopTimers();
    return new Promise((resolve) => {
      if (!this.#first) this.#close("left");
      if (this.status === "closed") return resolve();
      this.#channel.leave().receive("ok", resolve).receive("timeout", resolve);
    });
  }

  #joinParams() {
    const { format, events, presence, params, token } = this.#options;
    const asked = { format, events, presence, params };
    if (token !== undefined) asked.token = typeof token === "function" ? token() : token;
    if (format === "packed") asked.versions = versions;
    if (this.#resume) Object.assign(asked, { last_seq: this.world.seq, last_term: this.joined.term });
    return asked;
  }

  #onJoined(reply) {
    this.joined = reply;
    this.#closing = null;
    this.#lacks = false;
    if (reply.tick_ms !== this.#timeline.tickMs) {
      this.#timeline.tickMs = reply.tick_ms;
      this.#timeline.clear();
    }
    this.#ack = { ...this.#ack, sent: this.world.seq, bytes: 0 };
    this.#setStatus("joined", "");
    this.#inputs.again();
  }

  #onRefused(reply) {
    const error = new RoomError(reply);
    if (this.joined) return this.#setStatus("rejoining", error.message);
    // No use in trying again.
    this.#first.reject(error);
    this.#close(error.message);
    this.#channel.leave();
  }

  // --- what comes ------------------------------------------------------------------------------------

  #bind() {
    const channel = this.#channel;
    for (const kind of ["snapshot", "diff"]) channel.on(kind, (payload) => this.#onFrame(payload));
    channel.on("events", ({ events }) => events.forEach((event) => this.#emit("event", event)));
    channel.on("presence_state", (state) => this.#onPeople(() => this.#people.reset(state, channel.joinRef())));
    channel.on("presence_diff", (diff) => this.#onPeople(() => this.#people.change(diff, channel.joinRef())));
    // The room has come back as another process, perhaps on another node, and we are still in it.
    channel.on("term", ({ term }) => {
      this.joined = { ...this.joined, term };
      // Until its first frame is here, the world is the one of the term before.
      this.#resume = false;
    });
    channel.on("authority", ({ user }) => this.#emit("authority", (this.authority = user)));
    channel.on("closing", (payload) => {
      this.reason = this.#closing = payload.message ?? readable(payload);
      this.#emit("closing", payload);
    });
    channel.onError((reason) => this.#lost(readable(reason) ?? this.#closing ?? this.#stopped()));
    channel.onClose(() => this.#close(this.#leaving ? "left" : this.reason || "the server closed it"));
    this.#refs.push(
      this.#socket.onError(() => this.#lost(UNREACHABLE)),
      this.#socket.onClose((event) => this.#lost(event?.reason || GONE)),
    );
  }

  #onFrame(payload) {
    // Each error would begin the wait for the next join anew.
    if (this.#lacks) return;
    let frame;
    try {
      frame = this.world.apply(payload);
    } catch (error) {
      // Never in a conversation that goes right. What can't be read is asked for as JSON, from the beginning.
      if (!(error instanceof GapError)) {
        this.#resume = false;
        this.#options.format = "json";
      }
      return this.#again(error);
    }
    if (frame === null) return;
    this.#resume = true;
    const kind = "entities" in frame ? "snapshot" : "diff";
    if (kind === "snapshot") this.#timeline.clear();
    else this.#timeline.add(frame, this.world, this.#options.now());
    this.#received(payload, frame);
    this.#emit(kind, frame);
    this.#first.resolve(this.joined);
  }

  // What was missed comes with the next join.
  #again(error) {
    this.#lacks = true;
    this.#setStatus("rejoining", error.message);
    this.#channel.trigger("phx_error", error.message);
  }

  #onPeople(change) {
    change();
    this.#emit("presence", this.presence);
  }

  // Before 1.8 Phoenix's client gives no reason when a connection ends.
  #stopped() {
    return this.#socket.isConnected() ? "the server had to stop this room's channel" : GONE;
  }

  #lost(reason) {
    // Each attempt that fails ends a connection, too.
    if (reason === GONE && this.reason === UNREACHABLE) return;
    if (this.status === "joined" || this.status === "rejoining") this.#setStatus("rejoining", reason);
    else if (this.status === "connecting") this.#setStatus("connecting", reason);
  }

  #close(reason) {
    this.#stopTimers();
    this.#socket.off(this.#refs);
    this.#setStatus("closed", reason);
    this.#first?.reject(new RoomError({ reason: this.#leaving ? "left" : "closed", message: reason }));
    // Nobody may be waiting for it.
    this.#first?.promise.catch(() => {});
  }

  #setStatus(status, reason) {
    if (this.status === status && this.reason === reason) return;
    this.status = status;
    this.reason = reason;
    this.#emit("status", { status, reason });
  }

  // --- acknowledging ---------------------------------------------------------------------------------

  #received(payload, frame) {
    const ack = this.#ack;
    ack.seq = frame.seq;
    ack.bytes += payload.byteLength ?? ENTITY_BYTES * Object.keys(frame.entities ?? { ...frame.creates, ...frame.updates }).length;
    const format = payload.byteLength === undefined ? "json" : "packed";
    const bytes = SHARE[format] * (this.joined?.max_unacknowledged ?? MAX_UNACKNOWLEDGED);
    const left = ACK_MS[format] - (this.#options.now() - ack.at);
    if (ack.bytes >= bytes || left <= 0) this.#sendAck();
    else ack.timer ??= setTimeout(() => this.#sendAck(), left);
  }

  #sendAck() {
    const ack = this.#ack;
    clearTimeout(ack.timer);
    Object.assign(ack, { timer: null, at: this.#options.now(), bytes: 0 });
    if (ack.sent === ack.seq || !this.#canSend()) return;
    ack.sent = ack.seq;
    // No answer comes.
    this.#channel.push("ack", { seq: ack.seq }, 1000);
  }

  // --- what this client says ---------------------------------------------------------------------------

  #canSend() {
    return this.status === "joined" && this.#socket.isConnected();
  }

  /**
   * Says what happened.
   * @param {string} name of the event @param {Object<string, any>} [payload]
   * @returns {Promise<Object<string, any>>} `{seq}` when it is in the room's log; of a replay: where it is
   * @throws {RoomError} with `reason`, `message` and perhaps `field`
   */
  push(name, payload = {}) {
    if (this.status === "closed") return Promise.reject(new RoomError({ reason: "not_joined", message: `not joined: ${this.reason}` }));
    return new Promise((resolve, reject) => {
      this.#channel
        .push(name, payload)
        .receive("ok", resolve)
        .receive("error", (reply) => reject(new RoomError(reply)))
        .receive("timeout", () => reject(new RoomError({ reason: "timeout", message: "the server did not answer in time" })));
    });
  }

  /**
   * Says where this user is. Sent at most so often; what is newer takes the place of what waits. Nothing is answered; what is
   * refused is told by "refused".
   * @param {{position?: number[], rotation?: number[], head?: any, left?: any, right?: any}} poses
   */
  input(poses) {
    this.#inputs.add(poses);
  }

  #makeInputs() {
    return new Inputs(this.#options, {
      side: () => (this.#canSend() ? { user: this.user, packed: this.joined.format === "packed", world: this.world } : null),
      send: (event, payload, { taken, refused }) => this.#channel.push(event, payload, 1000).receive("ok", taken).receive("error", refused),
      acknowledged: (seq) => Object.assign(this.#ack, { sent: Math.max(this.#ack.sent, seq), at: this.#options.now(), bytes: 0 }),
      // Nobody waits for an answer to an input: who wants to know listens.
      refused: (event, reply) => {
        const { reason, message, field } = new RoomError(reply);
        this.#emit("refused", { event, reason, message, field });
      },
    });
  }

  #stopTimers() {
    clearTimeout(this.#ack.timer);
    this.#ack.timer = null;
    this.#inputs.stop();
  }

  // --- looking ---------------------------------------------------------------------------------------

  /**
   * The world as it is to be shown: positions and rotations between ticks, a little behind. Once a frame.
   * @param {number} [time] milliseconds of the room's clock (`performance.now()`)
   * @returns {View}
   */
  at(time = this.#options.now()) {
    return new View(this.world, this.#timeline, time - this.#timeline.delayMs);
  }

  /**
   * Calls a function for each `"event"` (of the stream), `"diff"`, `"snapshot"`, `"presence"` (ids of users), `"authority"` (a user
   * or null), `"status"` (`{status, reason}`), `"refused"` (`{event, reason, message, field}`: an input) and `"closing"` (`{reason, message}`: the server is about to close it).
   * @param {"event" | "diff" | "snapshot" | "presence" | "authority" | "status" | "refused" | "closing"} name @param {(value: any) => void} listener
   * @returns {() => void} ends it
   */
  on(name, listener) {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  // A listener that throws is its own affair: the others and the room go on.
  #emit(name, value) {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        listener(value);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

// What Phoenix's client and server call their reasons; undefined: they say no more than that there was one.
const REASONS = {
  connection_error: GONE,
  connection_closed: GONE,
  heartbeat_timeout: "the server does not answer",
  channel_crash: undefined,
  too_slow: "it was read too slowly",
  replaced: "the same user has joined once more",
};

// Options that can't be meant are said at once: with 0 inputs a second nothing would ever be sent, or shown.
function check({ format, inputHz, delayTicks = 0, teleport = 0 }) {
  if (format !== "json" && format !== "packed") throw new RangeError(`format must be "json" or "packed", got: ${format}`);
  if (!(inputHz > 0)) throw new RangeError(`inputHz must be above 0, got: ${inputHz}`);
  if (!(delayTicks >= 0)) throw new RangeError(`delayTicks must be 0 or more, got: ${delayTicks}`);
  if (!(teleport >= 0)) throw new RangeError(`teleport must be 0 or more, got: ${teleport}`);
}

function readable(reason) {
  const text = typeof reason === "string" ? reason : reason?.reason;
  return typeof text !== "string" || Object.hasOwn(REASONS, text) ? REASONS[text] : text;
}

function withResolvers() {
  let resolve, reject;
  const promise = new Promise((yes, no) => ([resolve, reject] = [yes, no]));
  return { promise, resolve, reject };
}
