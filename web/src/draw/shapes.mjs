// The forms of what is in a room. Each is made once and shared.

import { BoxGeometry, CapsuleGeometry, CircleGeometry, ConeGeometry, CylinderGeometry, ExtrudeGeometry, Group, LatheGeometry, Mesh, MeshBasicMaterial, MeshLambertMaterial, OctahedronGeometry, RingGeometry, Shape, SphereGeometry, Vector2 } from "../vendor.mjs";

const once = (make) => {
  let made;
  return () => (made ??= make());
};

const lathe = (points) => new LatheGeometry(points.map(([radius, height]) => new Vector2(radius, height)), 24);

const G = {
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
  post: once(() => new CylinderGeometry(0.2, 0.26, 1.1, 14).translate(0, 0.55, 0)),
};

function extruded(points) {
  const shape = new Shape(points.map(([x, y]) => new Vector2(x, y)));
  return new ExtrudeGeometry(shape, { depth: 0.12, bevelEnabled: false }).translate(0, 0, -0.06);
}

export const plainMaterial = (color, opacity = 1) => new MeshLambertMaterial({ color, transparent: opacity < 1, opacity });
const bright = (color, opacity = 1) => new MeshBasicMaterial({ color, transparent: opacity < 1, opacity });

const place = (mesh, x, y, z) => {
  mesh.position.set(x, y, z);
  return mesh;
};

/** A soft spot on the floor below something. @param {number} radius */
function shadow(radius) {
  const mesh = new Mesh(G.disc(), new MeshBasicMaterial({ color: 0x1b1f24, transparent: true, opacity: 0.16, depthWrite: false }));
  mesh.scale.setScalar(radius);
  mesh.position.y = 0.02;
  return mesh;
}

/** A body without head and hands, facing +x. @param {import("../vendor.mjs").MeshLambertMaterial} material @param {string} dark */
export function playerBody(material, dark) {
  const body = new Group();
  const gun = place(new Mesh(G.gun(), plainMaterial(dark)), 0.34, 1.08, 0.24);
  gun.name = "gun";
  body.add(new Mesh(G.torso(), material), gun, shadow(0.42));
  return body;
}

/** A head that looks along -z. @param {import("../vendor.mjs").MeshLambertMaterial} material @param {string} dark */
export function head(material, dark) {
  const group = new Group();
  group.add(new Mesh(G.skull(), material), new Mesh(G.visor(), plainMaterial(dark)));
  return group;
}

/** A hand that points along -z. @param {import("../vendor.mjs").MeshLambertMaterial} material */
export const hand = (material) => new Mesh(G.hand(), material);

/** @param {import("../vendor.mjs").MeshLambertMaterial} material @param {string} dark @param {string} glow */
export function monster(material, dark, glow) {
  const body = new Group();
  for (const side of [-1, 1]) {
    const horn = place(new Mesh(G.horn(), plainMaterial(dark)), 0.06, 1.5, side * 0.25);
    horn.rotation.x = side * 0.5;
    body.add(horn, place(new Mesh(G.eye(), bright(glow)), 0.37, 1.22, side * 0.15));
  }
  body.add(new Mesh(G.brute(), material), shadow(0.55));
  return body;
}

const ITEMS = [
  [/stimpack|medikit|health|soulsphere|megasphere|berserk/, "health", (material) => new Mesh(G.cross(), material)],
  [/armor/, "armor", (material) => new Mesh(G.shield(), material)],
  [/clip|shells|rocket$|cell|_box|backpack/, "ammo", (material) => new Mesh(G.box(), material)],
  [/shotgun|chaingun|launcher|plasma|bfg|chainsaw|pistol/, "weapon", longGun],
  [/./, "power", (material) => new Mesh(G.gem(), material)],
];

function longGun(material) {
  const group = new Group();
  group.add(new Mesh(G.barrel(), material), place(new Mesh(G.stock(), material), -0.36, -0.1, 0));
  return group;
}

/** Something that lies about: a part named "turns" floats over its shadow. @param {string} type @param {Object<string, any>} palette */
export function item(type, palette) {
  const [, colour, form] = /** @type {any} */ (ITEMS.find(([pattern]) => pattern.test(type)) ?? ITEMS.at(-1));
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

/** @param {number} radius @param {string} colour */
export function projectile(radius, colour) {
  const group = new Group();
  const halo = new Mesh(G.ball(), bright(colour, 0.35));
  const core = new Mesh(G.ball(), bright(colour));
  const heart = new Mesh(G.ball(), bright(0xffffff));
  halo.scale.setScalar(radius * 1.35);
  core.scale.setScalar(radius * 0.85);
  heart.scale.setScalar(radius * 0.55);
  group.add(heart, core, halo);
  core.material.transparent = true;
  core.material.opacity = 0.8;
  return group;
}

/** A small thing that is seen for a moment. @param {string} type @param {Object<string, any>} palette */
export function effect(type, palette) {
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

/** Something that stands there. @param {string} colour */
export const decor = (colour) => new Mesh(G.post(), plainMaterial(colour));

/** A place to be taken to. @param {string} colour */
export function marker(colour) {
  const ring = new Mesh(G.ring(), bright(colour, 0.6));
  ring.scale.setScalar(0.6);
  ring.position.y = 0.03;
  const group = new Group();
  group.add(ring);
  return group;
}

/** Where somebody is, seen from above. @param {string} colour */
export function spot(colour) {
  const group = new Group();
  const disc = new Mesh(G.disc(), new MeshBasicMaterial({ color: colour, transparent: true, opacity: 0.25, depthWrite: false }));
  const ring = new Mesh(G.ring(), bright(colour));
  group.add(disc, ring);
  group.scale.setScalar(1.25);
  return group;
}

/** What one looks at in the inspector. @param {string} colour */
export function mark(colour) {
  const group = spot(colour);
  const post = new Mesh(G.beam(), new MeshBasicMaterial({ color: colour, transparent: true, opacity: 0.35, depthWrite: false, depthTest: false }));
  group.scale.setScalar(0.8);
  group.add(post);
  group.visible = false;
  return group;
}

/** What is held in front of one's own eyes. @param {Object<string, any>} palette */
export function ownGun(palette) {
  const group = new Group();
  const dark = plainMaterial(palette.weapon);
  const barrel = place(new Mesh(new CylinderGeometry(0.011, 0.013, 0.3, 14).rotateX(Math.PI / 2), dark), 0, 0.006, -0.15);
  const frame = place(new Mesh(new BoxGeometry(0.026, 0.034, 0.17), dark), 0, -0.008, -0.075);
  const grip = place(new Mesh(new BoxGeometry(0.024, 0.1, 0.045), dark), 0, -0.06, -0.015);
  grip.rotation.x = -0.25;
  group.add(barrel, frame, grip);
  return group;
}

export const ballGeometry = G.ball;
export const ringGeometry = G.ring;
