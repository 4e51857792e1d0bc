// What happens in the room as one of its clients is told it: the first of each thing, and how long what others said took to get here.

/** @typedef {import("./player.mjs").Player} Player */

export class Conversation {
  /** Milliseconds from a player's saying where it is to its being seen here. @type {number[]} */
  seen = [];
  /** How often what happened. @type {Map<string, number>} */
  counts = new Map();

  #waiting = new Map();
  #first = new Map();

  /** @param {Player} witness @param {Player[]} others */
  constructor(witness, others) {
    const byUser = new Map(others.map((player) => [player.user, player]));
    witness.room.on("diff", (diff) => {
      for (const [user, player] of byUser) this.#moved(player, diff.updates[user]?.position);
      this.#left(diff.deletes);
    });
    witness.room.on("event", (event) => this.#happened(event.event_name, event));
  }

  #moved(player, position) {
    const ms = position && player.since(position);
    if (ms === undefined) return;
    this.seen.push(ms);
    this.#happened("player_moved", { user_id: player.user, position });
  }

  #left(ids) {
    for (const id of ids) this.#happened(`left ${id}`, id);
  }

  #happened(name, value) {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    if (!this.#first.has(name)) this.#first.set(name, value);
    this.#waiting.get(name)?.(value);
    this.#waiting.delete(name);
  }

  /** The first time that something happens, or happened; rejected after so many milliseconds. @param {string} name @param {number} ms */
  first(name, ms) {
    if (this.#first.has(name)) return Promise.resolve(this.#first.get(name));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${name} in ${Math.round(ms / 1000)} s`)), ms);
      this.#waiting.set(name, (value) => {
        clearTimeout(timer);
        resolve(value);
      });
    });
  }
}
