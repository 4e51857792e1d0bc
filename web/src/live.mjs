// One is in the room: walks, shoots, and says so.

import { Ghost } from "./model/ghost.mjs";
import { Controls } from "./model/controls.mjs";
import { Player } from "./model/player.mjs";
import { headYaw } from "./model/turn.mjs";
import { reach } from "./model/walk.mjs";
import { shotOf, Trigger, weaponNamed, weaponsOf } from "./model/weapons.mjs";
import { GhostDraw } from "./draw/ghostdraw.mjs";
import { Headset } from "./draw/headset.mjs";
import { ownGun } from "./draw/shapes.mjs";
import { $, say } from "./ui/elements.mjs";
import { Hud } from "./ui/hud.mjs";
import { bindMouse, bindTouch } from "./ui/input.mjs";

const RECOIL_MS = 140;
const USE_RANGE = 3; // metres to a door

export class Live {
  keys = [["W A S D", "walk; with shift run"], ["mouse", "look: click into the room first, Esc lets go"], ["← →", "turn"], ["click, space", "fire"], ["1 … 8", "weapon"], ["e", "open the door in front"], ["g", "record a ghost, end, forget it"]];
  gestures = [["left thumb", "walk"], ["right thumb", "look"], ["round button", "fire"], ["a weapon's name", "take it"]];
  controls = new Controls();
  player = new Player(this.controls);
  ghost = new Ghost();
  weapon = "pistol";
  #trigger = new Trigger();
  #firedAt = -Infinity;
  #killer = null;
  #tracked = null;
  /** Where a headset's head was in the last frame. @type {{x: number, z: number} | null} */
  #head = null;
  #touched = matchMedia("(pointer: coarse)").matches;
  #locked = false;
  #moved = false;

  /** @param {import("./app.mjs").App} app */
  constructor(app) {
    this.app = app;
    this.hud = new Hud((name) => this.choose(name));
    this.headset = new Headset(app.stage, app.palette, () => this.#onHeadset());
    this.ghostDraw = new GhostDraw(app.palette);
    this.gun = ownGun(app.palette);
    app.stage.camera.add(this.gun);
    app.stage.scene.add(this.headset.group, this.ghostDraw.group);
    bindMouse(app.stage.canvas, this.controls, (locked) => (this.#locked = locked));
    bindTouch(app.stage.canvas, this.controls, () => (this.#touched = true));
    $("record").hidden = false;
    $("record").onclick = () => this.#record();
    this.#offerHeadset();
  }

  get user() {
    return this.app.link.room.user;
  }

  get own() {
    return this.app.link.room.world.get(this.user ?? "");
  }

  get dead() {
    return this.own?.state === "dead";
  }

  /** Whose body is not to be seen. */
  get hidden() {
    return this.user;
  }

  // --- what comes ------------------------------------------------------------------------------------

  onDiff(diff) {
    const created = diff.creates[this.user];
    if (created) this.#spawned(created);
  }

  // What was collected is gone with the last life.
  #spawned(components) {
    this.player.spawned(components);
    this.#killer = null;
    if (!weaponsOf(components).some(({ name }) => name === this.weapon)) this.weapon = "pistol";
  }

  onSnapshot(snapshot) {
    this.player.seen(snapshot.entities[this.user ?? ""]);
  }

  onEvent(event) {
    const { event_name: name } = event;
    if (name === "player_hit" && event.user_id === this.user) this.hud.hurt();
    if ((name === "player_hit" || name === "monster_hit") && event.by_id === this.user) this.hud.hit();
    if (name === "player_killed" && event.user_id === this.user) this.#killer = event.killer_id ?? event.by_id ?? null;
    if (name === "weapon_collected" && event.user_id === this.user) this.choose(event.weapon);
  }

  // --- each frame --------------------------------------------------------------------------------------

  /** @param {number} now @param {number} seconds since the last frame @param {any} view @param {XRFrame | undefined} frame */
  update(now, seconds, view, frame) {
    const { app, player } = this;
    // What came before the join's answer did not know who one is.
    if (!player.body && this.own) player.seen(this.own);
    if (!player.body) return app.stand();
    this.#tracked = this.headset.read(frame);
    if (!this.#tracked) {
      this.#head = null;
      // It will be back: until then one stands where one is.
      if (this.headset.active) return;
    }
    if (!this.dead) this.#walk(seconds);
    this.#camera(now);
    if (!this.dead) this.#say(now, view);
    else this.controls.fires();
    const head = this.#tracked ?? { head: player.head, ...restingHands(player.head) };
    this.ghost.add(onlyThere(head), now);
    this.ghostDraw.update(this.ghost.at(now));
  }

  #walk(seconds) {
    const { controls, player, app, headset } = this;
    const { level, sectors } = app.drawnLevel;
    const before = player.body;
    if (this.#tracked) {
      controls.stick(headset.stick[0], headset.stick[1]);
      controls.yaw = headYaw(this.#tracked.head.rotation);
      // Steps in the real room are steps here.
      const [x, , z] = this.#tracked.head.position;
      if (this.#head && seconds > 0) player.walk([(x - this.#head.x) / seconds, (z - this.#head.z) / seconds], seconds, level, sectors);
    } else controls.turn(seconds);
    if (player.walk(controls.velocity(), seconds, level, sectors)) app.effects.ring([player.body.x, player.body.y, player.body.z], app.palette.fog, performance.now());
    if (Math.hypot(player.body.x - before.x, player.body.z - before.z) > 0.01) this.#moved = true;
  }

  #camera(now) {
    const { stage } = this.app;
    const { body, head } = this.player;
    if (this.#tracked) return this.#carry(this.#tracked, body);
    stage.rig.position.set(0, 0, 0);
    stage.rig.rotation.set(0, 0, 0);
    stage.camera.position.set(...head.position);
    if (this.dead) stage.camera.position.y = body.y + 0.35;
    stage.camera.rotation.set(this.controls.pitch, this.controls.yaw - Math.PI / 2, this.dead ? 0.5 : 0);
    this.#holdGun(now);
  }

  // The head stays over the body: walls stop both, and where the body is put the head is, too.
  #carry(tracked, body) {
    const { rig } = this.app.stage;
    const [x, , z] = tracked.head.position;
    const way = [body.x - x, body.y - rig.position.y, body.z - z];
    const carried = (place) => place.map((part, i) => part + way[i]);
    rig.position.fromArray(carried(rig.position.toArray()));
    for (const pose of [tracked.head, tracked.left, tracked.right]) if (pose) pose.position = carried(pose.position);
    this.#head = { x: body.x, z: body.z };
    this.headset.show(tracked);
  }

  #holdGun(now) {
    const kick = Math.max(0, 1 - (now - this.#firedAt) / RECOIL_MS);
    this.gun.visible = !this.dead && this.weapon !== "fist" && !this.headset.active;
    // Upright there is less room at the side.
    this.gun.position.set(this.app.stage.camera.aspect < 1 ? 0.09 : 0.2, -0.205, -0.42 + kick * 0.04);
    this.gun.rotation.set(kick * 0.12, 0.04, 0);
  }

  #say(now, view) {
    const input = this.player.input(this.#tracked);
    if (input) this.app.link.room.input(input);
    if (this.#wantsToFire() && this.app.link.room.status === "joined") this.#fire(now, view);
  }

  #wantsToFire() {
    return this.controls.fires() || this.headset.firing;
  }

  #fire(now, view) {
    const weapon = weaponNamed(this.weapon);
    if (!this.#trigger.pull(weapon, now)) return;
    this.#firedAt = now;
    const { origin, direction } = this.player.aim(this.#tracked);
    this.app.link.say("weapon_fired", shotOf({ user: this.user, weapon, origin, direction, seen: view.seq }));
    if (weapon.projectile || weapon.name === "fist") return;
    const { level, sectors } = this.app.drawnLevel;
    const far = reach(origin, direction, 64, level, sectors);
    const from = this.#tracked ? origin : this.gun.localToWorld(this.gun.position.clone().set(0, 0, -0.3)).toArray();
    this.app.effects.tracer(from, origin.map((part, i) => part + direction[i] * far), this.app.colourOf(this.user), now);
  }

  /** @param {string} name of a weapon */
  choose(name) {
    if (name === this.weapon || !weaponsOf(this.own).some((weapon) => weapon.name === name)) return;
    this.weapon = name;
    if (this.app.link.room.status === "joined") this.app.link.say("weapon_switched", { user_id: this.user, weapon: name });
  }

  // --- now and then ------------------------------------------------------------------------------------

  /** @param {number} now */
  ui(now) {
    const joined = this.app.link.room.status === "joined";
    this.hud.update(this.own, weaponsOf(this.own), this.weapon);
    this.hud.dead(this.dead ? (this.#killer && this.#killer !== this.user ? `Killed by ${this.#killer}. Back in a moment.` : "You died. Back in a moment.") : null);
    $("crosshair").hidden = this.dead || !this.player.body || this.headset.active;
    $("touch").hidden = !this.#touched || this.headset.active;
    const hint = this.#touched || !joined || this.#locked || this.#moved ? "" : "Click to look around · W A S D to walk";
    $("hint").hidden = hint === "" || this.dead;
    say($("hint"), hint);
    this.#showGhost(now);
  }

  #showGhost(now) {
    const { state } = this.ghost;
    $("record").className = `icon ${state}`;
    const label = { empty: "Record a ghost", recording: "End the recording", playing: "Forget the ghost" }[state];
    $("record").setAttribute("aria-label", label);
    $("record").title = `${label} (g)`;
    say($("record-time"), state === "empty" ? "" : `${(this.ghost.position(now) / 1000).toFixed(1)} s`);
  }

  #record() {
    const now = performance.now();
    if (this.ghost.state === "empty") this.ghost.record(now);
    else if (this.ghost.state === "recording") this.ghost.play(now);
    else this.ghost.clear();
  }

  /** @param {string} code @returns {boolean} */
  key(code) {
    const digit = code.match(/^Digit([1-8])$/);
    if (digit) {
      const weapons = weaponsOf(this.own);
      if (weapons[digit[1] - 1]) this.choose(weapons[digit[1] - 1].name);
    } else if (code === "KeyG") this.#record();
    else if (code === "KeyE") this.#use();
    else return false;
    return true;
  }

  // The room decides whether it opens.
  #use() {
    const door = this.app.nearestDoor(this.player, USE_RANGE);
    if (door && !this.dead) this.app.link.say("door_triggered", { user_id: this.user, id: door });
  }

  // --- virtual reality ---------------------------------------------------------------------------------

  async #offerHeadset() {
    const button = $("vr");
    button.hidden = !(await Headset.supported());
    button.onclick = async () => {
      try {
        await this.headset.toggle();
      } catch (error) {
        this.app.feedView.toast(`VR can't be entered: ${error.message}`);
      }
    };
  }

  #onHeadset() {
    const { active } = this.headset;
    $("vr").setAttribute("aria-label", active ? "Leave VR" : "Enter VR");
    // What a stick said is over.
    if (!active) return this.controls.release();
    this.app.stage.rig.position.set(this.player.body?.x ?? 0, this.player.body?.y ?? 0, this.player.body?.z ?? 0);
    this.app.stage.rig.rotation.y = this.controls.yaw - Math.PI / 2;
  }

  /** For tests: where one is. */
  drawn() {
    const { body } = this.player;
    return body && { id: this.user, position: [body.x, body.y, body.z], yaw: this.controls.yaw, pitch: this.controls.pitch, dead: this.dead, ghost: this.ghost.state };
  }
}

const onlyThere = ({ head, left, right }) => ({ head, ...(left ? { left } : {}), ...(right ? { right } : {}) });

// Without a headset hands are where they usually are, to the left and right of where one looks.
function restingHands({ position, rotation }) {
  const yaw = headYaw(rotation);
  const at = (side) => [position[0] + Math.cos(yaw) * 0.35 + Math.sin(yaw) * side, position[1] - 0.4, position[2] - Math.sin(yaw) * 0.35 + Math.cos(yaw) * side];
  return { left: { position: at(-0.25), rotation }, right: { position: at(0.25), rotation } };
}
