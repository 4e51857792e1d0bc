// A schema as packed frames carry it: the columns in order, and the words.

import { REACH_MAX, STEPS_MAX, QUATERNION_BITS_MAX, QUATERNION_BITS_MIN, WORD_BYTES, WORDS_MAX } from "./numbers.mjs";
import { byteLength, Bytes } from "./read.mjs";
import { stepQuantiser, quaternionQuantiser } from "./quantise.mjs";

const TYPES = /** @type {const} */ (["f32", "f64", "i64", "bool", "string", "term"]);
const [STEP, SMALLEST_THREE] = [1, 2];
const MOST_COMPONENTS = 64;
const MOST_NUMBERS = 16;
const MOST_DECIMALS = 8;

/**
 * @typedef {{name: string, type: "f32" | "f64" | "i64" | "bool" | "string" | "term", count: number,
 *   quantiser: import("./quantise.mjs").Quantiser | null}} Column
 * @typedef {{columns: Column[], names: Set<string>, words: any[], tag: number}} Schema
 */

/** @param {Uint8Array} frame @param {number} start of the packed schema in the frame @param {number} end @returns {Schema} */
export function readSchema(frame, start, end) {
  const from = new Bytes(frame.subarray(0, end));
  from.pos = start;
  const columns = readTimes(from, MOST_COMPONENTS, readColumn);
  const names = new Set(columns.map(({ name }) => name));
  if (names.size !== columns.length) from.fail();
  const known = new Set();
  const words = readTimes(from, WORDS_MAX, () => readWord(from, known));
  from.finish();
  return { columns, names, words, tag: tagOf(frame.subarray(start, end)) };
}

function readTimes(from, most, read) {
  const start = from.pos;
  const count = from.varint();
  if (count > most) from.fail("invalid_frame", start);
  return Array.from({ length: count }, () => read(from));
}

// By their bytes: 1 and 1.0 are two words.
function readWord(from, known) {
  const start = from.pos;
  const word = from.term();
  const key = from.bytes.subarray(start, from.pos).join();
  if (from.pos - start > WORD_BYTES || known.has(key)) from.fail("invalid_frame", start);
  known.add(key);
  return word;
}

/** @returns {Column} */
function readColumn(from) {
  const start = from.pos;
  const name = from.text();
  const [type, count, decimals, quantise] = [TYPES[from.u8()], from.u8(), from.u8(), from.u8()];
  const float = type === "f32" || type === "f64";
  const size = byteLength(name);
  const isNamed = size >= 1 && size <= 255 && name !== "id";
  const isTyped = type && count >= 1 && count <= (float ? MOST_NUMBERS : 1) && decimals <= (float ? MOST_DECIMALS + 1 : 0);
  if (!isNamed || !isTyped) from.fail("invalid_frame", start);
  return { name, type, count, quantiser: readQuantiser(from, quantise, type, count) };
}

function readQuantiser(from, quantise, type, count) {
  const start = from.pos;
  if (quantise === 0) return null;
  if (quantise === SMALLEST_THREE) {
    const bits = from.u8();
    return type === "f32" && count === 4 && bits >= QUATERNION_BITS_MIN && bits <= QUATERNION_BITS_MAX ? quaternionQuantiser(bits) : from.fail("invalid_frame", start);
  }
  if (quantise !== STEP || (type !== "f32" && type !== "f64")) from.fail("invalid_frame", start);
  const options = { step: from.f64(), min: from.f64(), max: from.f64() };
  return areSteps(options) ? stepQuantiser(type, count, options) : from.fail("invalid_frame", start);
}

function areSteps({ step, min, max }) {
  const reach = step * REACH_MAX;
  if (!(step > 0 && Number.isFinite(1 / step) && Number.isFinite(reach) && min < max)) return false;
  return min >= -reach && max <= reach && Math.ceil((max - min) / step) <= STEPS_MAX;
}

// FNV-1a of 32 bits, its four bytes put together.
function tagOf(bytes) {
  let hash = 2166136261;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 16777619);
  return (hash ^ (hash >>> 8) ^ (hash >>> 16) ^ (hash >>> 24)) & 255;
}
