/** One message, as it stands in a channel or a thread. */
import { del, explain, patch, post } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { emoji } from "../lib/emoji.js";
import { avatar, icon, iconButton } from "../lib/icons.js";
import { isReply, store } from "../lib/store.js";
import { bodyOf, nameOf } from "../blocks/blocks.js";
import { ago, clock, dayName } from "../blocks/inline.js";
import { decode } from "../blocks/inline.js";
import { mrkdwn } from "../blocks/mrkdwn.js";
import { files } from "./files.js";
import { confirm, menu, toast } from "./layer.js";
import { pickEmoji } from "./emojipicker.js";
import { openThread } from "./route.js";
import { mark } from "./sidebar.js";

const QUICK = ["white_check_mark", "eyes", "+1"];
const chosenValues = new Map(); // "channel/ts" → values Map, kept while the message is re-rendered
const editing = new Set();

export const moment = (ts) => new Date(Number(ts) * 1000);
const say = (error) => toast(explain(error, store.appName));

function surfaceOf(m) {
  const key = `${m.channel}/${m.ts}`;
  if (!chosenValues.has(key)) chosenValues.set(key, new Map());
  return { kind: "message", target: { channel: m.channel, message_ts: m.ts }, values: chosenValues.get(key) };
}

/** `grouped`: the message follows one of the same author and shows no name. `inThread`: it stands in the thread pane. */
export function messageNode(m, { grouped, inThread }) {
  const who = store.author(m);
  const key = `${m.channel}/${m.ts}`;
  const node = h("article.message", {
    class: [grouped && "grouped", m.ephemeral && "ephemeral", m.streaming && "streaming"].filter(Boolean).join(" "),
    "data-testid": "message", "data-ts": m.ts, "aria-label": `${who.real_name || who.name}, ${clock(moment(m.ts))}`,
  },
  h("div.gutter", {}, grouped ? h("span.side-time", {}, clock(moment(m.ts))) : avatar(who)),
  h("div.message-main", {},
    m.ephemeral && onlyYou(m),
    m.subtype === "thread_broadcast" && h("div.note-line", {}, inThread ? "Also sent to the channel" : "Replied to a thread ", !inThread && h("button.as-link", { type: "button", onclick: () => openThread(m.channel, m.thread_ts) }, "Open thread")),
    !grouped && headline(m, who),
    editing.has(key) ? editor(m) : body(m),
    m.files?.length ? files(m.files) : null,
    m.reactions?.length ? reactions(m) : null,
    !inThread && m.reply_count ? threadBar(m) : null),
  !m.ephemeral && !editing.has(key) && toolbar(m, inThread));
  return node;
}

function headline(m, who) {
  const at = moment(m.ts);
  return h("div.headline", {},
    h("span.author", { "data-testid": "author" }, who.real_name || who.name),
    who.is_bot ? h("span.badge", {}, "APP") : mark(who),
    h("time.time", { datetime: at.toISOString(), title: `${dayName(at)}, ${clock(at)}` }, clock(at)));
}

function onlyYou(m) {
  return h("div.note-line.only-you", { "data-testid": "only-you" }, icon("eye", 14), "Only visible to you ",
    h("button.as-link", { type: "button", onclick: () => store.dismiss(m) }, "Dismiss"));
}

const SYSTEM = new Set(["channel_join", "channel_leave", "group_join", "group_leave", "channel_topic", "channel_purpose", "channel_name"]);

function body(m) {
  const content = SYSTEM.has(m.subtype) ? h("div.text.system", {}, mrkdwn(m.text ?? "")) : bodyOf(m, surfaceOf(m));
  if (m.streaming) lastPlace(content).append(h("span.caret", { "aria-label": "is writing" }));
  if (m.edited) (content.classList.contains("text") ? content : lastPlace(content)).append(h("span.edited", { "data-testid": "edited" }, " (edited)"));
  return content;
}

/** The innermost last piece of running text, where a caret belongs. */
function lastPlace(root) {
  let at = root;
  for (let next = lastText(at); next; next = lastText(at)) at = next;
  return at;
}

function lastText(at) {
  const last = [...at.children].findLast((child) => !child.matches(".block-actions, .block-context_actions, .actions, .context-actions"));
  return last && /^(DIV|P|UL|OL|LI|BLOCKQUOTE|PRE)$/.test(last.tagName) && !last.matches(".accessory, .plan") ? last : null;
}

function reactions(m) {
  const toggle = (r, mine) => (mine ? del : post)("/ui/reactions", { channel: m.channel, ts: m.ts, name: r.name }).catch(say);
  return h("div.reactions", {}, m.reactions.map((r) => {
    const mine = r.users?.includes(store.me.id);
    const names = (r.users ?? []).map(nameOf).join(", ");
    return h("button.reaction", {
      type: "button", class: mine ? "mine" : "", "aria-pressed": String(Boolean(mine)), "data-testid": "reaction", "data-name": r.name, "data-fk": `${m.ts}:re:${r.name}`,
      title: `${names} reacted with :${r.name}:`, "aria-label": `${r.count} reacted with ${r.name}`, onclick: () => toggle(r, mine),
    }, emoji(r.name), h("span", {}, r.count));
  }), h("button.reaction.add", { type: "button", "aria-label": "Add reaction", title: "Add reaction", onclick: (e) => react(e.currentTarget, m) }, icon("smile", 16)));
}

function react(anchor, m) {
  pickEmoji(anchor, (name) => post("/ui/reactions", { channel: m.channel, ts: m.ts, name }).catch(say));
}

function threadBar(m) {
  const last = moment(m.latest_reply ?? m.ts);
  const count = `${m.reply_count} ${m.reply_count === 1 ? "reply" : "replies"}`;
  const old = Date.now() - last > 86_400_000;
  return h("button.thread-bar", { type: "button", "data-testid": "thread-bar", "data-fk": `${m.ts}:thread`, onclick: () => openThread(m.channel, m.ts) },
    icon("reply", 15), h("strong", {}, count), h("span.last", {}, `last ${old ? ago(last) : clock(last)}`), h("span.view", {}, "Open thread"));
}

function toolbar(m, inThread) {
  const mine = m.user === store.me.id && !m.bot_id;
  const quick = (name) => h("button.icon-button", { type: "button", "aria-label": `React with ${name}`, title: `:${name}:`, onclick: () => post("/ui/reactions", { channel: m.channel, ts: m.ts, name }).catch(say) }, emoji(name));
  const more = iconButton("more", "More actions", () => menu(more, moreItems(m, mine), { label: "Message actions" }), { "aria-haspopup": "menu", "aria-expanded": "false", "data-testid": "message-more" });
  return h("div.toolbar", { role: "toolbar", "aria-label": "Message actions" },
    QUICK.map(quick),
    iconButton("smile", "Add reaction", (e) => react(e.currentTarget, m), { "data-testid": "message-react" }),
    !inThread && iconButton("reply", "Reply in thread", () => openThread(m.channel, isReply(m) ? m.thread_ts : m.ts, true), { "data-testid": "message-reply" }),
    more);
}

function moreItems(m, mine) {
  const shortcuts = (store.app?.shortcuts ?? []).filter((s) => s.type === "message");
  const copy = () => navigator.clipboard?.writeText(decode(m.text ?? "")).catch(() => toast("The browser does not allow copying here."));
  return [
    ...shortcuts.map((s) => ({ label: s.name, hint: store.appName, icon: "bolt", testid: "shortcut", run: () => post("/ui/shortcuts", { callback_id: s.callback_id, channel: m.channel, message_ts: m.ts }).catch(say) })),
    shortcuts.length ? { divider: true } : null,
    { label: "Copy text", icon: "copy", run: copy },
    mine && { label: "Edit message", icon: "pencil", testid: "edit", run: () => (editing.add(`${m.channel}/${m.ts}`), store.put({ ...m })) },
    mine && { label: "Delete message", icon: "trash", danger: true, testid: "delete", run: () => remove(m) },
  ].filter(Boolean);
}

async function remove(m) {
  if (!(await confirm({ title: "Delete message", text: "This message will be deleted for everyone.", yes: "Delete", danger: true }))) return;
  await del(`/ui/channels/${m.channel}/messages/${m.ts}`).then(() => store.remove(m.channel, m.ts), say);
}

function editor(m) {
  const done = () => (editing.delete(`${m.channel}/${m.ts}`), store.put({ ...m }));
  const field = h("textarea.field.edit-field", { rows: 2, "aria-label": "Edit message", "data-testid": "edit-field", "data-fk": `${m.ts}:edit` });
  field.value = decode((m.text ?? "").replace(/<@(\w+)(?:\|[^>]*)?>/g, (_, id) => `@${store.user(id)?.name ?? id}`).replace(/<((?:https?|mailto):[^|>]+)(?:\|[^>]*)?>/g, "$1"));
  const save = async () => {
    try {
      const { message } = await patch(`/ui/channels/${m.channel}/messages/${m.ts}`, { text: field.value.trim() });
      editing.delete(`${m.channel}/${m.ts}`);
      store.put(message ?? { ...m });
    } catch (error) {
      say(error);
    }
  };
  field.addEventListener("keydown", (e) => {
    if (e.key === "Escape") (e.stopPropagation(), done());
    if (e.key === "Enter" && !e.shiftKey && !e.isComposing) (e.preventDefault(), save());
  });
  queueMicrotask(() => field.focus());
  return h("div.editor", {}, field, h("div.editor-actions", {}, h("button.button.small", { type: "button", onclick: done }, "Cancel"), h("button.button.small.primary", { type: "button", onclick: save }, "Save")));
}

export const isEditing = (m) => editing.has(`${m.channel}/${m.ts}`);
