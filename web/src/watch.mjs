// One looks at a recording.

import { Spectator } from "./draw/spectator.mjs";
import { Transport } from "./ui/transport.mjs";

/** @type {[string, string][]} */
const VIEWS = [["above", "Above"], ["behind", "Follow"], ["eyes", "Eyes"]];

export class Watch {
  keys = [["space", "play, pause"], ["← →", "2 seconds back, on; with shift 10"], ["↑ ↓", "faster, slower"], ["1 … 9", "follow a player"], ["0", "the whole level"], ["v", "through somebody's eyes, or from behind"], ["drag, wheel", "turn and zoom, with the right button move"]];
  gestures = [["a player's name", "follow, and let go"], ["one finger", "turn"], ["two fingers", "zoom and move"]];

  /** @param {import("./app.mjs").App} app */
  constructor(app) {
    this.app = app;
    this.spectator = new Spectator(app.stage, app.drawnLevel.level, (above) => this.#above(above));
    this.transport = new Transport(app.link, VIEWS, (view) => this.look(view, this.spectator.whom));
  }

  #above(above) {
    this.app.stage.above(above);
    this.app.drawnLevel.cut(above);
    this.app.actors.above = above;
  }

  get hidden() {
    return this.spectator.hidden;
  }

  /** @param {any} view @param {string | null} whom */
  look(view, whom) {
    this.spectator.look(view, whom ?? this.app.playersNow()[0] ?? null);
  }

  /** Follows somebody, or nobody any more. @param {string} id */
  follow(id) {
    const { view, whom } = this.spectator;
    if (whom === id && view !== "above") this.spectator.look("above", null);
    else this.spectator.look(view === "above" ? "behind" : view, id);
  }

  onDiff() {}
  onSnapshot() {}
  onEvent() {}

  update(now, seconds, view) {
    this.spectator.update((id) => view.get(id), this.app.drawnLevel.sectors, seconds);
  }

  /** @param {number} now */
  ui(now) {
    this.transport.update(now, this.spectator.view, this.app.link.room.world.seq);
  }

  /** @param {string} code @param {boolean} shift @returns {boolean} */
  key(code, shift) {
    const { transport, spectator } = this;
    const digit = code.match(/^Digit([0-9])$/);
    if (code === "Space") transport.toggle();
    else if (code === "ArrowLeft") transport.skip(shift ? -10_000 : -2000);
    else if (code === "ArrowRight") transport.skip(shift ? 10_000 : 2000);
    else if (code === "ArrowUp") transport.faster(1);
    else if (code === "ArrowDown") transport.faster(-1);
    else if (code === "KeyV") this.look(spectator.view === "eyes" ? "behind" : "eyes", spectator.whom);
    else if (digit?.[1] === "0") spectator.look("above", null);
    else if (digit) this.look(spectator.view === "above" ? "behind" : spectator.view, this.app.playersNow()[digit[1] - 1] ?? null);
    else return false;
    return true;
  }

  drawn() {
    return null;
  }
}
