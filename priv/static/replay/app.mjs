// The page itself: what is played, followed and looked at, and the controls for it.

import { clock, lastUpTo, Match, plain, scoresAt, unpack, within } from "./model.mjs";
import { fit, panBy, toScreen, zoomAt } from "./geometry.mjs";
import { playerColour, readPalette } from "./palette.mjs";
import { paint, playerAt, Scene } from "./draw.mjs";

const SPEEDS = [0.25, 0.5, 1, 2, 4, 8];
const ZOOM = [1.5, 90]; // pixels a metre
const FOLLOW_SCALE = 20;
const FEED = 6000; // milliseconds that a death stays in the feed
const MODES = { deathmatch: "deathmatch", coop: "co-operative", single: "single player" };

const byId = (id) => document.getElementById(id);

function element(tag, attributes = {}, ...children) {
  const out = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) out.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) out.setAttribute(name, value === true ? "" : value);
  }
  out.append(...children);
  return out;
}

class App {
  constructor(match) {
    this.match = match;
    this.scene = new Scene(match);
    this.at = 0;
    this.speed = 1;
    this.playing = false;
    this.follow = null;
    this.overview = true;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.raySets = new Set(match.rays.map((set) => set.name));
    this.canvas = byId("canvas");
    this.context = this.canvas.getContext("2d");
    this.view = { x: 0, z: 0, scale: 10, width: 1, height: 1 };
    this.shown = {}; // what the page last said, so that it is only changed when it changes
    this.describe();
    this.buildTimeline();
    this.buildSpeeds();
    this.buildScores();
    this.buildMatrix();
    this.buildLog();
    this.buildRaySets();
    this.listen();
    this.recolour();
    this.resize();
    this.readHash();
    byId("message").hidden = true;
    this.wake();
  }

  // --- time ------------------------------------------------------------------------------------------

  wake() {
    this.request ??= requestAnimationFrame((now) => this.frame(now));
  }

  frame(now) {
    this.request = null;
    const passed = Math.min(100, now - (this.last ?? now));
    this.last = now;
    if (this.playing) {
      this.at = Math.min(this.match.duration, this.at + passed * this.speed);
      if (this.at >= this.match.duration) this.pause();
    }
    const settled = this.moveCamera(passed);
    this.paint();
    this.tell();
    if (this.playing || !settled) this.wake();
    else this.last = null;
  }

  seek(at) {
    this.at = Math.min(this.match.duration, Math.max(0, at));
    this.wake();
  }

  // A step of one tick lands on a time at which something happened.
  tick(direction) {
    this.pause();
    const { at } = this.match.steps;
    const here = lastUpTo(at, this.at);
    this.seek(direction > 0 ? (at[here + 1] ?? this.match.duration) : (at[at[here] < this.at ? here : here - 1] ?? 0));
  }

  seekDeath(direction) {
    const deaths = this.match.deaths.length ? this.match.deaths : this.match.kills;
    const found =
      direction > 0
        ? deaths.find((death) => death.at - LEAD > this.at + 1)
        : deaths.findLast((death) => death.at - LEAD < this.at - (this.playing ? 600 : 1));
    if (found) this.seek(found.at - LEAD);
    else if (direction < 0) this.seek(0);
  }

  play() {
    if (this.at >= this.match.duration) this.at = 0;
    this.playing = true;
    this.last = null;
    this.sayPlaying();
    this.wake();
  }

  pause() {
    this.playing = false;
    this.sayPlaying();
    this.wake();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  setSpeed(speed) {
    this.speed = speed;
    for (const button of byId("speeds").children) {
      const chosen = Number(button.value) === speed;
      button.setAttribute("aria-checked", chosen);
      button.tabIndex = chosen ? 0 : -1;
    }
  }

  changeSpeed(direction) {
    const next = SPEEDS[SPEEDS.indexOf(this.speed) + direction];
    if (next) this.setSpeed(next);
  }

  // --- view ------------------------------------------------------------------------------------------

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.ratio = Math.min(3, globalThis.devicePixelRatio || 1);
    this.canvas.width = Math.max(1, Math.round(width * this.ratio));
    this.canvas.height = Math.max(1, Math.round(height * this.ratio));
    this.view = { ...this.view, width, height };
    if (this.overview) this.view = this.whole();
    this.wake();
  }

  whole() {
    const { width, height } = this.view;
    return fit(this.scene.level.bounds, width, height, Math.min(32, width * 0.05));
  }

  // Glides to what is looked at; true when there.
  moveCamera(passed) {
    const goal = this.goal();
    if (!goal) return true;
    const far = Math.hypot(goal.x - this.view.x, goal.z - this.view.z) * this.view.scale;
    const share = this.calm.matches || this.jump ? 1 : 1 - Math.exp(-passed / 130);
    this.jump = false;
    const scale = this.view.scale * (goal.scale / this.view.scale) ** share;
    this.view = { ...this.view, x: mixed(this.view.x, goal.x, share), z: mixed(this.view.z, goal.z, share), scale };
    const there = far < 0.3 && Math.abs(Math.log(goal.scale / scale)) < 0.002;
    if (there) this.view = { ...this.view, ...goal };
    return there;
  }

  goal() {
    if (this.overview) {
      const { x, z, scale } = this.whole();
      return { x, z, scale };
    }
    const place = this.follow && this.scene.placeOf(this.follow, this.at);
    return place && Number.isFinite(place.x) ? { x: place.x, z: place.z, scale: this.scale ?? this.view.scale } : null;
  }

  followPlayer(id) {
    this.follow = this.follow === id ? null : id;
    if (this.follow) {
      this.overview = false;
      this.scale = Math.max(FOLLOW_SCALE, this.view.scale);
    } else {
      this.showAll();
    }
    this.shown = {};
    this.wake();
  }

  showAll() {
    this.follow = null;
    this.overview = true;
    this.shown = {};
    this.wake();
  }

  zoom(factor, left = this.view.width / 2, top = this.view.height / 2) {
    if (this.follow) {
      this.scale = Math.min(ZOOM[1], Math.max(ZOOM[0], (this.scale ?? this.view.scale) * factor));
    } else {
      this.overview = false;
      this.view = zoomAt(this.view, left, top, factor, ZOOM);
    }
    this.wake();
  }

  pan(left, top) {
    this.overview = false;
    this.follow = null;
    this.view = panBy(this.view, left, top);
    this.shown = {};
    this.wake();
  }

  recolour() {
    this.palette = readPalette(getComputedStyle(document.documentElement));
    this.wake();
  }

  paint() {
    paint(this.context, this.scene, {
      view: this.view,
      at: this.at,
      follow: this.follow,
      palette: this.palette,
      ratio: this.ratio,
      raySets: this.raySets,
      calm: this.calm.matches,
    });
  }

  // --- what the page says ----------------------------------------------------------------------------

  describe() {
    const { match } = this;
    const mode = match.monsters ? (match.players.length > 1 ? "coop" : "single") : "deathmatch";
    const count = match.players.length === 1 ? "1 player" : `${match.players.length} players`;
    const events = match.seq.toLocaleString("en");
    byId("title").textContent = match.map?.name ?? match.name;
    byId("subtitle").textContent = `${match.name} · ${MODES[mode]}, ${count} · ${events} events in ${clock(match.duration)}`;
    byId("length").textContent = clock(match.duration);
    byId("seek").max = match.duration;
  }

  buildTimeline() {
    const { match } = this;
    const lanes = Math.max(1, match.players.length);
    const svg = byId("lanes");
    svg.setAttribute("viewBox", `0 0 ${match.duration || 1} ${lanes}`);
    const line = (className, x1, y1, x2, y2, stroke) => {
      const out = document.createElementNS("http://www.w3.org/2000/svg", "line");
      for (const [name, value] of Object.entries({ class: className, x1, y1, x2, y2 })) out.setAttribute(name, value);
      if (stroke) out.style.stroke = stroke;
      return out;
    };
    for (let i = 1; i < lanes; i++) svg.append(line("lane", 0, i, match.duration, i));
    for (const kill of match.kills) {
      const lane = match.players.indexOf(kill.whom);
      if (lane >= 0) svg.append(line("death", kill.at, lane + 0.12, kill.at, lane + 0.88, this.tint(kill.whom)));
      else svg.append(line("minor", kill.at, lanes - 0.2, kill.at, lanes, this.tint(kill.by)));
    }
  }

  buildSpeeds() {
    for (const speed of SPEEDS) {
      const text = { 0.25: "¼", 0.5: "½" }[speed] ?? String(speed);
      byId("speeds").append(
        element(
          "button",
          { type: "button", role: "radio", value: speed, "aria-label": `${speed} times`, onclick: () => this.setSpeed(speed) },
          `${text}×`,
        ),
      );
    }
    this.setSpeed(1);
  }

  tint(id) {
    const index = this.match.players.indexOf(id);
    return index < 0 ? "var(--monster)" : `var(--player-${index % 8})`;
  }

  buildScores() {
    const { match } = this;
    const counts = match.monsters ? "Kills" : "Frags";
    const meaning = match.monsters ? "Monsters and others killed" : "Other players killed";
    this.rows = match.players.map((id, i) => {
      const bar = element("span");
      const barBox = element("span", { class: "bar" }, bar);
      const weapon = element("em", { class: "weapon" });
      const health = element("em", { class: "health" });
      const who = element(
        "button",
        { class: "who", type: "button", "aria-pressed": "false", title: `Follow ${id} (${i + 1})`, onclick: () => this.followPlayer(id) },
        element("i"), element("strong", {}, id), weapon, element("span", { class: "line" }, barBox, health),
      );
      const frags = element("td", { class: "num" });
      const deaths = element("td", { class: "num" });
      const row = element("tr", { style: `--tint: ${this.tint(id)}` }, element("td", {}, who), frags, deaths);
      return { id, row, who, bar, barBox, weapon, health, frags, deaths };
    });
    byId("scores").append(
      element("thead", {}, element("tr", {},
        element("th", { scope: "col" }, "Name, weapon, health"),
        element("th", { scope: "col", class: "num", title: meaning }, counts),
        element("th", { scope: "col", class: "num" }, "Deaths"),
      )),
      element("tbody", {}, ...this.rows.map((row) => row.row)),
    );
  }

  buildMatrix() {
    const { players } = this.match;
    if (players.length < 2 || this.match.monsters) return;
    byId("matrix-section").hidden = false;
    const short = this.match.shortNames;
    const head = players.map((id, i) => element("th", { scope: "col", style: `--tint: ${this.tint(id)}`, title: id }, short[i]));
    this.cells = new Map();
    const body = players.map((by) => {
      const cells = players.map((whom) => {
        const cell = element("td", { style: `--tint: ${this.tint(by)}; --share: 0`, title: `${by} killed ${whom}` });
        this.cells.set(`${by} ${whom}`, cell);
        return cell;
      });
      return element("tr", {}, element("th", { scope: "row", style: `--tint: ${this.tint(by)}` }, by), ...cells);
    });
    byId("matrix").append(
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "killer ↓"), ...head)),
      element("tbody", {}, ...body),
    );
  }

  buildLog() {
    this.entries = this.match.kills.map((kill) =>
      element("li", {}, element("button", { type: "button", onclick: () => this.seek(kill.at - LEAD) },
        element("time", {}, clock(kill.at)), element("span", {}, ...this.sentence(kill)),
        element("span", { class: "means" }, this.means(kill)))),
    );
    byId("log").append(...this.entries);
  }

  // "player2 killed player0"
  sentence({ whom, by }) {
    const name = (id) => element("b", { style: `color: ${this.tint(id)}` }, this.match.players.includes(id) ? id : plain(id));
    const verb = (text) => element("span", { class: "how" }, text);
    if (!by) return [name(whom), verb(" died")];
    if (by === whom) return [name(whom), verb(" died by own hand")];
    return [name(by), verb(" killed "), name(whom)];
  }

  // With what; of a monster its kind says enough.
  means({ by, how }) {
    return how && this.match.players.includes(by) ? plain(how) : "";
  }

  buildRaySets() {
    byId("raysets").hidden = this.match.rays.length < 2;
    for (const { name } of this.match.rays) {
      const box = element("input", { type: "checkbox", checked: true, onchange: () => this.showRays(name, box.checked) });
      byId("raysets").append(element("label", {}, box, name));
    }
  }

  showRays(name, shown) {
    if (shown) this.raySets.add(name);
    else this.raySets.delete(name);
    this.wake();
  }

  once(key, value, say) {
    if (this.shown[key] === value) return;
    this.shown[key] = value;
    say(value);
  }

  tell() {
    const { match, at } = this;
    this.once("seek", Math.round(at), (value) => {
      byId("seek").value = value;
      byId("elapsed").style.width = `${(100 * at) / (match.duration || 1)}%`;
    });
    this.once("now", clock(at), (text) => {
      byId("now").textContent = text;
      byId("seek").setAttribute("aria-valuetext", `${text} of ${clock(match.duration)}`);
    });
    const done = match.kills.length ? lastUpTo(match.kills.map((kill) => kill.at), at) : -1;
    this.once("done", done, () => this.tellScores(done));
    this.tellPlayers();
    this.tellFeed();
    if (!this.playing) this.once("scene", Math.round(at), () => this.sayScene());
  }

  tellScores(done) {
    const scores = scoresAt(this.match, this.at);
    const most = Math.max(1, ...[...scores.values()].flatMap((score) => Object.values(score.victims)));
    for (const { id, frags, deaths } of this.rows) {
      const score = scores.get(id);
      frags.textContent = this.match.monsters ? score.monsters + score.frags : score.frags;
      deaths.textContent = score.deaths;
    }
    for (const [by, score] of this.cells ? scores : []) {
      for (const whom of this.match.players) {
        const count = score.victims[whom] ?? 0;
        const cell = this.cells.get(`${by} ${whom}`);
        cell.textContent = count;
        cell.className = count ? "" : "none";
        cell.style.setProperty("--share", count / most);
      }
    }
    this.entries.forEach((entry, i) => {
      entry.className = i > done ? "later" : i === done ? "latest" : "";
    });
    this.scrollLog(this.entries[Math.max(0, done)]);
  }

  // Keeps the latest death in sight without moving the page, unless somebody is reading there.
  scrollLog(entry) {
    const log = byId("log");
    if (!entry || log.matches(":hover, :focus-within")) return;
    log.scrollTop = entry.offsetTop - log.offsetTop - log.clientHeight / 2 + entry.offsetHeight / 2;
  }

  tellPlayers() {
    for (const line of this.rows) {
      const life = this.scene.lifeOf(line.id, this.at);
      const health = Number(life?.valueAt("health", this.at) ?? 0);
      const weapon = plain(life?.valueAt("weapon", this.at));
      const followed = this.follow === line.id;
      this.once(`player ${line.id}`, `${health} ${weapon} ${followed}`, () => {
        line.row.className = `${followed ? "followed" : ""} ${health <= 0 ? "dead" : ""}`;
        line.who.setAttribute("aria-pressed", followed);
        line.bar.style.transform = `scaleX(${Math.min(1, Math.max(0, health / 100))})`;
        line.barBox.className = health <= 30 ? "bar low" : "bar";
        line.weapon.textContent = life ? weapon : "not here";
        line.health.textContent = life ? (health > 0 ? health : "dead") : "";
      });
    }
  }

  tellFeed() {
    const latest = within(this.match.kills, this.at - FEED, this.at).slice(-4);
    this.once("feed", latest.map((kill) => kill.seq).join(" "), () => {
      const line = (kill) => element("li", {}, ...this.sentence(kill), element("span", { class: "how" }, this.means(kill) && ` · ${this.means(kill)}`));
      byId("feed").replaceChildren(...latest.map(line));
    });
  }

  sayPlaying() {
    document.body.classList.toggle("playing", this.playing);
    byId("play").setAttribute("aria-label", this.playing ? "Pause" : "Play");
  }

  // For those who can't see the canvas.
  sayScene() {
    const state = this.match.players.map((id) => {
      const life = this.scene.lifeOf(id, this.at);
      const health = Number(life?.valueAt("health", this.at) ?? 0);
      return health > 0 ? `${id} has health ${health}` : `${id} is dead`;
    });
    this.canvas.setAttribute("aria-label", `The level seen from above at ${clock(this.at)}: ${state.join(", ")}.`);
  }

  // #t=63.2&follow=player2&speed=2&paused
  readHash() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    const speed = Number(wanted.get("speed"));
    if (SPEEDS.includes(speed)) this.setSpeed(speed);
    this.seek((Number(wanted.get("t")) || 0) * 1000);
    const follow = wanted.get("follow");
    if (this.match.players.includes(follow) && follow !== this.follow) {
      this.followPlayer(follow);
      this.jump = true;
    }
    if (wanted.has("paused") || (this.calm.matches && !wanted.has("playing"))) this.pause();
    else this.play();
  }

  // --- what people do --------------------------------------------------------------------------------

  listen() {
    const click = (id, act) => byId(id).addEventListener("click", act);
    click("play", () => this.toggle());
    click("previous", () => this.seekDeath(-1));
    click("next", () => this.seekDeath(1));
    click("overview", () => this.showAll());
    click("zoom-in", () => this.zoom(1.4));
    click("zoom-out", () => this.zoom(1 / 1.4));
    click("full", () => fullScreen());
    click("help", () => byId("keys").showModal());
    click("notice-open", () => byId("notice").showModal());
    byId("seek").addEventListener("input", (event) => this.seek(Number(event.target.value)));
    this.listenTimeline();
    this.listenCanvas();
    addEventListener("keydown", (event) => this.key(event));
    addEventListener("hashchange", () => this.readHash());
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
  }

  listenTimeline() {
    const timeline = byId("timeline");
    const hover = byId("hover");
    timeline.addEventListener("pointermove", (event) => {
      const { left, width } = timeline.getBoundingClientRect();
      const share = Math.min(1, Math.max(0, (event.clientX - left) / width));
      hover.hidden = event.pointerType === "touch";
      hover.style.left = `${Math.min(width - 24, Math.max(24, share * width))}px`;
      hover.textContent = clock(share * this.match.duration);
    });
    timeline.addEventListener("pointerleave", () => (hover.hidden = true));
  }

  // One pointer moves the view or chooses a player, two zoom.
  listenCanvas() {
    const { canvas } = this;
    const pointers = new Map();
    let moved = 0;
    const place = (event) => {
      const { left, top } = canvas.getBoundingClientRect();
      return [event.clientX - left, event.clientY - top];
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      if (!pointers.size) moved = 0;
      pointers.set(event.pointerId, place(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      const now = place(event);
      const before = pointers.get(event.pointerId);
      if (!before) {
        canvas.classList.toggle("pointing", playerAt(this.scene, this.view, this.at, ...now) !== null);
        return;
      }
      moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
      if (pointers.size === 1 && moved > 5) {
        canvas.classList.add("grabbing");
        this.pan(now[0] - before[0], now[1] - before[1]);
      }
      if (pointers.size === 2) this.pinch(pointers, event.pointerId, before, now);
      pointers.set(event.pointerId, now);
    });
    const release = (event) => {
      const at = pointers.get(event.pointerId);
      pointers.delete(event.pointerId);
      canvas.classList.remove("grabbing");
      if (event.type !== "pointerup" || !at || moved > 5) return;
      const id = playerAt(this.scene, this.view, this.at, ...at);
      if (id) this.followPlayer(id);
    };
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", release);
    canvas.addEventListener("dblclick", (event) => this.zoom(1.8, ...place(event)));
    const wheel = (event) => {
      event.preventDefault();
      const pixels = event.deltaY * (event.deltaMode === 1 ? 24 : 1);
      this.zoom(Math.exp(-Math.max(-120, Math.min(120, pixels)) / 320), ...place(event));
    };
    canvas.addEventListener("wheel", wheel, { passive: false });
  }

  pinch(pointers, id, before, now) {
    const [, other] = [...pointers].find(([key]) => key !== id);
    const distance = (point) => Math.max(1, Math.hypot(point[0] - other[0], point[1] - other[1]));
    this.zoom(distance(now) / distance(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    if (!this.follow) this.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const onButton = event.target.closest?.("button, input[type=checkbox]");
    if (event.key === " " && onButton) return;
    const far = event.shiftKey ? 10000 : 2000;
    const acts = {
      " ": () => this.toggle(),
      ArrowLeft: () => this.seek(this.at - far),
      ArrowRight: () => this.seek(this.at + far),
      ArrowUp: () => this.changeSpeed(1),
      ArrowDown: () => this.changeSpeed(-1),
      Home: () => this.seek(0),
      End: () => this.seek(this.match.duration),
      ",": () => this.tick(-1),
      ".": () => this.tick(1),
      "[": () => this.seekDeath(-1),
      "]": () => this.seekDeath(1),
      "+": () => this.zoom(1.4),
      "=": () => this.zoom(1.4),
      "-": () => this.zoom(1 / 1.4),
      0: () => this.showAll(),
      Escape: () => this.showAll(),
      f: () => fullScreen(),
      "?": () => byId("keys").showModal(),
    };
    const player = /^[1-9]$/.test(event.key) ? this.match.players[Number(event.key) - 1] : null;
    const act = player ? () => this.followPlayer(player) : acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

const LEAD = 1500; // a death is gone to a little before it

function mixed(from, to, share) {
  return from + (to - from) * share;
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.().catch(() => {});
}

async function start() {
  try {
    if (!globalThis.DecompressionStream) throw new Error("this browser is too old: it has no DecompressionStream");
    new App(new Match(await unpack(byId("match").textContent.trim())));
  } catch (error) {
    byId("message").textContent = `The match can't be shown: ${error.message}.`;
    console.error(error);
  }
}

start();
