// The files that are served are what the sources build.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const built = ["index.html", "page/page.css", "page/page.js", "page/vendor.js"];

// The sources in a folder of their own, with their packages; or why that can't be.
function prepared() {
  const folder = mkdtempSync(join(tmpdir(), "roomfold-page-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(root, "web"), join(folder, "web"), { recursive: true, filter: (path) => !path.includes("node_modules") });
  const { status, error, stderr } = spawnSync("npm", ["ci", "--silent", "--no-audit", "--no-fund"], { cwd: join(folder, "web"), encoding: "utf8" });
  return { folder, leftOut: error ? `npm can't be run: ${error.message}` : status !== 0 ? `npm can't fetch the packages of web/: ${stderr.trim()}` : null };
}

const { folder, leftOut } = prepared();
if (leftOut) console.log(`Left out: whether priv/static is what web/ builds, and the client in a bundle. ${leftOut}`);

describe("the built page", () => {
  test("is what the sources build", { skip: leftOut !== null }, () => {
    const { status, stderr } = spawnSync("node", ["build.mjs", join(folder, "out")], { cwd: join(folder, "web"), encoding: "utf8" });
    assert.equal(status, 0, stderr);
    for (const name of built) {
      assert.ok(readFileSync(join(folder, "out", name)).equals(readFileSync(join(root, "priv/static", name))), `priv/static/${name} is not what web/ builds: make page`);
    }
    assert.deepEqual(readdirSync(join(folder, "out/page")).sort(), readdirSync(join(root, "priv/static/page")).sort());
  });

  test("names no registry and no other server", () => {
    for (const name of ["web/package.json", "web/package-lock.json", "web/.npmrc", "priv/static/index.html", "priv/static/page/page.js", "priv/static/page/page.css"]) {
      const text = readFileSync(join(root, name), "utf8").replaceAll("http://www.w3.org/2000/svg", "").replaceAll("http://localhost", "");
      assert.deepEqual(text.match(/https?:\/\/[^\s"']+/g) ?? [], [], name);
    }
  });

  test("pins every dependency", () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, "web/package.json"), "utf8"));
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) assert.match(version, /^\d+\.\d+\.\d+$/, name);
  });
});

// A new Phoenix 1.7 project bundles for es2017 by an esbuild that refuses what this one only warns of.
test("the client can be bundled for the browsers that a new Phoenix project names", { skip: leftOut !== null }, () => {
  const args = [join(root, "priv/static/roomfold.mjs"), "--bundle", "--format=esm", "--target=es2017", "--log-level=warning", `--outfile=${join(folder, "roomfold.js")}`];
  const { status, stderr } = spawnSync(join(folder, "web/node_modules/.bin/esbuild"), args, { encoding: "utf8" });
  assert.equal(stderr, "");
  assert.equal(status, 0);
});
