/** Block Kit blocks as DOM nodes. */
import { asUser } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { store } from "../lib/store.js";
import { fileInput, richTextInput } from "./bigfields.js";
import { button, feedback, iconElement, overflow } from "./buttons.js";
import { chart } from "./chart.js";
import { link } from "./inline.js";
import { choices, picker, textInput, unsupported } from "./inputs.js";
import { markdown } from "./markdown.js";
import { bare, mrkdwn, plain, textObject } from "./mrkdwn.js";
import { dataTable, plan, table, taskCard } from "./plan.js";
import { richText } from "./richtext.js";
import { select } from "./select.js";

let count = 0;

/** All blocks of a message or view. */
export function blocks(list, surface) {
  return h("div.blocks", {}, (list ?? []).map((block, i) => {
    const id = block.block_id ?? `block-${i}`;
    const build = BLOCKS[block.type];
    const node = build ? build(block, surface, id) : unknown(block.type);
    node.classList.add("block", `block-${block.type}`);
    node.dataset.blockId = id;
    return node;
  }));
}

export function unknown(type) {
  return h("div.unknown-block", { "data-testid": "unknown-block" }, icon("info", 15), `cannot show block type ${type}`);
}

const BLOCKS = {
  section,
  header: (b) => h("h3.header-block", {}, textObject(b.text)),
  divider: () => h("hr.divider"),
  context: (b) => h("div.context", {}, (b.elements ?? []).map((e) => (e.type === "image" ? picture(e, "context-image") : h("span.context-text", {}, textObject(e))))),
  actions: (b, surface, id) => h("div.actions", {}, (b.elements ?? []).map((e) => element(e, surface, id, true))),
  context_actions: (b, surface, id) => h("div.context-actions", {}, (b.elements ?? []).map((e) => element(e, surface, id, true))),
  input,
  image: imageBlock,
  markdown: (b) => h("div.markdown", {}, markdown(b.text ?? "")),
  rich_text: (b) => richText(b),
  table: (b) => table(b),
  data_table: (b) => dataTable(b),
  plan: (b) => plan(b),
  task_card: (b) => h("div.lone-task", {}, taskCard(b)),
  alert: (b) => h("div.alert", { class: b.level ?? "default", role: "note" }, icon({ warning: "warning", error: "warning", success: "check" }[b.level] ?? "info"), h("div", {}, textObject(b.text))),
  card,
  carousel: (b, surface, id) => h("div.carousel", { tabindex: "0", role: "region", "aria-label": "Cards" }, (b.elements ?? []).map((c) => card(c, surface, c.block_id ?? id))),
  container,
  data_visualization: (b) => chart(b),
  video: (b) => placeholder("Video", bare(b.title), b.title_url ?? b.video_url),
  call: (b) => placeholder("Call", b.call?.v1?.title ?? b.call_id, b.call?.v1?.join_url),
  file: (b) => placeholder("File", b.external_id, null),
};

/** A block of which only the name and the address are shown. */
function placeholder(kind, name, url) {
  return h("div.placeholder-block", { "data-testid": "placeholder" }, icon("info", 15), h("strong", {}, kind), h("span", {}, name ?? ""), url && link(url, "open"));
}

function section(block, surface, id) {
  return h("div.section", {},
    h("div.section-main", {},
      block.text && h("div.section-text", {}, textObject(block.text)),
      block.fields && h("div.fields", {}, block.fields.map((f) => h("div.field-cell", {}, textObject(f))))),
    block.accessory && h("div.accessory", {}, element(block.accessory, surface, id, true)));
}

/** One interactive (or image) element; `dispatch` false inside input blocks without dispatch_action. */
function element(e, surface, id, dispatch) {
  switch (e.type) {
    case "button":
    case "workflow_button": return button(e, surface, id);
    case "overflow": return overflow(e, surface, id);
    case "feedback_buttons": return feedback(e, surface, id);
    case "icon_button": return iconElement(e, surface, id);
    case "image": return picture(e, "accessory-image");
    case "plain_text_input": case "number_input": case "email_text_input": case "url_text_input":
      return textInput(e, surface, id, dispatch);
    case "rich_text_input": return richTextInput(e, surface, id);
    case "file_input": return fileInput(e, surface, id);
    case "datepicker": case "timepicker": case "datetimepicker": return picker(e, surface, id, dispatch);
    case "checkboxes": case "radio_buttons": return choices(e, surface, id, dispatch);
    default: return /^(multi_)?(static|external|users|conversations|channels)_select$/.test(e.type)
      ? select(e, surface, id, { oninput: dispatch }) : unsupported(e);
  }
}

function input(block, surface, id) {
  const field = element(block.element, surface, id, Boolean(block.dispatch_action));
  const key = `input-${++count}`;
  const group = field.classList.contains("choices");
  const hintId = block.hint ? `${key}-hint` : null;
  const control = field.matches("input, textarea, button, .choices") ? field : field.querySelector("input.file-input");
  if (control) {
    control.id = key;
    control.setAttribute("aria-labelledby", `${key}-label`);
    control.setAttribute("aria-describedby", [hintId, `${key}-error`].filter(Boolean).join(" "));
  }
  return h("div.input-block", { "data-testid": "input-block" },
    h(group ? "div.label" : "label.label", group ? { id: `${key}-label` } : { id: `${key}-label`, for: key }, plain(bare(block.label)),
      block.optional && h("span.optional", {}, " (optional)")),
    field,
    block.hint && h("div.hint", { id: hintId }, textObject(block.hint)),
    h("div.field-error", { id: `${key}-error`, role: "alert", "data-testid": "field-error" }));
}

/** Where the bytes of an image come from, or null when that would leave this machine. */
function source(image) {
  const file = image.slack_file;
  const id = file?.id ?? /\/files-pri\/[^/]*-(F[A-Z0-9]+)\//.exec(file?.url ?? image.image_url ?? "")?.[1];
  if (id) return asUser(`/ui/files/${encodeURIComponent(id)}/content`);
  const url = image.image_url && URL.canParse(image.image_url) ? new URL(image.image_url) : null;
  return url?.origin === location.origin ? url.href : null;
}

function picture(image, kind) {
  const src = source(image);
  const alt = image.alt_text ?? "";
  if (!src) return h("span.image-away", { class: kind, title: "Pictures from other hosts are not loaded here" }, icon("eye", 15), h("span", {}, alt || "picture "), image.image_url && link(image.image_url, "open"));
  return h("img", { class: kind, src, alt, loading: "lazy", "data-testid": "block-image" });
}

function imageBlock(block) {
  return h("figure.image-block", {}, block.title && h("figcaption", {}, plain(bare(block.title))), picture(block, "block-picture"));
}

function card(block, surface, id) {
  return h("div.card", { "data-testid": "card" },
    block.hero_image && picture(block.hero_image, "hero"),
    h("div.card-head", {}, block.icon && picture(block.icon, "card-icon"),
      h("div", {}, block.title && h("div.card-title", {}, textObject(block.title)), block.subtitle && h("div.card-subtitle", {}, textObject(block.subtitle)))),
    block.body && h("div.card-body", {}, textObject(block.body)),
    block.subtext && h("div.card-subtitle", {}, textObject(block.subtext)),
    block.actions?.length ? h("div.actions", {}, block.actions.map((e) => element(e, surface, id, true))) : null);
}

function container(block, surface) {
  const inner = blocks(block.child_blocks, surface);
  const head = [h("strong", {}, block.rich_text_title ? richText(block.rich_text_title) : plain(bare(block.title))), block.subtitle && h("small", {}, textObject(block.subtitle))];
  if (!block.is_collapsible) return h("div.container", {}, h("div.container-head", {}, head), inner);
  return h("details.container", { open: !block.default_collapsed }, h("summary.container-head", {}, head, icon("chevron", 16)), inner);
}

/** What a message says, from its blocks or its text. */
export function bodyOf(message, surface) {
  if (message.blocks?.length) return blocks(message.blocks, surface);
  return h("div.text", {}, mrkdwn(message.text ?? ""));
}

/** Names used in status lines and summaries. */
export function nameOf(id) {
  return store.user(id)?.real_name ?? store.user(id)?.name ?? id;
}
