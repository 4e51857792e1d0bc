// Where everything is between two ticks. What is shown is a little behind what is known, so that there is nearly always a
// value on both sides; nothing is guessed: what does not come stands still.

const POSES = ["head", "left", "right", "pose"];

/**
 * @typedef {{position?: number[], rotation?: number[]}} Pose
 * @typedef {{at: number, value: any}} Sample
 */

/** Between a and b. @param {number[]} a @param {number[]} b @param {number} t 0 to 1 */
export function lerp(a, b, t) {
  return a.map((from, i) => from + (b[i] - from) * t);
}

/** Between two unit quaternions x y z w, the short way. @param {number[]} a @param {number[]} b @param {number} t 0 to 1 */
export function nlerp(a, b, t) {
  const same = a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3] >= 0 ? 1 : -1;
  const q = a.map((from, i) => from + (same * b[i] - from) * t);
  const length = Math.hypot(...q);
  return length > 0 ? q.map((n) => n / length) : b;
}

const isNumbers = (value, count) => Array.isArray(value) && value.length === count && value.every(Number.isFinite);

/** What can be between: a position, a rotation, or a pose of both (an object, or seven numbers). */
export function between(name, a, b, t, teleport = Infinity) {
  if (isNumbers(a, 3) && isNumbers(b, 3)) return name === "rotation" || distance(a, b) > teleport ? b : lerp(a, b, t);
  if (isNumbers(a, 4) && isNumbers(b, 4)) return nlerp(a, b, t);
  if (isNumbers(a, 7) && isNumbers(b, 7)) {
    return [...between("position", a.slice(0, 3), b.slice(0, 3), t, teleport), ...nlerp(a.slice(3), b.slice(3), t)];
  }
  if (a && b && typeof a === "object" && typeof b === "object" && !Array.isArray(a) && !Array.isArray(b)) {
    const pose = { ...b };
    for (const part of ["position", "rotation"]) if (a[part] && b[part]) pose[part] = between(part, a[part], b[part], t, teleport);
    return pose;
  }
  return b;
}

const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);

/**
 * When each tick was, by the receiver's clock: ticks come late by what the network makes of it, but they were sent on a grid.
 */
export class Clock {
  #last = null;

  /** @param {number} tickMs */
  constructor(tickMs) {
    this.tickMs = tickMs;
  }

  /** The time of a tick that has come now. @param {number} now milliseconds */
  stamp(now) {
    const ticks = this.#last === null ? Infinity : Math.max(1, Math.round((now - this.#last) / this.tickMs));
    if (ticks > 10) return (this.#last = now);
    const expected = this.#last + ticks * this.tickMs;
    // A tenth of the way to what was seen: the clocks drift.
    return (this.#last = expected + (now - expected) * 0.1);
  }
}

/** The last of everything that moves: a second, and no less than what is yet to be shown. */
export class Timeline {
  /** @type {Map<string, Map<string, Sample[]>>} id → component → samples, oldest first */
  #tracks = new Map();
  #clock;
  /** @type {{at: number, from: number, seq: number}[]} of diffs, oldest first */
  #seqs = [];

  /**
   * @param {{tickMs?: number, inputHz?: number, delayTicks?: number, teleport?: number, keepMs?: number}} [options] tickMs: of the
   *   room; inputHz: how often those who move say so, if that is less often
   */
  constructor({ tickMs = 50, inputHz = Infinity, delayTicks = 2, teleport = 4, keepMs = 1000 } = {}) {
    this.#clock = new Clock(tickMs);
    this.tickMs = tickMs;
    this.inputHz = inputHz;
    this.delayTicks = delayTicks;
    this.teleport = teleport;
    this.keepMs = keepMs;
  }

  /** When the last diff was. */
  get last() {
    return this.#seqs.at(-1)?.at ?? -Infinity;
  }

  /** From one value of something that moves to the next, in milliseconds. */
  get stepMs() {
    return Math.max(this.tickMs, 1000 / this.inputHz);
  }

  /** How far what is shown is behind, in milliseconds. */
  get delayMs() {
    return this.delayTicks * this.stepMs;
  }

  // What is shown lies between a value that is so old and the next.
  get #keptMs() {
    return Math.max(this.keepMs, this.delayMs + this.stepMs);
  }

  /** Everything anew. */
  clear() {
    this.#tracks.clear();
    this.#seqs = [];
    this.#clock = new Clock(this.tickMs);
  }

  /**
   * A diff that has just been applied.
   * @param {import("./world.mjs").Diff} diff @param {import("./world.mjs").World} world @param {number} now milliseconds
   */
  add(diff, world, now) {
    const at = this.#clock.stamp(now);
    this.#seqs.push({ at, from: diff.from, seq: diff.seq });
    dropOld(this.#seqs, at - this.#keptMs);
    for (const id of diff.deletes) this.#tracks.delete(id);
    for (const id of Object.keys(diff.creates)) this.#tracks.delete(id);
    for (const [id, changes] of Object.entries(diff.updates)) {
      for (const name of ["position", "rotation", ...POSES]) {
        if (name in changes) this.#addTo(id, name, world.previous(id)?.[name], changes[name], at);
      }
    }
  }

  #addTo(id, name, before, value, at) {
    let tracks = this.#tracks.get(id);
    if (!tracks) this.#tracks.set(id, (tracks = new Map()));
    let samples = tracks.get(name);
    if (!samples) tracks.set(name, (samples = []));
    if (value === null) return void tracks.delete(name);
    // It stood still until one step ago.
    const last = samples.at(-1);
    if (before !== undefined && !(last && at - last.at <= 1.5 * this.stepMs)) samples.push({ at: at - this.stepMs, value: before });
    samples.push({ at, value });
    dropOld(samples, at - this.#keptMs);
  }

  /**
   * The seq of what was shown at a time; undefined: what the world has.
   * @param {number} time milliseconds
   */
  seqAt(time) {
    const samples = this.#seqs;
    let next = samples.length;
    while (next > 0 && samples[next - 1].at > time) next--;
    return next > 0 ? samples[next - 1].seq : samples[0]?.from;
  }

  /**
   * A component as it was shown at a time; undefined: as the world has it.
   * @param {string} id @param {string} name @param {number} time milliseconds
   */
  at(id, name, time) {
    const samples = this.#tracks.get(id)?.get(name);
    if (!samples) return undefined;
    let next = samples.length;
    while (next > 0 && samples[next - 1].at > time) next--;
    if (next === 0) return samples[0].value;
    const a = samples[next - 1];
    const b = samples[next];
    return b ? between(name, a.value, b.value, (time - a.at) / (b.at - a.at), this.teleport) : a.value;
  }

  /** Names of an entity's components that are between ticks. @param {string} id @returns {Iterable<string>} */
  names(id) {
    return this.#tracks.get(id)?.keys() ?? [];
  }
}

// What is older, but for the last of it: between that and the next is what is shown.
function dropOld(samples, before) {
  let old = 0;
  while (old < samples.length - 2 && samples[old + 1].at < before) old++;
  if (old > 0) samples.splice(0, old);
}

/** A world as it is shown at one moment. */
export class View {
  #world;
  #timeline;
  #time;

  constructor(world, timeline, time) {
    this.#world = world;
    this.#timeline = timeline;
    this.#time = time;
  }

  /** The seq of what is shown: what a shot says it saw (`seen_seq`). */
  get seq() {
    return this.#timeline.seqAt(this.#time) ?? this.#world.seq;
  }

  /** Whether everything stands where the world has it: nothing is on its way. */
  get settled() {
    return this.seq === this.#world.seq && this.#timeline.last <= this.#time;
  }

  /** @param {string} id @returns {import("./world.mjs").Components | undefined} */
  get(id) {
    const components = this.#world.get(id);
    return components && this.#shown(id, components);
  }

  /** @returns {IterableIterator<[string, import("./world.mjs").Components]>} */
  *entities() {
    for (const [id, components] of this.#world.entities()) yield [id, this.#shown(id, components)];
  }

  #shown(id, components) {
    let shown = components;
    for (const name of this.#timeline.names(id)) {
      if (shown === components) shown = { ...components };
      shown[name] = this.#timeline.at(id, name, this.#time);
    }
    return shown;
  }
}
