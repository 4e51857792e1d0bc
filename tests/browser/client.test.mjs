// The script that `mix roomfold.install` writes, as docs/phoenix.md has it (install_test.exs compares the two), in a page whose elements come and
// go as LiveView's navigation has them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";

import { eventually, startGateway } from "../js/support/gateway.mjs";
import { PATIENCE, startBrowser, Tab } from "./support/browser.mjs";

// Why these tests can't run here, or null.
let leftOut = null;
let { browser, missing } = await startBrowser();
let gateway = null;
if (!missing) {
  gateway = await startGateway();
  missing = gateway.missing;
}
if (missing) {
  leftOut = missing;
  console.log(`Left out: the installed script in a browser. ${leftOut}`);
  await browser?.close();
}

const text = (path) => readFileSync(new URL(path, import.meta.url), "utf8");

const [, script] = /```js\n\/\/ assets\/js\/room\.js\n(.*?)```/s.exec(text("../../docs/phoenix.md"));

// The gateway has another socket than a Phoenix project, and takes a name where that takes a token.
const SOCKET = `import { Socket as Phoenix } from "/phoenix.mjs";
  export class Socket extends Phoenix {
    constructor(_, { params }) {
      super("/socket", { params: () => ({ user_id: (typeof params === "function" ? params() : params).token }), reconnectAfterMs: () => 50 });
    }
  }`;

const FILES = {
  "/room.js": script.replace(/"[./]*deps\/roomfold\/priv\/static\//, '"/'),
  "/socket.mjs": SOCKET,
  "/phoenix.mjs": leftOut ? "" : text("node_modules/phoenix/priv/static/phoenix.mjs"),
};

describe("the installed script", { skip: leftOut !== null, timeout: 8 * PATIENCE }, () => {
  let count = 0;
  const newRoom = () => `page-${++count}`;

  after(async () => {
    await browser.close();
    await gateway.stop();
  });

  const open = async () => {
    const context = await browser.newContext();
    await context.route(
      ({ pathname }) => pathname in FILES,
      (route) => {
        const { pathname } = new URL(route.request().url());
        return route.fulfill({ body: FILES[pathname], contentType: "text/javascript" });
      },
    );
    const tab = new Tab();
    tab.context = context;
    tab.page = await context.newPage();
    tab.page.on("pageerror", (error) => tab.errors.push(error.message));
    tab.sockets = new Set();
    tab.page.on("websocket", (socket) => tab.sockets.add(socket) && socket.on("close", () => tab.sockets.delete(socket)));
    // The document is the gateway's own: from one that a test made up Chromium lets nobody talk with localhost.
    await tab.page.goto(`http://localhost:${gateway.port}/gateway.json`);
    await tab.page.evaluate(async () => {
      document.body.replaceChildren(document.createElement("main"));
      const add = (attributes) => document.body.appendChild(Object.assign(document.createElement("script"), attributes));
      add({ type: "importmap", textContent: JSON.stringify({ imports: { phoenix: "/socket.mjs" } }) });
      const script = add({ type: "module", src: "/room.js" });
      await new Promise((resolve, reject) => Object.assign(script, { onload: resolve, onerror: () => reject(new Error("room.js was not loaded")) }));
    });
    return tab;
  };

  // Another page in place of this one, without loading any.
  const goTo = (tab, html) => tab.page.evaluate((html) => document.querySelector("main").replaceWith(Object.assign(document.createElement("main"), { innerHTML: html })), html);
  const element = (room, user) => `<h1>A page</h1><div><pre data-room="${room}" data-token="${user}"></pre></div>`;
  const shows = (tab, ...ids) => eventually(`it shows ${ids}`, async () => ids.every(((said) => (id) => said.includes(`${id} {`))(await tab.page.textContent("main"))), PATIENCE);
  const inRoom = async (room) => Object.keys(await gateway.order("snapshot", room));
  // At once, not after the 15 s of grace that this gateway's rooms give to who only disconnects.
  const empty = (room) => eventually(`nobody is in ${room}`, async () => (await inRoom(room)).length === 0, 10_000);

  test("is in the room of an element that comes later, and leaves it when the element goes", async () => {
    const tab = await open();
    const [first, second] = [newRoom(), newRoom()];
    await goTo(tab, element(first, "tom"));
    await shows(tab, "tom");
    assert.deepEqual(await inRoom(first), ["tom"]);
    await goTo(tab, element(second, "tom"));
    await shows(tab, "tom");
    await empty(first);
    assert.deepEqual(await inRoom(second), ["tom"]);
    await goTo(tab, "<h1>A page without a room</h1>");
    await empty(second);
    assert.deepEqual(tab.errors, []);
    await tab.close();
  });

  test("stays in a room that the next page is in, too", async () => {
    const tab = await open();
    const room = newRoom();
    await goTo(tab, element(room, "tom"));
    await shows(tab, "tom");
    const { seq } = await tab.page.evaluate(() => globalThis.room.push("user_moved", { user_id: "tom", position: [1, 2, 3] }));
    const before = [...tab.sockets];
    await goTo(tab, element(room, "tom"));
    await shows(tab, "tom");
    await eventually("the page before has left", () => before.every((socket) => socket.isClosed()), PATIENCE);
    assert.equal(tab.sockets.size, 1);
    await tab.page.evaluate(() => globalThis.room.push("user_moved", { user_id: "tom", head: { position: [1, 2, 4] } }));
    const { tom } = await gateway.order("snapshot", room);
    assert.deepEqual(tom.position, [1, 2, 3], `nobody left after seq ${seq}`);
    await tab.close();
  });

  test("goes to another room where its element says so, and has as many rooms as there are elements", async () => {
    const tab = await open();
    const [first, second, third] = [newRoom(), newRoom(), newRoom()];
    await goTo(tab, element(first, "tom") + element(second, "ann"));
    await shows(tab, "tom", "ann");
    await tab.page.evaluate((room) => (document.querySelector("[data-room]").dataset.room = room), third);
    await empty(first);
    await eventually("tom is there", async () => (await inRoom(third)).join() === "tom");
    assert.deepEqual(await inRoom(second), ["ann"]);
    await tab.close();
  });

  test("connects with the token that its element has then", async () => {
    const tab = await open();
    const room = newRoom();
    await goTo(tab, element(room, "tom"));
    await shows(tab, "tom");
    await tab.page.evaluate(() => (document.querySelector("[data-room]").dataset.token = "ann"));
    await gateway.order("drop connections");
    await shows(tab, "ann");
    await tab.close();
  });
});
