/** Where one writes: text, slash commands, files. One in the channel, one in the thread. */
import { explain, post } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { icon, iconButton, spinner } from "../lib/icons.js";
import { store } from "../lib/store.js";
import { size } from "./files.js";
import { menu, toast } from "./layer.js";
import { pickEmoji } from "./emojipicker.js";
import { suggestions } from "./suggest.js";

const MAX_FILES = 10;
const drafts = new Map(); // place key → {text, files}

export class Composer {
  #place = null; // {channel, thread_ts?}
  #files = [];
  #busy = false;

  constructor({ inThread = false } = {}) {
    this.inThread = inThread;
    const box = h("div.suggest", { "data-testid": "suggestions" });
    this.field = h("textarea.write", { rows: 1, "data-testid": inThread ? "thread-composer" : "composer", autocomplete: "off" });
    this.chips = h("div.attachments", { hidden: true });
    this.pick = h("input", { type: "file", multiple: true, hidden: true, "data-testid": inThread ? "thread-file-input" : "file-input", tabindex: "-1", "aria-hidden": "true", onchange: () => (this.attach([...this.pick.files]), (this.pick.value = "")) });
    this.sendButton = h("button.send", { type: "button", "aria-label": "Send", title: "Send (Enter)", "data-testid": inThread ? "thread-send" : "send", onclick: () => this.send() }, icon("send"), spinner());
    const emojiButton = iconButton("smile", "Emoji", () => pickEmoji(emojiButton, (name) => this.insert(`:${name}: `)));
    const bolt = iconButton("bolt", "Shortcuts", () => this.#shortcuts(bolt), { "data-testid": "composer-shortcuts", "aria-haspopup": "menu" });
    this.node = h("div.composer", {}, box, this.chips, this.field, h("div.composer-bar", {},
      iconButton("attach", "Attach files", () => this.pick.click(), { "data-testid": "attach" }), emojiButton,
      iconButton("at", "Mention somebody", () => this.insert("@")), bolt, this.pick,
      h("span.composer-hint", {}, h("b", {}, "Shift + Enter"), " for a new line"), this.sendButton));
    this.used = suggestions(this.field, box, { inThread });
    this.field.addEventListener("keydown", (e) => this.#key(e));
    this.field.addEventListener("input", () => this.#grow());
    this.field.addEventListener("paste", (e) => e.clipboardData?.files.length && (e.preventDefault(), this.attach([...e.clipboardData.files])));
  }

  /** Moves the composer to another conversation, keeping what was typed in the last one. */
  at(place, title) {
    const key = (p) => `${p.channel}/${p.thread_ts ?? ""}`;
    if (this.#place && key(this.#place) === key(place)) return;
    if (this.#place) drafts.set(key(this.#place), { text: this.field.value, files: this.#files });
    const draft = drafts.get(key(place)) ?? { text: "", files: [] };
    this.#place = place;
    this.#files = draft.files;
    this.field.value = draft.text;
    this.field.placeholder = this.inThread ? "Reply…" : `Message ${title}`;
    this.field.setAttribute("aria-label", this.inThread ? "Reply in thread" : `Message ${title}`);
    this.#paintFiles();
    this.#grow();
  }

  focus() {
    this.field.focus();
  }

  insert(text) {
    this.field.focus();
    this.field.setRangeText(text, this.field.selectionStart, this.field.selectionEnd, "end");
    this.field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  attach(files) {
    const room = MAX_FILES - this.#files.length;
    if (files.length > room) toast(`At most ${MAX_FILES} files in one message.`);
    this.#files = [...this.#files, ...files.slice(0, room)];
    this.#paintFiles();
    this.focus();
  }

  #key(e) {
    if (e.isComposing || this.used(e)) return;
    if (e.key === "Enter" && !e.shiftKey) {
      e.preventDefault();
      this.send();
    }
  }

  #grow() {
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(this.field.scrollHeight, 220)}px`;
    this.sendButton.disabled = this.#busy || (!this.field.value.trim() && !this.#files.length);
  }

  #paintFiles() {
    this.chips.hidden = !this.#files.length;
    this.chips.replaceChildren(...this.#files.map((file) => {
      const drop = iconButton("close", `Remove ${file.name}`, () => ((this.#files = this.#files.filter((f) => f !== file)), this.#paintFiles()));
      return h("div.attachment", { "data-testid": "attachment" }, thumb(file), h("span.file-words", {}, h("span.file-name", {}, file.name), h("span.file-meta", {}, size(file.size))), drop);
    }));
    this.#grow();
  }

  #shortcuts(anchor) {
    const list = (store.app?.shortcuts ?? []).filter((s) => s.type === "global");
    const say = (error) => toast(explain(error, store.appName));
    const items = list.map((s) => ({ label: s.name, hint: store.appName, icon: "bolt", testid: "shortcut", run: () => post("/ui/shortcuts", { callback_id: s.callback_id, channel: this.#place.channel }).catch(say) }));
    const commands = this.inThread ? [] : (store.app?.commands ?? []).map((c) => ({ label: c.command, hint: c.description, icon: "hash", run: () => ((this.field.value = ""), this.insert(`${c.command} `)) }));
    const all = [...items, ...commands];
    menu(anchor, all.length ? all : [{ label: "The app has no shortcuts", run() {} }], { align: "start", label: "Shortcuts" });
  }

  #setBusy(busy) {
    this.#busy = busy;
    this.sendButton.classList.toggle("busy", busy);
    this.#grow();
  }

  async send() {
    const text = this.field.value.trim();
    const files = this.#files;
    if (this.#busy || (!text && !files.length)) return;
    const place = this.#place;
    this.#setBusy(true);
    this.field.value = "";
    this.#files = [];
    this.#paintFiles();
    try {
      const command = text.startsWith("/") && !files.length;
      const answer = await (command ? this.#command(place, text) : deliver(place, text, files));
      if (answer.message) store.posted(answer.message);
    } catch (error) {
      this.#giveBack(place, text, files);
      toast(explain(error, store.appName, text.startsWith("/") ? text.split(" ")[0] : ""));
    } finally {
      this.#setBusy(false);
    }
  }

  #command(place, text) {
    return post("/ui/commands", { ...place, text });
  }

  /** Puts text and files back after a failure, where the person left them. */
  #giveBack(place, text, files) {
    const here = this.#place.channel === place.channel && this.#place.thread_ts === place.thread_ts;
    if (!here) return drafts.set(`${place.channel}/${place.thread_ts ?? ""}`, { text, files });
    if (!this.field.value) this.field.value = text;
    this.#files = [...files, ...this.#files];
    this.#paintFiles();
  }
}

function deliver(place, text, files) {
  if (!files.length) return post(`/ui/channels/${place.channel}/messages`, { text, ...(place.thread_ts ? { thread_ts: place.thread_ts } : {}) });
  const form = new FormData();
  for (const file of files) form.append("file", file, file.name);
  if (text) form.append("text", text);
  if (place.thread_ts) form.append("thread_ts", place.thread_ts);
  return post(`/ui/channels/${place.channel}/files`, form);
}

function thumb(file) {
  if (!file.type.startsWith("image/")) return h("span.file-icon", {}, (file.name.split(".").pop() ?? "").slice(0, 5).toUpperCase());
  const url = URL.createObjectURL(file);
  return h("img.attachment-thumb", { src: url, alt: "", onload: () => URL.revokeObjectURL(url) });
}

/** Lets files be dropped anywhere in `pane`; they land in `composer`. */
export function dropZone(pane, composer, label) {
  const cover = h("div.drop-cover", { "aria-hidden": "true" }, h("div", {}, icon("attach", 30), h("span.drop-label")));
  let depth = 0;
  const hasFiles = (e) => [...(e.dataTransfer?.types ?? [])].includes("Files");
  const show = (on) => {
    cover.querySelector(".drop-label").textContent = on ? `Drop into ${label()}` : "";
    pane.classList.toggle("dropping", on);
  };
  pane.append(cover);
  pane.addEventListener("dragenter", (e) => hasFiles(e) && (e.preventDefault(), ++depth === 1 && show(true)));
  pane.addEventListener("dragleave", (e) => hasFiles(e) && --depth <= 0 && ((depth = 0), show(false)));
  pane.addEventListener("dragover", (e) => hasFiles(e) && (e.preventDefault(), (e.dataTransfer.dropEffect = "copy")));
  pane.addEventListener("drop", (e) => {
    if (!hasFiles(e)) return;
    e.preventDefault();
    depth = 0;
    show(false);
    composer.attach([...e.dataTransfer.files]);
  });
}
