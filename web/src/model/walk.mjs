// How a body walks through a level: round, with walls that stop it, steps it climbs, ledges it falls from and lines that take it
// elsewhere. The room's authority over a user's own place is the user: so this runs here.

import { openingOf, sectorAt } from "./level.mjs";

export const BODY = { radius: 0.5, height: 1.75, eyes: 1.53, step: 0.75 };

const GRAVITY = 22;
const LONGEST = 0.2; // metres in one go: less than the radius, so that nothing is jumped through
const TELEPORTS = new Set([39, 97, 125, 126]);

/**
 * @typedef {{x: number, y: number, z: number, fall: number}} Body feet in metres; fall: metres a second downwards
 * @typedef {import("./level.mjs").Level} Level
 * @typedef {import("./level.mjs").Sector} Sector
 */

/**
 * Moves a body for a time.
 * @param {Body} body is not changed @param {[number, number]} velocity metres a second along x and z
 * @param {number} seconds @param {Level} level @param {Sector[]} sectors as they are now
 * @returns {{body: Body, teleport: import("./level.mjs").Thing | null}} teleport: where it was taken
 */
export function walk(body, [vx, vz], seconds, level, sectors) {
  const way = Math.hypot(vx, vz) * seconds;
  const goes = Math.max(1, Math.ceil(way / LONGEST));
  let now = { ...body };
  for (let i = 0; i < goes; i++) {
    const before = now;
    now = pushed({ ...now, x: now.x + (vx * seconds) / goes, z: now.z + (vz * seconds) / goes }, level, sectors);
    // Outside there is nothing to stand on.
    if (sectorAt(level, now.x, now.z) === null) now = before;
    const there = way > 0 ? teleportOf(before, now, level) : null;
    if (there) return { body: placed(there.x, there.z, level, sectors), teleport: there };
    now = climbed(now, level, sectors);
  }
  return { body: fallen(now, seconds, level, sectors), teleport: null };
}

/** A body that stands somewhere. @param {number} x @param {number} z @param {Level} level @param {Sector[]} sectors @returns {Body} */
export function placed(x, z, level, sectors) {
  const body = { x, y: -Infinity, z, fall: 0 };
  return { ...body, y: floorBelow({ ...body, y: Infinity }, level, sectors) };
}

// Out of every wall that it is in. In a corner one push leads into the other wall: a few rounds.
function pushed(body, level, sectors) {
  let { x, z } = body;
  for (let round = 0; round < 4; round++) {
    let free = true;
    for (const line of level.lines) {
      const near = nearest(line, x, z);
      if (near.distance >= BODY.radius - 1e-6 || !stops(line, body.y, sectors)) continue;
      free = false;
      const [nx, nz] = near.distance > 1e-9 ? [(x - near.x) / near.distance, (z - near.z) / near.distance] : normalOf(line);
      x = near.x + nx * BODY.radius;
      z = near.z + nz * BODY.radius;
    }
    if (free) return { ...body, x, z };
  }
  // Squeezed in: better where it was than through a wall.
  return { ...body, x, z };
}

/** The point of a line that is nearest. */
function nearest({ x1, z1, x2, z2 }, x, z) {
  const [dx, dz] = [x2 - x1, z2 - z1];
  const length = dx * dx + dz * dz;
  const t = length > 0 ? Math.min(1, Math.max(0, ((x - x1) * dx + (z - z1) * dz) / length)) : 0;
  const [nx, nz] = [x1 + t * dx, z1 + t * dz];
  return { x: nx, z: nz, distance: Math.hypot(x - nx, z - nz) };
}

// To the right of its direction: where its front is.
function normalOf({ x1, z1, x2, z2 }) {
  const length = Math.hypot(x2 - x1, z2 - z1) || 1;
  return [-(z2 - z1) / length, (x2 - x1) / length];
}

/** Whether a body with its feet there can't cross a line. @param {import("./level.mjs").Line} line @param {number} feet @param {Sector[]} sectors */
export function stops(line, feet, sectors) {
  if (line.front === null || line.back === null || line.blocks) return true;
  const opening = openingOf(line, sectors);
  if (!opening || opening.top - opening.bottom < BODY.height) return true;
  return opening.bottom - feet > BODY.step || opening.top - feet < BODY.height;
}

// The highest floor that some part of it is over and that it can stand on.
function floorBelow(body, level, sectors) {
  const here = sectorAt(level, body.x, body.z);
  let floor = here === null ? body.y : sectors[here].floor;
  for (const line of level.lines) {
    if (line.front === null || line.back === null || line.front === line.back) continue;
    if (nearest(line, body.x, body.z).distance >= BODY.radius * 0.6) continue;
    for (const side of [line.front, line.back]) {
      const { floor: other, ceiling } = sectors[side];
      if (other <= body.y + BODY.step && ceiling - other >= BODY.height) floor = Math.max(floor, other);
    }
  }
  return floor;
}

function climbed(body, level, sectors) {
  const floor = floorBelow(body, level, sectors);
  return floor > body.y ? { ...body, y: floor, fall: 0 } : body;
}

function fallen(body, seconds, level, sectors) {
  const floor = floorBelow(body, level, sectors);
  const fall = body.fall + GRAVITY * seconds;
  const y = body.y - fall * seconds;
  return y <= floor ? { ...body, y: floor, fall: 0 } : { ...body, y, fall };
}

// A line that was crossed from its front, and where it leads.
function teleportOf(from, to, level) {
  for (const line of level.lines) {
    if (!TELEPORTS.has(line.special) || !(sideOf(line, from) > 0 && sideOf(line, to) <= 0) || !between(line, from, to)) continue;
    const there = level.things.find((thing) => thing.class === "teleport" && tagAt(level, thing) === line.tag);
    if (there) return there;
  }
  return null;
}

const tagAt = (level, { x, z }) => level.sectors[sectorAt(level, x, z) ?? -1]?.tag;

/** Positive in front of a line, to the right of its direction. */
function sideOf({ x1, z1, x2, z2 }, { x, z }) {
  return (x2 - x1) * (z - z1) - (z2 - z1) * (x - x1);
}

function between(line, from, to) {
  const way = { x1: from.x, z1: from.z, x2: to.x, z2: to.z };
  return sideOf(way, { x: line.x1, z: line.z1 }) * sideOf(way, { x: line.x2, z: line.z2 }) <= 0;
}

/**
 * How far a ray goes until a wall, a floor or a ceiling: for what is seen of a shot. Whom it hits says the server.
 * @param {number[]} origin @param {number[]} direction of length 1 @param {number} range @param {Level} level @param {Sector[]} sectors
 */
export function reach([x, y, z], [dx, dy, dz], range, level, sectors) {
  let best = range;
  for (const line of level.lines) {
    const t = crossing(line, x, z, dx, dz);
    if (t === null || t >= best) continue;
    const opening = openingOf(line, sectors);
    const height = y + dy * t;
    if (!opening || height < opening.bottom || height > opening.top) best = t;
  }
  const here = sectorAt(level, x + dx * (best - 1e-3), z + dz * (best - 1e-3));
  if (here === null || dy === 0) return best;
  // Within the last sector it may meet the floor or the ceiling before the wall.
  const { floor, ceiling, sky } = sectors[here];
  const plane = dy < 0 ? (floor - y) / dy : sky ? best : (ceiling - y) / dy;
  return Math.max(0, Math.min(best, plane));
}

function crossing({ x1, z1, x2, z2 }, x, z, dx, dz) {
  const [lx, lz] = [x2 - x1, z2 - z1];
  const denominator = dx * lz - dz * lx;
  if (Math.abs(denominator) < 1e-12) return null;
  const t = ((x1 - x) * lz - (z1 - z) * lx) / denominator;
  const u = ((x1 - x) * dz - (z1 - z) * dx) / denominator;
  return t >= 0 && u >= 0 && u <= 1 ? t : null;
}
