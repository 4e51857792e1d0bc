// The bytes and the time that @colyseus/schema needs for the same ticks.
//
//     npm install && node run.mjs REACH FILE...
//
// A file has a line for each tick: a diff as Roomfold writes it as JSON, the first from nothing; positions are within
// -REACH and REACH. Prints a line for each file: changed entities, bytes with numbers as float32, bytes quantised, nanoseconds
// of encoding each (the shortest of three times). Quantised: a rotation's numbers in 16 bits; a position's too if steps of 1 mm fit into them, else float32.
import { readFileSync } from "node:fs";
import { Encoder, MapSchema, schema, t } from "@colyseus/schema";

Encoder.BUFFER_SIZE = 4 * 1024 * 1024;

const LISTS = { position: ["x", "y", "z"], velocity: ["vx", "vy", "vz"], rotation: ["qx", "qy", "qz", "qw"] };
const FLOATS = ["floor", "ceiling"];
const NUMBERS = ["health", "armor", "frags", "damage_taken"];
const STRINGS = ["kind", "type", "state", "owner", "weapon"];
const OTHERS = ["collider", "weapons", "ammo", "keys", "immunities"]; // as JSON, since they come whole

function entityType(quantised, reach) {
  const place = quantised && reach * 2000 < 65534 ? () => t.quantized({ min: -reach, max: reach }) : () => t.float32();
  const turn = quantised ? () => t.quantized({ min: -1, max: 1 }) : () => t.float32();
  const fields = {};
  for (const name of LISTS.position) fields[name] = place();
  for (const name of LISTS.rotation) fields[name] = turn();
  for (const name of [...LISTS.velocity, ...FLOATS]) fields[name] = t.float32().optional();
  for (const name of NUMBERS) fields[name] = t.number().optional();
  for (const name of [...STRINGS, ...OTHERS]) fields[name] = t.string().optional();
  return schema(fields, "Entity");
}

function assign(entity, components) {
  for (const [name, value] of Object.entries(components)) {
    const list = LISTS[name];
    if (list) list.forEach((field, i) => (entity[field] = value === null ? undefined : value[i]));
    else if (value === null) entity[name] = undefined;
    else if (OTHERS.includes(name)) entity[name] = JSON.stringify(value);
    else if (FLOATS.includes(name) || NUMBERS.includes(name) || STRINGS.includes(name)) entity[name] = value;
    else throw new Error(`no field for the component ${name}`);
  }
}

function tick(state, Entity, diff) {
  for (const id of diff.deletes) state.entities.delete(id);
  for (const [id, components] of Object.entries(diff.creates)) {
    const entity = new Entity();
    assign(entity, components);
    state.entities.set(id, entity);
  }
  for (const [id, components] of Object.entries(diff.updates)) assign(state.entities.get(id), components);
}

function encodeThrice(encoder) {
  let size = 0;
  let shortest = null;
  for (let i = 0; i < 3; i++) {
    const start = process.hrtime.bigint();
    size = encoder.encode().length;
    const time = process.hrtime.bigint() - start;
    if (shortest === null || time < shortest) shortest = time;
  }
  return [size, shortest];
}

function measure(diffs, quantised, reach) {
  const Entity = entityType(quantised, reach);
  const State = schema({ entities: t.map(Entity) }, "State");
  const state = new State();
  state.entities ??= new MapSchema();
  const encoder = new Encoder(state);
  let bytes = 0;
  let time = 0n;
  diffs.forEach((diff, i) => {
    tick(state, Entity, diff);
    const [size, shortest] = encodeThrice(encoder);
    encoder.discardChanges();
    if (i > 0) {
      time += shortest;
      bytes += size;
    }
  });
  return [bytes, time];
}

const [reach, ...files] = process.argv.slice(2);
for (const file of files) {
  const diffs = readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line));
  const size = (entities) => Object.keys(entities).length;
  const changed = diffs.slice(1).reduce((n, { creates, updates, deletes }) => n + size(creates) + size(updates) + deletes.length, 0);
  const [plain, plainTime] = measure(diffs, false, Number(reach));
  const [small, smallTime] = measure(diffs, true, Number(reach));
  console.log([changed, plain, small, plainTime, smallTime].join(" "));
}
