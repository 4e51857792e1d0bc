// A colour for each player: the same on every page as long as there are enough, and never taken away.

export class Colours {
  /** @type {Map<string, number>} */
  #slots = new Map();

  /** @param {number} count of colours */
  constructor(count) {
    this.count = count;
  }

  /** Which of the colours. @param {string} id */
  slot(id) {
    const known = this.#slots.get(id);
    if (known !== undefined) return known;
    const taken = new Set(this.#slots.values());
    let slot = hash(id) % this.count;
    if (taken.size < this.count) while (taken.has(slot)) slot = (slot + 1) % this.count;
    this.#slots.set(id, slot);
    return slot;
  }
}

// FNV-1a. What differs in its last character only ("player0", "player1") gets neighbours.
function hash(text) {
  let sum = 0x811c9dc5;
  for (const character of text.slice(0, -1)) sum = Math.imul(sum ^ character.charCodeAt(0), 0x01000193) >>> 0;
  return sum + (text.codePointAt(text.length - 1) ?? 0);
}
