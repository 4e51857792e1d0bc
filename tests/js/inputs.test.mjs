// What a client says of where it is, without a server: how often, what of it, in which form.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { World } from "../../priv/static/roomfold.mjs";
import { Inputs } from "../../priv/static/roomfold/inputs.mjs";

const streams = JSON.parse(readFileSync(new URL("../vectors/wire/streams.json", import.meta.url), "utf8"));
const pose = (x) => ({ position: [x, 1.5, 0], rotation: [0, 0, 0, 1] });

// A room's side of it, and a clock that only tests move.
function inputs({ packed = false, hz = 20 } = {}) {
  const world = new World();
  if (packed) world.apply(Buffer.from(streams[0].steps[0].hex, "hex"));
  const it = { world, now: 0, open: true, sent: [], refused: [], acknowledged: 0 };
  it.inputs = new Inputs({ move: "user_moved", inputHz: hz, now: () => it.now }, {
    side: () => (it.open ? { user: "tom", packed, world } : null),
    send: (event, payload, answer) => it.sent.push({ event, payload, ...answer }),
    acknowledged: (seq) => (it.acknowledged = seq),
    refused: (event, reply) => it.refused.push([event, reply.reason]),
  });
  return it;
}

describe("inputs", () => {
  test("go at once, then at most so often, and the newest of each part counts", () => {
    const it = inputs();
    it.inputs.add({ position: [1, 0, 0] });
    it.inputs.add({ position: [2, 0, 0] });
    it.inputs.add({ rotation: [0, 0, 0, 1] });
    it.inputs.add({ position: [3, 0, 0] });
    assert.deepEqual(it.sent.map(({ payload }) => payload), [{ user_id: "tom", position: [1, 0, 0] }]);
    it.now = 50;
    it.inputs.flush();
    assert.deepEqual(it.sent[1].payload, { user_id: "tom", position: [3, 0, 0], rotation: [0, 0, 0, 1] });
    it.now = 500;
    it.inputs.flush();
    assert.equal(it.sent.length, 2, "nothing twice");
    it.inputs.stop();
  });

  test("wait until they can be sent", () => {
    const it = inputs();
    it.open = false;
    it.inputs.add({ position: [1, 0, 0] });
    assert.equal(it.sent.length, 0);
    it.open = true;
    it.inputs.flush();
    assert.equal(it.sent.length, 1);
  });

  test("are packed where both sides can: poses as poses, the rest as an event, and they acknowledge", () => {
    const it = inputs({ packed: true });
    it.inputs.add({ position: [1, 0, 0], head: pose(1), right: pose(2), left: null });
    const { event, payload } = it.sent[0];
    assert.equal(event, "user_moved");
    assert.ok(payload instanceof ArrayBuffer);
    const bytes = new Uint8Array(payload);
    // Input, the seq of the world, its own number, the schema's tag, head and right hand.
    assert.deepEqual([...bytes.slice(0, 5)], [0x14, 3, 1, it.world.schema.tag, 0b101]);
    assert.equal(it.acknowledged, 3);
    assert.ok(Buffer.from(bytes).includes("position") && Buffer.from(bytes).includes("left"));
    it.now = 50;
    it.inputs.add({ head: pose(3) });
    const next = new Uint8Array(it.sent[1].payload);
    assert.deepEqual([next[2], next.at(-1)], [2, 0], "the second, without an event");
  });

  test("are JSON before a packed world has come", () => {
    const it = inputs({ packed: true });
    it.world.apply({ seq: 9, entities: {} });
    it.inputs.add({ head: pose(1) });
    assert.deepEqual(it.sent[0].payload, { user_id: "tom", head: pose(1) });
  });

  test("a server that takes no packed ones gets them as JSON, this one too", () => {
    const it = inputs({ packed: true });
    it.inputs.add({ position: [1, 0, 0], head: pose(1) });
    it.now = 50;
    it.sent[0].refused({ reason: "not_supported" });
    assert.deepEqual(it.sent[1].payload, { user_id: "tom", position: [1, 0, 0], head: pose(1) });
    assert.deepEqual(it.refused, []);
    it.now = 100;
    it.inputs.add({ head: pose(2) });
    assert.deepEqual(it.sent[2].payload, { user_id: "tom", head: pose(2) });
  });

  test("what is refused is told", () => {
    const it = inputs();
    it.inputs.add({ position: "there" });
    it.sent[0].refused({ reason: "wrong_type" });
    assert.deepEqual(it.refused, [["user_moved", "wrong_type"]]);
  });

  test("what was not answered when the connection broke goes once more, the newest of each part", () => {
    const it = inputs();
    const add = (poses) => {
      it.now += 50;
      it.inputs.add(poses);
    };
    add({ position: [1, 0, 0] });
    it.sent[0].taken();
    add({ position: [2, 0, 0], head: pose(2) });
    add({ position: [3, 0, 0] });
    it.sent[1].taken();
    it.open = false;
    add({ rotation: [0, 0, 0, 1] });
    it.open = true;
    it.inputs.again();
    assert.deepEqual(it.sent.at(-1).payload, { user_id: "tom", position: [3, 0, 0], head: pose(2), rotation: [0, 0, 0, 1] });
    it.sent.at(-1).taken();
    it.now += 50;
    it.inputs.again();
    assert.equal(it.sent.length, 4, "what was answered does not");
    it.inputs.add({ position: "there" });
    it.sent.at(-1).refused({ reason: "wrong_type" });
    it.now += 50;
    it.inputs.again();
    assert.equal(it.sent.length, 5, "nor what was refused");
  });

  test("what a frame has no place for goes otherwise: more than a pose as an event, what is no number as JSON", () => {
    const it = inputs({ packed: true });
    it.inputs.add({ head: { ...pose(1), name: "hat" }, left: pose(1) });
    const bytes = Buffer.from(it.sent[0].payload);
    assert.equal(bytes[4], 0b010, "the hand is a pose");
    assert.ok(bytes.includes("head") && bytes.includes("hat"));
    for (const [n, poses] of [{ position: [NaN, 0, 0] }, { head: { position: [1, 2], rotation: [0, 0, 0, 1] }, position: [Infinity, 0, 0] }].entries()) {
      it.now += 50;
      it.inputs.add(poses);
      assert.deepEqual(it.sent[n + 1].payload, { user_id: "tom", ...poses }, "the server says what is wrong with it");
    }
    it.now += 50;
    it.inputs.add({ head: pose(2) });
    assert.equal(new Uint8Array(it.sent.at(-1).payload)[2], 2, "no number was used for what could not be packed");
  });
});
