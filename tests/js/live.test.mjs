// The demo's live room: what its players do, and all of it from beginning to end.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { Conversation } from "../../elixir/gateway/players/conversation.mjs";
import { busiest, part, read } from "../../elixir/gateway/players/recording.mjs";

test("the players do what was recorded of them, and can begin anywhere", () => {
  const { acts, kills, length } = read();
  assert.deepEqual([...acts.keys()].sort(), ["player0", "player1", "player2", "player3"]);
  assert.deepEqual([acts.get("player2").filter(({ name }) => name === "player_moved").length, kills.length], [5078, 37]);
  for (const [user, own] of acts) {
    assert.ok(own.every(({ ms }, i) => ms >= (own[i - 1]?.ms ?? 0) && ms <= length), "in order");
    assert.ok(own.every(({ payload }) => payload.user_id === user && !("projectile_id" in payload) && !("seq" in payload)));
    const moves = own.filter(({ name }) => name === "player_moved");
    assert.ok(moves.every(({ payload }) => payload.position.length === 3 && payload.rotation.length === 4), "whole poses");
  }
  const middle = part(acts.get("player0"), 60_000, 1000);
  assert.ok(middle.length >= 30 && middle.every(({ ms }) => ms >= 0 && ms < 1000));
});

test("the part with the most deaths", () => {
  const of = (...kills) => busiest({ acts: new Map(), kills, length: 100_000 }, 10_000);
  assert.equal(of(5_000, 40_000, 41_000, 80_000), 38_000);
  assert.equal(of(500), 0);
  assert.equal(of(), 0);
  assert.equal(of(50_000, 99_000, 99_500, 99_900), 48_000, "the end of the match is too near");
});

test("a conversation: the first of each thing, whether one asks before or after", async () => {
  const listeners = {};
  const witness = { room: { on: (name, listener) => (listeners[name] = listener) } };
  const seen = new Conversation(witness, [{ user: "ann", since: (position) => (position[0] === 1 ? 5 : undefined) }]);
  const move = seen.first("player_moved", 1000);
  listeners.diff({ updates: { ann: { position: [7, 0, 0] }, tom: { position: [1, 0, 0] } }, deletes: [] });
  assert.deepEqual(seen.seen, [], "nobody of them said so");
  listeners.diff({ updates: { ann: { position: [1, 0, 0] } }, deletes: ["eve"] });
  assert.deepEqual([await move, seen.seen], [{ user_id: "ann", position: [1, 0, 0] }, [5]]);
  listeners.event({ event_name: "player_hit", seq: 1 });
  listeners.event({ event_name: "player_hit", seq: 2 });
  assert.deepEqual([(await seen.first("player_hit", 0)).seq, seen.counts.get("player_hit"), await seen.first("left eve", 0)], [1, 2, "eve"]);
  await assert.rejects(seen.first("goal_reached", 1), /no goal_reached/);
});

test("the live room of make demo", { timeout: 600_000 }, async (t) => {
  const live = fileURLToPath(new URL("../../tools/live", import.meta.url));
  const { status, out } = await new Promise((resolve) =>
    execFile(live, { env: { ...process.env, LC_ALL: "C" } }, (error, stdout, stderr) => resolve({ status: error?.code ?? 0, out: stdout + stderr })),
  );
  assert.equal(status, 0, out);
  const why = /Left out: the live room\. (.*)/s.exec(out)?.[1];
  if (why) {
    console.log(`Left out: the demo's live room. ${why}`);
    return t.skip(why);
  }
  for (const name of ["snapshot", "moves", "shot", "hit", "kill", "user left", "killed", "rejoined"]) assert.match(out, new RegExp(`^  ${name} `, "m"));
  assert.match(out, /without a gap/);
  assert.match(out, /clients' worlds and the room's log at seq [\d, ]+  equal$/m);
  assert.match(out, /^  a move said to seen by another +\d/m);
  assert.ok([...out].every((char) => char.charCodeAt(0) < 128), "plain ASCII under a plain locale");
});
