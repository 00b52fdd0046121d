/** A list of messages that changes in place: only messages that differ are built anew. */
import { h, keepFocus } from "../lib/dom.js";
import { store } from "../lib/store.js";
import { dayName } from "../blocks/inline.js";
import { isEditing, messageNode, moment } from "./message.js";

const GROUP_S = 300;
const NEAR = 120;

function follows(m, before) {
  return Boolean(before) && store.author(m).name === store.author(before).name && store.author(m).real_name === store.author(before).real_name
    && Number(m.ts) - Number(before.ts) < GROUP_S && Boolean(m.ephemeral) === Boolean(before.ephemeral)
    && m.subtype !== "thread_broadcast" && !before.reply_count && moment(m.ts).toDateString() === moment(before.ts).toDateString();
}

export class MessageList {
  #nodes = new Map(); // key → {signature, node}
  #stick = true;

  /** `scroller` is the element that scrolls; `top` builds what stands above the first message. */
  constructor(scroller, { inThread = false, onTop = null, jump = null } = {}) {
    this.scroller = scroller;
    this.inThread = inThread;
    this.jump = jump;
    this.holder = h("div.messages", { role: "log", "aria-live": "polite", "aria-label": inThread ? "Thread" : "Messages", "data-testid": inThread ? "thread-messages" : "messages" });
    scroller.append(this.holder);
    scroller.addEventListener("scroll", () => {
      this.#stick = this.#fromBottom() < NEAR;
      if (this.#stick) this.#offer(false);
      if (onTop && scroller.scrollTop < 80) onTop();
    }, { passive: true });
    new ResizeObserver(() => this.#stick && this.toBottom()).observe(this.holder);
    new ResizeObserver(() => this.#stick && this.toBottom()).observe(scroller);
    jump?.addEventListener("click", () => this.toBottom());
  }

  #fromBottom() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight;
  }

  toBottom() {
    this.#stick = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#offer(false);
  }

  #offer(show) {
    if (this.jump) this.jump.hidden = !show;
  }

  #build(messages) {
    const wanted = [];
    let before = null;
    for (const m of messages.filter((one) => store.visible(one))) {
      const day = moment(m.ts).toDateString();
      if (!this.inThread && (!before || moment(before.ts).toDateString() !== day)) wanted.push([`day ${day}`, dayName(moment(m.ts)), () => divider(m)]);
      const grouped = follows(m, before) && !(this.inThread && before === messages[0]);
      wanted.push([m.ts, JSON.stringify([m, grouped, isEditing(m), store.channels.size]), () => messageNode(m, { grouped, inThread: this.inThread })]);
      if (this.inThread && m === messages[0] && messages.length > 1) wanted.push(["count", String(messages.length), () => replyCount(messages)]);
      before = m;
    }
    return wanted;
  }

  /** Shows `messages`; keeps the reading position unless the reader was at the end. */
  show(messages, { fresh = false } = {}) {
    const scroller = this.scroller;
    const height = scroller.scrollHeight;
    const wasNear = this.#stick || fresh;
    const newest = this.newest;
    keepFocus(this.holder, () => this.#place(this.#build(messages)));
    this.newest = messages[messages.length - 1]?.ts ?? "";
    const grewAbove = !fresh && messages[0] && this.oldest && messages[0].ts < this.oldest;
    this.oldest = messages[0]?.ts ?? "";
    if (grewAbove) scroller.scrollTop += scroller.scrollHeight - height;
    else if (wasNear || messages[messages.length - 1]?.user === store.me.id && this.newest > newest) this.toBottom();
    else if (newest && this.newest > newest) this.#offer(true);
  }

  #place(wanted) {
    const kept = new Map();
    let cursor = this.holder.firstChild;
    for (const [key, signature, build] of wanted) {
      const old = this.#nodes.get(key);
      const entry = old?.signature === signature ? old : { signature, node: build() };
      kept.set(key, entry);
      if (old && old !== entry && old.node === cursor) {
        cursor = cursor.nextSibling;
        old.node.replaceWith(entry.node);
      } else if (entry.node === cursor) cursor = cursor.nextSibling;
      else this.holder.insertBefore(entry.node, cursor);
    }
    const keep = new Set([...kept.values()].map((e) => e.node));
    for (const node of [...this.holder.childNodes]) if (!keep.has(node)) node.remove();
    this.#nodes = kept;
  }
}

function divider(m) {
  return h("div.day", { role: "separator", "aria-label": dayName(moment(m.ts)) }, h("span", {}, dayName(moment(m.ts))));
}

function replyCount(messages) {
  const n = messages.length - 1;
  return h("div.reply-count", {}, h("span", {}, `${n} ${n === 1 ? "reply" : "replies"}`));
}
