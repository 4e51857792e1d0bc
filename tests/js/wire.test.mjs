// The packed format in JavaScript, on the vectors that the encoders in C and in Elixir make (tests/vectors/wire).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { Worker } from "node:worker_threads";

import { GapError, World } from "../../priv/static/roomfold/world.mjs";
import * as numbers from "../../priv/static/wire/numbers.mjs";
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

test("the numbers of the format are those of its table", () => {
  const table = readFileSync(new URL("../../c_src/include/roomfold/wire.inl", import.meta.url), "utf8");
  const rows = Object.fromEntries([...table.matchAll(/^RF_WIRE_NUMBER\((\w+), (\d+), /gm)].map(([, name, number]) => [name, Number(number)]));
  const ours = Object.entries(numbers);
  assert.ok(ours.length > 0);
  for (const [name, number] of ours) assert.equal(number, rows[name], name);
});

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

  test("those that say they are large need no more memory than they are long", () => {
    const before = process.memoryUsage();
    for (const { hex, reason } of vectors("bad")) {
      if (reason !== null) assert.throws(() => decodeSnapshot(bytesOf(hex)), WireError);
    }
    const after = process.memoryUsage();
    assert.ok(after.heapTotal - before.heapTotal < 2 ** 25, "32 MB, a thousand times what the largest needs");
    assert.ok(after.arrayBuffers - before.arrayBuffers < 2 ** 25);
  });

  test("lists in lists that all say they are long neither", async () => {
    const varint = (number) => (number < 128 ? [number] : [(number % 128) + 128, ...varint(Math.floor(number / 128))]);
    // A word of a schema without columns: the innermost list says one more than there can be.
    const most = 2 ** 20;
    const lists = Array.from({ length: 60 }, () => [6, ...varint(most)]).flat();
    const frame = Buffer.concat([Buffer.from([0x11, 1, ...varint(2 + lists.length + most - 1), 0, 1, ...lists]), Buffer.alloc(most - 1)]);
    const code = `const { workerData, parentPort } = require("node:worker_threads");
      import(workerData.wire).then(({ decodeSnapshot }) => decodeSnapshot(workerData.frame)).catch((error) => parentPort.postMessage(error.name));`;
    const workerData = { wire: new URL("../../priv/static/wire.mjs", import.meta.url).href, frame };
    const worker = new Worker(code, { eval: true, workerData, resourceLimits: { maxOldGenerationSizeMb: 128 } });
    assert.equal(await new Promise((resolve) => worker.once("message", resolve).once("error", resolve)), "WireError");
  });
});

describe("a world", () => {
  const [first, second] = streams[0].steps.map(({ hex }) => bytesOf(hex));

  test("needs a packed snapshot before a packed diff", () => {
    const world = new World();
    assert.throws(() => world.apply(second), { name: "WireError", reason: "schema_mismatch" });
    assert.equal(world.schema, null);
    world.apply(first);
    assert.equal(world.schema.columns.length, 6);
    // Handles say nothing any more once JSON came between.
    world.apply({ seq: 3, entities: {} });
    assert.throws(() => world.apply(second), { name: "WireError", reason: "schema_mismatch" });
    assert.deepEqual(stateOf(world), { seq: 3, entities: {} });
  });

  test("takes what is here already for what it is, and a gap for a gap", () => {
    const world = worldAt(streams[0].steps.slice(0, 2));
    assert.equal(world.apply(second), null);
    assert.throws(() => worldAt(streams[0].steps.slice(0, 1)).apply(bytesOf(streams[0].steps[2].hex)), (error) => {
      assert.deepEqual([error instanceof GapError, error.seq, error.from], [true, 3, 5]);
      return true;
    });
  });

  test("reads an ArrayBuffer, and bytes in the middle of one", () => {
    for (const frame of [first.buffer, Uint8Array.of(9, ...first, 9).subarray(1, -1)]) {
      const world = new World();
      world.apply(frame);
      assert.deepEqual(world.toObject(), streams[0].steps[0].entities);
    }
  });

  test("has integers beyond 2^53 as the nearest number, as JSON.parse", () => {
    const words = ["9223372036854775807", "-9223372036854775808", "-9007199254740993", "9007199254740991"];
    const terms = "03feffffffffffffffff01" + "03ffffffffffffffffff01" + "0381808080808080" + "20" + "03feffffffffffff1f";
    const schema = "00" + "04" + terms;
    const { words: read } = decodeSnapshot(bytesOf("1101" + (schema.length / 2).toString(16) + schema + "00")).schema;
    assert.deepEqual(read, words.map((text) => JSON.parse(text)));
  });
});

describe("bad schemas", () => {
  const f64 = (number) => hexOf(new Uint8Array(Float64Array.of(number).buffer));
  const steps = (step, min, max, type = "00") => "01" + "0161" + type + "01" + "00" + "01" + f64(step) + f64(min) + f64(max) + "00";
  const snapshot = (schema) => bytesOf("1101" + (schema.length / 2).toString(16).padStart(2, "0") + schema + "00");

  test("good ones are read", () => {
    for (const schema of ["0000", steps(1, -(2 ** 22), 2 ** 22), "01" + "0161" + "00" + "04" + "00" + "02" + "10" + "00", "00" + "02" + "0302" + "080000803f"])
      assert.deepEqual(decodeSnapshot(snapshot(schema)).entities, {});
  });

  for (const [name, schema] of [
    ["steps without a size", steps(0, 0, 1)],
    ["steps that are no number", steps(NaN, 0, 1)],
    ["steps that are too large", steps(2 ** 1010, 0, 1)],
    ["steps that are too small", steps(2 ** -1070, 0, 1)],
    ["bounds in the wrong order", steps(1, 1, 1)],
    ["bounds too far away", steps(1, 0, 2 ** 22 + 1)],
    ["infinite bounds", steps(1, -Infinity, 0)],
    ["steps of an integer", steps(1, 0, 1, "02")],
    ["a quaternion of 17 bits", "01" + "0161" + "00" + "04" + "00" + "02" + "11" + "00"],
    ["a quaternion of 3 bits", "01" + "0161" + "00" + "04" + "00" + "02" + "03" + "00"],
    ["a quaternion of three numbers", "01" + "0161" + "00" + "03" + "00" + "02" + "0a" + "00"],
    ["an unknown type", "01" + "0161" + "06" + "01" + "00" + "00" + "00"],
    ["an unknown way to quantise", "01" + "0161" + "00" + "01" + "00" + "03" + "00"],
    ["17 numbers", "01" + "0161" + "00" + "11" + "00" + "00" + "00"],
    ["no number", "01" + "0161" + "00" + "00" + "00" + "00" + "00"],
    ["two truths", "01" + "0161" + "03" + "02" + "00" + "00" + "00"],
    ["nine decimals", "01" + "0161" + "00" + "01" + "0a" + "00" + "00"],
    ["decimals of a string", "01" + "0161" + "04" + "01" + "01" + "00" + "00"],
    ["a component without a name", "01" + "00" + "00" + "01" + "00" + "00" + "00"],
    ["a component called id", "01" + "026964" + "00" + "01" + "00" + "00" + "00"],
    ["a component twice", "02" + "0161" + "03" + "01" + "00" + "00" + "0161" + "03" + "01" + "00" + "00" + "00"],
    ["a word twice", "00" + "02" + "0302" + "0302"],
    ["a word that is too long", "00" + "01" + "05" + "ff07" + "61".repeat(1023)],
    ["a wide float that could be narrow", "00" + "01" + "04" + f64(1)],
    ["a map whose keys are not sorted", "00" + "01" + "07" + "02" + "016200" + "016100"],
    ["text that is no UTF-8", "00" + "01" + "0501ff"],
    ["63 levels", "00" + "01" + "0601".repeat(62) + "0600"],
    ["a byte too many", "000000"],
  ])
    test(name, () => {
      const size = schema.length / 2;
      const length = size < 128 ? [size] : [(size % 128) + 128, size >> 7];
      const bytes = Uint8Array.of(0x11, 1, ...length, ...bytesOf(schema), 0);
      assert.throws(() => decodeSnapshot(bytes), (error) => error instanceof WireError && error.reason === "invalid_frame" && error.offset >= 2 && error.offset < bytes.length);
    });
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
