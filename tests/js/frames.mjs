// Applies packed frames and compares what came of them with what must have: node frames.mjs FILE
//
// Each line is {"frame": base64} or {"seq": n, "entities": {id: components}}. Written by
// tests/elixir/wire_test.exs: the same bytes go through C, Elixir and this.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { World } from "../../priv/static/roomfold/world.mjs";

const world = new World();
let compared = 0;

for (const line of readFileSync(process.argv[2], "utf8").trim().split("\n")) {
  const { frame, seq, entities } = JSON.parse(line);
  if (frame !== undefined) {
    world.apply(Uint8Array.from(Buffer.from(frame, "base64")));
  } else {
    assert.equal(world.seq, seq);
    assert.deepEqual(world.toObject(), entities);
    compared++;
  }
}
assert.ok(compared > 0);
