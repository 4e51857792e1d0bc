// WebXR: into virtual reality and back, and where head and hands are.

import { Group, Matrix4, Quaternion, Vector3 } from "../vendor.mjs";
import { hand, ownGun, plainMaterial } from "./shapes.mjs";

const DEAD = 0.2; // of a stick's way
const SNAP = Math.PI / 6;

/** @typedef {import("../model/player.mjs").Tracked} Tracked */

export class Headset {
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
    this.group = new Group();
    this.group.add(this.hands.left, this.hands.right);
    this.group.visible = false;
  }

  /** Whether there is one. @returns {Promise<boolean>} */
  static async supported() {
    try {
      return (await navigator.xr?.isSessionSupported("immersive-vr")) === true;
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
      await session.end().catch(() => {});
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
    if (!transform || (handedness !== "left" && handedness !== "right")) return;
    // Where it is is the grip's, which way it points the ray's.
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
    const eyes = this.stage.renderer.xr.getCamera().getWorldPosition(new Vector3());
    const turn = new Matrix4().makeRotationY(-Math.sign(x) * SNAP);
    rig.position.sub(eyes).applyMatrix4(turn).add(eyes);
    rig.rotation.y -= Math.sign(x) * SNAP;
  }

  #inRoom({ position, orientation }) {
    const { rig } = this.stage;
    const at = rig.localToWorld(new Vector3(position.x, position.y, position.z));
    const turn = rig.getWorldQuaternion(new Quaternion()).multiply(new Quaternion(orientation.x, orientation.y, orientation.z, orientation.w));
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
}
