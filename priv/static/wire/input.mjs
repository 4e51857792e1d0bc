// What a client says, written (docs/wire-format.md, Input).

import { INPUT } from "./frame.mjs";
import { BitWriter, Writer } from "./write.mjs";

const POSES = /** @type {const} */ (["head", "left", "right"]);
const PARTS = /** @type {const} */ ([
  ["position", 3],
  ["rotation", 4],
]);

/**
 * @typedef {{position: ArrayLike<number>, rotation: ArrayLike<number>}} Pose metres; a unit quaternion x y z w
 * @typedef {{ack?: number, input: number, head?: Pose, left?: Pose, right?: Pose, events?: [string, Object<string, any>][]}} Input
 *   ack: the seq of the world that is here; input: its own number, counted up; events: names with payloads
 */

/**
 * An input as a packed frame.
 * @param {Input} input @param {import("./schema.mjs").Schema | null} [schema] of the world; null: none has come yet, so there can
 *   be no poses
 * @returns {Uint8Array}
 * @throws {TypeError | RangeError} of what the format can't say
 */
export function encodeInput(input, schema = null) {
  const { ack = 0, events = [] } = input;
  const poses = POSES.filter((name) => input[name]);
  if (!schema && (ack !== 0 || poses.length > 0)) throw new TypeError("poses and an ack need the schema of a packed snapshot");
  const to = new Writer();
  to.u8(INPUT);
  to.varint(count(ack, "ack"));
  to.varint(count(input.input, "input"));
  to.u8(schema ? schema.tag : 0);
  to.u8(poses.reduce((mask, name) => mask + 2 ** POSES.indexOf(name), 0));
  const bits = new BitWriter();
  for (const name of poses) for (const [part, size] of PARTS) writePart(bits, schema, part, size, input[name][part], name);
  to.bytes(bits.finish());
  to.varint(events.length);
  for (const event of events) writeEvent(to, event);
  return to.finish();
}

function writeEvent(to, [name, payload]) {
  const isMap = typeof payload === "object" && payload !== null && !Array.isArray(payload);
  if (typeof name !== "string" || !isMap) throw new TypeError("an event is a name and an object");
  to.text(name);
  to.term(payload);
}

function writePart(bits, schema, part, size, given, pose) {
  const value = Array.from(given ?? [], Math.fround);
  if (value.length !== size || !value.every(Number.isFinite)) throw new TypeError(`the ${part} of ${pose} is not ${size} numbers`);
  const quantiser = schema.columns.find(({ name, type, count }) => name === part && type === "f32" && count === size)?.quantiser;
  const steps = quantiser?.integers(value);
  // 1: raw. What is never quantised has no such bit.
  if (quantiser) bits.bits(steps ? 0 : 1, 1);
  if (!steps) return value.forEach((number) => bits.f32(number));
  if (quantiser.quaternion) bits.bits(steps.index, 2);
  for (const integer of steps.integers) bits.bits(integer, quantiser.bits);
}

const count = (number, name) => {
  if (!Number.isSafeInteger(number) || number < 0) throw new RangeError(`${name} is no count: ${number}`);
  return number;
};
