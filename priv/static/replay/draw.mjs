// Paints one moment of a match. Layers are painted in the order of `LAYERS`; to show something new, for
// example what a hit detection computed, add its rays to the match data or a layer here.

import { lastUpTo, poseAt, within } from "./model.mjs";
import { readLevel, strokeOf, toScreen } from "./geometry.mjs";
import { mix, playerColour } from "./palette.mjs";

const SHADES = 15;
const TRACER = 150; // milliseconds for which things stay visible
const FLASH = 260;
const NUMBER = 800;
const DEATH = 3000;
const TRAIL = 1100;
const BLAST = 380;

// What does not change while a match is shown.
export class Scene {
  constructor(match) {
    this.match = match;
    this.level = match.map ? readLevel(match.map) : { sectors: [], lines: [], outlines: [], bounds: reach(match) };
    this.players = match.lives.filter((life) => match.players.includes(life.id));
    this.movers = match.lives.filter((life) => sectorOf(life) !== null && this.level.sectors[sectorOf(life)]);
    this.deaths = match.deaths.map((kill) => ({ ...kill, ...this.placeOf(kill.whom, kill.at) }));
    this.wounds = woundsByTick(match.hits);
    this.blasts = match.lives
      .filter((life) => life.first("kind") === "projectile" && life.goneAt < Infinity)
      .map((life) => ({ at: life.goneAt, life }))
      .sort((a, b) => a.at - b.at);
    this.sortLines();
  }

  // The life that an id has at a time: players get a new one with each respawn.
  lifeOf(id, at) {
    return this.match.livesAt(at).find((life) => life.id === id) ?? null;
  }

  placeOf(id, at) {
    const life = this.lifeOf(id, at);
    return (life && poseAt(this.match, life, at)) ?? { x: NaN, z: NaN };
  }

  // Lines of sectors that move are looked at anew for each picture.
  sortLines() {
    const moving = new Set(this.movers.map(sectorOf));
    this.moving = [...moving];
    this.movingLines = this.level.lines.filter((line) => moving.has(line.front) || moving.has(line.back));
    this.strokes = strokesOf(
      this.level.lines.filter((line) => !moving.has(line.front) && !moving.has(line.back)),
      this.level.sectors,
    );
    this.areas = this.level.outlines.map(pathOf);
    this.floors = [...new Set(this.level.sectors.map((sector) => sector.floor))].sort((a, b) => a - b);
    this.ground = null;
  }

  // Still floors, one path for each shade.
  groundFor(palette) {
    if (this.ground?.palette === palette) return this.ground.paths;
    const paths = new Map();
    this.level.sectors.forEach((sector, i) => {
      if (this.moving.includes(i)) return;
      const shade = this.shadeOf(sector, palette);
      if (!paths.has(shade)) paths.set(shade, new Path2D());
      paths.get(shade).addPath(this.areas[i]);
    });
    this.ground = { palette, paths };
    return paths;
  }

  // By rank, so that one deep pit does not make all else look alike.
  shadeOf(sector, palette) {
    const height = Math.max(0, lastUpTo(this.floors, sector.floor)) / (this.floors.length - 1 || 1);
    const share = Math.min(1, height * 0.65 + (sector.light / 255) * 0.35);
    const shade = mix(palette["floor-low"], palette["floor-high"], Math.round(share * SHADES) / SHADES);
    return sector.sky ? mix(shade, palette.sky, 0.45) : shade;
  }
}

function sectorOf(life) {
  const number = /^sector-(\d+)$/.exec(life.id);
  return number ? Number(number[1]) : null;
}

function reach(match) {
  const out = { left: -10, top: -10, right: 10, bottom: 10 };
  for (const { position } of match.lives) {
    for (const x of position?.x ?? []) [out.left, out.right] = [Math.min(out.left, x), Math.max(out.right, x)];
    for (const z of position?.z ?? []) [out.top, out.bottom] = [Math.min(out.top, z), Math.max(out.bottom, z)];
  }
  return out;
}

function pathOf(loops) {
  const path = new Path2D();
  for (const loop of loops) {
    loop.forEach(([x, z], i) => (i ? path.lineTo(x, z) : path.moveTo(x, z)));
    path.closePath();
  }
  return path;
}

function strokesOf(lines, sectors) {
  const strokes = {};
  for (const line of lines) {
    const kind = strokeOf(line, sectors);
    if (!kind) continue;
    strokes[kind] ??= new Path2D();
    strokes[kind].moveTo(line.x1, line.z1);
    strokes[kind].lineTo(line.x2, line.z2);
  }
  return strokes;
}

// Many pellets hit at once: their damage is shown as one number.
function woundsByTick(hits) {
  const out = new Map();
  for (const { at, whom, damage } of hits) {
    const key = `${at} ${whom}`;
    if (!out.has(key)) out.set(key, { at, whom, damage: 0 });
    out.get(key).damage += damage || 0;
  }
  return [...out.values()];
}

// --- the frame ---------------------------------------------------------------------------------------

const LAYERS = [ground, walls, markers, items, corpses, marks, trails, rays, projectiles, effects, monsters, players, numbers];

// view: geometry's; at: the time; follow: a player's id or null; raySets: names of the sets to show.
export function paint(ctx, scene, { view, at, follow, palette, ratio, raySets, calm }) {
  const frame = { ctx, scene, view, at, follow, palette, ratio, raySets, calm, match: scene.match };
  const kinds = groupByKind(scene.match.livesAt(at));
  frame.of = (kind) => kinds.get(kind) ?? [];
  frame.sectors = sectorsAt(scene, at);
  frame.colour = (id) => playerColour(palette, scene.match.players, id);
  frame.pose = (life, when = at) => poseAt(scene.match, life, when);
  frame.onScreen = (x, z) => toScreen(view, x, z);
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.fillStyle = palette.void;
  ctx.fillRect(0, 0, ctx.canvas.width, ctx.canvas.height);
  for (const layer of LAYERS) {
    ctx.save();
    layer(frame);
    ctx.restore();
  }
}

function groupByKind(lives) {
  const out = new Map();
  for (const life of lives) {
    const kind = life.first("kind");
    if (!out.has(kind)) out.set(kind, []);
    out.get(kind).push(life);
  }
  return out;
}

function inMetres({ ctx, view, ratio }) {
  const s = view.scale * ratio;
  ctx.setTransform(s, 0, 0, s, (view.width / 2) * ratio - view.x * s, (view.height / 2) * ratio - view.z * s);
}

function inPixels({ ctx, ratio }) {
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
}

// The level's sectors with what doors and lifts have made of them.
function sectorsAt(scene, at) {
  if (!scene.movers.length) return scene.level.sectors;
  const sectors = [...scene.level.sectors];
  for (const life of scene.movers) {
    if (at < life.bornAt || at >= life.goneAt) continue;
    const i = sectorOf(life);
    const still = sectors[i];
    sectors[i] = {
      ...still,
      floor: life.valueAt("floor", at) ?? still.floor,
      ceiling: life.valueAt("ceiling", at) ?? still.ceiling,
    };
  }
  return sectors;
}

function ground(frame) {
  const { ctx, scene, view, palette, sectors } = frame;
  inMetres(frame);
  ctx.lineJoin = "round";
  ctx.lineWidth = 1 / view.scale; // closes the seams that smoothing leaves between areas
  for (const [shade, path] of scene.groundFor(palette)) {
    ctx.fillStyle = ctx.strokeStyle = shade;
    ctx.fill(path, "evenodd");
    ctx.stroke(path);
  }
  for (const i of scene.moving) {
    const shut = sectors[i].ceiling <= sectors[i].floor;
    ctx.fillStyle = ctx.strokeStyle = shut ? palette.door : scene.shadeOf(sectors[i], palette);
    ctx.fill(scene.areas[i], "evenodd");
    ctx.stroke(scene.areas[i]);
  }
}

const STROKES = { step: 1, ledge: 1.2, rail: 1.4, wall: 2 };

function walls(frame) {
  const { ctx, scene, view, palette, sectors } = frame;
  const moving = strokesOf(scene.movingLines, sectors);
  inMetres(frame);
  ctx.lineCap = "round";
  for (const [kind, width] of Object.entries(STROKES)) {
    ctx.strokeStyle = palette[kind];
    ctx.lineWidth = (width * (view.scale > 16 ? 1.3 : 1)) / view.scale;
    ctx.setLineDash(kind === "rail" ? [4 / view.scale, 3 / view.scale] : []);
    if (scene.strokes[kind]) ctx.stroke(scene.strokes[kind]);
    if (moving[kind]) ctx.stroke(moving[kind]);
  }
}

// --- things ------------------------------------------------------------------------------------------

const LARGE = /soulsphere|megasphere|medikit|berserk|blue_armor|green_armor|_box|_pack|backpack/;
const GLYPHS = [
  [/stimpack|medikit|health|soulsphere|megasphere|berserk/, "health", cross],
  [/armor/, "armor", shield],
  [/clip|shells|rocket$|cell|_box|backpack/, "ammo", square],
  [/shotgun|chaingun|launcher|plasma|bfg|chainsaw/, "weapon", bar],
  [/./, "power", diamond],
];

function items(frame) {
  const { ctx, view, palette } = frame;
  inPixels(frame);
  ctx.lineCap = ctx.lineJoin = "round";
  for (const life of [...frame.of("item"), ...frame.of("key")]) {
    const pose = frame.pose(life);
    if (!pose) continue;
    const type = String(life.first("type"));
    const key = life.first("kind") === "key";
    const [, colour, draw] = key ? GLYPHS.at(-1) : GLYPHS.find(([pattern]) => pattern.test(type));
    const size = Math.min(8, Math.max(2.6, view.scale * 0.3)) * (LARGE.test(type) ? 1.25 : 1);
    ctx.globalAlpha = 0.8;
    ctx.fillStyle = ctx.strokeStyle = key ? keyColour(type, palette) : palette[colour];
    draw(ctx, ...frame.onScreen(pose.x, pose.z), size);
  }
}

function keyColour(type, palette) {
  if (/blue/.test(type)) return palette.players[0];
  return /red/.test(type) ? palette.hurt : palette.ammo;
}

function cross(ctx, x, y, size) {
  const arm = size * 0.36;
  ctx.fillRect(x - size, y - arm, 2 * size, 2 * arm);
  ctx.fillRect(x - arm, y - size, 2 * arm, 2 * size);
}

function shield(ctx, x, y, size) {
  ctx.beginPath();
  ctx.moveTo(x - size, y - size * 0.8);
  ctx.lineTo(x + size, y - size * 0.8);
  ctx.quadraticCurveTo(x + size, y + size * 0.5, x, y + size * 1.15);
  ctx.quadraticCurveTo(x - size, y + size * 0.5, x - size, y - size * 0.8);
  ctx.fill();
}

function square(ctx, x, y, size) {
  const half = size * 0.72;
  ctx.fillRect(x - half, y - half, 2 * half, 2 * half);
}

function bar(ctx, x, y, size) {
  ctx.lineWidth = size * 0.75;
  ctx.beginPath();
  ctx.moveTo(x - size * 1.3, y + size * 0.45);
  ctx.lineTo(x + size * 1.3, y - size * 0.45);
  ctx.stroke();
}

function diamond(ctx, x, y, size) {
  ctx.beginPath();
  ctx.moveTo(x, y - size * 1.3);
  ctx.lineTo(x + size, y);
  ctx.lineTo(x, y + size * 1.3);
  ctx.lineTo(x - size, y);
  ctx.fill();
}

function saltire(ctx, x, y, size) {
  ctx.beginPath();
  ctx.moveTo(x - size, y - size);
  ctx.lineTo(x + size, y + size);
  ctx.moveTo(x + size, y - size);
  ctx.lineTo(x - size, y + size);
  ctx.stroke();
}

function circle(ctx, x, y, radius) {
  ctx.beginPath();
  ctx.arc(x, y, Math.max(0, radius), 0, 2 * Math.PI);
}

// Decor and places to be teleported to.
function markers(frame) {
  const { ctx, view, palette } = frame;
  inPixels(frame);
  ctx.strokeStyle = palette.decor;
  ctx.lineWidth = 1;
  for (const life of [...frame.of("decor"), ...frame.of("marker")]) {
    const pose = frame.pose(life);
    if (!pose) continue;
    ctx.setLineDash(life.first("kind") === "marker" ? [2, 2] : []);
    circle(ctx, ...frame.onScreen(pose.x, pose.z), Math.max(1.5, (life.first("collider")?.radius ?? 0.5) * view.scale * 0.6));
    ctx.stroke();
  }
}

function corpses(frame) {
  const { ctx, view, palette } = frame;
  inPixels(frame);
  ctx.lineWidth = 1.5;
  ctx.lineCap = "round";
  ctx.globalAlpha = 0.5;
  const monsters = frame.of("monster").filter((life) => life.valueAt("state", frame.at) === "dead");
  for (const life of [...frame.of("corpse"), ...monsters]) {
    const pose = frame.pose(life);
    if (!pose) continue;
    ctx.strokeStyle = life.first("kind") === "monster" ? palette.monster : palette.trace;
    saltire(ctx, ...frame.onScreen(pose.x, pose.z), Math.max(2, view.scale * 0.22));
  }
}

// Where somebody has just died.
function marks(frame) {
  const { ctx, at, view, calm } = frame;
  inPixels(frame);
  ctx.lineCap = "round";
  for (const death of within(frame.scene.deaths, at - DEATH, at)) {
    if (!Number.isFinite(death.x)) continue;
    const age = (at - death.at) / DEATH;
    const [x, y] = frame.onScreen(death.x, death.z);
    const size = bodySize(view);
    ctx.strokeStyle = frame.colour(death.whom);
    ctx.globalAlpha = 1 - age;
    ctx.lineWidth = 3;
    saltire(ctx, x, y, size * 0.8);
    if (calm) continue;
    ctx.lineWidth = 1.5;
    ctx.globalAlpha = Math.max(0, 0.7 - age * 1.6);
    circle(ctx, x, y, size * (1 + age * 6));
    ctx.stroke();
  }
}

function trails(frame) {
  const { ctx, at, calm } = frame;
  if (calm) return;
  inPixels(frame);
  ctx.lineCap = "round";
  for (const life of frame.of("player")) trail(frame, life, frame.colour(life.id), TRAIL, 2.5, 0.3, at);
}

// The way an entity has come, fading; broken where it was teleported.
function trail(frame, life, colour, length, width, alpha, at) {
  const { ctx } = frame;
  const step = length / 14;
  ctx.lineCap = "butt"; // round ends would overlap and show as beads
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  let last = frame.pose(life);
  for (let age = step; age <= length && at - age >= life.bornAt; age += step) {
    const pose = frame.pose(life, at - age);
    if (!last || !pose || Math.hypot(last.x - pose.x, last.z - pose.z) > (step / 1000) * 45) break;
    ctx.globalAlpha = alpha * (1 - age / length);
    ctx.beginPath();
    ctx.moveTo(...frame.onScreen(last.x, last.z));
    ctx.lineTo(...frame.onScreen(pose.x, pose.z));
    ctx.stroke();
    last = pose;
  }
}

// Sets after the first are dashed, so that two answers to one shot can be told apart.
function rays(frame) {
  const { ctx, at } = frame;
  inPixels(frame);
  ctx.lineCap = "round";
  frame.match.rays.forEach((set, index) => {
    if (!frame.raySets.has(set.name)) return;
    ctx.setLineDash(index ? [5, 4] : []);
    for (const ray of within(set.rays, at - TRACER, at)) tracer(frame, ray, 1 - (at - ray.at) / TRACER);
  });
}

function tracer(frame, ray, freshness) {
  const { ctx } = frame;
  const [x1, y1] = frame.onScreen(ray.from[0], ray.from[2]);
  const [x2, y2] = frame.onScreen(ray.to[0], ray.to[2]);
  ctx.strokeStyle = ctx.fillStyle = frame.colour(ray.by);
  ctx.globalAlpha = (ray.hit ? 0.95 : 0.5) * freshness;
  ctx.lineWidth = ray.hit ? 2 : 1.1;
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
  circle(ctx, x2, y2, ray.hit ? 3 : 1.6);
  ctx.fill();
}

function projectiles(frame) {
  const { ctx, at, view, palette, calm } = frame;
  inPixels(frame);
  ctx.lineCap = "round";
  for (const { at: gone, life } of calm ? [] : within(frame.scene.blasts, at - BLAST, at)) blast(frame, life, (at - gone) / BLAST);
  for (const life of frame.of("projectile")) {
    const pose = frame.pose(life);
    if (!pose) continue;
    const colour = frame.colour(life.first("owner"));
    const radius = Math.max(2.5, (life.first("collider")?.radius ?? 0.2) * view.scale * 0.9);
    trail(frame, life, colour, 160, radius * 1.2, 0.55, at);
    ctx.globalAlpha = 1;
    ctx.fillStyle = colour;
    circle(ctx, ...frame.onScreen(pose.x, pose.z), radius);
    ctx.fill();
    ctx.fillStyle = palette.surface;
    circle(ctx, ...frame.onScreen(pose.x, pose.z), radius * 0.45);
    ctx.fill();
  }
}

function blast(frame, life, age) {
  const { ctx, view } = frame;
  const pose = frame.pose(life, life.goneAt);
  if (!pose) return;
  const size = /rocket|bfg/.test(String(life.first("type"))) ? 2.2 : 0.6;
  ctx.strokeStyle = ctx.fillStyle = frame.colour(life.first("owner"));
  ctx.lineWidth = 1.5;
  circle(ctx, ...frame.onScreen(pose.x, pose.z), 3 + size * view.scale * Math.sqrt(age));
  ctx.globalAlpha = 0.16 * (1 - age);
  ctx.fill();
  ctx.globalAlpha = 0.8 * (1 - age);
  ctx.stroke();
}

// Marks that shots leave, and mists where something appeared.
function effects(frame) {
  const { ctx, at, view, palette } = frame;
  inPixels(frame);
  for (const life of frame.of("effect")) {
    const pose = frame.pose(life);
    if (!pose) continue;
    const type = String(life.first("type"));
    const [x, y] = frame.onScreen(pose.x, pose.z);
    const age = at - life.bornAt;
    if (/fog/.test(type)) {
      ctx.strokeStyle = palette.fog;
      ctx.lineWidth = 1.5;
      ctx.globalAlpha = Math.max(0, 0.9 - age / 900);
      circle(ctx, x, y, (0.3 + Math.min(1, age / 700) * (/item/.test(type) ? 0.5 : 1)) * view.scale);
      ctx.stroke();
    } else {
      ctx.fillStyle = /blood/.test(type) ? palette.blood : palette.trace;
      ctx.globalAlpha = Math.max(0, 0.9 - age / 650);
      circle(ctx, x, y, 1.8);
      ctx.fill();
    }
  }
}

// --- bodies ------------------------------------------------------------------------------------------

function bodySize(view, radius = 0.5) {
  return Math.min(26, Math.max(7, radius * view.scale));
}

// A round body with a nose where it looks.
function body(ctx, x, y, size, heading, nose) {
  ctx.beginPath();
  ctx.arc(x, y, size, heading + 0.62, heading - 0.62);
  ctx.lineTo(x + Math.cos(heading) * size * nose, y + Math.sin(heading) * size * nose);
  ctx.closePath();
}

function monsters(frame) {
  const { ctx, at, view, palette } = frame;
  inPixels(frame);
  ctx.lineJoin = "round";
  for (const life of frame.of("monster")) {
    if (life.valueAt("state", at) === "dead") continue;
    const pose = frame.pose(life);
    if (!pose) continue;
    const size = Math.min(30, Math.max(3.5, (life.first("collider")?.radius ?? 0.6) * view.scale * 0.9));
    const [x, y] = frame.onScreen(pose.x, pose.z);
    ctx.fillStyle = palette.monster;
    ctx.strokeStyle = palette.surface;
    ctx.lineWidth = 1.2;
    body(ctx, x, y, size, pose.heading, 1.6);
    ctx.fill();
    ctx.stroke();
    flash(frame, life.id, x, y, size);
  }
}

function players(frame) {
  const { at, follow } = frame;
  inPixels(frame);
  const alive = frame.of("player").filter((life) => life.valueAt("state", at) !== "dead");
  alive.sort((a, b) => (a.id === follow) - (b.id === follow));
  for (const life of alive) {
    const pose = frame.pose(life);
    if (pose) player(frame, life, pose);
  }
  for (const life of alive) {
    const pose = frame.pose(life);
    if (pose) label(frame, life.id, ...frame.onScreen(pose.x, pose.z));
  }
}

function player(frame, life, pose) {
  const { ctx, at, view, palette, follow } = frame;
  const [x, y] = frame.onScreen(pose.x, pose.z);
  const size = bodySize(view);
  const colour = frame.colour(life.id);
  if (life.id === follow) {
    ctx.globalAlpha = 0.14;
    ctx.fillStyle = colour;
    circle(ctx, x, y, size * 2.5);
    ctx.fill();
    ctx.globalAlpha = 1;
  }
  ctx.lineJoin = "round";
  ctx.lineWidth = 3;
  ctx.strokeStyle = palette.surface;
  ctx.fillStyle = colour;
  body(ctx, x, y, size, pose.heading, 1.75);
  ctx.stroke();
  ctx.fill();
  health(frame, life.valueAt("health", at), x, y, size, colour);
  flash(frame, life.id, x, y, size);
}

// A ring that empties from a full turn at 100.
function health({ ctx, palette }, value, x, y, size, colour) {
  const share = Math.min(1, Math.max(0, (Number(value) || 0) / 100));
  const radius = size + 4.5;
  ctx.lineCap = "round";
  ctx.lineWidth = 2.2;
  ctx.strokeStyle = palette.ink;
  ctx.globalAlpha = 0.14;
  circle(ctx, x, y, radius);
  ctx.stroke();
  ctx.globalAlpha = 1;
  ctx.strokeStyle = share <= 0.3 ? palette.hurt : colour;
  ctx.beginPath();
  ctx.arc(x, y, radius, -Math.PI / 2, -Math.PI / 2 + share * 2 * Math.PI);
  ctx.stroke();
}

function flash(frame, id, x, y, size) {
  const { ctx, at, palette, scene } = frame;
  const wound = within(scene.wounds, at - FLASH, at).findLast((one) => one.whom === id);
  if (!wound) return;
  const age = (at - wound.at) / FLASH;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = palette.hurt;
  ctx.lineWidth = 2.5;
  ctx.globalAlpha = 0.45 * (1 - age);
  circle(ctx, x, y, size);
  ctx.fill();
  ctx.globalAlpha = 1 - age;
  circle(ctx, x, y, size * (1.1 + age * 0.8));
  ctx.stroke();
  ctx.restore();
}

// From far away a short name must do.
function label({ ctx, palette, view, match }, id, x, y) {
  const text = view.scale < 6.5 ? match.shortNames[match.players.indexOf(id)] : id;
  const base = y + bodySize(view) + 17;
  ctx.font = "600 11px Inter, ui-sans-serif, system-ui, sans-serif";
  ctx.textAlign = "center";
  ctx.lineJoin = "round";
  ctx.lineWidth = 3.5;
  ctx.strokeStyle = palette.surface;
  ctx.globalAlpha = 0.85;
  ctx.strokeText(text, x, base);
  ctx.globalAlpha = 1;
  ctx.fillStyle = palette.ink;
  ctx.fillText(text, x, base);
}

// How much each hit took.
function numbers(frame) {
  const { ctx, at, palette, scene, match } = frame;
  inPixels(frame);
  ctx.font = "700 12px Inter, ui-sans-serif, system-ui, sans-serif";
  ctx.textAlign = "center";
  ctx.lineJoin = "round";
  for (const wound of within(scene.wounds, at - NUMBER, at)) {
    if (!match.players.includes(wound.whom)) continue;
    const place = scene.placeOf(wound.whom, wound.at);
    if (!Number.isFinite(place.x) || !wound.damage) continue;
    const age = (at - wound.at) / NUMBER;
    const [x, y] = frame.onScreen(place.x, place.z);
    ctx.globalAlpha = 1 - age * age;
    ctx.lineWidth = 3;
    ctx.strokeStyle = palette.surface;
    ctx.fillStyle = palette.hurt;
    const text = `−${wound.damage}`;
    const top = y - bodySize(frame.view) - 9 - age * 16;
    ctx.strokeText(text, x, top);
    ctx.fillText(text, x, top);
  }
}

// The player under a point of the screen, or null.
export function playerAt(scene, view, at, left, top) {
  let best = null;
  let nearest = Math.max(18, bodySize(view) + 8);
  for (const life of scene.match.livesAt(at)) {
    if (life.first("kind") !== "player") continue;
    const pose = poseAt(scene.match, life, at);
    if (!pose) continue;
    const [x, y] = toScreen(view, pose.x, pose.z);
    const distance = Math.hypot(x - left, y - top);
    if (distance < nearest) [best, nearest] = [life.id, distance];
  }
  return best;
}
