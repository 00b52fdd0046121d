/**
 * Builds DOM nodes. Data only ever becomes a text node or an attribute value: nothing in this page
 * parses markup from data, so whatever a message says stays text.
 */

/** h("button.primary", {onclick: fn, "aria-label": "Send"}, child, "text"). Null and false are skipped. */
export function h(spec, props = {}, ...children) {
  const [tag, ...classes] = spec.split(".");
  const el = document.createElement(tag || "div");
  if (classes.length) el.classList.add(...classes);
  for (const [key, value] of Object.entries(props ?? {})) setProp(el, key, value);
  append(el, children);
  return el;
}

const AS_PROPERTY = new Set(["value", "checked", "disabled", "indeterminate"]);

function setProp(el, key, value) {
  if (value === null || value === undefined || value === false) return;
  if (typeof value === "function") el.addEventListener(key.replace(/^on/, ""), value);
  else if (key === "class") el.classList.add(...value.split(" ").filter(Boolean));
  else if (key === "style") for (const [name, v] of Object.entries(value)) el.style.setProperty(name, v);
  else if (AS_PROPERTY.has(key)) el[key] = value;
  else el.setAttribute(key, value === true ? "" : String(value));
}

export function append(parent, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    parent.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return parent;
}

export function fragment(...children) {
  return append(document.createDocumentFragment(), children);
}

/** An SVG element from a constant description: [tag, attributes, children]. */
export function svg([tag, attrs = {}, children = []]) {
  const el = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attrs)) el.setAttribute(key, String(value));
  for (const child of children) el.append(svg(child));
  return el;
}

/** Runs a change of `root` and puts focus (and the caret) back on the element with the same data-fk. */
export function keepFocus(root, change) {
  const active = root.contains(document.activeElement) ? document.activeElement : null;
  const key = active?.dataset?.fk;
  const caret = key && "selectionStart" in active ? [active.selectionStart, active.selectionEnd] : null;
  change();
  if (!key || active.isConnected) return;
  const again = [...root.querySelectorAll("[data-fk]")].find((el) => el.dataset.fk === key);
  if (!again) return;
  again.focus({ preventScroll: true });
  if (caret && caret[0] !== null && again.setSelectionRange) again.setSelectionRange(...caret);
}

const FOCUSABLE =
  'a[href], button:not([disabled]), input:not([disabled]), textarea:not([disabled]), [tabindex="0"]';

/** The elements inside `root` that Tab would reach, in order. */
export function focusables(root) {
  return [...root.querySelectorAll(FOCUSABLE)].filter((el) => el.tabIndex >= 0 && el.checkVisibility());
}

/** Keeps Tab inside `root`. */
export function trapTab(root, event) {
  if (event.key !== "Tab") return;
  const all = focusables(root);
  if (!all.length) return event.preventDefault();
  const [first, last] = [all[0], all[all.length - 1]];
  const at = document.activeElement;
  if (event.shiftKey && (at === first || !root.contains(at))) (last.focus(), event.preventDefault());
  else if (!event.shiftKey && (at === last || !root.contains(at))) (first.focus(), event.preventDefault());
}
