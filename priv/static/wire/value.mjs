// Names, terms, masks and components' values, read from a stream of bits (docs/wire-format.md, Name to Values).

import { DELTA_WIDTH_BITS, SUFFIX_MAX } from "./numbers.mjs";
import { Bytes, decodeText } from "./read.mjs";

/**
 * @typedef {import("./read.mjs").Bits} Bits
 * @typedef {import("./schema.mjs").Schema} Schema
 * @typedef {import("./schema.mjs").Column} Column
 */

/** An id, a name, or a string. @param {Bits} from @param {Schema} schema @returns {string} */
export function readName(from, schema) {
  const start = from.at;
  const number = from.nib();
  if (number === 0) return inlineText(from, start);
  const word = wordOf(from, schema, number, start);
  return typeof word === "string" ? suffixed(from, word) : from.fail("invalid_frame", start);
}

/** Any JSON value. @param {Bits} from @param {Schema} schema */
export function readTerm(from, schema) {
  const start = from.at;
  const number = from.nib();
  if (number === 0) return inlineTerm(from, start);
  const word = wordOf(from, schema, number, start);
  // A copy: each value is somebody's own.
  return typeof word === "string" ? suffixed(from, word) : structuredClone(word);
}

function inlineText(from, start) {
  const bytes = from.run();
  try {
    return decodeText(bytes);
  } catch {
    return from.fail("invalid_frame", start);
  }
}

function inlineTerm(from, start) {
  const bytes = new Bytes(from.run(), start);
  const term = bytes.term();
  bytes.finish();
  return term;
}

function wordOf(from, schema, number, start) {
  return number <= schema.words.length ? schema.words[number - 1] : from.fail("invalid_frame", start);
}

function suffixed(from, word) {
  if (!from.bit()) return word;
  const start = from.at;
  const number = from.nib();
  return number <= SUFFIX_MAX ? word + number : from.fail("invalid_frame", start);
}

/** Which components follow, of one list: most often those of an entity before. */
export class Masks {
  #columns;
  #recent = [];
  #before = [];

  /** @param {Schema} schema */
  constructor({ columns }) {
    this.#columns = columns;
  }

  /** @param {Bits} from @returns {Column[]} */
  read(from) {
    if (!from.bit()) return this.#recent;
    const mask = from.bit() ? this.#columns.filter(() => from.bit()) : this.#before;
    this.#before = this.#recent;
    return (this.#recent = mask);
  }
}

/** A component's value, whole. @param {Bits} from @param {Column} column @param {Schema} schema */
export function readWhole(from, column, schema) {
  return column.quantiser && !from.bit() ? readSteps(from, column.quantiser) : readPlain(from, column, schema);
}

/** A component's value, changed. @param {Bits} from @param {Column} column @param {Schema} schema @param {any} old undefined: it isn't there */
export function readChanged(from, column, schema, old) {
  return column.quantiser && !from.bit() ? readDelta(from, column.quantiser, old) : readWhole(from, column, schema);
}

function readPlain(from, { type, count }, schema) {
  switch (type) {
    case "f32":
      return count === 1 ? from.f32() : Array.from({ length: count }, () => from.f32());
    case "f64":
      return count === 1 ? from.f64() : Array.from({ length: count }, () => from.f64());
    case "i64":
      return from.integer();
    case "bool":
      return from.bit();
    case "string":
      return readName(from, schema);
    default:
      return readTerm(from, schema);
  }
}

function readSteps(from, quantiser) {
  const start = from.at;
  const index = quantiser.quaternion ? from.bits(2) : 0;
  const integers = Array.from({ length: quantiser.count }, () => from.bits(quantiser.bits));
  if (integers.some((q) => q > quantiser.most)) from.fail("invalid_frame", start);
  return quantiser.value(index, integers);
}

function readDelta(from, quantiser, old) {
  const start = from.at;
  const index = quantiser.quaternion ? from.bits(2) : 0;
  const width = from.bits(DELTA_WIDTH_BITS) + 1;
  const changed = Array.from({ length: quantiser.count }, () => from.bit());
  const deltas = changed.map((is) => (is ? nonzero(from, width) : 0));
  const known = old === undefined ? null : quantiser.integers(old, index);
  const integers = known?.integers.map((q, i) => q + deltas[i]);
  if (!integers?.every((q) => q >= 0 && q <= quantiser.most)) from.fail("invalid_frame", start);
  return quantiser.value(index, integers);
}

function nonzero(from, width) {
  const zigzag = from.bits(width);
  if (zigzag === 0) from.fail();
  return zigzag % 2 === 1 ? -(zigzag + 1) / 2 : zigzag / 2;
}
