// The page's data and pure functions. The exact part makes a page with `mix roomfold.demo` and asks it for
// worlds that another program folded from the same match, and for those of a small fold written here.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync, inflateRawSync } from "node:zlib";

import { boundsOf, fit, outlineOf, panBy, readLevel, strokeOf, toScreen, toWorld, zoomAt } from "../../priv/static/replay/geometry.mjs";
import { clock, headingOf, lastUpTo, Match, plain, poseAt, scoresAt, shortNames, sums, turn, unpack, within } from "../../priv/static/replay/model.mjs";
import { mix, playerColour } from "../../priv/static/replay/palette.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const near = (found, expected) => assert.ok(Math.abs(found - expected) < 1e-9, `${found} is not ${expected}`);

// --- a match made by hand ----------------------------------------------------------------------------

// 100 ms steps; player0 walks, is teleported, dies at 500 and comes back; player1 stands and shoots; a lift moves.
function smallData() {
  const values = ["player", "door", [0, 0, 0, 1], [0, Math.SQRT1_2, 0, Math.SQRT1_2], 100, 0, "dead", 1.5, null];
  const names = ["kind", "rotation", "health", "state", "floor"];
  // life, seq after birth, name and value (indexes)
  const others = [
    [0, 0, 0, 0], [0, 0, 1, 2], [0, 0, 2, 4], [0, 3, 1, 3], [0, 5, 2, 5], [0, 5, 3, 6],
    [1, 0, 0, 0], [1, 0, 2, 4],
    [2, 0, 0, 1], [2, 1, 4, 7], [2, 5, 4, 8],
    [3, 0, 0, 0], [3, 0, 2, 4],
  ];
  const differences = (numbers) => numbers.map((number, i) => number - (numbers[i - 1] ?? 0));
  const column = (i) => others.map((row) => row[i]);
  return {
    version: 1,
    name: "small",
    license: null,
    source: null,
    start: 0,
    seq: 9,
    steps: { at: differences([0, 100, 200, 300, 400, 500, 600]), seq: differences([1, 4, 5, 6, 7, 8, 9]) },
    lives: {
      id: ["player0", "player1", "sector-1", "player0"],
      born: differences([1, 2, 3, 9]),
      gone: [8, 0, 0, 0],
      position: {
        life: differences([0, 1, 3]),
        count: [4, 1, 1],
        seq: [0, 3, 1, 1, 0, 0],
        x: differences([0, 10000, 20000, 900000, 50000, 0]),
        y: differences([0, 0, 0, 0, 0, 0]),
        z: differences([0, 0, 0, 0, 50000, 30000]),
      },
      names,
      values,
      others: { life: differences(column(0)), seq: column(1), name: column(2), value: column(3) },
    },
    rays: [{ name: "recorded", rays: [[6, "player1", 5000, 1000, 5000, 2000, 1000, 0, "player0"]] }],
    hits: [[6, "player0", "player1", 100, "shotgun"]],
    kills: [[6, "player0", "player1", "shotgun"], [8, "player1", "player1", "rocket"], [9, "player1", null, null]],
    map: null,
  };
}

// One thing that moves once, at 500.
function lateLife() {
  const position = { life: [0], count: [2], seq: [0, 7], x: [0, 10000], y: [0, 0], z: [0, 0] };
  return { id: ["thing-1"], born: [1], gone: [0], position, names: [], values: [], others: { life: [], seq: [], name: [], value: [] } };
}

// Node 18, Debian 12's, can't inflate as a browser does: there the page's own unpack is left out.
async function unpacked(base64) {
  try {
    new DecompressionStream("deflate-raw");
  } catch {
    console.log("left out: the page's own unpack (this node has no DecompressionStream for deflate-raw)");
    return JSON.parse(inflateRawSync(Buffer.from(base64, "base64")).toString());
  }
  return unpack(base64);
}

describe("a match", () => {
  const match = new Match(smallData());
  const [first, , , again] = match.lives;

  test("knows its length, tick and players", () => {
    assert.equal(match.duration, 600);
    assert.equal(match.tick, 100);
    assert.deepEqual(match.players, ["player0", "player1"]);
    assert.equal(match.monsters, false);
  });

  test("turns times into seqs and back", () => {
    assert.deepEqual([0, 99, 100, 399, 400, 600, 9999].map((at) => match.seqAt(at)), [3, 3, 4, 6, 7, 9, 9]);
    assert.deepEqual([1, 3, 4, 9].map((seq) => match.timeOf(seq)), [0, 0, 100, 600]);
  });

  test("gives the world after any event", () => {
    assert.deepEqual(match.worldAt(1), { player0: { kind: "player", position: [0, 0, 0], rotation: [0, 0, 0, 1], health: 100 } });
    assert.deepEqual(match.worldAt(4)["sector-1"], { kind: "door", floor: 1.5 });
    assert.deepEqual(match.worldAt(8)["sector-1"], { kind: "door" }, "null removes a component");
    assert.equal(match.worldAt(6).player0.state, "dead");
    assert.deepEqual(match.worldAt(9).player0, { kind: "player", position: [0, 0, 3], health: 100 }, "a respawn replaces");
  });

  test("knows who is there", () => {
    assert.deepEqual(match.livesAt(300).map((life) => life.id), ["player0", "player1", "sector-1"]);
    assert.equal(match.livesAt(600).find((life) => life.id === "player0"), again);
  });

  test("is exact on a tick and goes straight in between", () => {
    assert.deepEqual(poseAt(match, first, 0), { x: 0, y: 0, z: 0, heading: 0 });
    assert.equal(poseAt(match, first, 100).x, 1);
    near(poseAt(match, first, 150).x, 1.5);
    near(poseAt(match, first, 25).x, 0.25);
  });

  test("does not smear what was teleported", () => {
    assert.equal(poseAt(match, first, 299).x, 2);
    assert.equal(poseAt(match, first, 300).x, 90);
  });

  test("turns on the way to the next heading", () => {
    assert.equal(poseAt(match, first, 0).heading, 0);
    near(poseAt(match, first, 50).heading, -Math.PI / 4);
    near(poseAt(match, first, 100).heading, -Math.PI / 2);
    near(poseAt(match, first, 400).heading, -Math.PI / 2);
  });

  test("stands still until the tick before its next sample", () => {
    const late = new Match({ ...smallData(), lives: lateLife() });
    const [life] = late.lives;
    assert.deepEqual([0, 100, 399, 400, 450, 500].map((at) => poseAt(late, life, at).x), [0, 0, 0, 0, 0.5, 1]);
  });

  test("counts from the events: a respawn takes no frag away", () => {
    const scores = scoresAt(match, 600);
    assert.deepEqual(scores.get("player1"), { frags: 1, monsters: 0, deaths: 2, suicides: 1, victims: { player0: 1, player1: 1 } });
    assert.equal(scores.get("player0").deaths, 1);
    assert.equal(scoresAt(match, 299).get("player1").frags, 0);
    assert.equal(scoresAt(match, 300).get("player1").frags, 1);
  });

  test("reads rays in metres", () => {
    assert.deepEqual(match.rays[0].rays[0], { seq: 6, at: 300, by: "player1", from: [5, 1, 5], to: [2, 1, 0], hit: "player0" });
  });

  test("refuses data of another version", () => assert.throws(() => new Match({ version: 2 }), /version 2/));
});

// --- small functions ---------------------------------------------------------------------------------

describe("small functions", () => {
  test("lastUpTo", () => {
    assert.deepEqual([0, 1, 2, 5, 9].map((value) => lastUpTo([1, 2, 2, 6], value)), [-1, 0, 2, 2, 3]);
    assert.equal(lastUpTo([], 3), -1);
  });

  test("within takes (after, upTo]", () => {
    const list = [{ at: 1 }, { at: 2 }, { at: 2 }, { at: 3 }];
    assert.deepEqual(within(list, 1, 2).length, 2);
    assert.deepEqual(within(list, 3, 9), []);
  });

  test("sums", () => assert.deepEqual([...sums([3, -1, 5])], [3, 2, 7]));

  test("headingOf looks along +x turned by the rotation, seen with z down", () => {
    near(headingOf([0, 0, 0, 1]), 0);
    near(headingOf([0, Math.SQRT1_2, 0, Math.SQRT1_2]), -Math.PI / 2);
    near(Math.abs(headingOf([0, 1, 0, 0])), Math.PI);
  });

  test("turn takes the shorter way", () => {
    near(turn(0.1, 2 * Math.PI - 0.1), -0.2);
    near(turn(3, -3), 2 * Math.PI - 6);
    near(turn(1, 1.5), 0.5);
  });

  test("words and figures", () => {
    assert.equal(clock(61999), "1:01");
    assert.equal(clock(-5), "0:00");
    assert.deepEqual(["ssg", "shotgun_guy-315", null].map(plain), ["super shotgun", "shotgun guy", ""]);
    assert.deepEqual(shortNames(["player0", "player12"]), ["0", "12"]);
    assert.deepEqual(shortNames(["ann", "anna"]), ["ann", "anna"]);
    assert.deepEqual(shortNames(["tom"]), ["tom"]);
    assert.deepEqual(shortNames([]), []);
  });

  test("colours", () => {
    assert.equal(mix("#000000", "#ff8040", 0.5), "#804020");
    assert.equal(playerColour({ monster: "m", players: ["a", "b"] }, ["x", "y", "z"], "z"), "a");
    assert.equal(playerColour({ monster: "m", players: ["a", "b"] }, ["x"], "imp-3"), "m");
  });
});

// --- the level ---------------------------------------------------------------------------------------

// A room of 320 units with a pillar of another sector in it.
const square = (x, y, size, front, back, turned) => {
  const corners = [[x, y], [x, y + size], [x + size, y + size], [x + size, y]];
  if (turned) corners.reverse();
  return corners.map(([x1, y1], i) => [x1, y1, ...corners[(i + 1) % 4], front, back, back === null ? 1 : 4]);
};
const level = (floors) =>
  readLevel({
    sectors: floors.map(([floor, ceiling]) => [floor, ceiling, 255, false]),
    lines: [...square(0, 0, 320, 0, null), ...square(128, 128, 64, 0, 1, true)],
  });

describe("a level", () => {
  test("is in metres with z down", () => {
    assert.deepEqual(level([[0, 128], [32, 128]]).bounds, { left: 0, top: -10, right: 10, bottom: -0 });
    assert.equal(boundsOf([]).right, 10);
  });

  test("has closed outlines, holes included", () => {
    const { outlines } = level([[0, 128], [32, 128]]);
    assert.deepEqual(outlines.map((loops) => loops.map((loop) => loop.length)), [[4, 4], [4]]);
    const area = (loop) => Math.abs(loop.reduce((sum, [x, z], i) => sum + x * loop[(i + 1) % loop.length][1] - loop[(i + 1) % loop.length][0] * z, 0) / 2);
    assert.deepEqual(outlines[0].map(area), [100, 4]);
  });

  test("closes what a broken level leaves open", () => {
    assert.deepEqual(outlineOf([{ x1: 0, z1: 0, x2: 1, z2: 0, front: 0, back: null }], 0), [[[0, 0]]]);
  });

  test("strokes say what can be crossed", () => {
    const strokes = (pillar, blocks = false) => {
      const { lines, sectors } = level([[0, 128], pillar]);
      return strokeOf({ ...lines[4], blocks }, sectors);
    };
    assert.equal(strokeOf(level([[0, 128], [0, 128]]).lines[0], level([[0, 128], [0, 128]]).sectors), "wall");
    assert.equal(strokes([0, 128]), null);
    assert.equal(strokes([24, 128]), "step");
    assert.equal(strokes([25, 128]), "ledge");
    assert.equal(strokes([0, 0]), "wall", "a closed door");
    assert.equal(strokes([0, 128], true), "rail");
  });
});

describe("the view", () => {
  const view = { x: 3, z: -2, scale: 12, width: 800, height: 600 };

  test("toWorld undoes toScreen", () => {
    const [x, z] = toWorld(view, ...toScreen(view, 7.5, 1.25));
    near(x, 7.5);
    near(z, 1.25);
  });

  test("zooming keeps the point under the pointer", () => {
    const before = toWorld(view, 100, 450);
    const zoomed = zoomAt(view, 100, 450, 2, [1, 100]);
    toWorld(zoomed, 100, 450).forEach((value, i) => near(value, before[i]));
    assert.equal(zoomed.scale, 24);
    assert.equal(zoomAt(view, 0, 0, 100, [1, 100]).scale, 100);
  });

  test("panning moves by pixels", () => assert.deepEqual(panBy(view, 12, -24), { ...view, x: 2, z: 0 }));

  test("fit shows all", () => {
    const fitted = fit({ left: 0, top: 0, right: 10, bottom: 40 }, 800, 600, 50);
    assert.deepEqual(fitted, { x: 5, z: 20, scale: 12.5, width: 800, height: 600 });
    assert.ok(fit({ left: 0, top: 0, right: 10, bottom: 10 }, 1, 1, 50).scale > 0);
  });
});

// --- exactness ---------------------------------------------------------------------------------------

const DECLARED = ["position", "velocity", "scale", "direction", "rotation"];

// As a world has it: declared components in binary32, keys in one order.
function canonical(world) {
  const entities = Object.entries(world).map(([id, components]) => {
    const pairs = Object.entries(components).map(([name, value]) => [name, DECLARED.includes(name) ? value.map(Math.fround) : value]);
    return [id, pairs.sort(([a], [b]) => (a < b ? -1 : 1))];
  });
  return new Map(entities.sort(([a], [b]) => (a < b ? -1 : 1)));
}

// The data page's table, written once more: what the page says must be what folding from the start gives.
function foldOne(world, event) {
  const { entity_id, user_id, id, components } = event;
  const name = event.event_name ?? event.event;
  const pick = (...keys) => Object.fromEntries(keys.filter((key) => key in event).map((key) => [key, event[key]]));
  const update = (key, changes) => {
    if (world[key]) world[key] = Object.fromEntries(Object.entries({ ...world[key], ...changes }).filter(([, value]) => value !== null));
  };
  const add = (key, component, value, most) => world[key] && update(key, { [component]: Math.min(most, (world[key][component] ?? 0) + value) });
  const put = (set, value) => {
    if (world[user_id]) update(user_id, { [set]: [...new Set([...(world[user_id][set] ?? []), value])].sort() });
    delete world[event.item_id];
  };
  const collect = () => {
    update(user_id, pick("health", "armor", "ammo"));
    delete world[event.item_id];
  };
  const thrown = (key, owner, position) => {
    world[key] = { kind: "projectile", owner, position, ...pick("type", "velocity", "collider") };
  };
  const acts = {
    create: () => (world[entity_id] = components),
    update: () => update(entity_id, components),
    delete: () => delete world[entity_id],
    player_spawned: () => (world[user_id] = { kind: "player", ...pick("position", "rotation", "health", "collider") }),
    player_moved: () => update(user_id, pick("position", "rotation")),
    monster_moved: () => update(id, pick("position", "rotation")),
    projectile_moved: () => update(id, pick("position", "rotation")),
    thing_moved: () => update(id, pick("position", "rotation")),
    weapon_fired: () => event.projectile_id && thrown(event.projectile_id, user_id, event.hand_position),
    fireball_thrown: () => thrown(id, event.monster_id, event.position),
    player_hit: () => {
      update(user_id, pick("health"));
      add(user_id, "damage_taken", event.damage, 1000000);
    },
    monster_hit: () => update(id, pick("health")),
    monster_died: () => update(id, { health: 0, state: "dead" }),
    player_killed: () => {
      update(user_id, { health: 0, state: "dead" });
      if (event.killer_id) add(event.killer_id, "frags", 1, 999);
    },
    weapon_collected: () => put("weapons", event.weapon),
    key_collected: () => put("keys", event.key),
    immunity_collected: () => put("immunities", event.immunity),
    health_collected: collect,
    armor_collected: collect,
    ammo_collected: collect,
    weapon_switched: () => update(user_id, pick("weapon")),
    door_moved: () => update(id, pick("floor", "ceiling")),
  };
  acts[name]?.();
}

const shared = join(root, "../shared/data/doom/matches");
const recordings = [
  join(root, "priv/demo/freedm-0.12-demo1-MAP21"),
  join(shared, "freedoom2-0.13-demo4-MAP23"),
  join(shared, "freedoom1-0.12-demo2-E2M3"),
];
const folder = mkdtempSync(join(tmpdir(), "roomfold-replay-"));
after(() => rmSync(folder, { recursive: true }));

function pageOf(recording) {
  const page = join(folder, "page.html");
  const args = ["roomfold.demo", "--no-speed", "--match", `${recording}.events.jsonl.gz`, "--out", page];
  const { status, stdout, stderr, error } = spawnSync("mix", args, { cwd: root, encoding: "utf8" });
  assert.equal(status, 0, error?.message ?? `${stdout}${stderr}`);
  return readFileSync(page, "utf8");
}

function lastSample({ position: { at: times, x, y, z } }, at) {
  const i = lastUpTo(times, at);
  return { x: x[i], y: y[i], z: z[i] };
}

const dataOf = (page) => /<script id="match"[^>]*>([^<]*)<\/script>/.exec(page)[1].trim();
const gunzip = (path) => gunzipSync(readFileSync(path)).toString();

const mixRuns = spawnSync("mix", ["--version"]).status === 0;

for (const recording of recordings) {
  const name = recording.split("/").at(-1);
  const missing = !mixRuns ? "mix is not installed" : !existsSync(`${recording}.events.jsonl.gz`) ? "the recording is not there" : false;
  if (missing) console.log(`left out: the page of ${name} (${missing})`);

  describe(`the page of ${name}`, { skip: missing }, async () => {
    if (missing) return;
    const page = pageOf(recording);
    const match = new Match(await unpacked(dataOf(page)));

    test("is one file that asks for nothing else", () => {
      const outside = /\b(?:src|href)\s*=\s*["']?(?!["']|data:|#)|@import|\bimport\s|url\(\s*["']?(?!["']|data:)/;
      assert.equal(outside.exec(page.replace(dataOf(page), ""))?.[0], undefined);
      const script = /<script type="module">([\s\S]*)<\/script>/.exec(page)[1];
      const path = join(folder, "script.mjs");
      writeFileSync(path, script);
      assert.equal(spawnSync(process.execPath, ["--check", path]).status, 0, "the joined modules are one valid module");
    });

    test("carries the recording's notice", () => {
      assert.match(page, /Contributors to the Freedoom project/);
      assert.match(page, /THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS/);
    });

    test("is at each expected snapshot what another program folded", () => {
      const { snapshots } = JSON.parse(gunzip(`${recording}.expected.json.gz`));
      assert.equal(snapshots.length, 4);
      for (const { seq, entities } of snapshots) assert.deepEqual(canonical(match.worldAt(seq)), canonical(entities));
    });

    test("is at many times what folding from the start gives, and drawn there on each of its ticks", () => {
      const events = gunzip(`${recording}.events.jsonl.gz`).trim().split("\n").map((line) => JSON.parse(line));
      const start = events[0].at;
      const world = {};
      events.forEach((event, i) => {
        foldOne(world, event);
        const last = i + 1 === events.length;
        // The last event of a tick, about a hundred times.
        if (!last && (events[i + 1].at === event.at || i % Math.ceil(events.length / 100) > 20)) return;
        const at = event.at - start;
        assert.equal(match.seqAt(at), i + 1);
        assert.deepEqual(canonical(match.worldAt(match.seqAt(at))), canonical(world), `at ${at} ms`);
        const alive = match.livesAt(at);
        assert.deepEqual(alive.map((life) => life.id).sort(), Object.keys(world).sort());
        for (const life of alive.filter((one) => one.position)) {
          // Monsters step every few ticks and are drawn gliding; all others are drawn where they are.
          const { x, y, z } = life.first("kind") === "monster" ? lastSample(life, at) : poseAt(match, life, at);
          assert.deepEqual([x, y, z], world[life.id].position.map(Math.fround), `${life.id} at ${at} ms`);
          for (const [component, { value }] of life.others) assert.deepEqual(life.valueAt(component, at), world[life.id][component] ?? null, value);
        }
      });
    });

    test("counts every death", () => {
      const events = gunzip(`${recording}.events.jsonl.gz`).trim().split("\n").map((line) => JSON.parse(line));
      const killed = events.filter((event) => event.event_name === "player_killed");
      const scores = [...scoresAt(match, match.duration).values()];
      const sum = (key) => scores.reduce((total, score) => total + score[key], 0);
      assert.equal(sum("deaths"), killed.length);
      assert.equal(sum("frags") + sum("suicides"), killed.filter((event) => event.killer_id).length);
      assert.equal(sum("monsters"), events.filter((event) => event.event_name === "monster_died" && match.players.includes(event.by_id)).length);
    });

    test("lets rays end within their range, at who was hit", () => {
      const { rays } = match.rays[0];
      assert.ok(rays.length > 300);
      for (const { from, to } of rays) assert.ok(Math.hypot(...from.map((value, i) => value - to[i])) <= 64.01);
      const struck = rays.filter((ray) => ray.hit && match.players.includes(ray.hit));
      for (const ray of struck) {
        const victim = match.livesAt(ray.at - 1).find((life) => life.id === ray.hit);
        const { x, z } = poseAt(match, victim, ray.at - match.tick);
        assert.ok(Math.hypot(ray.to[0] - x, ray.to[2] - z) < 2.5, `a ray at ${ray.at} ms ends away from ${ray.hit}`);
      }
    });
  });
}
