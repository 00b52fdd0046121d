/** Plans, task cards and tables. */
import { h, svg } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { link } from "./inline.js";
import { plain } from "./mrkdwn.js";
import { richText } from "./richtext.js";

const STATUS = { pending: "to do", in_progress: "in progress", complete: "done", error: "failed" };
const mark = (d) => ["path", { d, fill: "none", stroke: "#fff", "stroke-width": 2.4, "stroke-linecap": "round", "stroke-linejoin": "round" }];

function sign(status) {
  const inner = {
    complete: [["circle", { cx: 10, cy: 10, r: 9, class: "disc" }], mark("M6 10.3 9 13.2 14.2 7")],
    error: [["circle", { cx: 10, cy: 10, r: 9, class: "disc" }], mark("M7 7l6 6M13 7l-6 6")],
    in_progress: [["circle", { cx: 10, cy: 10, r: 7.8, class: "track" }], ["path", { d: "M10 2.200a7.8 7.8 0 0 1 7.8 7.8", class: "arc" }]],
  }[status] ?? [["circle", { cx: 10, cy: 10, r: 7.8, class: "track" }]];
  return h("span.task-sign", { role: "img", "aria-label": STATUS[status] ?? status },
    svg(["svg", { viewBox: "0 0 20 20", width: 18, height: 18, "aria-hidden": "true" }, inner]));
}

export function taskCard(task) {
  const more = [
    task.details && h("div.task-details", {}, richText(task.details)),
    task.output && h("div.task-output", {}, richText(task.output)),
    task.sources?.length ? h("div.task-sources", {}, task.sources.map((s) => link(s.url, s.text))) : null,
  ].filter(Boolean);
  const head = [sign(task.status), h("span.task-title", {}, plain(task.title ?? ""))];
  const props = { class: task.status, "data-testid": "task", "data-status": task.status };
  if (!more.length) return h("div.task", props, h("div.task-head", {}, head));
  return h("details.task", { ...props, open: task.status === "error" || task.status === "in_progress" },
    h("summary.task-head", {}, head, icon("chevron", 15)), more);
}

const folded = new Map();

export function plan(block) {
  const tasks = block.tasks ?? [];
  const done = tasks.filter((t) => t.status === "complete").length;
  const key = block.block_id ?? block.title;
  return h("details.plan", {
    open: folded.get(key) !== true, "data-testid": "plan",
    ontoggle: (e) => folded.set(key, !e.currentTarget.open),
  }, h("summary", {}, h("span.plan-title", {}, plain(block.title ?? "")),
    h("span.plan-count", {}, `${done} of ${tasks.length}`), icon("chevron", 16)),
  h("div.plan-tasks", {}, tasks.map(taskCard)));
}

function cell(content) {
  if (content?.type === "rich_text") return richText(content);
  return plain(String(content?.text ?? content?.value ?? ""), false);
}

export function table(block) {
  const align = (n, content) => `to-${block.column_settings?.[n]?.align ?? (content?.type === "raw_number" ? "right" : "left")}`;
  const wrap = (n) => (block.column_settings?.[n]?.is_wrapped ? "wrapped" : "");
  const [head, ...rows] = block.rows ?? [];
  return h("div.table-scroll", { tabindex: "0", role: "region", "aria-label": "Table" }, h("table", { "data-testid": "table" },
    h("thead", {}, h("tr", {}, (head ?? []).map((c, n) => h("th", { scope: "col", class: align(n, c) }, cell(c))))),
    h("tbody", {}, rows.map((r) => h("tr", {}, r.map((c, n) => h("td", { class: `${align(n, c)} ${wrap(n)}` }, cell(c))))))));
}

const pages = new Map();

/** A table with a caption that shows a page of rows at a time. */
export function dataTable(block) {
  const [head, ...rows] = block.rows ?? [];
  const size = block.page_size ?? 5;
  const last = Math.max(0, Math.ceil(rows.length / size) - 1);
  const key = block.block_id ?? block.caption;
  const holder = h("div.data-table", { "data-testid": "data-table" });
  const turn = (to) => {
    const at = Math.min(Math.max(to, 0), last);
    pages.set(key, at);
    const flip = (label, by, off) => h("button.button.small", { type: "button", disabled: off, onclick: () => turn(at + by) }, label);
    holder.replaceChildren(h("div.data-caption", {}, plain(block.caption ?? "")),
      table({ rows: [head, ...rows.slice(at * size, at * size + size)] }),
      ...(last ? [h("div.data-pages", {}, flip("Previous", -1, at === 0), h("span", {}, `${at * size + 1}–${Math.min(rows.length, (at + 1) * size)} of ${rows.length}`), flip("Next", 1, at === last))] : []));
  };
  turn(pages.get(key) ?? 0);
  return holder;
}
