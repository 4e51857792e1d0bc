// The latest of what happened, and what was refused.

import { plain } from "../model/feed.mjs";
import { $, arrange, el } from "./elements.mjs";

const SHOWN_MS = 7000;
const MOST = 5;
const TOAST_MS = 4500;

export class FeedView {
  /** Facts that are shown, with their lines: one that stays is not read out again. */
  #lines = new Map();
  #toasts = new Map();

  /** @param {(id: string) => string} colourOf */
  constructor(colourOf) {
    this.colourOf = colourOf;
  }

  /** @param {import("../model/feed.mjs").Feed} feed @param {number} now */
  update(feed, now) {
    const facts = feed.recent(now, SHOWN_MS, MOST);
    this.#lines = new Map(facts.map((fact) => [fact, this.#lines.get(fact) ?? this.#line(fact)]));
    arrange($("feed"), [...this.#lines.values()]);
  }

  #line({ kind, whom, by, how }) {
    const who = person(whom, this.colourOf);
    if (kind === "came") return el("li", {}, who, " came");
    if (kind === "went") return el("li", {}, who, " left");
    if (!by || by === whom) return el("li", {}, who, " died");
    const weapon = how ? [el("span", { className: "how" }, ` · ${plain(how)}`)] : [];
    return el("li", {}, person(by, this.colourOf), " killed ", who, ...weapon);
  }

  /** Something that must be said: what was refused and why. The same again only counts. @param {string} text */
  toast(text) {
    const known = this.#toasts.get(text);
    if (known) {
      clearTimeout(known.timer);
      known.count++;
      known.item.textContent = `${text} (${known.count} times)`;
      known.timer = setTimeout(() => this.#drop(text), TOAST_MS);
      return;
    }
    const item = el("li", {}, text);
    $("toasts").append(item);
    this.#toasts.set(text, { item, count: 1, timer: setTimeout(() => this.#drop(text), TOAST_MS) });
  }

  #drop(text) {
    this.#toasts.get(text)?.item.remove();
    this.#toasts.delete(text);
  }
}

const person = (id, colourOf) => el("b", { style: `color: ${colourOf(id)}` }, id);
