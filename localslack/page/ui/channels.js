/** Making channels and deciding who is in them. */
import { del, explain, post } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { avatar } from "../lib/icons.js";
import { emit, on, store } from "../lib/store.js";
import { dialog, toast } from "./layer.js";
import { openChannel } from "./route.js";

const say = (error) => toast(explain(error, store.appName));

export function addChannel() {
  const box = dialog({ title: "Add a channel", testid: "add-channel-dialog", small: true, onclose: () => box.close() });
  const name = h("input.field", { type: "text", maxlength: 80, id: "channel-name", placeholder: "for example: support", autocomplete: "off" });
  const secret = h("input", { type: "checkbox" });
  const make = async () => {
    const wanted = name.value.trim().toLowerCase().replace(/^#/, "").replace(/\s+/g, "-");
    if (!wanted) return name.focus();
    try {
      const { channel } = await post("/ui/channels", { name: wanted, is_private: secret.checked });
      await store.loadState();
      box.close();
      openChannel(channel.id);
    } catch (error) {
      say(error);
    }
  };
  name.addEventListener("keydown", (e) => e.key === "Enter" && (e.preventDefault(), make()));
  box.body.append(h("div.input-block", {}, h("label.label", { for: "channel-name" }, "Name"), name),
    h("label.choice", {}, secret, h("span.choice-text", {}, "Private", h("small", {}, "Only people who are invited see it."))));
  box.footer.append(h("button.button", { type: "button", onclick: () => box.close() }, "Cancel"), h("button.button.primary", { type: "button", onclick: make }, "Create"));
  name.focus();
}

/** Closes a channel for good, or opens it again. */
export async function archive(channel, archived) {
  try {
    await post(`/ui/channels/${channel.id}/archive`, { archived });
    await store.loadState();
  } catch (error) {
    say(error);
  }
}

/** Everybody in a channel, with a way to bring people in and out. */
export function members(channelId) {
  const stop = on("channels", () => paint());
  const box = dialog({ title: `People in #${store.channels.get(channelId).name}`, testid: "members-dialog", small: true, onclose: () => (stop(), box.close()) });
  const change = async (user, inside) => {
    try {
      await (inside ? del(`/ui/channels/${channelId}/members/${user.id}`) : post(`/ui/channels/${channelId}/members`, { user: user.id }));
      await store.loadState();
    } catch (error) {
      say(error);
    }
  };
  const row = (user, inside) => h("li.member", {}, avatar(user, 28), h("span.member-name", {}, user.real_name || user.name, user.is_bot && h("span.badge", {}, "APP")),
    h("button.button.small", { type: "button", "data-fk": user.id, "aria-label": `${inside ? "Remove" : "Add"} ${user.name}`, onclick: () => change(user, inside) }, inside ? "Remove" : "Add"));
  const paint = () => {
    const inside = new Set(store.channels.get(channelId)?.members ?? []);
    const all = [...store.users.values()];
    box.body.replaceChildren(h("ul.members", {}, all.filter((u) => inside.has(u.id)).map((u) => row(u, true))),
      all.some((u) => !inside.has(u.id)) ? h("h3.members-out", {}, "Not in this channel") : "",
      h("ul.members", {}, all.filter((u) => !inside.has(u.id)).map((u) => row(u, false))));
  };
  const here = store.channels.get(channelId);
  if (!here.is_archived && !here.is_mpim) box.footer.append(h("button.button", { type: "button", "data-testid": "archive", onclick: () => (stop(), box.close(), archive(here, true)) }, "Archive channel"));
  paint();
  emit("channels");
}
