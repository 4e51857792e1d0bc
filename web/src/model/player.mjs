// One's own body: where it is, what its eyes see, what is sent of it.

import { headRotation, headYaw, lookDirection, quaternionToYaw, roundedPose, turned, yawToQuaternion } from "./turn.mjs";
import { BODY, walk } from "./walk.mjs";

const ADOPT = 2; // metres: if the room has it farther away than that, the room is right

/**
 * @typedef {import("./bodies.mjs").Pose} Pose
 * @typedef {{head: Pose, left: Pose | null, right: Pose | null}} Tracked what a headset knows, in the room's metres
 */

export class Player {
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
    const { x, z } = /** @type {import("./walk.mjs").Body} */ (this.body);
    return { position: [x, this.eyes, z], rotation: headRotation(this.controls.yaw, this.controls.pitch) };
  }

  /** From where and which way a shot goes. @param {Tracked | null} tracked */
  aim(tracked) {
    const pose = tracked?.right ?? tracked?.head;
    if (pose) return { origin: pose.position, direction: turned(pose.rotation, [0, 0, -1]) };
    return { origin: this.head.position, direction: lookDirection(this.controls.yaw, this.controls.pitch) };
  }

  /**
   * What is to be sent; null: nothing has changed. Hands that are no longer there are taken away once.
   * @param {Tracked | null} tracked
   */
  input(tracked) {
    if (!this.body) return null;
    const head = tracked?.head ?? this.head;
    const { x, y, z } = this.body;
    const yaw = tracked ? headYaw(head.rotation) : this.controls.yaw;
    const poses = { ...roundedPose({ position: [x, y, z], rotation: yawToQuaternion(yaw) }), head: roundedPose(head) };
    const hands = { left: tracked?.left ? roundedPose(tracked.left) : null, right: tracked?.right ? roundedPose(tracked.right) : null };
    if (tracked || this.#hands) Object.assign(poses, hands);
    const text = JSON.stringify(poses);
    if (text === this.#sent) return null;
    this.#sent = text;
    this.#hands = Boolean(hands.left || hands.right);
    return poses;
  }
}
