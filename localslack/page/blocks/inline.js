/** Pieces that every kind of text shares: links, mentions, dates. All build nodes; none trusts its input. */
import { h } from "../lib/dom.js";
import { store } from "../lib/store.js";

const SAFE = /^(https?:|mailto:)/i;

/** Turns the three entities Slack uses back into characters. They are never parsed again afterwards. */
export function decode(text) {
  return text.replace(/&(lt|gt|amp);/g, (_, name) => ({ lt: "<", gt: ">", amp: "&" })[name]);
}

/** A link that opens in a new tab; anything but http, https and mailto stays text. */
export function link(url, label) {
  if (!SAFE.test(url)) return h("span.inert-link", { title: "This kind of link is not opened" }, label ?? url);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer", title: url }, label ?? url);
}

export function userMention(id, label) {
  const user = store.user(id);
  const mine = user && user.id === store.me?.id;
  return h("span.mention", { class: mine ? "me" : "", "data-user": id }, `@${user?.name ?? label ?? id}`);
}

export function channelMention(id, label) {
  const channel = store.channels.get(id);
  const name = channel?.name ?? label ?? id;
  if (!channel) return h("span.mention", {}, `#${name}`);
  return h("a.mention", { href: `#${id}` }, `#${name}`);
}

export function broadcast(range) {
  return h("span.mention.broadcast", {}, `@${range}`);
}

const pad = (n) => String(n).padStart(2, "0");
const long = (d, weekday) => d.toLocaleDateString("en-GB", { ...(weekday ? { weekday: "long" } : {}), day: "numeric", month: "long", year: "numeric" });
const short = (d) => d.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });

export function clock(date) {
  return `${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

/** "Today", "Yesterday", "Tomorrow" or null. */
export function nearDay(date, now = new Date()) {
  const day = (d) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  const days = Math.round((day(date) - day(now)) / 86_400_000);
  return { "-1": "Yesterday", 0: "Today", 1: "Tomorrow" }[days] ?? null;
}

export function dayName(date) {
  return nearDay(date) ?? date.toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long" });
}

export function ago(date, now = new Date()) {
  const s = Math.max(0, Math.round((now - date) / 1000));
  if (s < 60) return "just now";
  const [n, unit] = s < 3600 ? [Math.floor(s / 60), "minute"] : s < 86_400 ? [Math.floor(s / 3600), "hour"] : [Math.floor(s / 86_400), "day"];
  return `${n} ${unit}${n === 1 ? "" : "s"} ago`;
}

const DATE_TOKENS = {
  date_num: (d) => `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`,
  date: (d) => long(d), date_slash: (d) => `${pad(d.getDate())}/${pad(d.getMonth() + 1)}/${d.getFullYear()}`,
  date_short: short, date_long: (d) => long(d, true),
  date_pretty: (d) => nearDay(d)?.toLowerCase() ?? long(d), date_short_pretty: (d) => nearDay(d)?.toLowerCase() ?? short(d),
  date_long_pretty: (d) => nearDay(d)?.toLowerCase() ?? long(d, true),
  time: clock, time_secs: (d) => `${clock(d)}:${pad(d.getSeconds())}`, ago: (d) => ago(d),
};

/** A moment in the reader's own time zone; `format` is Slack's, with {date} and {time} tokens. */
export function dateText(timestamp, format, fallback, url) {
  const date = new Date(Number(timestamp) * 1000);
  if (Number.isNaN(date.getTime())) return h("span", {}, fallback ?? "");
  const text = format.replace(/\{(\w+)\}/g, (whole, token) => DATE_TOKENS[token]?.(date) ?? whole);
  const el = h("time", { datetime: date.toISOString(), title: `${long(date, true)} ${clock(date)}` }, text);
  return url ? link(url, el) : el;
}

/** What stands between < and > in Slack text. `label` nodes may be built by `render`. */
export function token(inner, render = (text) => decode(text)) {
  const bar = inner.indexOf("|");
  const [target, label] = bar < 0 ? [inner, null] : [inner.slice(0, bar), inner.slice(bar + 1)];
  if (target[0] === "@") return userMention(target.slice(1), label && decode(label));
  if (target[0] === "#") return channelMention(target.slice(1), label && decode(label));
  if (target[0] === "!") return special(target.slice(1), label);
  return link(decode(target), label === null ? null : render(label));
}

function special(target, label) {
  const [kind, ...rest] = target.split("^");
  if (["channel", "here", "everyone"].includes(kind)) return broadcast(kind);
  if (kind === "date") return dateText(rest[0], decode(rest[1] ?? ""), label && decode(label), rest[2] && decode(rest[2]));
  return h("span.mention", {}, label ? decode(label) : `@${rest[0] ?? kind}`);
}
