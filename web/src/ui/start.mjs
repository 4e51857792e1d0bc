// The first screen: who one is and where to go; and names that two tabs don't share.

import { addressOf, nameError, someName } from "../model/identity.mjs";
import { $, el } from "./elements.mjs";

const KEY = "roomfold.user";

/** @param {import("../link.mjs").Config} config */
export async function showStart(config) {
  $("start").hidden = false;
  showServer(config);
  $("name").value = sessionStorage.getItem(KEY) ?? someName();
  $("recording").value = config.replays[0] ?? "";
  $("enter").onsubmit = (event) => {
    event.preventDefault();
    const name = $("name").value.trim();
    const room = $("room").value.trim();
    const error = nameError(name) ?? (room === "" ? "a room is missing" : null);
    $("enter-error").textContent = error ?? "";
    if (error) return;
    sessionStorage.setItem(KEY, name);
    location.href = addressOf("room", room);
  };
  $("watch").onsubmit = (event) => {
    event.preventDefault();
    const recording = $("recording").value.trim();
    if (recording !== "") location.href = addressOf("replay", recording);
  };
  $("name").select();
}

// A server that is not Phoenix says so, and which recordings it has. Phoenix has no such file.
async function showServer(config) {
  const about = await fetch("/gateway.json").then((response) => (response.ok ? response.json() : {})).catch(() => ({}));
  $("gateway").hidden = !about.gateway;
  $("gateway").textContent = about.gateway ?? "";
  const replays = [...new Set([...config.replays, ...(about.replays ?? [])])];
  $("recordings").replaceChildren(...replays.map((value) => el("option", { value })));
}

/**
 * Who one is in this tab: what was typed, or what the address says, or some name. Another tab that has the same one (this was
 * duplicated from it) keeps it: this one gets a number.
 * @returns {Promise<string>}
 */
export async function ownName() {
  const asked = new URLSearchParams(location.search).get("user");
  let name = asked || sessionStorage.getItem(KEY) || someName();
  for (let n = 2; !(await taken(name)); n++) name = `${name.replace(/ \d+$/, "")} ${n}`;
  sessionStorage.setItem(KEY, name);
  return name;
}

// A lock of the browser, held as long as the tab is there. Where there are none (no secure context), nobody is asked.
function taken(name) {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    const held = (lock) => {
      resolve(lock !== null);
      return lock && new Promise(() => {});
    };
    navigator.locks.request(`${KEY}.${name}`, { ifAvailable: true }, held).catch(() => resolve(true));
  });
}
