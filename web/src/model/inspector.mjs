// What the inspector shows: the stream as it comes, and the entities of a world.

const KEPT = 1000;

/** @typedef {{key: number, kind: "event" | "diff" | "snapshot", seq: number, name: string, about: string, value: any}} Row */

export class Stream {
  /** @type {Row[]} oldest first */
  rows = [];
  /** How many have come in all. */
  count = 0;
  paused = false;
  #key = 0;

  /** @param {Object<string, any>} event */
  event(event) {
    const name = event.event_name ?? event.event ?? "?";
    const about = event.user_id ?? event.id ?? event.entity_id ?? "";
    this.#add({ kind: "event", seq: event.seq, name, about: String(about), value: event });
  }

  /** @param {import("../../../priv/static/roomfold/world.mjs").Diff} diff */
  diff(diff) {
    const counts = [
      [Object.keys(diff.creates).length, "created"],
      [Object.keys(diff.updates).length, "updated"],
      [diff.deletes.length, "deleted"],
    ];
    const about = counts.filter(([count]) => count).map(([count, what]) => `${count} ${what}`).join(", ");
    this.#add({ kind: "diff", seq: diff.seq, name: "diff", about, value: diff });
  }

  /** @param {{seq: number, entities: Object<string, any>}} snapshot */
  snapshot(snapshot) {
    const count = Object.keys(snapshot.entities).length;
    this.#add({ kind: "snapshot", seq: snapshot.seq, name: "snapshot", about: `${count} entities`, value: { seq: snapshot.seq, entities: count } });
  }

  #add(row) {
    this.count++;
    if (this.paused) return;
    this.rows.push({ key: ++this.#key, ...row });
    if (this.rows.length > KEPT) this.rows.splice(0, this.rows.length - KEPT);
  }

  /** The newest that fit, newest first. @param {string} filter words, all of which must be there @param {number} most */
  find(filter, most) {
    const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
    const found = [];
    for (let i = this.rows.length - 1; i >= 0 && found.length < most; i--) {
      const row = this.rows[i];
      const text = `${row.name} ${row.about} ${row.kind} ${row.seq}`.toLowerCase();
      if (words.every((word) => text.includes(word))) found.push(row);
    }
    return found;
  }
}

/**
 * Entities in a list: players first, then by kind and id, numbers as numbers.
 * @param {Iterable<[string, Object<string, any>]>} entities @param {string} filter words in an id, a kind, a type or a component's name
 */
export function listed(entities, filter) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = [];
  for (const [id, components] of entities) {
    const { kind = "", type = "" } = components;
    const text = `${id} ${kind} ${type} ${Object.keys(components).join(" ")}`.toLowerCase();
    if (words.every((word) => text.includes(word))) rows.push({ id, kind: String(kind), type: String(type) });
  }
  const rank = ({ kind }) => (kind === "player" ? "0" : kind === "monster" ? "1" : `2${kind}`);
  return rows.sort((a, b) => compare(rank(a), rank(b)) || compare(a.id, b.id));
}

const { compare } = new Intl.Collator("en", { numeric: true });

/** A component's value on one line. @param {any} value */
export function shown(value) {
  if (Array.isArray(value) && value.length && value.every((part) => typeof part === "number")) return value.map(figure).join("  ");
  if (typeof value === "number") return figure(value);
  return typeof value === "string" ? value : JSON.stringify(value, (_, part) => (typeof part === "number" ? Number(figure(part)) : part), 1).replace(/\n\s*/g, " ");
}

const figure = (number) => String(Number.isInteger(number) ? number : Math.round(number * 1000) / 1000);
