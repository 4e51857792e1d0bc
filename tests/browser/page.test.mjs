// The page in a real browser, against a real gateway: two tabs and a client in node in one room, and a replay.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { eventually, phoenix, startGateway } from "../js/support/gateway.mjs";
import { PATIENCE, startBrowser, Tab } from "./support/browser.mjs";

// Why these tests can't run here, or null.
let leftOut = null;
let { browser, missing } = await startBrowser();
let gateway = null;
if (!missing) {
  gateway = await startGateway("arena");
  missing = gateway.missing;
}
if (missing) {
  leftOut = missing;
  console.log(`Left out: the page in a browser. ${leftOut}`);
  await browser?.close();
}

// With few pixels, since the processor draws them; but for pictures.
const ratio = process.env.SCREENSHOTS ? "1" : "0.25";
const address = (path, options) => `http://localhost:${gateway.port}${path}?${new URLSearchParams({ ratio, ...options })}`;
const near = (a, b, far = 1e-4) => a && b && Math.hypot(...a.map((part, i) => part - b[i])) < far;

// A gateway is no Phoenix, and says so.
const served = async (tab) => (phoenix ? assert.equal(await tab.page.textContent("#gateway"), "") : tab.says("#gateway", /^development gateway, not Phoenix$/));

// A corridor without anything in it, and the way to the level's door.
const ANN = { position: [20.25, 0, -8.75], rotation: [0, Math.SQRT1_2, 0, Math.SQRT1_2] };
const BOB = { position: [20.25, 0, -14.5], rotation: [0, -Math.SQRT1_2, 0, Math.SQRT1_2] };
const AWAY = { position: [5.25, 0, 33.25], rotation: [0, 0, 0, 1] };
const DOOR = "sector-68";
const BEFORE_DOOR = { position: [18.5, 0.1875, 0], rotation: [0, 0, 0, 1] };

describe("the page", { skip: leftOut !== null, timeout: 8 * PATIENCE }, () => {
  const room = "hall";
  let ann, bob, carl, socket;

  const place = (user, where) => gateway.order("publish", room, "player_spawned", { user_id: user, health: 100, collider: { shape: "box", radius: 0.5, height: 1.75 }, ...where });

  before(async () => {
    const [{ Socket }, { default: WebSocket }, { Room }] = await Promise.all([import("phoenix"), import("ws"), import("../../priv/static/roomfold.mjs")]);
    socket = new Socket(`ws://localhost:${gateway.port}/socket`, { transport: WebSocket, params: { user_id: "carl", ...gateway.params?.carl } });
    carl = new Room(socket, `room:${room}`, { events: true, presence: true, move: "player_moved", format: "packed" });
    carl.events = [];
    carl.on("event", (event) => carl.events.push(event));
  });

  after(() => socket?.disconnect());

  const happened = (name, isSo = () => true) => eventually(`${name}`, () => carl.events.find((event) => event.event_name === name && isSo(event)), PATIENCE);

  test("the start says what serves it, and takes one to a room", async () => {
    const tab = await Tab.open(browser, address("/"));
    await served(tab);
    await tab.page.fill("#name", "eve");
    await tab.page.fill("#room", "lobby");
    await tab.page.press("#room", "Enter");
    await tab.until("eve is in the lobby", ({ own }) => own?.id === "eve");
    await served(tab);
    assert.deepEqual(tab.errors, []);
    await tab.close();
  });

  test("the start is in order on a phone, too: nothing lies over anything else", async () => {
    const tab = await Tab.open(browser, address("/"), { viewport: { width: 390, height: 844 } });
    await served(tab);
    const seen = await tab.page.$$eval(".brand, #gateway, .start h2, .start form", (all) =>
      all.map((element) => [element.className || element.tagName, element.getBoundingClientRect()]).filter(([, { height }]) => height > 0).map(([name, { left, right, top, bottom }]) => ({ name, left, right, top, bottom })),
    );
    assert.ok(seen.some(({ name }) => name === "brand"), "it says what it is");
    for (const one of seen) {
      assert.ok(one.left >= 0 && one.right <= 390, one.name);
      for (const other of seen) {
        if (one !== other) assert.ok(one.right <= other.left || other.right <= one.left || one.bottom <= other.top || other.bottom <= one.top, `${one.name} and ${other.name}`);
      }
    }
    await tab.close();
  });

  test("nor does anything in a room, upright or not", async () => {
    for (const [width, height] of [[390, 844], [360, 640], [844, 390]]) {
      const tab = await Tab.open(browser, address("/rooms/lobby", { user: "pia" }), { viewport: { width, height }, hasTouch: true, isMobile: true });
      await tab.until("pia is in the lobby", ({ own }) => own?.id === "pia");
      await tab.page.waitForSelector("#stick");
      await tab.page.evaluate(() => (document.querySelector("#feed").innerHTML = "<li>player1 killed player2 · super shotgun</li>"));
      const seen = await tab.page.$$eval("#gateway, #feed, #people, #stick, #fire, .vitals p, #weapons", (all) =>
        all.map((element) => [element.id || element.tagName, element.getBoundingClientRect()]).map(([name, { left, right, top, bottom }]) => ({ name, left, right, top, bottom })),
      );
      for (const one of seen) {
        for (const other of seen) {
          if (one !== other) assert.ok(one.right <= other.left || other.right <= one.left || one.bottom <= other.top || other.bottom <= one.top, `${one.name} and ${other.name}, ${width} pixels wide`);
        }
      }
      await tab.close();
    }
  });

  test("the help names keys where there are some, on a phone gestures", async () => {
    for (const [user, options, named, not] of [
      ["dan", {}, /W A S D/, /thumb/],
      ["dora", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }, /left thumb/, /W A S D/],
    ]) {
      const tab = await Tab.open(browser, address("/rooms/lobby", { user }), options);
      await tab.until(`${user} is in the lobby`, ({ own }) => own?.id === user);
      await tab.page.click("#help");
      const help = await tab.page.textContent("#keys-list");
      assert.match(help, named);
      assert.doesNotMatch(help, not);
      await tab.close();
    }
  });

  test("keys are the page's only where nothing else has them", async () => {
    const tab = await Tab.open(browser, address("/rooms/lobby", { user: "kim" }));
    await tab.until("kim is in the lobby", ({ own }) => own?.id === "kim");
    const { keyboard } = tab.page;
    const shows = (selector) => tab.page.isVisible(selector);
    // As a keyboard has it where the question mark is elsewhere.
    await tab.page.evaluate(() => dispatchEvent(new KeyboardEvent("keydown", { key: "?", code: "Minus", shiftKey: true })));
    assert.equal(await shows("#keys"), true);
    const { own } = await tab.drawn();
    for (const key of ["KeyI", "Digit1", "KeyW"]) await keyboard.press(key, { delay: 200 });
    assert.deepEqual([await shows("#inspector"), (await tab.drawn()).own], [false, own], "under the help nothing moves");
    await keyboard.press("Escape");
    assert.equal(await shows("#keys"), false);
    for (const key of ["Control+KeyI", "Alt+KeyI"]) await keyboard.press(key);
    assert.equal(await shows("#inspector"), false, "what is pressed with Control is the browser's");
    await keyboard.press("KeyI");
    assert.equal(await shows("#inspector"), true);
    // A list with another role is none for who hears it.
    await tab.page.waitForSelector("#entities li");
    assert.equal(await tab.page.locator("[role] > li").count(), 0);
    await tab.page.evaluate(() => globalThis.roomfold.link.say("player_moved", { user_id: "bob", position: [0, 0, 0] }));
    await tab.says("#toasts", /was refused/);
    const isOnTop = ({ right, top, bottom }) => document.elementFromPoint(right - 5, (top + bottom) / 2)?.closest("#toasts") !== null;
    const toast = tab.page.locator("#toasts li");
    await toast.evaluate((item) => (item.style.pointerEvents = "auto"));
    assert.ok(await tab.page.evaluate(isOnTop, await toast.evaluate((item) => item.getBoundingClientRect().toJSON())), "what was refused is over the inspector");
    assert.deepEqual(tab.errors, []);
    await tab.close();
  });

  test("what has been said is not said again because something else is", async () => {
    const tab = await Tab.open(browser, address("/rooms/lobby", { user: "lea" }));
    await tab.until("lea is in the lobby", ({ own }) => own?.id === "lea");
    for (const id of ["imp-1", "imp-2"]) {
      await gateway.order("publish", "lobby", "monster_died", { id, by_id: "lea" });
      await tab.says("#feed", new RegExp(`lea killed ${id}`));
      if (id === "imp-1") await tab.page.evaluate(() => (document.querySelector("#feed li:last-child").first = true));
    }
    assert.equal(await tab.page.evaluate(() => [...document.querySelectorAll("#feed li")].findIndex((line) => line.first)), (await tab.page.locator("#feed li").count()) - 2);
    await tab.close();
  });

  test("it can be zoomed by who does not see well", async () => {
    const tab = await Tab.open(browser, address("/"));
    assert.doesNotMatch(await tab.page.getAttribute("meta[name=viewport]", "content"), /user-scalable|maximum-scale/);
    await tab.close();
  });

  test("several tabs that a new browser opens at once are all let in", async () => {
    const first = await Tab.open(browser, "about:blank");
    const pages = [first.page, await first.context.newPage(), await first.context.newPage()];
    await Promise.all(pages.map((page, i) => page.goto(address("/rooms/lobby", { user: `tab-${i}` }))));
    for (const page of pages) await eventually("it is joined", () => page.evaluate(() => globalThis.roomfold?.room.status === "joined"), PATIENCE);
    await first.close();
  });

  test("what it says when it connects is what its server says now", async () => {
    const tab = await Tab.open(browser, "about:blank");
    let loaded = 0;
    await tab.page.route(/rooms.lobby/, async (route) => {
      const response = await route.fetch();
      const told = (text) => `data-params="${JSON.stringify({ ...JSON.parse(text.replaceAll("&quot;", '"')), loaded: ++loaded }).replaceAll('"', "&quot;")}"`;
      await route.fulfill({ response, body: (await response.text()).replace(/data-params="([^"]*)"/, (_, text) => told(text)) });
    });
    const said = [];
    await tab.page.routeWebSocket(/socket/, (socket) => {
      said.push(new URL(socket.url()).searchParams.get("loaded"));
      return socket.close({ code: 1011 });
    });
    await tab.page.goto(address("/rooms/lobby", { user: "mia" }));
    await eventually("it says what it is told now", () => said.at(-1) > 1, PATIENCE);
    assert.equal(said[0], "1");
    await tab.page.unrouteAll({ behavior: "ignoreErrors" });
    await tab.close();
  });

  test("who can't reach the server can try again by hand", async () => {
    const tab = await Tab.open(browser, "about:blank");
    await tab.page.routeWebSocket(/socket/, (socket) => socket.close());
    await tab.page.goto(address("/rooms/lobby", { user: "max" }));
    await tab.says("#message-text", /connection.*tries again by itself/);
    await tab.says("#message-again", /Try again/);
    await tab.page.unrouteAll();
    await tab.close();
  });

  test("two tabs and a client in node are in one room, and see one another", async () => {
    socket.connect();
    await carl.join();
    [ann, bob] = await Promise.all(["ann", "bob"].map((user) => Tab.open(browser, address(`/rooms/${room}`, { user }))));
    for (const [tab, others] of [[ann, ["bob", "carl"]], [bob, ["ann", "carl"]]]) {
      const { entities } = await tab.until("the others are drawn", ({ entities }) => others.every((id) => entities[id]?.visible));
      assert.ok(entities["imp-1"].form === "monster" && Object.values(entities).some(({ form }) => form === "item"), "monsters and items too");
      await tab.says("#people-title", /^Here/);
      await tab.says("#people-list", /ann.*bob.*carl/s);
    }
    await eventually("who is here, in node", () => carl.presence.join() === "ann,bob,carl");
    // Nobody is to be disturbed from here on.
    for (const id of Object.keys(carl.world.toObject())) if (id.startsWith("imp-")) await gateway.order("publish", room, "delete", { entity_id: id });
    await Promise.all([place("ann", ANN), place("bob", BOB), place("carl", AWAY)]);
    for (const tab of [ann, bob]) await tab.until("no monster", ({ entities }) => !entities["imp-1"]);
  });

  test("each sees the others move", async () => {
    carl.input({ position: [6.5, 0, 33], rotation: [0, 1, 0, 0] });
    for (const tab of [ann, bob]) await tab.until("carl is there", ({ entities: { carl } }) => near(carl?.position, [6.5, 0, 33]) && near(carl.rotation, [0, 1, 0, 0]));
    await ann.until("ann stands where she was put", ({ own }) => near(own?.position, ANN.position, 0.05));
    const walked = await ann.hold("KeyW", () => bob.until("ann comes nearer", ({ entities: { ann } }) => ann?.position[2] < ANN.position[2] - 1));
    assert.ok(Math.abs(walked.entities.ann.position[0] - ANN.position[0]) < 0.2, "straight on");
    const { own } = await ann.until("ann stands", ((z) => ({ own }) => z === (z = own.position[2]))(0));
    await bob.until("bob sees ann where she is", ({ entities }) => near(entities.ann.position, own.position, 1e-3));
    await eventually("so does carl", () => near(carl.world.get("ann").position, own.position, 1e-3));
  });

  test("one shoots, the other is hit, and everybody is told", async () => {
    // On a slow machine she has walked past him.
    await place("ann", ANN);
    await ann.until("ann stands where she was put", ({ own }) => near(own?.position, ANN.position, 0.05));
    const hit = await ann.hold("Space", () => happened("player_hit", (event) => event.user_id === "bob" && event.by_id === "ann"));
    assert.ok(hit.by === "system" && hit.health < 100, "the room is the judge");
    await happened("weapon_fired", (event) => event.user_id === "ann");
    await bob.picture("live-hit");
    const health = await eventually("bob is hurt, at ann's and in node", async () => {
      const [there, here] = [await ann.page.evaluate(() => globalThis.roomfold.world.get("bob")?.health), carl.world.get("bob")?.health];
      return there === here && here < 100 ? here : null;
    });
    await bob.says("#health", new RegExp(`^${health}$`));
  });

  test("a killed one lies there, is told who did it, and comes back", async () => {
    await ann.hold("Space", () => happened("player_killed", (event) => event.user_id === "bob"));
    await bob.says("#dead", /Killed by ann/);
    await ann.says("#feed", /ann.*bob/s);
    await eventually("bob is back", () => carl.world.get("bob")?.health === 100, PATIENCE);
    await bob.until("and knows it", ({ own }) => own && !own.dead);
  });

  test("a door opens for who comes near, and everybody sees it", async () => {
    // The room's timer opens it, too, once a minute. If that was just before ann came, she comes once more.
    for (let opened = false; !opened; ) {
      const shut = await gateway.order("publish", room, "door_closed", { id: DOOR });
      await place("ann", BEFORE_DOOR);
      await ann.until("ann is at the door, which is shut", ({ own, sectors }) => near(own?.position, BEFORE_DOOR.position, 0.05) && sectors[DOOR]?.ceiling === 0);
      const { seq: came } = await ann.hold("KeyW", () => happened("door_triggered", ({ id, seq }) => id === DOOR && seq > shut));
      const before = carl.events.some(({ event_name, id, seq }) => event_name === "door_opened" && id === DOOR && seq > shut && seq < came);
      opened = !before && (await happened("door_opened", ({ id, seq }) => id === DOOR && seq > came));
    }
    // All at once: it shuts again.
    await Promise.all([...[ann, bob].map((tab) => tab.until("it is open", ({ sectors }) => sectors[DOOR].ceiling > 2)), eventually("in node too", () => carl.world.get(DOOR).ceiling > 2)]);
    await ann.picture("live-door");
  });

  test("what was drawn is what the server has", async () => {
    for (const tab of [ann, bob]) {
      const { seq, entities } = await tab.until("a moment without movement", ({ settled, seq, world }) => settled && seq === world);
      const state = await gateway.order("state_at", room, seq);
      const missing = Object.keys(entities).filter((id) => !state[id]);
      assert.deepEqual(missing, [], "nothing is drawn that is not there");
      for (const [id, { position }] of Object.entries(entities)) if (state[id].kind !== "trigger") assert.ok(near(position, state[id].position), `${id} at ${position}, not ${state[id].position}`);
    }
  });

  test("a connection that breaks is taken up with the last seq, and nothing is missed", async () => {
    bob.messages.length = 0;
    assert.ok((await gateway.order("drop connections")) >= 3);
    const joins = await eventually("bob joins again", () => bob.messages.filter(({ sent, payload }) => sent && payload.includes?.("phx_join")).map(({ payload }) => JSON.parse(payload)[4])[0], PATIENCE);
    assert.ok(joins.last_seq > 0 && joins.last_term > 0, "with its last seq");
    await bob.until("bob is back", ({ status }) => status === "joined");
    await ann.until("so is ann", ({ status }) => status === "joined");
    const seq = await gateway.order("publish", room, "create", { entity_id: "after", components: {} });
    await bob.until("and hears what comes", ({ world }) => world >= seq);
    const { world, at } = await bob.page.evaluate(() => ({ world: globalThis.roomfold.world.toObject(), at: globalThis.roomfold.world.seq }));
    assert.deepEqual(world, await gateway.order("state_at", room, at), "bob's world is the server's");
  });

  test("a tab is closed: the others see it; it comes back", async () => {
    await bob.close();
    await ann.until("bob is gone", ({ entities }) => !entities.bob);
    await happened("user_left", (event) => event.user_id === "bob");
    await eventually("in the list too", async () => !/bob/.test(await ann.page.textContent("#people-list")), PATIENCE);
    bob = await Tab.open(browser, address(`/rooms/${room}`, { user: "bob" }));
    await ann.until("bob is back", ({ entities }) => entities.bob?.visible);
    await bob.until("and sees ann", ({ entities }) => entities.ann?.visible);
  });

  test("what is refused is said on the page, and why", async () => {
    await ann.page.evaluate(() => globalThis.roomfold.link.say("player_moved", { user_id: "bob", position: [0, 0, 0] }));
    await ann.says("#toasts", /player_moved was refused: .*a user speaks for itself/);
    const refused = await Tab.open(browser, address(`/rooms/${room}`, { user: "system" }));
    await refused.says("#message", /refused/i);
    await refused.close();
  });

  test("no page had an error", async () => {
    for (const tab of [ann, bob]) assert.deepEqual(tab.errors, []);
    await carl.leave();
    await Promise.all([ann.close(), bob.close()]);
  });
});

describe("the replay view", { skip: leftOut !== null, timeout: 4 * PATIENCE }, () => {
  // Forth and back; once in each format.
  for (const [format, places] of [["packed", [0.5, 0.98, 0.02]], ["json", [0.7, 0.3]]]) {
    test(`seeks, and what it draws is the state at that seq (${format})`, async () => {
      const tab = await Tab.open(browser, address("/replays/match", { format }));
      await tab.until("it plays", ({ seq, entities }) => seq > 100 && Object.keys(entities).length > 10);
      await served(tab);
      await tab.page.click("#play");
      const playback = () => tab.page.evaluate(() => globalThis.roomfold.link.playback.info);
      await eventually("it pauses", async () => (await playback()).paused, PATIENCE);
      const { duration_ms: duration } = await playback();
      for (const part of places) {
        const to = Math.round(duration * part);
        await tab.page.fill("#seek", String(to));
        const { seq } = await eventually("it has sought", async () => (({ position_ms, ...info }) => position_ms === to && info)(await playback()), PATIENCE);
        const drawn = await tab.until("it is there", (drawn) => drawn.settled && drawn.seq === seq && drawn.world === seq);
        same(drawn, await gateway.order("match_at", seq));
        await tab.says("#seq", new RegExp(`^${seq}$`));
      }
      if (format === "packed") await tab.picture("replay");
      await tab.page.click("#play");
      const { world } = await tab.drawn();
      await tab.until("it plays on", (drawn) => drawn.world > world + 100);
      assert.deepEqual(tab.errors, []);
      await tab.close();
    });
  }

  // Paused somewhere in it.
  const stopped = async (ms) => {
    const tab = await Tab.open(browser, address("/replays/match"));
    await tab.until("it plays", ({ seq }) => seq > 100);
    const asked = () => tab.page.evaluate(() => globalThis.roomfold.room.push("info"));
    await tab.page.click("#play");
    await eventually("it pauses", async () => (await asked()).paused, PATIENCE);
    await tab.page.fill("#seek", String(ms));
    await eventually("it has sought", async () => (await asked()).position_ms === ms, PATIENCE);
    return { tab, asked };
  };

  test("is where it was when a broken connection is back", async () => {
    const { tab, asked } = await stopped(60_000);
    await tab.page.click("#speeds button[data-value='2']");
    const { seq } = await eventually("it is as fast as it should be", async () => (({ speed, ...info }) => speed === 2 && info)(await asked()), PATIENCE);
    await gateway.order("drop connections");
    await tab.until("it is gone", ({ status }) => status === "rejoining");
    await tab.until("it is joined again", ({ status }) => status === "joined");
    await eventually("it is where it was", async () => (({ position_ms, speed, paused }) => position_ms === 60_000 && speed === 2 && paused)(await asked()), PATIENCE);
    await tab.until("and shows that", ({ world }) => world === seq);
    await tab.close();
  });

  test("goes on at the bar, too, after that was taken, moved, and let go where it was", async () => {
    const { tab, asked } = await stopped(60_000);
    const value = () => tab.page.inputValue("#seek").then(Number);
    const { x, y, width, height } = await tab.page.locator("#seek").boundingBox();
    const { mouse } = tab.page;
    await mouse.move(x + width * 0.8, y + height / 2);
    await mouse.down();
    await mouse.up();
    const there = await eventually("it has sought", async () => {
      const [{ position_ms: at }, shown] = [await asked(), await value()];
      return at > 60_000 && at === shown ? at : null;
    }, PATIENCE);
    await mouse.down();
    await mouse.move(x + width * 0.5, y + height / 2);
    assert.ok((await value()) < there, "it was moved");
    await mouse.move(x + width * 0.8, y + height / 2);
    await mouse.up();
    assert.equal(await value(), there);
    await eventually("the keys are the page's again", () => tab.page.evaluate(() => document.activeElement.id === "canvas"), PATIENCE);
    await tab.page.keyboard.press("Space");
    await eventually("the bar goes on", async () => (await value()) > there + 1000, PATIENCE);
    await tab.close();
  });

  after(async () => {
    await browser?.close();
    await gateway?.stop();
  });
});

// Everything that was drawn is where the state has it, and everybody of the state was drawn. JSON has a binary32's shortest decimals.
function same({ entities, sectors, seq }, state) {
  const players = Object.keys(state).filter((id) => state[id].kind === "player");
  assert.ok(players.length >= 4 && players.every((id) => entities[id]), `at seq ${seq}: ${players}`);
  for (const [id, { position, rotation }] of Object.entries(entities)) {
    assert.ok(state[id], `${id} is drawn at seq ${seq} and is not there`);
    assert.deepEqual(position.map(Math.fround), state[id].position, `${id} at seq ${seq}`);
    if (rotation) assert.deepEqual(rotation.map(Math.fround), state[id].rotation, `${id} at seq ${seq}`);
  }
  for (const [id, { floor, ceiling }] of Object.entries(sectors)) {
    if (state[id]) assert.deepEqual({ floor, ceiling }, { floor: state[id].floor ?? floor, ceiling: state[id].ceiling ?? ceiling }, `${id} at seq ${seq}`);
  }
}
