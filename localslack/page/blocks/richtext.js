/** rich_text: structured text. Its text elements are never parsed, so it is the inert container. */
import { h } from "../lib/dom.js";
import { emoji, textNodes } from "../lib/emoji.js";
import { broadcast, channelMention, dateText, link, userMention } from "./inline.js";

export function richText(block) {
  return h("div.rich-text", {}, (block.elements ?? []).map(group));
}

function group(element) {
  const inner = () => (element.elements ?? []).map(piece);
  switch (element.type) {
    case "rich_text_section": return h("div.rich-section", {}, inner());
    case "rich_text_preformatted": return h("pre", {}, inner());
    case "rich_text_quote": return h("blockquote", {}, inner());
    case "rich_text_list": return list(element);
    default: return h("div.unknown-block", {}, `cannot show rich text type ${element.type}`);
  }
}

function list(element) {
  const props = { class: `indent-${Math.min(element.indent ?? 0, 8)}` };
  if (element.style === "ordered" && element.offset) props.start = element.offset + 1;
  return h(element.style === "ordered" ? "ol" : "ul", props,
    (element.elements ?? []).map((item) => h("li", {}, (item.elements ?? []).map(piece))));
}

function piece(element) {
  return styled(bare(element), element.style);
}

function bare(element) {
  switch (element.type) {
    case "text": return textNodes(element.text ?? "");
    case "link": return link(element.url, element.text);
    case "user": return userMention(element.user_id);
    case "channel": return channelMention(element.channel_id);
    case "usergroup": return h("span.mention", {}, `@${element.usergroup_id}`);
    case "team": return h("span.mention", {}, element.team_id);
    case "broadcast": return broadcast(element.range);
    case "emoji": return emoji(element.name);
    case "date": return dateText(element.timestamp, element.format, element.fallback, element.url);
    case "color": return h("code.color", {}, element.value);
    default: return h("span.unknown-inline", {}, `[${element.type}]`);
  }
}

function styled(node, style = {}) {
  let out = node;
  if (style.code) out = h("code", {}, out);
  if (style.bold) out = h("strong", {}, out);
  if (style.italic) out = h("em", {}, out);
  if (style.strike) out = h("s", {}, out);
  if (style.underline) out = h("u", {}, out);
  return out;
}
