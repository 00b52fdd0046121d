/** The left side: workspace, conversations, the app, and who one is here. */
import { actingAs } from "../lib/api.js";
import { h, keepFocus } from "../lib/dom.js";
import { avatar, icon, iconButton } from "../lib/icons.js";
import { store } from "../lib/store.js";
import { addChannel } from "./channels.js";
import { current } from "./route.js";

export class Sidebar {
  node = h("nav.sidebar", { "aria-label": "Conversations" });

  render() {
    keepFocus(this.node, () => this.node.replaceChildren(
      h("header.workspace", {}, h("span.workspace-mark", { "aria-hidden": "true" }, (store.team?.name ?? "W")[0].toUpperCase()),
        h("div", {}, h("h1", {}, store.team?.name ?? "Workspace"), h("span.me-line", {}, h("i.dot"), store.me.real_name || store.me.name))),
      h("div.side-scroll", {}, this.#channels(), this.#direct(), this.#app()),
      h("div.notice", { "data-testid": "notice" }, icon("info", 15), h("span", {}, store.notice || "a local workspace for trying and testing — not Slack")),
      people()));
  }

  #group(label, items, action) {
    return h("section.side-group", { "aria-label": label }, h("div.side-label", {}, h("span", {}, label), action), h("ul", {}, items.map((item) => h("li", {}, item))));
  }

  #channels() {
    const list = [...store.channels.values()].filter((c) => !c.is_im && !c.is_mpim && !(c.is_archived && current().channel !== c.id)).sort((a, b) => Number(a.is_private) - Number(b.is_private) || a.name.localeCompare(b.name));
    return this.#group("Channels", list.map((c) => entry(c, icon(c.is_private ? "lock" : "hash", 16), c.name)),
      iconButton("plus", "Add a channel", addChannel, { "data-testid": "add-channel" }));
  }

  #direct() {
    const list = [...store.channels.values()].filter((c) => c.is_im || c.is_mpim);
    if (!list.length) return null;
    return this.#group("Direct messages", list.map((c) => {
      if (c.is_mpim) return entry(c, icon("people", 16), store.title(c));
      const other = store.user(c.user ?? c.members?.find((id) => id !== store.me.id)) ?? { name: c.name };
      return entry(c, avatar(other, 20), store.title(c), other.is_bot);
    }));
  }

  #app() {
    if (!store.app || store.app.home_tab === false) return null;
    const here = current().home;
    return this.#group("Apps", [h("a.side-item", { href: "#home", class: here ? "here" : "", "aria-current": here ? "page" : null, "data-testid": "home-link", "data-fk": "home" },
      icon("home", 16), h("span.side-name", {}, `${store.appName} Home`))]);
  }
}

function entry(c, sign, name, isApp = false) {
  const here = current().channel === c.id;
  const unread = !here && c.unread > 0;
  return h("a.side-item", {
    href: `#${c.id}`, class: [here && "here", unread && "unread", c.is_member === false && "outside"].filter(Boolean).join(" "),
    "aria-current": here ? "page" : null, "data-testid": "channel-link", "data-channel": c.name, "data-fk": c.id,
    "aria-label": `${c.is_private && !c.is_im ? "private channel " : ""}${name}${unread ? `, ${c.unread} unread` : ""}`,
  }, sign, h("span.side-name", {}, name), isApp && h("span.badge", {}, "APP"), unread && h("span.count", { "data-testid": "unread" }, c.unread));
}

/** What sets a person apart: a guest, or somebody of another workspace. */
export function mark(user) {
  const word = user.team && user.team !== store.team?.id ? "other workspace" : user.is_guest ? "guest" : "";
  return word && h("span.badge", { "data-testid": "person-mark" }, word);
}

/** Switches the acting person; the page starts anew as that person. */
function people() {
  const humans = [...store.users.values()].filter((u) => !u.is_bot);
  return h("div.people", { role: "group", "aria-label": "Act as" }, h("span.people-label", {}, "Act as"), humans.map((u) => {
    const me = u.id === store.me.id || u.name === actingAs;
    return h("a.person", { href: `/?user=${encodeURIComponent(u.name)}${location.hash}`, class: me ? "me" : "", "aria-current": me ? "true" : null, "data-testid": "person", "data-name": u.name, "data-fk": `as:${u.name}` },
      avatar(u, 22), u.real_name || u.name, mark(u));
  }));
}
