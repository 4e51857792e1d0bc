// What a player wants, from keys, mouse, touch and gamepad alike. No DOM here.

const MOUSE = 0.0022; // radians for a pixel
const TURN = 2.4; // radians a second, by the keys
const PITCH = 1.5;
const WALK = 6;
const RUN = 10;

const KEYS = {
  KeyW: "forward", KeyS: "back", KeyA: "left", KeyD: "right", ArrowUp: "forward", ArrowDown: "back",
  ArrowLeft: "turnLeft", ArrowRight: "turnRight", ShiftLeft: "run", ShiftRight: "run", Space: "fire",
};

export class Controls {
  yaw = 0;
  pitch = 0;
  #held = new Set();
  #stick = [0, 0];
  #firing = new Set();
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
}

const wrapped = (angle) => Math.atan2(Math.sin(angle), Math.cos(angle));
