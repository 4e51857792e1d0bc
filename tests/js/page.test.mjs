// The page's models: what is seen and said, without a browser.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { World } from "../../priv/static/roomfold.mjs";
import { figureOf, formOf, poseOf } from "../../web/src/model/bodies.mjs";
import { loadLevel, readConfig } from "../../web/src/load.mjs";
import { Colours } from "../../web/src/model/colours.mjs";
import { Controls } from "../../web/src/model/controls.mjs";
import { Feed, plain } from "../../web/src/model/feed.mjs";
import { Ghost } from "../../web/src/model/ghost.mjs";
import { addressOf, nameError, placeOf, someName } from "../../web/src/model/identity.mjs";
import { listed, shown, Stream } from "../../web/src/model/inspector.mjs";
import { readLevel } from "../../web/src/model/level.mjs";
import { clock, Playback, speedLabel } from "../../web/src/model/playback.mjs";
import { Player } from "../../web/src/model/player.mjs";
import { linear } from "../../web/src/draw/levelmesh.mjs";
import { headRotation, headYaw, lookDirection, quaternionToYaw, rounded, turned, yawToQuaternion } from "../../web/src/model/turn.mjs";
import { shotOf, Trigger, weaponNamed, weaponsOf } from "../../web/src/model/weapons.mjs";

const near = (found, expected) => assert.ok(Math.abs(found - expected) < 1e-9, `${found} is not ${expected}`);
const allNear = (found, expected) => expected.forEach((part, i) => near(found[i], part));
const upright = { position: [0, 0, 0], rotation: [0, 0, 0, 1] };

describe("turning", () => {
  test("a yaw is a rotation and back", () => {
    for (const yaw of [0, 1, -2, 3.1]) near(quaternionToYaw(yawToQuaternion(yaw)), yaw);
    allNear(turned(yawToQuaternion(Math.PI / 2), [1, 0, 0]), [0, 0, -1]);
  });

  test("a head looks where its eyes do", () => {
    for (const [yaw, pitch] of [[0, 0], [1, 0.5], [-2.5, -1.2]]) {
      allNear(turned(headRotation(yaw, pitch), [0, 0, -1]), lookDirection(yaw, pitch));
      near(headYaw(headRotation(yaw, pitch)), yaw);
    }
  });

  test("is sent in few digits, without a negative zero", () => assert.ok(Object.is(rounded([-0.00001, 1.23456], 3)[0], 0) && rounded([1.23456], 3)[0] === 1.235));
});

describe("controls", () => {
  const held = (...codes) => {
    const controls = new Controls();
    for (const code of codes) controls.key(code, true);
    return controls;
  };

  test("keys are a way, never faster along two", () => {
    assert.deepEqual(held("KeyW").wish, [1, 0]);
    assert.deepEqual(held("KeyW", "KeyS").wish, [0, 0]);
    near(Math.hypot(...held("KeyW", "KeyD").wish), 1);
    for (const code of ["KeyX", "ControlLeft"]) assert.equal(new Controls().key(code, true), false, "with Control a W would close the tab");
  });

  test("a way is along where one looks", () => {
    allNear(held("KeyW").velocity(0), [6, 0]);
    allNear(held("KeyD").velocity(0), [0, 6]);
    allNear(held("KeyW", "ShiftLeft").velocity(Math.PI / 2), [0, -10]);
  });

  test("two keys for one thing: it lasts until both are up", () => {
    const controls = held("KeyW", "ArrowUp");
    controls.key("KeyW", false);
    assert.deepEqual(controls.wish, [1, 0]);
    controls.key("ArrowUp", false);
    assert.deepEqual(controls.wish, [0, 0]);
  });

  test("one looks up no farther than up, and around for ever", () => {
    const controls = new Controls();
    controls.look(0, -10_000);
    assert.equal(controls.pitch, 1.5);
    controls.look(100_000, 0);
    assert.ok(Math.abs(controls.yaw) <= Math.PI);
    controls.yaw = 0;
    controls.key("ArrowLeft", true);
    controls.turn(0.5);
    near(controls.yaw, 1.2);
  });

  test("a stick goes no farther than all the way; triggers add up; all is let go", () => {
    const controls = new Controls();
    controls.stick(3, -4);
    allNear(controls.wish, [0.8, 0.6]);
    controls.trigger("mouse", true);
    controls.key("Space", true);
    controls.trigger("mouse", false);
    assert.ok(controls.fires() && controls.fires());
    controls.release();
    assert.ok(!controls.fires());
    // Shorter than a frame.
    controls.trigger("touch", true);
    controls.trigger("touch", false);
    assert.deepEqual([controls.fires(), controls.fires()], [true, false]);
    assert.deepEqual(controls.wish.map(Math.abs), [0, 0]);
  });
});

describe("one's own body", () => {
  const level = readLevel({ sectors: [{ floor: 0, ceil: 128 }], lines: [[0, 0, 0, 320], [0, 320, 320, 320], [320, 320, 320, 0], [320, 0, 0, 0]].map(([x1, y1, x2, y2]) => ({ x1, y1, x2, y2, front: 0, back: null, flags: 1 })) });
  const spawned = () => {
    const player = new Player(new Controls());
    player.spawned({ position: [5, 0, -5], rotation: yawToQuaternion(1) });
    return player;
  };

  test("is where the room spawned it, and looks so", () => {
    const player = spawned();
    assert.deepEqual([player.body.x, player.body.y, player.body.z], [5, 0, -5]);
    near(player.controls.yaw, 1);
    assert.equal(new Player(new Controls()).input(null), null, "before that there is nothing to say");
  });

  test("says where it is, once", () => {
    const player = spawned();
    const { position, rotation, head, ...rest } = player.input(null);
    assert.deepEqual(position, [5, 0, -5]);
    assert.deepEqual(rotation, rounded(yawToQuaternion(1), 5));
    assert.deepEqual(head.position, [5, 1.53, -5]);
    assert.deepEqual(rest, {}, "without a headset no hands");
    assert.equal(player.input(null), null);
    player.walk([1, 0], 0.1, level, level.sectors);
    assert.deepEqual(player.input(null).position, [5.1, 0, -5]);
  });

  test("has hands as long as there is a headset, and takes them away once", () => {
    const player = spawned();
    const head = { position: [5, 1.7, -5], rotation: headRotation(2, 0.3) };
    const tracked = player.input({ head, left: null, right: upright });
    assert.deepEqual(tracked.head.position, [5, 1.7, -5]);
    assert.ok(Math.abs(quaternionToYaw(tracked.rotation) - 2) < 1e-4);
    assert.deepEqual([tracked.left, tracked.right.position], [null, [0, 0, 0]]);
    const after = player.input(null);
    assert.deepEqual([after.left, after.right], [null, null]);
    player.walk([1, 0], 0.1, level, level.sectors);
    assert.ok(!("left" in player.input(null)));
  });

  test("shoots from the hand, or from the eyes", () => {
    const player = spawned();
    assert.deepEqual(player.aim(null).origin, [5, 1.53, -5]);
    allNear(player.aim(null).direction, lookDirection(1, 0));
    assert.deepEqual(player.aim({ head: upright, left: null, right: { position: [1, 2, 3], rotation: [0, 0, 0, 1] } }), { origin: [1, 2, 3], direction: [0, 0, -1] });
  });

  test("stays where it walked when a snapshot is a little behind, and goes where the room has it otherwise", () => {
    const player = spawned();
    player.seen({ position: [5.5, 0, -5] });
    assert.equal(player.body.x, 5);
    player.seen({ position: [9, 0, -5] });
    assert.equal(player.body.x, 9);
    player.seen(undefined);
    assert.equal(player.body.x, 9);
  });
});

describe("weapons", () => {
  test("are the first two, and what was collected", () => {
    assert.deepEqual(weaponsOf(undefined).map(({ name }) => name), ["fist", "pistol"]);
    assert.deepEqual(weaponsOf({ weapons: ["bfg", "shotgun", "unknown"] }).map(({ name }) => name), ["fist", "pistol", "shotgun", "bfg"]);
    assert.equal(weaponNamed("nothing").name, "pistol");
  });

  test("fire no faster than they can", () => {
    const trigger = new Trigger();
    const pistol = weaponNamed("pistol");
    assert.deepEqual([0, 1, 399, 400, 401].map((now) => trigger.pull(pistol, now)), [true, false, false, true, false]);
  });

  test("a ray says what its shooter saw, a projectile how it flies", () => {
    const shot = { user: "tom", origin: [1, 2, 3], direction: [0, 0, -1], seen: 77 };
    assert.deepEqual(shotOf({ ...shot, weapon: weaponNamed("shotgun") }), { user_id: "tom", weapon: "shotgun", hand_position: [1, 2, 3], weapon_direction: [0, 0, -1], range: 64, seen_seq: 77 });
    assert.equal(shotOf({ ...shot, weapon: weaponNamed("fist") }).range, 2);
    const rocket = shotOf({ ...shot, weapon: weaponNamed("rocket_launcher") });
    assert.deepEqual([rocket.type, rocket.velocity.map((part) => part + 0), rocket.collider.shape], ["rocket", [0, 0, -18], "sphere"]);
    assert.ok(!("seen_seq" in rocket));
  });
});

describe("the feed", () => {
  const feed = () => new Feed((id) => ["tom", "ann", "Ada-42"].includes(id));
  const event = (seq, event_name, fields) => ({ seq, event_name, ...fields });

  test("knows who killed whom, and with what", () => {
    const all = feed();
    all.event(event(1, "weapon_fired", { user_id: "tom", weapon: "shotgun" }), 5);
    all.event(event(2, "player_killed", { user_id: "ann", killer_id: "tom" }), 6);
    all.event(event(3, "monster_died", { id: "imp-1", by_id: "tom" }), 7);
    all.event(event(4, "player_killed", { user_id: "tom", by_id: "imp-2" }), 8);
    all.event(event(5, "player_killed", { user_id: "tom", killer_id: "tom" }), 9);
    assert.deepEqual(all.facts.map(({ by, whom, how }) => [by, whom, how]), [["tom", "ann", "shotgun"], ["tom", "imp-1", "shotgun"], ["imp-2", "tom", null], ["tom", "tom", null]]);
    assert.deepEqual(all.scores.get("tom"), { kills: 1, monsters: 1, deaths: 2 });
    assert.deepEqual(all.scores.get("ann"), { kills: 0, monsters: 0, deaths: 1 });
    assert.equal(all.scores.get("imp-2"), undefined, "monsters have no score");
  });

  test("counts nothing twice", () => {
    const all = feed();
    for (let i = 0; i < 2; i++) all.event(event(2, "player_killed", { user_id: "ann", killer_id: "tom" }), 6);
    assert.equal(all.scores.get("tom").kills, 1);
  });

  test("begins anew where a replay goes", () => {
    const all = feed();
    all.event(event(9, "player_killed", { user_id: "ann", killer_id: "tom" }), 6);
    all.restart(3);
    assert.deepEqual([all.facts, all.scores.size], [[], 0]);
    all.event(event(4, "player_killed", { user_id: "ann", killer_id: "tom" }), 7);
    assert.equal(all.scores.get("tom").kills, 1);
  });

  test("begins anew where a room does, and not for what a room sends to catch up", () => {
    const all = feed();
    all.event(event(9, "player_killed", { user_id: "ann", killer_id: "tom" }), 6);
    all.snapshot(12);
    assert.equal(all.scores.get("tom").kills, 1);
    all.snapshot(3);
    assert.equal(all.scores.size, 0);
    all.event(event(4, "player_killed", { user_id: "tom", killer_id: "ann" }), 7);
    assert.equal(all.scores.get("ann").kills, 1);
  });

  test("says who came and went, not who was there", () => {
    const all = feed();
    all.people(["tom"], 1);
    all.people(["ann", "tom"], 2);
    all.people(["ann"], 3);
    assert.deepEqual(all.facts.map(({ kind, whom }) => [kind, whom]), [["came", "ann"], ["went", "tom"]]);
    assert.deepEqual(all.recent(12, 10, 5).map(({ whom }) => whom), ["tom"]);
  });

  test("keeps only so much", () => {
    const all = feed();
    for (let seq = 1; seq <= 500; seq++) all.event(event(seq, "monster_died", { id: "imp-1" }), seq);
    assert.equal(all.facts.length, 200);
    assert.equal(all.facts.at(-1).seq, 500);
  });

  test("speaks plainly", () => assert.deepEqual(["super_shotgun", "imp-3", "ssg", null].map(plain), ["super shotgun", "imp", "super shotgun", ""]));
});

describe("the inspector", () => {
  test("has the stream, newest first, by words", () => {
    const stream = new Stream();
    stream.snapshot({ seq: 1, entities: { a: {}, b: {} } });
    stream.diff({ from: 1, seq: 3, creates: { c: {} }, updates: {}, deletes: ["a"] });
    stream.event({ seq: 3, event_name: "player_hit", user_id: "tom" });
    stream.event({ seq: 4, event: "create", entity_id: "box" });
    assert.deepEqual(stream.find("", 10).map(({ name, about }) => [name, about]), [["create", "box"], ["player_hit", "tom"], ["diff", "1 created, 1 deleted"], ["snapshot", "2 entities"]]);
    assert.deepEqual(stream.find("HIT tom", 10).map(({ seq }) => seq), [3]);
    assert.equal(stream.find("", 1).length, 1);
  });

  test("can be held, and keeps only so much", () => {
    const stream = new Stream();
    for (let seq = 1; seq <= 1500; seq++) stream.event({ seq, event_name: "x" });
    assert.deepEqual([stream.rows.length, stream.rows[0].seq, stream.count], [1000, 501, 1500]);
    stream.paused = true;
    stream.event({ seq: 1501, event_name: "x" });
    assert.deepEqual([stream.rows.at(-1).seq, stream.count], [1500, 1501]);
  });

  test("lists players, monsters, then the rest, numbers as numbers", () => {
    const world = new World();
    world.apply({ seq: 1, entities: { "imp-10": { kind: "monster" }, "imp-9": { kind: "monster" }, ann: { kind: "player" }, "clip-1": { kind: "item", type: "clip" }, gate: {} } });
    assert.deepEqual(listed(world.entities(), "").map(({ id }) => id), ["ann", "imp-9", "imp-10", "gate", "clip-1"]);
    assert.deepEqual(listed(world.entities(), "item cl").map(({ id }) => id), ["clip-1"]);
  });

  test("shows values on one line", () => {
    assert.deepEqual([[1, 2.34567], 0.1 + 0.2, "text", { a: [1.00001] }, [], true, null].map(shown), ["1  2.346", "0.3", "text", '{ "a": [ 1 ] }', "[]", "true", "null"]);
  });
});

describe("a replay's clock", () => {
  const info = { seq: 5, last_seq: 9, position_ms: 1000, duration_ms: 3000, speed: 2, paused: false };

  test("runs on between what the server says", () => {
    const playback = new Playback();
    playback.said(info, 100);
    assert.deepEqual([100, 600, 5000].map((now) => playback.position(now)), [1000, 2000, 3000]);
    assert.deepEqual([600, 5000].map((now) => playback.ended(now)), [false, true]);
    playback.said({ ...info, paused: true }, 100);
    assert.equal(playback.position(9000), 1000);
  });

  test("in words", () => {
    assert.deepEqual([0, 59_999, 148_000].map(clock), ["0:00", "0:59", "2:28"]);
    assert.deepEqual([0.25, 1, 8].map(speedLabel), ["¼×", "1×", "8×"]);
  });
});

describe("a ghost", () => {
  const poses = (x) => ({ head: { position: [x, 1.5, 0], rotation: [0, 0, 0, 1] } });

  test("does again what was recorded, and again", () => {
    const ghost = new Ghost();
    assert.equal(ghost.at(0), null);
    ghost.record(1000);
    for (let i = 0; i <= 10; i++) ghost.add(poses(i / 10), 1000 + i * 20);
    assert.equal(ghost.at(1100), null, "not while it is recorded");
    ghost.play(5000);
    near(ghost.at(5000).head.position[0], 0);
    near(ghost.at(5070).head.position[0], 0.35);
    near(ghost.at(5000 + 200 + 70).head.position[0], 0.35);
    assert.ok(!("left" in ghost.at(5000)));
    ghost.add(poses(9), 5100);
    assert.equal(ghost.length, 200, "what comes later is not in it");
    ghost.clear();
    assert.deepEqual([ghost.state, ghost.at(5000)], ["empty", null]);
  });

  test("of nothing is none; after two minutes it ends", () => {
    const ghost = new Ghost();
    ghost.record(0);
    ghost.play(10);
    assert.equal(ghost.state, "empty");
    ghost.record(0);
    ghost.add(poses(0), 0);
    ghost.add(poses(1), 120_001);
    assert.equal(ghost.state, "playing");
  });
});

describe("bodies", () => {
  test("are what their kind says, or a user's", () => {
    const position = [1, 2, 3];
    for (const [components, form] of [
      [{ kind: "player", position }, "player"],
      [{ kind: "key", position }, "item"],
      [{ kind: "monster" }, null],
      [{ kind: "door", position }, null],
      [{ kind: "arena" }, null],
      [{ position }, "player"],
      [{ head: upright }, "player"],
      [{ pose: [0, 0, 0, 0, 0, 0, 1] }, "player"],
      [{ pose: "sits" }, null],
      [{ position: [1, "x", 3] }, null],
      [{}, null],
    ])
      assert.equal(formOf(components), form, JSON.stringify(components));
  });

  test("have head and hands where it is said, or where they must be", () => {
    const walker = figureOf({ position: [1, 2, 3], rotation: yawToQuaternion(1) });
    allNear(walker.head.position, [1, 3.53, 3]);
    assert.equal(walker.left, null);
    near(headYaw(walker.head.rotation), 1);
    const head = { position: [1, 1.6, 3], rotation: headRotation(2, 0.4) };
    const worn = figureOf({ head, right: upright });
    assert.deepEqual(worn.head, head);
    near(worn.body.position[1], 1.6 - 1.53);
    near(quaternionToYaw(worn.body.rotation), 2);
    assert.deepEqual(worn.right, upright);
    assert.equal(figureOf({ health: 3 }), null);
  });

  test("poses may be seven numbers; what is none is none", () => {
    assert.deepEqual(poseOf([1, 2, 3, 0, 0, 0, 1]), { position: [1, 2, 3], rotation: [0, 0, 0, 1] });
    assert.deepEqual(poseOf({ position: [1, 2, 3] }), { position: [1, 2, 3], rotation: [0, 0, 0, 1] });
    for (const bad of [null, undefined, "x", [1, 2], { position: [1, 2, NaN] }]) assert.equal(poseOf(bad), null);
  });
});

describe("what the page is told", () => {
  test("by its document", () => {
    const read = (dataset, query = "") => readConfig({ dataset }, new URLSearchParams(query));
    assert.deepEqual(read({ params: '{"token":"t"}', replays: "a  b" }, "format=json"), { socket: "/socket", level: "", params: { token: "t" }, replays: ["a", "b"], format: "json" });
    assert.throws(() => read({ params: "{token}" }), /data-params is no JSON/);
  });

  test("a level, or which one can't be had, and why", async (t) => {
    const map = JSON.stringify({ sectors: [{ floor: 0, ceil: 64 }], lines: [] });
    globalThis.location = { href: "http://here/rooms/a", origin: "http://here" };
    t.after(() => delete globalThis.location);
    const answers = (answer) => t.mock.method(globalThis, "fetch", answer);
    answers(async () => new Response(map));
    assert.equal((await loadLevel("/level.json")).sectors[0].ceiling, 2);
    answers(async () => new Response(new Blob([map]).stream().pipeThrough(new CompressionStream("gzip"))));
    assert.equal((await loadLevel("/level.json.gz")).sectors.length, 1);
    for (const [answer, why] of [
      [async () => new Response("", { status: 404, statusText: "Not Found" }), /404 Not Found/],
      [async () => new Response("<!doctype html>"), /JSON/],
      [async () => new Response("{}"), /no level/],
      [() => Promise.reject(new TypeError("Failed to fetch")), /Failed to fetch/],
    ]) {
      answers(answer);
      await assert.rejects(loadLevel("/level.json"), ({ message }) => message.startsWith("the level /level.json can't be had: ") && why.test(message));
    }
    await assert.rejects(loadLevel("http://there/level.json"), /not on this server/);
  });
});

describe("the colours of text", () => {
  const css = readFileSync(new URL("../../priv/static/replay/palette.css", import.meta.url), "utf8");
  const light = (colour) => linear(colour).reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0.05);
  const contrast = (a, b) => Math.max(light(a) / light(b), light(b) / light(a));

  for (const [i, name] of ["light", "dark"].entries()) {
    test(`can be read by most (${name})`, () => {
      const colour = (name) => css.split("@media")[i].match(new RegExp(`--${name}: (#[0-9a-f]{6});`))[1];
      for (const ink of ["ink", "ink-soft", "ink-faint", "ammo", "hurt"]) assert.ok(contrast(colour(ink), colour("surface")) >= 4.5, `${ink} on a card: ${contrast(colour(ink), colour("surface"))}`);
      for (const ink of ["ink", "ink-soft", "ink-faint"]) assert.ok(contrast(colour(ink), colour("page")) >= 4.5, `${ink} on the page: ${contrast(colour(ink), colour("page"))}`);
    });
  }
});

describe("names and places", () => {
  test("an address says what is shown", () => {
    const place = (pathname, search = "") => placeOf({ pathname, search });
    assert.deepEqual(place("/"), { kind: "start" });
    assert.deepEqual(place("/rooms/a%20b"), { kind: "room", id: "a b" });
    assert.deepEqual(place("/xr/replays/match/"), { kind: "replay", id: "match" });
    assert.deepEqual(place("/index.html", "?room=arena"), { kind: "room", id: "arena" });
    assert.deepEqual(place("/rooms/%zz"), { kind: "room", id: "%zz" });
    assert.equal(addressOf("room", "a/b c"), "/rooms/a%2Fb%20c");
    assert.deepEqual(place(addressOf("replay", "a/b")), { kind: "replay", id: "a/b" });
  });

  test("a name is there and not too long", () => {
    assert.equal(nameError("tom"), null);
    assert.match(nameError("  "), /missing/);
    assert.match(nameError("é".repeat(128)), /too long/);
    assert.equal(nameError(someName(() => 0.999)), null);
  });

  test("players keep their colours, each another one while there are enough", () => {
    const colours = new Colours(8);
    const ids = Array.from({ length: 8 }, (_, i) => `someone ${i * 8}`);
    const slots = ids.map((id) => colours.slot(id));
    assert.equal(new Set(slots).size, 8);
    assert.deepEqual(ids.map((id) => colours.slot(id)), slots);
    assert.ok(colours.slot("one more") < 8);
    assert.deepEqual(["player0", "player1"].map((id) => new Colours(8).slot(id)).reduce((a, b) => (b - a + 8) % 8), 1);
  });
});
