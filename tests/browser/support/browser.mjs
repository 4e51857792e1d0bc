// Chromium as it is installed, without a window, and tabs of it that look at the page.

import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { eventually } from "../../js/support/gateway.mjs";

const PROGRAMS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
// Two cores draw several pages in software, beside other work.
export const PATIENCE = 120_000;

/** Starts it: `{browser}`, or `{missing: why}`. */
export async function startBrowser() {
  let chromium;
  try {
    ({ chromium } = await import("playwright-core"));
  } catch (error) {
    return { missing: `the npm package playwright-core is not there (npm install in tests/browser): ${error.message}` };
  }
  const executablePath = PROGRAMS.map((name) => spawnSync("which", [name], { encoding: "utf8" }).stdout.trim()).find(Boolean);
  if (!executablePath) return { missing: "Chromium is not installed (make setup)" };
  // As root there is no sandbox; pages are ours. WebGL is drawn by the processor.
  const args = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"];
  return { browser: await chromium.launch({ executablePath, args, timeout: PATIENCE }) };
}

/** A tab. What goes wrong in it is kept in `errors`. */
export class Tab {
  errors = [];
  /** Messages over its WebSockets: `{sent, text}`. */
  messages = [];

  /** @param {import("playwright-core").Browser} browser @param {string} address @param {Object<string, any>} [options] of its context */
  static async open(browser, address, options = {}) {
    const tab = new Tab();
    tab.context = await browser.newContext({ viewport: { width: 800, height: 500 }, reducedMotion: "reduce", ...options });
    tab.page = await tab.context.newPage();
    tab.page.setDefaultTimeout(PATIENCE);
    tab.page.on("pageerror", (error) => tab.errors.push(error.message));
    tab.page.on("websocket", (socket) => {
      socket.on("framesent", ({ payload }) => tab.messages.push({ sent: true, payload }));
      socket.on("framereceived", ({ payload }) => tab.messages.push({ sent: false, payload }));
    });
    await tab.page.goto(address);
    return tab;
  }

  /** What the page drew last, as data. */
  drawn() {
    return this.page.evaluate(() => globalThis.roomfold?.drawn());
  }

  /** Waits until what was drawn is so; what was drawn then. @param {string} what @param {(drawn: any) => any} isSo */
  async until(what, isSo) {
    let last;
    try {
      return await eventually(what, async () => ((last = await this.drawn()) && isSo(last) ? last : null), PATIENCE);
    } catch (error) {
      error.message += `\ndrawn last: ${JSON.stringify(last, (_, value) => (value?.form === "item" || value?.form === "decor" ? undefined : value))}\nerrors: ${this.errors.join("\n")}`;
      throw error;
    }
  }

  /** An element's text, when it is to be seen and fits. @param {string} selector @param {RegExp} pattern */
  async says(selector, pattern) {
    const text = async () => ((await this.page.isVisible(selector)) ? (await this.page.textContent(selector)) ?? "" : "");
    return eventually(`${selector} says ${pattern}`, async () => (pattern.test(await text()) ? text() : null), PATIENCE);
  }

  /** A key held down until something is so. @param {string} key @param {() => Promise<any>} isSo */
  async hold(key, isSo) {
    await this.page.keyboard.down(key);
    try {
      return await isSo();
    } finally {
      await this.page.keyboard.up(key);
    }
  }

  /** Kept in docs/images where SCREENSHOTS asks for it. @param {string} name */
  async picture(name) {
    if (!process.env.SCREENSHOTS) return;
    const folder = fileURLToPath(new URL("../../../docs/images/", import.meta.url));
    mkdirSync(folder, { recursive: true });
    await this.page.setViewportSize({ width: 1280, height: 800 });
    await this.until("two more frames", ((from) => ({ frames }) => frames > (from ??= frames) + 2)(undefined));
    await this.page.screenshot({ path: `${folder}${name}.png` });
    await this.page.setViewportSize({ width: 800, height: 500 });
  }

  close() {
    return this.context.close();
  }
}
