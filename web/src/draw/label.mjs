// A name over a head, with how much health is left.

import { CanvasTexture, Sprite, SpriteMaterial, SRGBColorSpace } from "../vendor.mjs";

const WIDTH = 512;
const HEIGHT = 116;
const FONT = "600 54px Inter, ui-sans-serif, system-ui, sans-serif";

export class Label {
  #shown = "";

  /** @param {string} name @param {string} colour @param {Object<string, any>} palette */
  constructor(name, colour, palette) {
    this.name = name;
    this.colour = colour;
    this.palette = palette;
    this.canvas = document.createElement("canvas");
    this.canvas.width = WIDTH;
    this.canvas.height = HEIGHT;
    this.texture = new CanvasTexture(this.canvas);
    this.texture.colorSpace = SRGBColorSpace;
    this.sprite = new Sprite(new SpriteMaterial({ map: this.texture, transparent: true, depthWrite: false, fog: false }));
  }

  /** @param {number | null} health share of 1, or none @param {number} distance metres from the eyes @param {boolean} above seen from above: through walls */
  update(health, distance, above) {
    const size = Math.min(above ? 12 : 2.4, Math.max(0.5, distance * 0.085));
    this.sprite.material.depthTest = !above;
    this.sprite.scale.set(size * 1.6, (size * 1.6 * HEIGHT) / WIDTH, 1);
    const shown = `${this.name} ${health === null ? "" : Math.round(health * 40)}`;
    if (shown !== this.#shown) this.#draw(health);
    this.#shown = shown;
  }

  #draw(health) {
    const ctx = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    const { palette } = this;
    ctx.clearRect(0, 0, WIDTH, HEIGHT);
    ctx.font = FONT;
    ctx.textAlign = "center";
    ctx.lineJoin = "round";
    ctx.lineWidth = 10;
    ctx.strokeStyle = palette.surface;
    ctx.globalAlpha = 0.9;
    ctx.strokeText(this.name, WIDTH / 2, 58, WIDTH - 20);
    ctx.globalAlpha = 1;
    ctx.fillStyle = palette.ink;
    ctx.fillText(this.name, WIDTH / 2, 58, WIDTH - 20);
    if (health !== null) this.#bar(ctx, health);
    this.texture.needsUpdate = true;
  }

  #bar(ctx, health) {
    const bar = (share, colour) => {
      ctx.fillStyle = colour;
      ctx.beginPath();
      ctx.roundRect(WIDTH / 2 - 100, 84, 200 * share, 16, 8);
      ctx.fill();
    };
    bar(1, this.palette.surface);
    ctx.globalAlpha = 0.2;
    bar(1, this.palette.ink);
    ctx.globalAlpha = 1;
    if (health > 0) bar(Math.max(0.07, Math.min(1, health)), health <= 0.3 ? this.palette.hurt : this.colour);
  }

  dispose() {
    this.texture.dispose();
    this.sprite.material.dispose();
  }
}
