// A gateway for tests, as a program of its own: tests/js/gateway.exs.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

// With ROOMFOLD_SERVER=phoenix it is the Phoenix app instead (tests/js/phoenix.exs), for the tests of the page.
export const phoenix = process.env.ROOMFOLD_SERVER === "phoenix";
const folder = fileURLToPath(new URL(`../../../elixir/${phoenix ? "xr" : "gateway"}`, import.meta.url));

const START_MS = 600_000;
const STOP_MS = 60_000;

/**
 * Starts it and speaks with it: `order("publish", ..)` answers what it answers.
 * @param {"plain" | "arena"} [rooms] the rules of the match and nothing else, or the demo's rooms
 */
export async function startGateway(rooms = "plain") {
  const child = spawn("mix", ["run", ...(phoenix ? ["--no-start", "../../tests/js/phoenix.exs"] : ["../../tests/js/gateway.exs"]), rooms], { cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
  const failed = new Promise((resolve) => child.once("error", (error) => resolve({ missing: `mix can't be run: ${error.message}` })));
  const waiting = [];
  let exited = false;
  createInterface({ input: child.stdout }).on("line", (line) => answer(line));
  child.once("exit", (code) => {
    exited = true;
    for (const { reject } of waiting.splice(0)) reject(new Error(`the gateway ended with ${code}`));
  });
  // What Mix says while it compiles is not meant for us.
  const answer = (line) => {
    try {
      const value = JSON.parse(line);
      waiting.shift()?.resolve(value);
    } catch {
      process.stderr.write(`${line}\n`);
    }
  };
  const reply = () => new Promise((resolve, reject) => (exited ? reject(new Error("the gateway has ended")) : waiting.push({ resolve, reject })));
  // Mix may have to compile it. What hangs is ended: no test would have a name for it yet.
  const starting = setTimeout(() => child.kill("SIGKILL"), START_MS);
  const hello = await Promise.race([failed, reply()]);
  clearTimeout(starting);
  const order = (...words) => {
    const answered = reply();
    child.stdin.write(`${JSON.stringify(words)}\n`);
    return answered;
  };
  const stop = async () => {
    child.stdin.end();
    const stopping = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    if (!exited && child.pid) await once(child, "exit");
    clearTimeout(stopping);
  };
  if (hello.missing) await stop();
  return { ...hello, order, stop };
}

/** Waits until something is so, and fails rather than waits for ever. @param {string} what @param {() => any} isSo @returns {Promise<any>} */
export async function eventually(what, isSo, timeout = 30_000) {
  const deadline = Date.now() + timeout;
  for (;;) {
    const value = await isSo();
    if (value) return value;
    if (Date.now() > deadline) assert.fail(`it did not become so: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
