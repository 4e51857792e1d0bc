// The packed format in JavaScript, on the vectors that the encoders in C and in Elixir make (tests/vectors/wire).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { GapError, World } from "../../priv/static/roomfold/world.mjs";
import { decodeSnapshot, WireError } from "../../priv/static/wire.mjs";

const vectors = (name) => JSON.parse(readFileSync(new URL(`../vectors/wire/${name}.json`, import.meta.url), "utf8"));
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
