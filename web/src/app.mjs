// A room or a replay on the page: the conversation, the stage, and what stands around it.

import { readPalette } from "../../priv/static/replay/palette.mjs";
import { Actors } from "./draw/actors.mjs";
import { Effects } from "./draw/effects.mjs";
import { LevelDraw } from "./draw/leveldraw.mjs";
import { mark } from "./draw/shapes.mjs";
import { Stage } from "./draw/stage.mjs";
import { Link } from "./link.mjs";
import { Live } from "./live.mjs";
import { levelOf, loadLevel } from "./load.mjs";
import { Colours } from "./model/colours.mjs";
import { sectorAt } from "./model/level.mjs";
import { reach } from "./model/walk.mjs";
import { $, el, say } from "./ui/elements.mjs";
import { FeedView } from "./ui/feedview.mjs";
import { bindKeys } from "./ui/input.mjs";
import { InspectorView } from "./ui/inspectorview.mjs";
import { hideMessage, sentence, showMessage } from "./ui/message.mjs";
import { PeopleView } from "./ui/peopleview.mjs";
import { Watch } from "./watch.mjs";

const UI_MS = 100;
const STATUS_MS = 500;
const PATIENCE_MS = 1500; // before a connection that is not there is worth a word over everything

export class App {
  /** @type {Live | Watch | null} */
  mode = null;
  #last = performance.now();
  #uiAt = 0;
  #frames = 0;
  #view = null;
  #lostAt = performance.now();
  #complains = false;

  /** @param {import("./link.mjs").Place & {id: string}} place @param {string} user @param {import("./link.mjs").Config} config */
  constructor(place, user, config) {
    this.place = place;
    this.config = config;
    this.palette = readPalette(getComputedStyle(document.documentElement));
    const colours = new Colours(this.palette.players.length);
    this.link = new Link(place, user, config, this);
    this.colourOf = (id) => (this.link.players.has(id) || this.link.room.presence.includes(id) ? this.palette.players[colours.slot(id)] : this.palette.monster);
    this.feedView = new FeedView(this.colourOf);
    const ratio = Number(new URLSearchParams(location.search).get("ratio"));
    this.stage = new Stage($("canvas"), this.palette, ratio > 0 ? ratio : null);
    this.actors = new Actors(this.palette, this.colourOf);
    this.effects = new Effects();
    this.mark = mark(this.palette.hurt);
    this.stage.scene.add(this.actors.group, this.effects.group, this.mark);
    this.inspector = new InspectorView(this.link.stream, () => this.#inspected());
  }

  /** Joins, loads the level, begins. @throws what kept it from it */
  async open() {
    say($("title"), this.place.id);
    this.onStatus();
    setInterval(() => this.onStatus(), STATUS_MS);
    const fallback = this.config.level ? loadLevel(this.config.level) : null;
    // It is asked for below.
    fallback?.catch(() => {});
    const reply = await this.link.join();
    this.#showServer(reply);
    const { world } = this.link.room;
    const named = levelOf(world.entities());
    const level = named && named !== this.config.level ? await loadLevel(named) : await fallback;
    if (!level) throw new Error("neither the page nor the world names a level");
    this.drawnLevel = new LevelDraw(level, this.palette);
    this.stage.scene.add(this.drawnLevel.group);
    this.mode = this.link.replay ? new Watch(this) : new Live(this);
    this.people = new PeopleView(this.colourOf, this.link.replay ? "Players" : "Here", this.link.replay ? (id) => /** @type {Watch} */ (this.mode).follow(id) : null);
    this.#keys();
    this.stage.run((now, frame) => this.#frame(now, frame));
  }

  // Only a server that says what it is other than Phoenix is told from it.
  #showServer({ gateway }) {
    $("gateway").hidden = !gateway;
    say($("gateway"), gateway ?? "");
    $("gateway").title = gateway ?? "";
  }

  // --- what comes ------------------------------------------------------------------------------------

  onStatus() {
    const { status, reason } = this.link.room;
    const now = performance.now();
    if (status === "joined") this.#lostAt = Infinity;
    else this.#lostAt = Math.min(this.#lostAt, now);
    $("status").className = `status ${status}`;
    say($("status"), { joined: this.link.replay ? "replay" : "live", connecting: "connecting …", rejoining: "reconnecting …", closed: "closed" }[status]);
    if (status === "joined" && this.#complains) hideMessage();
    this.#complains = status !== "joined" && this.#complain(status, reason, now);
  }

  // What the connection lacks, over everything. Answers whether there was something to say: other messages stay.
  #complain(status, reason, now) {
    if (status === "closed") {
      // Before that, whoever opened it says why.
      if (this.mode) showMessage("The room is closed", sentence(reason), () => location.reload());
      return this.mode !== null;
    }
    if (now - this.#lostAt < PATIENCE_MS) return false;
    const title = status === "connecting" ? "Can't reach the server" : "Reconnecting";
    showMessage(title, `${sentence(reason || "it does not answer")} The page tries again by itself.`, () => location.reload());
    return true;
  }

  onEvent(event) {
    const now = performance.now();
    if (event.event_name === "weapon_fired") this.#shot(event, now);
    if (event.event_name === "player_hit") this.#hit(event.user_id, event, now);
    if (event.event_name === "monster_hit") this.#hit(event.id, event, now);
    this.mode?.onEvent(event);
  }

  onDiff(diff) {
    this.mode?.onDiff(diff);
  }

  onSnapshot(snapshot) {
    this.mode?.onSnapshot(snapshot);
  }

  onRefused({ event, message, reason }) {
    this.feedView.toast(`${event} was refused: ${message || reason}`);
  }

  // One's own was seen when it was fired.
  #shot({ user_id: by, hand_position: origin, weapon_direction: direction, range = 64, velocity }, now) {
    if (!this.drawnLevel || velocity || by === this.mode?.hidden || !Array.isArray(origin) || !Array.isArray(direction)) return;
    const { level, sectors } = this.drawnLevel;
    const far = reach(origin, direction, Math.min(range, 64), level, sectors);
    this.effects.tracer(this.actors.muzzle(by) ?? origin, origin.map((part, i) => part + direction[i] * far), this.colourOf(by), now);
  }

  #hit(id, { hit }, now) {
    this.actors.hurt(id, now);
    if (Array.isArray(hit?.point)) this.effects.spark(hit.point, this.palette.hurt, now);
  }

  // --- each frame --------------------------------------------------------------------------------------

  #frame(now, frame) {
    const seconds = Math.min(0.25, (now - this.#last) / 1000);
    this.#last = now;
    const view = this.link.room.at(now);
    this.drawnLevel.update((id) => view.get(id));
    this.mode?.update(now, seconds, view, frame);
    this.actors.update(view.entities(), this.mode?.hidden, this.stage.camera, now);
    this.effects.update(now);
    this.#showLookedAt();
    this.#frames++;
    this.#view = { seq: view.seq, settled: view.settled, world: this.link.room.world.seq };
    if (now < this.#uiAt) return;
    this.#uiAt = now + UI_MS;
    this.mode?.ui(now);
    this.people?.update(this.#people(), this.mode instanceof Watch && this.mode.spectator.view !== "above" ? this.mode.spectator.whom : null);
    this.feedView.update(this.link.feed, now);
    this.inspector.update(now);
  }

  // What the inspector looks at.
  #showLookedAt() {
    const { open, entity } = this.inspector;
    const place = open && entity !== null ? this.actors.place(entity) : null;
    this.mark.visible = place !== null;
    if (place) this.mark.position.set(...place);
  }

  /** Not spawned yet: the middle of the level from above. */
  stand() {
    const { left, right, top, bottom } = this.drawnLevel.level.bounds;
    this.stage.camera.position.set((left + right) / 2, 40, bottom + 10);
    this.stage.camera.lookAt((left + right) / 2, 0, (top + bottom) / 2);
  }

  /** Players of the world, those with a body, sorted. @returns {string[]} */
  playersNow() {
    const { world } = this.link.room;
    const ids = [...world.entities()].filter(([id]) => this.link.players.has(id)).map(([id]) => id);
    return ids.sort(new Intl.Collator("en", { numeric: true }).compare);
  }

  #people() {
    const { room, feed, players, replay } = this.link;
    const here = new Set(replay ? [] : room.presence);
    const bodies = this.playersNow();
    const ids = replay ? [...new Set([...bodies, ...players])].sort() : [...new Set([...here, ...bodies])].sort();
    return ids.map((id) => {
      const { health, state } = room.world.get(id) ?? {};
      const score = feed.scores.get(id);
      const known = Number.isFinite(health) ? health : null;
      return { id, you: id === room.user && !replay, away: !replay && !here.has(id), health: known, dead: state === "dead", kills: score ? score.kills + score.monsters : 0 };
    });
  }

  /** The door that somebody looks at from near. @param {import("./model/player.mjs").Player} player @param {number} range */
  nearestDoor(player, range) {
    if (!player.body) return null;
    const { yaw } = player.controls;
    for (let far = 0.5; far <= range; far += 0.25) {
      const id = `sector-${sectorAt(this.drawnLevel.level, player.body.x + Math.cos(yaw) * far, player.body.z - Math.sin(yaw) * far)}`;
      if (this.link.room.world.get(id)?.kind === "door") return id;
    }
    return null;
  }

  #inspected() {
    const { world } = this.link.room;
    return { seq: world.seq, size: world.size, entities: () => world.entities(), get: (id) => world.get(id) };
  }

  // --- keys --------------------------------------------------------------------------------------------

  #keys() {
    const live = this.mode instanceof Live;
    const controls = live ? /** @type {Live} */ (this.mode).controls : { key: () => false, release() {} };
    bindKeys(this.stage.canvas, /** @type {any} */ (controls), (code, shift) => this.mode.key(code, shift) || this.#key(code));
    const common = [["i", "inspector"], ["f", "full screen"], ["?", "this help"]];
    const known = matchMedia("(pointer: coarse)").matches ? this.mode.gestures : [...this.mode.keys, ...common];
    $("keys-list").replaceChildren(...known.map(([key, what]) => el("div", {}, el("dt", {}, el("kbd", {}, key)), el("dd", {}, what))));
    $("help").onclick = () => $("keys").showModal();
    $("full").onclick = () => this.#full();
  }

  #key(code) {
    if (code === "KeyI") this.inspector.toggle();
    else if (code === "KeyF") this.#full();
    else if (code === "Slash" || code === "F1") $("keys").showModal();
    else return false;
    return true;
  }

  #full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen?.().catch((error) => this.feedView.toast(`Full screen is not possible: ${error.message}`));
  }

  // --- for tests ---------------------------------------------------------------------------------------

  /** What the last frame drew, as plain data (docs/page.md, "For tests"). */
  drawn() {
    const { camera } = this.stage;
    return {
      ...this.#view,
      frames: this.#frames,
      status: this.link.room.status,
      entities: this.actors.drawn(),
      sectors: this.drawnLevel?.drawn() ?? {},
      own: this.mode?.drawn() ?? null,
      camera: { position: camera.position.toArray(), rotation: camera.quaternion.toArray(), fov: camera.fov },
    };
  }
}
