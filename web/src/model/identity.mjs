// Who one is on this page, and what the page shows, by its address.

const NAMES = ["Ada", "Alan", "Barbara", "Edsger", "Emmy", "Grace", "Hedy", "Joe", "Lise", "Mary", "Niklaus", "Robin", "Tony", "Ursula"];

/** A name for somebody who gave none. @param {() => number} [random] 0 to 1 */
export function someName(random = Math.random) {
  return `${NAMES[Math.floor(random() * NAMES.length)]}-${10 + Math.floor(random() * 90)}`;
}

/** Why a name can't be taken, or null. @param {string} name */
export function nameError(name) {
  if (name.trim() === "") return "a name is missing";
  if (new TextEncoder().encode(name).length > 255) return "the name is too long";
  return null;
}

/**
 * @typedef {{kind: "start"} | {kind: "room", id: string} | {kind: "replay", id: string}} Place
 */

/**
 * What an address shows: `/rooms/ID`, `/replays/ID`, at any depth, or `?room=ID`, `?replay=ID`; else the start.
 * @param {{pathname: string, search: string}} location @returns {Place}
 */
export function placeOf({ pathname, search }) {
  const query = new URLSearchParams(search);
  for (const kind of /** @type {const} */ (["room", "replay"])) {
    const path = pathname.match(new RegExp(`/${kind}s/([^/]+)/?$`));
    const id = query.get(kind) ?? (path ? decoded(path[1]) : null);
    if (id) return { kind, id };
  }
  return { kind: "start" };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address of a room or a replay, beside the page's own. @param {"room" | "replay"} kind @param {string} id */
export const addressOf = (kind, id) => `/${kind}s/${encodeURIComponent(id)}`;
