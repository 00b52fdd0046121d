/** What is on the screen, kept in the address: #C1, #C1/170.5 (with a thread), #home. */
import { emit } from "../lib/store.js";

export function current() {
  const [channel, thread] = location.hash.slice(1).split("/").map(decodeURIComponent);
  return { home: channel === "home", channel: channel === "home" ? null : channel || null, thread: thread || null };
}

export function go(hash) {
  if (location.hash === `#${hash}`) emit("route");
  else location.hash = hash;
}

export const openChannel = (id) => go(id);
export const openHome = () => go("home");
export const closeThread = () => current().channel && go(current().channel);

/** Opens a thread beside its channel; `write` puts the cursor into its composer. */
export function openThread(channel, ts, write = true) {
  go(`${channel}/${ts}`);
  if (write) setTimeout(() => document.querySelector("[data-testid=thread-composer]")?.focus(), 60);
}

addEventListener("hashchange", () => emit("route"));
