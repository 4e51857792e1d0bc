// What is in the way, said over everything.

import { $, say } from "./elements.mjs";

/** @param {string} title @param {string} text @param {(() => void) | null} [again] */
export function showMessage(title, text, again = null) {
  $("message").hidden = false;
  say($("message-title"), title);
  say($("message-text"), text);
  $("message-again").hidden = again === null;
  $("message-again").onclick = again;
}

export function hideMessage() {
  $("message").hidden = true;
}

/** A reason as a sentence. @param {string} text */
export const sentence = (text) => (text ? `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}` : "");
