// How one looks at a replay: from above, behind somebody, or through somebody's eyes.

import { OrbitControls, Quaternion, Vector3 } from "../vendor.mjs";
import { figureOf } from "../model/bodies.mjs";
import { headYaw } from "../model/turn.mjs";
import { reach } from "../model/walk.mjs";

const BEHIND = 4;
const ABOVE = 0.55;

export class Spectator {
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
    const centre = new Vector3((left + right) / 2, 0, (top + bottom) / 2);
    const { camera } = this.stage;
    const size = Math.max(right - left, (bottom - top) * 1.1);
    const far = (size * 0.54) / Math.tan((camera.fov * Math.PI) / 360) / Math.min(1, camera.aspect * 1.05);
    // A little more room below, where the controls are.
    centre.z += size * 0.08;
    this.#orbit.target.copy(centre);
    camera.position.copy(centre).add(new Vector3(0, far * 0.94, far * 0.34));
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
    return this.view === "eyes" ? (this.whom ?? undefined) : undefined;
  }

  /** @param {(id: string) => any} get of the world as it is shown @param {import("../model/level.mjs").Sector[]} sectors @param {number} seconds */
  update(get, sectors, seconds) {
    const figure = this.whom && this.view !== "above" ? figureOf(get(this.whom) ?? {}) : null;
    if (this.view === "above") return void this.#orbit.update();
    // Dead, or between two lives: the view stays where it was.
    if (!figure) return;
    if (this.view === "eyes") this.#through(figure);
    else this.#behind(figure, sectors, seconds);
  }

  #through({ head }) {
    this.stage.camera.position.set(...head.position);
    this.stage.camera.quaternion.copy(new Quaternion(...head.rotation));
  }

  #behind({ head }, sectors, seconds) {
    const yaw = headYaw(head.rotation);
    if (this.#yaw === null) this.#yaw = yaw;
    const turn = Math.atan2(Math.sin(yaw - this.#yaw), Math.cos(yaw - this.#yaw));
    this.#yaw += turn * (1 - Math.exp(-seconds * 7));
    const back = [-Math.cos(this.#yaw) * Math.cos(ABOVE * 0.6), Math.sin(ABOVE * 0.6), Math.sin(this.#yaw) * Math.cos(ABOVE * 0.6)];
    const far = Math.max(0.6, reach(head.position, back, BEHIND + 0.3, this.level, sectors) - 0.3);
    const { camera } = this.stage;
    camera.position.set(...head.position.map((part, i) => part + back[i] * far));
    camera.lookAt(head.position[0], head.position[1] + 0.25, head.position[2]);
  }
}
