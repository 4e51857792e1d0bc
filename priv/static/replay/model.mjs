// A recorded match as data: every entity's life with every change of it, so that any moment can be asked
// for at once and is exactly what folding from the start gives. No DOM here; node tests this file.
//
// Times are milliseconds since the first event. A seq numbers an event; a time stands for the last seq at or
// before it. Positions are metres, x to the right and z down the screen; headings are canvas angles.

const UNITS_PER_METRE = 10000;

export async function unpack(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return JSON.parse(await new Response(plain).text());
}

// The index of the last entry that is not above value, or -1.
export function lastUpTo(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export function sums(differences) {
  const out = new Float64Array(differences.length);
  let sum = 0;
  for (let i = 0; i < out.length; i++) out[i] = sum += differences[i];
  return out;
}

// One entity from its create to its delete or replacement.
class Life {
  constructor(id, born, gone, bornAt, goneAt) {
    Object.assign(this, { id, born, gone, bornAt, goneAt });
    this.position = null; // { seq, at, x, y, z }: arrays of one length
    this.heading = null; // { at, angle }
    this.others = new Map(); // component -> { seq, at, value }
  }

  // Components that never change in practice: what the entity was made with.
  first(name) {
    return this.others.get(name)?.value[0] ?? null;
  }

  // A component's value at a time, null if it has none.
  valueAt(name, at) {
    const track = this.others.get(name);
    if (!track) return null;
    const index = lastUpTo(track.at, at);
    return index < 0 ? null : track.value[index];
  }

  // All components right after the event with this seq.
  components(seq) {
    const out = {};
    if (this.position) {
      const { seq: seqs, x, y, z } = this.position;
      const index = lastUpTo(seqs, seq);
      if (index >= 0) out.position = [x[index], y[index], z[index]];
    }
    for (const [name, track] of this.others) {
      const index = lastUpTo(track.seq, seq);
      if (index >= 0 && track.value[index] !== null) out[name] = track.value[index];
    }
    return out;
  }
}

// Seen from above: the direction in which an entity with this rotation looks.
export function headingOf([x, y, z, w]) {
  return Math.atan2(2 * (x * z - w * y), 1 - 2 * (y * y + z * z));
}

export class Match {
  constructor(data) {
    if (data.version !== 1) throw new Error(`this page can't read version ${data.version} of the match data`);
    this.name = data.name;
    this.map = data.map;
    this.seq = data.seq;
    this.license = data.license;
    this.source = data.source;
    this.steps = { at: sums(data.steps.at), seq: sums(data.steps.seq) };
    this.duration = this.steps.at[this.steps.at.length - 1] || 0;
    this.tick = usualGap(this.steps.at);
    this.lives = readLives(data.lives, this);
    this.alive = buckets(this.lives, this.duration);
    this.hits = data.hits.map(([seq, whom, by, damage, how]) => ({ seq, at: this.timeOf(seq), whom, by, damage, how }));
    this.kills = data.kills.map(([seq, whom, by, how]) => ({ seq, at: this.timeOf(seq), whom, by, how }));
    this.rays = data.rays.map(({ name, rays }) => ({ name, rays: rays.map((row) => readRay(row, this)) }));
    this.players = playersOf(this.lives);
    this.shortNames = shortNames(this.players);
    this.deaths = this.kills.filter((kill) => this.players.includes(kill.whom));
    this.monsters = this.lives.some((life) => life.first("kind") === "monster");
  }

  timeOf(seq) {
    return this.steps.at[Math.max(0, lastUpTo(this.steps.seq, seq))];
  }

  seqAt(at) {
    const next = lastUpTo(this.steps.at, at) + 1;
    return next < this.steps.seq.length ? this.steps.seq[next] - 1 : this.seq;
  }

  livesAt(at) {
    const bucket = this.alive[Math.min(this.alive.length - 1, Math.max(0, Math.floor(at / BUCKET)))];
    return bucket.filter((life) => life.bornAt <= at && at < life.goneAt);
  }

  // The world right after the event with this seq: { id: components }, as a fold from the start gives it.
  worldAt(seq) {
    const out = {};
    for (const life of this.lives) if (life.born <= seq && seq < life.gone) out[life.id] = life.components(seq);
    return out;
  }
}

const BUCKET = 1000;

// For each second, the lives that touch it.
function buckets(lives, duration) {
  const out = Array.from({ length: Math.floor(duration / BUCKET) + 1 }, () => []);
  for (const life of lives) {
    const last = Math.min(out.length - 1, Math.floor(life.goneAt / BUCKET));
    for (let i = Math.floor(life.bornAt / BUCKET); i <= last; i++) out[i].push(life);
  }
  return out;
}

function usualGap(times) {
  const gaps = Array.from(times.subarray(1), (at, i) => at - times[i]).sort((a, b) => a - b);
  return gaps.length ? Math.min(200, Math.max(5, gaps[gaps.length >> 1])) : 30;
}

function readLives(data, match) {
  const born = sums(data.born);
  const lives = data.id.map((id, i) => {
    const gone = data.gone[i] ? born[i] + data.gone[i] : Infinity;
    return new Life(id, born[i], gone, match.timeOf(born[i]), gone === Infinity ? Infinity : match.timeOf(gone));
  });
  readPositions(lives, data.position, match);
  readOthers(lives, data, match);
  return lives;
}

function readPositions(lives, columns, match) {
  const owner = sums(columns.life);
  const [x, y, z] = [columns.x, columns.y, columns.z].map((axis) =>
    Float32Array.from(sums(axis), (units) => units / UNITS_PER_METRE),
  );
  let start = 0;
  owner.forEach((index, i) => {
    const end = start + columns.count[i];
    const seq = sums(columns.seq.slice(start, end)).map((after) => lives[index].born + after);
    lives[index].position = {
      seq,
      at: seq.map((one) => match.timeOf(one)),
      x: x.subarray(start, end),
      y: y.subarray(start, end),
      z: z.subarray(start, end),
    };
    start = end;
  });
}

function readOthers(lives, { others, names, values }, match) {
  const headings = new Map();
  sums(others.life).forEach((index, i) => {
    const life = lives[index];
    const name = names[others.name[i]];
    const value = values[others.value[i]];
    const seq = life.born + others.seq[i];
    const at = match.timeOf(seq);
    if (!life.others.has(name)) life.others.set(name, { seq: [], at: [], value: [] });
    const track = life.others.get(name);
    track.seq.push(seq);
    track.at.push(at);
    track.value.push(value);
    if (name === "rotation" && value) {
      if (!headings.has(value)) headings.set(value, headingOf(value));
      life.heading ??= { at: [], angle: [] };
      life.heading.at.push(at);
      life.heading.angle.push(headings.get(value));
    }
  });
}

function readRay([seq, by, fx, fy, fz, tx, ty, tz, hit], match) {
  const metres = (...millimetres) => millimetres.map((one) => one / 1000);
  return { seq, at: match.timeOf(seq), by, from: metres(fx, fy, fz), to: metres(tx, ty, tz), hit };
}

function playersOf(lives) {
  const ids = new Set(lives.filter((life) => life.first("kind") === "player").map((life) => life.id));
  return [...ids].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

// --- between the ticks -------------------------------------------------------------------------------

const TOP_SPEED = 60; // metres a second: what is faster was teleported
const GLIDE = 4; // ticks: monsters step every few ticks and glide from step to step

// Where an entity is drawn: exactly its state on a tick, on the way to its next state between two.
export function poseAt(match, life, at) {
  if (!life.position) return null;
  const { at: times, x, y, z } = life.position;
  const i = lastUpTo(times, at);
  if (i < 0) return null;
  const pose = { x: x[i], y: y[i], z: z[i], heading: headingAt(match, life, at) };
  const [share, seconds] = wayDone(match, life, times, i, at);
  if (share > 0) {
    const [dx, dy, dz] = [x[i + 1] - x[i], y[i + 1] - y[i], z[i + 1] - z[i]];
    if (Math.hypot(dx, dz) <= TOP_SPEED * seconds) {
      pose.x += dx * share;
      pose.y += dy * share;
      pose.z += dz * share;
    }
  }
  return pose;
}

// How much of the way to the next sample is done, and how long it takes. The way begins one tick before
// that sample, not when the last one was made: until then the entity stood still.
function wayDone(match, life, times, i, at) {
  const next = times[i + 1];
  const glide = GLIDE * match.tick;
  if (next === undefined || at <= next - glide) return [0, 0];
  const tickBefore = life.first("kind") === "monster" ? next - glide : match.steps.at[lastUpTo(match.steps.at, next - 0.5)];
  const from = Math.max(times[i], next - glide, tickBefore ?? 0);
  return [Math.max(0, (at - from) / (next - from)), (next - from) / 1000];
}

function headingAt(match, life, at) {
  if (!life.heading) return 0;
  const { at: times, angle } = life.heading;
  const i = lastUpTo(times, at);
  if (i < 0) return angle[0];
  const [share] = wayDone(match, life, times, i, at);
  return share > 0 ? angle[i] + turn(angle[i], angle[i + 1]) * share : angle[i];
}

// The shorter way round from one angle to another.
export function turn(from, to) {
  const difference = (to - from) % (2 * Math.PI);
  if (difference > Math.PI) return difference - 2 * Math.PI;
  return difference < -Math.PI ? difference + 2 * Math.PI : difference;
}

// --- facts -------------------------------------------------------------------------------------------

// The entries of a list in order of time with after < at <= upTo.
export function within(list, after, upTo) {
  let low = firstAfter(list, after);
  const high = firstAfter(list, upTo);
  return list.slice(low, high);
}

function firstAfter(list, at) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle].at <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Who has killed whom so far, counted from the events: a respawn takes a player's `frags` component away.
export function scoresAt(match, at) {
  const scores = new Map(match.players.map((id) => [id, { frags: 0, monsters: 0, deaths: 0, suicides: 0, victims: {} }]));
  for (const { whom, by } of match.kills.slice(0, firstAfter(match.kills, at))) {
    const victim = scores.get(whom);
    const killer = scores.get(by);
    if (victim) victim.deaths++;
    if (victim && by === whom) victim.suicides++;
    else if (victim && killer) killer.frags++;
    else if (killer) killer.monsters++;
    if (victim && killer) killer.victims[whom] = (killer.victims[whom] || 0) + 1;
  }
  return scores;
}

export function clock(milliseconds) {
  const seconds = Math.floor(Math.max(0, milliseconds) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

const WEAPONS = { ssg: "super shotgun", bfg: "BFG", plasma: "plasma gun", rocket: "rocket" };

// "shotgun_guy-315" and "super_shotgun" as people write them.
export function plain(name) {
  if (!name) return "";
  const type = String(name).replace(/-\d+$/, "");
  return WEAPONS[type] ?? type.replaceAll("_", " ");
}

// What tells the ids apart: "player0", "player1" become "0", "1".
export function shortNames(ids) {
  const shared = ids.slice(1).reduce((start, id) => {
    let length = 0;
    while (length < start.length && start[length] === id[length]) length++;
    return start.slice(0, length);
  }, ids[0] ?? "");
  const rests = ids.map((id) => id.slice(shared.length));
  return rests.every((rest) => rest !== "") ? rests : ids;
}
