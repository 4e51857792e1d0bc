// Where a replay is, between what the server says of it.

export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8];

/** @typedef {{seq: number, last_seq: number, position_ms: number, duration_ms: number, speed: number, paused: boolean}} Info */

export class Playback {
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
}

/** "2:28". @param {number} milliseconds */
export function clock(milliseconds) {
  const seconds = Math.floor(Math.max(0, milliseconds) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** "½×" @param {number} speed */
export const speedLabel = (speed) => `${{ 0.25: "¼", 0.5: "½" }[speed] ?? speed}×`;
