/** Standard Markdown, as the `markdown` block and streamed answers use it. Slack's <…> tokens are live in it too. */
import { fragment, h } from "../lib/dom.js";
import { emoji, isEmoji, textNodes } from "../lib/emoji.js";
import { decode, link, token } from "./inline.js";

export function markdown(text) {
  return blocksOf(text.replace(/\r\n?/g, "\n").split("\n"));
}

const FENCE = /^ {0,3}(```+|~~~+)\s*([\w+-]*)/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}(?:>|&gt;) ?(.*)$/;
const DELIMITER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

function blocksOf(lines) {
  const out = fragment();
  let i = 0;
  while (i < lines.length) {
    const line = lines[i];
    if (!line.trim()) i++;
    else if (FENCE.test(line)) i = fence(lines, i, out);
    else if (HEADING.test(line)) i = heading(lines, i, out);
    else if (RULE.test(line)) (out.append(h("hr")), i++);
    else if (QUOTE.test(line)) i = quote(lines, i, out);
    else if (ITEM.test(line)) i = list(lines, i, out);
    else if (line.includes("|") && DELIMITER.test(lines[i + 1] ?? "") && (lines[i + 1] ?? "").includes("-")) i = table(lines, i, out);
    else i = paragraph(lines, i, out);
  }
  return out;
}

function fence(lines, i, out) {
  const [, mark] = FENCE.exec(lines[i]);
  let end = i + 1;
  while (end < lines.length && !lines[end].trim().startsWith(mark)) end++;
  out.append(h("pre", {}, lines.slice(i + 1, end).join("\n")));
  return end + 1;
}

function heading(lines, i, out) {
  const [, marks, text] = HEADING.exec(lines[i]);
  out.append(h("p.md-heading", { role: "heading", "aria-level": marks.length, class: `level-${Math.min(marks.length, 3)}` }, span(text)));
  return i + 1;
}

function quote(lines, i, out) {
  const inner = [];
  while (i < lines.length && QUOTE.test(lines[i])) inner.push(QUOTE.exec(lines[i++])[1]);
  out.append(h("blockquote", {}, blocksOf(inner)));
  return i;
}

function list(lines, i, out) {
  const [, indent, mark] = ITEM.exec(lines[i]);
  const ordered = /\d/.test(mark);
  const el = h(ordered ? "ol" : "ul", ordered && parseInt(mark, 10) !== 1 ? { start: parseInt(mark, 10) } : {});
  while (i < lines.length) {
    const item = ITEM.exec(lines[i]);
    if (!item || item[1].length > indent.length + 1 || item[1].length < indent.length || /\d/.test(item[2]) !== ordered) break;
    const inner = [item[3]];
    for (i++; i < lines.length && belongs(lines, i, indent.length); i++) inner.push(lines[i].slice(Math.min(indent.length + 2, lines[i].search(/\S|$/))));
    el.append(listItem(inner));
  }
  out.append(el);
  return i;
}

function belongs(lines, i, indent) {
  if (!lines[i].trim()) return Boolean(lines[i + 1]?.trim()) && lines[i + 1].search(/\S/) > indent;
  if (lines[i].search(/\S/) > indent + 1) return true;
  return !ITEM.test(lines[i]) && !FENCE.test(lines[i]) && !HEADING.test(lines[i]) && Boolean(lines[i - 1].trim());
}

function listItem(inner) {
  const task = /^\[([ xX])\]\s+(.*)$/.exec(inner[0]);
  if (task) inner[0] = task[2];
  const body = blocksOf(inner);
  const only = body.firstElementChild;
  if (only?.tagName === "P" && !only.classList.contains("md-heading")) only.replaceWith(...only.childNodes);
  return h("li", { class: task ? "task" : "" }, task && h("input", { type: "checkbox", disabled: true, checked: task[1] !== " ", "aria-label": "task" }), body);
}

const cells = (line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((c) => c.trim().replace(/\\\|/g, "|"));

function table(lines, i, out) {
  const head = cells(lines[i]);
  const align = cells(lines[i + 1]).map((c) => (/^:-+:$/.test(c) ? "center" : /-:$/.test(c) ? "right" : "left"));
  const body = h("tbody");
  const el = h("table", {}, h("thead", {}, h("tr", {}, head.map((c, n) => h("th", { scope: "col", class: `to-${align[n] ?? "left"}` }, span(c))))), body);
  for (i += 2; i < lines.length && lines[i].includes("|"); i++) {
    body.append(h("tr", {}, cells(lines[i]).map((c, n) => h("td", { class: `to-${align[n] ?? "left"}` }, span(c)))));
  }
  out.append(h("div.table-scroll", { tabindex: "0", role: "region", "aria-label": "Table" }, el));
  return i;
}

function paragraph(lines, i, out) {
  const text = [];
  const starts = (l) => FENCE.test(l) || HEADING.test(l) || QUOTE.test(l) || ITEM.test(l) || RULE.test(l);
  do text.push(lines[i++].replace(/^\s+/, "")); while (i < lines.length && lines[i].trim() && !starts(lines[i]));
  out.append(h("p", {}, span(text.join("\n"))));
  return i;
}

const MARKS = [
  [/^(`+)([\s\S]*?[^`])\1(?!`)/, (m) => h("code", {}, m[2].trim())],
  [/^!?\[((?:[^\[\]]|\[[^\]]*\])*)\]\(<?([^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?(?:\s+"[^"]*")?\)/, (m) => link(decode(m[2]), m[1] ? span(m[1]) : null)],
  [/^<([@#!][^<>\n]+|(?:https?|mailto):[^<>\n]+)>/, (m) => token(m[1])],
  [/^(\*\*|__)(?=\S)([\s\S]*?\S)\1/, (m) => h("strong", {}, span(m[2]))],
  [/^~~(?=\S)([\s\S]*?\S)~~/, (m) => h("s", {}, span(m[1]))],
  [/^\*(?=[^\s*])([\s\S]*?[^\s*])\*(?!\*)/, (m) => h("em", {}, span(m[1]))],
  [/^_(?=[^\s_])([\s\S]*?[^\s_])_(?![\p{L}\p{N}_])/u, (m) => h("em", {}, span(m[1]))],
  [/^:([a-z0-9_+'-]+):/, (m) => (isEmoji(m[1]) ? emoji(m[1]) : null)],
  [/^https?:\/\/[^\s<>]*[^\s<>.,;:!?)\]'"*_]/, (m) => link(decode(m[0]))],
];
const STARTS = "`![<*_~:h";

/** Inline Markdown. A mark that does not close stays as typed. */
function span(text) {
  const out = fragment();
  let pending = "";
  const flush = () => {
    if (pending) out.append(...textNodes(decode(pending)));
    pending = "";
  };
  for (let i = 0; i < text.length; ) {
    if (text[i] === "\\" && /[!-/:-@[-`{-~]/.test(text[i + 1] ?? "")) {
      pending += text[i + 1];
      i += 2;
      continue;
    }
    const found = STARTS.includes(text[i]) && !(/[_h]/.test(text[i]) && /[\p{L}\p{N}]/u.test(text[i - 1] ?? " ")) && markAt(text.slice(i));
    if (found) {
      flush();
      out.append(found.node);
      i += found.length;
    } else pending += text[i++];
  }
  flush();
  return out;
}

function markAt(rest) {
  for (const [pattern, build] of MARKS) {
    const match = pattern.exec(rest);
    const node = match && build(match);
    if (node) return { node, length: match[0].length };
  }
  return null;
}
