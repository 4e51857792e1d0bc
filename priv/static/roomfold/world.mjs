// What there is in a room, as the server's snapshots and diffs tell it. No network here and no clock.

import { Decoder } from "../wire.mjs";
import { FrameError, GapError } from "./errors.mjs";

export { FrameError, GapError, WireError } from "./errors.mjs";

/**
 * @typedef {Object<string, any>} Components by name
 * @typedef {{seq: number, entities: Object<string, Components>}} Snapshot all there is
 * @typedef {{from: number, seq: number, creates: Object<string, Components>, updates: Object<string, Components>,
 *   deletes: string[]}} Diff what changed; a component that is null was removed
 * @typedef {Snapshot | Diff} Frame
 */

export class World {
  /** @type {Map<string, Components>} */
  #entities = new Map();
  #previous = new Map();
  #decoder = new Decoder();
  #seq = 0;

  /** The number of the last event that is in here. */
  get seq() {
    return this.#seq;
  }

  /** The schema of the last packed snapshot, for `encodeInput`. @returns {import("../wire.mjs").Schema | null} */
  get schema() {
    return this.#decoder.schema;
  }

  /** How many entities there are. */
  get size() {
    return this.#entities.size;
  }

  /**
   * Takes a snapshot or a diff: an object, JSON text, or the bytes of JSON text or of a packed frame. Nothing of a bad one is
   * used. What is here already changes nothing.
   *
   * @param {Frame | string | Uint8Array | ArrayBuffer} frame
   * @returns {Frame | null} what was applied; null: it was here already
   * @throws {GapError} if a diff does not start where the world is
   * @throws {FrameError} if it is none; a WireError with the byte if it is a bad packed one
   */
  apply(frame) {
    const { read, packed } = this.#read(frame);
    if (read === null && packed) return null;
    if (isSnapshot(read)) {
      this.#entities = new Map(Object.entries(read.entities));
      this.#previous = new Map();
      this.#seq = read.seq;
      if (!packed) this.#decoder.forget();
      return read;
    }
    if (!isDiff(read)) throw new FrameError("neither a snapshot nor a diff");
    if (read.seq <= this.#seq) return null;
    if (read.from !== this.#seq) throw new GapError(this.#seq, read.from);
    this.#previous = new Map(Object.keys(read.updates).map((id) => [id, this.#entities.get(id)]));
    for (const id of read.deletes) this.#entities.delete(id);
    for (const [id, components] of Object.entries(read.creates)) this.#entities.set(id, components);
    for (const [id, changes] of Object.entries(read.updates)) this.#entities.set(id, merged(this.#entities.get(id), changes));
    this.#seq = read.seq;
    if (!packed) this.#decoder.forget();
    return read;
  }

  /** @param {any} frame */
  #read(frame) {
    const bytes = frame instanceof ArrayBuffer ? new Uint8Array(frame) : frame;
    // No packed frame begins with a brace.
    if (bytes instanceof Uint8Array && bytes[0] !== 0x7b) return { read: this.#decoder.decodeFrame(bytes, this), packed: true };
    const text = bytes instanceof Uint8Array ? new TextDecoder().decode(bytes) : bytes;
    if (typeof text !== "string") return { read: text, packed: false };
    try {
      return { read: JSON.parse(text), packed: false };
    } catch (error) {
      throw new FrameError(`no JSON: ${error.message}`);
    }
  }

  /**
   * An entity's components: the same object until one of them changes. Not for writing.
   * @param {string} id
   * @returns {Components | undefined}
   */
  get(id) {
    return this.#entities.get(id);
  }

  /** What an entity that the last diff updated was before it. @param {string} id @returns {Components | undefined} */
  previous(id) {
    return this.#previous.get(id);
  }

  /** All entities. @returns {IterableIterator<[string, Components]>} */
  entities() {
    return this.#entities.entries();
  }

  /** @returns {Object<string, Components>} */
  toObject() {
    return Object.fromEntries(this.#entities);
  }
}

const isSeq = (value) => Number.isSafeInteger(value) && value >= 0;
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

const isEntities = (value) => isObject(value) && Object.values(value).every(isObject);

const isSnapshot = (frame) => isObject(frame) && isSeq(frame.seq) && isEntities(frame.entities);

const isDiff = (frame) =>
  isObject(frame) && isSeq(frame.from) && isSeq(frame.seq) && isEntities(frame.creates) && isEntities(frame.updates) && Array.isArray(frame.deletes);

// A new object, so that who holds the old one sees that something has changed.
function merged(components, changes) {
  const next = { ...components, ...changes };
  for (const name of Object.keys(changes)) if (changes[name] === null) delete next[name];
  return next;
}
