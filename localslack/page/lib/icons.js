import { h, svg } from "./dom.js";

const LINE = { fill: "none", stroke: "currentColor", "stroke-width": 1.6, "stroke-linecap": "round", "stroke-linejoin": "round" };

/** Outline icons on a 20 × 20 grid; each entry is one path. */
const PATHS = {
  hash: "M8 3 6.5 17M13.5 3 12 17M3.5 7.5h13.5M3 12.5h13.5",
  lock: "M5 9h10v8H5zM7 9V6.5a3 3 0 0 1 6 0V9",
  home: "M3.5 9.5 10 4l6.5 5.5M5.5 8.5V16h9V8.5",
  reply: "M4 5.5h12v8H9.5L6 16.5v-3H4z",
  smile: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14M7 12c.8 1.2 1.8 1.8 3 1.8s2.2-.6 3-1.800M7.6 8v.5M12.4 8v.5",
  more: "M4.5 10h.01M10 10h.01M15.5 10h.01",
  close: "M5 5l10 10M15 5 5 15",
  back: "M12 4l-6 6 6 6",
  send: "M3.5 16.5 17 10 3.5 3.5 5.5 10zM5.5 10H11",
  attach: "M14.5 9.5 9 15a3 3 0 0 1-4.3-4.300l6.5-6.400a2 2 0 0 1 2.9 2.900l-6.3 6.200a1 1 0 0 1-1.4-1.400L11.6 6.7",
  bolt: "M11 2.5 4.5 11.500H9.500L8.5 17.5 15.5 8.500h-5z",
  at: "M13 10a3 3 0 1 1-6 0 3 3 0 0 1 6 0zm0-3v4a2 2 0 0 0 4 0v-1a7 7 0 1 0-2.8 5.6",
  plus: "M10 4v12M4 10h12",
  people: "M7.5 9.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M2.5 16c.3-3 2.2-4.5 5-4.500s4.7 1.5 5 4.500M13 4.800a2.5 2.5 0 0 1 0 4.400M14.5 11.800c1.8.5 2.9 1.9 3 4.2",
  chevron: "M5.5 8 10 12.5 14.5 8",
  pencil: "M4 16l.8-3.500L13.5 4 16 6.5 7.5 15.200z",
  trash: "M4 6h12M8 6V4h4v2M5.5 6l.7 10.500h7.600L14.5 6M8.5 9v5M11.5 9v5",
  copy: "M7 7h9v9H7zM4 13V4h9",
  refresh: "M16 10a6 6 0 1 1-2-4.500M14 2.500v3.200h-3.2",
  warning: "M10 3.5 17.5 16.500h-15zM10 8.500v3.500M10 14.300v.01",
  info: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14M10 9.200v4.300M10 6.600v.01",
  check: "M4.5 10.5 8.5 14.5 15.5 6",
  eye: "M2.5 10C4.5 6.5 7 5 10 5s5.5 1.5 7.5 5c-2 3.5-4.5 5-7.5 5s-5.5-1.5-7.5-5zM10 12.200a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4",
  file: "M5 2.500h6.500L15 6v11.500H5zM11.5 2.500V6H15",
  download: "M10 3.500V13M6 9.200l4 4 4-4M4 16.500h12",
  down: "M10 4v12M5 11l5 5 5-5",
  search: "M9 14.500a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11M13.2 13.2 17 17",
};

export function icon(name, size = 18) {
  const bold = name === "more" ? { "stroke-width": 2.6 } : {};
  return svg(["svg", { viewBox: "0 0 20 20", width: size, height: size, class: "icon", "aria-hidden": "true" },
    [["path", { ...LINE, ...bold, d: PATHS[name] ?? PATHS.info }]]]);
}

/** A round icon-only button with a spoken label and a tooltip. */
export function iconButton(name, label, onclick, props = {}) {
  return h("button.icon-button", { type: "button", "aria-label": label, title: label, onclick, ...props }, icon(name));
}

const HUES = [168, 214, 262, 338, 24, 42, 190, 128];

/** Coloured initials; bots get a squarer shape. */
export function avatar(who, size = 36) {
  const name = who?.real_name || who?.name || "?";
  const initials = name.split(/[\s._-]+/).filter(Boolean).slice(0, 2).map((w) => w[0].toUpperCase()).join("") || "?";
  let sum = 2166136261;
  for (const c of who?.name ?? name) sum = Math.imul(sum ^ c.codePointAt(0), 16777619) >>> 0;
  const hue = who?.is_bot ? 204 : HUES[(sum >>> 7) % HUES.length];
  return h("span.avatar", {
    class: who?.is_bot ? "bot" : "",
    "aria-hidden": "true",
    style: { "--hue": String(hue), "--size": `${size}px` },
  }, who?.is_bot ? svg(BOT_FACE) : initials);
}

const BOT_FACE = ["svg", { viewBox: "0 0 20 20", width: "62%", height: "62%" }, [
  ["path", { ...LINE, "stroke-width": 1.8, d: "M4.5 8.500h11v7h-11zM10 8.500V5M10 5v-.6M2.5 11v2.500M17.5 11v2.5" }],
  ["path", { ...LINE, "stroke-width": 2.4, d: "M8 11.600v.6M12 11.600v.6" }],
]];

export function spinner() {
  return h("span.spinner", { "aria-hidden": "true" });
}
