// The packed wire format (docs/wire-format.md): what the server sends is read, what a client says is written.

import { DIFF, frameKind, readDiff, readSnapshot } from "./wire/frame.mjs";
import { VERSION } from "./wire/numbers.mjs";

export { WireError } from "./roomfold/errors.mjs";
export { encodeInput } from "./wire/input.mjs";

/** The versions of the packed format that `Decoder` reads, for the join. @type {number[]} */
export const versions = [VERSION];

/**
 * @typedef {import("./wire/schema.mjs").Schema} Schema
 * @typedef {import("./roomfold/world.mjs").Snapshot} Snapshot
 * @typedef {import("./roomfold/world.mjs").Components} Components
 */

/**
 * A packed snapshot. Integers beyond 2^53 are the nearest number, as in JSON.
 * @param {Uint8Array} bytes @returns {Snapshot & {schema: Schema}} the schema: for `encodeInput`
 * @throws {import("./roomfold/errors.mjs").WireError}
 */
export function decodeSnapshot(bytes) {
  const { seq, schema, entities } = readSnapshot(bytes);
  return { seq, schema, entities: Object.fromEntries(entities.map(({ id, components }) => [id, components])) };
}

/**
 * Reads the packed frames of one world, one after the other: a diff is told in terms of what came before it.
 */
export class Decoder {
  /** @type {import("./wire/frame.mjs").Known | null} */
  #known = null;

  /** The schema of the last snapshot. @type {Schema | null} */
  get schema() {
    return this.#known?.schema ?? null;
  }

  /** Who has which handle is not known any more: the world got something else. */
  forget() {
    this.#known = null;
  }

  /**
   * @param {Uint8Array} bytes one frame
   * @param {{seq: number, get: (id: string) => Components | undefined}} world that has all the frames before
   * @returns {import("./roomfold/world.mjs").Frame | null} what the same frame says as JSON; null: it is here already
   * @throws {import("./roomfold/errors.mjs").GapError} if a diff does not start where the world is
   * @throws {import("./roomfold/errors.mjs").WireError} if it is none; nothing has changed
   */
  decodeFrame(bytes, world) {
    return frameKind(bytes) === DIFF ? this.#diff(bytes, world) : this.#snapshot(bytes);
  }

  #snapshot(bytes) {
    const { seq, schema, entities } = readSnapshot(bytes);
    this.#known = { schema, handles: new Map(), ids: new Map() };
    this.#add(entities);
    return { seq, entities: Object.fromEntries(entities.map(({ id, components }) => [id, components])) };
  }

  #diff(bytes, world) {
    const read = readDiff(bytes, this.#known, world.seq, (id) => world.get(id));
    if (!read) return null;
    const { handles, ids } = this.#known;
    for (const handle of [...read.deleted, ...read.created.map((entity) => entity.handle)]) {
      ids.delete(handles.get(handle));
      handles.delete(handle);
    }
    this.#add(read.created);
    return read.diff;
  }

  #add(entities) {
    for (const { handle, id } of entities) {
      this.#known.handles.set(handle, id);
      this.#known.ids.set(id, handle);
    }
  }
}
