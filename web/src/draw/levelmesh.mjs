// A level as triangles and lines, plain numbers: floors and ceilings look into the room, walls to the side that sees them, so that
// from above one looks in as into a doll's house. No WebGL here; node tests this file.

import { mix } from "../../../priv/static/replay/palette.mjs";
import { areasOf } from "../model/outline.mjs";

const TILE = 2; // metres of the grid that lies on everything
const SKIRT = 0.7; // metres above a floor that are a little darker
const SKY_FADES = 5; // metres above a floor where a wall under the open sky begins to fade
const SUN = [0.5, 0.86];

/**
 * @typedef {{position: number[], colour: number[], uv: number[], edges: number[]}} Mesh colour: linear; edges: pairs of points
 * @typedef {Object<string, any>} Palette
 * @typedef {import("../model/level.mjs").Level} Level
 * @typedef {import("../model/level.mjs").Sector} Sector
 * @typedef {(outer: [number, number][], holes: [number, number][][]) => number[][]} Triangulate
 */

/**
 * @param {Level} level @param {Sector[]} sectors as they are now @param {Set<number>} moving sectors that move
 * @param {boolean} movingOnly what touches them, or all the rest @param {Palette} palette @param {Triangulate} triangulate
 * @returns {Mesh}
 */
export function levelMesh(level, sectors, moving, movingOnly, palette, triangulate) {
  const mesh = { position: [], colour: [], uv: [], edges: [] };
  const look = looks(palette, sectors);
  sectors.forEach((sector, index) => {
    if (moving.has(index) === movingOnly) planes(mesh, level, sector, index, look, moving.has(index), triangulate);
  });
  const corners = cornersOf(level.lines, sectors);
  for (const line of level.lines) {
    const moves = moving.has(line.front) || moving.has(line.back);
    if (moves === movingOnly) for (const wall of wallsOf(line, sectors)) face(mesh, line, wall, sectors, look, moving, corners);
  }
  return mesh;
}

// --- floors and ceilings -----------------------------------------------------------------------------

function planes(mesh, level, sector, index, look, moves, triangulate) {
  for (const { outer, holes } of areasOf(level.lines, index)) {
    const points = [outer, ...holes].flat();
    for (const triangle of triangulate(outer, holes)) {
      const corners = triangle.map((i) => points[i]);
      const [[ax, az], [bx, bz], [cx, cz]] = corners;
      // Seen from above, x to the right and z down: what turns to the left looks up.
      const up = (bx - ax) * (cz - az) - (bz - az) * (cx - ax) < 0 ? corners : [...corners].reverse();
      plane(mesh, up, sector.floor, look.floor(sector));
      if (!sector.sky) plane(mesh, [...up].reverse(), sector.ceiling, look.ceiling(sector, moves));
    }
  }
}

function plane(mesh, corners, height, colour) {
  for (const [x, z] of corners) vertex(mesh, x, height, z, colour, x / TILE, z / TILE);
}

function vertex(mesh, x, y, z, colour, u, v) {
  mesh.position.push(x, y, z);
  mesh.colour.push(...colour);
  mesh.uv.push(u, v);
}

// --- walls -------------------------------------------------------------------------------------------

/** @typedef {{bottom: number, top: number, side: "front" | "back", owner: number | null}} Wall owner: the sector it belongs to, if not to what is behind */

/** The parts of a line that are walls now. @param {import("../model/level.mjs").Line} line @param {Sector[]} sectors @returns {Wall[]} */
export function wallsOf(line, sectors) {
  const front = sectors[line.front ?? -1];
  const back = sectors[line.back ?? -1];
  if (!front && !back) return [];
  if (!front || !back) {
    const { floor, ceiling } = front ?? back;
    return ceiling > floor ? [{ bottom: floor, top: ceiling, side: front ? "front" : "back", owner: null }] : [];
  }
  return [...steps(line, front, back), ...lintels(line, front, back)];
}

function steps(line, front, back) {
  if (front.floor === back.floor) return [];
  const frontLow = front.floor < back.floor;
  const [low, high] = frontLow ? [front, back] : [back, front];
  const top = Math.min(high.floor, low.ceiling);
  return top > low.floor ? [{ bottom: low.floor, top, side: frontLow ? "front" : "back", owner: frontLow ? line.back : line.front }] : [];
}

function lintels(line, front, back) {
  // Between two places under the open sky there is no wall in the air; a door that goes up into it still is one.
  if (front.ceiling === back.ceiling || (front.sky && back.sky)) return [];
  const frontHigh = front.ceiling > back.ceiling;
  const [high, low] = frontHigh ? [front, back] : [back, front];
  const bottom = Math.max(low.ceiling, high.floor);
  return high.ceiling > bottom ? [{ bottom, top: high.ceiling, side: frontHigh ? "front" : "back", owner: frontHigh ? line.back : line.front }] : [];
}

function face(mesh, line, { bottom, top, side, owner }, sectors, look, moving, corners) {
  const from = side === "front" ? [line.x1, line.z1] : [line.x2, line.z2];
  const to = side === "front" ? [line.x2, line.z2] : [line.x1, line.z1];
  const sector = sectors[(side === "front" ? line.front : line.back) ?? -1];
  const colours = look.wall(sector, normalOf(from, to), owner !== null && moving.has(owner));
  for (const [low, high, lowColour, highColour] of bands(bottom, top, sector, colours)) quad(mesh, from, to, low, high, lowColour, highColour);
  const open = sector.sky && top === sector.ceiling;
  border(mesh, from, to, bottom, open ? Math.min(top, bottom + SKY_FADES) : top, open, corners);
}

// Darker at the floor; under the open sky it fades into it.
function bands(bottom, top, sector, { plain, foot, sky }) {
  const heights = [bottom, top];
  const skirt = sector.floor + SKIRT;
  const fade = sector.floor + SKY_FADES;
  if (skirt > bottom && skirt < top) heights.push(skirt);
  if (sector.sky && fade > bottom && fade < top) heights.push(fade);
  heights.sort((a, b) => a - b);
  const at = (height) => {
    if (height < skirt) return blend(foot, plain, (height - sector.floor) / SKIRT);
    return sector.sky && height > fade ? blend(plain, sky, (height - fade) / (sector.ceiling - fade)) : plain;
  };
  return heights.slice(1).map((high, i) => [heights[i], high, at(heights[i]), at(high)]);
}

const blend = (a, b, share) => a.map((from, i) => from + (b[i] - from) * Math.min(1, Math.max(0, share)));

function quad(mesh, [x1, z1], [x2, z2], low, high, lowColour, highColour) {
  const [dx, dz] = unit([x1, z1], [x2, z2]);
  const u1 = (x1 * dx + z1 * dz) / TILE;
  const u2 = (x2 * dx + z2 * dz) / TILE;
  const a = [x1, low, z1, lowColour, u1, low / TILE];
  const b = [x2, low, z2, lowColour, u2, low / TILE];
  const c = [x2, high, z2, highColour, u2, high / TILE];
  const d = [x1, high, z1, highColour, u1, high / TILE];
  for (const corner of [a, b, c, a, c, d]) vertex(mesh, ...corner);
}

function unit([x1, z1], [x2, z2]) {
  const length = Math.hypot(x2 - x1, z2 - z1) || 1;
  return [(x2 - x1) / length, (z2 - z1) / length];
}

function normalOf(from, to) {
  const [dx, dz] = unit(from, to);
  return [-dz, dx];
}

// --- edges -------------------------------------------------------------------------------------------

function border(mesh, [x1, z1], [x2, z2], bottom, top, open, corners) {
  mesh.edges.push(x1, bottom, z1, x2, bottom, z2);
  if (!open) mesh.edges.push(x1, top, z1, x2, top, z2);
  for (const [x, z] of [[x1, z1], [x2, z2]]) if (corners.has(`${x},${z}`)) mesh.edges.push(x, bottom, z, x, top, z);
}

// The ends of lines where a wall turns: not where it just goes on.
function cornersOf(lines, sectors) {
  const ends = new Map();
  for (const line of lines) {
    if (wallsOf(line, sectors).length === 0) continue;
    for (const [x, z, ox, oz] of [[line.x1, line.z1, line.x2, line.z2], [line.x2, line.z2, line.x1, line.z1]]) {
      const key = `${x},${z}`;
      if (!ends.has(key)) ends.set(key, []);
      ends.get(key).push(unit([x, z], [ox, oz]));
    }
  }
  const corners = new Set();
  for (const [key, ways] of ends) if (!(ways.length === 2 && ways[0][0] * ways[1][0] + ways[0][1] * ways[1][1] < -0.97)) corners.add(key);
  return corners;
}

// --- colours -----------------------------------------------------------------------------------------

function looks(palette, sectors) {
  const floors = sectors.map(({ floor }) => floor);
  const [lowest, highest] = [Math.min(...floors), Math.max(...floors)];
  const middle = mix(palette["floor-low"], palette["floor-high"], 0.5);
  const wall = mix(middle, palette.decor, 0.42);
  const horizon = linear(mix(palette.page, palette.sky, 0.5));
  const lit = ({ light }) => 0.86 + 0.16 * light;
  return {
    floor: (sector) => {
      const height = (sector.floor - lowest) / (highest - lowest || 1);
      const bare = mix(palette["floor-low"], palette["floor-high"], height);
      return shade(sector.sky ? mix(bare, palette.sky, 0.6) : bare, lit(sector));
    },
    ceiling: (sector, moves) => shade(moves ? palette.door : mix(middle, palette.decor, 0.62), lit(sector)),
    wall: (sector, [nx, nz], moves) => {
      const towards = nx * SUN[0] + nz * SUN[1];
      const plain = shade(moves ? palette.door : wall, lit(sector) * (1 + 0.075 * towards));
      return { plain, foot: plain.map((part) => part * 0.72), sky: horizon };
    },
  };
}

const shade = (colour, factor) => linear(colour).map((part) => Math.min(1, part * factor));

/** #rrggbb as linear numbers. @param {string} colour @returns {number[]} */
export function linear(colour) {
  return [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
}
