// The page. What it shows is in its address.

import { App } from "./app.mjs";
import { readConfig } from "./load.mjs";
import { placeOf } from "./model/identity.mjs";
import { sentence, showMessage } from "./ui/message.mjs";
import { ownName, showStart } from "./ui/start.mjs";

main().catch((error) => showMessage(error.name === "RoomError" ? "The server refused" : "This can't be shown", sentence(error.message), () => location.reload()));

async function main() {
  const place = placeOf(location);
  const config = readConfig(document.documentElement, new URLSearchParams(location.search));
  if (place.kind === "start") return showStart(config);
  document.title = `${place.id} · Roomfold`;
  document.body.classList.remove("starting");
  return open(place, config);
}

/** @param {import("./link.mjs").Place & {id: string}} place @param {import("./link.mjs").Config} config */
async function open(place, config) {
  if (!document.createElement("canvas").getContext("webgl2")) throw new Error("This browser can't draw in 3-D: it has no WebGL 2.");
  const app = new App(place, await ownName(), config);
  // For tests and the curious: the room, its world, and what was drawn.
  globalThis.roomfold = {
    room: app.link.room,
    get world() {
      return app.link.room.world;
    },
    link: app.link,
    drawn: () => app.drawn(),
  };
  try {
    await app.open();
  } catch (error) {
    // Nobody is to stand there who sees nothing.
    app.link.leave();
    throw error;
  }
}
