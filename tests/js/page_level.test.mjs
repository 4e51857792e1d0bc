// The page's level: the shipped map as data, as triangles, and how one walks in it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

import { levelMesh, linear, wallsOf } from "../../web/src/draw/levelmesh.mjs";
import { openingOf, readLevel, sectorAt, sectorsNow } from "../../web/src/model/level.mjs";
import { area, areasOf } from "../../web/src/model/outline.mjs";
import { BODY, placed, reach, stops, walk } from "../../web/src/model/walk.mjs";

const near = (found, expected, by = 1e-9) => assert.ok(Math.abs(found - expected) <= by, `${found} is not ${expected}`);
const map = fileURLToPath(new URL("../../priv/demo/freedm-0.12-MAP21.json.gz", import.meta.url));
const shipped = readLevel(JSON.parse(gunzipSync(readFileSync(map)).toString()));

// A hall of 10 m, 4 m high, and in its middle a square of 2 m that is another sector: floor and ceiling as given, in units.
const ring = (x, y, size, front, back, more = {}) => {
  const corners = [[x, y], [x, y + size], [x + size, y + size], [x + size, y]];
  return corners.map(([x1, y1], i) => ({ x1, y1, x2: corners[(i + 1) % 4][0], y2: corners[(i + 1) % 4][1], front, back, flags: back === null ? 1 : 4, ...more }));
};
const hall = (floor = 0, ceil = 128, more = {}) =>
  readLevel({
    sectors: [{ floor: 0, ceil: 128, light: 128, sky: false, tag: 0 }, { floor, ceil, light: 255, sky: false, tag: 7 }],
    lines: [...ring(0, 0, 320, 0, null), ...ring(128, 128, 64, 1, 0, more)],
    things: [{ class: "teleport", name: "destination", x: 160, y: 160, angle: 90 }],
  });

describe("a level", () => {
  test("is in metres, y up and z south", () => {
    const level = hall(-32, 64);
    assert.deepEqual(level.bounds, { left: 0, top: -10, right: 10, bottom: 0 });
    assert.deepEqual(level.sectors[1], { floor: -1, ceiling: 2, light: 255 / 256, sky: false, tag: 7 });
    assert.deepEqual(level.things[0], { class: "teleport", name: "destination", x: 5, z: -5, turn: Math.PI / 2 });
  });

  test("that is none is refused, with what is wrong", () => {
    for (const [form, message] of [
      [null, /no sectors and lines/],
      [{ sectors: [] }, /no sectors and lines/],
      [{ sectors: [{}], lines: [] }, /sector 0/],
      [{ sectors: [{ floor: 0, ceil: 1 }], lines: [{ x1: 0 }] }, /line 0/],
    ])
      assert.throws(() => readLevel(form), message);
  });

  test("knows which sector is where", () => {
    assert.deepEqual([[1, -1], [5, -5], [9.9, -5], [11, -5], [5, 1]].map(([x, z]) => sectorAt(hall(), x, z)), [0, 1, 0, null, null]);
  });

  test("moves where the world has sectors that moved", () => {
    const now = sectorsNow(hall(), (id) => ({ "sector-1": { ceiling: 3, floor: "no number" } })[id]);
    assert.deepEqual(now.map(({ floor, ceiling }) => [floor, ceiling]), [[0, 4], [0, 3]]);
    assert.equal(openingOf(hall(0, 0).lines[4], hall(0, 0).sectors), null);
    assert.deepEqual(openingOf(hall(16, 64).lines[4], hall(16, 64).sectors), { bottom: 0.5, top: 2 });
  });

  test("has areas with holes", () => {
    const [outside] = areasOf(hall().lines, 0);
    assert.deepEqual([area(outside.outer) / 2, outside.holes.map((hole) => area(hole) / 2)], [100, [-4]]);
    assert.deepEqual(areasOf(hall().lines, 1).map(({ outer, holes }) => [area(outer) / 2, holes.length]), [[4, 0]]);
  });

  // Every sector is whole: the areas of all of them make up what one can stand on.
  test("the shipped one is covered by its areas", () => {
    let inAreas = 0;
    shipped.sectors.forEach((_, index) => {
      for (const { outer, holes } of areasOf(shipped.lines, index)) inAreas += area(outer) / 2 + holes.reduce((sum, hole) => sum + area(hole) / 2, 0);
    });
    const { left, right, top, bottom } = shipped.bounds;
    let points = 0;
    for (let x = left + 0.31; x < right; x += 0.5) for (let z = top + 0.17; z < bottom; z += 0.5) if (sectorAt(shipped, x, z) !== null) points++;
    near(inAreas, points / 4, inAreas * 0.01);
  });
});

describe("walls", () => {
  test("are where there is no opening, and face whoever sees them", () => {
    const walls = (floor, ceil) => wallsOf(hall(floor, ceil).lines[4], hall(floor, ceil).sectors);
    assert.deepEqual(wallsOf(hall().lines[0], hall().sectors), [{ bottom: 0, top: 4, side: "front", owner: null }]);
    assert.deepEqual(walls(0, 128), []);
    assert.deepEqual(walls(32, 128), [{ bottom: 0, top: 1, side: "back", owner: 1 }]);
    assert.deepEqual(walls(-32, 64), [
      { bottom: -1, top: 0, side: "front", owner: 0 },
      { bottom: 2, top: 4, side: "back", owner: 1 },
    ]);
    assert.deepEqual(walls(0, 0), [{ bottom: 0, top: 4, side: "back", owner: 1 }], "a closed door");
  });

  const palette = { page: "#f6f5f2", sky: "#d9ebe2", "floor-low": "#e6e3dc", "floor-high": "#ffffff", wall: "#2c3138", decor: "#b9b5ab", door: "#c2ac80" };
  // A fan: right for what is convex, which the square is.
  const fan = (outer) => outer.slice(2).map((_, i) => [0, i + 1, i + 2]);

  test("become triangles whose front looks to where one stands", () => {
    const level = readLevel({ sectors: [{ floor: 0, ceil: 128 }], lines: ring(0, 0, 320, 0, null) });
    const { position, colour, uv, edges } = levelMesh(level, level.sectors, new Set(), false, palette, fan);
    assert.equal(position.length, colour.length);
    assert.equal(position.length / 3, uv.length / 2);
    assert.equal(edges.length % 6, 0);
    for (let i = 0; i < position.length; i += 9) {
      const [a, b, c] = [0, 3, 6].map((at) => position.slice(i + at, i + at + 3));
      const [u, v] = [b.map((part, k) => part - a[k]), c.map((part, k) => part - a[k])];
      const normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
      const inwards = [5 - (a[0] + b[0] + c[0]) / 3, 2 - (a[1] + b[1] + c[1]) / 3, -5 - (a[2] + b[2] + c[2]) / 3];
      assert.ok(normal.reduce((sum, part, k) => sum + part * inwards[k], 0) > 0, `triangle ${i / 9}`);
    }
  });

  test("of what moves are apart from the rest", () => {
    const level = hall(0, 64);
    const count = (moving, only) => levelMesh(level, level.sectors, moving, only, palette, fan).position.length;
    assert.equal(count(new Set(), true), 0);
    assert.equal(count(new Set([1]), true) + count(new Set([1]), false), count(new Set(), false));
    assert.ok(count(new Set([1]), true) > 0);
  });

  test("have linear colours", () => {
    assert.deepEqual(linear("#000000"), [0, 0, 0]);
    assert.deepEqual(linear("#ffffff"), [1, 1, 1]);
    near(linear("#808080")[0], 0.2159, 1e-3);
  });
});

describe("walking", () => {
  const level = hall();
  const at = (x, z, y = 0) => ({ x, y, z, fall: 0 });
  const go = (body, velocity, seconds, where = level) => {
    let now = body;
    for (let t = 0; t < seconds; t += 1 / 60) now = walk(now, velocity, 1 / 60, where, where.sectors).body;
    return now;
  };

  test("goes where there is nothing, at its speed", () => {
    const { x, z, y } = go(at(2, -2), [3, 0], 1);
    near(x, 5, 0.06);
    assert.deepEqual([y, z], [0, -2]);
  });

  test("is stopped by a wall, and slides along it", () => {
    const { x, z } = go(at(2, -2), [-6, -3], 1);
    near(x, BODY.radius, 1e-6);
    near(z, -5, 0.1);
    const corner = go(at(2, -2), [-20, 20], 1);
    near(corner.x, BODY.radius, 1e-6);
    near(corner.z, -BODY.radius, 1e-6);
  });

  test("never goes through a wall, however fast", () => {
    assert.ok(walk(at(2, -2), [-500, 0], 0.25, level, level.sectors).body.x >= BODY.radius - 1e-6);
  });

  test("climbs a step, not a ledge", () => {
    near(go(at(2, -5), [3, 0], 1, hall(24)).y, 0.75);
    const { x, y } = go(at(2, -5), [3, 0], 2, hall(25));
    assert.equal(y, 0);
    near(x, 4 - BODY.radius, 1e-6);
  });

  test("falls, and lands", () => {
    const pit = hall(-64);
    const edge = walk(at(5, -5, 0), [0, 0], 0.05, pit, pit.sectors).body;
    assert.ok(edge.y < 0 && edge.y > -2 && edge.fall > 0);
    assert.deepEqual(go(at(5, -5, 0), [0, 0], 1, pit), { x: 5, y: -2, z: -5, fall: 0 });
  });

  test("does not go where it has no room", () => {
    const low = hall(0, 48);
    assert.ok(stops(low.lines[4], 0, low.sectors));
    near(go(at(2, -5), [3, 0], 2, low).x, 4 - BODY.radius, 1e-6);
    assert.ok(stops(hall(0, 0).lines[4], 0, hall(0, 0).sectors), "a closed door");
    assert.ok(!stops(hall(0, 128).lines[4], 0, hall(0, 128).sectors), "an open one");
  });

  test("is taken elsewhere by a line, from its front only", () => {
    const doors = readLevel({
      sectors: [{ floor: 0, ceil: 128, tag: 0 }, { floor: 0, ceil: 128, tag: 7 }],
      lines: [...ring(0, 0, 640, 0, null), ...ring(480, 480, 64, 1, 0), { x1: 160, y1: 0, x2: 160, y2: 640, front: 0, back: 0, flags: 4, special: 97, tag: 7 }],
      things: [{ class: "teleport", name: "destination", x: 512, y: 512, angle: 90 }],
    });
    // It goes north: its front is to the east.
    const { body, teleport } = walk(at(5.1, -2), [-6, 0], 0.1, doors, doors.sectors);
    assert.deepEqual([body.x, body.y, body.z, teleport.turn], [16, 0, -16, Math.PI / 2]);
    assert.equal(walk(at(4.9, -2), [6, 0], 0.1, doors, doors.sectors).teleport, null);
  });

  test("in the shipped level one stands on the floor at every start", () => {
    for (const { x, z } of shipped.things.filter(({ name }) => name === "deathmatch")) {
      const body = placed(x, z, shipped, shipped.sectors);
      assert.equal(body.y, shipped.sectors[sectorAt(shipped, x, z)].floor);
      let now = body;
      for (let i = 0; i < 240; i++) {
        now = walk(now, [6 * Math.cos(i / 20), 6 * Math.sin(i / 31)], 1 / 30, shipped, shipped.sectors).body;
        assert.notEqual(sectorAt(shipped, now.x, now.z), null, "inside");
      }
    }
  });
});

describe("a ray", () => {
  const far = (origin, direction, level = hall()) => reach(origin, direction, 64, level, level.sectors);
  const half = Math.SQRT1_2;

  test("ends at walls, floors and ceilings", () => {
    near(far([2, 1, -2], [-1, 0, 0]), 2, 1e-6);
    near(far([2, 1, -2], [0, -1, 0]), 1, 1e-6);
    near(far([2, 1, -2], [0, 1, 0]), 3, 1e-6);
    near(far([2, 1, -2], [half, -half, 0]), Math.SQRT2, 1e-6);
  });

  test("goes through an opening and not through a closed door", () => {
    near(far([2, 1, -5], [1, 0, 0], hall(0, 64)), 8, 1e-6);
    near(far([2, 3, -5], [1, 0, 0], hall(0, 64)), 2, 1e-6);
    near(far([2, 1, -5], [1, 0, 0], hall(0, 0)), 2, 1e-6);
  });

  test("goes no farther than it can", () => assert.equal(reach([2, 1, -2], [1, 0, 0], 3, hall(), hall().sectors), 3));
});
