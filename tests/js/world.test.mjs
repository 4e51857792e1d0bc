// The parts of the browser client that need no network.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { People } from "../../priv/static/roomfold/presence.mjs";
import { between, Clock, lerp, nlerp, Timeline, View } from "../../priv/static/roomfold/timeline.mjs";
import { FrameError, GapError, World } from "../../priv/static/roomfold/world.mjs";

const near = (found, expected) =>
  found.forEach((number, i) => assert.ok(Math.abs(number - expected[i]) < 1e-9, `${found} is not ${expected}`));

const diff = (from, seq, { creates = {}, updates = {}, deletes = [] }) => ({ from, seq, creates, updates, deletes });

describe("World", () => {
  test("a snapshot, then diffs", () => {
    const world = new World();
    assert.equal(world.seq, 0);
    world.apply({ seq: 3, entities: { tom: { position: [1, 2, 3], health: 100 }, ann: {} } });
    assert.deepEqual([world.seq, world.size, world.get("tom").health, world.get("nobody")], [3, 2, 100, undefined]);
    const before = world.get("tom");
    const applied = diff(3, 5, { creates: { gate: { open: false } }, updates: { tom: { position: [4, 2, 3], health: null } }, deletes: ["ann"] });
    assert.equal(world.apply(applied), applied);
    assert.deepEqual(world.toObject(), { tom: { position: [4, 2, 3] }, gate: { open: false } });
    assert.deepEqual(before, { position: [1, 2, 3], health: 100 }, "what was read before stays as it was");
    assert.equal(world.previous("tom"), before);
    assert.deepEqual([...world.entities()].map(([id]) => id), ["tom", "gate"]);
  });

  test("replaces what is created again, and forgets everything for a snapshot", () => {
    const world = new World();
    world.apply(diff(0, 1, { creates: { tom: { health: 1, weapon: "fist" } } }));
    world.apply(diff(1, 2, { creates: { tom: { health: 100 } } }));
    assert.deepEqual(world.toObject(), { tom: { health: 100 } });
    world.apply({ seq: 1, entities: { ann: {} } });
    assert.deepEqual([world.seq, world.toObject()], [1, { ann: {} }]);
  });

  test("text and bytes of JSON", () => {
    const text = JSON.stringify({ seq: 1, entities: { "é": { name: "Zoë" } } });
    for (const frame of [text, new TextEncoder().encode(text), new TextEncoder().encode(text).buffer]) {
      const world = new World();
      world.apply(frame);
      assert.deepEqual(world.toObject(), { "é": { name: "Zoë" } });
    }
  });

  test("what is here already changes nothing", () => {
    const world = new World();
    world.apply(diff(0, 5, { creates: { tom: {} } }));
    assert.equal(world.apply(diff(3, 5, { deletes: ["tom"] })), null);
    assert.equal(world.apply(diff(0, 2, { deletes: ["tom"] })), null);
    assert.deepEqual([world.seq, world.size], [5, 1]);
  });

  test("a gap throws, and nothing has changed", () => {
    const world = new World();
    world.apply(diff(0, 5, { creates: { tom: {} } }));
    for (const from of [4, 6]) {
      assert.throws(() => world.apply(diff(from, 7, { deletes: ["tom"] })), (error) => {
        assert.ok(error instanceof GapError);
        assert.deepEqual([error.seq, error.from], [5, from]);
        return true;
      });
    }
    assert.deepEqual([world.seq, world.size], [5, 1]);
  });

  test("what is no frame throws", () => {
    const bytes = new TextEncoder();
    const bad = ["", "{", "[]", "1", null, undefined, 7, {}, { seq: 1 }, { seq: -1, entities: {} }, { seq: 1.5, entities: {} }, { seq: 1, entities: [] },
      { from: 0, seq: 1, creates: {}, updates: {} }, { from: 0, seq: 1, creates: {}, updates: {}, deletes: {} }, bytes.encode("{"),
      { seq: 1, entities: { tom: null } }, { seq: 1, entities: { tom: [] } }, diff(0, 1, { creates: { tom: "x" } }), diff(0, 1, { creates: { ann: {} }, updates: { tom: null } })];
    for (const frame of bad) {
      const world = new World();
      assert.throws(() => world.apply(frame), FrameError, String(frame));
      assert.deepEqual([world.seq, world.size], [0, 0]);
    }
    assert.throws(() => new World().apply(new Uint8Array([0x11, 0])), /packed/);
  });

  test("names that JavaScript has plans for are names", () => {
    const world = new World();
    world.apply('{"seq":1,"entities":{"__proto__":{"constructor":1,"__proto__":{"polluted":1}},"toString":{}}}');
    assert.deepEqual([...world.entities()].map(([id]) => id), ["__proto__", "toString"]);
    world.apply('{"from":1,"seq":2,"creates":{},"updates":{"__proto__":{"__proto__":null,"x":1}},"deletes":["toString"]}');
    assert.deepEqual(Object.keys(world.get("__proto__")), ["constructor", "x"]);
    assert.equal({}.polluted, undefined);
    assert.deepEqual(Object.keys(world.toObject()), ["__proto__"]);
  });
});

describe("between two ticks", () => {
  test("positions go straight, quaternions the short way", () => {
    assert.deepEqual(lerp([0, 0, 0], [2, 4, -8], 0.25), [0.5, 1, -2]);
    const quarter = [0, Math.SQRT1_2, 0, Math.SQRT1_2];
    near(nlerp([0, 0, 0, 1], quarter, 0.5), [0, Math.sin(Math.PI / 8), 0, Math.cos(Math.PI / 8)]);
    near(nlerp([0, 0, 0, 1], quarter.map((n) => -n), 0.5), [0, Math.sin(Math.PI / 8), 0, Math.cos(Math.PI / 8)]);
    assert.deepEqual(nlerp([0, 0, 0, 1], [0, 0, 0, 1], 0), [0, 0, 0, 1]);
  });

  test("poses of both, as objects and as seven numbers", () => {
    const pose = between("head", { position: [0, 0, 0], rotation: [0, 0, 0, 1], name: "a" }, { position: [2, 0, 0], rotation: [0, 0, 0, 1], name: "b" }, 0.5);
    assert.deepEqual(pose, { position: [1, 0, 0], rotation: [0, 0, 0, 1], name: "b" });
    assert.deepEqual(between("left", [0, 0, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 0, 1], 0.5), [1, 0, 0, 0, 0, 0, 1]);
  });

  test("a jump is no way; what can't be between is what comes", () => {
    assert.deepEqual(between("position", [0, 0, 0], [5, 0, 0], 0.5, 4), [5, 0, 0]);
    assert.deepEqual(between("position", [0, 0, 0], [3, 0, 0], 0.5, 4), [1.5, 0, 0]);
    for (const [a, b] of [["a", "b"], [[1, 2], [3, 4]], [[1, 2, "x"], [1, 2, 3]], [null, [1, 2, 3]], [[1, 2, 3], { position: [1, 2, 3] }]])
      assert.equal(between("pose", a, b, 0.5), b);
  });

  test("ticks that come late are put where they were", () => {
    const clock = new Clock(50);
    const stamps = [0, 63, 95, 160, 199, 252].map((now) => clock.stamp(now));
    for (let i = 1; i < stamps.length; i++) assert.ok(Math.abs(stamps[i] - stamps[i - 1] - 50) < 7, stamps.join(" "));
    assert.ok(Math.abs(clock.stamp(400) - 400) < 10, "ticks without changes are counted");
    assert.equal(clock.stamp(5000), 5000, "after a long time it begins anew");
  });
});

describe("Timeline", () => {
  const tracked = (steps, options = {}) => {
    const world = new World();
    const timeline = new Timeline({ tickMs: 50, ...options });
    world.apply({ seq: 1, entities: { tom: { position: [0, 0, 0], health: 9 } } });
    for (const [now, x] of steps) {
      const frame = diff(world.seq, world.seq + 1, { updates: { tom: { position: [x, 0, 0] } } });
      world.apply(frame);
      timeline.add(frame, world, now);
    }
    return { world, timeline, x: (time) => new View(world, timeline, time).get("tom").position[0] };
  };

  test("goes from one position to the next", () => {
    const { x } = tracked([[1000, 1], [1050, 2], [1100, 3]]);
    assert.deepEqual([950, 975, 1000, 1025, 1075, 1100].map(x), [0, 0.5, 1, 1.5, 2.5, 3]);
  });

  test("guesses nothing: it stands where it was last, and where it was first", () => {
    const { x } = tracked([[1000, 1], [1050, 2]]);
    assert.deepEqual([1051, 1100, 9999, 0].map(x), [2, 2, 2, 0]);
  });

  test("who stood still sets out one step before, not long ago", () => {
    const { x } = tracked([[1000, 1], [3000, 2]]);
    assert.deepEqual([1500, 2949, 2975, 3000].map(x), [1, 1, 1.5, 2]);
  });

  test("who moves less often than the room ticks does not stutter", () => {
    const { x, timeline } = tracked([[1000, 1], [1050, 2], [1100, 3]], { tickMs: 10, inputHz: 20 });
    assert.equal(timeline.delayMs, 100);
    assert.deepEqual([1025, 1075].map(x), [1.5, 2.5]);
  });

  test("shows other components as they are, those who are new at once, those who are gone no more", () => {
    const { world, timeline } = tracked([[1000, 1]]);
    const frame = diff(2, 3, { creates: { ann: { position: [7, 7, 7] } }, updates: { tom: { position: null } } });
    world.apply(frame);
    timeline.add(frame, world, 1050);
    const view = new View(world, timeline, 1025);
    assert.deepEqual(Object.fromEntries(view.entities()), { tom: { health: 9 }, ann: { position: [7, 7, 7] } });
    assert.equal(view.get("ann"), world.get("ann"));
    const gone = diff(3, 4, { deletes: ["ann"] });
    world.apply(gone);
    timeline.add(gone, world, 1100);
    assert.equal(new View(world, timeline, 1025).get("ann"), undefined);
  });

  test("remembers what it has yet to show, where ticks, inputs or the delay are long", () => {
    for (const [options, step] of [[{ tickMs: 2000 }, 2000], [{ inputHz: 1 }, 1000], [{ delayTicks: 40 }, 50]]) {
      const times = Array.from({ length: 100 }, (_, n) => [10_000 + step * n, n]);
      const { timeline, x } = tracked(times, options);
      const last = times.at(-1)[0];
      const time = last + step / 2 - timeline.delayMs;
      assert.ok(Math.abs(x(time) - (time - 10_000) / step) < 1e-6, `${JSON.stringify(options)}: ${x(time)}`);
    }
  });

  test("remembers a second, not everything", () => {
    const { timeline, x } = tracked(Array.from({ length: 1000 }, (_, n) => [1000 + 50 * n, n]));
    assert.equal(x(1000 + 50 * 998.5), 998.5);
    assert.ok(x(1000) >= 970, "what is older is forgotten");
    timeline.clear();
    assert.equal(x(1000), 999);
  });
});

describe("People", () => {
  const entry = (...refs) => ({ metas: refs.map((phx_ref) => ({ phx_ref })) });
  const came = (joins) => ({ joins, leaves: {} });
  const went = (leaves) => ({ joins: {}, leaves });

  test("come and go, by each of their connections", () => {
    const people = new People();
    people.reset({ tom: entry("1"), ann: entry("2", "3") }, "1");
    people.change({ joins: { eve: entry("4"), tom: entry("5") }, leaves: { ann: entry("2"), nobody: entry("9") } }, "1");
    assert.deepEqual(people.list(), ["ann", "eve", "tom"]);
    people.change(went({ ann: entry("3"), tom: entry("1") }), "1");
    assert.deepEqual(people.list(), ["eve", "tom"]);
    people.reset({}, "2");
    assert.deepEqual(people.list(), []);
  });

  test("who comes before the state of a join is told is not forgotten by it", () => {
    const people = new People();
    people.reset({ tom: entry("1"), ann: entry("2") }, "1");
    // The connection broke, and all join again.
    people.change(came({ ann: entry("3") }), "4");
    people.change(came({ bob: entry("4") }), "4");
    people.change(went({ bob: entry("4") }), "4");
    assert.deepEqual(people.list(), ["ann", "tom"], "until the state is here");
    people.reset({ tom: entry("5") }, "4");
    assert.deepEqual(people.list(), ["ann", "tom"]);
    people.change(went({ ann: entry("3") }), "4");
    assert.deepEqual(people.list(), ["tom"]);
  });

  test("what came in a join whose state never came is of no use to the next", () => {
    const people = new People();
    people.change(came({ ann: entry("1") }), "1");
    people.change(came({ eve: entry("2") }), "2");
    people.reset({ tom: entry("3") }, "2");
    assert.deepEqual(people.list(), ["eve", "tom"]);
  });
});
