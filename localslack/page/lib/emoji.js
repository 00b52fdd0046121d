import { h, svg } from "./dom.js";

/** The usual emoji by Slack's short name. Those that are also in DRAWN look the same on every machine. */
export const EMOJI = {
  white_check_mark: "✅", x: "❌", warning: "⚠️", eyes: "👀", "+1": "👍", "-1": "👎", tada: "🎉", rocket: "🚀",
  wave: "👋", heart: "❤️", fire: "🔥", bulb: "💡", robot_face: "🤖", hourglass_flowing_sand: "⏳", hourglass: "⌛",
  red_circle: "🔴", large_orange_circle: "🟠", large_yellow_circle: "🟡", large_green_circle: "🟢",
  large_blue_circle: "🔵", large_purple_circle: "🟣", white_circle: "⚪", black_circle: "⚫",
  double_vertical_bar: "⏸️", arrow_forward: "▶️", black_square_for_stop: "⏹️", octagonal_sign: "🛑", no_entry: "⛔",
  lock: "🔒", bell: "🔔", no_bell: "🔕", chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉",
  bar_chart: "📊", page_facing_up: "📄", file_folder: "📁", package: "📦", mag: "🔍", pencil2: "✏️",
  wastebasket: "🗑️", wrench: "🔧", checkered_flag: "🏁", repeat: "🔁", gear: "⚙️", information_source: "ℹ️", question: "❓", exclamation: "❗",
  heavy_check_mark: "✔️", speech_balloon: "💬", moneybag: "💰", stopwatch: "⏱️", clock3: "🕒", zzz: "💤",
  sparkles: "✨", star: "⭐", zap: "⚡", link: "🔗", pushpin: "📌", memo: "📝", broom: "🧹", scissors: "✂️",
  smile: "😄", slightly_smiling_face: "🙂", joy: "😂", thinking_face: "🤔", sob: "😭", sunglasses: "😎",
  clap: "👏", pray: "🙏", raised_hands: "🙌", ok_hand: "👌", point_right: "👉", muscle: "💪", 100: "💯",
};
const ALIASES = { thumbsup: "+1", thumbsdown: "-1", pause_button: "double_vertical_bar", large_white_circle: "white_circle",
  stop_button: "black_square_for_stop", heavy_multiplication_x: "x", hooray: "tada", bot: "robot_face" };

const disc = (fill) => [["circle", { cx: 10, cy: 10, r: 8, fill }], ["circle", { cx: 10, cy: 10, r: 7.5, fill: "none", stroke: "#0003" }]];
const key = (fill, ...marks) => [["rect", { x: 1.5, y: 1.5, width: 17, height: 17, rx: 4, fill }], ...marks];
const line = (d, stroke, width = 2.4) => ["path", { d, fill: "none", stroke, "stroke-width": width, "stroke-linecap": "round", "stroke-linejoin": "round" }];
const fill = (d, color) => ["path", { d, fill: color }];
const HAND = "M7 9.5 10.2 2.200c1.8 0 2.6 1.2 2.3 2.900L12 8h4.200c1.4 0 2 1.2 1.7 2.400l-1.3 5.200c-.3 1-1 1.6-2.1 1.600H7zM2.5 9.500H6v7.800H2.500z";
const axes = line("M3.5 3.500v13h13", "#8a94a0", 1.6);

/** Own small drawings, so that the marks the bot uses are clear where no emoji font is installed. */
const DRAWN = {
  white_check_mark: key("#2fa565", line("M5.5 10.5 8.8 13.8 14.8 6.8", "#fff")),
  heavy_check_mark: [line("M3.5 10.8 8 15.3 16.5 5", "#2fa565", 3)],
  x: [line("M4 4l12 12M16 4 4 16", "#dc3b4b", 3.4)],
  warning: [fill("M10 1.800c.7 0 1.2.4 1.5 1l7 12.700c.6 1.2-.1 2.5-1.5 2.500H3c-1.4 0-2.1-1.3-1.5-2.500l7-12.700c.3-.6.8-1 1.5-1z", "#f5b82e"), line("M10 7v4.500M10 14.500v.1", "#3a2a00", 2)],
  eyes: [["ellipse", { cx: 5.4, cy: 10, rx: 4, ry: 6, fill: "#fff", stroke: "#7a8490" }], ["ellipse", { cx: 14.6, cy: 10, rx: 4, ry: 6, fill: "#fff", stroke: "#7a8490" }], ["circle", { cx: 4.4, cy: 11, r: 2.1, fill: "#26303a" }], ["circle", { cx: 13.6, cy: 11, r: 2.1, fill: "#26303a" }]],
  "+1": [fill(HAND, "#f2b53c")],
  "-1": [["g", { transform: "rotate(180 10 10)" }, [fill(HAND, "#f2b53c")]]],
  tada: [fill("M2 18 6.5 6.5 13.5 13.500z", "#f2b53c"), line("M9 4.500c1-.5 1.5-1.5 1-2.800M13 8.500c1.5-.2 2.2-1.6 3.8-1.200M11.5 6.5 15 3M15.5 12.500l2 .6", "#5b8def", 1.6), line("M13 2.500v.1M17.5 4.500v.1M17.5 10v.1M7 3v.1", "#dc3b4b", 2.2)],
  rocket: [fill("M17.5 2.500c-5 0-8.5 2-10.5 6.500L11 13c4.5-2 6.5-5.5 6.5-10.500z", "#8ea3b8"), fill("M7.5 8.5 3.5 9 2 12l4 .5zM11.5 12.5 11 16.5 8 18l-.5-4z", "#dc3b4b"), fill("M5 13.500c-1.5.5-2.5 2-2.8 4 2-.3 3.5-1.3 4-2.800z", "#f5b82e"), ["circle", { cx: 13, cy: 7, r: 1.7, fill: "#fff" }]],
  heart: [fill("M10 17.500C4 13 1.8 10 1.8 7A4.2 4.2 0 0 1 10 5.5 4.2 4.2 0 0 1 18.2 7c0 3-2.2 6-8.2 10.500z", "#dc3b4b")],
  fire: [fill("M10.5 1.500c.5 3.5 5 5 5 10a5.5 5.5 0 0 1-11 0c0-2 1-3.5 2-4.5.3 1.5.8 2 1.5 2.300C7.8 6.5 8.5 3.5 10.5 1.500z", "#ef6a32"), fill("M10 10c1.5 1.3 2.5 2.3 2.5 4a2.5 2.5 0 0 1-5 0c0-1.7 1.3-2.5 2.5-4z", "#f5c62e")],
  bulb: [fill("M10 2a5.5 5.5 0 0 1 3.2 10c-.7.6-.9 1.2-.9 2H7.700c0-.8-.2-1.4-.9-2A5.5 5.5 0 0 1 10 2z", "#f5c62e"), line("M8 15.800h4M8.7 18h2.6", "#8a94a0", 1.6)],
  robot_face: [["rect", { x: 3, y: 6, width: 14, height: 11, rx: 3, fill: "#8ea3b8" }], ["circle", { cx: 7, cy: 11, r: 1.6, fill: "#fff" }], ["circle", { cx: 13, cy: 11, r: 1.6, fill: "#fff" }], line("M10 6V3M7.5 14.500h5", "#5e7084", 1.6)],
  hourglass_flowing_sand: [line("M4.5 2.500h11M4.5 17.500h11", "#8b6b4a", 2), fill("M6 3.500h8c0 3-2.2 4.5-3.3 6.5 1.1 2 3.3 3.5 3.3 6.500H6c0-3 2.2-4.5 3.3-6.500C8.2 8 6 6.5 6 3.500z", "#cfe0ec"), fill("M7.5 16.500c.5-2 1.5-2.5 2.5-2.500s2 .5 2.5 2.500zM8 6.500h4L10 9z", "#e3a63c")],
  red_circle: disc("#e0434f"), large_orange_circle: disc("#ef8a32"), large_yellow_circle: disc("#f5c62e"),
  large_green_circle: disc("#3aa86a"), large_blue_circle: disc("#3f84e5"), large_purple_circle: disc("#8f63d2"),
  white_circle: disc("#eef1f4"), black_circle: disc("#2a3037"),
  double_vertical_bar: key("#4a86d8", line("M7.5 6v8M12.5 6v8", "#fff", 2.6)),
  arrow_forward: key("#4a86d8", fill("M7 5.500v9l7.5-4.500z", "#fff")),
  black_square_for_stop: key("#4a86d8", fill("M6 6h8v8H6z", "#fff")),
  octagonal_sign: [fill("M6.5 1.500h7l5 5v7l-5 5h-7l-5-5v-7z", "#dc3b4b"), line("M6 10h8", "#fff", 2.6)],
  no_entry: [["circle", { cx: 10, cy: 10, r: 8.5, fill: "#dc3b4b" }], line("M6 10h8", "#fff", 2.8)],
  lock: [line("M6.5 9V6a3.5 3.5 0 0 1 7 0v3", "#8a94a0", 2), ["rect", { x: 4, y: 8.5, width: 12, height: 9, rx: 2, fill: "#e3a63c" }]],
  chart_with_upwards_trend: [axes, line("M5.5 13.5 9 10l2.5 2 5-6.5", "#dc3b4b", 2)],
  chart_with_downwards_trend: [axes, line("M5.5 5 9 8.500l2.5-1.5 5 6", "#3f84e5", 2)],
  bar_chart: [axes, line("M7 14v-4M10.5 14V6M14 14V9", "#3aa86a", 2.2)],
  page_facing_up: [fill("M4.5 1.500h7.500l4 4v13h-11.500z", "#dbe3ea"), line("M7 9h6M7 12h6M7 15h4", "#7a8490", 1.3)],
  information_source: key("#4a86d8", line("M10 9.500v5M10 6v.1", "#fff")),
  question: [line("M6.5 6.500a3.5 3.5 0 1 1 5.2 3c-1.2.7-1.7 1.3-1.7 2.800M10 16.500v.1", "#dc3b4b", 2.8)],
  exclamation: [line("M10 3v9M10 16.500v.1", "#dc3b4b", 3.2)],
  star: [fill("M10 1.5 12.6 7l6 .8-4.4 4.2 1.1 6L10 15.1 4.7 18l1.1-6L1.4 7.800l6-.8z", "#f5c62e")],
  sparkles: [fill("M8 4l1.6 4.400L14 10l-4.4 1.600L8 16l-1.6-4.400L2 10l4.4-1.600zM15.5 2l.8 2.2 2.2.8-2.2.8-.8 2.2-.8-2.2-2.2-.8 2.2-.8zM15.5 13l.7 1.8 1.8.7-1.8.7-.7 1.8-.7-1.8-1.8-.7 1.8-.7z", "#f2b53c")],
  repeat: key("#4a86d8", line("M5.500 9.500V8a2 2 0 0 1 2-2h7M12.5 4l2 2-2 2M14.500 10.500V12a2 2 0 0 1-2 2h-7M7.5 12l-2 2 2 2", "#fff", 1.7)),
  wrench: [line("M4 16 11 9", "#8a94a0", 3.4), line("M16.5 5.500a3.8 3.8 0 1 1-3-3", "#8a94a0", 2.6)],
  gear: [["circle", { cx: 10, cy: 10, r: 4.6, fill: "none", stroke: "#8a94a0", "stroke-width": 3 }], line("M10 2v2.500M10 15.500V18M2 10h2.500M15.500 10H18M4.3 4.3l1.8 1.8M13.9 13.9l1.8 1.8M15.7 4.3l-1.8 1.8M6.1 13.9l-1.8 1.8", "#8a94a0", 2.4)],
  checkered_flag: [line("M4 2v16", "#7a8490", 1.8), fill("M5 3h11.500v8H5z", "#eef1f4"), fill("M5 3h3.800v2.700H5zM12.600 3h3.900v2.700h-3.900zM8.800 5.700h3.800v2.700H8.800zM5 8.400h3.800v2.600H5zM12.600 8.400h3.900v2.600h-3.900z", "#2a3037")],
  scissors: [line("M7 7.500 17 15M7 12.500 17 5", "#8a94a0", 1.8), ["circle", { cx: 5, cy: 6, r: 2.4, fill: "none", stroke: "#dc3b4b", "stroke-width": 1.8 }], ["circle", { cx: 5, cy: 14, r: 2.4, fill: "none", stroke: "#dc3b4b", "stroke-width": 1.8 }]],
  wastebasket: [line("M3.500 5h13M8 5V3h4v2", "#7a8490", 1.8), fill("M5 6.500h10l-.8 11H5.800z", "#b6c0ca"), line("M8.300 9l.3 6M11.700 9l-.3 6", "#7a8490", 1.3)],
  speech_balloon: [fill("M2 4.500A2 2 0 0 1 4 2.500h12a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H9L5 17.500v-4H4a2 2 0 0 1-2-2z", "#9bb7d4")],
};

const BY_CHAR = new Map(Object.entries(EMOJI).map(([name, char]) => [char.replace("\uFE0F", ""), name]));
const DRAWN_CHARS = Object.keys(DRAWN).map((name) => EMOJI[name].replace("\uFE0F", ""));
/* Characters that are text by default (▶ ℹ ✔ ⚠ ⏸) become a drawing only with the emoji selector, except ⚠ and ⏸. */
const NEEDS_SELECTOR = new Set(["▶", "ℹ", "✔", "⏹", "⚙", "✂"]);
const DRAWN_PATTERN = new RegExp(
  DRAWN_CHARS.map((c) => (NEEDS_SELECTOR.has(c) ? `${c}\uFE0F` : `${c}\uFE0F?`)).join("|"), "gu");

export function emojiName(name) {
  const plain = name.replace(/::skin-tone-\d$/, "");
  return ALIASES[plain] ?? plain;
}

export function isEmoji(name) {
  return emojiName(name) in EMOJI;
}

const pen = document.createElement("canvas").getContext("2d");
const shown = new Map();

/** Whether this machine has a font for the character: a missing one is as wide as a character nobody has. */
function hasGlyph(char) {
  if (!shown.has(char)) {
    const width = (text) => pen.measureText(text).width;
    shown.set(char, Math.abs(width(char.replace("\uFE0F", "")) - width("\u{1FFFE}")) > 0.01);
  }
  return shown.get(char);
}

/** Names of the emoji that can be shown here. */
export const showable = () => Object.keys(EMOJI).filter((name) => name in DRAWN || hasGlyph(EMOJI[name]));

/** One emoji by short name; what cannot be shown stays visible as :name:. */
export function emoji(name) {
  const known = emojiName(name);
  if (!(known in EMOJI) || !(known in DRAWN || hasGlyph(EMOJI[known]))) return h("span.emoji-unknown", {}, `:${name}:`);
  const shape = DRAWN[known];
  if (!shape) return h("span.emoji", { title: `:${known}:` }, EMOJI[known]);
  return h("span.emoji.drawn", { title: `:${known}:` },
    svg(["svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, shape]), h("span.sr", {}, EMOJI[known]));
}

/** Plain text as nodes, with emoji characters drawn. */
export function textNodes(text) {
  const out = [];
  let last = 0;
  for (const match of text.matchAll(DRAWN_PATTERN)) {
    if (match.index > last) out.push(document.createTextNode(text.slice(last, match.index)));
    out.push(emoji(BY_CHAR.get(match[0].replace("\uFE0F", ""))));
    last = match.index + match[0].length;
  }
  if (last < text.length) out.push(document.createTextNode(text.slice(last)));
  return out;
}
