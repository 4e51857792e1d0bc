// What a client says of where it is: the newest, at most so often; packed where both sides can.

import { encodeInput } from "../wire.mjs";

const POSES = ["head", "left", "right"];

/**
 * @typedef {Object<string, any>} Poses position, rotation, head, left, right
 * @typedef {{user: string, packed: boolean, world: import("./world.mjs").World}} Side who says it, and what of
 * @typedef {{
 *   side: () => Side | null,
 *   send: (event: string, payload: Object<string, any> | ArrayBuffer, refused: (reply: any) => void) => void,
 *   acknowledged: (seq: number) => void,
 *   refused: (event: string, reply: any) => void
 * }} Channel side: null: nothing can be sent now; acknowledged: an input said that this is here
 */

export class Inputs {
  #options;
  #channel;
  /** @type {Poses | null} */
  #poses = null;
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
    this.#channel.send(move, frame ?? { user_id: side.user, ...poses }, (reply) => {
      if (frame === null || reply?.reason !== "not_supported") return this.#channel.refused(move, reply);
      // A server that takes no packed ones gets JSON from now on, and this one again.
      this.#packs = false;
      this.add({ ...poses, ...this.#poses });
    });
  }

  // It acknowledges besides. What is no pose in it is an event in it.
  #packed(poses, { user, world }) {
    const whole = ([name, pose]) => POSES.includes(name) && Boolean(pose?.position && pose?.rotation);
    const parts = Object.entries(poses);
    const rest = Object.fromEntries(parts.filter((part) => !whole(part)));
    const events = Object.keys(rest).length > 0 ? [[this.#options.move, { user_id: user, ...rest }]] : [];
    const bytes = encodeInput({ ...Object.fromEntries(parts.filter(whole)), ack: world.seq, input: ++this.#count, events }, world.schema);
    this.#channel.acknowledged(world.seq);
    return bytes.slice().buffer;
  }
}
