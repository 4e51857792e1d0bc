// src/app.mjs
import { readPalette } from "../replay/palette.mjs";

// src/draw/actors.mjs
import { Group as Group2, Vector3 } from "./vendor.js";

// src/model/turn.mjs
var yawToQuaternion = (angle) => [0, Math.sin(angle / 2), 0, Math.cos(angle / 2)];
function quaternionToYaw([x, y, z, w]) {
  return Math.atan2(2 * (w * y - x * z), 1 - 2 * (y * y + z * z));
}
var lookDirection = (yaw, pitch) => [Math.cos(yaw) * Math.cos(pitch), Math.sin(pitch), -Math.sin(yaw) * Math.cos(pitch)];
function headRotation(yaw, pitch) {
  const half = (yaw - Math.PI / 2) / 2;
  const [sy, cy, sp, cp] = [Math.sin(half), Math.cos(half), Math.sin(pitch / 2), Math.cos(pitch / 2)];
  return [cy * sp, sy * cp, -sy * sp, cy * cp];
}
function turned([x, y, z, w], [vx, vy, vz]) {
  const [tx, ty, tz] = [2 * (y * vz - z * vy), 2 * (z * vx - x * vz), 2 * (x * vy - y * vx)];
  return [vx + w * tx + y * tz - z * ty, vy + w * ty + z * tx - x * tz, vz + w * tz + x * ty - y * tx];
}
function headYaw(rotation) {
  const [x, , z] = turned(rotation, [0, 0, -1]);
  return Math.atan2(-z, x);
}
var rounded = (numbers, digits) => numbers.map((number) => Math.round(number * 10 ** digits) / 10 ** digits + 0);
var roundedPose = ({ position, rotation }) => ({ position: rounded(position, 3), rotation: rounded(rotation, 5) });

// src/model/bodies.mjs
var HEAD = 1.53;
var UPRIGHT = [0, 0, 0, 1];
var FORMS = new Map(Object.entries({ player: "player", monster: "monster", item: "item", key: "item", projectile: "projectile", effect: "effect", corpse: "corpse", decor: "decor", marker: "marker" }));
function formOf(components) {
  const form = FORMS.get(components.kind);
  if (form) return isPoint(components.position) || form === "player" && poseOf(components.head) ? (
    /** @type {Form} */
    form
  ) : null;
  if (components.kind === void 0 && (poseOf(components.head) || poseOf(components.pose))) return "player";
  return components.kind === void 0 && isPoint(components.position) ? "player" : null;
}
var isPoint = (value) => Array.isArray(value) && value.length === 3 && value.every(Number.isFinite);
var isTurn = (value) => Array.isArray(value) && value.length === 4 && value.every(Number.isFinite);
function poseOf(value) {
  if (Array.isArray(value) && value.length === 7 && value.every(Number.isFinite)) return { position: value.slice(0, 3), rotation: value.slice(3) };
  if (!isPoint(value?.position)) return null;
  return { position: value.position, rotation: isTurn(value.rotation) ? value.rotation : UPRIGHT };
}
function figureOf(components) {
  const own = poseOf(components.pose) ?? { position: components.position, rotation: components.rotation };
  const [left, right] = [poseOf(components.left), poseOf(components.right)];
  const head2 = poseOf(components.head);
  if (!head2) {
    if (!isPoint(own.position)) return null;
    const rotation2 = isTurn(own.rotation) ? own.rotation : UPRIGHT;
    const [x2, y2, z2] = own.position;
    return { body: { position: own.position, rotation: rotation2 }, head: { position: [x2, y2 + HEAD, z2], rotation: headRotation(quaternionToYaw(rotation2), 0) }, left, right };
  }
  const [x, y, z] = head2.position;
  const position = isPoint(own.position) ? own.position : [x, y - HEAD, z];
  const rotation = isTurn(own.rotation) ? own.rotation : yawToQuaternion(headYaw(head2.rotation));
  return { body: { position, rotation }, head: head2, left, right };
}

// src/draw/label.mjs
import { CanvasTexture, Sprite, SpriteMaterial, SRGBColorSpace } from "./vendor.js";
var WIDTH = 512;
var HEIGHT = 116;
var FONT = "600 54px Inter, ui-sans-serif, system-ui, sans-serif";
var Label = class {
  #shown = "";
  /** @param {string} name @param {string} colour @param {Object<string, any>} palette */
  constructor(name, colour, palette) {
    this.name = name;
    this.colour = colour;
    this.palette = palette;
    this.canvas = document.createElement("canvas");
    this.canvas.width = WIDTH;
    this.canvas.height = HEIGHT;
    this.texture = new CanvasTexture(this.canvas);
    this.texture.colorSpace = SRGBColorSpace;
    this.sprite = new Sprite(new SpriteMaterial({ map: this.texture, transparent: true, depthWrite: false, fog: false }));
  }
  /** @param {number | null} health share of 1, or none @param {number} distance metres from the eyes @param {boolean} above seen from above: through walls */
  update(health, distance, above) {
    const size = Math.min(above ? 12 : 2.4, Math.max(0.5, distance * 0.085));
    this.sprite.material.depthTest = !above;
    this.sprite.scale.set(size * 1.6, size * 1.6 * HEIGHT / WIDTH, 1);
    const shown2 = `${this.name} ${health === null ? "" : Math.round(health * 40)}`;
    if (shown2 !== this.#shown) this.#draw(health);
    this.#shown = shown2;
  }
  #draw(health) {
    const ctx = (
      /** @type {CanvasRenderingContext2D} */
      this.canvas.getContext("2d")
    );
    const { palette } = this;
    ctx.clearRect(0, 0, WIDTH, HEIGHT);
    ctx.font = FONT;
    ctx.textAlign = "center";
    ctx.lineJoin = "round";
    ctx.lineWidth = 10;
    ctx.strokeStyle = palette.surface;
    ctx.globalAlpha = 0.9;
    ctx.strokeText(this.name, WIDTH / 2, 58, WIDTH - 20);
    ctx.globalAlpha = 1;
    ctx.fillStyle = palette.ink;
    ctx.fillText(this.name, WIDTH / 2, 58, WIDTH - 20);
    if (health !== null) this.#bar(ctx, health);
    this.texture.needsUpdate = true;
  }
  #bar(ctx, health) {
    const bar = (share, colour) => {
      ctx.fillStyle = colour;
      ctx.beginPath();
      ctx.roundRect(WIDTH / 2 - 100, 84, 200 * share, 16, 8);
      ctx.fill();
    };
    bar(1, this.palette.surface);
    ctx.globalAlpha = 0.2;
    bar(1, this.palette.ink);
    ctx.globalAlpha = 1;
    if (health > 0) bar(Math.max(0.07, Math.min(1, health)), health <= 0.3 ? this.palette.hurt : this.colour);
  }
  dispose() {
    this.texture.dispose();
    this.sprite.material.dispose();
  }
};

// src/draw/shapes.mjs
import { BoxGeometry, CapsuleGeometry, CircleGeometry, ConeGeometry, CylinderGeometry, ExtrudeGeometry, Group, LatheGeometry, Mesh, MeshBasicMaterial, MeshLambertMaterial, OctahedronGeometry, RingGeometry, Shape, SphereGeometry, Vector2 } from "./vendor.js";
var once = (make) => {
  let made;
  return () => made ??= make();
};
var lathe = (points) => new LatheGeometry(points.map(([radius, height]) => new Vector2(radius, height)), 24);
var G = {
  torso: once(() => lathe([[0, 0.02], [0.27, 0.03], [0.31, 0.1], [0.29, 0.3], [0.2, 0.75], [0.19, 0.95], [0.26, 1.15], [0.25, 1.27], [0.14, 1.34], [0, 1.35]])),
  skull: once(() => new SphereGeometry(0.2, 24, 16)),
  // The front of a head: -z.
  visor: once(() => new SphereGeometry(0.208, 20, 8, Math.PI * 1.08, Math.PI * 0.84, Math.PI * 0.33, Math.PI * 0.24)),
  hand: once(() => new CapsuleGeometry(0.045, 0.09, 4, 10).rotateX(Math.PI / 2)),
  gun: once(() => new BoxGeometry(0.5, 0.09, 0.08)),
  brute: once(() => lathe([[0, 0.02], [0.34, 0.03], [0.4, 0.15], [0.34, 0.5], [0.36, 0.85], [0.46, 1.1], [0.42, 1.3], [0.25, 1.42], [0, 1.45]])),
  horn: once(() => new ConeGeometry(0.07, 0.32, 10)),
  eye: once(() => new SphereGeometry(0.05, 10, 8)),
  ball: once(() => new SphereGeometry(1, 20, 14)),
  box: once(() => new BoxGeometry(0.42, 0.3, 0.3)),
  gem: once(() => new OctahedronGeometry(0.26)),
  barrel: once(() => new BoxGeometry(0.85, 0.13, 0.1)),
  stock: once(() => new BoxGeometry(0.22, 0.22, 0.1)),
  cross: once(() => extruded([[-0.1, -0.28], [0.1, -0.28], [0.1, -0.1], [0.28, -0.1], [0.28, 0.1], [0.1, 0.1], [0.1, 0.28], [-0.1, 0.28], [-0.1, 0.1], [-0.28, 0.1], [-0.28, -0.1], [-0.1, -0.1]])),
  shield: once(() => extruded([[-0.24, 0.24], [0.24, 0.24], [0.24, -0.02], [0.12, -0.2], [0, -0.28], [-0.12, -0.2], [-0.24, -0.02]])),
  disc: once(() => new CircleGeometry(1, 24).rotateX(-Math.PI / 2)),
  ring: once(() => new RingGeometry(0.86, 1, 32).rotateX(-Math.PI / 2)),
  beam: once(() => new CylinderGeometry(0.03, 0.03, 3.5, 8).translate(0, 1.75, 0)),
  post: once(() => new CylinderGeometry(0.2, 0.26, 1.1, 14).translate(0, 0.55, 0))
};
function extruded(points) {
  const shape = new Shape(points.map(([x, y]) => new Vector2(x, y)));
  return new ExtrudeGeometry(shape, { depth: 0.12, bevelEnabled: false }).translate(0, 0, -0.06);
}
var plainMaterial = (color, opacity = 1) => new MeshLambertMaterial({ color, transparent: opacity < 1, opacity });
var bright = (color, opacity = 1) => new MeshBasicMaterial({ color, transparent: opacity < 1, opacity });
var place = (mesh, x, y, z) => {
  mesh.position.set(x, y, z);
  return mesh;
};
function shadow(radius) {
  const mesh = new Mesh(G.disc(), new MeshBasicMaterial({ color: 1777444, transparent: true, opacity: 0.16, depthWrite: false }));
  mesh.scale.setScalar(radius);
  mesh.position.y = 0.02;
  return mesh;
}
function playerBody(material, dark) {
  const body = new Group();
  const gun = place(new Mesh(G.gun(), plainMaterial(dark)), 0.34, 1.08, 0.24);
  gun.name = "gun";
  body.add(new Mesh(G.torso(), material), gun, shadow(0.42));
  return body;
}
function head(material, dark) {
  const group = new Group();
  group.add(new Mesh(G.skull(), material), new Mesh(G.visor(), plainMaterial(dark)));
  return group;
}
var hand = (material) => new Mesh(G.hand(), material);
function monster(material, dark, glow) {
  const body = new Group();
  for (const side of [-1, 1]) {
    const horn = place(new Mesh(G.horn(), plainMaterial(dark)), 0.06, 1.5, side * 0.25);
    horn.rotation.x = side * 0.5;
    body.add(horn, place(new Mesh(G.eye(), bright(glow)), 0.37, 1.22, side * 0.15));
  }
  body.add(new Mesh(G.brute(), material), shadow(0.55));
  return body;
}
var ITEMS = [
  [/stimpack|medikit|health|soulsphere|megasphere|berserk/, "health", (material) => new Mesh(G.cross(), material)],
  [/armor/, "armor", (material) => new Mesh(G.shield(), material)],
  [/clip|shells|rocket$|cell|_box|backpack/, "ammo", (material) => new Mesh(G.box(), material)],
  [/shotgun|chaingun|launcher|plasma|bfg|chainsaw|pistol/, "weapon", longGun],
  [/./, "power", (material) => new Mesh(G.gem(), material)]
];
function longGun(material) {
  const group = new Group();
  group.add(new Mesh(G.barrel(), material), place(new Mesh(G.stock(), material), -0.36, -0.1, 0));
  return group;
}
function item(type, palette) {
  const [, colour, form] = (
    /** @type {any} */
    ITEMS.find(([pattern]) => pattern.test(type)) ?? ITEMS.at(-1)
  );
  const small = /bonus|clip$|shells$|rocket$|cell$/.test(type);
  const turns = new Group();
  turns.name = "turns";
  turns.position.y = 0.5;
  turns.scale.setScalar(small ? 0.72 : 1);
  turns.add(form(plainMaterial(palette[colour])));
  const group = new Group();
  group.add(turns, shadow(small ? 0.2 : 0.3));
  return group;
}
function projectile(radius, colour) {
  const group = new Group();
  const halo = new Mesh(G.ball(), bright(colour, 0.35));
  const core = new Mesh(G.ball(), bright(colour));
  const heart = new Mesh(G.ball(), bright(16777215));
  halo.scale.setScalar(radius * 1.35);
  core.scale.setScalar(radius * 0.85);
  heart.scale.setScalar(radius * 0.55);
  group.add(heart, core, halo);
  core.material.transparent = true;
  core.material.opacity = 0.8;
  return group;
}
function effect(type, palette) {
  if (/fog/.test(type)) {
    const ring = new Mesh(G.ring(), new MeshBasicMaterial({ color: palette.fog, transparent: true, opacity: 0.7, side: 2, depthWrite: false }));
    ring.scale.setScalar(/item/.test(type) ? 0.4 : 0.8);
    ring.position.y = 0.1;
    return ring;
  }
  const blood = /blood/.test(type);
  const dot = new Mesh(G.ball(), bright(blood ? palette.blood : palette.trace, 0.85));
  dot.scale.setScalar(blood ? 0.09 : 0.06);
  return dot;
}
var decor = (colour) => new Mesh(G.post(), plainMaterial(colour));
function marker(colour) {
  const ring = new Mesh(G.ring(), bright(colour, 0.6));
  ring.scale.setScalar(0.6);
  ring.position.y = 0.03;
  const group = new Group();
  group.add(ring);
  return group;
}
function spot(colour) {
  const group = new Group();
  const disc = new Mesh(G.disc(), new MeshBasicMaterial({ color: colour, transparent: true, opacity: 0.25, depthWrite: false }));
  const ring = new Mesh(G.ring(), bright(colour));
  group.add(disc, ring);
  group.scale.setScalar(1.25);
  return group;
}
function mark(colour) {
  const group = spot(colour);
  const post = new Mesh(G.beam(), new MeshBasicMaterial({ color: colour, transparent: true, opacity: 0.35, depthWrite: false, depthTest: false }));
  group.scale.setScalar(0.8);
  group.add(post);
  group.visible = false;
  return group;
}
function ownGun(palette) {
  const group = new Group();
  const dark = plainMaterial(palette.weapon);
  const barrel = place(new Mesh(new CylinderGeometry(0.011, 0.013, 0.3, 14).rotateX(Math.PI / 2), dark), 0, 6e-3, -0.15);
  const frame = place(new Mesh(new BoxGeometry(0.026, 0.034, 0.17), dark), 0, -8e-3, -0.075);
  const grip = place(new Mesh(new BoxGeometry(0.024, 0.1, 0.045), dark), 0, -0.06, -0.015);
  grip.rotation.x = -0.25;
  group.add(barrel, frame, grip);
  return group;
}
var ballGeometry = G.ball;
var ringGeometry = G.ring;

// src/draw/actors.mjs
var FULL_HEALTH = 100;
var FLASH_MS = 220;
var eyes = new Vector3();
var Actors = class {
  group = new Group2();
  /** @type {Map<string, Actor>} */
  #actors = /* @__PURE__ */ new Map();
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
    const here = /* @__PURE__ */ new Set();
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
    const actor = (
      /** @type {Actor} */
      this.#actors.get(id)
    );
    this.group.remove(actor.group);
    actor.label?.dispose();
    actor.group.traverse((part) => (
      /** @type {any} */
      part.material?.dispose()
    ));
    this.#actors.delete(id);
  }
  #made(id, form, components) {
    const group = new Group2();
    const { palette } = this;
    if (form === "player") return this.#player(id, group);
    const parts = { body: this.#body(form, components) };
    group.add(parts.body);
    let label = null;
    if (form === "monster") {
      label = new Label(plainName(id, components), palette.monster, palette);
      label.sprite.position.y = 1.95;
      parts.body.add(label.sprite);
      label.sprite.visible = false;
    }
    return { group, parts, label };
  }
  #player(id, group) {
    const colour = this.colourOf(id);
    const material = plainMaterial(colour);
    const dark = this.palette.weapon;
    const label = new Label(id, colour, this.palette);
    const parts = { material, body: playerBody(material, dark), head: head(material, dark), left: hand(material), right: hand(material), spot: spot(colour) };
    group.add(parts.spot, parts.body, parts.head, parts.left, parts.right, label.sprite);
    return { group, parts, label };
  }
  #body(form, { type = "", owner, collider }) {
    const { palette } = this;
    switch (form) {
      case "monster":
        return monster(plainMaterial(palette.monster), palette.weapon, "#ffd27a");
      case "item":
        return item(String(type), palette);
      case "projectile":
        return projectile(collider?.radius ?? 0.2, owner ? this.colourOf(owner) : palette.monster);
      case "effect":
        return effect(String(type), palette);
      case "corpse": {
        const body = playerBody(plainMaterial(palette.trace, 0.7), palette.trace);
        body.rotation.z = Math.PI / 2;
        body.position.y = 0.25;
        const group = new Group2();
        group.add(body);
        return group;
      }
      case "marker":
        return marker(palette.fog);
      default:
        return decor(palette.decor);
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
    actor.label.sprite.visible = !dead && since < 3e3;
    if (actor.label.sprite.visible) actor.label.update(Number.isFinite(health) ? health / 60 : null, eyes.distanceTo(body.position), this.above);
  }
  #putPlayer(actor, now) {
    const figure2 = figureOf(actor.components);
    if (!figure2) return;
    const { material, body, head: head2, left, right, spot: spot2 } = actor.parts;
    const dead = actor.components.state === "dead";
    pose(body, figure2.body);
    pose(head2, figure2.head);
    if (dead) {
      body.rotateZ(Math.PI / 2);
      head2.position.copy(body.localToWorld(new Vector3(0, 1.5, 0)));
    } else {
      body.scale.y = Math.min(1.15, Math.max(0.4, (figure2.head.position[1] - figure2.body.position[1]) / 1.53));
    }
    for (const [part, where] of [[left, figure2.left], [right, figure2.right]]) {
      part.visible = where !== null && !dead;
      if (where) pose(part, where);
    }
    body.getObjectByName("gun").visible = !figure2.right && !dead && actor.components.kind === "player";
    this.#flash(material, now - actor.hurtAt);
    const { health } = actor.components;
    actor.label.sprite.visible = !dead;
    actor.label.sprite.position.set(head2.position.x, head2.position.y + 0.48, head2.position.z - (this.above ? 2.6 : 0));
    actor.label.update(Number.isFinite(health) ? health / FULL_HEALTH : null, eyes.distanceTo(head2.position), this.above);
    spot2.visible = this.above && !dead;
    spot2.position.set(head2.position.x, figure2.body.position[1] + 0.05, head2.position.z);
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
      if (components.rotation) one.rotation = components.state === "dead" ? components.rotation : parts.body.quaternion.toArray();
      for (const name of ["head", "left", "right"]) if (parts[name] && components[name]) one[name] = { position: parts[name].position.toArray(), rotation: parts[name].quaternion.toArray() };
      out[id] = one;
    }
    return out;
  }
};
function pose(part, { position, rotation }) {
  part.position.set(...position);
  part.quaternion.set(...rotation);
}
var plainName = (id, { type }) => String(type ?? id);

// src/draw/effects.mjs
import { CylinderGeometry as CylinderGeometry2, Group as Group3, Mesh as Mesh2, MeshBasicMaterial as MeshBasicMaterial2, Quaternion, Vector3 as Vector32 } from "./vendor.js";
var MOST = 200;
var up = new Vector32(0, 1, 0);
var tube = new CylinderGeometry2(1, 1, 1, 6, 1, true);
var Effects = class {
  group = new Group3();
  /** @type {{mesh: Mesh, born: number, ms: number, opacity: number, grow: number}[]} */
  #shown = [];
  /** A shot's way. @param {number[]} from @param {number[]} to @param {string} colour @param {number} now */
  tracer(from, to, colour, now) {
    const way = new Vector32(...to).sub(new Vector32(...from));
    const length = way.length();
    if (length < 0.1) return;
    const mesh = new Mesh2(tube, faint(colour));
    mesh.scale.set(7e-3, length, 7e-3);
    mesh.position.set(...from).addScaledVector(way, 0.5);
    mesh.quaternion.copy(new Quaternion().setFromUnitVectors(up, way.normalize()));
    this.#add(mesh, now, 140, 0.4, 0);
  }
  /** A hit. @param {number[]} at @param {string} colour @param {number} now @param {number} [size] */
  spark(at, colour, now, size = 0.09) {
    const mesh = new Mesh2(ballGeometry(), faint(colour));
    mesh.position.set(...at);
    mesh.scale.setScalar(size);
    this.#add(mesh, now, 350, 0.9, size * 3);
  }
  /** Somebody came or went there. @param {number[]} at @param {string} colour @param {number} now */
  ring(at, colour, now) {
    const mesh = new Mesh2(ringGeometry(), faint(colour));
    mesh.material.side = 2;
    mesh.position.set(at[0], at[1] + 0.06, at[2]);
    mesh.scale.setScalar(0.4);
    this.#add(mesh, now, 700, 0.8, 1.6);
  }
  #add(mesh, born, ms, opacity, grow) {
    if (this.#shown.length >= MOST) this.#drop(
      /** @type {any} */
      this.#shown.shift()
    );
    mesh.userData.size = mesh.scale.clone();
    this.group.add(mesh);
    this.#shown.push({ mesh, born, ms, opacity, grow });
  }
  /** @param {number} now */
  update(now) {
    this.#shown = this.#shown.filter((one) => {
      const age = (now - one.born) / one.ms;
      if (age >= 1) return this.#drop(one);
      one.mesh.material.opacity = one.opacity * (1 - age);
      if (one.grow) one.mesh.scale.copy(one.mesh.userData.size).addScalar(one.grow * Math.sqrt(age));
      return true;
    });
  }
  #drop({ mesh }) {
    this.group.remove(mesh);
    mesh.material.dispose();
    return false;
  }
};
var faint = (color) => new MeshBasicMaterial2({ color, transparent: true, depthWrite: false });

// src/draw/leveldraw.mjs
import { BufferGeometry, CanvasTexture as CanvasTexture2, Color, Float32BufferAttribute, Group as Group4, LineBasicMaterial, LineSegments, Mesh as Mesh3, MeshBasicMaterial as MeshBasicMaterial3, Plane, RepeatWrapping, ShapeUtils, SRGBColorSpace as SRGBColorSpace2, Vector2 as Vector22, Vector3 as Vector33 } from "./vendor.js";

// src/model/level.mjs
var UNIT = 1 / 32;
var BLOCKS = 1;
var TWO_SIDED = 4;
function readLevel(form) {
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
  const side = (number) => Number.isInteger(number) && number >= 0 && number < sectors ? number : null;
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
    tag
  };
}
var readThing = ({ class: group, name, x, y, angle }) => ({ class: group, name, x: x * UNIT, z: south(y), turn: (angle ?? 0) * Math.PI / 180 });
var south = (y) => 0 - y * UNIT;
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
function sectorAt(level, x, z) {
  let nearest2 = Infinity;
  let sector = null;
  for (const { x1, z1, x2, z2, front, back } of level.lines) {
    if (z1 > z === z2 > z) continue;
    const cross = x1 + (z - z1) / (z2 - z1) * (x2 - x1);
    if (cross <= x || cross >= nearest2) continue;
    nearest2 = cross;
    sector = z2 < z1 ? back : front;
  }
  return sector;
}
function sectorsNow(level, get) {
  return level.sectors.map((sector, index) => {
    const moved = get(`sector-${index}`);
    if (!moved) return sector;
    const { floor = sector.floor, ceiling = sector.ceiling } = moved;
    return { ...sector, floor: Number.isFinite(floor) ? floor : sector.floor, ceiling: Number.isFinite(ceiling) ? ceiling : sector.ceiling };
  });
}
function openingOf(line, sectors) {
  if (line.front === null || line.back === null) return null;
  const front = sectors[line.front];
  const back = sectors[line.back];
  const bottom = Math.max(front.floor, back.floor);
  const top = Math.min(front.ceiling, back.ceiling);
  return top > bottom ? { bottom, top } : null;
}

// src/draw/levelmesh.mjs
import { mix } from "../replay/palette.mjs";

// src/model/outline.mjs
function areasOf(lines, sector) {
  const loops = loopsOf(lines, sector);
  const outers = loops.filter((loop) => area(loop) > 0).map((outer) => ({ outer, holes: [] }));
  for (const hole of loops.filter((loop) => area(loop) < 0)) {
    const around = outers.filter(({ outer }) => contains(outer, hole));
    around.sort((a, b) => area(a.outer) - area(b.outer));
    around[0]?.holes.push(hole);
  }
  return outers;
}
function loopsOf(lines, sector) {
  const edges = [];
  for (const { x1, z1, x2, z2, front, back } of lines) {
    if (front === back) continue;
    if (front === sector) edges.push([x1, z1, x2, z2]);
    if (back === sector) edges.push([x2, z2, x1, z1]);
  }
  const from = /* @__PURE__ */ new Map();
  for (const edge of edges) {
    const key = `${edge[0]},${edge[1]}`;
    if (!from.has(key)) from.set(key, []);
    from.get(key).push(edge);
  }
  const used = /* @__PURE__ */ new Set();
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
function sharpest(edge, nexts, used) {
  const open2 = (nexts ?? []).filter((next) => !used.has(next));
  if (open2.length < 2) return open2[0];
  const heading = Math.atan2(edge[3] - edge[1], edge[2] - edge[0]);
  const turn = (next) => {
    const difference = Math.atan2(next[3] - next[1], next[2] - next[0]) - heading;
    return Math.atan2(Math.sin(difference), Math.cos(difference));
  };
  return open2.reduce((best, next) => turn(next) > turn(best) ? next : best);
}
function area(loop) {
  return loop.reduce((sum, [x, z], i) => {
    const [nx, nz] = loop[(i + 1) % loop.length];
    return sum + x * nz - nx * z;
  }, 0);
}
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
    if (z1 > z !== z2 > z && x < x1 + (z - z1) / (z2 - z1) * (x2 - x1)) odd = !odd;
  });
  return odd;
}

// src/draw/levelmesh.mjs
var TILE = 2;
var SKIRT = 0.7;
var SKY_FADES = 5;
var SUN = [0.5, 0.86];
function levelMesh(level, sectors, moving, movingOnly, palette, triangulate2) {
  const mesh = { position: [], colour: [], uv: [], edges: [] };
  const look = looks(palette, sectors);
  sectors.forEach((sector, index) => {
    if (moving.has(index) === movingOnly) planes(mesh, level, sector, index, look, moving.has(index), triangulate2);
  });
  const corners = cornersOf(level.lines, sectors);
  for (const line of level.lines) {
    const moves = moving.has(line.front) || moving.has(line.back);
    if (moves === movingOnly) for (const wall of wallsOf(line, sectors)) face(mesh, line, wall, sectors, look, moving, corners);
  }
  return mesh;
}
function planes(mesh, level, sector, index, look, moves, triangulate2) {
  for (const { outer, holes } of areasOf(level.lines, index)) {
    const points = [outer, ...holes].flat();
    for (const triangle of triangulate2(outer, holes)) {
      const corners = triangle.map((i) => points[i]);
      const [[ax, az], [bx, bz], [cx, cz]] = corners;
      const up2 = (bx - ax) * (cz - az) - (bz - az) * (cx - ax) < 0 ? corners : [...corners].reverse();
      plane(mesh, up2, sector.floor, look.floor(sector));
      if (!sector.sky) plane(mesh, [...up2].reverse(), sector.ceiling, look.ceiling(sector, moves));
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
function wallsOf(line, sectors) {
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
  if (front.ceiling === back.ceiling || front.sky && back.sky) return [];
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
  const open2 = sector.sky && top === sector.ceiling;
  border(mesh, from, to, bottom, open2 ? Math.min(top, bottom + SKY_FADES) : top, open2, corners);
}
function bands(bottom, top, sector, { plain: plain2, foot, sky }) {
  const heights = [bottom, top];
  const skirt = sector.floor + SKIRT;
  const fade = sector.floor + SKY_FADES;
  if (skirt > bottom && skirt < top) heights.push(skirt);
  if (sector.sky && fade > bottom && fade < top) heights.push(fade);
  heights.sort((a, b) => a - b);
  const at = (height) => {
    if (height < skirt) return blend(foot, plain2, (height - sector.floor) / SKIRT);
    return sector.sky && height > fade ? blend(plain2, sky, (height - fade) / (sector.ceiling - fade)) : plain2;
  };
  return heights.slice(1).map((high, i) => [heights[i], high, at(heights[i]), at(high)]);
}
var blend = (a, b, share) => a.map((from, i) => from + (b[i] - from) * Math.min(1, Math.max(0, share)));
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
function border(mesh, [x1, z1], [x2, z2], bottom, top, open2, corners) {
  mesh.edges.push(x1, bottom, z1, x2, bottom, z2);
  if (!open2) mesh.edges.push(x1, top, z1, x2, top, z2);
  for (const [x, z] of [[x1, z1], [x2, z2]]) if (corners.has(`${x},${z}`)) mesh.edges.push(x, bottom, z, x, top, z);
}
function cornersOf(lines, sectors) {
  const ends = /* @__PURE__ */ new Map();
  for (const line of lines) {
    if (wallsOf(line, sectors).length === 0) continue;
    for (const [x, z, ox, oz] of [[line.x1, line.z1, line.x2, line.z2], [line.x2, line.z2, line.x1, line.z1]]) {
      const key = `${x},${z}`;
      if (!ends.has(key)) ends.set(key, []);
      ends.get(key).push(unit([x, z], [ox, oz]));
    }
  }
  const corners = /* @__PURE__ */ new Set();
  for (const [key, ways] of ends) if (!(ways.length === 2 && ways[0][0] * ways[1][0] + ways[0][1] * ways[1][1] < -0.97)) corners.add(key);
  return corners;
}
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
      const plain2 = shade(moves ? palette.door : wall, lit(sector) * (1 + 0.075 * towards));
      return { plain: plain2, foot: plain2.map((part) => part * 0.72), sky: horizon };
    }
  };
}
var shade = (colour, factor) => linear(colour).map((part) => Math.min(1, part * factor));
function linear(colour) {
  return [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
}

// src/draw/leveldraw.mjs
var CUT = 1.4;
var LevelDraw = class {
  group = new Group4();
  /** As they are drawn. @type {import("../model/level.mjs").Sector[]} */
  sectors;
  #moving = /* @__PURE__ */ new Set();
  #fixed = null;
  #moved = null;
  /** @param {import("../model/level.mjs").Level} level @param {Object<string, any>} palette */
  constructor(level, palette) {
    this.level = level;
    this.palette = palette;
    this.sectors = level.sectors;
    this.material = new MeshBasicMaterial3({ vertexColors: true, map: grid(), polygonOffset: true, polygonOffsetFactor: 1, polygonOffsetUnits: 1 });
    this.lines = new LineBasicMaterial({ color: new Color(palette.wall), transparent: true, opacity: 0.5 });
    this.#build();
  }
  /** @param {(id: string) => Object<string, any> | undefined} get of the world as it is shown */
  update(get) {
    const sectors = sectorsNow(this.level, get);
    let changed = false;
    let more = false;
    sectors.forEach((sector, index) => {
      const drawn = this.sectors[index];
      if (!this.#moving.has(index) && get(`sector-${index}`)) more = Boolean(this.#moving.add(index));
      if (sector.floor !== drawn.floor || sector.ceiling !== drawn.ceiling) changed = true;
    });
    if (!changed && !more) return;
    this.sectors = sectors;
    if (more) this.#build();
    else this.#moved = this.#again(this.#moved, true);
  }
  /** Walls end where they would hide what is behind them, or are whole. @param {boolean} is */
  cut(is) {
    const highest = Math.max(...this.level.sectors.map(({ floor }) => floor));
    const planes2 = is ? [new Plane(new Vector33(0, -1, 0), highest + CUT)] : [];
    this.material.clippingPlanes = this.lines.clippingPlanes = planes2;
  }
  /** Those that have moved, as they are drawn: `{"sector-68": {floor, ceiling}}`. */
  drawn() {
    return Object.fromEntries([...this.#moving].map((index) => [`sector-${index}`, { floor: this.sectors[index].floor, ceiling: this.sectors[index].ceiling }]));
  }
  #build() {
    this.#fixed = this.#again(this.#fixed, false);
    this.#moved = this.#again(this.#moved, true);
  }
  #again(old, movingOnly) {
    if (old) {
      this.group.remove(old);
      for (const child of old.children) child.geometry.dispose();
    }
    const { position, colour, uv, edges } = levelMesh(this.level, this.sectors, this.#moving, movingOnly, this.palette, triangulate);
    const faces = new BufferGeometry();
    faces.setAttribute("position", new Float32BufferAttribute(position, 3));
    faces.setAttribute("color", new Float32BufferAttribute(colour, 3));
    faces.setAttribute("uv", new Float32BufferAttribute(uv, 2));
    const borders = new BufferGeometry();
    borders.setAttribute("position", new Float32BufferAttribute(edges, 3));
    const part = new Group4();
    part.add(new Mesh3(faces, this.material), new LineSegments(borders, this.lines));
    this.group.add(part);
    return part;
  }
};
var vectors = (loop) => loop.map(([x, z]) => new Vector22(x, z));
var triangulate = (outer, holes) => ShapeUtils.triangulateShape(vectors(outer), holes.map(vectors));
function grid() {
  const size = 256;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const ctx = (
    /** @type {CanvasRenderingContext2D} */
    canvas.getContext("2d")
  );
  ctx.fillStyle = "#ffffff";
  ctx.fillRect(0, 0, size, size);
  ctx.strokeStyle = "#eceae6";
  ctx.lineWidth = 3;
  ctx.strokeRect(0, 0, size, size);
  const texture = new CanvasTexture2(canvas);
  texture.wrapS = texture.wrapT = RepeatWrapping;
  texture.colorSpace = SRGBColorSpace2;
  texture.anisotropy = 4;
  return texture;
}

// src/draw/stage.mjs
import { BackSide, Color as Color2, DirectionalLight, Float32BufferAttribute as Float32BufferAttribute2, Fog, Group as Group5, HemisphereLight, Mesh as Mesh4, MeshBasicMaterial as MeshBasicMaterial4, PerspectiveCamera, Scene, SphereGeometry as SphereGeometry2, WebGLRenderer } from "./vendor.js";
import { mix as mix2 } from "../replay/palette.mjs";
var SLOW_MS = 34;
var QUICK_MS = 14;
var COARSEST = 0.4;
var Stage = class {
  scene = new Scene();
  camera = new PerspectiveCamera(75, 1, 0.05, 400);
  /** What carries the camera: with a headset it is where the feet are. */
  rig = new Group5();
  #ratio;
  #sky;
  #palette;
  #times = [];
  #last = 0;
  /** @param {HTMLCanvasElement} canvas @param {Object<string, any>} palette @param {number | null} [ratio] pixels of a pixel, if it is not to be found out */
  constructor(canvas, palette, ratio = null) {
    this.fixed = ratio !== null;
    this.canvas = canvas;
    const antialias = this.fixed || devicePixelRatio < 2 && !drawsInSoftware();
    this.renderer = new WebGLRenderer({ canvas, antialias, powerPreference: "high-performance" });
    this.renderer.xr.enabled = true;
    this.renderer.xr.setReferenceSpaceType("local-floor");
    this.#ratio = ratio ?? Math.min(devicePixelRatio, 2);
    this.renderer.localClippingEnabled = true;
    this.#palette = palette;
    this.camera.rotation.order = "YXZ";
    this.rig.add(this.camera);
    this.scene.add(this.rig);
    this.#light(palette);
    new ResizeObserver(() => this.#resize()).observe(canvas);
    this.renderer.xr.addEventListener("sessionend", () => this.#resize());
    this.#resize();
  }
  #light(palette) {
    const horizon = mix2(palette.page, palette.sky, 0.5);
    this.#sky = skyOf(horizon, mix2(palette.sky, palette.page, 0.2));
    this.scene.fog = new Fog(horizon);
    this.above(false);
    this.scene.add(new HemisphereLight(16777215, new Color2(palette.step), 2.1));
    const sun = new DirectionalLight(16777215, 1.5);
    sun.position.set(8, 14, 12);
    this.scene.add(sun, this.#sky);
  }
  /** Seen from above there is no sky and no haze, as on a map. @param {boolean} is */
  above(is) {
    const { page, sky } = this.#palette;
    this.#sky.visible = !is;
    this.scene.background = new Color2(is ? this.#palette.void : mix2(page, sky, 0.5));
    [this.scene.fog.near, this.scene.fog.far] = is ? [1e3, 2e3] : [25, 150];
  }
  #resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height || this.renderer.xr.isPresenting) return;
    this.renderer.setPixelRatio(this.#ratio);
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.fov = width < height ? 85 : 72;
    this.camera.updateProjectionMatrix();
  }
  /** Calls a function for each frame. @param {(now: number, frame: XRFrame | undefined) => void} draw */
  run(draw) {
    this.renderer.setAnimationLoop((_, frame) => {
      const now = performance.now();
      draw(now, frame);
      this.renderer.render(this.scene, this.camera);
      this.#measure(now);
    });
  }
  // Coarser where the machine is slow.
  #measure(now) {
    const took = now - this.#last;
    this.#last = now;
    if (this.fixed || took > 1e3 || this.renderer.xr.isPresenting) return;
    this.#times.push(took);
    if (this.#times.length < 40) return;
    const usual = this.#times.sort((a, b) => a - b)[20];
    this.#times = [];
    const finest = Math.min(devicePixelRatio, 2);
    const ratio = usual > SLOW_MS ? Math.max(COARSEST, this.#ratio * 0.8) : usual < QUICK_MS ? Math.min(finest, this.#ratio * 1.15) : this.#ratio;
    if (Math.abs(ratio - this.#ratio) < 0.01) return;
    this.#ratio = ratio;
    this.#resize();
  }
};
function drawsInSoftware() {
  const gl = document.createElement("canvas").getContext("webgl2");
  const info = gl?.getExtension("WEBGL_debug_renderer_info");
  const name = info ? String(gl.getParameter(info.UNMASKED_RENDERER_WEBGL)) : "";
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}
function skyOf(horizon, zenith) {
  const geometry = new SphereGeometry2(300, 24, 12);
  const [low, high] = [linear(horizon), linear(zenith)];
  const heights = geometry.getAttribute("position");
  const colours = [];
  for (let i = 0; i < heights.count; i++) {
    const share = Math.min(1, Math.max(0, heights.getY(i) / 200));
    colours.push(...low.map((from, k) => from + (high[k] - from) * share));
  }
  geometry.setAttribute("color", new Float32BufferAttribute2(colours, 3));
  return new Mesh4(geometry, new MeshBasicMaterial4({ vertexColors: true, side: BackSide, fog: false, depthWrite: false }));
}

// src/link.mjs
import { reconnectAfterMs, rejoinAfterMs, Room } from "../roomfold.mjs";

// src/load.mjs
function readConfig(root, query) {
  const { socket = "/socket", level = "", params = "{}", replays = "" } = root.dataset;
  return { socket, level, params: readParams(params), replays: replays.split(" ").filter(Boolean), format: query.get("format") === "json" ? "json" : "packed" };
}
function readParams(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`the page's attribute data-params is no JSON: ${error.message}`);
  }
}
async function paramsNow() {
  const page = new DOMParser().parseFromString(new TextDecoder().decode(await fetched(location.href)), "text/html");
  return readParams(page.documentElement.dataset.params ?? "{}");
}
async function loadLevel(address) {
  const url = new URL(address, location.href);
  if (url.origin !== location.origin) throw new Error(`the level ${address} is not on this server`);
  try {
    return readLevel(JSON.parse(new TextDecoder().decode(await fetched(url))));
  } catch (error) {
    throw new Error(`the level ${address} can't be had: ${error.message}`);
  }
}
async function fetched(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`.trim());
  const bytes = await response.arrayBuffer();
  const [first, second] = new Uint8Array(bytes);
  if (first !== 31 || second !== 139) return bytes;
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}
function levelOf(entities) {
  for (const [, { kind, level }] of entities) if (kind === "arena" && typeof level === "string") return level;
  return null;
}

// src/model/feed.mjs
var KEPT = 200;
var Feed = class {
  /** @type {Fact[]} oldest first */
  facts = [];
  /** @type {Map<string, Score>} */
  scores = /* @__PURE__ */ new Map();
  #weapons = /* @__PURE__ */ new Map();
  #here = null;
  #seq = 0;
  #isPlayer;
  /** @param {(id: string) => boolean} isPlayer tells players from monsters */
  constructor(isPlayer) {
    this.#isPlayer = isPlayer;
  }
  /** An event of the stream. @param {Object<string, any>} event @param {number} now milliseconds */
  event(event, now) {
    const { event_name: name, seq } = event;
    if (Number.isInteger(seq)) {
      if (seq <= this.#seq) return;
      this.#seq = seq;
    }
    if (name === "weapon_fired") this.#weapons.set(event.user_id, event.weapon ?? null);
    else if (name === "player_killed") this.#kill(event.user_id, false, event.killer_id ?? event.by_id, seq, now);
    else if (name === "monster_died") this.#kill(event.id, true, event.by_id, seq, now);
  }
  #kill(whom, monster2, by = null, seq = null, now) {
    const how = by && by !== whom ? this.#weapons.get(by) ?? null : null;
    this.#add({ seq, at: now, kind: "kill", whom, by: by ?? null, how });
    if (!monster2) this.#score(whom).deaths++;
    if (by && by !== whom && this.#isPlayer(by)) this.#score(by)[monster2 ? "monsters" : "kills"]++;
  }
  #score(id) {
    if (!this.scores.has(id)) this.scores.set(id, { kills: 0, monsters: 0, deaths: 0 });
    return (
      /** @type {Score} */
      this.scores.get(id)
    );
  }
  /** Who is here now: who is new came, who is missing went. @param {string[]} users @param {number} now */
  people(users, now) {
    const here = new Set(users);
    if (this.#here) {
      for (const user of here) if (!this.#here.has(user)) this.#add({ seq: null, at: now, kind: "came", whom: user, by: null, how: null });
      for (const user of this.#here) if (!here.has(user)) this.#add({ seq: null, at: now, kind: "went", whom: user, by: null, how: null });
    }
    this.#here = here;
  }
  #add(fact) {
    this.facts.push(fact);
    if (this.facts.length > KEPT) this.facts.shift();
  }
  /** A live room's snapshot: one from before what was counted is of a room that has begun anew. @param {number} seq */
  snapshot(seq) {
    if (seq < this.#seq) this.restart(seq);
  }
  /** A replay went to another place, or a room began anew: nothing is known of what was before. @param {number} seq */
  restart(seq) {
    this.facts = [];
    this.scores = /* @__PURE__ */ new Map();
    this.#weapons.clear();
    this.#seq = seq;
  }
  /** Those of the last milliseconds, newest last. @param {number} now @param {number} ms @param {number} most */
  recent(now, ms, most) {
    return this.facts.filter(({ at }) => now - at < ms).slice(-most);
  }
};
var WORDS = { bfg: "BFG", bfg_ball: "BFG", plasma_ball: "plasma gun", plasma: "plasma gun", ssg: "super shotgun" };
function plain(name) {
  if (!name) return "";
  return WORDS[name] ?? String(name).replace(/-\d+$/, "").replaceAll("_", " ");
}

// src/model/playback.mjs
var SPEEDS = [0.25, 0.5, 1, 2, 4, 8];
var Playback = class {
  /** @type {Info} */
  info = { seq: 0, last_seq: 0, position_ms: 0, duration_ms: 0, speed: 1, paused: true };
  #since = 0;
  /** What the server said. @param {Info} info @param {number} now milliseconds */
  said(info, now) {
    this.info = info;
    this.#since = now;
  }
  /** Milliseconds from the start. @param {number} now */
  position(now) {
    const { position_ms: from, duration_ms: end, speed, paused } = this.info;
    return Math.min(end, Math.max(0, paused ? from : from + (now - this.#since) * speed));
  }
  /** @param {number} now */
  ended(now) {
    return this.position(now) >= this.info.duration_ms;
  }
};
function clock(milliseconds) {
  const seconds = Math.floor(Math.max(0, milliseconds) / 1e3);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
var speedLabel = (speed) => `${{ 0.25: "¼", 0.5: "½" }[speed] ?? speed}×`;

// src/model/inspector.mjs
var KEPT2 = 1e3;
var Stream = class {
  /** @type {Row[]} oldest first */
  rows = [];
  /** How many have come in all. */
  count = 0;
  paused = false;
  #key = 0;
  /** @param {Object<string, any>} event */
  event(event) {
    const name = event.event_name ?? event.event ?? "?";
    const about = event.user_id ?? event.id ?? event.entity_id ?? "";
    this.#add({ kind: "event", seq: event.seq, name, about: String(about), value: event });
  }
  /** @param {import("../../../priv/static/roomfold/world.mjs").Diff} diff */
  diff(diff) {
    const counts = [
      [Object.keys(diff.creates).length, "created"],
      [Object.keys(diff.updates).length, "updated"],
      [diff.deletes.length, "deleted"]
    ];
    const about = counts.filter(([count]) => count).map(([count, what]) => `${count} ${what}`).join(", ");
    this.#add({ kind: "diff", seq: diff.seq, name: "diff", about, value: diff });
  }
  /** @param {{seq: number, entities: Object<string, any>}} snapshot */
  snapshot(snapshot) {
    const count = Object.keys(snapshot.entities).length;
    this.#add({ kind: "snapshot", seq: snapshot.seq, name: "snapshot", about: `${count} entities`, value: { seq: snapshot.seq, entities: count } });
  }
  #add(row) {
    this.count++;
    if (this.paused) return;
    this.rows.push({ key: ++this.#key, ...row });
    if (this.rows.length > KEPT2) this.rows.splice(0, this.rows.length - KEPT2);
  }
  /** The newest that fit, newest first. @param {string} filter words, all of which must be there @param {number} most */
  find(filter, most) {
    const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
    const found = [];
    for (let i = this.rows.length - 1; i >= 0 && found.length < most; i--) {
      const row = this.rows[i];
      const text = `${row.name} ${row.about} ${row.kind} ${row.seq}`.toLowerCase();
      if (words.every((word) => text.includes(word))) found.push(row);
    }
    return found;
  }
};
function listed(entities, filter) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = [];
  for (const [id, components] of entities) {
    const { kind = "", type = "" } = components;
    const text = `${id} ${kind} ${type} ${Object.keys(components).join(" ")}`.toLowerCase();
    if (words.every((word) => text.includes(word))) rows.push({ id, kind: String(kind), type: String(type) });
  }
  const rank = ({ kind }) => kind === "player" ? "0" : kind === "monster" ? "1" : `2${kind}`;
  return rows.sort((a, b) => compare(rank(a), rank(b)) || compare(a.id, b.id));
}
var { compare } = new Intl.Collator("en", { numeric: true });
function shown(value) {
  if (Array.isArray(value) && value.length && value.every((part) => typeof part === "number")) return value.map(figure).join("  ");
  if (typeof value === "number") return figure(value);
  return typeof value === "string" ? value : JSON.stringify(value, (_, part) => typeof part === "number" ? Number(figure(part)) : part, 1).replace(/\n\s*/g, " ");
}
var figure = (number) => String(Number.isInteger(number) ? number : Math.round(number * 1e3) / 1e3);

// src/link.mjs
import { Socket } from "./vendor.js";
var INFO_MS = 1e3;
var TELEPORT = 6;
var Link = class {
  stream = new Stream();
  playback = new Playback();
  /** Ids that were ever a player here. @type {Set<string>} */
  players = /* @__PURE__ */ new Set();
  feed = new Feed((id) => this.players.has(id));
  #timer = null;
  /** Where a replay was when the connection broke. @type {import("./model/playback.mjs").Info | null} */
  #broken = null;
  /** @param {Place & {id: string}} place @param {string} user @param {Config} config @param {Listeners} listeners */
  constructor(place2, user, config, listeners) {
    this.place = place2;
    this.listeners = listeners;
    this.replay = place2.kind === "replay";
    let { params } = config;
    this.socket = new Socket(config.socket, { params: () => ({ ...params, user_id: user }), reconnectAfterMs, rejoinAfterMs });
    this.socket.onClose(() => paramsNow().then((now) => params = now, () => {
    }));
    this.room = new Room(this.socket, `${place2.kind}:${place2.id}`, { format: config.format, events: true, presence: !this.replay, move: "user_moved", teleport: TELEPORT });
    this.#bind();
  }
  #bind() {
    const { room, stream, feed, listeners } = this;
    room.on("event", (event) => {
      stream.event(event);
      feed.event(event, performance.now());
      listeners.onEvent(event);
    });
    room.on("diff", (diff) => {
      this.#meet(diff.creates);
      stream.diff(diff);
      listeners.onDiff(diff);
    });
    room.on("snapshot", (snapshot) => {
      this.#meet(snapshot.entities);
      stream.snapshot(snapshot);
      if (this.replay) feed.restart(snapshot.seq);
      else feed.snapshot(snapshot.seq);
      listeners.onSnapshot(snapshot);
    });
    room.on("presence", (users) => feed.people(users, performance.now()));
    room.on("status", ({ status }) => {
      if (this.#timer !== null) this.#keepPlace(status);
      listeners.onStatus();
    });
    room.on("refused", (refused) => listeners.onRefused(refused));
  }
  #meet(entities) {
    for (const [id, { kind, head: head2 }] of Object.entries(entities)) if (kind === "player" || kind === void 0 && head2) this.players.add(id);
  }
  /** Joins; rejected if the server refuses. */
  async join() {
    this.socket.connect();
    const reply = await this.room.join();
    if (this.replay) {
      this.playback.said(reply.replay, performance.now());
      this.#timer = setInterval(() => this.control("info"), INFO_MS);
    }
    return reply;
  }
  // The server plays it from its beginning for who comes back: on from where one was.
  async #keepPlace(status) {
    const { playback } = this;
    if (status === "rejoining") this.#broken ??= { ...playback.info, position_ms: playback.position(performance.now()) };
    if (status !== "joined" || !this.#broken) return;
    const { paused, speed, position_ms } = this.#broken;
    this.#broken = null;
    if (paused) await this.control("pause");
    await this.control("speed", { speed });
    await this.control("seek", { ms: Math.round(position_ms) });
  }
  /** Says something; what is refused is told. @param {string} name @param {Object<string, any>} payload */
  async say(name, payload) {
    try {
      return await this.room.push(name, payload);
    } catch (error) {
      this.listeners.onRefused({ event: name, message: error.message, reason: error.reason });
      return null;
    }
  }
  /** Controls a replay. @param {"pause" | "resume" | "seek" | "speed" | "info"} what @param {Object<string, any>} [payload] */
  async control(what, payload = {}) {
    if (this.room.status !== "joined") return;
    const info = await this.say(what, payload);
    if (info) this.playback.said(info, performance.now());
  }
  leave() {
    clearInterval(this.#timer);
    const left = this.room.leave();
    left.then(() => this.socket.disconnect());
    return left;
  }
};

// src/model/ghost.mjs
import { between } from "../roomfold/timeline.mjs";
var LONGEST_MS = 12e4;
var Ghost = class {
  /** @type {"empty" | "recording" | "playing"} */
  state = "empty";
  /** @type {{at: number, poses: Poses}[]} */
  #samples = [];
  #since = 0;
  /** Begins a recording; the old one is gone. @param {number} now milliseconds */
  record(now) {
    this.#samples = [];
    this.#since = now;
    this.state = "recording";
  }
  /** How things are now, once a frame. After two minutes it ends by itself. @param {Poses} poses @param {number} now */
  add(poses, now) {
    if (this.state !== "recording") return;
    const at = now - this.#since;
    if (at > LONGEST_MS) return this.play(now);
    this.#samples.push({ at, poses: structuredClone(poses) });
  }
  /** Ends the recording and plays it from its start. @param {number} now */
  play(now) {
    this.state = this.#samples.length ? "playing" : "empty";
    this.#since = now;
  }
  /** Forgets it. */
  clear() {
    this.#samples = [];
    this.state = "empty";
  }
  /** Milliseconds. */
  get length() {
    return this.#samples.at(-1)?.at ?? 0;
  }
  /** How long it has been recorded, or where it is. @param {number} now */
  position(now) {
    return this.state === "playing" ? (now - this.#since) % (this.length || 1) : this.length;
  }
  /** What is to be shown now; null: nothing. @param {number} now @returns {Poses | null} */
  at(now) {
    if (this.state !== "playing") return null;
    const time = this.position(now);
    const samples = this.#samples;
    let next = samples.findIndex(({ at }) => at > time);
    if (next < 0) next = samples.length - 1;
    const a = samples[Math.max(0, next - 1)];
    const b = samples[next];
    const share = b.at > a.at ? (time - a.at) / (b.at - a.at) : 0;
    const poses = {};
    for (const name of ["head", "left", "right"]) {
      if (a.poses[name] && b.poses[name]) poses[name] = between(name, a.poses[name], b.poses[name], share, 4);
    }
    return (
      /** @type {Poses} */
      poses
    );
  }
};

// src/model/controls.mjs
var MOUSE = 22e-4;
var TURN = 2.4;
var PITCH = 1.5;
var WALK = 6;
var RUN = 10;
var KEYS = {
  KeyW: "forward",
  KeyS: "back",
  KeyA: "left",
  KeyD: "right",
  ArrowUp: "forward",
  ArrowDown: "back",
  ArrowLeft: "turnLeft",
  ArrowRight: "turnRight",
  ShiftLeft: "run",
  ShiftRight: "run",
  Space: "fire"
};
var Controls = class {
  yaw = 0;
  pitch = 0;
  #held = /* @__PURE__ */ new Set();
  #stick = [0, 0];
  #firing = /* @__PURE__ */ new Set();
  #pulled = false;
  /** A key went down or up. @param {string} code as KeyboardEvent has it @param {boolean} down @returns {boolean} whether it is one of ours */
  key(code, down) {
    const what = KEYS[code];
    if (!what) return false;
    if (down && what === "fire") this.#pulled = true;
    if (down) this.#held.add(code);
    else this.#held.delete(code);
    return true;
  }
  #is(what) {
    for (const code of this.#held) if (KEYS[code] === what) return true;
    return false;
  }
  /** The view is turned by so many pixels. @param {number} x @param {number} y @param {number} [factor] */
  look(x, y, factor = 1) {
    this.yaw = wrapped(this.yaw - x * MOUSE * factor);
    this.pitch = Math.min(PITCH, Math.max(-PITCH, this.pitch - y * MOUSE * factor));
  }
  /** A stick: right and down are positive, 1 is all the way. @param {number} x @param {number} y */
  stick(x, y) {
    const length = Math.max(1, Math.hypot(x, y));
    this.#stick = [x / length, y / length];
  }
  /** Some trigger besides the key is pressed or not. @param {string} name @param {boolean} down */
  trigger(name, down) {
    if (down) this.#pulled = true;
    if (down) this.#firing.add(name);
    else this.#firing.delete(name);
  }
  /** Whether one fires: a trigger is held, or was pulled since this was asked last, however shortly. */
  fires() {
    const fires = this.#pulled || this.#firing.size > 0 || this.#is("fire");
    this.#pulled = false;
    return fires;
  }
  /** Nothing is held any more: the window has lost the keyboard. */
  release() {
    this.#held.clear();
    this.#firing.clear();
    this.#pulled = false;
    this.#stick = [0, 0];
  }
  /** The keys that turn, for a time. @param {number} seconds */
  turn(seconds) {
    const turn = (this.#is("turnLeft") ? 1 : 0) - (this.#is("turnRight") ? 1 : 0);
    this.yaw = wrapped(this.yaw + turn * TURN * seconds);
  }
  /** Forward and to the right, each -1 to 1, not longer than 1. @returns {[number, number]} */
  get wish() {
    const forward = (this.#is("forward") ? 1 : 0) - (this.#is("back") ? 1 : 0) - this.#stick[1];
    const right = (this.#is("right") ? 1 : 0) - (this.#is("left") ? 1 : 0) + this.#stick[0];
    const length = Math.max(1, Math.hypot(forward, right));
    return [forward / length, right / length];
  }
  /** Metres a second along x and z, as seen with a yaw. @param {number} [yaw] @returns {[number, number]} */
  velocity(yaw = this.yaw) {
    const [forward, right] = this.wish;
    const speed = this.#is("run") ? RUN : WALK;
    const [sin, cos] = [Math.sin(yaw), Math.cos(yaw)];
    return [(forward * cos + right * sin) * speed, (right * cos - forward * sin) * speed];
  }
};
var wrapped = (angle) => Math.atan2(Math.sin(angle), Math.cos(angle));

// src/model/walk.mjs
var BODY = { radius: 0.5, height: 1.75, eyes: 1.53, step: 0.75 };
var GRAVITY = 22;
var LONGEST = 0.2;
var TELEPORTS = /* @__PURE__ */ new Set([39, 97, 125, 126]);
function walk(body, [vx, vz], seconds, level, sectors) {
  const way = Math.hypot(vx, vz) * seconds;
  const goes = Math.max(1, Math.ceil(way / LONGEST));
  let now = { ...body };
  for (let i = 0; i < goes; i++) {
    const before = now;
    now = pushed({ ...now, x: now.x + vx * seconds / goes, z: now.z + vz * seconds / goes }, level, sectors);
    if (sectorAt(level, now.x, now.z) === null) now = before;
    const there = way > 0 ? teleportOf(before, now, level) : null;
    if (there) return { body: placed(there.x, there.z, level, sectors), teleport: there };
    now = climbed(now, level, sectors);
  }
  return { body: fallen(now, seconds, level, sectors), teleport: null };
}
function placed(x, z, level, sectors) {
  const body = { x, y: -Infinity, z, fall: 0 };
  return { ...body, y: floorBelow({ ...body, y: Infinity }, level, sectors) };
}
function pushed(body, level, sectors) {
  let { x, z } = body;
  for (let round = 0; round < 4; round++) {
    let free = true;
    for (const line of level.lines) {
      const near = nearest(line, x, z);
      if (near.distance >= BODY.radius - 1e-6 || !stops(line, body.y, sectors)) continue;
      free = false;
      const [nx, nz] = near.distance > 1e-9 ? [(x - near.x) / near.distance, (z - near.z) / near.distance] : normalOf2(line);
      x = near.x + nx * BODY.radius;
      z = near.z + nz * BODY.radius;
    }
    if (free) return { ...body, x, z };
  }
  return { ...body, x, z };
}
function nearest({ x1, z1, x2, z2 }, x, z) {
  const [dx, dz] = [x2 - x1, z2 - z1];
  const length = dx * dx + dz * dz;
  const t = length > 0 ? Math.min(1, Math.max(0, ((x - x1) * dx + (z - z1) * dz) / length)) : 0;
  const [nx, nz] = [x1 + t * dx, z1 + t * dz];
  return { x: nx, z: nz, distance: Math.hypot(x - nx, z - nz) };
}
function normalOf2({ x1, z1, x2, z2 }) {
  const length = Math.hypot(x2 - x1, z2 - z1) || 1;
  return [-(z2 - z1) / length, (x2 - x1) / length];
}
function stops(line, feet, sectors) {
  if (line.front === null || line.back === null || line.blocks) return true;
  const opening = openingOf(line, sectors);
  if (!opening || opening.top - opening.bottom < BODY.height) return true;
  return opening.bottom - feet > BODY.step || opening.top - feet < BODY.height;
}
function floorBelow(body, level, sectors) {
  const here = sectorAt(level, body.x, body.z);
  let floor = here === null ? body.y : sectors[here].floor;
  for (const line of level.lines) {
    if (line.front === null || line.back === null || line.front === line.back) continue;
    if (nearest(line, body.x, body.z).distance >= BODY.radius * 0.6) continue;
    for (const side of [line.front, line.back]) {
      const { floor: other, ceiling } = sectors[side];
      if (other <= body.y + BODY.step && ceiling - other >= BODY.height) floor = Math.max(floor, other);
    }
  }
  return floor;
}
function climbed(body, level, sectors) {
  const floor = floorBelow(body, level, sectors);
  return floor > body.y ? { ...body, y: floor, fall: 0 } : body;
}
function fallen(body, seconds, level, sectors) {
  const floor = floorBelow(body, level, sectors);
  const fall = body.fall + GRAVITY * seconds;
  const y = body.y - fall * seconds;
  return y <= floor ? { ...body, y: floor, fall: 0 } : { ...body, y, fall };
}
function teleportOf(from, to, level) {
  for (const line of level.lines) {
    if (!TELEPORTS.has(line.special) || !(sideOf(line, from) > 0 && sideOf(line, to) <= 0) || !between2(line, from, to)) continue;
    const there = level.things.find((thing) => thing.class === "teleport" && tagAt(level, thing) === line.tag);
    if (there) return there;
  }
  return null;
}
var tagAt = (level, { x, z }) => level.sectors[sectorAt(level, x, z) ?? -1]?.tag;
function sideOf({ x1, z1, x2, z2 }, { x, z }) {
  return (x2 - x1) * (z - z1) - (z2 - z1) * (x - x1);
}
function between2(line, from, to) {
  const way = { x1: from.x, z1: from.z, x2: to.x, z2: to.z };
  return sideOf(way, { x: line.x1, z: line.z1 }) * sideOf(way, { x: line.x2, z: line.z2 }) <= 0;
}
function reach([x, y, z], [dx, dy, dz], range, level, sectors) {
  let best = range;
  for (const line of level.lines) {
    const t = crossing(line, x, z, dx, dz);
    if (t === null || t >= best) continue;
    const opening = openingOf(line, sectors);
    const height = y + dy * t;
    if (!opening || height < opening.bottom || height > opening.top) best = t;
  }
  const here = sectorAt(level, x + dx * (best - 1e-3), z + dz * (best - 1e-3));
  if (here === null || dy === 0) return best;
  const { floor, ceiling, sky } = sectors[here];
  const plane2 = dy < 0 ? (floor - y) / dy : sky ? best : (ceiling - y) / dy;
  return Math.max(0, Math.min(best, plane2));
}
function crossing({ x1, z1, x2, z2 }, x, z, dx, dz) {
  const [lx, lz] = [x2 - x1, z2 - z1];
  const denominator = dx * lz - dz * lx;
  if (Math.abs(denominator) < 1e-12) return null;
  const t = ((x1 - x) * lz - (z1 - z) * lx) / denominator;
  const u = ((x1 - x) * dz - (z1 - z) * dx) / denominator;
  return t >= 0 && u >= 0 && u <= 1 ? t : null;
}

// src/model/player.mjs
var ADOPT = 2;
var Player = class {
  /** @type {import("./walk.mjs").Body | null} null: not spawned yet */
  body = null;
  /** Height of the eyes over the world's zero; steps are climbed smoothly. */
  eyes = 0;
  #sent = "";
  #hands = false;
  /** @param {import("./controls.mjs").Controls} controls */
  constructor(controls) {
    this.controls = controls;
  }
  /** The room put it somewhere. @param {Object<string, any> | undefined} components of its entity */
  spawned(components) {
    if (!Array.isArray(components?.position)) return;
    const [x, y, z] = components.position;
    this.body = { x, y, z, fall: 0 };
    this.eyes = y + BODY.eyes;
    if (Array.isArray(components.rotation)) this.controls.yaw = quaternionToYaw(components.rotation);
    this.controls.pitch = 0;
  }
  /** A snapshot came: after a while away it may be elsewhere. @param {Object<string, any> | undefined} components */
  seen(components) {
    const at = components?.position;
    if (!Array.isArray(at)) return;
    if (!this.body || Math.hypot(this.body.x - at[0], this.body.z - at[2]) > ADOPT) this.spawned(components);
  }
  /**
   * Walks for a time. @param {[number, number]} velocity @param {number} seconds
   * @param {import("./level.mjs").Level} level @param {import("./level.mjs").Sector[]} sectors
   * @returns {boolean} whether it was taken elsewhere
   */
  walk(velocity, seconds, level, sectors) {
    if (!this.body) return false;
    const { body, teleport } = walk(this.body, velocity, seconds, level, sectors);
    this.body = body;
    if (teleport) this.controls.yaw = teleport.turn;
    const target = body.y + BODY.eyes;
    this.eyes = teleport ? target : target + (this.eyes - target) * Math.exp(-seconds * 14);
    return teleport !== null;
  }
  /** @returns {Pose} of the eyes, without a headset */
  get head() {
    const { x, z } = (
      /** @type {import("./walk.mjs").Body} */
      this.body
    );
    return { position: [x, this.eyes, z], rotation: headRotation(this.controls.yaw, this.controls.pitch) };
  }
  /** From where and which way a shot goes. @param {Tracked | null} tracked */
  aim(tracked) {
    const pose2 = tracked?.right ?? tracked?.head;
    if (pose2) return { origin: pose2.position, direction: turned(pose2.rotation, [0, 0, -1]) };
    return { origin: this.head.position, direction: lookDirection(this.controls.yaw, this.controls.pitch) };
  }
  /**
   * What is to be sent; null: nothing has changed. Hands that are no longer there are taken away once.
   * @param {Tracked | null} tracked
   */
  input(tracked) {
    if (!this.body) return null;
    const head2 = tracked?.head ?? this.head;
    const { x, y, z } = this.body;
    const yaw = tracked ? headYaw(head2.rotation) : this.controls.yaw;
    const poses = { ...roundedPose({ position: [x, y, z], rotation: yawToQuaternion(yaw) }), head: roundedPose(head2) };
    const hands = { left: tracked?.left ? roundedPose(tracked.left) : null, right: tracked?.right ? roundedPose(tracked.right) : null };
    if (tracked || this.#hands) Object.assign(poses, hands);
    const text = JSON.stringify(poses);
    if (text === this.#sent) return null;
    this.#sent = text;
    this.#hands = Boolean(hands.left || hands.right);
    return poses;
  }
};

// src/model/weapons.mjs
var WEAPONS = [
  { name: "fist", label: "fist", everyMs: 500 },
  { name: "pistol", label: "pistol", everyMs: 400 },
  { name: "shotgun", label: "shotgun", everyMs: 1e3 },
  { name: "super_shotgun", label: "super shotgun", everyMs: 1500 },
  { name: "chaingun", label: "chaingun", everyMs: 125 },
  { name: "rocket_launcher", label: "rocket launcher", everyMs: 800, projectile: { type: "rocket", speed: 18, radius: 0.25 } },
  { name: "plasma", label: "plasma gun", everyMs: 150, projectile: { type: "plasma_ball", speed: 22, radius: 0.2 } },
  { name: "bfg", label: "BFG", everyMs: 1500, projectile: { type: "bfg_ball", speed: 22, radius: 0.4 } }
];
var FIRST = ["fist", "pistol"];
var FIST_RANGE = 2;
function weaponsOf(player) {
  const collected = Array.isArray(player?.weapons) ? player.weapons : [];
  return WEAPONS.filter(({ name }) => FIRST.includes(name) || collected.includes(name));
}
var weaponNamed = (name) => WEAPONS.find((weapon) => weapon.name === name) ?? WEAPONS[1];
function shotOf({ user, weapon, origin, direction, seen }) {
  const shot = { user_id: user, weapon: weapon.name, hand_position: origin, weapon_direction: direction };
  if (!weapon.projectile) return { ...shot, range: weapon.name === "fist" ? FIST_RANGE : 64, seen_seq: seen };
  const { type, speed, radius } = weapon.projectile;
  const velocity = direction.map((part) => part * speed);
  return { ...shot, type, velocity, collider: { shape: "sphere", radius, at: "centre" } };
}
var Trigger = class {
  #ready = 0;
  /** @param {Weapon} weapon @param {number} now milliseconds @returns {boolean} whether it fires now */
  pull(weapon, now) {
    if (now < this.#ready) return false;
    this.#ready = now + weapon.everyMs;
    return true;
  }
};

// src/draw/ghostdraw.mjs
import { Group as Group6 } from "./vendor.js";
var GhostDraw = class {
  group = new Group6();
  /** @param {Object<string, any>} palette */
  constructor(palette) {
    const material = plainMaterial(palette.fog, 0.55);
    material.emissive.set(palette.fog).multiplyScalar(0.35);
    this.parts = { head: head(material, palette.fog), left: hand(material), right: hand(material) };
    this.group.add(...Object.values(this.parts));
    this.group.visible = false;
  }
  /** @param {import("../model/ghost.mjs").Poses | null} poses */
  update(poses) {
    this.group.visible = poses !== null;
    if (!poses) return;
    for (const [name, part] of Object.entries(this.parts)) {
      const pose2 = poses[name];
      part.visible = Boolean(pose2);
      if (!pose2) continue;
      part.position.set(...pose2.position);
      part.quaternion.set(...pose2.rotation);
    }
  }
};

// src/draw/headset.mjs
import { Group as Group7, Matrix4, Quaternion as Quaternion2, Vector3 as Vector34 } from "./vendor.js";
var DEAD = 0.2;
var SNAP = Math.PI / 6;
var Headset = class {
  /** The stick of the left hand: right and backward are positive. */
  stick = [0, 0];
  firing = false;
  #session = null;
  #snapped = false;
  /** @param {import("./stage.mjs").Stage} stage @param {Object<string, any>} palette @param {() => void} onChange */
  constructor(stage, palette, onChange) {
    this.stage = stage;
    this.onChange = onChange;
    this.hands = { left: hand(plainMaterial(palette.ink)), right: ownGun(palette) };
    this.group = new Group7();
    this.group.add(this.hands.left, this.hands.right);
    this.group.visible = false;
  }
  /** Whether there is one. @returns {Promise<boolean>} */
  static async supported() {
    try {
      return await navigator.xr?.isSessionSupported("immersive-vr") === true;
    } catch {
      return false;
    }
  }
  get active() {
    return this.#session !== null;
  }
  /** Into virtual reality, or out of it. @throws what the browser says */
  async toggle() {
    if (this.#session) return this.#session.end();
    const session = await navigator.xr.requestSession("immersive-vr", { requiredFeatures: ["local-floor"] });
    session.addEventListener("end", () => {
      this.#session = null;
      this.group.visible = false;
      this.firing = false;
      this.stick = [0, 0];
      this.stage.camera.position.set(0, 0, 0);
      this.onChange();
    });
    try {
      await this.stage.renderer.xr.setSession(session);
    } catch (error) {
      await session.end().catch(() => {
      });
      throw error;
    }
    this.#session = session;
    this.onChange();
  }
  /**
   * Head and hands in the room's metres, and what the hands press. @param {XRFrame | undefined} frame
   * @returns {Tracked | null} null: no headset is worn, or it does not know where it is
   */
  read(frame) {
    const space = this.#session && this.stage.renderer.xr.getReferenceSpace();
    const viewer = space && frame?.getViewerPose(space);
    if (!viewer) return null;
    this.stage.rig.updateMatrixWorld();
    const tracked = { head: this.#inRoom(viewer.transform), left: null, right: null };
    this.firing = false;
    this.stick = [0, 0];
    for (const source of this.#session.inputSources) this.#readHand(source, frame, space, tracked);
    return tracked;
  }
  #readHand(source, frame, space, tracked) {
    const { handedness, gamepad } = source;
    const transform = frame.getPose(source.gripSpace ?? source.targetRaySpace, space)?.transform;
    const pointing = frame.getPose(source.targetRaySpace, space)?.transform;
    if (!transform || handedness !== "left" && handedness !== "right") return;
    tracked[handedness] = { position: this.#inRoom(transform).position, rotation: this.#inRoom(pointing ?? transform).rotation };
    if (!gamepad) return;
    if (handedness === "right") {
      this.firing = gamepad.buttons[0]?.pressed === true;
      this.#turn(gamepad.axes[2] ?? 0);
    } else {
      const [x, y] = [gamepad.axes[2] ?? 0, gamepad.axes[3] ?? 0];
      this.stick = Math.hypot(x, y) > DEAD ? [x, y] : [0, 0];
    }
  }
  // In steps: a smooth turn makes people ill.
  #turn(x) {
    if (Math.abs(x) < 0.5) this.#snapped = false;
    if (Math.abs(x) < 0.7 || this.#snapped) return;
    this.#snapped = true;
    const { rig } = this.stage;
    const eyes2 = this.stage.renderer.xr.getCamera().getWorldPosition(new Vector34());
    const turn = new Matrix4().makeRotationY(-Math.sign(x) * SNAP);
    rig.position.sub(eyes2).applyMatrix4(turn).add(eyes2);
    rig.rotation.y -= Math.sign(x) * SNAP;
  }
  #inRoom({ position, orientation }) {
    const { rig } = this.stage;
    const at = rig.localToWorld(new Vector34(position.x, position.y, position.z));
    const turn = rig.getWorldQuaternion(new Quaternion2()).multiply(new Quaternion2(orientation.x, orientation.y, orientation.z, orientation.w));
    return { position: at.toArray(), rotation: turn.toArray() };
  }
  /** Draws the hands. @param {Tracked} tracked */
  show(tracked) {
    this.group.visible = true;
    for (const name of ["left", "right"]) {
      const part = this.hands[name];
      part.visible = tracked[name] !== null;
      if (!tracked[name]) continue;
      part.position.set(...tracked[name].position);
      part.quaternion.set(...tracked[name].rotation);
    }
  }
};

// src/ui/elements.mjs
var $ = (id) => document.getElementById(id);
function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("--")) element.style.setProperty(name, value);
    else if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
function arrange(list, items) {
  const wanted = new Set(items);
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  items.forEach((one, i) => list.children[i] !== one && list.insertBefore(one, list.children[i] ?? null));
}
function choices(parent, choices2, choose) {
  parent.replaceChildren(
    ...choices2.map(([value, label]) => {
      const button = el("button", { type: "button", role: "radio", "aria-checked": "false", onclick: () => choose(value) }, label);
      button.dataset.value = value;
      return button;
    })
  );
  return (chosen) => {
    for (
      const button of
      /** @type {any} */
      parent.children
    ) button.setAttribute("aria-checked", String(button.dataset.value === chosen));
  };
}

// src/ui/hud.mjs
var HURT_MS = 300;
var Hud = class {
  #weapons = "";
  #mark = (_) => {
  };
  #hurtTimer = null;
  #hitTimer = null;
  /** @param {(name: string) => void} choose a weapon */
  constructor(choose) {
    this.choose = choose;
    $("vitals").hidden = false;
  }
  /** @param {Object<string, any> | undefined} own components of one's entity @param {import("../model/weapons.mjs").Weapon[]} weapons @param {string} weapon */
  update(own, weapons, weapon) {
    const health = own?.health;
    say($("health"), Number.isFinite(health) ? String(health) : "–");
    $("health").classList.toggle("low", health <= 30);
    const armor = Number(own?.armor ?? 0);
    for (const part of document.querySelectorAll("#vitals .armor")) part.hidden = !armor;
    say($("armor"), String(armor));
    const key = weapons.map(({ name }) => name).join();
    if (key !== this.#weapons) {
      this.#weapons = key;
      this.#mark = choices($("weapons"), weapons.map(({ name, label }) => [name, label]), this.choose);
    }
    this.#mark(weapon);
  }
  /** @param {string | null} text */
  dead(text) {
    $("dead").hidden = text === null;
    say($("dead"), text ?? "");
  }
  hurt() {
    $("hurt").style.opacity = "0.3";
    clearTimeout(this.#hurtTimer);
    this.#hurtTimer = setTimeout(() => $("hurt").style.opacity = "0", HURT_MS / 2);
  }
  /** One's own shot hit somebody. */
  hit() {
    $("crosshair").classList.add("hit");
    clearTimeout(this.#hitTimer);
    this.#hitTimer = setTimeout(() => $("crosshair").classList.remove("hit"), HURT_MS);
  }
};

// src/ui/input.mjs
var STICK = 56;
var FINGER = 2.2;
function typing({ target, code }) {
  if (document.querySelector("dialog[open]")) return true;
  if (!(target instanceof HTMLElement)) return false;
  if (target.matches("button")) return code === "Space" || code === "Enter";
  return target.matches("input, textarea, select");
}
var codeOf = ({ key, code }) => key === "?" ? "Slash" : code;
function bindKeys(canvas, controls, onKey) {
  addEventListener("keydown", (event) => {
    if (typing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (controls.key(event.code, true) || !event.repeat && onKey(codeOf(event), event.shiftKey)) event.preventDefault();
  });
  addEventListener("keyup", (event) => controls.key(event.code, false));
  addEventListener("blur", () => controls.release());
  addEventListener("pointerup", ({ target }) => target instanceof Element && target.closest("button, input[type=range]") && setTimeout(() => canvas.focus()));
  document.addEventListener("visibilitychange", () => document.hidden && controls.release());
}
function bindMouse(canvas, controls, onLock) {
  let dragging = false;
  let holds = true;
  const locked = () => document.pointerLockElement === canvas;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse") return;
    canvas.focus();
    if (locked() || !holds) controls.trigger("mouse", event.button === 0);
    dragging = true;
    if (!locked()) hold(canvas).then((held) => holds = held);
  });
  addEventListener("pointerup", () => {
    dragging = false;
    controls.trigger("mouse", false);
  });
  addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" && (locked() || dragging)) controls.look(event.movementX, event.movementY);
  });
  document.addEventListener("pointerlockchange", () => {
    if (!locked()) controls.trigger("mouse", false);
    onLock(locked());
  });
}
async function hold(canvas) {
  try {
    await canvas.requestPointerLock();
    return true;
  } catch {
    return false;
  }
}
function bindTouch(canvas, controls, onTouch) {
  let walking = null;
  let looking = null;
  const stick = $("stick");
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse") return;
    onTouch();
    canvas.setPointerCapture(event.pointerId);
    const finger = { id: event.pointerId, x: event.clientX, y: event.clientY };
    if (event.clientX < innerWidth * 0.45 && !walking) {
      walking = finger;
      moveStick(stick, finger.x, finger.y);
    } else looking ??= finger;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId === walking?.id) {
      const [x, y] = [event.clientX - walking.x, event.clientY - walking.y];
      const length = Math.max(1, Math.hypot(x, y) / STICK);
      controls.stick(x / STICK, y / STICK);
      stick.firstElementChild.style.transform = `translate(${x / length}px, ${y / length}px)`;
    } else if (event.pointerId === looking?.id) {
      controls.look(event.clientX - looking.x, event.clientY - looking.y, FINGER);
      Object.assign(looking, { x: event.clientX, y: event.clientY });
    }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => {
      if (
        /** @type {PointerEvent} */
        event.pointerId === looking?.id
      ) looking = null;
      if (
        /** @type {PointerEvent} */
        event.pointerId !== walking?.id
      ) return;
      walking = null;
      controls.stick(0, 0);
      stick.removeAttribute("style");
      stick.firstElementChild.removeAttribute("style");
    });
  }
  bindFire($("fire"), controls);
}
function moveStick(stick, x, y) {
  const { left, bottom } = stick.parentElement.getBoundingClientRect();
  Object.assign(stick.style, { left: `${x - left}px`, bottom: `${bottom - y}px`, opacity: "1" });
}
function bindFire(fire, controls) {
  const press = (down) => {
    controls.trigger("touch", down);
    fire.classList.toggle("down", down);
  };
  fire.addEventListener("pointerdown", (event) => {
    fire.setPointerCapture(event.pointerId);
    press(true);
  });
  for (const end of ["pointerup", "pointercancel"]) fire.addEventListener(end, () => press(false));
}

// src/live.mjs
var RECOIL_MS = 140;
var USE_RANGE = 3;
var Live = class {
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
    bindMouse(app.stage.canvas, this.controls, (locked) => this.#locked = locked);
    bindTouch(app.stage.canvas, this.controls, () => this.#touched = true);
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
    if (!player.body && this.own) player.seen(this.own);
    if (!player.body) return app.stand();
    this.#tracked = this.headset.read(frame);
    if (!this.#tracked) {
      this.#head = null;
      if (this.headset.active) return;
    }
    if (!this.dead) this.#walk(seconds);
    this.#camera(now);
    if (!this.dead) this.#say(now, view);
    else this.controls.fires();
    const head2 = this.#tracked ?? { head: player.head, ...restingHands(player.head) };
    this.ghost.add(onlyThere(head2), now);
    this.ghostDraw.update(this.ghost.at(now));
  }
  #walk(seconds) {
    const { controls, player, app, headset } = this;
    const { level, sectors } = app.drawnLevel;
    const before = player.body;
    if (this.#tracked) {
      controls.stick(headset.stick[0], headset.stick[1]);
      controls.yaw = headYaw(this.#tracked.head.rotation);
      const [x, , z] = this.#tracked.head.position;
      if (this.#head && seconds > 0) player.walk([(x - this.#head.x) / seconds, (z - this.#head.z) / seconds], seconds, level, sectors);
    } else controls.turn(seconds);
    if (player.walk(controls.velocity(), seconds, level, sectors)) app.effects.ring([player.body.x, player.body.y, player.body.z], app.palette.fog, performance.now());
    if (Math.hypot(player.body.x - before.x, player.body.z - before.z) > 0.01) this.#moved = true;
  }
  #camera(now) {
    const { stage } = this.app;
    const { body, head: head2 } = this.player;
    if (this.#tracked) return this.#carry(this.#tracked, body);
    stage.rig.position.set(0, 0, 0);
    stage.rig.rotation.set(0, 0, 0);
    stage.camera.position.set(...head2.position);
    if (this.dead) stage.camera.position.y = body.y + 0.35;
    stage.camera.rotation.set(this.controls.pitch, this.controls.yaw - Math.PI / 2, this.dead ? 0.5 : 0);
    this.#holdGun(now);
  }
  // The head stays over the body: walls stop both, and where the body is put the head is, too.
  #carry(tracked, body) {
    const { rig } = this.app.stage;
    const [x, , z] = tracked.head.position;
    const way = [body.x - x, body.y - rig.position.y, body.z - z];
    const carried = (place2) => place2.map((part, i) => part + way[i]);
    rig.position.fromArray(carried(rig.position.toArray()));
    for (const pose2 of [tracked.head, tracked.left, tracked.right]) if (pose2) pose2.position = carried(pose2.position);
    this.#head = { x: body.x, z: body.z };
    this.headset.show(tracked);
  }
  #holdGun(now) {
    const kick = Math.max(0, 1 - (now - this.#firedAt) / RECOIL_MS);
    this.gun.visible = !this.dead && this.weapon !== "fist" && !this.headset.active;
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
    this.hud.dead(this.dead ? this.#killer && this.#killer !== this.user ? `Killed by ${this.#killer}. Back in a moment.` : "You died. Back in a moment." : null);
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
    say($("record-time"), state === "empty" ? "" : `${(this.ghost.position(now) / 1e3).toFixed(1)} s`);
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
    button.hidden = !await Headset.supported();
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
    if (!active) return this.controls.release();
    this.app.stage.rig.position.set(this.player.body?.x ?? 0, this.player.body?.y ?? 0, this.player.body?.z ?? 0);
    this.app.stage.rig.rotation.y = this.controls.yaw - Math.PI / 2;
  }
  /** For tests: where one is. */
  drawn() {
    const { body } = this.player;
    return body && { id: this.user, position: [body.x, body.y, body.z], yaw: this.controls.yaw, pitch: this.controls.pitch, dead: this.dead, ghost: this.ghost.state };
  }
};
var onlyThere = ({ head: head2, left, right }) => ({ head: head2, ...left ? { left } : {}, ...right ? { right } : {} });
function restingHands({ position, rotation }) {
  const yaw = headYaw(rotation);
  const at = (side) => [position[0] + Math.cos(yaw) * 0.35 + Math.sin(yaw) * side, position[1] - 0.4, position[2] - Math.sin(yaw) * 0.35 + Math.cos(yaw) * side];
  return { left: { position: at(-0.25), rotation }, right: { position: at(0.25), rotation } };
}

// src/model/colours.mjs
var Colours = class {
  /** @type {Map<string, number>} */
  #slots = /* @__PURE__ */ new Map();
  /** @param {number} count of colours */
  constructor(count) {
    this.count = count;
  }
  /** Which of the colours. @param {string} id */
  slot(id) {
    const known = this.#slots.get(id);
    if (known !== void 0) return known;
    const taken2 = new Set(this.#slots.values());
    let slot = hash(id) % this.count;
    if (taken2.size < this.count) while (taken2.has(slot)) slot = (slot + 1) % this.count;
    this.#slots.set(id, slot);
    return slot;
  }
};
function hash(text) {
  let sum = 2166136261;
  for (const character of text.slice(0, -1)) sum = Math.imul(sum ^ character.charCodeAt(0), 16777619) >>> 0;
  return sum + (text.codePointAt(text.length - 1) ?? 0);
}

// src/ui/feedview.mjs
var SHOWN_MS = 7e3;
var MOST2 = 5;
var TOAST_MS = 4500;
var FeedView = class {
  /** Facts that are shown, with their lines: one that stays is not read out again. */
  #lines = /* @__PURE__ */ new Map();
  #toasts = /* @__PURE__ */ new Map();
  /** @param {(id: string) => string} colourOf */
  constructor(colourOf) {
    this.colourOf = colourOf;
  }
  /** @param {import("../model/feed.mjs").Feed} feed @param {number} now */
  update(feed, now) {
    const facts = feed.recent(now, SHOWN_MS, MOST2);
    this.#lines = new Map(facts.map((fact) => [fact, this.#lines.get(fact) ?? this.#line(fact)]));
    arrange($("feed"), [...this.#lines.values()]);
  }
  #line({ kind, whom, by, how }) {
    const who = person(whom, this.colourOf);
    if (kind === "came") return el("li", {}, who, " came");
    if (kind === "went") return el("li", {}, who, " left");
    if (!by || by === whom) return el("li", {}, who, " died");
    const weapon = how ? [el("span", { className: "how" }, ` · ${plain(how)}`)] : [];
    return el("li", {}, person(by, this.colourOf), " killed ", who, ...weapon);
  }
  /** Something that must be said: what was refused and why. The same again only counts. @param {string} text */
  toast(text) {
    const known = this.#toasts.get(text);
    if (known) {
      clearTimeout(known.timer);
      known.count++;
      known.item.textContent = `${text} (${known.count} times)`;
      known.timer = setTimeout(() => this.#drop(text), TOAST_MS);
      return;
    }
    const item3 = el("li", {}, text);
    $("toasts").append(item3);
    this.#toasts.set(text, { item: item3, count: 1, timer: setTimeout(() => this.#drop(text), TOAST_MS) });
  }
  #drop(text) {
    this.#toasts.get(text)?.item.remove();
    this.#toasts.delete(text);
  }
};
var person = (id, colourOf) => el("b", { style: `color: ${colourOf(id)}` }, id);

// src/ui/inspectorview.mjs
var ROWS = 150;
var ENTITIES = 500;
var EVERY_MS = 200;
var InspectorView = class {
  open = false;
  /** The entity that is looked at. @type {string | null} */
  entity = null;
  #tab = "entities";
  #row = null;
  #next = 0;
  /** @param {import("../model/inspector.mjs").Stream} stream @param {() => {seq: number, entities: () => Iterable<[string, any]>, get: (id: string) => any, size: number}} world */
  constructor(stream, world) {
    this.stream = stream;
    this.world = world;
    $("inspect").onclick = () => this.toggle();
    $("inspector-close").onclick = () => this.toggle(false);
    $("filter").oninput = () => this.#again();
    $("hold").onclick = () => this.hold(!stream.paused);
    for (const tab of ["entities", "events"]) $(`tab-${tab}`).onclick = () => this.select(tab);
  }
  /** @param {boolean} [open] */
  toggle(open2 = !this.open) {
    this.open = open2;
    $("inspector").hidden = !open2;
    $("inspect").setAttribute("aria-expanded", String(open2));
    document.body.classList.toggle("inspecting", open2);
    if (open2) document.exitPointerLock?.();
    this.#again();
  }
  /** @param {"entities" | "events" | string} tab */
  select(tab) {
    this.#tab = tab;
    for (const name of ["entities", "events"]) {
      $(`tab-${name}`).setAttribute("aria-selected", String(name === tab));
      $(name).hidden = name !== tab;
    }
    $("hold").hidden = tab !== "events";
    this.#again();
  }
  /** Stops the list of events where it is, to be read. @param {boolean} paused */
  hold(paused) {
    this.stream.paused = paused;
    $("hold").setAttribute("aria-pressed", String(paused));
  }
  #again() {
    this.#next = 0;
  }
  /** @param {number} now */
  update(now) {
    if (!this.open || now < this.#next) return;
    this.#next = now + EVERY_MS;
    const world = this.world();
    say($("counts"), `event ${world.seq} · ${world.size} entities`);
    if (this.#tab === "entities") this.#entities(world);
    else this.#events();
    this.#detail(world);
  }
  #entities(world) {
    const all = listed(world.entities(), $("filter").value);
    const rows = all.slice(0, ENTITIES).map(({ id, kind, type }) => ({
      key: `${id}
${kind}
${type}`,
      current: id === this.entity,
      texts: [id, type ? `${kind} ${type}` : kind],
      choose: () => this.#look(id)
    }));
    this.#list($("entities").firstElementChild, rows, all.length);
  }
  #look(id) {
    this.entity = this.entity === id ? null : id;
    this.#row = null;
    this.#again();
  }
  #events() {
    const rows = this.stream.find($("filter").value, ROWS).map((row) => ({
      key: String(row.key),
      current: row === this.#row,
      texts: [String(row.seq), row.name, row.about],
      className: row.kind,
      choose: () => this.#choose(row)
    }));
    this.#list($("events").firstElementChild, rows, rows.length);
  }
  #choose(row) {
    this.#row = this.#row === row ? null : row;
    this.entity = null;
    this.#again();
  }
  // What is there already stays the same element: it may just be being pressed.
  #list(list, rows, count) {
    const known = new Map([...list.children].map((item3) => [item3.dataset.key, item3]));
    const rest = count === 0 ? "nothing" : count > rows.length ? `and ${count - rows.length} more: filter` : "";
    const items = rows.map((row) => known.get(row.key) ?? item2(row));
    rows.forEach(({ current }, i) => items[i].firstChild.setAttribute("aria-current", String(current)));
    if (rest) items.push(el("li", { className: "faint" }, rest));
    arrange(list, items);
  }
  #detail(world) {
    const value = this.#row ? this.#row.value : this.entity !== null ? world.get(this.entity) : null;
    $("detail").hidden = this.#row === null && this.entity === null;
    if ($("detail").hidden) return;
    say($("detail-title"), this.#row ? `${this.#row.name} · ${this.#row.seq}` : `${this.entity}${value ? "" : " (gone)"}`);
    const pairs = Object.entries(value ?? {}).map(([name, part]) => [name, shown(part)]);
    const list = $("detail-list");
    if (list.children.length !== pairs.length * 2) list.replaceChildren(...pairs.flatMap(() => [el("dt"), el("dd")]));
    pairs.forEach(([name, text], i) => {
      say(list.children[2 * i], name);
      say(list.children[2 * i + 1], text);
    });
  }
};
function item2({ key, texts, className = "", choose }) {
  const spans = texts.map((text, i) => el("span", { className: i === texts.length - 1 ? "faint" : "" }, text));
  const row = el("li", {}, el("button", { type: "button", className, onclick: choose }, ...spans));
  row.dataset.key = key;
  return row;
}

// src/ui/message.mjs
function showMessage(title, text, again = null) {
  $("message").hidden = false;
  say($("message-title"), title);
  say($("message-text"), text);
  $("message-again").hidden = again === null;
  $("message-again").onclick = again;
}
function hideMessage() {
  $("message").hidden = true;
}
var sentence = (text) => text ? `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}` : "";

// src/ui/peopleview.mjs
var PeopleView = class {
  #rows = /* @__PURE__ */ new Map();
  #title;
  /** @param {(id: string) => string} colourOf @param {string} title @param {((id: string) => void) | null} choose what a click does */
  constructor(colourOf, title, choose) {
    this.colourOf = colourOf;
    this.choose = choose;
    this.#title = title;
    say($("people-title"), title);
  }
  /**
   * @param {{id: string, you: boolean, away: boolean, health: number | null, dead: boolean, kills: number | null}[]} people
   * @param {string | null} chosen
   */
  update(people, chosen) {
    $("people").hidden = people.length === 0;
    say($("people-title"), `${this.#title} · ${people.length}`);
    const shown2 = [...this.#rows.keys()];
    if (people.length !== shown2.length || people.some(({ id }, i) => id !== shown2[i])) this.#build(people);
    for (const person2 of people) this.#fill(person2, chosen);
  }
  #build(people) {
    this.#rows = new Map(people.map((person2) => [person2.id, this.#row(person2)]));
    $("people-list").replaceChildren(...[...this.#rows.values()].map(({ item: item3 }) => item3));
  }
  #row({ id, you }) {
    const parts = { kills: el("em"), fill: el("span"), bar: null, row: null };
    parts.bar = el("div", { className: "bar" }, parts.fill);
    const name = el("strong", { title: id }, id, ...you ? [el("em", {}, " (you)")] : []);
    const { choose } = this;
    parts.row = el(choose ? "button" : "div", { className: "person", "--tint": this.colourOf(id), ...choose ? { type: "button", onclick: () => choose(id) } : {} }, el("i"), name, parts.kills, parts.bar);
    return { ...parts, item: el("li", {}, parts.row) };
  }
  #fill({ id, away, health, dead, kills }, chosen) {
    const { kills: count, bar, fill, row } = this.#rows.get(id);
    say(count, kills === null ? "" : String(kills));
    count.title = "kills seen";
    bar.hidden = health === null;
    const share = Math.min(1, Math.max(0, (health ?? 0) / 100));
    fill.style.transform = `scaleX(${share})`;
    bar.classList.toggle("low", share <= 0.3);
    row.classList.toggle("dead", dead);
    row.classList.toggle("away", away);
    row.classList.toggle("chosen", id === chosen);
  }
};

// src/draw/spectator.mjs
import { OrbitControls, Quaternion as Quaternion3, Vector3 as Vector35 } from "./vendor.js";
var BEHIND = 4;
var ABOVE = 0.55;
var Spectator = class {
  /** @type {"above" | "behind" | "eyes"} */
  view = "above";
  /** Whom one follows. @type {string | null} */
  whom = null;
  #orbit;
  #yaw = null;
  /** @param {import("./stage.mjs").Stage} stage @param {import("../model/level.mjs").Level} level @param {(above: boolean) => void} onAbove */
  constructor(stage, level, onAbove) {
    this.stage = stage;
    this.level = level;
    this.onAbove = onAbove;
    this.#orbit = new OrbitControls(stage.camera, stage.canvas);
    Object.assign(this.#orbit, { enableDamping: true, dampingFactor: 0.12, maxPolarAngle: 1.45, minDistance: 4, maxDistance: 160, screenSpacePanning: false });
    this.overview();
  }
  /** The whole level. */
  overview() {
    const { left, right, top, bottom } = this.level.bounds;
    const centre = new Vector35((left + right) / 2, 0, (top + bottom) / 2);
    const { camera } = this.stage;
    const size = Math.max(right - left, (bottom - top) * 1.1);
    const far = size * 0.54 / Math.tan(camera.fov * Math.PI / 360) / Math.min(1, camera.aspect * 1.05);
    centre.z += size * 0.08;
    this.#orbit.target.copy(centre);
    camera.position.copy(centre).add(new Vector35(0, far * 0.94, far * 0.34));
    this.view = "above";
    this.onAbove(true);
  }
  /** @param {"above" | "behind" | "eyes"} view @param {string | null} whom */
  look(view, whom) {
    if (view === "above" && this.view !== "above") this.overview();
    this.view = whom ? view : "above";
    this.whom = whom;
    this.#yaw = null;
    this.#orbit.enabled = this.view === "above";
    this.onAbove(this.view === "above");
  }
  /** Whose body is in the way. */
  get hidden() {
    return this.view === "eyes" ? this.whom ?? void 0 : void 0;
  }
  /** @param {(id: string) => any} get of the world as it is shown @param {import("../model/level.mjs").Sector[]} sectors @param {number} seconds */
  update(get, sectors, seconds) {
    const figure2 = this.whom && this.view !== "above" ? figureOf(get(this.whom) ?? {}) : null;
    if (this.view === "above") return void this.#orbit.update();
    if (!figure2) return;
    if (this.view === "eyes") this.#through(figure2);
    else this.#behind(figure2, sectors, seconds);
  }
  #through({ head: head2 }) {
    this.stage.camera.position.set(...head2.position);
    this.stage.camera.quaternion.copy(new Quaternion3(...head2.rotation));
  }
  #behind({ head: head2 }, sectors, seconds) {
    const yaw = headYaw(head2.rotation);
    if (this.#yaw === null) this.#yaw = yaw;
    const turn = Math.atan2(Math.sin(yaw - this.#yaw), Math.cos(yaw - this.#yaw));
    this.#yaw += turn * (1 - Math.exp(-seconds * 7));
    const back = [-Math.cos(this.#yaw) * Math.cos(ABOVE * 0.6), Math.sin(ABOVE * 0.6), Math.sin(this.#yaw) * Math.cos(ABOVE * 0.6)];
    const far = Math.max(0.6, reach(head2.position, back, BEHIND + 0.3, this.level, sectors) - 0.3);
    const { camera } = this.stage;
    camera.position.set(...head2.position.map((part, i) => part + back[i] * far));
    camera.lookAt(head2.position[0], head2.position[1] + 0.25, head2.position[2]);
  }
};

// src/ui/transport.mjs
var Transport = class {
  #dragging = false;
  #markSpeed;
  #markView;
  /** @param {import("../link.mjs").Link} link @param {[string, string][]} views @param {(view: string) => void} look */
  constructor(link, views, look) {
    this.link = link;
    $("transport").hidden = false;
    $("play").onclick = () => this.toggle();
    this.#markSpeed = choices($("speeds"), SPEEDS.map((speed) => [String(speed), speedLabel(speed)]), (speed) => link.control("speed", { speed: Number(speed) }));
    this.#markView = choices($("views"), views, look);
    const seek = $("seek");
    seek.oninput = () => this.#dragging = true;
    seek.onpointerup = seek.onpointercancel = () => this.#dragging = false;
    seek.onchange = () => {
      this.#dragging = true;
      this.seek(Number(seek.value)).then(() => this.#dragging = false);
    };
  }
  toggle() {
    const { playback } = this.link;
    const ended = playback.ended(performance.now());
    if (ended) return this.seek(0).then(() => this.link.control("resume"));
    return this.link.control(playback.info.paused ? "resume" : "pause");
  }
  /** @param {number} ms from the start */
  seek(ms) {
    return this.link.control("seek", { ms: Math.round(ms) });
  }
  /** @param {number} ms */
  skip(ms) {
    const { playback } = this.link;
    return this.seek(Math.min(playback.info.duration_ms, Math.max(0, playback.position(performance.now()) + ms)));
  }
  /** @param {1 | -1} step */
  faster(step) {
    const at = SPEEDS.indexOf(this.link.playback.info.speed);
    const speed = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, (at < 0 ? 2 : at) + step))];
    return this.link.control("speed", { speed });
  }
  /** @param {number} now @param {string} view @param {number} seq */
  update(now, view, seq) {
    const { playback } = this.link;
    const { duration_ms: end, paused, speed } = playback.info;
    const running = !paused && !playback.ended(now);
    $("transport").classList.toggle("playing", running);
    $("play").setAttribute("aria-label", running ? "Pause" : "Play");
    const range = $("seek");
    range.max = String(end);
    if (!this.#dragging) range.value = String(Math.round(playback.position(now)));
    say($("now"), clock(Number(range.value)));
    say($("length"), clock(end));
    say($("seq"), String(seq));
    this.#markSpeed(String(speed));
    this.#markView(view);
  }
};

// src/watch.mjs
var VIEWS = [["above", "Above"], ["behind", "Follow"], ["eyes", "Eyes"]];
var Watch = class {
  keys = [["space", "play, pause"], ["← →", "2 seconds back, on; with shift 10"], ["↑ ↓", "faster, slower"], ["1 … 9", "follow a player"], ["0", "the whole level"], ["v", "through somebody's eyes, or from behind"], ["drag, wheel", "turn and zoom, with the right button move"]];
  gestures = [["a player's name", "follow, and let go"], ["one finger", "turn"], ["two fingers", "zoom and move"]];
  /** @param {import("./app.mjs").App} app */
  constructor(app) {
    this.app = app;
    this.spectator = new Spectator(app.stage, app.drawnLevel.level, (above) => this.#above(above));
    this.transport = new Transport(app.link, VIEWS, (view) => this.look(view, this.spectator.whom));
  }
  #above(above) {
    this.app.stage.above(above);
    this.app.drawnLevel.cut(above);
    this.app.actors.above = above;
  }
  get hidden() {
    return this.spectator.hidden;
  }
  /** @param {any} view @param {string | null} whom */
  look(view, whom) {
    this.spectator.look(view, whom ?? this.app.playersNow()[0] ?? null);
  }
  /** Follows somebody, or nobody any more. @param {string} id */
  follow(id) {
    const { view, whom } = this.spectator;
    if (whom === id && view !== "above") this.spectator.look("above", null);
    else this.spectator.look(view === "above" ? "behind" : view, id);
  }
  onDiff() {
  }
  onSnapshot() {
  }
  onEvent() {
  }
  update(now, seconds, view) {
    this.spectator.update((id) => view.get(id), this.app.drawnLevel.sectors, seconds);
  }
  /** @param {number} now */
  ui(now) {
    this.transport.update(now, this.spectator.view, this.app.link.room.world.seq);
  }
  /** @param {string} code @param {boolean} shift @returns {boolean} */
  key(code, shift) {
    const { transport, spectator } = this;
    const digit = code.match(/^Digit([0-9])$/);
    if (code === "Space") transport.toggle();
    else if (code === "ArrowLeft") transport.skip(shift ? -1e4 : -2e3);
    else if (code === "ArrowRight") transport.skip(shift ? 1e4 : 2e3);
    else if (code === "ArrowUp") transport.faster(1);
    else if (code === "ArrowDown") transport.faster(-1);
    else if (code === "KeyV") this.look(spectator.view === "eyes" ? "behind" : "eyes", spectator.whom);
    else if (digit?.[1] === "0") spectator.look("above", null);
    else if (digit) this.look(spectator.view === "above" ? "behind" : spectator.view, this.app.playersNow()[digit[1] - 1] ?? null);
    else return false;
    return true;
  }
  drawn() {
    return null;
  }
};

// src/app.mjs
var UI_MS = 100;
var STATUS_MS = 500;
var PATIENCE_MS = 1500;
var App = class {
  /** @type {Live | Watch | null} */
  mode = null;
  #last = performance.now();
  #uiAt = 0;
  #frames = 0;
  #view = null;
  #lostAt = performance.now();
  #complains = false;
  /** @param {import("./link.mjs").Place & {id: string}} place @param {string} user @param {import("./link.mjs").Config} config */
  constructor(place2, user, config) {
    this.place = place2;
    this.config = config;
    this.palette = readPalette(getComputedStyle(document.documentElement));
    const colours = new Colours(this.palette.players.length);
    this.link = new Link(place2, user, config, this);
    this.colourOf = (id) => this.link.players.has(id) || this.link.room.presence.includes(id) ? this.palette.players[colours.slot(id)] : this.palette.monster;
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
    fallback?.catch(() => {
    });
    const reply = await this.link.join();
    this.#showServer(reply);
    const { world } = this.link.room;
    const named = levelOf(world.entities());
    const level = named && named !== this.config.level ? await loadLevel(named) : await fallback;
    if (!level) throw new Error("neither the page nor the world names a level");
    this.drawnLevel = new LevelDraw(level, this.palette);
    this.stage.scene.add(this.drawnLevel.group);
    this.mode = this.link.replay ? new Watch(this) : new Live(this);
    this.people = new PeopleView(this.colourOf, this.link.replay ? "Players" : "Here", this.link.replay ? (id) => (
      /** @type {Watch} */
      this.mode.follow(id)
    ) : null);
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
    const seconds = Math.min(0.25, (now - this.#last) / 1e3);
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
    const { open: open2, entity } = this.inspector;
    const place2 = open2 && entity !== null ? this.actors.place(entity) : null;
    this.mark.visible = place2 !== null;
    if (place2) this.mark.position.set(...place2);
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
    const ids = replay ? [.../* @__PURE__ */ new Set([...bodies, ...players])].sort() : [.../* @__PURE__ */ new Set([...here, ...bodies])].sort();
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
    const controls = live ? (
      /** @type {Live} */
      this.mode.controls
    ) : { key: () => false, release() {
    } };
    bindKeys(
      this.stage.canvas,
      /** @type {any} */
      controls,
      (code, shift) => this.mode.key(code, shift) || this.#key(code)
    );
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
      camera: { position: camera.position.toArray(), rotation: camera.quaternion.toArray(), fov: camera.fov }
    };
  }
};

// src/model/identity.mjs
var NAMES = ["Ada", "Alan", "Barbara", "Edsger", "Emmy", "Grace", "Hedy", "Joe", "Lise", "Mary", "Niklaus", "Robin", "Tony", "Ursula"];
function someName(random = Math.random) {
  return `${NAMES[Math.floor(random() * NAMES.length)]}-${10 + Math.floor(random() * 90)}`;
}
function nameError(name) {
  if (name.trim() === "") return "a name is missing";
  if (new TextEncoder().encode(name).length > 255) return "the name is too long";
  return null;
}
function placeOf({ pathname, search }) {
  const query = new URLSearchParams(search);
  for (
    const kind of
    /** @type {const} */
    ["room", "replay"]
  ) {
    const path = pathname.match(new RegExp(`/${kind}s/([^/]+)/?$`));
    const id = query.get(kind) ?? (path ? decoded(path[1]) : null);
    if (id) return { kind, id };
  }
  return { kind: "start" };
}
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
var addressOf = (kind, id) => `/${kind}s/${encodeURIComponent(id)}`;

// src/ui/start.mjs
var KEY = "roomfold.user";
async function showStart(config) {
  $("start").hidden = false;
  showServer(config);
  $("name").value = sessionStorage.getItem(KEY) ?? someName();
  $("recording").value = config.replays[0] ?? "";
  $("enter").onsubmit = (event) => {
    event.preventDefault();
    const name = $("name").value.trim();
    const room = $("room").value.trim();
    const error = nameError(name) ?? (room === "" ? "a room is missing" : null);
    $("enter-error").textContent = error ?? "";
    if (error) return;
    sessionStorage.setItem(KEY, name);
    location.href = addressOf("room", room);
  };
  $("watch").onsubmit = (event) => {
    event.preventDefault();
    const recording = $("recording").value.trim();
    if (recording !== "") location.href = addressOf("replay", recording);
  };
  $("name").select();
}
async function showServer(config) {
  const about = await fetch("/gateway.json").then((response) => response.ok ? response.json() : {}).catch(() => ({}));
  $("gateway").hidden = !about.gateway;
  $("gateway").textContent = about.gateway ?? "";
  const replays = [.../* @__PURE__ */ new Set([...config.replays, ...about.replays ?? []])];
  $("recordings").replaceChildren(...replays.map((value) => el("option", { value })));
}
async function ownName() {
  const asked = new URLSearchParams(location.search).get("user");
  let name = asked || sessionStorage.getItem(KEY) || someName();
  for (let n = 2; !await taken(name); n++) name = `${name.replace(/ \d+$/, "")} ${n}`;
  sessionStorage.setItem(KEY, name);
  return name;
}
function taken(name) {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    const held = (lock) => {
      resolve(lock !== null);
      return lock && new Promise(() => {
      });
    };
    navigator.locks.request(`${KEY}.${name}`, { ifAvailable: true }, held).catch(() => resolve(true));
  });
}

// src/main.mjs
main().catch((error) => showMessage(error.name === "RoomError" ? "The server refused" : "This can't be shown", sentence(error.message), () => location.reload()));
async function main() {
  const place2 = placeOf(location);
  const config = readConfig(document.documentElement, new URLSearchParams(location.search));
  if (place2.kind === "start") return showStart(config);
  document.title = `${place2.id} · Roomfold`;
  document.body.classList.remove("starting");
  return open(place2, config);
}
async function open(place2, config) {
  if (!document.createElement("canvas").getContext("webgl2")) throw new Error("This browser can't draw in 3-D: it has no WebGL 2.");
  const app = new App(place2, await ownName(), config);
  globalThis.roomfold = {
    room: app.link.room,
    get world() {
      return app.link.room.world;
    },
    link: app.link,
    drawn: () => app.drawn()
  };
  try {
    await app.open();
  } catch (error) {
    app.link.leave();
    throw error;
  }
}
