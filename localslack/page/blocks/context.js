/**
 * Where a block stands and what its elements may do there.
 *
 * A surface is {kind: "message"|"modal"|"home", target: {channel, message_ts} | {view_id}, values: Map,
 * onchange?}. `values` remembers what a person chose, by slot(block_id, action_id), in Slack's state shape.
 */
import { explain, post } from "../lib/api.js";
import { store } from "../lib/store.js";
import { bare, textObject } from "./mrkdwn.js";
import { confirm, toast } from "../ui/layer.js";

/** Key of an element in a surface's values. Ids may hold any visible character, so a NUL stands between. */
export const slot = (blockId, actionId) => `${blockId}\0${actionId}`;

/** What the person chose so far, else undefined. */
export function chosen(surface, blockId, element) {
  return surface.values.get(slot(blockId, element.action_id));
}

export function choose(surface, blockId, element, value) {
  surface.values.set(slot(blockId, element.action_id), { type: element.type, ...value });
  surface.onchange?.();
}

/** All values of a surface as Slack's state.values. */
export function stateValues(surface) {
  const out = {};
  for (const [key, value] of surface.values) {
    const [block, action] = key.split("\0");
    (out[block] ??= {})[action] = value;
  }
  return out;
}

/** Asks the element's own confirm question first; true when there is none. */
export function confirmed(element) {
  const ask = element.confirm;
  if (!ask) return Promise.resolve(true);
  return confirm({
    title: bare(ask.title), text: textObject(ask.text), yes: bare(ask.confirm) || "Yes", no: bare(ask.deny) || "Cancel",
    danger: ask.style === "danger",
  });
}

/** Tells the app that an element was used. Returns false (and says why) when the app failed. */
export async function act(surface, blockId, element, value = {}, node = null) {
  const body = { ...surface.target, block_id: blockId, action_id: element.action_id, ...value };
  if (surface.kind === "modal") body.values = stateValues(surface);
  node?.classList.add("busy");
  node?.setAttribute("aria-busy", "true");
  try {
    await post("/ui/actions", body);
    node?.classList.remove("failed");
    return true;
  } catch (error) {
    node?.classList.add("failed");
    toast(explain(error, store.appName, bare(element.text) || element.action_id));
    return false;
  } finally {
    node?.classList.remove("busy");
    node?.removeAttribute("aria-busy");
  }
}
