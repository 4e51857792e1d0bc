// Who is here, as presence_state and presence_diff tell it.

/** @typedef {{metas: {phx_ref: string}[]}} Entry */

export class People {
  /** @type {Map<string, Set<string>>} user → references of its connections */
  #users = new Map();

  /** All of them. @param {Object<string, Entry>} state */
  reset(state) {
    this.#users = new Map(Object.entries(state).map(([user, entry]) => [user, refs(entry)]));
  }

  /** Those who came and went. @param {{joins: Object<string, Entry>, leaves: Object<string, Entry>}} diff */
  change({ joins, leaves }) {
    for (const [user, entry] of Object.entries(joins)) {
      const known = this.#users.get(user) ?? new Set();
      for (const ref of refs(entry)) known.add(ref);
      this.#users.set(user, known);
    }
    for (const [user, entry] of Object.entries(leaves)) {
      const known = this.#users.get(user);
      if (!known) continue;
      for (const ref of refs(entry)) known.delete(ref);
      if (known.size === 0) this.#users.delete(user);
    }
  }

  /** Their ids, sorted. @returns {string[]} */
  list() {
    return [...this.#users.keys()].sort();
  }
}

const refs = (entry) => new Set(entry.metas.map((meta) => meta.phx_ref));
