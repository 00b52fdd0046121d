/** Elements one clicks: buttons, overflow menus, feedback and icon buttons. */
import { h } from "../lib/dom.js";
import { icon, spinner } from "../lib/icons.js";
import { store } from "../lib/store.js";
import { menu } from "../ui/layer.js";
import { act, confirmed } from "./context.js";
import { link } from "./inline.js";
import { bare, plain } from "./mrkdwn.js";

const fk = (blockId, element) => `${blockId}:${element.action_id}`;

export function button(element, surface, blockId) {
  const face = [h("span.button-text", {}, plain(bare(element.text))), spinner(), h("span.button-failed", {}, icon("warning", 15))];
  const props = {
    class: element.style ?? "", "data-testid": "block-button", "data-action": element.action_id, "data-fk": fk(blockId, element),
    "aria-label": element.accessibility_label,
  };
  const click = async (e) => {
    const node = e.currentTarget;
    if (node.classList.contains("busy")) return e.preventDefault();
    if (element.confirm && element.url) e.preventDefault();
    if (!(await confirmed(element))) return;
    if (element.confirm && element.url) open(element.url, "_blank", "noopener,noreferrer");
    await act(surface, blockId, element, element.value === undefined ? {} : { value: element.value }, node);
  };
  if (!element.url) return h("button.button", { type: "button", ...props, onclick: click }, face);
  const anchor = link(element.url, face);
  anchor.classList.add("button", ...(element.style ? [element.style] : []));
  for (const [key, value] of Object.entries(props)) if (value && key !== "class") anchor.setAttribute(key, value);
  anchor.addEventListener("click", click);
  return anchor;
}

export function overflow(element, surface, blockId) {
  const node = h("button.button.overflow", {
    type: "button", "aria-label": "More actions", "aria-haspopup": "menu", "aria-expanded": "false",
    "data-testid": "block-overflow", "data-action": element.action_id, "data-fk": fk(blockId, element),
    onclick: () => menu(node, (element.options ?? []).map((option) => ({
      label: plain(bare(option.text)), hint: option.description && bare(option.description), run: () => pick(option),
    })), { label: "More actions" }),
  }, icon("more"));
  const pick = async (option) => {
    if (option.url) open(option.url, "_blank", "noopener,noreferrer");
    if (await confirmed(element)) await act(surface, blockId, element, { selected_option: option }, node);
  };
  return node;
}

/** Thumbs under an answer. The pressed one stays marked while the page is open. */
export function feedback(element, surface, blockId) {
  const key = `${blockId}\0${element.action_id}`;
  const half = (which, symbol) => {
    const config = element[`${which}_button`];
    const pressed = surface.values.get(key)?.value === config.value;
    const node = h("button.feedback", {
      type: "button", class: pressed ? "pressed" : "", "aria-pressed": String(pressed), "data-fk": `${fk(blockId, element)}:${which}`,
      "aria-label": config.accessibility_label ?? bare(config.text), title: bare(config.text), "data-testid": `feedback-${which}`,
      onclick: async () => {
        if (!(await act(surface, blockId, element, { value: config.value }, node))) return;
        surface.values.set(key, { type: element.type, value: config.value });
        for (const other of node.parentElement.querySelectorAll(".feedback")) {
          other.classList.toggle("pressed", other === node);
          other.setAttribute("aria-pressed", String(other === node));
        }
      },
    }, symbol);
    return node;
  };
  return h("span.feedback-pair", {}, half("positive", plain(":+1:")), half("negative", plain(":-1:")));
}

export function iconElement(element, surface, blockId) {
  const only = element.visible_to_user_ids;
  if (only?.length && !only.includes(store.me.id)) return null;
  const label = element.accessibility_label ?? bare(element.text);
  const node = h("button.feedback", {
    type: "button", "aria-label": label, title: bare(element.text), "data-testid": "block-icon-button", "data-fk": fk(blockId, element),
    onclick: async () => (await confirmed(element)) && act(surface, blockId, element, element.value === undefined ? {} : { value: element.value }, node),
  }, icon(element.icon === "trash" ? "trash" : element.icon, 16));
  return node;
}
