// Elements, and numbers out of bytes.

const SVG = "http://www.w3.org/2000/svg";
const FOCUSABLE = new Set(["input", "select", "button", "summary", "textarea"]);

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key === "html") node.innerHTML = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(key, value === true ? "" : value);
    }
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

/** An HTML element; attributes named on… are listeners, html is its inner HTML. */
export function tag(name, attributes, ...children) {
  const node = fill(document.createElement(name), attributes, children);
  // JupyterLab would take arrow keys as "next cell" and D, D as "delete cell". It looks for this
  // attribute on the focused element itself before it looks further up.
  if (FOCUSABLE.has(name) || node.hasAttribute("tabindex"))
    put(node, { "data-lm-suppress-shortcuts": "true" });
  return node;
}

/** An SVG element. */
export const svg = (name, attributes, ...children) =>
  fill(document.createElementNS(SVG, name), attributes, children);

/** Sets attributes of an SVG or HTML element. */
export function put(node, attributes) {
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  return node;
}

let count = 0;
/** A name that no other element of the page has. */
export const unique = (stem) => `ll-${stem}-${++count}-${Math.random().toString(36).slice(2, 8)}`;

/** The numbers of a synced float32 buffer, as a Float32Array of their own. */
export function floats(bytes) {
  if (!bytes?.byteLength) return new Float32Array(0);
  return new Float32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
  );
}
