// A Colyseus room with the state of bench/phoenix.exs: entities that all move with each tick, and a patch to all clients behind it.
// Orders come by standard input: "go HZ TICKS"; answers are lines of JSON: for each
// tick its number and when it began, in microseconds.
import { Server, Room } from "@colyseus/core";
import { Encoder, MapSchema, Schema, defineTypes } from "@colyseus/schema";
import { WebSocketTransport } from "@colyseus/ws-transport";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const entities = Number(process.argv[2]);
// A patch of all of them must fit: the default would make it grow while it writes.
Encoder.BUFFER_SIZE = 1024 * 1024;

class Entity extends Schema {}
const fields = ["x", "y", "z", "rx", "ry", "rz", "rw"];
defineTypes(Entity, Object.fromEntries(fields.map((name) => [name, "float32"])));
class State extends Schema {}
defineTypes(State, { entities: { map: Entity } });

// Four sets of poses, made before anything is measured; each tick takes the next.
const poses = Array.from({ length: 4 }, () => Array.from({ length: entities }, () => fields.map(() => Math.random() * 2 - 1)));
let current = null;

class Bench extends Room {
  onCreate() {
    this.patchRate = null;
    this.maxClients = Infinity;
    this.autoDispose = false;
    const state = new State();
    state.entities = new MapSchema();
    for (let i = 0; i < entities; i++) state.entities.set(`thing-${i}`, new Entity());
    this.state = state;
    current = this;
  }

  tick(n) {
    const set = poses[n % 4];
    let i = 0;
    for (const entity of this.state.entities.values()) {
      const pose = set[i++];
      for (let f = 0; f < fields.length; f++) entity[fields[f]] = pose[f];
    }
    this.broadcastPatch();
  }
}

const http = createServer();
const server = new Server({ greet: false, gracefullyShutdown: false, transport: new WebSocketTransport({ server: http, pingInterval: 0 }) });
server.define("bench", Bench);
await server.listen(0, "127.0.0.1");
const say = (value) => console.log(JSON.stringify(value));
say({ port: http.address().port, pid: process.pid });

const now = () => Math.round((performance.timeOrigin + performance.now()) * 1000);

createInterface({ input: process.stdin }).on("line", (line) => {
  const [order, hz, ticks] = line.split(" ");
  if (order !== "go") return;
  const times = [];
  const start = performance.now();
  const next = () => {
    times.push([times.length + 1, now()]);
    current.tick(times.length);
    if (times.length === Number(ticks)) return say({ times });
    setTimeout(next, Math.max(0, start + (times.length * 1000) / Number(hz) - performance.now()));
  };
  next();
}).on("close", () => process.exit(0));
