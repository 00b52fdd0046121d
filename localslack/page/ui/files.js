/** Files under a message: pictures are shown, text files can be looked into. */
import { asUser } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { icon, iconButton } from "../lib/icons.js";
import { dialog, toast } from "./layer.js";

const PEEK_LIMIT = 2_000_000;
const TEXTY = /\.(jsonl?|ndjson|csv|tsv|txt|md|log|ya?ml|html?|xml)$/i;

/** Bytes in units people read. */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = -1;
  do (value /= 1000), unit++; while (value >= 999.5 && unit < units.length - 1);
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export function files(list) {
  return h("div.files", {}, list.map((f) => (GONE[f.mode] ? gone(f) : f.is_image ? image(f) : card(f))));
}

const GONE = { tombstone: "This file was deleted.", hidden_by_limit: "This file is hidden: the workspace is over its limit.", external: "A link to a file elsewhere" };

function gone(f) {
  return h("div.file-card.file-gone", { "data-testid": "file", "data-name": f.name, "data-mode": f.mode }, icon("file", 16), h("span", {}, GONE[f.mode]), f.mode === "external" && h("span.file-name", {}, f.name));
}

function image(f) {
  const src = asUser(f.url);
  const enlarge = () => {
    const box = dialog({ title: f.title || f.name, testid: "image-view", onclose: () => box.close() });
    box.dialog.classList.add("wide");
    box.body.append(h("img.full-image", { src, alt: f.title || f.name }));
  };
  return h("figure.file-image", { "data-testid": "file", "data-name": f.name }, h("figcaption", {}, f.title || f.name),
    h("button.image-button", { type: "button", "aria-label": `Enlarge ${f.name}`, onclick: enlarge }, h("img", { src, alt: f.title || f.name, loading: "lazy" })));
}

const kind = (f) => (/\.([a-z0-9]{1,6})$/i.exec(f.name ?? "")?.[1] ?? f.mimetype?.split("/").pop() ?? "file").toUpperCase();

function card(f) {
  const peek = h("div.peek", { hidden: true });
  const canPeek = TEXTY.test(f.name ?? "") && f.size <= PEEK_LIMIT;
  const toggle = iconButton("eye", "Look inside", async () => {
    peek.hidden = !peek.hidden;
    toggle.setAttribute("aria-expanded", String(!peek.hidden));
    if (!peek.hidden && !peek.childElementCount) await look(f, peek);
  }, { "aria-expanded": "false", "data-testid": "file-peek" });
  return h("div.file-card", { "data-testid": "file", "data-name": f.name },
    h("div.file-row", {},
      h("span.file-icon", { "aria-hidden": "true", class: kind(f).toLowerCase() }, kind(f).slice(0, 5)),
      h("span.file-words", {}, h("span.file-name", {}, f.title || f.name), h("span.file-meta", {}, `${kind(f)} · ${size(f.size ?? 0)}`)),
      canPeek && toggle,
      h("a.icon-button", { href: asUser(f.url), download: f.name, "aria-label": `Download ${f.name}`, title: "Download" }, icon("download"))),
    peek);
}

async function look(f, into) {
  try {
    const response = await fetch(asUser(f.url));
    if (!response.ok) throw new Error(`The file could not be read (${response.status}).`);
    const lines = (await response.text()).split("\n");
    const shown = lines.slice(0, 12);
    into.replaceChildren(h("ol.peek-lines", {}, shown.map((l) => h("li", {}, h("code", {}, l.length > 400 ? `${l.slice(0, 400)}…` : l)))),
      lines.length > 13 ? h("div.peek-rest", {}, `and ${(lines.length - 12).toLocaleString("en")} more lines`) : "");
  } catch (error) {
    into.hidden = true;
    toast(error.message);
  }
}
