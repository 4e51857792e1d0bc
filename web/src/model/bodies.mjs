// How an entity is to be drawn: what it is, and where its body, head and hands are. No drawing here.

import { headRotation, headYaw, quaternionToYaw, yawToQuaternion } from "./turn.mjs";

const HEAD = 1.53; // metres above the feet, where nobody says it
const UPRIGHT = [0, 0, 0, 1];

/**
 * @typedef {"player" | "monster" | "item" | "projectile" | "effect" | "corpse" | "decor" | "marker"} Form
 * @typedef {{position: number[], rotation: number[]}} Pose
 * @typedef {{body: Pose, head: Pose, left: Pose | null, right: Pose | null}} Figure
 */

const FORMS = new Map(Object.entries({ player: "player", monster: "monster", item: "item", key: "item", projectile: "projectile", effect: "effect", corpse: "corpse", decor: "decor", marker: "marker" }));

/** What an entity is drawn as; null: not at all. @param {Object<string, any>} components @returns {Form | null} */
export function formOf(components) {
  const form = FORMS.get(components.kind);
  if (form) return isPoint(components.position) || (form === "player" && poseOf(components.head)) ? /** @type {Form} */ (form) : null;
  // A user of a room without kinds.
  if (components.kind === undefined && (poseOf(components.head) || poseOf(components.pose))) return "player";
  return components.kind === undefined && isPoint(components.position) ? "player" : null;
}

const isPoint = (value) => Array.isArray(value) && value.length === 3 && value.every(Number.isFinite);
const isTurn = (value) => Array.isArray(value) && value.length === 4 && value.every(Number.isFinite);

/** A pose, as an object or as seven numbers. @param {any} value @returns {Pose | null} */
export function poseOf(value) {
  if (Array.isArray(value) && value.length === 7 && value.every(Number.isFinite)) return { position: value.slice(0, 3), rotation: value.slice(3) };
  if (!isPoint(value?.position)) return null;
  return { position: value.position, rotation: isTurn(value.rotation) ? value.rotation : UPRIGHT };
}

/** Where the parts of a player are: what it does not say follows from the rest. @param {Object<string, any>} components @returns {Figure | null} */
export function figureOf(components) {
  const own = poseOf(components.pose) ?? { position: components.position, rotation: components.rotation };
  const [left, right] = [poseOf(components.left), poseOf(components.right)];
  const head = poseOf(components.head);
  if (!head) {
    if (!isPoint(own.position)) return null;
    const rotation = isTurn(own.rotation) ? own.rotation : UPRIGHT;
    const [x, y, z] = own.position;
    return { body: { position: own.position, rotation }, head: { position: [x, y + HEAD, z], rotation: headRotation(quaternionToYaw(rotation), 0) }, left, right };
  }
  const [x, y, z] = head.position;
  const position = isPoint(own.position) ? own.position : [x, y - HEAD, z];
  const rotation = isTurn(own.rotation) ? own.rotation : yawToQuaternion(headYaw(head.rotation));
  return { body: { position, rotation }, head, left, right };
}
