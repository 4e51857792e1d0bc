// A sector's border as polygons with holes.

/**
 * @typedef {[number, number]} Point x, z
 * @typedef {{outer: Point[], holes: Point[][]}} Area
 */

/** @param {import("./level.mjs").Line[]} lines @param {number} sector @returns {Area[]} */
export function areasOf(lines, sector) {
  const loops = loopsOf(lines, sector);
  // With the sector on the right of each edge, outer borders and holes turn different ways.
  const outers = loops.filter((loop) => area(loop) > 0).map((outer) => ({ outer, holes: [] }));
  for (const hole of loops.filter((loop) => area(loop) < 0)) {
    const around = outers.filter(({ outer }) => contains(outer, hole));
    around.sort((a, b) => area(a.outer) - area(b.outer));
    around[0]?.holes.push(hole);
  }
  return outers;
}

// Closed loops of the edges around a sector. What a broken level leaves open is closed straight.
function loopsOf(lines, sector) {
  const edges = [];
  for (const { x1, z1, x2, z2, front, back } of lines) {
    if (front === back) continue;
    if (front === sector) edges.push([x1, z1, x2, z2]);
    if (back === sector) edges.push([x2, z2, x1, z1]);
  }
  const from = new Map();
  for (const edge of edges) {
    const key = `${edge[0]},${edge[1]}`;
    if (!from.has(key)) from.set(key, []);
    from.get(key).push(edge);
  }
  const used = new Set();
  const loops = [];
  for (const first of edges) {
    if (used.has(first)) continue;
    const loop = [];
    for (let edge = first; edge && !used.has(edge); edge = sharpest(edge, from.get(`${edge[2]},${edge[3]}`), used)) {
      used.add(edge);
      loop.push([edge[0], edge[1]]);
    }
    if (loop.length > 2) loops.push(loop);
  }
  return loops;
}

// Where several loops touch in a point, the one that turns most to the sector's side goes on: so each loop stays simple.
function sharpest(edge, nexts, used) {
  const open = (nexts ?? []).filter((next) => !used.has(next));
  if (open.length < 2) return open[0];
  const heading = Math.atan2(edge[3] - edge[1], edge[2] - edge[0]);
  const turn = (next) => {
    const difference = Math.atan2(next[3] - next[1], next[2] - next[0]) - heading;
    return Math.atan2(Math.sin(difference), Math.cos(difference));
  };
  return open.reduce((best, next) => (turn(next) > turn(best) ? next : best));
}

/** Twice the shoelace: positive if the inside is to the right of the edges, with z to the south. @param {Point[]} loop */
export function area(loop) {
  return loop.reduce((sum, [x, z], i) => {
    const [nx, nz] = loop[(i + 1) % loop.length];
    return sum + x * nz - nx * z;
  }, 0);
}

// A point just inside the hole's border tells.
function contains(outer, hole) {
  const points = hole.map(([x, z], i) => {
    const [nx, nz] = hole[(i + 1) % hole.length];
    return [(x + nx) / 2, (z + nz) / 2];
  });
  return points.filter((point) => inside(outer, point)).length * 2 > points.length;
}

function inside(loop, [x, z]) {
  let odd = false;
  loop.forEach(([x1, z1], i) => {
    const [x2, z2] = loop[(i + 1) % loop.length];
    if (z1 > z !== z2 > z && x < x1 + ((z - z1) / (z2 - z1)) * (x2 - x1)) odd = !odd;
  });
  return odd;
}
