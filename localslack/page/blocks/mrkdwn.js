/** Slack's own mark-up (mrkdwn) and its plain text, as DOM nodes. */
import { fragment, h } from "../lib/dom.js";
import { emoji, isEmoji, textNodes } from "../lib/emoji.js";
import { decode, link, token } from "./inline.js";

const STYLE = { "*": "strong", _: "em", "~": "s" };
const WORD = /[\p{L}\p{N}]/u;
const EMOJI_AT = /:([a-z0-9_+'-]+(?:::skin-tone-\d)?):/y;
const URL_AT = /https?:\/\/[^\s<>|]*[^\s<>|.,;:!?)\]'"*_~`]/y;

/** The full text of a message or an mrkdwn object: fences, quotes, lines, inline marks. */
export function mrkdwn(text, { verbatim = false } = {}) {
  const parts = text.split(/```/);
  const out = fragment();
  parts.forEach((part, i) => {
    const closed = i % 2 === 1 && i < parts.length - 1;
    if (closed) out.append(h("pre", {}, decode(part.replace(/^\n/, "").replace(/\n$/, ""))));
    else out.append(lines(i % 2 === 1 ? "```" + part : trimAround(part, i > 0, i < parts.length - 1), verbatim));
  });
  return out;
}

function trimAround(part, afterFence, beforeFence) {
  let text = afterFence ? part.replace(/^\n/, "") : part;
  if (beforeFence) text = text.replace(/\n$/, "");
  return text;
}

function lines(text, verbatim) {
  const out = fragment();
  let plain = [];
  let quoted = [];
  const flushPlain = () => {
    if (plain.length) out.append(inline(plain.join("\n"), verbatim));
    plain = [];
  };
  const flushQuote = () => {
    if (quoted.length) out.append(h("blockquote", {}, inline(quoted.join("\n"), verbatim)));
    quoted = [];
  };
  for (const line of text.split("\n")) {
    const quote = /^(?:&gt;|>)(?!&gt;|>) ?(.*)$/.exec(line);
    if (quote) (flushPlain(), quoted.push(quote[1]));
    else (flushQuote(), plain.push(line));
  }
  flushPlain();
  flushQuote();
  return out;
}

/** Marks inside running text. Line breaks stay as they are (the style sheet keeps them). */
export function inline(text, verbatim = false) {
  const out = fragment();
  let pending = "";
  const flush = () => {
    if (pending) out.append(...textNodes(decode(pending)));
    pending = "";
  };
  for (let i = 0; i < text.length; ) {
    const found = nodeAt(text, i, verbatim);
    if (found) {
      flush();
      out.append(found.node);
      i = found.end;
    } else pending += text[i++];
  }
  flush();
  return out;
}

function nodeAt(text, i, verbatim) {
  const c = text[i];
  if (c === "`") return codeAt(text, i);
  if (c === "<") return tokenAt(text, i);
  if (c === ":") return emojiAt(text, i);
  if (c in STYLE) return styledAt(text, i, verbatim);
  if (c === "h" && !verbatim && !WORD.test(text[i - 1] ?? " ")) return urlAt(text, i);
  return null;
}

function codeAt(text, i) {
  const end = text.indexOf("`", i + 1);
  if (end <= i + 1 || text.slice(i, end).includes("\n")) return null;
  const inner = text.slice(i + 1, end).replace(/<([@#!]|[a-z][a-z0-9+.-]*:)([^<>\n]*)>/gi, (_, kind, rest) => `${kind}${rest}`.split("|").pop());
  return { node: h("code", {}, decode(inner)), end: end + 1 };
}

function tokenAt(text, i) {
  const end = text.indexOf(">", i + 1);
  const inner = end < 0 ? "" : text.slice(i + 1, end);
  if (!inner || /[<\n]/.test(inner) || !/^[@#!]|^[a-z][a-z0-9+.-]*:/i.test(inner)) return null;
  return { node: token(inner, (label) => inline(label, true)), end: end + 1 };
}

function emojiAt(text, i) {
  EMOJI_AT.lastIndex = i;
  const match = EMOJI_AT.exec(text);
  return match && isEmoji(match[1]) ? { node: emoji(match[1]), end: i + match[0].length } : null;
}

function urlAt(text, i) {
  URL_AT.lastIndex = i;
  const match = URL_AT.exec(text);
  return match && { node: link(decode(match[0])), end: i + match[0].length };
}

function styledAt(text, i, verbatim) {
  if (WORD.test(text[i - 1] ?? " ") || /\s/.test(text[i + 1] ?? " ")) return null;
  const end = closing(text, i);
  if (end < 0) return null;
  return { node: h(STYLE[text[i]], {}, inline(text.slice(i + 1, end), verbatim)), end: end + 1 };
}

/** Where the mark at `i` closes on its line, outside code and <…>; −1 if it does not. */
function closing(text, i) {
  for (let j = i + 1; j < text.length && text[j] !== "\n"; j++) {
    const c = text[j];
    if (c === "<" || c === "`") {
      const end = text.indexOf(c === "<" ? ">" : "`", j + 1);
      if (end > 0) j = end;
    } else if (c === text[i] && j > i + 1 && !/\s/.test(text[j - 1]) && !WORD.test(text[j + 1] ?? " ")) return j;
  }
  return -1;
}

/** Plain text: emoji names are shown as emoji unless switched off, nothing else is parsed. */
export function plain(text, withEmoji = true) {
  if (!withEmoji) return fragment(...textNodes(decode(text)));
  const out = fragment();
  for (const piece of text.split(/(:[a-z0-9_+'-]+:)/)) {
    const name = /^:([a-z0-9_+'-]+):$/.exec(piece)?.[1];
    if (name && isEmoji(name)) out.append(emoji(name));
    else out.append(...textNodes(decode(piece)));
  }
  return out;
}

/** A text object of either kind. */
export function textObject(object) {
  if (!object) return fragment();
  if (typeof object === "string") return plain(object);
  return object.type === "mrkdwn" ? mrkdwn(object.text ?? "", object) : plain(object.text ?? "", object.emoji !== false);
}

/** A text object as a bare string, for labels. */
export function bare(object) {
  return decode((typeof object === "string" ? object : object?.text) ?? "");
}
