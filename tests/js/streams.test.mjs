// The property of a diff in JavaScript, on the bytes that C makes: applied to the snapshot it starts from it gives the
// snapshot it ends at, packed and as JSON, for random streams and for recorded matches.
//
//     SEED=1 RUNS=1000 node --test tests/js/streams.test.mjs     a failure names its seed
//
// With RUNS it takes all matches that are there, not the shipped one alone (tests/elixir/wire_test.exs has each tick of all of
// them go through this client, too).

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { World } from "../../priv/static/roomfold/world.mjs";
import { lines, matches, missing } from "./support/streams.mjs";

const [seed, runs] = [Number(process.env.SEED ?? 1), Number(process.env.RUNS ?? 150)];
const AT_ONCE = 200;
const why = missing();
if (why) console.log(`Left out: random streams and matches as frames. ${why}`);

// Follows all that is written; how often it looked.
function follow(written) {
  let [stream, packed, json, looks] = ["", new Map(), new Map(), 0];
  const at = (worlds, number) => worlds.get(number) ?? worlds.set(number, new World()).get(number);
  for (const line of written) {
    if (line.stream !== undefined) {
      [stream, packed, json] = [line.stream, new Map(), new Map()];
    } else if (line.to !== undefined) {
      at(packed, line.to).apply(Uint8Array.from(Buffer.from(line.packed, "hex")));
      at(json, line.to).apply(line.json);
    } else {
      const where = `${stream}, seq ${line.seq}`;
      const [fromPacked, fromJson] = [packed.get(line.of), json.get(line.of)];
      assert.deepEqual({ seq: fromPacked.seq, entities: fromPacked.toObject() }, { seq: line.seq, entities: line.entities }, where);
      assert.deepEqual({ seq: fromJson.seq, entities: fromJson.toObject() }, JSON.parse(line.whole), `${where}, as JSON`);
      looks++;
    }
  }
  return looks;
}

describe("a diff applied to the snapshot it starts from is the snapshot it ends at", { skip: why ?? false }, () => {
  test(`random streams, SEED=${seed} RUNS=${runs}`, () => {
    let looks = 0;
    for (let i = 0; i < runs; i += AT_ONCE) looks += follow(lines("write", String(seed + i), String(Math.min(AT_ONCE, runs - i))));
    assert.ok(looks >= runs);
  });

  for (const [name, file] of matches(process.env.RUNS !== undefined)) test(name, () => assert.ok(follow(lines("match", file)) >= 8));
});
