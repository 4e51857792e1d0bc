// Reading packed frames: whole bytes with compact terms, and streams of bits. What can't be read throws a WireError.
// Integers are numbers: beyond 2^53 the nearest one, as JSON.parse has it.

import { WireError } from "../roomfold/errors.mjs";
import { NIBBLES_MAX } from "./numbers.mjs";

const DEPTH = 62;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Fails with what is not UTF-8. @param {Uint8Array} bytes */
export const decodeText = (bytes) => utf8.decode(bytes);

/** @param {string} text */
export const byteLength = (text) => encoder.encode(text).length;

/** Less than 0, 0, or more, in the order of UTF-8 (that of JavaScript is another one beyond U+FFFF). @param {string} a @param {string} b */
export function compareText(a, b) {
  const [left, right] = [encoder.encode(a), encoder.encode(b)];
  for (let i = 0; i < left.length && i < right.length; i++) if (left[i] !== right[i]) return left[i] - right[i];
  return left.length - right.length;
}

// No literal (1n): bundlers refuse one for the browsers that a new Phoenix 1.7 project names (es2017).
const one = BigInt(1);

// Below 2^53 a number, else a bigint.
const unzigzag = (n) =>
  typeof n === "number" ? (n % 2 === 1 ? -(n + 1) / 2 : n / 2) : Number(n & one ? -(n >> one) - one : n >> one);

export class Bytes {
  #fixed;

  /** @param {Uint8Array} bytes @param {number} [fixed] what errors call the place, if these are no bytes of the frame */
  constructor(bytes, fixed) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.pos = 0;
    this.end = bytes.length;
    this.#fixed = fixed;
  }

  /** @returns {never} */
  fail(reason = "invalid_frame", at = this.pos) {
    throw new WireError(reason, this.#fixed ?? at);
  }

  /** Where so many bytes begin; they are behind us then. @param {number} count */
  #take(count) {
    if (count > this.end - this.pos) this.fail();
    this.pos += count;
    return this.pos - count;
  }

  u8() {
    return this.bytes[this.#take(1)];
  }

  // Beyond 49 bits a bigint.
  #varint() {
    const start = this.pos;
    let sum = 0;
    for (let i = 0; i < 10; i++) {
      const byte = this.u8();
      if ((byte === 0 && i > 0) || (i === 9 && byte > 1)) this.fail("invalid_frame", start);
      if (i === 7) sum = BigInt(sum);
      sum += i < 7 ? (byte & 127) * 2 ** (7 * i) : BigInt(byte & 127) << BigInt(7 * i);
      if (byte < 128) return sum;
    }
    return this.fail("invalid_frame", start);
  }

  varint() {
    return Number(this.#varint());
  }

  seq() {
    const start = this.pos;
    const seq = this.varint();
    return Number.isSafeInteger(seq) ? seq : this.fail("invalid_frame", start);
  }

  f64() {
    return this.view.getFloat64(this.#take(8), true);
  }

  /** Bytes behind their length. */
  run() {
    const start = this.#take(this.varint());
    return this.bytes.subarray(start, this.pos);
  }

  text() {
    const start = this.pos;
    const bytes = this.run();
    try {
      return decodeText(bytes);
    } catch {
      return this.fail("invalid_frame", start);
    }
  }

  /** A compact term. */
  term(depth = DEPTH) {
    const start = this.pos;
    switch (this.u8()) {
      case 0:
        return null;
      case 1:
        return false;
      case 2:
        return true;
      case 3:
        return unzigzag(this.#varint());
      case 4:
      case 8:
        return this.#float(start);
      case 5:
        return this.text();
      case 6:
        return this.#list(depth);
      case 7:
        return this.#map(depth);
      default:
        return this.fail("invalid_frame", start);
    }
  }

  #float(start) {
    const wide = this.bytes[start] === 4;
    const value = wide ? this.f64() : this.view.getFloat32(this.#take(4), true);
    // Each number has one form only.
    return Number.isFinite(value) && !(wide && Math.fround(value) === value) ? value : this.fail("invalid_frame", start);
  }

  #count(depth) {
    const start = this.pos;
    const count = this.varint();
    return depth > 0 && count <= this.end - this.pos ? count : this.fail("invalid_frame", start);
  }

  // An array of the count that is said would be there before anything is read.
  #list(depth) {
    const list = [];
    for (let left = this.#count(depth); left > 0; left--) list.push(this.term(depth - 1));
    return list;
  }

  #map(depth) {
    const entries = [];
    for (let left = this.#count(depth); left > 0; left--) {
      const start = this.pos;
      const key = this.text();
      if (entries.length && compareText(entries.at(-1)[0], key) >= 0) this.fail("invalid_frame", start);
      entries.push([key, this.term(depth - 1)]);
    }
    return Object.fromEntries(entries);
  }

  /** Nothing may follow. */
  finish() {
    if (this.pos !== this.end) this.fail();
  }
}

const scratch = new DataView(new ArrayBuffer(8));

/** A stream of bits, the lowest of a byte first. */
export class Bits {
  #bytes;
  #pos;
  #end;

  /** @param {Uint8Array} bytes the frame @param {number} from the byte where the stream begins */
  constructor(bytes, from) {
    this.#bytes = bytes;
    this.#pos = from * 8;
    this.#end = bytes.length * 8;
  }

  /** The byte where we are. */
  get at() {
    return Math.floor(this.#pos / 8);
  }

  /** @returns {never} */
  fail(reason = "invalid_frame", at = this.at) {
    throw new WireError(reason, at);
  }

  /** @param {number} n at most 32 */
  bits(n) {
    if (n > this.#end - this.#pos) this.fail();
    let value = 0;
    for (let got = 0; got < n; ) {
      const shift = this.#pos % 8;
      const take = Math.min(8 - shift, n - got);
      value |= ((this.#bytes[this.at] >>> shift) & ((1 << take) - 1)) << got;
      got += take;
      this.#pos += take;
    }
    return value >>> 0;
  }

  bit() {
    return this.bits(1) === 1;
  }

  // Beyond 51 bits a bigint.
  #nib() {
    const start = this.at;
    let sum = 0;
    for (let i = 0; i < NIBBLES_MAX; i++) {
      const four = this.bits(4);
      if ((four === 0 && i > 0) || (i === NIBBLES_MAX - 1 && four > 1)) this.fail("invalid_frame", start);
      if (i === 17) sum = BigInt(sum);
      sum += i < 17 ? (four & 7) * 8 ** i : BigInt(four & 7) << BigInt(3 * i);
      if (four < 8) return sum;
    }
    return this.fail("invalid_frame", start);
  }

  nib() {
    return Number(this.#nib());
  }

  integer() {
    return unzigzag(this.#nib());
  }

  /** Bytes behind their length. */
  run() {
    const count = this.nib();
    if (count * 8 > this.#end - this.#pos) this.fail();
    return Uint8Array.from({ length: count }, () => this.bits(8));
  }

  f32() {
    const start = this.at;
    scratch.setUint32(0, this.bits(32));
    const value = scratch.getFloat32(0);
    return Number.isFinite(value) ? value : this.fail("invalid_frame", start);
  }

  f64() {
    const start = this.at;
    scratch.setUint32(4, this.bits(32));
    scratch.setUint32(0, this.bits(32));
    const value = scratch.getFloat64(0);
    return Number.isFinite(value) ? value : this.fail("invalid_frame", start);
  }

  /** Only zeros may follow, to the end of this byte, and there the frame ends. */
  finish() {
    const start = this.at;
    const over = (8 - (this.#pos % 8)) % 8;
    if (this.bits(over) !== 0) this.fail("invalid_frame", start);
    if (this.#pos !== this.#end) this.fail();
  }
}
