// Everything that is in the room, on the stage: what has come is made, what has gone is taken away, the rest is put where it is.

import { Group, Vector3 } from "../vendor.mjs";
import { figureOf, formOf } from "../model/bodies.mjs";
import { Label } from "./label.mjs";
import * as shapes from "./shapes.mjs";

const FULL_HEALTH = 100;
const FLASH_MS = 220;
const eyes = new Vector3();

/** @typedef {{form: string, group: Group, components: any, parts: any, label: Label | null, hurtAt: number, born: number}} Actor */

export class Actors {
  group = new Group();
  /** @type {Map<string, Actor>} */
  #actors = new Map();
  /** Seen from above, players are marked. */
  above = false;
  #calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

  /** @param {Object<string, any>} palette @param {(id: string) => string} colourOf */
  constructor(palette, colourOf) {
    this.palette = palette;
    this.colourOf = colourOf;
  }

  /**
   * @param {Iterable<[string, Object<string, any>]>} entities as they are shown now
   * @param {string | undefined} hidden whose body is not to be seen: one's own
   * @param {import("../vendor.mjs").PerspectiveCamera} camera @param {number} now milliseconds
   */
  update(entities, hidden, camera, now) {
    camera.getWorldPosition(eyes);
    const here = new Set();
    for (const [id, components] of entities) {
      const form = formOf(components);
      if (!form) continue;
      here.add(id);
      const actor = this.#actor(id, form, components, now);
      actor.components = components;
      actor.group.visible = id !== hidden;
      this.#put(id, actor, now);
    }
    for (const id of this.#actors.keys()) if (!here.has(id)) this.#remove(id);
  }

  #actor(id, form, components, now) {
    const known = this.#actors.get(id);
    if (known?.form === form) return known;
    if (known) this.#remove(id);
    const actor = { form, components, hurtAt: -Infinity, born: now, ...this.#made(id, form, components) };
    this.#actors.set(id, actor);
    this.group.add(actor.group);
    return actor;
  }

  #remove(id) {
    const actor = /** @type {Actor} */ (this.#actors.get(id));
    this.group.remove(actor.group);
    actor.label?.dispose();
    // Geometries are shared, materials are its own.
    actor.group.traverse((part) => /** @type {any} */ (part).material?.dispose());
    this.#actors.delete(id);
  }

  #made(id, form, components) {
    const group = new Group();
    const { palette } = this;
    if (form === "player") return this.#player(id, group);
    const parts = { body: this.#body(form, components) };
    group.add(parts.body);
    let label = null;
    if (form === "monster") {
      label = new Label(plainName(id, components), palette.monster, palette);
      label.sprite.position.y = 1.95;
      parts.body.add(label.sprite);
      // Only when it has been hurt: it is no person.
      label.sprite.visible = false;
    }
    return { group, parts, label };
  }

  #player(id, group) {
    const colour = this.colourOf(id);
    const material = shapes.plainMaterial(colour);
    const dark = this.palette.weapon;
    const label = new Label(id, colour, this.palette);
    const parts = { material, body: shapes.playerBody(material, dark), head: shapes.head(material, dark), left: shapes.hand(material), right: shapes.hand(material), spot: shapes.spot(colour) };
    group.add(parts.spot, parts.body, parts.head, parts.left, parts.right, label.sprite);
    return { group, parts, label };
  }

  #body(form, { type = "", owner, collider }) {
    const { palette } = this;
    switch (form) {
      case "monster":
        return shapes.monster(shapes.plainMaterial(palette.monster), palette.weapon, "#ffd27a");
      case "item":
        return shapes.item(String(type), palette);
      case "projectile":
        return shapes.projectile(collider?.radius ?? 0.2, owner ? this.colourOf(owner) : palette.monster);
      case "effect":
        return shapes.effect(String(type), palette);
      case "corpse": {
        const body = shapes.playerBody(shapes.plainMaterial(palette.trace, 0.7), palette.trace);
        body.rotation.z = Math.PI / 2;
        body.position.y = 0.25;
        const group = new Group();
        group.add(body);
        return group;
      }
      case "marker":
        return shapes.marker(palette.fog);
      default:
        return shapes.decor(palette.decor);
    }
  }

  // --- where it is -----------------------------------------------------------------------------------

  #put(id, actor, now) {
    if (actor.form === "player") return this.#putPlayer(actor, now);
    const { body } = actor.parts;
    const { position, rotation } = actor.components;
    body.position.set(...position);
    if (rotation) body.quaternion.set(...rotation);
    const turns = body.getObjectByName("turns");
    if (turns && !this.#calm) turns.rotation.y = now / 1400 + actor.born;
    if (actor.form === "monster") this.#putMonster(actor, now);
  }

  #putMonster(actor, now) {
    const { health, state } = actor.components;
    const { body } = actor.parts;
    const dead = state === "dead" || health === 0;
    if (dead) body.rotateZ(Math.PI / 2 - 0.15);
    const since = now - actor.hurtAt;
    this.#flash(body.children.find((part) => part.material && part.geometry.type === "LatheGeometry").material, since);
    if (!actor.label) return;
    actor.label.sprite.visible = !dead && since < 3000;
    if (actor.label.sprite.visible) actor.label.update(Number.isFinite(health) ? health / 60 : null, eyes.distanceTo(body.position), this.above);
  }

  #putPlayer(actor, now) {
    const figure = figureOf(actor.components);
    if (!figure) return;
    const { material, body, head, left, right, spot } = actor.parts;
    const dead = actor.components.state === "dead";
    pose(body, figure.body);
    pose(head, figure.head);
    if (dead) {
      body.rotateZ(Math.PI / 2);
      head.position.copy(body.localToWorld(new Vector3(0, 1.5, 0)));
    } else {
      // Whoever crouches is less tall.
      body.scale.y = Math.min(1.15, Math.max(0.4, (figure.head.position[1] - figure.body.position[1]) / 1.53));
    }
    for (const [part, where] of [[left, figure.left], [right, figure.right]]) {
      part.visible = where !== null && !dead;
      if (where) pose(part, where);
    }
    body.getObjectByName("gun").visible = !figure.right && !dead && actor.components.kind === "player";
    this.#flash(material, now - actor.hurtAt);
    const { health } = actor.components;
    actor.label.sprite.visible = !dead;
    actor.label.sprite.position.set(head.position.x, head.position.y + 0.48, head.position.z - (this.above ? 2.6 : 0));
    actor.label.update(Number.isFinite(health) ? health / FULL_HEALTH : null, eyes.distanceTo(head.position), this.above);
    spot.visible = this.above && !dead;
    spot.position.set(head.position.x, figure.body.position[1] + 0.05, head.position.z);
  }

  #flash(material, since) {
    if (since < FLASH_MS) material.emissive.set(this.palette.hurt).multiplyScalar(1 - since / FLASH_MS);
    else if (material.emissive.r + material.emissive.g + material.emissive.b > 0) material.emissive.setScalar(0);
  }

  // --- for others --------------------------------------------------------------------------------------

  /** Somebody was hurt. @param {string} id @param {number} now milliseconds */
  hurt(id, now) {
    const actor = this.#actors.get(id);
    if (actor) actor.hurtAt = now;
  }

  /** Where a player's weapon or an entity is, for where a shot is seen to begin. @param {string} id @returns {number[] | null} */
  muzzle(id) {
    const actor = this.#actors.get(id);
    if (!actor) return null;
    const from = actor.form === "player" ? actor.parts.body.localToWorld(new Vector3(0.6, 1.08, 0.24)) : actor.parts.body.position;
    return from.toArray();
  }

  /** Where an entity is drawn, for a mark on it. @param {string} id @returns {number[] | null} */
  place(id) {
    const actor = this.#actors.get(id);
    return actor?.group.visible ? actor.parts.body.position.toArray() : null;
  }

  /** How many are on the stage. */
  get size() {
    return this.#actors.size;
  }

  /** What was drawn, as it is on the stage: `{id: {form, position, rotation, head?, left?, right?, visible}}`. */
  drawn() {
    const out = {};
    for (const [id, { form, group, parts, components }] of this.#actors) {
      const one = { form, visible: group.visible, position: parts.body.position.toArray() };
      // Who is dead lies: that turn is the page's own.
      if (components.rotation) one.rotation = components.state === "dead" ? components.rotation : parts.body.quaternion.toArray();
      for (const name of ["head", "left", "right"]) if (parts[name] && components[name]) one[name] = { position: parts[name].position.toArray(), rotation: parts[name].quaternion.toArray() };
      out[id] = one;
    }
    return out;
  }
}

function pose(part, { position, rotation }) {
  part.position.set(...position);
  part.quaternion.set(...rotation);
}

const plainName = (id, { type }) => String(type ?? id);
