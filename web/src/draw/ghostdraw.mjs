// A ghost on the stage: a head and two hands one can look through.

import { Group } from "../vendor.mjs";
import { hand, head, plainMaterial } from "./shapes.mjs";

export class GhostDraw {
  group = new Group();

  /** @param {Object<string, any>} palette */
  constructor(palette) {
    const material = plainMaterial(palette.fog, 0.55);
    // Light of its own: it is no body.
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
      const pose = poses[name];
      part.visible = Boolean(pose);
      if (!pose) continue;
      part.position.set(...pose.position);
      part.quaternion.set(...pose.rotation);
    }
  }
}
