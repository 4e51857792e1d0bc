// The live part of the demo: a recorded match's players join a room over real WebSockets and play; then one's tab is closed, then
// the gateway is killed. Prints what they saw of one another. `node live.mjs`; exits with 1 and the reason if something is not as it must be.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

import { Conversation } from "./conversation.mjs";
import { Gateway } from "./gateway.mjs";
import { Player } from "./player.mjs";
import { busiest, part, read } from "./recording.mjs";
import { check, milestone, say, table, title } from "./screen.mjs";

const TOPIC = "room:arena";
// Milliseconds of the match that are played over and over, and how long anything may take.
const PART = 15_000;
const PATIENCE = 60_000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what, isSo) {
  const deadline = Date.now() + PATIENCE;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`it did not happen: ${what}`);
    await pause(5);
  }
}

const each = (texts) => [...new Set(texts)].join(", ");

async function joinAll(gateway, users) {
  const players = users.map((user) => new Player(gateway.port, user, TOPIC, { events: true, presence: true }));
  const [first, ...others] = players;
  await first.join();
  await until("the room's things are there", () => first.room.world.seq > 0);
  let snapshot;
  players.at(-1).room.on("snapshot", (frame) => (snapshot = frame));
  const start = performance.now();
  await Promise.all(others.map((player) => player.join()));
  const ms = performance.now() - start;
  milestone("snapshot", `${each(users)} have joined: ${Object.keys(snapshot.entities).length} entities at seq ${snapshot.seq}`, ms);
  return players;
}

async function play(players, recording) {
  const from = busiest(recording, PART);
  for (const player of players) player.play(part(recording.acts.get(player.user), from, PART), PART, true);
  const [witness, ...others] = players;
  const seen = new Conversation(witness, others);
  const move = await seen.first("player_moved", PATIENCE);
  milestone("moves", `${witness.user} sees ${move.user_id} move, 35 times a second`, seen.seen[0]);
  const shot = await seen.first("weapon_fired", PATIENCE);
  milestone("shot", `${shot.user_id} fires a ${shot.weapon} (seq ${shot.seq})`);
  const hit = await seen.first("player_hit", PATIENCE);
  milestone("hit", `${hit.user_id} is hit, says the room: ${hit.health} health left (seq ${hit.seq})`);
  return seen;
}

async function killed(seen) {
  const { user_id, killer_id, seq } = await seen.first("player_killed", PATIENCE);
  milestone("kill", `${killer_id ?? "the level"} kills ${user_id} (seq ${seq})`);
}

// A visitor who only looks on.
async function closeTab(gateway, seen) {
  const visitor = new Player(gateway.port, "visitor", TOPIC);
  await visitor.join();
  await until("the visitor is seen", () => visitor.room.world.get("visitor"));
  visitor.vanish();
  const start = performance.now();
  await seen.first("user_left", PATIENCE);
  milestone("user left", "the visitor's tab was closed, and its time of grace is over", performance.now() - start);
}

async function killGateway(gateway, players) {
  await gateway.kill();
  const start = performance.now();
  await until("all see that it is gone", () => players.every(({ room }) => room.status === "rejoining"));
  const last = players.map(({ room }) => room.world.seq);
  const next = players.map(({ room }) => new Promise((resolve) => [room.on("diff", resolve), room.on("snapshot", resolve)]));
  milestone("killed", `the gateway, with kill -9; ${players[0].user} says: ${players[0].room.reason}`);
  await gateway.start();
  await until("all are back", () => players.every(({ room }) => room.status === "joined"));
  const frames = await Promise.all(next);
  const ms = performance.now() - start;
  const gaps = frames.filter((frame, i) => "from" in frame && frame.from !== last[i]).length;
  if (gaps > 0) throw new Error(`${gaps} players have missed something`);
  const parts = frames.map((frame, i) => ("from" in frame ? `a diff from seq ${last[i]} to ${frame.seq}` : `a snapshot at seq ${frame.seq}`));
  milestone("rejoined", `without a gap, by ${each(parts)}, with the gateway's start`, ms);
}

// What each has at some seq is what the room's log makes of it, says a replay of that log.
async function compare(gateway, players) {
  const worlds = players.map(({ room }) => ({ seq: room.world.seq, entities: structuredClone(room.world.toObject()) }));
  const replay = new Player(gateway.port, "judge", "replay:arena");
  await replay.join();
  await replay.room.push("pause");
  for (const { seq, entities } of worlds) {
    await replay.room.push("seek", { seq });
    await until(`the replay is at seq ${seq}`, () => replay.room.world.seq === seq);
    if (!isDeepStrictEqual(replay.room.world.toObject(), entities)) throw new Error(`a client's world at seq ${seq} is not what the room's log says`);
  }
  await replay.leave();
  check(`${worlds.length} clients' worlds and the room's log at seq ${each(worlds.map(({ seq }) => seq))}`);
}

async function run(gateway, players) {
  const recording = read();
  await gateway.start();
  say(`The development gateway, not Phoenix, on port ${gateway.port}: a program of its own, its rooms in SQLite.`);
  players.push(...(await joinAll(gateway, [...recording.acts.keys()].sort())));
  const seen = await play(players, recording);
  await Promise.all([killed(seen), closeTab(gateway, seen)]);
  // Afterwards it would be measured how long the gateway was away.
  const latencies = [
    ["a move said to seen by another", [...seen.seen]],
    ["a shot said to answered, when it is on the disk", players.flatMap(({ replies }) => replies)],
  ];
  await killGateway(gateway, players);
  await pause(1000);
  for (const player of players) player.stop();
  await compare(gateway, players);
  table(["latencies, ms", "p50", "p99", "max"], latencies);
  const said = players.reduce((sum, player) => sum + player.said, 0);
  const refused = players.reduce((sum, player) => sum + player.refused, 0);
  say(`${said} events said by ${players.length} players, ${refused} refused (the dead do nothing); a tick is ${players[0].room.joined.tick_ms} ms.`);
}

title("A live room, over WebSockets");
const folder = mkdtempSync(join(tmpdir(), "roomfold-live-"));
const gateway = new Gateway(join(folder, "rooms.db"));
const players = [];
const end = async () => {
  await gateway.kill();
  rmSync(folder, { recursive: true, force: true });
};
process.on("SIGINT", () => end().then(() => process.exit(130)));

try {
  await run(gateway, players);
  await Promise.all(players.map((player) => player.leave()));
  await gateway.stop();
} catch (error) {
  console.error(`  The live room went wrong: ${error.message}`);
  process.exitCode = 1;
} finally {
  for (const player of players) player.vanish();
  await end();
}
