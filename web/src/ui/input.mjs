// Keys, mouse and fingers, handed to the controls.

import { $ } from "./elements.mjs";

const STICK = 56; // pixels all the way
const FINGER = 2.2; // a finger turns more than a mouse

/** Whether what is typed goes elsewhere. @param {KeyboardEvent} event */
function typing({ target, code }) {
  if (document.querySelector("dialog[open]")) return true;
  if (!(target instanceof HTMLElement)) return false;
  if (target.matches("button")) return code === "Space" || code === "Enter";
  return target.matches("input, textarea, select");
}

// Where the question mark is differs by keyboard; the other keys are places.
const codeOf = ({ key, code }) => (key === "?" ? "Slash" : code);

/**
 * @param {HTMLCanvasElement} canvas @param {import("../model/controls.mjs").Controls} controls
 * @param {(code: string, shift: boolean) => boolean} onKey other keys: whether it was one
 */
export function bindKeys(canvas, controls, onKey) {
  addEventListener("keydown", (event) => {
    // What is pressed with these is the browser's.
    if (typing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (controls.key(event.code, true) || (!event.repeat && onKey(codeOf(event), event.shiftKey))) event.preventDefault();
  });
  addEventListener("keyup", (event) => controls.key(event.code, false));
  addEventListener("blur", () => controls.release());
  // What was pressed with a finger or the mouse does not keep the keys.
  addEventListener("pointerup", ({ target }) => target instanceof Element && target.closest("button, input[type=range]") && setTimeout(() => canvas.focus()));
  document.addEventListener("visibilitychange", () => document.hidden && controls.release());
}

/** @param {HTMLCanvasElement} canvas @param {import("../model/controls.mjs").Controls} controls @param {(locked: boolean) => void} onLock */
export function bindMouse(canvas, controls, onLock) {
  let dragging = false;
  // Where the pointer can't be held, dragging looks and the button fires besides.
  let holds = true;
  const locked = () => document.pointerLockElement === canvas;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse") return;
    canvas.focus();
    if (locked() || !holds) controls.trigger("mouse", event.button === 0);
    dragging = true;
    if (!locked()) hold(canvas).then((held) => (holds = held));
  });
  addEventListener("pointerup", () => {
    dragging = false;
    controls.trigger("mouse", false);
  });
  addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" && (locked() || dragging)) controls.look(event.movementX, event.movementY);
  });
  document.addEventListener("pointerlockchange", () => {
    if (!locked()) controls.trigger("mouse", false);
    onLock(locked());
  });
}

// Refused where there is none, or too soon after it was left. Older browsers answer nothing.
async function hold(canvas) {
  try {
    await canvas.requestPointerLock();
    return true;
  } catch {
    return false;
  }
}

/** The left thumb walks, the right one looks. @param {HTMLCanvasElement} canvas @param {import("../model/controls.mjs").Controls} controls @param {() => void} onTouch at the first */
export function bindTouch(canvas, controls, onTouch) {
  let walking = null;
  let looking = null;
  const stick = $("stick");
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse") return;
    onTouch();
    canvas.setPointerCapture(event.pointerId);
    const finger = { id: event.pointerId, x: event.clientX, y: event.clientY };
    if (event.clientX < innerWidth * 0.45 && !walking) {
      walking = finger;
      moveStick(stick, finger.x, finger.y);
    } else looking ??= finger;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId === walking?.id) {
      const [x, y] = [event.clientX - walking.x, event.clientY - walking.y];
      const length = Math.max(1, Math.hypot(x, y) / STICK);
      controls.stick(x / STICK, y / STICK);
      stick.firstElementChild.style.transform = `translate(${x / length}px, ${y / length}px)`;
    } else if (event.pointerId === looking?.id) {
      controls.look(event.clientX - looking.x, event.clientY - looking.y, FINGER);
      Object.assign(looking, { x: event.clientX, y: event.clientY });
    }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => {
      if (/** @type {PointerEvent} */ (event).pointerId === looking?.id) looking = null;
      if (/** @type {PointerEvent} */ (event).pointerId !== walking?.id) return;
      walking = null;
      controls.stick(0, 0);
      stick.removeAttribute("style");
      stick.firstElementChild.removeAttribute("style");
    });
  }
  bindFire($("fire"), controls);
}

function moveStick(stick, x, y) {
  const { left, bottom } = stick.parentElement.getBoundingClientRect();
  Object.assign(stick.style, { left: `${x - left}px`, bottom: `${bottom - y}px`, opacity: "1" });
}

function bindFire(fire, controls) {
  const press = (down) => {
    controls.trigger("touch", down);
    fire.classList.toggle("down", down);
  };
  fire.addEventListener("pointerdown", (event) => {
    fire.setPointerCapture(event.pointerId);
    press(true);
  });
  for (const end of ["pointerup", "pointercancel"]) fire.addEventListener(end, () => press(false));
}
