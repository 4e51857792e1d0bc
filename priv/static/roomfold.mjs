// The browser client of Roomfold, without dependencies. `Room` speaks through a socket of the npm `phoenix` client:
//
//     import { Socket } from "phoenix";
//     import { reconnectAfterMs, rejoinAfterMs, Room } from "./roomfold.mjs";
//
//     const socket = new Socket("/socket", { params: { user_id: "tom" }, reconnectAfterMs, rejoinAfterMs });
//     socket.connect();
//     const room = new Room(socket, "room:1", { events: true, presence: true });
//     await room.join();
//     room.on("event", (event) => console.log(event.event_name));
//     room.input({ position: [0, 0, 0], rotation: [0, 0, 0, 1] });
//     const view = room.at(); // in each frame: view.get(id), view.entities()

export { Room, RoomError } from "./roomfold/room.mjs";
export { reconnectAfterMs, rejoinAfterMs } from "./roomfold/retry.mjs";
export { FrameError, GapError, WireError, World } from "./roomfold/world.mjs";
export { Timeline, View } from "./roomfold/timeline.mjs";
export { decodeSnapshot, encodeInput } from "./wire.mjs";
