// Small helpers for the document.

/** @param {string} id @returns {any} */
export const $ = (id) => document.getElementById(id);

/** An element with children. @param {string} tag @param {Object<string, any>} [props] @param {...(Node | string)} children @returns {any} */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("--")) element.style.setProperty(name, value);
    else if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** Text that changes often, written only when it does. @param {Element} element @param {string} text */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A list's children in this order, with as few moves as it takes: what is there already stays. @param {Element} list @param {Element[]} items */
export function arrange(list, items) {
  const wanted = new Set(items);
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  items.forEach((one, i) => list.children[i] !== one && list.insertBefore(one, list.children[i] ?? null));
}

/** A row of buttons of which one is chosen. @param {Element} parent @param {[string, string][]} choices value, label @param {(value: string) => void} choose */
export function choices(parent, choices, choose) {
  parent.replaceChildren(
    ...choices.map(([value, label]) => {
      const button = el("button", { type: "button", role: "radio", "aria-checked": "false", onclick: () => choose(value) }, label);
      button.dataset.value = value;
      return button;
    }),
  );
  return (chosen) => {
    for (const button of /** @type {any} */ (parent.children)) button.setAttribute("aria-checked", String(button.dataset.value === chosen));
  };
}
