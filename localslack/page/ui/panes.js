/** The middle (a channel, a direct message or the app's Home) and the thread beside it. */
import { explain, post } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { avatar, icon, iconButton } from "../lib/icons.js";
import { on, store } from "../lib/store.js";
import { archive, members } from "./channels.js";
import { Composer, dropZone } from "./composer.js";
import { Home } from "./home.js";
import { toast } from "./layer.js";
import { MessageList } from "./list.js";
import { closeThread, current } from "./route.js";

const bouncing = () => h("span.dots", { "aria-hidden": "true" }, h("i"), h("i"), h("i"));

function statusLine(el, text) {
  el.hidden = !text;
  if (el.dataset.text === text) return;
  el.dataset.text = text;
  el.replaceChildren(...(text ? [bouncing(), h("span", {}, text)] : []));
}

/** "ftbot is thinking…" from a bare "is thinking…". */
function statusText(text) {
  return text && /^(is|are|has|was)\b/.test(text) ? `${store.appName} ${text}` : text;
}

export class MainPane {
  #channel = null;
  #loading = false;

  constructor() {
    this.head = h("header.pane-head");
    this.scroll = h("div.scroll", { tabindex: "-1" });
    this.status = h("div.status", { role: "status", hidden: true, "data-testid": "status" });
    this.jump = h("button.jump", { type: "button", hidden: true, "data-testid": "jump" }, icon("down", 15), "New messages");
    this.composer = new Composer();
    this.join = h("div.join", { hidden: true });
    this.prompts = h("div.prompts", { hidden: true, "data-testid": "prompts" });
    this.foot = h("div.pane-foot", {}, this.jump, this.join, this.prompts, this.composer.node, this.status);
    this.home = new Home();
    this.node = h("main.main-pane", { "data-testid": "main-pane" }, this.head, this.scroll, this.home.node, this.foot);
    this.list = new MessageList(this.scroll, { jump: this.jump, onTop: () => this.#older() });
    dropZone(this.node, this.composer, () => this.title);
    on("feed", (id) => id === this.#channel && this.#show());
    on("status", () => this.#status());
    on("prompts", (id) => id === this.#channel && this.#prompts());
    on("channels", () => (this.#head(), this.#membership()));
  }

  get title() {
    const channel = store.channels.get(this.#channel);
    return channel ? (channel.is_im || channel.is_mpim ? store.title(channel) : `#${channel.name}`) : store.appName;
  }

  async open({ home, channel }) {
    const atHome = home || !store.channels.has(channel);
    this.node.classList.toggle("at-home", atHome);
    const changed = this.#channel !== (atHome ? null : channel);
    this.#channel = atHome ? null : channel;
    this.#head();
    this.#membership();
    document.title = `${atHome ? `${store.appName} Home` : this.title} · ${store.team?.name ?? "localslack"}`;
    if (atHome) return this.home.open();
    if (!changed) return;
    this.composer.at({ channel }, this.title);
    this.#show(true);
    this.#status();
    if (!document.querySelector("dialog[open]")) this.composer.focus();
    await this.reload();
  }

  async reload() {
    if (!this.#channel) return this.home.refresh();
    const id = this.#channel;
    await store.loadFeed(id).catch((error) => toast(explain(error)));
    store.setUnread(id, 0);
    if (id === this.#channel) this.list.toBottom();
  }

  async #older() {
    const feed = store.feeds.get(this.#channel);
    if (this.#loading || !feed?.hasMore) return;
    this.#loading = true;
    await store.loadFeed(this.#channel, feed.messages[0]?.ts).catch((error) => toast(explain(error)));
    this.#loading = false;
  }

  #show(fresh = false) {
    const feed = store.feeds.get(this.#channel);
    this.list.show(feed?.messages ?? [], { fresh });
    this.scroll.classList.toggle("empty", Boolean(feed) && !feed.messages.length);
    this.scroll.dataset.empty = `This is the very beginning of ${this.title}.`;
  }

  /** What the app suggests to say; a click says it. */
  #prompts() {
    const place = this.#channel;
    const list = store.prompts.get(place) ?? [];
    this.prompts.hidden = !list.length;
    const say = (text) => post(`/ui/channels/${place}/messages`, { text }).catch((error) => toast(explain(error)));
    this.prompts.replaceChildren(...list.map((p) => h("button.button.small", { type: "button", "data-testid": "prompt", onclick: () => say(p.message) }, p.title)));
  }

  #status() {
    statusLine(this.status, statusText(this.#channel ? store.status(this.#channel, null) : ""));
  }

  #head() {
    const channel = store.channels.get(this.#channel);
    const dm = !channel || channel.is_im;
    const appPage = !channel || (channel.is_im && channel.id === store.appDm()?.id);
    const title = channel ? (dm || channel.is_mpim ? store.title(channel) : channel.name) : store.appName;
    const who = channel?.is_im ? store.user(channel.user ?? channel.members?.find((id) => id !== store.me.id)) : store.bot;
    this.head.replaceChildren(
      h("div.pane-title", {}, dm ? avatar(who, 24) : icon(channel.is_mpim ? "people" : channel.is_private ? "lock" : "hash", 19), h("h2", { "data-testid": "channel-title" }, title), channel?.is_ext_shared && h("span.badge", { "data-testid": "shared" }, "shared with another workspace"), dm && who?.is_bot && h("span.badge", {}, "APP")),
      appPage ? tabs(channel) : "",
      channel && !dm ? h("button.people-button", { type: "button", title: "People in this channel", "aria-label": `${channel.members?.length ?? 0} people in this channel`, "data-testid": "members", onclick: () => members(channel.id) }, icon("people", 17), String(channel.members?.length ?? "")) : "");
  }

  #membership() {
    const channel = store.channels.get(this.#channel);
    const archived = Boolean(channel?.is_archived);
    const outside = archived || (Boolean(channel) && channel.is_member === false);
    this.join.hidden = !outside;
    this.composer.node.hidden = outside;
    if (!outside) return;
    if (archived) {
      this.join.replaceChildren(h("span", { "data-testid": "archived" }, `#${channel.name} is archived.`), h("button.button", { type: "button", onclick: () => archive(channel, false) }, "Open it again"));
      return;
    }
    const enter = () => post(`/ui/channels/${channel.id}/members`, { user: store.me.id }).then(() => store.loadState(), (error) => toast(explain(error)));
    this.join.replaceChildren(h("span", {}, `You are looking at #${channel.name}.`), h("button.button.primary", { type: "button", onclick: enter }, "Join channel"));
  }
}

function tabs(channel) {
  const dm = store.appDm();
  const tab = (label, href, on) => h("a.tab", { href, class: on ? "on" : "", "aria-current": on ? "page" : null }, label);
  return h("div.tabs", {}, tab("Home", "#home", !channel), dm && tab("Messages", `#${dm.id}`, Boolean(channel)));
}

export class ThreadPane {
  #at = null; // {channel, ts}

  constructor() {
    this.where = h("small");
    this.scroll = h("div.scroll", { tabindex: "-1" });
    this.status = h("div.status", { role: "status", hidden: true, "data-testid": "thread-status" });
    this.stop = h("button.button.small.stop", { type: "button", hidden: true, "data-testid": "stop", onclick: () => this.#stop() }, "Stop");
    this.jump = h("button.jump", { type: "button", hidden: true }, icon("down", 15), "New replies");
    this.composer = new Composer({ inThread: true });
    this.node = h("aside.thread-pane", { "aria-label": "Thread", hidden: true, "data-testid": "thread-pane" },
      h("header.pane-head", {}, h("div.pane-title", {}, h("h2", {}, "Thread"), this.where), iconButton("close", "Close thread", closeThread, { "data-testid": "thread-close" })),
      this.scroll, h("div.pane-foot", {}, this.jump, this.stop, this.composer.node, this.status));
    this.list = new MessageList(this.scroll, { inThread: true, jump: this.jump });
    dropZone(this.node, this.composer, () => "this thread");
    this.node.addEventListener("keydown", (e) => e.key === "Escape" && !e.defaultPrevented && closeThread());
    on("thread", (key) => this.#at && key === `${this.#at.channel}/${this.#at.ts}` && this.#show());
    on("status", () => this.#status());
    on("session", () => this.#session());
  }

  /** The Stop button stands there while the app is at work and can hear a stop. */
  #session() {
    const session = this.#at && store.sessions.get(`${this.#at.channel}/${this.#at.ts}`);
    this.stop.hidden = !session?.stoppable;
  }

  async #stop() {
    this.stop.disabled = true;
    await post(`/ui/channels/${this.#at.channel}/threads/${this.#at.ts}/stop`).catch((error) => toast(explain(error)));
    this.stop.disabled = false;
  }

  async open(channel, ts) {
    if (!channel || !ts) {
      this.#at = null;
      this.node.hidden = true;
      return;
    }
    if (this.#at?.channel === channel && this.#at.ts === ts) return;
    this.#at = { channel, ts };
    const place = store.channels.get(channel);
    this.where.textContent = place ? (place.is_im ? store.title(place) : `#${place.name}`) : "";
    this.node.hidden = false;
    this.composer.at({ channel, thread_ts: ts }, "");
    this.composer.node.hidden = Boolean(place?.is_archived);
    this.#session();
    this.#show(true);
    this.#status();
    await this.reload();
  }

  async reload() {
    if (!this.#at) return;
    const { channel, ts } = this.#at;
    try {
      await store.loadThread(channel, ts);
      this.list.toBottom();
    } catch (error) {
      toast(explain(error));
      if (current().thread === ts) closeThread();
    }
  }

  #show(fresh = false) {
    const { channel, ts } = this.#at;
    const root = store.feeds.get(channel)?.messages.find((m) => m.ts === ts);
    this.list.show(store.threads.get(`${channel}/${ts}`) ?? (root ? [root] : []), { fresh });
  }

  #status() {
    statusLine(this.status, statusText(this.#at ? store.status(this.#at.channel, this.#at.ts) : ""));
  }
}
