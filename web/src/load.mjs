// What the page is told by its document, and the level.

import { readLevel } from "./model/level.mjs";

/** @param {HTMLElement} root @param {URLSearchParams} query @returns {import("./link.mjs").Config} */
export function readConfig(root, query) {
  const { socket = "/socket", level = "", params = "{}", replays = "" } = root.dataset;
  return { socket, level, params: readParams(params), replays: replays.split(" ").filter(Boolean), format: query.get("format") === "json" ? "json" : "packed" };
}

function readParams(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`the page's attribute data-params is no JSON: ${error.message}`);
  }
}

/** What the page is told to say when it connects, asked of its server again. @returns {Promise<Object<string, any>>} */
export async function paramsNow() {
  const page = new DOMParser().parseFromString(new TextDecoder().decode(await fetched(location.href)), "text/html");
  return readParams(page.documentElement.dataset.params ?? "{}");
}

/**
 * A level from the page's own server: JSON, also where it comes packed by gzip.
 * @param {string} address @returns {Promise<import("./model/level.mjs").Level>}
 */
export async function loadLevel(address) {
  const url = new URL(address, location.href);
  if (url.origin !== location.origin) throw new Error(`the level ${address} is not on this server`);
  try {
    return readLevel(JSON.parse(new TextDecoder().decode(await fetched(url))));
  } catch (error) {
    throw new Error(`the level ${address} can't be had: ${error.message}`);
  }
}

async function fetched(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`.trim());
  const bytes = await response.arrayBuffer();
  const [first, second] = new Uint8Array(bytes);
  if (first !== 0x1f || second !== 0x8b) return bytes;
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** The level that a world names. @param {Iterable<[string, any]>} entities @returns {string | null} */
export function levelOf(entities) {
  for (const [, { kind, level }] of entities) if (kind === "arena" && typeof level === "string") return level;
  return null;
}
