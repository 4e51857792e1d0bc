// Random streams, and recorded matches, as the C tests write them: frames in both formats, and what their receivers must
// have (tests/c/test_wire_streams.c says the form).

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const program = "build/test/test_wire_streams";

/** Builds the program that writes them, where it is not there yet; or says why that can't be. @returns {string | null} */
export function missing() {
  if (existsSync(join(root, program))) return null;
  const { status, error, stderr } = spawnSync("make", ["-s", "CONFIG=test", program], { cwd: root, encoding: "utf8" });
  return status === 0 ? null : `${program} can't be built: ${error?.message ?? stderr.trim().split("\n").at(-1)}`;
}

/** @param {string[]} args of the program @returns {object[]} a line each */
export function lines(...args) {
  const { status, stdout, stderr } = spawnSync(join(root, program), args, { cwd: root, encoding: "utf8", maxBuffer: 2 ** 29 });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
  return stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** The recorded matches that are here, by name: the shipped one, or all. @param {boolean} all @returns {Map<string, string>} */
export function matches(all) {
  const shared = "../shared/data/doom/matches";
  const folders = all && existsSync(join(root, shared)) ? ["priv/demo", shared] : ["priv/demo"];
  const end = ".events.jsonl.gz";
  const files = folders.flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)));
  return new Map(files.filter((file) => file.endsWith(end)).map((file) => [basename(file, end), file]));
}
