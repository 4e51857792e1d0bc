// Builds the page into priv/static: `npm run build`, or `node build.mjs FOLDER` somewhere else. The same sources give the same bytes.

import { copyFileSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "../priv/static"));

// Files that are served as they are, beside what is built: source → where the built script finds it.
const served = {
  name: "served",
  setup(build) {
    build.onResolve({ filter: /\/vendor\.mjs$/ }, ({ kind }) => (kind === "entry-point" ? null : { path: "./vendor.js", external: true }));
    build.onResolve({ filter: /priv\/static\// }, ({ path }) => ({ path: path.replace(/^.*priv\/static\//, "../"), external: true }));
  },
};

const options = { bundle: true, format: "esm", target: "es2022", charset: "utf8", absWorkingDir: here, plugins: [served], logLevel: "warning" };

mkdirSync(join(out, "page"), { recursive: true });
copyFileSync(join(here, "index.html"), join(out, "index.html"));
await build({ ...options, entryPoints: ["src/vendor.mjs"], outfile: join(out, "page/vendor.js"), minify: true, legalComments: "none", banner: { js: notice() } });
await build({ ...options, entryPoints: ["src/main.mjs"], outfile: join(out, "page/page.js") });
await build({ ...options, entryPoints: ["src/page.css"], outfile: join(out, "page/page.css") });

function notice() {
  return `/* three.js: MIT, Copyright © 2010-2026 three.js authors. phoenix: MIT, Copyright © 2014 Chris McCord.
Both: Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
following conditions: The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY
CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE. */`;
}
