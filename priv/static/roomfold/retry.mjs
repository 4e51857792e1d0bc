// When a client tries again: by chance, so that those who have lost the same server, or the same room, come back apart and not all at once.

/** Until a socket connects again: 100 ms on the average, then longer, never above 5 s. @param {number} tries from 1 */
export function reconnectAfterMs(tries) {
  return Math.random() * Math.min(5000, 100 * 2 ** tries);
}

/**
 * Until a channel joins again over a connection that is there: around 1 s, 2 s, … up to around 10 s. Never at once: a channel that
 * crashes after each join begins from 1 again.
 * @param {number} tries from 1
 */
export function rejoinAfterMs(tries) {
  return (0.5 + Math.random()) * Math.min(10000, 1000 * 2 ** (tries - 1));
}
