// The page with a headset, which is emulated (iwer): head and hands go into the room, the left stick walks, the right hand shoots.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { eventually, startGateway } from "../js/support/gateway.mjs";
import { PATIENCE, startBrowser, Tab } from "./support/browser.mjs";

// Why these tests can't run here, or null.
const emulator = emulated();
let { browser, missing } = emulator ? await startBrowser() : { browser: null, missing: "the npm package iwer is not there (npm install in tests/browser)" };
let gateway = null;
if (!missing) {
  gateway = await startGateway("arena");
  missing = gateway.missing;
}
if (missing) {
  console.log(`Left out: the page with a headset. ${missing}`);
  await browser?.close();
}

function emulated() {
  try {
    return readFileSync(fileURLToPath(new URL("node_modules/iwer/build/iwer.min.js", import.meta.url)), "utf8");
  } catch {
    return null;
  }
}

const near = (a, b, far = 2e-3) => a && b && Math.hypot(...a.map((part, i) => part - b[i])) < far;

// A corridor; nobody is to disturb.
const room = "vr";
const PLACE = { position: [20.25, 0, -8.75], rotation: [0, Math.SQRT1_2, 0, Math.SQRT1_2] };

describe("a headset", { skip: missing ? missing : false, timeout: 6 * PATIENCE }, () => {
  let vera, ann;
  const world = async (id) => (await gateway.order("snapshot", room))[id];
  const device = (script, value) => vera.page.evaluate(`(${script})(${JSON.stringify(value)})`);

  after(async () => {
    await browser?.close();
    await gateway?.stop();
  });

  test("is entered", async () => {
    vera = await Tab.open(browser, "about:blank");
    await vera.context.addInitScript(`${emulator}; globalThis.device = new IWER.XRDevice(IWER.metaQuest3); device.installRuntime({ forceInstall: true });`);
    const address = (user) => `http://localhost:${gateway.port}/rooms/${room}?${new URLSearchParams({ user, ratio: "0.25" })}`;
    await vera.page.goto(address("vera"));
    ann = await Tab.open(browser, address("ann"));
    await Promise.all([vera, ann].map((tab) => tab.until("they are there", ({ own }) => own)));
    for (const id of Object.keys(await gateway.order("snapshot", room))) if (id.startsWith("imp-")) await gateway.order("publish", room, "delete", { entity_id: id });
    await gateway.order("publish", room, "player_spawned", { user_id: "vera", health: 100, collider: { shape: "box", radius: 0.5, height: 1.75 }, ...PLACE });
    await vera.until("vera is where she was put", ({ own }) => near(own.position, PLACE.position));
    assert.equal((await world("vera")).left, undefined, "without a headset no hands");
    assert.equal(await ann.page.isVisible("#vr"), false, "where there is none it is not offered");
    assert.equal((await vera.drawn()).camera.fov, 72);
    await vera.page.click("#vr");
    await eventually("VR", async () => (await vera.page.getAttribute("#vr", "aria-label")) === "Leave VR", PATIENCE);
  });

  test("tells head and hands to the room, and the others draw them", async () => {
    await device(`() => {
      device.position.set(0, 1.7, 0);
      device.controllers.left.position.set(-0.3, 1.2, -0.4);
      device.controllers.right.position.set(0.3, 1.4, -0.5);
    }`);
    const seen = await eventually("head and hands", async () => {
      const { position, head, left, right } = await world("vera");
      const at = (dx, y, dz) => [position[0] + dx, y, position[2] + dz];
      // She looks to -z. A hand is held a little behind where the emulator has the controller.
      return head && near(head.position, at(0, 1.7, 0)) && near(left?.position, at(-0.3, 1.2, -0.4), 0.1) && near(right?.position, at(0.3, 1.4, -0.5), 0.1) && { head, left, right };
    }, PATIENCE);
    const { entities } = await ann.until("ann draws them", ({ entities: { vera } }) => near(vera?.left?.position, seen.left.position) && near(vera.right.position, seen.right.position));
    assert.ok(entities.vera.visible && near(entities.vera.head.position, seen.head.position));
  });

  test("walks by the left stick, along where the head looks, and turns in steps by the right one", async () => {
    const from = (await world("vera")).position;
    await device("() => device.controllers.left.updateAxes('thumbstick', 0, -1)");
    await eventually("she walks", async () => (await world("vera")).position[2] < from[2] - 1, PATIENCE);
    await device("() => device.controllers.left.updateAxes('thumbstick', 0, 0)");
    assert.ok(Math.abs((await world("vera")).position[0] - from[0]) < 0.3, "straight on");
    const yaw = async () => (await vera.drawn()).own.yaw;
    const before = await yaw();
    await device("() => device.controllers.right.updateAxes('thumbstick', 1, 0)");
    await eventually("she has turned", async () => Math.abs(before - (await yaw()) - Math.PI / 6) < 0.02, PATIENCE);
    await device("() => device.controllers.right.updateAxes('thumbstick', 0, 0)");
  });

  test("shoots from the right hand", async () => {
    await device("() => device.controllers.right.updateButtonValue('trigger', 1)");
    const shot = await eventually("a shot", () => ann.page.evaluate(() => globalThis.roomfold.link.stream.rows.find(({ name, value }) => name === "weapon_fired" && value.user_id === "vera")?.value), PATIENCE);
    await device("() => device.controllers.right.updateButtonValue('trigger', 0)");
    const { right } = await world("vera");
    assert.ok(near(shot.hand_position, right.position, 0.1), `${shot.hand_position}, the hand is at ${right.position}`);
    assert.ok(Math.abs(Math.hypot(...shot.weapon_direction) - 1) < 1e-6);
  });

  test("goes where the room puts its wearer, head and hands with the body", async () => {
    const there = { position: [5.25, 0, 33.25], rotation: [0, 0, 0, 1] };
    await gateway.order("publish", room, "player_spawned", { user_id: "vera", health: 100, collider: { shape: "box", radius: 0.5, height: 1.75 }, ...there });
    await eventually("she is there", async () => near((await world("vera")).position, there.position), PATIENCE);
    const { frames } = await vera.drawn();
    await vera.until("some frames later", (drawn) => drawn.frames > frames + 5);
    const { position, head } = await eventually("head and hands too", async () => ((one) => one.head && near(one.head.position, [5.25, 1.7, 33.25], 0.05) && one)(await world("vera")), PATIENCE);
    assert.ok(near(position, there.position, 0.05), `she stands at ${position}, her head is at ${head.position}`);
  });

  test("that does not know for a while where it is leaves its wearer where she is", async () => {
    const before = (await vera.drawn()).own.position;
    const blind = (is) => vera.page.evaluate((is) => {
      const frame = globalThis.XRFrame.prototype;
      globalThis.sees ??= frame.getViewerPose;
      frame.getViewerPose = is ? () => null : globalThis.sees;
    }, is);
    const some = async () => {
      const { frames } = await vera.drawn();
      return vera.until("some frames", (drawn) => drawn.frames > frames + 5);
    };
    for (const is of [true, false]) {
      await blind(is);
      const { own } = await some();
      assert.ok(near(own.position, before, 0.05), `${own.position}, was at ${before}`);
    }
  });

  test("whose left hand is gone walks no farther", async () => {
    await device("() => device.controllers.left.updateAxes('thumbstick', 0, 1)");
    const from = (await vera.drawn()).own.position;
    await vera.until("she walks", ({ own }) => !near(own.position, from, 0.3));
    await device("() => (device.controllers.left.connected = false)");
    await vera.until("she stands", ((at) => ({ own }) => near(own.position, at, 1e-6) || ((at = own.position), false))(from));
    await device("() => { device.controllers.left.updateAxes('thumbstick', 0, 0); device.controllers.left.connected = true; }");
  });

  test("is not needed: ann looks around and shoots with the mouse", async () => {
    await ann.page.bringToFront();
    await ann.page.mouse.click(400, 300);
    await eventually("the mouse is held", () => ann.page.evaluate(() => document.pointerLockElement?.id === "canvas"), PATIENCE);
    const { own } = await ann.drawn();
    await ann.page.mouse.move(500, 300);
    await ann.until("ann has turned", ({ own: { yaw } }) => Math.abs(yaw - own.yaw) > 0.1);
    await ann.page.mouse.down();
    await ann.page.mouse.up();
    await eventually("a shot", () => ann.page.evaluate(() => globalThis.roomfold.link.stream.rows.some(({ name, value }) => name === "weapon_fired" && value.user_id === "ann")), PATIENCE);
    await vera.page.bringToFront();
  });

  test("that can't be entered says why, and is left", async () => {
    const errors = vera.errors.length;
    await vera.page.evaluate(() => document.querySelector("#vr").click());
    await eventually("no VR", async () => (await vera.page.getAttribute("#vr", "aria-label")) === "Enter VR", PATIENCE);
    const ended = await vera.page.evaluate(async () => {
      const session = globalThis.XRSession.prototype;
      const { requestReferenceSpace, end } = session;
      let ended = 0;
      Object.assign(session, {
        requestReferenceSpace: () => Promise.reject(new DOMException("no floor", "NotSupportedError")),
        end() {
          ended++;
          return end.call(this);
        },
      });
      document.querySelector("#vr").click();
      const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      for (let tries = 0; ended === 0 && tries < 600; tries++) await wait(100);
      await wait(300);
      Object.assign(session, { requestReferenceSpace, end });
      return ended;
    });
    assert.equal(ended, 1);
    await vera.says("#toasts", /VR can't be entered: no floor/);
    assert.equal(vera.errors.length, errors);
    await vera.page.evaluate(() => document.querySelector("#vr").click());
    await eventually("VR", async () => (await vera.page.getAttribute("#vr", "aria-label")) === "Leave VR", PATIENCE);
  });

  test("is left, and the hands with it", async () => {
    await vera.page.setViewportSize({ width: 500, height: 800 });
    // The emulator lays its canvas over the button.
    await vera.page.evaluate(() => document.querySelector("#vr").click());
    await eventually("no hands", async () => ((one) => one.left === undefined && one.right === undefined)(await world("vera")), PATIENCE);
    await eventually("no VR", async () => (await vera.page.getAttribute("#vr", "aria-label")) === "Enter VR", PATIENCE);
    await vera.until("she sees what fits the window, which is upright now", ({ camera }) => camera.fov === 85);
    await ann.until("ann draws none", ({ entities: { vera } }) => vera && !vera.left && !vera.right);
    assert.deepEqual([vera.errors, ann.errors], [[], []]);
  });
});
