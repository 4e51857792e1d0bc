// What each player of a recorded match did, so that it can be done again from any moment on.

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const SHIPPED = new URL("../../../priv/demo/freedm-0.12-demo1-MAP21.events.jsonl.gz", import.meta.url);
const SAID = new Set(["player_moved", "weapon_fired", "weapon_switched"]);

/**
 * @typedef {{ms: number, name: string, payload: Object<string, any>}} Act
 *   a move has position and rotation, both, whatever the recording left out
 * @typedef {{acts: Map<string, Act[]>, kills: number[], length: number}} Recording
 *   acts: user id → what it did, in order; kills: when somebody died; length: in milliseconds
 */

/** @param {URL | string} [file] @returns {Recording} */
export function read(file = SHIPPED) {
  const lines = gunzipSync(readFileSync(file)).toString("utf8").split("\n").filter(Boolean);
  const acts = new Map();
  const kills = [];
  const poses = new Map();
  let first = null;
  let ms = 0;
  for (const line of lines) {
    const { event_name: name, seq: _seq, at, by, ...payload } = JSON.parse(line);
    first ??= at;
    ms = at - first;
    if (name === "player_killed") kills.push(ms);
    if (name === "player_spawned") poses.set(payload.user_id, pose(payload));
    if (!SAID.has(name) || payload.user_id !== by) continue;
    if (!acts.has(by)) acts.set(by, []);
    if (name === "player_moved") {
      poses.set(by, { ...poses.get(by), ...pose(payload) });
      acts.get(by).push({ ms, name, payload: { user_id: by, ...poses.get(by) } });
    } else {
      // The room gives ids to projectiles.
      delete payload.projectile_id;
      acts.get(by).push({ ms, name, payload });
    }
  }
  return { acts, kills, length: ms };
}

function pose({ position, rotation }) {
  return { ...(position && { position }), ...(rotation && { rotation }) };
}

/** The beginning of the part of so many milliseconds in which most died. @param {Recording} recording @param {number} length */
export function busiest(recording, length) {
  const deaths = (from) => recording.kills.filter((ms) => ms >= from && ms < from + length).length;
  const starts = recording.kills.map((ms) => Math.max(0, ms - 2000)).filter((ms) => ms + length <= recording.length);
  return starts.reduce((best, ms) => (deaths(ms) > deaths(best) ? ms : best), starts[0] ?? 0);
}

/** A part of it: from 0 to its length. @param {Act[]} acts @param {number} from @param {number} length @returns {Act[]} */
export function part(acts, from, length) {
  return acts.filter(({ ms }) => ms >= from && ms < from + length).map((act) => ({ ...act, ms: act.ms - from }));
}
