// The level on the stage. What moves is made anew when it has moved.

import { BufferGeometry, CanvasTexture, Color, Float32BufferAttribute, Group, LineBasicMaterial, LineSegments, Mesh, MeshBasicMaterial, Plane, RepeatWrapping, ShapeUtils, SRGBColorSpace, Vector2, Vector3 } from "../vendor.mjs";
import { sectorsNow } from "../model/level.mjs";
import { levelMesh } from "./levelmesh.mjs";

// Metres over the highest floor, above which one does not see walls from above.
const CUT = 1.4;

export class LevelDraw {
  group = new Group();
  /** As they are drawn. @type {import("../model/level.mjs").Sector[]} */
  sectors;
  #moving = new Set();
  #fixed = null;
  #moved = null;

  /** @param {import("../model/level.mjs").Level} level @param {Object<string, any>} palette */
  constructor(level, palette) {
    this.level = level;
    this.palette = palette;
    this.sectors = level.sectors;
    this.material = new MeshBasicMaterial({ vertexColors: true, map: grid(), polygonOffset: true, polygonOffsetFactor: 1, polygonOffsetUnits: 1 });
    this.lines = new LineBasicMaterial({ color: new Color(palette.wall), transparent: true, opacity: 0.5 });
    this.#build();
  }

  /** @param {(id: string) => Object<string, any> | undefined} get of the world as it is shown */
  update(get) {
    const sectors = sectorsNow(this.level, get);
    let changed = false;
    let more = false;
    sectors.forEach((sector, index) => {
      const drawn = this.sectors[index];
      // What the world knows is a door or a lift, also while it stands still.
      if (!this.#moving.has(index) && get(`sector-${index}`)) more = Boolean(this.#moving.add(index));
      if (sector.floor !== drawn.floor || sector.ceiling !== drawn.ceiling) changed = true;
    });
    if (!changed && !more) return;
    this.sectors = sectors;
    if (more) this.#build();
    else this.#moved = this.#again(this.#moved, true);
  }

  /** Walls end where they would hide what is behind them, or are whole. @param {boolean} is */
  cut(is) {
    const highest = Math.max(...this.level.sectors.map(({ floor }) => floor));
    const planes = is ? [new Plane(new Vector3(0, -1, 0), highest + CUT)] : [];
    this.material.clippingPlanes = this.lines.clippingPlanes = planes;
  }

  /** Those that have moved, as they are drawn: `{"sector-68": {floor, ceiling}}`. */
  drawn() {
    return Object.fromEntries([...this.#moving].map((index) => [`sector-${index}`, { floor: this.sectors[index].floor, ceiling: this.sectors[index].ceiling }]));
  }

  #build() {
    this.#fixed = this.#again(this.#fixed, false);
    this.#moved = this.#again(this.#moved, true);
  }

  #again(old, movingOnly) {
    if (old) {
      this.group.remove(old);
      for (const child of old.children) child.geometry.dispose();
    }
    const { position, colour, uv, edges } = levelMesh(this.level, this.sectors, this.#moving, movingOnly, this.palette, triangulate);
    const faces = new BufferGeometry();
    faces.setAttribute("position", new Float32BufferAttribute(position, 3));
    faces.setAttribute("color", new Float32BufferAttribute(colour, 3));
    faces.setAttribute("uv", new Float32BufferAttribute(uv, 2));
    const borders = new BufferGeometry();
    borders.setAttribute("position", new Float32BufferAttribute(edges, 3));
    const part = new Group();
    part.add(new Mesh(faces, this.material), new LineSegments(borders, this.lines));
    this.group.add(part);
    return part;
  }
}

const vectors = (loop) => loop.map(([x, z]) => new Vector2(x, z));
const triangulate = (outer, holes) => ShapeUtils.triangulateShape(vectors(outer), holes.map(vectors));

// A thin line around each square: one sees how far and how fast.
function grid() {
  const size = 256;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  ctx.fillStyle = "#ffffff";
  ctx.fillRect(0, 0, size, size);
  ctx.strokeStyle = "#eceae6";
  ctx.lineWidth = 3;
  ctx.strokeRect(0, 0, size, size);
  const texture = new CanvasTexture(canvas);
  texture.wrapS = texture.wrapT = RepeatWrapping;
  texture.colorSpace = SRGBColorSpace;
  texture.anisotropy = 4;
  return texture;
}
