// What has happened, for people: who killed whom, who came and went, and the score of it.

const KEPT = 200;

/**
 * @typedef {{seq: number | null, at: number, kind: "kill" | "came" | "went", whom: string, by: string | null, how: string | null}} Fact
 *   at: milliseconds of this page's clock
 * @typedef {{kills: number, monsters: number, deaths: number}} Score
 */

export class Feed {
  /** @type {Fact[]} oldest first */
  facts = [];
  /** @type {Map<string, Score>} */
  scores = new Map();
  #weapons = new Map();
  #here = null;
  #seq = 0;
  #isPlayer;

  /** @param {(id: string) => boolean} isPlayer tells players from monsters */
  constructor(isPlayer) {
    this.#isPlayer = isPlayer;
  }

  /** An event of the stream. @param {Object<string, any>} event @param {number} now milliseconds */
  event(event, now) {
    const { event_name: name, seq } = event;
    // Sought back: what was counted has not happened yet.
    if (Number.isInteger(seq)) {
      if (seq <= this.#seq) return;
      this.#seq = seq;
    }
    if (name === "weapon_fired") this.#weapons.set(event.user_id, event.weapon ?? null);
    else if (name === "player_killed") this.#kill(event.user_id, false, event.killer_id ?? event.by_id, seq, now);
    else if (name === "monster_died") this.#kill(event.id, true, event.by_id, seq, now);
  }

  #kill(whom, monster, by = null, seq = null, now) {
    const how = by && by !== whom ? (this.#weapons.get(by) ?? null) : null;
    this.#add({ seq, at: now, kind: "kill", whom, by: by ?? null, how });
    if (!monster) this.#score(whom).deaths++;
    if (by && by !== whom && this.#isPlayer(by)) this.#score(by)[monster ? "monsters" : "kills"]++;
  }

  #score(id) {
    if (!this.scores.has(id)) this.scores.set(id, { kills: 0, monsters: 0, deaths: 0 });
    return /** @type {Score} */ (this.scores.get(id));
  }

  /** Who is here now: who is new came, who is missing went. @param {string[]} users @param {number} now */
  people(users, now) {
    const here = new Set(users);
    if (this.#here) {
      for (const user of here) if (!this.#here.has(user)) this.#add({ seq: null, at: now, kind: "came", whom: user, by: null, how: null });
      for (const user of this.#here) if (!here.has(user)) this.#add({ seq: null, at: now, kind: "went", whom: user, by: null, how: null });
    }
    this.#here = here;
  }

  #add(fact) {
    this.facts.push(fact);
    if (this.facts.length > KEPT) this.facts.shift();
  }

  /** A live room's snapshot: one from before what was counted is of a room that has begun anew. @param {number} seq */
  snapshot(seq) {
    if (seq < this.#seq) this.restart(seq);
  }

  /** A replay went to another place, or a room began anew: nothing is known of what was before. @param {number} seq */
  restart(seq) {
    this.facts = [];
    this.scores = new Map();
    this.#weapons.clear();
    this.#seq = seq;
  }

  /** Those of the last milliseconds, newest last. @param {number} now @param {number} ms @param {number} most */
  recent(now, ms, most) {
    return this.facts.filter(({ at }) => now - at < ms).slice(-most);
  }
}

const WORDS = { bfg: "BFG", bfg_ball: "BFG", plasma_ball: "plasma gun", plasma: "plasma gun", ssg: "super shotgun" };

/** "super_shotgun" and "imp-3" as people write them. @param {string | null | undefined} name */
export function plain(name) {
  if (!name) return "";
  return WORDS[name] ?? String(name).replace(/-\d+$/, "").replaceAll("_", " ");
}
