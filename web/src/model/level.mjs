// A level's map as data: sectors, lines and things in metres, y up, z south. No drawing here; node tests this file.

const UNIT = 1 / 32;
const BLOCKS = 1;
const TWO_SIDED = 4;

/**
 * @typedef {{floor: number, ceiling: number, light: number, sky: boolean, tag: number}} Sector light: 0 to 1
 * @typedef {{index: number, x1: number, z1: number, x2: number, z2: number, front: number | null, back: number | null,
 *   blocks: boolean, special: number, tag: number}} Line a wall, or the border of two sectors
 * @typedef {{class: string, name: string, x: number, z: number, turn: number}} Thing turn: radians about y, 0 looks along +x
 * @typedef {{lines: Line[], sectors: Sector[], things: Thing[], bounds: Bounds}} Level
 * @typedef {{left: number, top: number, right: number, bottom: number}} Bounds x and z
 */

/**
 * @param {any} form a map's JSON: `sectors`, `lines`, perhaps `things`
 * @returns {Level}
 * @throws {Error} if it is none
 */
export function readLevel(form) {
  if (!Array.isArray(form?.sectors) || !Array.isArray(form?.lines)) throw new Error("this is no level: it has no sectors and lines");
  const sectors = form.sectors.map(readSector);
  const lines = form.lines.map((line, index) => readLine(line, index, sectors.length));
  return { sectors, lines, things: (form.things ?? []).map(readThing), bounds: boundsOf(lines) };
}

function readSector({ floor, ceil, light, sky, tag }, index) {
  if (!Number.isFinite(floor) || !Number.isFinite(ceil)) throw new Error(`sector ${index} of the level has no floor or ceiling`);
  return { floor: floor * UNIT, ceiling: ceil * UNIT, light: Math.min(1, (light ?? 192) / 256), sky: sky === true, tag: tag ?? 0 };
}

function readLine({ x1, y1, x2, y2, front, back, flags = 0, special = 0, tag = 0 }, index, sectors) {
  const side = (number) => (Number.isInteger(number) && number >= 0 && number < sectors ? number : null);
  if (![x1, y1, x2, y2].every(Number.isFinite)) throw new Error(`line ${index} of the level has no ends`);
  return {
    index,
    x1: x1 * UNIT,
    z1: south(y1),
    x2: x2 * UNIT,
    z2: south(y2),
    front: side(front),
    back: flags & TWO_SIDED ? side(back) : null,
    blocks: (flags & BLOCKS) !== 0,
    special,
    tag,
  };
}

const readThing = ({ class: group, name, x, y, angle }) => ({ class: group, name, x: x * UNIT, z: south(y), turn: ((angle ?? 0) * Math.PI) / 180 });

// No negative zeros.
const south = (y) => 0 - y * UNIT;

function boundsOf(lines) {
  const out = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const { x1, z1, x2, z2 } of lines) {
    out.left = Math.min(out.left, x1, x2);
    out.right = Math.max(out.right, x1, x2);
    out.top = Math.min(out.top, z1, z2);
    out.bottom = Math.max(out.bottom, z1, z2);
  }
  return lines.length ? out : { left: -10, top: -10, right: 10, bottom: 10 };
}

/**
 * The sector at a point, null outside: by the nearest line to the east and the side of it that looks here.
 * @param {Level} level @param {number} x @param {number} z @returns {number | null}
 */
export function sectorAt(level, x, z) {
  let nearest = Infinity;
  let sector = null;
  for (const { x1, z1, x2, z2, front, back } of level.lines) {
    if (z1 > z === z2 > z) continue;
    const cross = x1 + ((z - z1) / (z2 - z1)) * (x2 - x1);
    if (cross <= x || cross >= nearest) continue;
    nearest = cross;
    // The front is to the right of the line's direction: with z to the south, to the west of one that goes north.
    sector = z2 < z1 ? back : front;
  }
  return sector;
}

/**
 * Where the level's sectors are now: those that the world has as `sector-N` may have moved.
 * @param {Level} level @param {(id: string) => Object<string, any> | undefined} get of the world
 * @returns {Sector[]}
 */
export function sectorsNow(level, get) {
  return level.sectors.map((sector, index) => {
    const moved = get(`sector-${index}`);
    if (!moved) return sector;
    const { floor = sector.floor, ceiling = sector.ceiling } = moved;
    return { ...sector, floor: Number.isFinite(floor) ? floor : sector.floor, ceiling: Number.isFinite(ceiling) ? ceiling : sector.ceiling };
  });
}

/** The opening of a line between two sectors: from where to where, or null if it has none. @param {Line} line @param {Sector[]} sectors */
export function openingOf(line, sectors) {
  if (line.front === null || line.back === null) return null;
  const front = sectors[line.front];
  const back = sectors[line.back];
  const bottom = Math.max(front.floor, back.floor);
  const top = Math.min(front.ceiling, back.ceiling);
  return top > bottom ? { bottom, top } : null;
}
