// What a client says of where it is: the newest, at most so often; packed where both sides can.

import { encodeInput } from "../wire.mjs";

const POSES = ["head", "left", "right"];

/**
 * @typedef {Object<string, any>} Poses position, rotation, head, left, right
 * @typedef {{user: string, packed: boolean, world: import("./world.mjs").World}} Side who says it, and what of
 * @typedef {{
 *   side: () => Side | null,
 *   send: (event: string, payload: Object<string, any> | ArrayBuffer, answer: {taken: () => void, refused: (reply: any) => void}) => void,
 *   acknowledged: (seq: number) => void,
 *   refused: (event: string, reply: any) => void
 * }} Channel side: null: nothing can be sent now; acknowledged: an input said that this is here
 */

export class Inputs {
  #options;
  #channel;
  /** @type {Poses | null} */
  #poses = null;
  /** What was sent and not answered yet, the newest of each part. @type {Poses | null} */
  #sent = null;
  #at = -Infinity;
  #timer = null;
  #count = 0;
  #packs = true;

  /** @param {{move: string, inputHz: number, now: () => number}} options @param {Channel} channel */
  constructor(options, channel) {
    this.#options = options;
    this.#channel = channel;
  }

  /** What is newer takes the place of what waits. @param {Poses} poses */
  add(poses) {
    this.#poses = { ...this.#poses, ...poses };
    this.flush();
  }

  /** After a new join: what was not answered may have got lost with the connection. */
  again() {
    if (this.#sent) this.#poses = { ...this.#sent, ...this.#poses };
    this.flush();
  }

  /** Sends what waits, now or when it is time. */
  flush() {
    const side = this.#channel.side();
    if (!this.#poses || !side) return;
    const wait = this.#at + 1000 / this.#options.inputHz - this.#options.now();
    if (wait > 0) {
      this.#timer ??= setTimeout(() => {
        this.#timer = null;
        this.flush();
      }, wait);
      return;
    }
    const poses = this.#poses;
    this.#poses = null;
    this.#at = this.#options.now();
    this.#send(poses, side);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #send(poses, side) {
    const { move } = this.#options;
    const frame = this.#packs && side.packed && side.world.schema ? this.#packed(poses, side) : null;
    const sent = (this.#sent = { ...this.#sent, ...poses });
    // Answers come in order: with the newest, all are answered.
    const taken = () => this.#sent === sent && (this.#sent = null);
    const refused = (reply) => {
      taken();
      if (frame === null || reply?.reason !== "not_supported") return this.#channel.refused(move, reply);
      // A server that takes no packed ones gets JSON from now on, and this one again.
      this.#packs = false;
      this.add({ ...poses, ...this.#poses });
    };
    this.#channel.send(move, frame ?? { user_id: side.user, ...poses }, { taken, refused });
  }

  // It acknowledges besides. What is no pose in it is an event in it. null: the format can't say it, and the server is to say why.
  #packed(poses, { user, world }) {
    const whole = ([name, pose]) => POSES.includes(name) && isPose(pose);
    const parts = Object.entries(poses);
    const rest = Object.fromEntries(parts.filter((part) => !whole(part)));
    const events = Object.keys(rest).length > 0 ? [[this.#options.move, { user_id: user, ...rest }]] : [];
    let bytes;
    try {
      bytes = encodeInput({ ...Object.fromEntries(parts.filter(whole)), ack: world.seq, input: this.#count + 1, events }, world.schema);
    } catch {
      return null;
    }
    this.#count++;
    this.#channel.acknowledged(world.seq);
    return bytes.slice().buffer;
  }
}

const isNumbers = (value, count) => typeof value === "object" && value?.length === count && Array.from(value, Math.fround).every(Number.isFinite);

// And nothing besides: a frame has no place for it.
const isPose = (value) => isNumbers(value?.position, 3) && isNumbers(value.rotation, 4) && Object.keys(value).length === 2;
