/** The person's modals: a stack of which the top one is shown, in one dialog. */
import { explain, get, post } from "../lib/api.js";
import { fragment, h, keepFocus } from "../lib/dom.js";
import { icon, iconButton, spinner } from "../lib/icons.js";
import { store } from "../lib/store.js";
import { blocks } from "../blocks/blocks.js";
import { stateValues } from "../blocks/context.js";
import { bare, plain } from "../blocks/mrkdwn.js";
import { closePopover, dialog } from "./layer.js";

let stack = []; // views, top last
const filled = new Map(); // view id → values Map, kept over updates of the view
let changes = 0; // how often the stack changed
let frame = null; // {dialog parts, viewId}

const top = () => stack[stack.length - 1];

/** Reads the stack anew: after a start, a gap, or a modal that closed. */
export async function reloadViews() {
  const before = changes;
  const { views } = await get("/ui/views");
  if (changes !== before) return reloadViews(); // something opened or closed while it was read
  stack = views;
  render();
}

/** Takes in a view_opened, view_pushed, view_updated or view_closed event. */
export function viewEvent(event) {
  changes++;
  const view = event.view;
  if (event.type === "view_closed") {
    const at = stack.findIndex((v) => v.id === (event.view_id ?? view?.id));
    if (at >= 0) stack = stack.slice(0, at);
  } else if (view?.type === "modal") put(view, event.type === "view_opened");
  render();
}

function put(view, alone = false) {
  changes++;
  const at = stack.findIndex((v) => v.id === view.id);
  if (at >= 0) stack[at] = view;
  else stack = alone ? [view] : [...stack, view];
}

function surfaceOf(view) {
  if (!filled.has(view.id)) filled.set(view.id, fromState(view.state?.values));
  return { kind: "modal", target: { view_id: view.id }, values: filled.get(view.id) };
}

function fromState(values = {}) {
  const out = new Map();
  for (const [block, actions] of Object.entries(values)) for (const [action, value] of Object.entries(actions)) out.set(`${block}\0${action}`, value);
  return out;
}

function render() {
  const view = top();
  for (const id of filled.keys()) if (!stack.some((v) => v.id === id)) filled.delete(id);
  if (!view) {
    frame?.close();
    frame = null;
    return;
  }
  if (!frame) {
    closePopover();
    frame = { ...dialog({ title: "", testid: "modal", onclose: () => closeTop() }), viewId: null, shown: "" };
    frame.dialog.addEventListener("keydown", (e) => {
      if (e.key !== "Enter" || e.defaultPrevented || e.isComposing) return;
      const inField = e.target.matches("input.field");
      if (inField || (e.metaKey || e.ctrlKey) && e.target.matches("textarea")) (e.preventDefault(), submit());
    });
  }
  const signature = JSON.stringify([view, stack.length]);
  if (signature === frame.shown) return;
  const same = frame.viewId === view.id;
  frame.shown = signature;
  frame.viewId = view.id;
  keepFocus(frame.dialog, () => paint(view));
  if (!same) focusFirst();
}

function paint(view) {
  const { body, footer, heading, dialog: el } = frame;
  const scroll = body.scrollTop;
  el.dataset.viewId = view.id;
  el.querySelector(".dialog-back")?.remove();
  if (stack.length > 1) heading.before(iconButton("back", "Back", () => closeTop(), { class: "dialog-back", "data-testid": "modal-back" }));
  heading.replaceChildren(plain(bare(view.title)));
  body.replaceChildren(h("div.form-trouble", { role: "alert", hidden: true, "data-testid": "modal-trouble" }), blocks(view.blocks, surfaceOf(view)));
  body.scrollTop = scroll;
  const hasInput = (view.blocks ?? []).some((b) => b.type === "input");
  footer.replaceChildren(
    h("span.dialog-app", {}, store.appName),
    h("button.button", { type: "button", "data-testid": "modal-cancel", "data-fk": "close", onclick: () => closeTop() }, plain(bare(view.close) || (view.submit || hasInput ? "Cancel" : "Close"))),
    view.submit ? h("button.button.primary", { type: "button", "data-testid": "modal-submit", "data-fk": "submit", onclick: () => submit() }, h("span.button-text", {}, plain(bare(view.submit))), spinner()) : fragment());
}

function focusFirst() {
  const field = frame.body.querySelector("input, textarea, button.select, button, a[href]");
  (field ?? frame.footer.querySelector("button"))?.focus({ preventScroll: true });
}

async function closeTop() {
  const view = top();
  if (!view) return;
  stack = stack.slice(0, -1);
  changes++;
  render();
  await post(`/ui/views/${view.id}/close`).catch(() => reloadViews());
}

async function submit() {
  const view = top();
  const button = frame.footer.querySelector("[data-testid=modal-submit]");
  if (!button || button.classList.contains("busy")) return;
  if (frame.dialog.querySelector(".popover")) closePopover();
  clearErrors();
  button.classList.add("busy");
  try {
    const answer = await post(`/ui/views/${view.id}/submit`, { values: stateValues(surfaceOf(view)) });
    if (answer.view) (put(answer.view), render());
    else await reloadViews();
  } catch (error) {
    if (frame?.viewId === view.id) showErrors(error);
  } finally {
    button.classList.remove("busy");
  }
}

function clearErrors() {
  for (const el of frame.body.querySelectorAll(".field-error")) el.replaceChildren();
  for (const el of frame.body.querySelectorAll("[aria-invalid]")) el.removeAttribute("aria-invalid");
  const trouble = frame.body.querySelector(".form-trouble");
  trouble.hidden = true;
}

/** Errors of the app at their fields, anything else at the top of the form. */
function showErrors(error) {
  const left = [];
  let first = null;
  for (const [blockId, message] of Object.entries(error.body?.errors ?? {})) {
    const block = [...frame.body.querySelectorAll("[data-block-id]")].find((b) => b.dataset.blockId === blockId);
    const place = block?.querySelector(".field-error");
    if (!place) {
      left.push(message);
      continue;
    }
    place.replaceChildren(icon("warning", 14), message);
    const control = block.querySelector("input, textarea, button.select, .choices");
    control?.setAttribute("aria-invalid", "true");
    first ??= block;
  }
  if (!first && !left.length) left.push(explain(error, store.appName));
  const trouble = frame.body.querySelector(".form-trouble");
  trouble.hidden = !left.length;
  trouble.replaceChildren(...left.map((text) => h("div", {}, icon("warning", 16), text)));
  (first ?? trouble).scrollIntoView({ block: "center" });
  first?.querySelector("input, textarea, button.select")?.focus({ preventScroll: true });
}
