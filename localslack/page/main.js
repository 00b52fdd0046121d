/** Starts the page: reads the state, draws the frame, listens for changes. */
import { explain, isWaiting, listen } from "./lib/api.js";
import { h } from "./lib/dom.js";
import { icon } from "./lib/icons.js";
import { isReply, on, store } from "./lib/store.js";
import { toast } from "./ui/layer.js";
import { reloadViews, viewEvent } from "./ui/modal.js";
import { MainPane, ThreadPane } from "./ui/panes.js";
import { current, go } from "./ui/route.js";
import { Sidebar } from "./ui/sidebar.js";

const app = document.getElementById("app");
const gone = h("div.gone", { role: "status", hidden: true, "data-testid": "gone" }, icon("warning", 15), "The workspace does not answer. Trying again…");

function startChannel() {
  const all = [...store.channels.values()].filter((c) => !c.is_im);
  return (all.find((c) => c.name === "tuning") ?? all.find((c) => c.name === "general") ?? all[0])?.id ?? "home";
}

function countUnread(message) {
  const channel = store.channels.get(message.channel);
  const seen = current().channel === message.channel && document.visibilityState === "visible";
  if (!channel || seen || message.user === store.me.id || isReply(message) || /_(join|leave)$/.test(message.subtype ?? "")) return;
  store.setUnread(message.channel, (channel.unread ?? 0) + 1);
}

function receive(event, panes) {
  const isNew = event.message && !store.find(event.channel, event.message.ts);
  switch (event.type) {
    case "message":
    case "ephemeral":
      if (isNew) countUnread(event.message);
      store.put(event.message);
      break;
    case "message_changed": store.put(event.message); break;
    case "message_deleted": store.remove(event.channel, event.ts); break;
    case "view_opened": case "view_pushed": case "view_updated": case "view_closed": viewEvent(event); break;
    case "home": if (current().home) panes.main.home.refresh(); break;
    case "channel": case "people": store.loadState().catch(say); break;
    case "status": case "typing": store.setStatus(event.channel, event.thread_ts, event.text); break;
    case "session": store.setSession(event.channel, event.thread_ts, event.session); break;
    case "prompts": store.setPrompts(event.channel, event.prompts); break;
    case "error": if (!isWaiting()) toast(event.message); break; // the answer to the call will say it
    case "reset": refresh(panes); break;
  }
}

const say = (error) => toast(explain(error));

/** Reads everything on the screen anew, after a gap in the stream. */
async function refresh(panes) {
  gone.hidden = true;
  try {
    await store.loadState();
    await Promise.all([panes.main.reload(), panes.thread.reload(), reloadViews()]);
  } catch (error) {
    say(error);
  }
}

async function start() {
  await store.loadState();
  const sidebar = new Sidebar();
  const panes = { main: new MainPane(), thread: new ThreadPane() };
  const follow = () => {
    const { home, channel, thread } = current();
    if (!home && !store.channels.has(channel)) return go(startChannel());
    sidebar.render();
    app.classList.toggle("with-thread", Boolean(thread) && !home);
    panes.main.open({ home, channel }).catch(say);
    panes.thread.open(home ? null : channel, thread).catch(say);
    if (channel) store.setUnread(channel, 0);
  };
  on("channels", () => sidebar.render());
  on("route", follow);
  app.replaceChildren(sidebar.node, panes.main.node, panes.thread.node, gone);
  app.setAttribute("data-ready", "");
  listen({ after: store.position, onEvent: (event) => receive(event, panes), onGone: () => (gone.hidden = false), onBack: () => refresh(panes) });
  follow();
  await reloadViews();
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && current().channel && store.setUnread(current().channel, 0));
  for (const type of ["dragover", "drop"]) addEventListener(type, (e) => e.preventDefault());
}

start().catch((error) => app.replaceChildren(h("p.starting", { role: "alert" }, explain(error))));
