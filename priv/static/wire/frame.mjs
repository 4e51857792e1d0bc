// Snapshots and diffs, read (docs/wire-format.md, Snapshot and Diff).

import { GapError } from "../roomfold/errors.mjs";
import { VERSION } from "./numbers.mjs";
import { Bits, byteLength, Bytes, compareText } from "./read.mjs";
import { readSchema } from "./schema.mjs";
import { Masks, readChanged, readName, readTerm, readWhole } from "./value.mjs";

export const [SNAPSHOT, DIFF, , INPUT] = [1, 2, 3, 4].map((kind) => VERSION * 16 + kind);

const MOST_HANDLE = 2 ** 32 - 1;

/**
 * @typedef {import("./schema.mjs").Schema} Schema
 * @typedef {import("../roomfold/world.mjs").Components} Components
 * @typedef {import("../roomfold/world.mjs").Diff} Diff
 * @typedef {{handle: number, id: string, components: Components}} Whole
 * @typedef {{schema: Schema, handles: Map<number, string>, ids: Map<string, number>}} Known handle to id, and id to handle
 */

/** @param {Uint8Array} bytes @returns {number} the first byte, SNAPSHOT or DIFF */
export function frameKind(bytes) {
  const from = new Bytes(bytes);
  const kind = from.u8();
  return kind === SNAPSHOT || kind === DIFF ? kind : from.fail("unknown_version", 0);
}

/** @param {Uint8Array} bytes @returns {{seq: number, schema: Schema, entities: Whole[]}} */
export function readSnapshot(bytes) {
  const head = new Bytes(bytes);
  if (head.u8() !== SNAPSHOT) head.fail("unknown_version", 0);
  const seq = head.seq();
  const packed = head.run();
  const schema = readSchema(bytes, head.pos - packed.length, head.pos);
  const from = new Bits(bytes, head.pos);
  const entities = readList(from, wholeReader(schema));
  failOnRepeats(from, entities);
  from.finish();
  return { seq, schema, entities };
}

/**
 * A diff, for the world as it is here; changes nothing.
 * @param {Uint8Array} bytes @param {Known | null} known null: nothing, since no packed snapshot came
 * @param {number} at the world's seq @param {(id: string) => Components | undefined} get what is in it
 * @returns {{diff: Diff, deleted: number[], created: Whole[]} | null} null: it is here already
 */
export function readDiff(bytes, known, at, get) {
  const head = new Bytes(bytes);
  if (head.u8() !== DIFF) head.fail("unknown_version", 0);
  const seq = head.seq();
  const back = head.seq();
  if (back > seq) head.fail();
  if (!known) head.fail("schema_mismatch");
  if (seq - back !== at) {
    if (seq <= at) return null;
    throw new GapError(at, seq - back);
  }
  if (head.u8() !== known.schema.tag) head.fail("schema_mismatch", head.pos - 1);
  const { deleted, created, updates } = readLists(new Bits(bytes, head.pos), known, get);
  if (back === 0 && deleted.length + created.length + updates.length > 0) head.fail();
  const creates = Object.fromEntries(created.map(({ id, components }) => [id, components]));
  const gone = [...deleted, ...created.map(({ handle }) => handle)].map((handle) => known.handles.get(handle));
  const deletes = gone.filter((id) => id !== undefined && !Object.hasOwn(creates, id));
  return { diff: { from: at, seq, creates, updates: Object.fromEntries(updates), deletes }, deleted, created };
}

function readLists(from, { schema, handles, ids }, get) {
  const gone = new Set();
  const deleted = readList(from, (_, handle) => {
    if (!handles.has(handle)) from.fail();
    gone.add(handle);
    return handle;
  });
  const readEntity = wholeReader(schema);
  const created = readList(from, (_, handle) => {
    // A handle is in one list only.
    if (gone.has(handle)) from.fail();
    return readEntity(from, handle);
  });
  for (const { handle } of created) gone.add(handle);
  const stays = (id) => ids.has(id) && !gone.has(ids.get(id));
  failOnRepeats(from, created, stays);
  const readChange = changeReader(schema);
  const updates = readList(from, (_, handle) => {
    const id = gone.has(handle) ? undefined : handles.get(handle);
    return id === undefined ? from.fail() : [id, readChange(from, get(id) ?? {})];
  });
  from.finish();
  return { deleted, created, updates };
}

// An id is there once.
function failOnRepeats(from, entities, isThere = (_) => false) {
  const ids = new Set();
  for (const { id } of entities) if (isThere(id) || ids.size === ids.add(id).size) from.fail();
}

// What stands behind each handle, in order.
function readList(from, read) {
  const list = [];
  for (let last = -1; ; ) {
    const start = from.at;
    const step = from.nib();
    if (step === 0) return list;
    last += step;
    if (last > MOST_HANDLE) from.fail("world_full", start);
    list.push(read(from, last));
  }
}

/** @param {Schema} schema @returns {(from: Bits, handle: number) => Whole} */
function wholeReader(schema) {
  const masks = new Masks(schema);
  return (from, handle) => {
    const id = readShortName(from, schema);
    const mask = masks.read(from);
    const hasOthers = from.bit();
    const components = mask.map((column) => [column.name, readWhole(from, column, schema)]);
    if (hasOthers) components.push(...readOthers(from, schema, () => readTerm(from, schema)));
    return { handle, id, components: Object.fromEntries(components) };
  };
}

/** What an entity's changes are: null for what was removed. @param {Schema} schema */
function changeReader(schema) {
  const masks = new Masks(schema);
  return (from, components) => {
    const mask = masks.read(from);
    const [hasRemoved, hasOthers] = from.bit() ? [from.bit(), from.bit()] : [false, false];
    const removed = hasRemoved ? mask.map(() => from.bit()) : [];
    const changes = mask.map((column, i) => {
      const old = Object.hasOwn(components, column.name) ? components[column.name] : undefined;
      return [column.name, removed[i] ? null : readChanged(from, column, schema, old)];
    });
    if (hasOthers) changes.push(...readOthers(from, schema, () => (from.bit() ? null : readTerm(from, schema))));
    return Object.fromEntries(changes);
  };
}

// Components that the schema doesn't have, sorted by name.
function readOthers(from, schema, read) {
  const others = [];
  let left = from.nib();
  if (left === 0) from.fail();
  for (; left > 0; left--) {
    const start = from.at;
    const name = readShortName(from, schema);
    const isLater = others.length === 0 || compareText(others.at(-1)[0], name) < 0;
    if (name === "id" || schema.names.has(name) || !isLater) from.fail("invalid_frame", start);
    others.push([name, read()]);
  }
  return others;
}

function readShortName(from, schema) {
  const start = from.at;
  const name = readName(from, schema);
  const size = byteLength(name);
  return size >= 1 && size <= 255 ? name : from.fail("invalid_frame", start);
}
