// A level's lines as areas and strokes, and the view on it. No DOM here; node tests this file.
// A level is in map units with y up the page; here everything is metres with z down the page.

const UNIT = 1 / 32;
const STEP = 24 * UNIT; // the highest step that can be walked up
const BLOCKS = 1;

export function readLevel(map) {
  const sectors = map.sectors.map(([floor, ceiling, light, sky]) => ({
    floor: floor * UNIT,
    ceiling: ceiling * UNIT,
    light,
    sky,
  }));
  const lines = map.lines.map(([x1, y1, x2, y2, front, back, flags]) => ({
    x1: x1 * UNIT,
    z1: -y1 * UNIT,
    x2: x2 * UNIT,
    z2: -y2 * UNIT,
    front,
    back,
    blocks: (flags & BLOCKS) !== 0,
  }));
  return { sectors, lines, bounds: boundsOf(lines), outlines: sectors.map((_, i) => outlineOf(lines, i)) };
}

export function boundsOf(lines) {
  const out = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const { x1, z1, x2, z2 } of lines) {
    out.left = Math.min(out.left, x1, x2);
    out.right = Math.max(out.right, x1, x2);
    out.top = Math.min(out.top, z1, z2);
    out.bottom = Math.max(out.bottom, z1, z2);
  }
  return lines.length ? out : { left: -10, top: -10, right: 10, bottom: 10 };
}

// A sector's border as closed loops of points. Loops that a broken level leaves open are closed straight.
export function outlineOf(lines, sector) {
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
  const loops = [];
  const used = new Set();
  for (const first of edges) {
    if (used.has(first)) continue;
    const loop = [];
    for (let edge = first; edge && !used.has(edge); ) {
      used.add(edge);
      loop.push([edge[0], edge[1]]);
      edge = from.get(`${edge[2]},${edge[3]}`)?.find((next) => !used.has(next));
    }
    loops.push(loop);
  }
  return loops;
}

// How a line is drawn while its sectors are like this: "wall", "rail" (can't be crossed, can be seen over),
// "ledge" (too high to step up), "step" or null.
export function strokeOf(line, sectors) {
  const front = sectors[line.front];
  const back = sectors[line.back];
  if (!front || !back) return "wall";
  if (line.front === line.back) return line.blocks ? "rail" : null;
  const opening = Math.min(front.ceiling, back.ceiling) - Math.max(front.floor, back.floor);
  if (opening <= 0) return "wall";
  if (line.blocks) return "rail";
  const step = Math.abs(front.floor - back.floor);
  if (step > STEP) return "ledge";
  return step > 0 ? "step" : null;
}

// --- the view: which point is in the middle, and how many pixels a metre has --------------------------

export function toScreen(view, x, z) {
  return [(x - view.x) * view.scale + view.width / 2, (z - view.z) * view.scale + view.height / 2];
}

export function toWorld(view, left, top) {
  return [(left - view.width / 2) / view.scale + view.x, (top - view.height / 2) / view.scale + view.z];
}

export function fit(bounds, width, height, margin) {
  const scale = Math.min(
    Math.max(1, width - 2 * margin) / (bounds.right - bounds.left || 1),
    Math.max(1, height - 2 * margin) / (bounds.bottom - bounds.top || 1),
  );
  return { x: (bounds.left + bounds.right) / 2, z: (bounds.top + bounds.bottom) / 2, scale, width, height };
}

// Zooms by a factor so that the point under the pointer stays there.
export function zoomAt(view, left, top, factor, [least, most]) {
  const scale = Math.min(most, Math.max(least, view.scale * factor));
  const [x, z] = toWorld(view, left, top);
  const zoomed = { ...view, scale };
  const [nx, nz] = toWorld(zoomed, left, top);
  return { ...zoomed, x: view.x + x - nx, z: view.z + z - nz };
}

export function panBy(view, left, top) {
  return { ...view, x: view.x - left / view.scale, z: view.z - top / view.scale };
}
