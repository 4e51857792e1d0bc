// The canvas: renderer, camera, light and sky, and how finely it is drawn.

import { BackSide, Color, DirectionalLight, Float32BufferAttribute, Fog, Group, HemisphereLight, Mesh, MeshBasicMaterial, PerspectiveCamera, Scene, SphereGeometry, WebGLRenderer } from "../vendor.mjs";
import { mix } from "../../../priv/static/replay/palette.mjs";
import { linear } from "./levelmesh.mjs";

const SLOW_MS = 34;
const QUICK_MS = 14;
const COARSEST = 0.4;

export class Stage {
  scene = new Scene();
  camera = new PerspectiveCamera(75, 1, 0.05, 400);
  /** What carries the camera: with a headset it is where the feet are. */
  rig = new Group();
  #ratio;
  #sky;
  #palette;
  #times = [];
  #last = 0;

  /** @param {HTMLCanvasElement} canvas @param {Object<string, any>} palette @param {number | null} [ratio] pixels of a pixel, if it is not to be found out */
  constructor(canvas, palette, ratio = null) {
    this.fixed = ratio !== null;
    this.canvas = canvas;
    // Where there is no graphics card, smooth edges cost more than they are worth.
    const antialias = this.fixed || (devicePixelRatio < 2 && !drawsInSoftware());
    this.renderer = new WebGLRenderer({ canvas, antialias, powerPreference: "high-performance" });
    this.renderer.xr.enabled = true;
    this.renderer.xr.setReferenceSpaceType("local-floor");
    this.#ratio = ratio ?? Math.min(devicePixelRatio, 2);
    this.renderer.localClippingEnabled = true;
    this.#palette = palette;
    this.camera.rotation.order = "YXZ";
    this.rig.add(this.camera);
    this.scene.add(this.rig);
    this.#light(palette);
    new ResizeObserver(() => this.#resize()).observe(canvas);
    // The window may be another one than when the headset was put on.
    this.renderer.xr.addEventListener("sessionend", () => this.#resize());
    this.#resize();
  }

  #light(palette) {
    const horizon = mix(palette.page, palette.sky, 0.5);
    this.#sky = skyOf(horizon, mix(palette.sky, palette.page, 0.2));
    this.scene.fog = new Fog(horizon);
    this.above(false);
    this.scene.add(new HemisphereLight(0xffffff, new Color(palette.step), 2.1));
    const sun = new DirectionalLight(0xffffff, 1.5);
    sun.position.set(8, 14, 12);
    this.scene.add(sun, this.#sky);
  }

  /** Seen from above there is no sky and no haze, as on a map. @param {boolean} is */
  above(is) {
    const { page, sky } = this.#palette;
    this.#sky.visible = !is;
    this.scene.background = new Color(is ? this.#palette.void : mix(page, sky, 0.5));
    [this.scene.fog.near, this.scene.fog.far] = is ? [1000, 2000] : [25, 150];
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height || this.renderer.xr.isPresenting) return;
    this.renderer.setPixelRatio(this.#ratio);
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    // Upright, the view is as wide as a hand.
    this.camera.fov = width < height ? 85 : 72;
    this.camera.updateProjectionMatrix();
  }

  /** Calls a function for each frame. @param {(now: number, frame: XRFrame | undefined) => void} draw */
  run(draw) {
    this.renderer.setAnimationLoop((_, frame) => {
      const now = performance.now();
      draw(now, frame);
      this.renderer.render(this.scene, this.camera);
      this.#measure(now);
    });
  }

  // Coarser where the machine is slow.
  #measure(now) {
    const took = now - this.#last;
    this.#last = now;
    if (this.fixed || took > 1000 || this.renderer.xr.isPresenting) return;
    this.#times.push(took);
    if (this.#times.length < 40) return;
    const usual = this.#times.sort((a, b) => a - b)[20];
    this.#times = [];
    const finest = Math.min(devicePixelRatio, 2);
    const ratio = usual > SLOW_MS ? Math.max(COARSEST, this.#ratio * 0.8) : usual < QUICK_MS ? Math.min(finest, this.#ratio * 1.15) : this.#ratio;
    if (Math.abs(ratio - this.#ratio) < 0.01) return;
    this.#ratio = ratio;
    this.#resize();
  }
}

function drawsInSoftware() {
  const gl = document.createElement("canvas").getContext("webgl2");
  const info = gl?.getExtension("WEBGL_debug_renderer_info");
  const name = info ? String(gl.getParameter(info.UNMASKED_RENDERER_WEBGL)) : "";
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

// Lighter at the horizon.
function skyOf(horizon, zenith) {
  const geometry = new SphereGeometry(300, 24, 12);
  const [low, high] = [linear(horizon), linear(zenith)];
  const heights = geometry.getAttribute("position");
  const colours = [];
  for (let i = 0; i < heights.count; i++) {
    const share = Math.min(1, Math.max(0, heights.getY(i) / 200));
    colours.push(...low.map((from, k) => from + (high[k] - from) * share));
  }
  geometry.setAttribute("color", new Float32BufferAttribute(colours, 3));
  return new Mesh(geometry, new MeshBasicMaterial({ vertexColors: true, side: BackSide, fog: false, depthWrite: false }));
}
