// From numbers to integers and back (docs/wire-format.md, Values). All of it in the order that is written there.

const SQRT_2 = 1.4142135623730951;
const SQRT_HALF = 0.7071067811865476;

/**
 * Numbers in equal steps from min to max.
 * @typedef {{quaternion: boolean, count: number, bits: number, most: number, integers: (value: any, index?: number) => Steps | null,
 *   value: (index: number, integers: number[]) => any}} Quantiser integers: null if the value has none; count: of them
 * @typedef {{index: number, integers: number[]}} Steps index: of a quaternion, the place that is left out
 */

/** @param {"f32" | "f64"} kind @param {number} count @param {{step: number, min: number, max: number}} options @returns {Quantiser} */
export function stepQuantiser(kind, count, { step, min, max }) {
  const most = Math.ceil((max - min) / step);
  const perStep = 1 / step;
  const number = kind === "f32" ? (q) => Math.fround(min + q * step) : (q) => min + q * step;
  return {
    quaternion: false,
    count,
    most,
    bits: bitLength(most),
    integers(value) {
      const integers = (count === 1 ? [value] : value).map((v) => Math.floor((v - min) * perStep + 0.5));
      return integers.every((q) => q >= 0 && q <= most) ? { index: 0, integers } : null;
    },
    value: (_, integers) => (count === 1 ? number(integers[0]) : integers.map(number)),
  };
}

/** A unit quaternion as the three numbers that are not its largest. @param {number} bits of each @returns {Quantiser} */
export function quaternionQuantiser(bits) {
  const half = 2 ** (bits - 1) - 1;
  const most = 2 * half;
  const step = SQRT_HALF / half;
  const perStep = SQRT_2 * half;
  return {
    quaternion: true,
    count: 3,
    most,
    bits,
    integers(value, index = largest(value)) {
      const [x, y, z, w] = value;
      const sum = x * x + y * y + z * z + w * w;
      if (!(sum >= 63 / 64 && sum <= 65 / 64)) return null;
      const scale = (1.875 - sum * (1.25 - sum * 0.375)) * perStep * (value[index] < 0 ? -1 : 1);
      const three = value.filter((_, i) => i !== index);
      const integers = three.map((v) => Math.max(0, Math.min(most, Math.floor(v * scale + (half + 0.5)))));
      return { index, integers };
    },
    value(index, integers) {
      const four = integers.map((q) => (q - half) * step);
      const rest = four.reduce((left, v) => left - v * v, 1);
      four.splice(index, 0, Math.sqrt(Math.max(rest, 0)));
      return four.map(Math.fround);
    },
  };
}

/** The bits of a number below 2^53. @param {number} number */
function bitLength(number) {
  let bits = 0;
  while (number >= 2 ** bits) bits++;
  return bits;
}

// The place of the largest by magnitude, the first of equals.
function largest(value) {
  let index = 0;
  for (let i = 1; i < 4; i++) if (Math.abs(value[i]) > Math.abs(value[index])) index = i;
  return index;
}
