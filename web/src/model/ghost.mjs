// A recording of one's own head and hands, played again and again where it was made.

import { between } from "../../../priv/static/roomfold/timeline.mjs";

const LONGEST_MS = 120_000;

/** @typedef {{position: number[], rotation: number[]}} Pose @typedef {{head: Pose, left?: Pose, right?: Pose}} Poses */

export class Ghost {
  /** @type {"empty" | "recording" | "playing"} */
  state = "empty";
  /** @type {{at: number, poses: Poses}[]} */
  #samples = [];
  #since = 0;

  /** Begins a recording; the old one is gone. @param {number} now milliseconds */
  record(now) {
    this.#samples = [];
    this.#since = now;
    this.state = "recording";
  }

  /** How things are now, once a frame. After two minutes it ends by itself. @param {Poses} poses @param {number} now */
  add(poses, now) {
    if (this.state !== "recording") return;
    const at = now - this.#since;
    if (at > LONGEST_MS) return this.play(now);
    this.#samples.push({ at, poses: structuredClone(poses) });
  }

  /** Ends the recording and plays it from its start. @param {number} now */
  play(now) {
    this.state = this.#samples.length ? "playing" : "empty";
    this.#since = now;
  }

  /** Forgets it. */
  clear() {
    this.#samples = [];
    this.state = "empty";
  }

  /** Milliseconds. */
  get length() {
    return this.#samples.at(-1)?.at ?? 0;
  }

  /** How long it has been recorded, or where it is. @param {number} now */
  position(now) {
    return this.state === "playing" ? (now - this.#since) % (this.length || 1) : this.length;
  }

  /** What is to be shown now; null: nothing. @param {number} now @returns {Poses | null} */
  at(now) {
    if (this.state !== "playing") return null;
    const time = this.position(now);
    const samples = this.#samples;
    let next = samples.findIndex(({ at }) => at > time);
    if (next < 0) next = samples.length - 1;
    const a = samples[Math.max(0, next - 1)];
    const b = samples[next];
    const share = b.at > a.at ? (time - a.at) / (b.at - a.at) : 0;
    const poses = {};
    for (const name of ["head", "left", "right"]) {
      if (a.poses[name] && b.poses[name]) poses[name] = between(name, a.poses[name], b.poses[name], share, 4);
    }
    return /** @type {Poses} */ (poses);
  }
}
