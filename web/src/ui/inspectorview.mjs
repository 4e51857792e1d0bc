// The inspector: every entity with its components, and the stream as it comes.

import { listed, shown } from "../model/inspector.mjs";
import { $, arrange, el, say } from "./elements.mjs";

const ROWS = 150;
const ENTITIES = 500;
const EVERY_MS = 200;

export class InspectorView {
  open = false;
  /** The entity that is looked at. @type {string | null} */
  entity = null;
  #tab = "entities";
  #row = null;
  #next = 0;

  /** @param {import("../model/inspector.mjs").Stream} stream @param {() => {seq: number, entities: () => Iterable<[string, any]>, get: (id: string) => any, size: number}} world */
  constructor(stream, world) {
    this.stream = stream;
    this.world = world;
    $("inspect").onclick = () => this.toggle();
    $("inspector-close").onclick = () => this.toggle(false);
    $("filter").oninput = () => this.#again();
    $("hold").onclick = () => this.hold(!stream.paused);
    for (const tab of ["entities", "events"]) $(`tab-${tab}`).onclick = () => this.select(tab);
  }

  /** @param {boolean} [open] */
  toggle(open = !this.open) {
    this.open = open;
    $("inspector").hidden = !open;
    $("inspect").setAttribute("aria-expanded", String(open));
    document.body.classList.toggle("inspecting", open);
    // It is for the mouse.
    if (open) document.exitPointerLock?.();
    this.#again();
  }

  /** @param {"entities" | "events" | string} tab */
  select(tab) {
    this.#tab = tab;
    for (const name of ["entities", "events"]) {
      $(`tab-${name}`).setAttribute("aria-selected", String(name === tab));
      $(name).hidden = name !== tab;
    }
    $("hold").hidden = tab !== "events";
    this.#again();
  }

  /** Stops the list of events where it is, to be read. @param {boolean} paused */
  hold(paused) {
    this.stream.paused = paused;
    $("hold").setAttribute("aria-pressed", String(paused));
  }

  #again() {
    this.#next = 0;
  }

  /** @param {number} now */
  update(now) {
    if (!this.open || now < this.#next) return;
    this.#next = now + EVERY_MS;
    const world = this.world();
    say($("counts"), `event ${world.seq} · ${world.size} entities`);
    if (this.#tab === "entities") this.#entities(world);
    else this.#events();
    this.#detail(world);
  }

  #entities(world) {
    const all = listed(world.entities(), $("filter").value);
    const rows = all.slice(0, ENTITIES).map(({ id, kind, type }) => ({
      key: `${id}\n${kind}\n${type}`,
      current: id === this.entity,
      texts: [id, type ? `${kind} ${type}` : kind],
      choose: () => this.#look(id),
    }));
    this.#list($("entities").firstElementChild, rows, all.length);
  }

  #look(id) {
    this.entity = this.entity === id ? null : id;
    this.#row = null;
    this.#again();
  }

  #events() {
    const rows = this.stream.find($("filter").value, ROWS).map((row) => ({
      key: String(row.key),
      current: row === this.#row,
      texts: [String(row.seq), row.name, row.about],
      className: row.kind,
      choose: () => this.#choose(row),
    }));
    this.#list($("events").firstElementChild, rows, rows.length);
  }

  #choose(row) {
    this.#row = this.#row === row ? null : row;
    this.entity = null;
    this.#again();
  }

  // What is there already stays the same element: it may just be being pressed.
  #list(list, rows, count) {
    const known = new Map([...list.children].map((item) => [item.dataset.key, item]));
    const rest = count === 0 ? "nothing" : count > rows.length ? `and ${count - rows.length} more: filter` : "";
    const items = rows.map((row) => known.get(row.key) ?? item(row));
    rows.forEach(({ current }, i) => items[i].firstChild.setAttribute("aria-current", String(current)));
    if (rest) items.push(el("li", { className: "faint" }, rest));
    arrange(list, items);
  }

  #detail(world) {
    const value = this.#row ? this.#row.value : this.entity !== null ? world.get(this.entity) : null;
    $("detail").hidden = this.#row === null && this.entity === null;
    if ($("detail").hidden) return;
    say($("detail-title"), this.#row ? `${this.#row.name} · ${this.#row.seq}` : `${this.entity}${value ? "" : " (gone)"}`);
    const pairs = Object.entries(value ?? {}).map(([name, part]) => [name, shown(part)]);
    const list = $("detail-list");
    if (list.children.length !== pairs.length * 2) list.replaceChildren(...pairs.flatMap(() => [el("dt"), el("dd")]));
    pairs.forEach(([name, text], i) => {
      say(list.children[2 * i], name);
      say(list.children[2 * i + 1], text);
    });
  }
}

function item({ key, texts, className = "", choose }) {
  const spans = texts.map((text, i) => el("span", { className: i === texts.length - 1 ? "faint" : "" }, text));
  const row = el("li", {}, el("button", { type: "button", className, onclick: choose }, ...spans));
  row.dataset.key = key;
  return row;
}
