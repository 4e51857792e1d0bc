// Writing packed frames: whole bytes with compact terms, and streams of bits.

import { compareText } from "./read.mjs";

const DEPTH = 62;
const encoder = new TextEncoder();
const scratch = new DataView(new ArrayBuffer(8));

// A half of a surrogate pair has no UTF-8.
function encodeText(text) {
  if (/\p{Surrogate}/u.test(text)) throw new TypeError("the text is not valid Unicode");
  return encoder.encode(text);
}

/** Bytes that become more. */
export class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;

  #grow(count) {
    const need = this.#length + count;
    if (need > this.#bytes.length) {
      const more = new Uint8Array(Math.max(need, 2 * this.#bytes.length));
      more.set(this.#bytes);
      this.#bytes = more;
    }
    this.#length = need;
    return need - count;
  }

  /** @param {number} byte */
  u8(byte) {
    this.#bytes[this.#grow(1)] = byte;
  }

  /** @param {number} number a safe integer, not negative */
  varint(number) {
    for (; number >= 128; number = Math.floor(number / 128)) this.u8((number % 128) + 128);
    this.u8(number);
  }

  /** @param {Uint8Array} bytes */
  bytes(bytes) {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** @param {string} text */
  text(text) {
    const bytes = encodeText(text);
    this.varint(bytes.length);
    this.bytes(bytes);
  }

  /** What JSON can say, as a compact term; a key whose value is undefined is left out. @param {any} value */
  term(value, depth = DEPTH) {
    if (value === null) return this.u8(0);
    if (typeof value === "boolean") return this.u8(value ? 2 : 1);
    if (typeof value === "number") return this.#number(value);
    if (typeof value === "string") {
      this.u8(5);
      return this.text(value);
    }
    if (typeof value !== "object") throw new TypeError(`a ${typeof value} is nothing that JSON can say`);
    if (depth === 0) throw new RangeError(`lists and maps in more than ${DEPTH} levels`);
    if (Array.isArray(value)) return this.#list(value, depth);
    return this.#map(value, depth);
  }

  #number(value) {
    if (!Number.isFinite(value)) throw new RangeError(`${value} is no number that JSON can say`);
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      this.u8(3);
      return this.#zigzag(value);
    }
    const narrow = Math.fround(value) === value;
    this.u8(narrow ? 8 : 4);
    if (narrow) scratch.setFloat32(0, value, true);
    else scratch.setFloat64(0, value, true);
    this.bytes(new Uint8Array(scratch.buffer, 0, narrow ? 4 : 8));
  }

  // -2v - 1 of a large one is not exact: the lowest bit by itself.
  #zigzag(value) {
    const negative = value < 0;
    const half = negative ? -(value + 1) : value;
    const low = (half % 64) * 2 + (negative ? 1 : 0);
    const high = Math.floor(half / 64);
    this.u8(high > 0 ? low + 128 : low);
    if (high > 0) this.varint(high);
  }

  #list(list, depth) {
    this.u8(6);
    this.varint(list.length);
    for (const value of list) this.term(value === undefined ? null : value, depth - 1);
  }

  #map(map, depth) {
    const entries = Object.entries(map).filter(([, value]) => value !== undefined);
    const sorted = entries.sort(([a], [b]) => compareText(a, b));
    this.u8(7);
    this.varint(sorted.length);
    for (const [key, value] of sorted) {
      this.text(key);
      this.term(value, depth - 1);
    }
  }

  /** @returns {Uint8Array} */
  finish() {
    return this.#bytes.slice(0, this.#length);
  }
}

/** A stream of bits, the lowest of a byte first. */
export class BitWriter {
  #bytes = [];
  #held = 0;
  #count = 0;

  /** @param {number} value @param {number} n its bits, at most 32 */
  bits(value, n) {
    for (let left = n, rest = value; left > 0; ) {
      const take = Math.min(8 - this.#count, left);
      this.#held |= (rest % 2 ** take) << this.#count;
      rest = Math.floor(rest / 2 ** take);
      this.#count += take;
      left -= take;
      if (this.#count === 8) this.#flush();
    }
  }

  /** @param {number} value */
  f32(value) {
    scratch.setFloat32(0, value);
    this.bits(scratch.getUint32(0), 32);
  }

  #flush() {
    this.#bytes.push(this.#held);
    this.#held = this.#count = 0;
  }

  /** @returns {Uint8Array} the last byte filled up with zeros */
  finish() {
    if (this.#count > 0) this.#flush();
    return Uint8Array.from(this.#bytes);
  }
}
