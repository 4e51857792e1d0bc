// Who is here, as presence_state and presence_diff tell it.

/** @typedef {{metas: {phx_ref: string}[]}} Entry */

export class People {
  /** @type {Map<string, Set<string>>} user → references of its connections */
  #users = new Map();

  // Of which join the state is, and the changes of a join whose state has not come yet: Phoenix sends the two by different
  // processes, so that a change that the state does not have may come before it.
  #join = null;
  #early = { join: null, changes: [] };

  /** All of them. @param {Object<string, Entry>} state @param {string} join the reference of the channel's join */
  reset(state, join) {
    this.#users = new Map(Object.entries(state).map(([user, entry]) => [user, refs(entry)]));
    this.#join = join;
    if (this.#early.join === join) this.#early.changes.forEach((change) => this.#apply(change));
    this.#early = { join: null, changes: [] };
  }

  /** Those who came and went. @param {{joins: Object<string, Entry>, leaves: Object<string, Entry>}} change @param {string} join */
  change(change, join) {
    if (join === this.#join) return this.#apply(change);
    if (join !== this.#early.join) this.#early = { join, changes: [] };
    this.#early.changes.push(change);
  }

  #apply({ joins, leaves }) {
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
