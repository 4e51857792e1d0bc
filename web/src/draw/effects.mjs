// What is seen for a moment: the way of a shot, where it hit.

import { CylinderGeometry, Group, Mesh, MeshBasicMaterial, Quaternion, Vector3 } from "../vendor.mjs";
import { ballGeometry, ringGeometry } from "./shapes.mjs";

const MOST = 200;
const up = new Vector3(0, 1, 0);
const tube = new CylinderGeometry(1, 1, 1, 6, 1, true);

export class Effects {
  group = new Group();
  /** @type {{mesh: Mesh, born: number, ms: number, opacity: number, grow: number}[]} */
  #shown = [];

  /** A shot's way. @param {number[]} from @param {number[]} to @param {string} colour @param {number} now */
  tracer(from, to, colour, now) {
    const way = new Vector3(...to).sub(new Vector3(...from));
    const length = way.length();
    if (length < 0.1) return;
    const mesh = new Mesh(tube, faint(colour));
    mesh.scale.set(0.007, length, 0.007);
    mesh.position.set(...from).addScaledVector(way, 0.5);
    mesh.quaternion.copy(new Quaternion().setFromUnitVectors(up, way.normalize()));
    this.#add(mesh, now, 140, 0.4, 0);
  }

  /** A hit. @param {number[]} at @param {string} colour @param {number} now @param {number} [size] */
  spark(at, colour, now, size = 0.09) {
    const mesh = new Mesh(ballGeometry(), faint(colour));
    mesh.position.set(...at);
    mesh.scale.setScalar(size);
    this.#add(mesh, now, 350, 0.9, size * 3);
  }

  /** Somebody came or went there. @param {number[]} at @param {string} colour @param {number} now */
  ring(at, colour, now) {
    const mesh = new Mesh(ringGeometry(), faint(colour));
    mesh.material.side = 2;
    mesh.position.set(at[0], at[1] + 0.06, at[2]);
    mesh.scale.setScalar(0.4);
    this.#add(mesh, now, 700, 0.8, 1.6);
  }

  #add(mesh, born, ms, opacity, grow) {
    if (this.#shown.length >= MOST) this.#drop(/** @type {any} */ (this.#shown.shift()));
    mesh.userData.size = mesh.scale.clone();
    this.group.add(mesh);
    this.#shown.push({ mesh, born, ms, opacity, grow });
  }

  /** @param {number} now */
  update(now) {
    this.#shown = this.#shown.filter((one) => {
      const age = (now - one.born) / one.ms;
      if (age >= 1) return this.#drop(one);
      /** @type {any} */ (one.mesh.material).opacity = one.opacity * (1 - age);
      if (one.grow) one.mesh.scale.copy(one.mesh.userData.size).addScalar(one.grow * Math.sqrt(age));
      return true;
    });
  }

  #drop({ mesh }) {
    this.group.remove(mesh);
    mesh.material.dispose();
    return false;
  }
}

const faint = (color) => new MeshBasicMaterial({ color, transparent: true, depthWrite: false });
