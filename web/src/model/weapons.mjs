// The weapons as this client uses them. What a hit does is the room's affair.

/**
 * @typedef {{name: string, label: string, everyMs: number, projectile?: {type: string, speed: number, radius: number}}} Weapon
 */

/** @type {Weapon[]} in the order of their keys */
export const WEAPONS = [
  { name: "fist", label: "fist", everyMs: 500 },
  { name: "pistol", label: "pistol", everyMs: 400 },
  { name: "shotgun", label: "shotgun", everyMs: 1000 },
  { name: "super_shotgun", label: "super shotgun", everyMs: 1500 },
  { name: "chaingun", label: "chaingun", everyMs: 125 },
  { name: "rocket_launcher", label: "rocket launcher", everyMs: 800, projectile: { type: "rocket", speed: 18, radius: 0.25 } },
  { name: "plasma", label: "plasma gun", everyMs: 150, projectile: { type: "plasma_ball", speed: 22, radius: 0.2 } },
  { name: "bfg", label: "BFG", everyMs: 1500, projectile: { type: "bfg_ball", speed: 22, radius: 0.4 } },
];

const FIRST = ["fist", "pistol"];
const FIST_RANGE = 2;

/** Those that a player has: the first two, and what was collected. @param {Object<string, any> | undefined} player components */
export function weaponsOf(player) {
  const collected = Array.isArray(player?.weapons) ? player.weapons : [];
  return WEAPONS.filter(({ name }) => FIRST.includes(name) || collected.includes(name));
}

/** @param {string | undefined} name @returns {Weapon} */
export const weaponNamed = (name) => WEAPONS.find((weapon) => weapon.name === name) ?? WEAPONS[1];

/**
 * What is said of a shot.
 * @param {{user: string, weapon: Weapon, origin: number[], direction: number[], seen: number}} shot seen: the seq of what the shooter
 *   saw, by which it is judged
 * @returns {Object<string, any>} the payload of `weapon_fired`
 */
export function shotOf({ user, weapon, origin, direction, seen }) {
  const shot = { user_id: user, weapon: weapon.name, hand_position: origin, weapon_direction: direction };
  if (!weapon.projectile) return { ...shot, range: weapon.name === "fist" ? FIST_RANGE : 64, seen_seq: seen };
  const { type, speed, radius } = weapon.projectile;
  const velocity = direction.map((part) => part * speed);
  return { ...shot, type, velocity, collider: { shape: "sphere", radius, at: "centre" } };
}

/** When a weapon may fire again. */
export class Trigger {
  #ready = 0;

  /** @param {Weapon} weapon @param {number} now milliseconds @returns {boolean} whether it fires now */
  pull(weapon, now) {
    if (now < this.#ready) return false;
    this.#ready = now + weapon.everyMs;
    return true;
  }
}
