import { h } from "../lib/dom.js";
import { emoji, showable } from "../lib/emoji.js";
import { popover } from "./layer.js";

/** A grid of emoji with a search line; calls `pick(name)`. */
export function pickEmoji(anchor, pick) {
  const grid = h("div.emoji-grid", { role: "listbox", "aria-label": "Emoji" });
  const search = h("input.search", { type: "text", placeholder: "Search emoji", "aria-label": "Search emoji", autocomplete: "off" });
  const fill = () => {
    const query = search.value.trim().toLowerCase();
    grid.replaceChildren(...showable().filter((name) => name.includes(query)).map((name) => h("button.emoji-cell", {
      type: "button", role: "option", "aria-selected": "false", title: `:${name}:`, "aria-label": name, "data-testid": "emoji-option", "data-name": name,
      onclick: () => (handle.close(), pick(name)),
    }, emoji(name))));
  };
  search.addEventListener("input", () => (fill(), handle.move()));
  search.addEventListener("keydown", (e) => e.key === "Enter" && (e.preventDefault(), grid.firstElementChild?.click()));
  fill();
  const handle = popover(anchor, h("div.emoji-picker", {}, search, grid), { align: "end", label: "Emoji" });
  search.focus();
}
