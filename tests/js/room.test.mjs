// The browser client against a real gateway: Phoenix's npm client as it is, real WebSockets, real rooms.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Room, RoomError } from "../../priv/static/roomfold.mjs";
import { eventually, startGateway } from "./support/gateway.mjs";

// Why these tests can't run here, or null.
let { Socket, WebSocket, leftOut } = await packages();
let gateway = null;
if (!leftOut) {
  gateway = await startGateway();
  leftOut = gateway.missing ?? null;
}
if (leftOut) console.log(`Left out: the client against a gateway. ${leftOut}`);

async function packages() {
  try {
    const { Socket } = await import("phoenix");
    return { Socket, WebSocket: (await import("ws")).default, leftOut: null };
  } catch (error) {
    return { leftOut: `The npm packages phoenix and ws are not there (npm install in tests/js): ${error.message}` };
  }
}

test("options that can't be meant", () => {
  const socket = { channel: () => assert.fail("it goes on") };
  for (const [options, message] of [
    [{ format: "xml" }, 'format must be "json" or "packed", got: xml'],
    [{ inputHz: 0 }, "inputHz must be above 0, got: 0"],
    [{ inputHz: undefined }, "inputHz must be above 0, got: undefined"],
    [{ delayTicks: -1 }, "delayTicks must be 0 or more, got: -1"],
    [{ teleport: NaN }, "teleport must be 0 or more, got: NaN"],
  ])
    assert.throws(() => new Room(socket, "room:a", options), { name: "RangeError", message });
});

describe("a room", { skip: leftOut !== null, timeout: 600_000 }, () => {
  const sockets = [];
  let count = 0;

  const connect = (user, port = gateway.port) => {
    // So that a test can stop reading.
    class Transport extends WebSocket {
      constructor(...args) {
        super(...args);
        socket.webSocket = this;
      }
    }
    const socket = new Socket(`ws://localhost:${port}/socket`, {
      transport: Transport,
      params: { user_id: user },
      reconnectAfterMs: () => 50,
      rejoinAfterMs: () => 50,
    });
    socket.connect();
    sockets.push(socket);
    return socket;
  };

  const newRoom = () => `room-${++count}`;

  const join = async (user, id, options = {}) => {
    const room = new Room(connect(user), `room:${id}`, options);
    room.seen = [];
    for (const name of ["snapshot", "diff", "event", "presence", "status", "closing"]) room.on(name, (value) => room.seen.push([name, value]));
    await room.join();
    return room;
  };

  const of = (room, name) => room.seen.filter(([kind]) => kind === name).map(([, value]) => value);

  // The client has exactly what the server has.
  const same = async (room, id) => {
    const seq = await gateway.order("publish", id, "door_triggered", {});
    await eventually(`seq ${seq}`, () => room.world.seq >= seq);
    assert.deepEqual(room.world.toObject(), await gateway.order("state_at", id, room.world.seq));
  };

  before(() => assert.ok(gateway.port > 0));

  after(async () => {
    for (const socket of sockets) socket.disconnect();
    await gateway.stop();
  });

  test("is joined: its world is here, and goes on", async () => {
    const id = newRoom();
    await gateway.order("publish", id, "player_spawned", { user_id: "ann", position: [1, 2, 3], health: 100 });
    const room = new Room(connect("tom"), `room:${id}`);
    assert.deepEqual([room.status, room.world.seq], ["closed", 0]);
    const joining = room.join();
    assert.equal(room.status, "connecting");
    assert.equal(joining, room.join(), "asked twice, joined once");
    const reply = await joining;
    assert.deepEqual([room.status, room.reason, room.user, reply.gateway], ["joined", "", "tom", "development gateway, not Phoenix"]);
    assert.deepEqual(room.world.get("ann"), { kind: "player", position: [1, 2, 3], health: 100 });
    const { seq } = await room.push("user_moved", { user_id: "tom", position: [4, 5, 6] });
    await eventually("the diff", () => room.world.seq >= seq);
    assert.deepEqual(room.world.get("tom"), { position: [4, 5, 6] });
    await same(room, id);
  });

  test("may have its authority with a client, which then speaks for the system", async () => {
    const id = newRoom();
    await gateway.order("client authority", id);
    const ann = await join("ann", id, { events: true });
    const tom = await join("tom", id);
    await eventually("who has it", () => ann.authority === "ann" && tom.authority === "ann");
    const events = [{ event: "create", entity_id: "imp", components: { kind: "imp" } }, { event_name: "monster_moved", id: "imp", position: [1, 2, 3] }];
    await assert.rejects(tom.push("system", { events }), { reason: "not_allowed" });
    await assert.rejects(ann.push("system", { events: [...events, { event_name: "nothing" }] }), { reason: "unknown_event", index: 2 });
    const { seq } = await ann.push("system", { events });
    await eventually("the diff", () => tom.world.seq >= seq);
    assert.deepEqual(tom.world.get("imp"), { kind: "imp", position: [1, 2, 3] });
    await same(tom, id);
  });

  test("brings a token where one is given, a new one with each join", async () => {
    const socket = connect("tom");
    const room = new Room(socket, `room:${newRoom()}`, { token: () => `token ${++tokens}` });
    let tokens = 0;
    const brought = [];
    const push = socket.push.bind(socket);
    socket.push = (data) => {
      if (data.event === "phx_join") brought.push((typeof data.payload === "function" ? data.payload() : data.payload).token);
      return push(data);
    };
    await room.join();
    await gateway.order("drop connections");
    await eventually("it is joined again", () => brought.length > 1 && room.status === "joined");
    assert.deepEqual(brought.slice(0, 2), ["token 1", "token 2"]);
    const other = new Room(socket, "room:other", { token: "mine" });
    await other.join();
    assert.equal(brought.at(-1), "mine");
  });

  test("of two clients: each sees the other's moves, and who is here", async () => {
    const id = newRoom();
    const tom = await join("tom", id, { presence: true, events: true });
    const ann = await join("ann", id, { presence: true });
    await eventually("both are here", () => tom.presence.join() === "ann,tom" && ann.presence.join() === "ann,tom");
    for (let n = 1; n <= 20; n++) await ann.push("player_moved", { user_id: "ann", position: [n, 0, 0] });
    await eventually("the last move", () => tom.world.get("ann")?.position?.[0] === 20);
    await ann.push("door_triggered", { user_id: "ann", id: "gate" });
    await eventually("the event", () => of(tom, "event").some((event) => event.event_name === "door_triggered" && event.id === "gate" && event.by === "ann"));
    assert.ok(!of(tom, "event").some((event) => event.event_name === "player_moved"), "what a diff tells comes no second time");
    assert.deepEqual(of(ann, "event"), [], "nobody asked");
    await same(tom, id);
    await ann.leave();
    assert.deepEqual([ann.status, ann.reason], ["closed", "left"]);
    await eventually("ann is gone", () => tom.presence.join() === "tom" && tom.world.get("ann") === undefined);
    assert.deepEqual(of(tom, "presence").at(-1), ["tom"]);
  });

  test("refuses what is not allowed, and says why", async () => {
    const room = await join("tom", newRoom());
    const refused = async (name, payload, expected) =>
      assert.rejects(room.push(name, payload), (error) => {
        assert.ok(error instanceof RoomError);
        assert.deepEqual([error.reason, error.field], expected);
        return error.message.length > 10;
      });
    await refused("user_moved", { user_id: "ann" }, ["not_owned", "user_id"]);
    await refused("player_killed", { user_id: "tom" }, ["not_allowed", undefined]);
    await refused("user_moved", { user_id: "tom", position: "x" }, ["wrong_type", "position"]);
    await refused("no_such_event", {}, ["unknown_event", undefined]);
    await refused("bytes", new ArrayBuffer(3), ["unknown_version", undefined]);
    await room.push("user_moved", { user_id: "tom", position: [1, 1, 1] });
    await room.leave();
    await refused("user_moved", { user_id: "tom" }, ["not_joined", undefined]);
  });

  // What a client does wrong on the wire: it is told why, and nobody else notices.
  describe("with somebody in it who does it wrong", () => {
    const wrong = async (id, act, isTold) => {
      const witness = await join("ann", id);
      const room = await join("tom", id);
      for (const { seen } of [witness, room]) seen.length = 0;
      const before = room.world.seq;
      await act(room, sockets.at(-1));
      await eventually("it is told why", () => isTold(room));
      await witness.push("user_moved", { user_id: "ann", position: [1, 2, 3] });
      assert.deepEqual(of(witness, "status"), [], "the other has noticed nothing");
      await eventually("it is back", () => room.status === "joined" && room.world.seq > before);
      await same(room, id);
      await same(witness, id);
    };
    const statuses = (room) => of(room, "status").map(({ reason }) => reason).join();

    test("a message that is too large", () => wrong(newRoom(), async (room) => void room.push("user_moved", { user_id: "tom", pose: "x".repeat(140_000) }).catch(() => {}), (room) => /large|big/i.test(statuses(room))));

    test("a message that is none", () => wrong(newRoom(), async (_, socket) => socket.webSocket.send("{"), (room) => /not JSON/.test(statuses(room))));

    test("bytes that are none", () => wrong(newRoom(), async (_, socket) => socket.webSocket.send(new Uint8Array([9, 9])), (room) => /not a binary push/.test(statuses(room))));

    test("a frame that is against the protocol", () => wrong(newRoom(), async (_, socket) => socket.webSocket._socket.write(Buffer.from([0x83, 0x80, 0, 0, 0, 0])), (room) => statuses(room).length > 5));

    test("too much for one event", async () => {
      const room = await join("tom", newRoom());
      await assert.rejects(room.push("user_moved", { user_id: "tom", pose: "x".repeat(70_000) }), { reason: "too_large" });
      assert.equal(room.status, "joined");
    });

    test("too many at once", async () => {
      const id = newRoom();
      const [room, witness] = [await join("tom", id), await join("ann", id)];
      witness.seen.length = 0;
      const answers = await Promise.allSettled(Array.from({ length: 400 }, (_, n) => room.push("user_moved", { user_id: "tom", position: [n, 0, 0] })));
      const refused = answers.filter(({ status }) => status === "rejected").map(({ reason }) => reason);
      assert.ok(refused.length > 50 && refused.every(({ reason, message }) => /rate_limited|overloaded/.test(reason) && message.length > 10), `${refused.length}`);
      assert.ok(answers.length - refused.length >= 100, "as many as it may");
      assert.deepEqual([of(witness, "status"), room.status], [[], "joined"]);
      await same(witness, id);
    });

    test("who comes from a page of another server", async () => {
      class Foreign extends WebSocket {
        constructor(address, protocols) {
          super(address, protocols, { origin: "http://example.com" });
        }
      }
      const socket = new Socket(`ws://localhost:${gateway.port}/socket`, { transport: Foreign, params: { user_id: "tom" }, reconnectAfterMs: () => 50 });
      socket.connect();
      sockets.push(socket);
      const room = new Room(socket, `room:${newRoom()}`);
      room.join().catch(() => {});
      await eventually("a reason", () => room.reason !== "");
      assert.equal(room.status, "connecting");
      await room.leave();
    });
  });

  test("that can't be joined says why", async () => {
    const room = new Room(connect("system"), "room:a");
    await assert.rejects(room.join(), { name: "RoomError", reason: "invalid_id" });
    assert.equal(room.status, "closed");
    assert.ok(room.reason.length > 5);
    await assert.rejects(new Room(connect("tom"), "nowhere:a").join(), { reason: "unmatched topic" });
    await assert.rejects(new Room(connect("tom"), "replay:nothing").join(), { reason: "no_room" });
  });

  test("that can't be reached is tried again, and says so", async () => {
    const room = new Room(connect("tom", 1), "room:a");
    let joined = false;
    room.join().then(() => (joined = true), () => {});
    const reasons = [];
    room.on("status", ({ reason }) => reasons.push(reason));
    await eventually("a reason", () => /can't be reached, or refuses/.test(room.reason));
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.deepEqual([room.status, joined], ["connecting", false]);
    assert.deepEqual(reasons.slice(reasons.findIndex((reason) => reason.includes("can't"))), [room.reason], "and stays so");
    await room.leave();
    sockets.at(-1).disconnect();
    assert.equal(room.status, "closed");
  });

  // Of 1.8, which the tests have, and of 1.7, which gives no reason with it.
  for (const version of ["1.8", "1.7"]) test(`whose connection breaks says that, and not that the server stopped it (phoenix ${version})`, async () => {
    const socket = connect("tom");
    if (version === "1.7") socket.triggerChanError = () => socket.channels.forEach((channel) => channel.trigger("phx_error"));
    const room = new Room(socket, `room:${newRoom()}`);
    await room.join();
    const seen = [];
    room.on("status", ({ status, reason }) => seen.push([status, reason]));
    socket.webSocket.terminate();
    await eventually("it is back", () => room.status === "joined" && seen.length > 1);
    assert.deepEqual(seen, [["rejoining", "the connection is gone"], ["joined", ""]]);
    socket.disconnect();
  });

  test("that is left before it was joined says so to whoever waits", async () => {
    const room = new Room(connect("tom", 1), "room:a");
    let why = null;
    room.join().catch((error) => (why = error));
    await room.leave();
    await eventually("it is told", () => why);
    assert.deepEqual([why.name, why.reason], ["RoomError", "left"]);
    sockets.at(-1).disconnect();
  });

  test("that is left before anybody joined it is joined no more, and its socket knows it no more", async () => {
    const socket = connect("tom");
    const listening = () => Object.values(socket.stateChangeCallbacks).flat().length;
    const before = listening();
    const room = new Room(socket, `room:${newRoom()}`);
    const own = listening() - before;
    await room.leave();
    assert.deepEqual([room.status, room.reason], ["closed", "left"]);
    assert.ok(own > listening() - before, "what it listened to");
    await assert.rejects(room.join(), { name: "RoomError", reason: "left" });
    await room.leave();
  });

  test("does not come back to a term of which it has no frame yet", async () => {
    const room = await join("tom", newRoom());
    await eventually("all of its own coming", () => room.world.get("tom"));
    const socket = sockets.at(-1);
    const asked = [];
    const push = socket.push.bind(socket);
    socket.push = (data) => {
      if (data.event === "phx_join") asked.push(data.payload);
      return push(data);
    };
    // The connection breaks between the two messages of a room that has restarted.
    socket.channels[0].trigger("term", { term: 99 });
    await gateway.order("drop connections");
    await eventually("it is joined again", () => asked.length > 0 && room.status === "joined");
    assert.deepEqual([asked[0].last_seq, asked[0].last_term], [undefined, undefined], "its world is of the term before");
    await gateway.order("drop connections");
    await eventually("and once more", () => asked.length > 1 && room.status === "joined");
    assert.deepEqual([asked[1].last_seq, asked[1].last_term], [room.world.seq, room.joined.term]);
  });

  test("takes movement at most so often, and the last is what counts", async () => {
    const id = newRoom();
    const room = await join("tom", id, { move: "player_moved", inputHz: 10 });
    const start = performance.now();
    let n = 0;
    while (performance.now() - start < 500) {
      room.input({ position: [++n, 0, 0] });
      room.input({ rotation: [0, 0, 0, 1] });
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await eventually("the last position", () => room.world.get("tom")?.position?.[0] === n);
    assert.deepEqual(room.world.get("tom").rotation, [0, 0, 0, 1]);
    const moves = of(room, "diff").filter((diff) => diff.updates.tom).length;
    const elapsed = performance.now() - start;
    assert.ok(moves >= 2 && moves <= 3 + elapsed / 100, `${moves} moves in ${elapsed} ms`);
  });

  test("tells whoever listens that an input was refused", async () => {
    const room = await join("tom", newRoom(), { move: "player_moved" });
    const refused = new Promise((resolve) => room.on("refused", resolve));
    room.input({ position: "there" });
    const { event, reason, message } = await refused;
    assert.deepEqual([event, reason], ["player_moved", "wrong_type"]);
    assert.ok(message.length > 10);
  });

  test("says the seq of what it shows, for a shot", async () => {
    const id = newRoom();
    const tom = await join("tom", id, { move: "player_moved" });
    let stopped = null;
    const ann = await join("ann", id, { now: () => stopped ?? performance.now() });
    const first = await tom.push("player_moved", { user_id: "tom", position: [0, 0, 0] });
    await eventually("it is shown", () => ann.at().seq >= first.seq && ann.at().settled);
    stopped = performance.now();
    const { seq } = await tom.push("player_moved", { user_id: "tom", position: [1, 0, 0] });
    await eventually("the move", () => ann.world.seq >= seq);
    assert.ok(ann.at().seq < seq, "shown is what was a little before");
    assert.equal(ann.at().settled, false);
    stopped = null;
    await eventually("it is shown", () => ann.at().seq >= seq && ann.at().settled);
    assert.deepEqual(ann.at().get("tom").position, [1, 0, 0]);
  });

  test("shows what moves between its ticks", async () => {
    const id = newRoom();
    const tom = await join("tom", id, { move: "player_moved", inputHz: 20 });
    const ann = await join("ann", id);
    tom.input({ position: [0, 0, 0] });
    await eventually("tom", () => ann.world.get("tom")?.position);
    const shown = [];
    for (let n = 0; n < 60; n++) {
      tom.input({ position: [n / 10, 0, 0] });
      shown.push(ann.at().get("tom").position[0]);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await eventually("the end", () => Math.abs(ann.at().get("tom").position[0] - 5.9) < 1e-6);
    assert.ok(shown.every((x, i) => i === 0 || x >= shown[i - 1]), "never back");
    assert.ok(new Set(shown).size > 20, "more positions than ticks");
  });

  describe("packed", () => {
    const packed = { format: "packed" };

    test("is the same world, and says what changed in the same words", async () => {
      const id = newRoom();
      await gateway.order("publish", id, "player_spawned", { user_id: "eve", position: [0.5, -2, 3], rotation: [0, 0, 0, 1], health: 100 });
      const tom = await join("tom", id, packed);
      const ann = await join("ann", id);
      assert.deepEqual([tom.joined.format, tom.joined.version, ann.joined.format], ["packed", 1, "json"]);
      assert.equal(tom.world.schema.columns[0].name, "position");
      assert.deepEqual(tom.world.get("eve"), ann.world.get("eve"));
      for (let n = 1; n <= 20; n++) await ann.push("player_moved", { user_id: "ann", position: [n / 4, 0, -n] });
      await gateway.order("publish", id, "create", { entity_id: "gate", components: { open: true, text: "Zoë", list: [1, 2.5, null] } });
      await gateway.order("publish", id, "update", { entity_id: "gate", components: { open: null } });
      const seq = await gateway.order("publish", id, "delete", { entity_id: "eve" });
      await eventually("the end", () => tom.world.seq >= seq && ann.world.seq >= seq);
      assert.deepEqual(tom.world.toObject(), ann.world.toObject());
      const said = (room) => new Map(of(room, "diff").map((diff) => [`${diff.from} to ${diff.seq}`, { ...diff, deletes: [...diff.deletes].sort() }]));
      const both = [...said(tom).keys()].filter((key) => said(ann).has(key));
      assert.ok(both.length > 0, "they are told at the same ticks");
      for (const key of both) assert.deepEqual(said(tom).get(key), said(ann).get(key));
      await same(tom, id);
      assert.equal(tom.status, "joined");
    });

    test("falls back to JSON, from the beginning, when a frame can't be read", async () => {
      const id = newRoom();
      const tom = await join("tom", id, packed);
      await same(tom, id);
      tom.seen.length = 0;
      sockets.at(-1).channels[0].trigger("diff", Uint8Array.of(0x12, 1).buffer);
      assert.equal(tom.status, "rejoining");
      assert.match(tom.reason, /bad packed frame at byte 2/);
      await eventually("it is joined again", () => tom.status === "joined" && of(tom, "snapshot").length > 0);
      assert.equal(tom.joined.format, "json");
      await same(tom, id);
    });

    test("sends inputs packed, and they arrive", async () => {
      const id = newRoom();
      const tom = await join("tom", id, packed);
      const ann = await join("ann", id, packed);
      const pose = (x) => ({ position: [x, 1.5, -0.25], rotation: [0, 0, 0, 1] });
      const refused = [];
      tom.on("refused", (what) => refused.push(what));
      const texts = [];
      const { webSocket } = sockets.at(-2);
      const send = webSocket.send.bind(webSocket);
      webSocket.send = (data) => (typeof data === "string" && texts.push(data), send(data));
      tom.input({ position: [1, 0, -0.25], rotation: [0, 1, 0, 0], head: pose(1), left: pose(0.5) });
      await eventually("head and hand", () => ann.world.get("tom")?.left?.position[0] === 0.5 && ann.world.get("tom").position);
      assert.deepEqual(ann.world.get("tom").head, pose(1));
      assert.deepEqual(ann.world.get("tom").position, [1, 0, -0.25]);
      assert.deepEqual(ann.world.get("tom").rotation, [0, 1, 0, 0]);
      tom.input({ head: pose(2), left: null });
      await eventually("no hand any more", () => ann.world.get("tom").head.position[0] === 2 && !ann.world.get("tom").left);
      assert.deepEqual([refused, texts.filter((text) => text.includes("user_moved"))], [[], []]);
      await same(tom, id);
    });

    test("plays a recording", async () => {
      const room = new Room(connect("tom"), "replay:short", packed);
      const reply = await room.join();
      assert.equal(reply.format, "packed");
      await room.push("pause");
      await room.push("seek", { seq: 51 });
      await eventually("the snapshot", () => room.world.seq === 51);
      assert.deepEqual(room.world.toObject(), { a: { position: [50, 0, 0] } });
      await room.push("speed", { speed: 10 });
      await room.push("resume");
      await eventually("the end", () => room.world.seq === 101);
      assert.deepEqual(room.world.get("a").position, [100, 0, 0]);
      assert.equal(room.status, "joined");
      await room.leave();
    });
  });

  for (const format of ["json", "packed"]) describe(`comes back (${format})`, () => {
    const comesBack = (name, lose, check = () => {}) =>
      test(name, async () => {
        const id = newRoom();
        const tom = await join("tom", id, { presence: true, format });
        const text = "so long that what was missed is less than all there is".repeat(4);
        await gateway.order("publish", id, "create", { entity_id: "notice", components: { text } });
        await eventually("the notice", () => tom.world.get("notice"));
        tom.seen.length = 0;
        const at = tom.world.seq;
        await lose(id);
        for (let n = 1; n <= 5; n++) await gateway.order("publish", id, "update", { entity_id: "notice", components: { n } });
        await eventually("what was missed", () => tom.status === "joined" && tom.world.get("notice")?.n === 5);
        await tom.push("user_moved", { user_id: "tom", position: [1, 2, 3] });
        await same(tom, id);
        assert.equal(tom.joined.format, format);
        check(tom, at);
      });

    const rejoined = (tom, at) => {
      const statuses = of(tom, "status");
      assert.equal(statuses[0].status, "rejoining");
      assert.ok(statuses.slice(0, -1).every(({ reason }) => reason.length > 5 && !reason.includes("_")), "in plain words");
      assert.equal(statuses.at(-1).status, "joined");
      return at;
    };

    // Where it was, and without leaving the world meanwhile.
    const resumed = (tom, at) => {
      rejoined(tom);
      assert.deepEqual(of(tom, "snapshot"), []);
      assert.equal(of(tom, "diff")[0].from, at);
      assert.ok(!of(tom, "diff").some((diff) => diff.deletes.includes("tom") || diff.creates.tom));
    };

    comesBack("when the connection breaks, with what was missed", () => gateway.order("drop connections"), resumed);
    comesBack("when its channel crashes", () => gateway.order("crash channels"), resumed);
    comesBack("when the room crashes, and does not notice", (id) => gateway.order("crash room", id));
    comesBack("when the gateway is another one", () => gateway.order("restart gateway"), resumed);

    const restart = async (id) => {
      await gateway.order("restart server");
      await gateway.order("publish", id, "create", { entity_id: "notice", components: {} });
    };
    comesBack("when the server is another one, whose log began anew: everything", restart, (tom, at) => {
      rejoined(tom, at);
      assert.equal(of(tom, "snapshot").length, 1);
    });

    test("when something is missing between two diffs", async () => {
      const id = newRoom();
      const tom = await join("tom", id);
      await gateway.order("publish", id, "create", { entity_id: "gate", components: {} });
      await eventually("the gate", () => tom.world.get("gate"));
      // As if it came from the server.
      tom.seen.length = 0;
      const channel = sockets.at(-1).channels[0];
      channel.trigger("diff", { from: tom.world.seq + 1, seq: tom.world.seq + 2, creates: { wrong: {} }, updates: {}, deletes: [] });
      assert.equal(tom.status, "rejoining");
      assert.match(tom.reason, /the world is at/);
      await eventually("it is joined again", () => tom.status === "joined");
      channel.trigger("diff", { nonsense: true });
      assert.equal(tom.status, "rejoining");
      await eventually("it is joined again", () => tom.status === "joined" && of(tom, "snapshot").length > 0);
      await same(tom, id);
      assert.equal(tom.world.get("wrong"), undefined);
    });

    test("when something is missing, also while more and more comes", async () => {
      const id = newRoom();
      const tom = await join("tom", id, { format });
      const socket = sockets.at(-1);
      socket.channels[0].rejoinTimer.timerCalc = () => 300;
      let publishing = true;
      const publish = async () => {
        for (let n = 1; publishing; n++) {
          await gateway.order("publish", id, "update", { entity_id: "tom", components: { n } });
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      };
      const published = publish();
      await eventually("something comes", () => tom.world.get("tom")?.n > 3);
      tom.seen.length = 0;
      // None of what comes from now on begins where this is.
      tom.world.apply({ seq: 1, entities: {} });
      await eventually("it is missed", () => tom.status === "rejoining");
      await eventually("it is joined again", () => tom.status === "joined").finally(() => (publishing = false));
      await published;
      assert.deepEqual(of(tom, "status").map(({ status }) => status), ["rejoining", "joined"]);
      await same(tom, id);
    });

    test("and says again where it is, if that got lost with the connection", async () => {
      const id = newRoom();
      const tom = await join("tom", id, { format });
      const { webSocket } = sockets.at(-1);
      const ann = await join("ann", id, { format });
      tom.input({ position: [1, 0, 0], rotation: [0, 1, 0, 0] });
      await eventually("ann sees it", () => ann.world.get("tom")?.position?.[0] === 1);
      // The connection is broken, and nobody knows yet.
      webSocket.send = () => {};
      await new Promise((resolve) => setTimeout(resolve, 60));
      tom.input({ position: [2, 0, 0] });
      await new Promise((resolve) => setTimeout(resolve, 60));
      await gateway.order("drop connections");
      await eventually("tom is back, and ann sees where", () => tom.status === "joined" && ann.world.get("tom")?.position?.[0] === 2);
      await same(tom, id);
    });
  });

  // The gateway stops at 10,000 bytes. Bytes that are known are acknowledged each 2,500; those of JSON are guessed.
  for (const [format, least, most, often] of [["packed", 4, 8, 30_000], ["json", 2, 12, 2_000]]) test(`goes on sending to who acknowledges, now and then (${format})`, async () => {
    const id = newRoom();
    const room = await join("tom", id, { format });
    assert.equal(room.joined.max_unacknowledged, 10000);
    const { webSocket } = sockets.at(-1);
    const send = webSocket.send.bind(webSocket);
    let acks = 0;
    webSocket.send = (data, ...rest) => {
      if (typeof data === "string" && data.includes('"ack"')) acks++;
      send(data, ...rest);
    };
    const start = performance.now();
    for (let n = 1; n <= 45; n++) {
      await gateway.order("publish", id, "update", { entity_id: "tom", components: { n, text: `${n}`.padEnd(280, "x") } });
      // Each in a diff of its own.
      await eventually("it comes", () => room.world.get("tom")?.n === n);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const diffs = of(room, "diff").length;
    assert.ok(diffs > 35, `${diffs} diffs: it was cut off`);
    // And so often in any case.
    const elapsed = performance.now() - start;
    assert.ok(acks >= least && acks <= most + elapsed / often, `${acks} acknowledgements in ${elapsed} ms`);
  });

  describe("waits for who reads nothing for a while,", () => {
    const stopped = async (times, pause) => {
      const id = newRoom();
      const room = await join("tom", id);
      await gateway.order("publish", id, "create", { entity_id: "notice", components: {} });
      await eventually("the notice", () => room.world.get("notice"));
      room.seen.length = 0;
      const connection = sockets.at(-1).webSocket;
      connection.pause();
      for (let n = 1; n <= times; n++) {
        await gateway.order("publish", id, "update", { entity_id: "notice", components: { n, text: `${n}`.padEnd(1000, "x") } });
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
      assert.equal(room.world.get("notice").n, undefined);
      connection.resume();
      await eventually("the last", () => room.world.get("notice").n === times);
      await same(room, id);
      const got = of(room, "diff").length;
      assert.ok(got < times / 2, `${got} diffs of ${times}`);
      return room;
    };

    test("and then sends the rest at once", async () => {
      const room = await stopped(40, 25);
      assert.equal(room.status, "joined");
      assert.deepEqual(of(room, "closing"), []);
    });

    test("but not for ever; and it is back when it reads again", async () => {
      // Longer than the 8 s that the gateway allows.
      const room = await stopped(170, 60);
      assert.equal(of(room, "closing")[0].reason, "too_slow");
      assert.deepEqual(of(room, "status").map(({ status }) => status), ["rejoining", "joined"]);
      assert.equal(of(room, "status")[0].reason, "it was read too slowly");
      assert.deepEqual(of(room, "snapshot"), []);
    });
  });

  test("a listener ends, and one that throws harms nobody", async () => {
    const id = newRoom();
    const room = await join("tom", id);
    const thrown = [];
    const caught = (error) => thrown.push(error.message);
    process.prependListener("uncaughtException", caught);
    const others = process.listeners("uncaughtException").filter((listener) => listener !== caught);
    for (const listener of others) process.off("uncaughtException", listener);
    let calls = 0;
    const end = room.on("diff", () => {
      calls++;
      throw new Error("mine");
    });
    await room.push("user_moved", { user_id: "tom", position: [1, 2, 3] });
    await eventually("the diff", () => calls > 0);
    await same(room, id);
    end();
    end();
    const before = calls;
    await same(room, id);
    process.off("uncaughtException", caught);
    for (const listener of others) process.on("uncaughtException", listener);
    assert.equal(calls, before);
    assert.deepEqual(new Set(thrown), new Set(["mine"]));
  });

  test("plays a recording, with pause, seek and speed", async () => {
    const room = new Room(connect("tom"), "replay:short", { params: {} });
    const reply = await room.join();
    assert.equal(reply.replay.last_seq, 101);
    assert.equal((await room.push("pause")).paused, true);
    const where = await room.push("seek", { seq: 51 });
    assert.deepEqual([where.seq, where.paused], [51, true]);
    await eventually("the snapshot", () => room.world.seq === 51);
    assert.deepEqual(room.world.toObject(), { a: { position: [50, 0, 0] } });
    await room.push("seek", { ms: 0 });
    await eventually("back again", () => room.world.seq === 1);
    assert.equal((await room.push("speed", { speed: 10 })).speed, 10);
    await room.push("resume");
    await eventually("the end", () => room.world.seq === 101);
    assert.deepEqual(room.world.get("a").position, [100, 0, 0]);
    await assert.rejects(room.push("seek", { seq: 102 }), { reason: "seq_ahead" });
    await room.leave();
  });
});
