/** Every kind of select menu, single and multi: one field that opens a list with a search line. */
import { explain, post } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { avatar, icon, spinner } from "../lib/icons.js";
import { store } from "../lib/store.js";
import { popover } from "../ui/layer.js";
import { act, choose, chosen, confirmed } from "./context.js";
import { bare, plain, textObject } from "./mrkdwn.js";

const people = () => [...store.users.values()].map((u) => ({ value: u.id, label: u.real_name || u.name, user: u }));
const channels = () => [...store.channels.values()].filter((c) => !c.is_im).map((c) => ({ value: c.id, label: `#${c.name}` }));
const conversations = () => [...store.channels.values()].map((c) => ({ value: c.id, label: c.is_im ? store.title(c) : `#${c.name}` }));
const LISTS = { users_select: [people, "user"], channels_select: [channels, "channel"], conversations_select: [conversations, "conversation"] };

/** How a select of this type stores its choice: key, whether many, and items ↔ state. */
function shape(element) {
  const many = element.type.startsWith("multi_");
  const base = element.type.replace("multi_", "");
  const [list, noun] = LISTS[base] ?? [null, "option"];
  const key = many ? `selected_${noun}s` : `selected_${noun}`;
  const initial = { option: many ? element.initial_options : element.initial_option }[noun] ?? element[many ? `initial_${noun}s` : `initial_${noun}`];
  return { many, list, key, initial, external: base === "external_select", byOption: noun === "option" };
}

const fromOption = (option) => ({ value: option.value, option, label: bare(option.text), hint: option.description && bare(option.description) });

export function select(element, surface, blockId, { oninput = true } = {}) {
  const how = shape(element);
  const known = new Map((how.list?.() ?? []).map((item) => [item.value, item]));
  const toItem = (raw) => (how.byOption ? fromOption(raw) : known.get(raw) ?? { value: raw, label: raw });
  const state = chosen(surface, blockId, element);
  const raw = state ? state[how.key] : how.initial;
  let picked = (how.many ? raw ?? [] : raw ? [raw] : []).map(toItem);
  const face = h("span.select-face");
  const field = h("button.select", {
    type: "button", role: "combobox", "aria-haspopup": "listbox", "aria-expanded": "false", "data-testid": "block-select",
    "data-action": element.action_id, "data-fk": `${blockId}:${element.action_id}`, onclick: () => openList(),
    onkeydown: (e) => e.key === "ArrowDown" && (e.preventDefault(), openList()),
  }, face, icon("chevron", 16));
  const paint = () => {
    face.replaceChildren(...(picked.length ? picked.map((item) => chip(item)) : [h("span.placeholder", {}, bare(element.placeholder) || "Choose…")]));
  };
  const chip = (item) => how.many
    ? h("span.chip", {}, plain(item.label), h("span.chip-x", { title: `Remove ${item.label}`, onclick: (e) => (e.stopPropagation(), set(picked.filter((p) => p !== item))) }, icon("close", 11)))
    : h("span.select-value", {}, item.user && avatar(item.user, 18), plain(item.label));
  const set = async (items, ask = true) => {
    if (ask && !(await confirmed(element))) return;
    picked = items;
    paint();
    const values = items.map((item) => (how.byOption ? item.option : item.value));
    const value = { [how.key]: how.many ? values : values[0] ?? null };
    choose(surface, blockId, element, value);
    if (oninput && (how.many || items.length)) await act(surface, blockId, element, value, field);
  };
  const openList = () => list(field, {
    many: how.many, picked: () => picked, max: element.max_selected_items ?? Infinity,
    find: how.external ? external(element, surface, blockId) : local(element, how),
    minimum: how.external ? element.min_query_length ?? 3 : 0,
    pick: (item) => {
      if (!how.many) return set([item]);
      const had = picked.find((p) => p.value === item.value);
      return set(had ? picked.filter((p) => p !== had) : [...picked, item]);
    },
  });
  if (!state && picked.length) remember(surface, blockId, element, how, picked);
  paint();
  return field;
}

function remember(surface, blockId, element, how, picked) {
  const values = picked.map((item) => (how.byOption ? item.option : item.value));
  surface.values.set(`${blockId}\0${element.action_id}`, { type: element.type, [how.key]: how.many ? values : values[0] });
}

/** Groups of options held by the element itself; typing narrows them. */
function local(element, how) {
  const groups = how.list ? [{ items: how.list() }]
    : element.option_groups ? element.option_groups.map((g) => ({ label: g.label, items: g.options.map(fromOption) }))
      : [{ items: (element.options ?? []).map(fromOption) }];
  return async (query) => groups
    .map((g) => ({ ...g, items: g.items.filter((item) => `${item.label} ${item.hint ?? ""}`.toLowerCase().includes(query.toLowerCase())) }))
    .filter((g) => g.items.length);
}

/** Options asked of the app while the person types. */
function external(element, surface, blockId) {
  return async (query) => {
    const answer = await post("/ui/options", { ...surface.target, block_id: blockId, action_id: element.action_id, value: query });
    if (answer.option_groups) return answer.option_groups.map((g) => ({ label: g.label, items: g.options.map(fromOption) }));
    return [{ items: (answer.options ?? []).map(fromOption) }];
  };
}

let count = 0;

function list(field, { many, picked, max, find, minimum, pick }) {
  const id = `list-${++count}`;
  const input = h("input.search", { type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": id, "aria-autocomplete": "list", "aria-label": "Search", placeholder: "Type to search", autocomplete: "off", spellcheck: "false", "data-testid": "select-search" });
  const box = h("div.options", { role: "listbox", id, "aria-multiselectable": many ? "true" : null });
  const handle = popover(field, h("div.select-list", {}, h("div.search-line", {}, icon("search", 15), input), box), { label: "Options" });
  handle.box.style.minWidth = `${Math.max(field.offsetWidth, 220)}px`;
  let at = 0;
  let turn = 0;
  const rows = () => [...box.querySelectorAll("[role=option]")];
  const mark = (n) => {
    const all = rows();
    at = all.length ? (n + all.length) % all.length : 0;
    all.forEach((row, i) => row.classList.toggle("at", i === at));
    if (all[at]) (input.setAttribute("aria-activedescendant", all[at].id), all[at].scrollIntoView({ block: "nearest" }));
  };
  const note = (...content) => box.replaceChildren(h("div.options-note", {}, content));
  const row = (item, i) => {
    const on = picked().some((p) => p.value === item.value);
    return h("div.option", {
      role: "option", id: `${id}-${i}`, "aria-selected": String(on), class: on ? "on" : "", "data-testid": "select-option", "data-value": item.value,
      onpointermove: () => mark(i), onclick: () => take(item, on),
    }, h("span.option-check", {}, on && icon("check", 15)), item.user && avatar(item.user, 20),
    h("span.option-text", {}, item.option ? textObject(item.option.text) : item.label, item.hint && h("small", {}, item.hint)));
  };
  const take = (item, on) => {
    if (many && !on && picked().length >= max) return;
    if (!many) handle.close();
    pick(item);
    if (many) (input.focus(), search());
  };
  let items = [];
  const search = async () => {
    const mine = ++turn;
    const query = input.value.trim();
    if (query.length < minimum) return note(`Type at least ${minimum} character${minimum === 1 ? "" : "s"}`);
    if (minimum || !items.length) note(spinner(), "Looking…");
    try {
      const groups = await find(query);
      if (mine !== turn) return;
      items = groups.flatMap((g) => g.items);
      if (!items.length) return note("Nothing found");
      let i = 0;
      box.replaceChildren(...groups.flatMap((g) => [g.label && h("div.option-group", {}, plain(bare(g.label))), ...g.items.map((item) => row(item, i++))]).filter(Boolean));
      mark(Math.max(0, items.findIndex((item) => picked().some((p) => p.value === item.value))));
    } catch (error) {
      if (mine === turn) note(icon("warning", 15), explain(error, store.appName, "options"));
    } finally {
      handle.move();
    }
  };
  let wait;
  input.addEventListener("input", () => (clearTimeout(wait), (wait = setTimeout(search, 120))));
  input.addEventListener("keydown", (e) => {
    if (e.key === "ArrowDown" || e.key === "ArrowUp") (e.preventDefault(), mark(at + (e.key === "ArrowDown" ? 1 : -1)));
    else if (e.key === "Enter") (e.preventDefault(), rows()[at]?.click());
    else if (e.key === "Tab") (e.preventDefault(), handle.close());
  });
  input.focus();
  search();
}
