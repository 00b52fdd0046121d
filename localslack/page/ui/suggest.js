/** Suggestions above a composer: slash commands at the start, people after @, channels after #, emoji after :. */
import { h } from "../lib/dom.js";
import { emoji, showable } from "../lib/emoji.js";
import { avatar, icon } from "../lib/icons.js";
import { store } from "../lib/store.js";

const BUILT_IN = [{ command: "/invite", description: "Bring somebody into this channel", usage_hint: "@user", builtin: true }];

/** What may stand at the caret: {from, items: [{insert, node}]} or null. */
function candidates(text, caret, { inThread }) {
  const before = text.slice(0, caret);
  if (/^\/[^\s]*$/.test(before) && !inThread) return { from: 0, items: commands(before) };
  const word = /(^|[\s(])([@#:])([\w.+-]*)$/.exec(before);
  if (!word) return null;
  const [, , sign, query] = word;
  const from = caret - query.length - 1;
  if (sign === "@") return { from, items: users(query) };
  if (sign === "#") return { from, items: channels(query) };
  return query.length < 2 ? null : { from, items: emojis(query) };
}

function commands(typed) {
  return [...(store.app?.commands ?? []), ...BUILT_IN].filter((c) => c.command.startsWith(typed.toLowerCase())).map((c) => ({
    insert: `${c.command} `,
    node: [h("span.suggest-icon", {}, c.builtin ? icon("people", 17) : avatar(store.bot, 22)), h("span.suggest-main", {}, h("strong", {}, c.command), c.usage_hint && h("span.usage", {}, ` ${c.usage_hint}`)), h("small", {}, c.description ?? "")],
  }));
}

function users(query) {
  const q = query.toLowerCase();
  return [...store.users.values()].filter((u) => `${u.name} ${u.real_name ?? ""}`.toLowerCase().split(" ").some((w) => w.startsWith(q))).slice(0, 8).map((u) => ({
    insert: `@${u.name} `, node: [h("span.suggest-icon", {}, avatar(u, 22)), h("span.suggest-main", {}, h("strong", {}, u.name)), h("small", {}, u.real_name ?? "", u.is_bot ? " · app" : "")],
  }));
}

function channels(query) {
  return [...store.channels.values()].filter((c) => !c.is_im && c.name.startsWith(query.toLowerCase())).slice(0, 8)
    .map((c) => ({ insert: `#${c.name} `, node: [h("span.suggest-icon", {}, icon(c.is_private ? "lock" : "hash", 17)), h("span.suggest-main", {}, h("strong", {}, c.name))] }));
}

function emojis(query) {
  return showable().filter((name) => name.startsWith(query)).slice(0, 8).map((name) => ({ insert: `:${name}: `, node: [h("span.suggest-icon", {}, emoji(name)), h("span.suggest-main", {}, `:${name}:`)] }));
}

let count = 0;

/** Watches `field`; `box` shows the list. Returns a keydown handler that says true when it used the key. */
export function suggestions(field, box, options) {
  const id = `suggest-${++count}`;
  Object.assign(box, { id, hidden: true });
  box.setAttribute("role", "listbox");
  field.setAttribute("aria-controls", id);
  let found = null;
  let at = 0;
  const close = () => {
    found = null;
    box.hidden = true;
    field.removeAttribute("aria-activedescendant");
  };
  const take = (item) => {
    field.setRangeText(item.insert, found.from, field.selectionStart, "end");
    close();
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  };
  const paint = () => {
    box.replaceChildren(...found.items.map((item, i) => h("div.suggestion", {
      role: "option", id: `${id}-${i}`, "aria-selected": String(i === at), class: i === at ? "at" : "", "data-testid": "suggestion",
      onpointerdown: (e) => (e.preventDefault(), take(item)),
    }, item.node)));
    field.setAttribute("aria-activedescendant", `${id}-${at}`);
    box.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const look = () => {
    found = candidates(field.value, field.selectionStart, options);
    if (!found?.items.length || field.value.slice(found.from, field.selectionStart) === found.items[0].insert.trim() && found.items.length === 1) return close();
    at = 0;
    box.hidden = false;
    paint();
  };
  field.addEventListener("input", look);
  field.addEventListener("blur", close);
  return (event) => {
    if (!found) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) (at = (at + step + found.items.length) % found.items.length, paint());
    else if (event.key === "Tab" || event.key === "Enter" && !event.shiftKey) take(found.items[at]);
    else if (event.key === "Escape") (event.stopPropagation(), close());
    else return false;
    event.preventDefault();
    return true;
  };
}
