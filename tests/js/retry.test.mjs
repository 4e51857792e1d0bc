// When clients try again: apart, and soon enough.

import assert from "node:assert/strict";
import { register } from "node:module";
import { describe, test } from "node:test";

import { reconnectAfterMs, rejoinAfterMs } from "../../priv/static/roomfold.mjs";

// What the page uses of other people's code as it is built and shipped: its sources need no packages here.
const vendor = new URL("../../priv/static/page/vendor.js", import.meta.url).href;
const hook = `export const resolve = (name, context, next) => name.endsWith("/vendor.mjs") ? { url: ${JSON.stringify(vendor)}, shortCircuit: true } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
const { Link } = await import("../../web/src/link.mjs");

const CLIENTS = 1000;
const waits = (afterMs, tries) => Array.from({ length: CLIENTS }, () => afterMs(tries)).sort((a, b) => a - b);

// Within these milliseconds, over all of them, and nowhere many: a tenth of the time has at most a fifth of the clients.
function apart(times, [from, to]) {
  assert.ok(times[0] >= from && times.at(-1) <= to, `${times[0]} to ${times.at(-1)} is not within ${from} to ${to}`);
  for (let tenth = 0; tenth < 10; tenth++) {
    const [begin, end] = [tenth, tenth + 1].map((part) => from + ((to - from) * part) / 10);
    const there = times.filter((time) => time >= begin && time < end).length;
    assert.ok(there > 0 && there < CLIENTS / 5, `${there} of ${CLIENTS} between ${begin} and ${end} ms`);
  }
}

const connections = [[1, [0, 200]], [2, [0, 400]], [5, [0, 3200]], [6, [0, 5000]], [2000, [0, 5000]]];
const joins = [[1, [500, 1500]], [2, [1000, 3000]], [4, [4000, 12000]], [5, [5000, 15000]], [2000, [5000, 15000]]];

describe("clients that have lost the same", () => {
  test("server connect again apart", () => connections.forEach(([tries, range]) => apart(waits(reconnectAfterMs, tries), range)));

  test("room join again apart, and none at once", () => joins.forEach(([tries, range]) => apart(waits(rejoinAfterMs, tries), range)));

  test("are the page's, too", () => {
    const page = () => new Link({ kind: "room", id: "a" }, "tom", { socket: "ws://localhost:1/socket", params: {}, format: "json" }, {}).socket;
    const pages = Array.from({ length: CLIENTS }, page);
    const all = (name) => pages.map((socket) => socket[name](3)).sort((a, b) => a - b);
    apart(all("reconnectAfterMs"), [0, 800]);
    apart(all("rejoinAfterMs"), [2000, 6000]);
  });
});
