// The development gateway as a program of its own, to be killed and started again.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("..", import.meta.url));

export class Gateway {
  #child = null;
  #log;
  port = 0;

  /** @param {string} log where its rooms are kept: a SQLite database */
  constructor(log) {
    this.#log = log;
  }

  /** Starts it, again where it was. @returns {Promise<void>} */
  async start() {
    const args = ["roomfold.serve", "--port", String(this.port), "--log", this.#log, "--until-eof"];
    this.#child = spawn("mix", args, { cwd: folder, stdio: ["pipe", "pipe", "pipe"] });
    const lines = [];
    const started = new Promise((resolve, reject) => {
      const read = (line) => {
        lines.push(line);
        const port = /http:\/\/localhost:(\d+)\//.exec(line)?.[1];
        if (port) resolve(Number(port));
      };
      createInterface({ input: this.#child.stdout }).on("line", read);
      createInterface({ input: this.#child.stderr }).on("line", read);
      this.#child.once("error", reject);
      this.#child.once("close", () => reject(new Error(`the gateway did not start: ${lines.join("\n")}`)));
    });
    this.port = await started;
  }

  /** As when the machine's power goes. @returns {Promise<void>} */
  kill() {
    return this.#end(() => this.#child.kill("SIGKILL"));
  }

  /** @returns {Promise<void>} */
  stop() {
    return this.#end(() => this.#child.stdin.end());
  }

  async #end(how) {
    if (!this.#child || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "exit");
    how();
    await gone;
  }
}
