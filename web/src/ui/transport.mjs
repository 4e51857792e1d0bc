// The bar of a replay: play, pause, where it is, how fast, from where one looks.

import { clock, speedLabel, SPEEDS } from "../model/playback.mjs";
import { $, choices, say } from "./elements.mjs";

export class Transport {
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
    seek.oninput = () => (this.#dragging = true);
    // Let go where it was taken there is no change.
    seek.onpointerup = seek.onpointercancel = () => (this.#dragging = false);
    seek.onchange = () => {
      this.#dragging = true;
      this.seek(Number(seek.value)).then(() => (this.#dragging = false));
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
}
