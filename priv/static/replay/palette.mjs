// The page's colours, read from its style sheet so that light and dark are defined in one place.

const COLOURS = [
  "page", "surface", "ink", "ink-soft", "void", "floor-low", "floor-high", "sky", "wall", "ledge", "step", "rail", "door",
  "decor", "trace", "health", "armor", "ammo", "weapon", "power", "hurt", "blood", "monster", "fog",
];
const PLAYERS = 8;

export function readPalette(style) {
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  const palette = Object.fromEntries(COLOURS.map((name) => [name, read(name)]));
  palette.players = Array.from({ length: PLAYERS }, (_, i) => read(`player-${i}`));
  return palette;
}

export function playerColour(palette, players, id) {
  const index = players.indexOf(id);
  return index < 0 ? palette.monster : palette.players[index % palette.players.length];
}

// Between two colours of the form #rrggbb.
export function mix(from, to, share) {
  const channels = [1, 3, 5].map((at) => {
    const [a, b] = [from, to].map((colour) => parseInt(colour.slice(at, at + 2), 16));
    return Math.round(a + (b - a) * share).toString(16).padStart(2, "0");
  });
  return `#${channels.join("")}`;
}
