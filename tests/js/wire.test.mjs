// The packed format in JavaScript, on the vectors that the encoders in C and in Elixir make (tests/vectors/wire).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { GapError, World } from "../../priv/static/roomfold/world.mjs";
import { decodeSnapshot, encodeInput, WireError } from "../../priv/static/wire.mjs";

const vectors = (name) => JSON.parse(readFileSync(new URL(`../vectors/wire/${name}.json`, import.meta.url), "utf8"));
const hexOf = (bytes) => Buffer.from(bytes).toString("hex");
const bytesOf = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));

const streams = vectors("streams");
const worldAt = (steps) => {
  const world = new World();
  for (const { hex } of steps) world.apply(bytesOf(hex));
  return world;
};
const stateOf = (world) => ({ seq: world.seq, entities: world.toObject() });

describe("frames of a stream", () => {
  for (const { name, steps } of streams) {
    test(name, () => {
      const { seq, entities } = decodeSnapshot(bytesOf(steps[0].hex));
      assert.deepEqual({ seq, entities }, { seq: steps[0].seq, entities: steps[0].entities });
      const world = new World();
      for (const step of steps) {
        const frame = world.apply(bytesOf(step.hex));
        assert.deepEqual(stateOf(world), { seq: step.seq, entities: step.entities }, `at seq ${step.seq}`);
        if (step.from === step.seq) assert.equal(frame, null);
        else assert.deepEqual([frame.from, frame.seq], [step.from, step.seq]);
      }
    });

    test(`${name}: what a diff says is what it says as JSON`, () => {
      const packed = new World();
      const json = new World();
      for (const { hex } of steps) {
        const frame = packed.apply(bytesOf(hex));
        if (frame) json.apply(JSON.stringify(frame));
        assert.deepEqual(JSON.stringify(stateOf(json)), JSON.stringify(stateOf(packed)));
      }
    });

    test(`${name}: cut anywhere, or with a byte more, it is an error and changes nothing`, () => {
      steps.forEach(({ hex }, i) => {
        const bytes = bytesOf(hex);
        const world = worldAt(steps.slice(0, i));
        const before = structuredClone(stateOf(world));
        const bad = Array.from({ length: bytes.length }, (_, length) => bytes.subarray(0, length));
        for (const frame of [...bad, Uint8Array.of(...bytes, 0)]) {
          assert.throws(() => world.apply(frame), (error) => {
            assert.ok(error instanceof WireError, `${error}`);
            assert.ok(error.offset >= 0 && error.offset <= frame.length, `offset ${error.offset}`);
            return true;
          });
        }
        assert.deepEqual(stateOf(world), before);
        world.apply(bytes);
        assert.deepEqual(world.toObject(), steps[i].entities, "and the whole frame can still be applied");
      });
    });
  }
});

describe("bad frames", () => {
  for (const { name, hex, reason } of vectors("bad")) {
    test(name, () => {
      const world = worldAt(streams[2].steps.slice(0, 1));
      const before = structuredClone(stateOf(world));
      if (reason === null) return void world.apply(bytesOf(hex));
      assert.throws(() => world.apply(bytesOf(hex)), (error) => {
        assert.ok(error instanceof (reason === "seq_mismatch" ? GapError : WireError), `${error}`);
        assert.equal(error.reason, reason);
        return true;
      });
      assert.deepEqual(stateOf(world), before);
    });
  }
});

describe("inputs", () => {
  for (const { name, snapshot, input, hex } of vectors("inputs")) {
    test(name, () => {
      const { schema } = decodeSnapshot(bytesOf(snapshot));
      assert.equal(hexOf(encodeInput(input, schema)), hex);
    });
  }

  test("before there is a schema: events only", () => {
    assert.equal(hexOf(encodeInput({ input: 1, events: [["jump", {}]] })), "1400010000" + "01" + "046a756d70" + "0700");
    const pose = { position: [0, 0, 0], rotation: [0, 0, 0, 1] };
    assert.throws(() => encodeInput({ input: 1, head: pose }), /schema/);
    assert.throws(() => encodeInput({ input: 1, ack: 1 }), /schema/);
  });

  test("every term in its canonical form", () => {
    const terms = [[null, "00"], [false, "01"], [true, "02"], [0, "0300"], [-1, "0301"], [63, "037e"], [64, "038001"], [-65, "038101"],
      [Number.MAX_SAFE_INTEGER, "03feffffffffffff1f"], [Number.MIN_SAFE_INTEGER, "03fdffffffffffff1f"], [2.5, "0800002040"],
      [-0, "0800000080"], [0.1, "049a9999999999b93f"], [1e300, "049c7500883ce4377e"], ["é", "0502c3a9"], [[1, undefined], "0602030200"],
      // In the order of UTF-8: U+FFFF before U+10000.
      [{ "\u{10000}": 1, "\uffff": 2, a: undefined }, "0702" + "03efbfbf0304" + "04f09080800302"]];
    for (const [value, hex] of terms)
      assert.equal(hexOf(encodeInput({ input: 0, events: [["e", { v: value }]] })), "1400000000" + "01" + "0165" + "07010176" + hex, String(value));
  });

  test("what can't be said", () => {
    const { schema } = decodeSnapshot(bytesOf(streams[2].steps[0].hex));
    const good = { position: [0, 0, 0], rotation: [0, 0, 0, 1] };
    const deep = Array.from({ length: 62 }).reduce((inner) => [inner], []);
    for (const head of [{}, { ...good, position: [0, 0] }, { ...good, rotation: [0, 0, NaN, 1] }, { ...good, position: [1e39, 0, 0] }])
      assert.throws(() => encodeInput({ input: 1, head }, schema), /of head is not/);
    for (const value of [NaN, Infinity, 1n, () => 1, "\ud800", deep])
      assert.throws(() => encodeInput({ input: 1, events: [["e", { value }]] }, schema), /JSON|Unicode|levels/);
    for (const event of [["e", null], ["e", []], [1, {}], ["e"]]) assert.throws(() => encodeInput({ input: 1, events: [event] }, schema), /a name and an object/);
    for (const input of [-1, 1.5, undefined, 2 ** 53]) assert.throws(() => encodeInput({ input }, schema), /no count/);
  });
});
