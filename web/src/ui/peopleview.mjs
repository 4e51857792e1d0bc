// Who is here, with health and kills.

import { $, el, say } from "./elements.mjs";

export class PeopleView {
  #rows = new Map();
  #title;

  /** @param {(id: string) => string} colourOf @param {string} title @param {((id: string) => void) | null} choose what a click does */
  constructor(colourOf, title, choose) {
    this.colourOf = colourOf;
    this.choose = choose;
    this.#title = title;
    say($("people-title"), title);
  }

  /**
   * @param {{id: string, you: boolean, away: boolean, health: number | null, dead: boolean, kills: number | null}[]} people
   * @param {string | null} chosen
   */
  update(people, chosen) {
    $("people").hidden = people.length === 0;
    say($("people-title"), `${this.#title} · ${people.length}`);
    const shown = [...this.#rows.keys()];
    if (people.length !== shown.length || people.some(({ id }, i) => id !== shown[i])) this.#build(people);
    for (const person of people) this.#fill(person, chosen);
  }

  #build(people) {
    this.#rows = new Map(people.map((person) => [person.id, this.#row(person)]));
    $("people-list").replaceChildren(...[...this.#rows.values()].map(({ item }) => item));
  }

  #row({ id, you }) {
    const parts = { kills: el("em"), fill: el("span"), bar: null, row: null };
    parts.bar = el("div", { className: "bar" }, parts.fill);
    const name = el("strong", { title: id }, id, ...(you ? [el("em", {}, " (you)")] : []));
    const { choose } = this;
    parts.row = el(choose ? "button" : "div", { className: "person", "--tint": this.colourOf(id), ...(choose ? { type: "button", onclick: () => choose(id) } : {}) }, el("i"), name, parts.kills, parts.bar);
    return { ...parts, item: el("li", {}, parts.row) };
  }

  #fill({ id, away, health, dead, kills }, chosen) {
    const { kills: count, bar, fill, row } = this.#rows.get(id);
    say(count, kills === null ? "" : String(kills));
    count.title = "kills seen";
    bar.hidden = health === null;
    const share = Math.min(1, Math.max(0, (health ?? 0) / 100));
    fill.style.transform = `scaleX(${share})`;
    bar.classList.toggle("low", share <= 0.3);
    row.classList.toggle("dead", dead);
    row.classList.toggle("away", away);
    row.classList.toggle("chosen", id === chosen);
  }
}
