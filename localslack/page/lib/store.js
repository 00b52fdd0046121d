/** What this tab knows of the workspace, and who wants to hear when it changes. */
import { get } from "./api.js";

const listeners = new Map();

/** Calls `fn(detail)` whenever `topic` changes; returns a function that stops it. */
export function on(topic, fn) {
  if (!listeners.has(topic)) listeners.set(topic, new Set());
  listeners.get(topic).add(fn);
  return () => listeners.get(topic).delete(fn);
}

export function emit(topic, detail) {
  for (const fn of [...(listeners.get(topic) ?? [])]) fn(detail);
}

const byTs = (a, b) => (a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : 0);
const dismissed = new Set(JSON.parse(sessionStorage.getItem("dismissed") ?? "[]"));

/** True for a reply that shows in the thread only. */
export const isReply = (m) => Boolean(m.thread_ts && m.thread_ts !== m.ts);

class Store {
  me = null;
  team = null;
  app = null;
  notice = "";
  users = new Map();
  channels = new Map();
  feeds = new Map(); // channel id → {messages, hasMore}
  threads = new Map(); // "channel/ts" → messages, root first
  #turn = 0;
  #arrived = new Map(); // "channel/ts" → {at, message}, the latest changes
  sessions = new Map(); // "channel/ts" → {status, title, stoppable}
  prompts = new Map(); // channel → [{title, message}]
  statuses = new Map(); // "channel/thread_ts" → {text, until}

  async loadState() {
    const mine = ++this.#turn;
    const state = await get("/ui/state");
    if (mine !== this.#turn) return; // a later look is under way
    Object.assign(this, { position: state.event, me: state.me, team: state.team, app: state.app ?? null, notice: state.notice ?? "" });
    this.users = new Map(state.users.map((u) => [u.id, u]));
    this.channels = new Map(state.channels.map((c) => [c.id, c]));
    emit("channels");
  }

  user(id) {
    return this.users.get(id);
  }

  get bot() {
    return this.users.get(this.app?.bot_user_id);
  }

  get appName() {
    return this.bot?.real_name || this.app?.name || "The app";
  }

  /** Who wrote a message, also for bot messages that carry no known user. */
  author(message) {
    const user = this.users.get(message.user);
    if (user && !message.bot_id) return user;
    const bot = user ?? this.bot ?? {};
    return { ...bot, is_bot: true, name: bot.name ?? "app", real_name: message.username || bot.real_name || bot.name || "App" };
  }

  /** Name of a conversation as this person reads it. */
  title(channel) {
    if (channel?.is_mpim) return channel.title;
    if (!channel?.is_im) return channel?.name ?? "";
    const other = this.users.get(channel.user ?? channel.members?.find((id) => id !== this.me.id));
    return other?.real_name || other?.name || channel.name;
  }

  appDm() {
    return [...this.channels.values()].find((c) => c.is_im && (c.user === this.bot?.id || c.members?.includes(this.bot?.id)));
  }

  // -- messages ------------------------------------------------------------------------------------------------

  async loadFeed(channel, before) {
    const started = performance.now();
    const page = await get(`/ui/channels/${channel}/messages?limit=60${before ? `&before=${encodeURIComponent(before)}` : ""}`);
    this.setPrompts(channel, page.prompts ?? []);
    const kept = before ? this.feeds.get(channel)?.messages ?? [] : [];
    this.feeds.set(channel, { messages: merge(kept, this.#newest(channel, page.messages, started)), hasMore: Boolean(page.has_more) });
    emit("feed", channel);
  }

  async loadThread(channel, ts) {
    const started = performance.now();
    const { messages, session } = await get(`/ui/channels/${channel}/threads/${ts}`);
    this.setSession(channel, ts, session);
    this.threads.set(`${channel}/${ts}`, merge([], this.#newest(channel, messages, started)));
    emit("thread", `${channel}/${ts}`);
  }

  /** What was read, with what the stream brought while it was being read. */
  #newest(channel, messages, started) {
    const live = [...this.#arrived.values()].filter((a) => a.at >= started && a.message.channel === channel);
    return messages.map((m) => live.find((a) => a.message.ts === m.ts)?.message ?? m);
  }

  /** Takes in the answer to a post. What the stream brought first is newer and stays. */
  posted(message) {
    if (!this.find(message.channel, message.ts)) this.put(message);
  }

  /** Takes in one message as it is now. */
  put(message) {
    const { channel } = message;
    this.#arrived.delete(`${channel}/${message.ts}`);
    this.#arrived.set(`${channel}/${message.ts}`, { at: performance.now(), message });
    if (this.#arrived.size > 300) this.#arrived.delete(this.#arrived.keys().next().value);
    const feed = this.feeds.get(channel);
    const key = `${channel}/${message.thread_ts ?? message.ts}`;
    const thread = this.threads.get(key);
    const inFeed = !isReply(message) || message.subtype === "thread_broadcast";
    if (feed && inFeed) this.#set(feed, message);
    if (thread) this.threads.set(key, merge(thread, [message]));
    if (feed && inFeed) emit("feed", channel);
    if (thread) emit("thread", key);
  }

  #set(feed, message) {
    const oldest = feed.messages[0];
    if (feed.hasMore && oldest && message.ts < oldest.ts) return;
    feed.messages = merge(feed.messages, [message]);
  }

  find(channel, ts) {
    for (const [key, messages] of this.threads) {
      const found = key.startsWith(`${channel}/`) && messages.find((m) => m.ts === ts);
      if (found) return found;
    }
    return this.feeds.get(channel)?.messages.find((m) => m.ts === ts);
  }

  remove(channel, ts) {
    const feed = this.feeds.get(channel);
    if (feed) feed.messages = feed.messages.filter((m) => m.ts !== ts);
    for (const [key, messages] of this.threads) {
      if (!key.startsWith(`${channel}/`)) continue;
      this.threads.set(key, messages.filter((m) => m.ts !== ts));
      emit("thread", key);
    }
    emit("feed", channel);
  }

  visible(message) {
    return !dismissed.has(`${message.channel}/${message.ts}`);
  }

  dismiss(message) {
    dismissed.add(`${message.channel}/${message.ts}`);
    sessionStorage.setItem("dismissed", JSON.stringify([...dismissed].slice(-500)));
    emit("feed", message.channel);
    emit("thread", `${message.channel}/${message.thread_ts ?? message.ts}`);
  }

  // -- small things --------------------------------------------------------------------------------------------

  /** "ftbot is thinking…" in a conversation or a thread; empty text clears it, two minutes end it. */
  setStatus(channel, threadTs, text) {
    const key = `${channel}/${threadTs ?? ""}`;
    if (text) this.statuses.set(key, { text, until: Date.now() + 120_000 });
    else this.statuses.delete(key);
    emit("status", key);
    if (text) setTimeout(() => emit("status", key), 120_500);
  }

  status(channel, threadTs) {
    const found = this.statuses.get(`${channel}/${threadTs ?? ""}`);
    return found && found.until > Date.now() ? found.text : "";
  }

  setSession(channel, threadTs, session) {
    this.sessions.set(`${channel}/${threadTs}`, session);
    emit("session", `${channel}/${threadTs}`);
  }

  setPrompts(channel, prompts) {
    this.prompts.set(channel, prompts);
    emit("prompts", channel);
  }

  setUnread(channel, count) {
    const found = this.channels.get(channel);
    if (!found || (found.unread ?? 0) === count) return;
    found.unread = count;
    emit("channels");
  }
}

function merge(old, fresh) {
  const byKey = new Map(old.map((m) => [m.ts, m]));
  for (const m of fresh) byKey.set(m.ts, m);
  return [...byKey.values()].sort(byTs);
}

export const store = new Store();
