// One's own state: health, armor, weapons, and what there is to know right now.

import { $, choices, say } from "./elements.mjs";

const HURT_MS = 300;

export class Hud {
  #weapons = "";
  #mark = (_) => {};
  #hurtTimer = null;
  #hitTimer = null;

  /** @param {(name: string) => void} choose a weapon */
  constructor(choose) {
    this.choose = choose;
    $("vitals").hidden = false;
  }

  /** @param {Object<string, any> | undefined} own components of one's entity @param {import("../model/weapons.mjs").Weapon[]} weapons @param {string} weapon */
  update(own, weapons, weapon) {
    const health = own?.health;
    say($("health"), Number.isFinite(health) ? String(health) : "–");
    $("health").classList.toggle("low", health <= 30);
    const armor = Number(own?.armor ?? 0);
    for (const part of document.querySelectorAll("#vitals .armor")) /** @type {any} */ (part).hidden = !armor;
    say($("armor"), String(armor));
    const key = weapons.map(({ name }) => name).join();
    if (key !== this.#weapons) {
      this.#weapons = key;
      this.#mark = choices($("weapons"), weapons.map(({ name, label }) => [name, label]), this.choose);
    }
    this.#mark(weapon);
  }

  /** @param {string | null} text */
  dead(text) {
    $("dead").hidden = text === null;
    say($("dead"), text ?? "");
  }

  hurt() {
    $("hurt").style.opacity = "0.3";
    clearTimeout(this.#hurtTimer);
    this.#hurtTimer = setTimeout(() => ($("hurt").style.opacity = "0"), HURT_MS / 2);
  }

  /** One's own shot hit somebody. */
  hit() {
    $("crosshair").classList.add("hit");
    clearTimeout(this.#hitTimer);
    this.#hitTimer = setTimeout(() => $("crosshair").classList.remove("hit"), HURT_MS);
  }
}
