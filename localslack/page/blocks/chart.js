/** data_visualization: a small chart with its numbers in a table below. */
import { h, svg } from "../lib/dom.js";
import { plain } from "./mrkdwn.js";

const WIDTH = 480;
const HEIGHT = 160;
const HUES = [214, 24, 168, 338, 262, 42];
const colour = (n) => `hsl(${HUES[n % HUES.length]} 60% 50%)`;

export function chart(block) {
  const { type } = block.chart;
  const drawn = type === "pie" ? slices(block.chart.segments) : plot(type, block.chart);
  return h("figure.chart", { "data-testid": "chart", "data-kind": type },
    h("figcaption.data-caption", {}, plain(block.title ?? "")), drawn, numbers(block.chart));
}

/** A pie as one bar cut in proportion: simpler to read, and the same facts. */
function slices(segments) {
  const sum = segments.reduce((total, s) => total + s.value, 0) || 1;
  return h("div.chart-slices", { role: "img", "aria-label": segments.map((s) => `${s.label} ${s.value}`).join(", ") },
    segments.map((s, n) => h("span.chart-slice", { title: s.label, style: { width: `${(100 * s.value) / sum}%`, background: colour(n) } })));
}

function plot(type, { series, axis_config: axes }) {
  const all = series.flatMap((s) => s.data.map((p) => p.value));
  const low = Math.min(type === "line" ? Infinity : 0, ...all);
  const span = Math.max(...all) - low || 1;
  const count = axes.categories.length;
  const y = (value) => HEIGHT - 4 - ((value - low) / span) * (HEIGHT - 8);
  const x = (n) => (count === 1 ? WIDTH / 2 : (n / (count - 1)) * (WIDTH - 12) + 6);
  const marks = series.flatMap((s, n) => (type === "bar" ? bars(s, n, series.length, count, y) : [curve(type, s, n, x, y)]));
  const picture = svg(["svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart-plot", role: "img", "aria-hidden": "true" }, marks]);
  return h("div.chart-frame", {}, axes.y_label && h("small", {}, axes.y_label), picture,
    h("div.chart-axis", {}, h("span", {}, axes.categories[0]), axes.x_label && h("span", {}, axes.x_label), count > 1 && h("span", {}, axes.categories[count - 1])),
    h("div.chart-legend", {}, series.map((s, n) => h("span", {}, h("i", { style: { background: colour(n) } }), s.name))));
}

function curve(type, series, n, x, y) {
  const points = series.data.map((p, i) => `${x(i)},${y(p.value)}`);
  const look = { stroke: colour(n), "stroke-width": 2.5, fill: "none", "stroke-linejoin": "round" };
  if (type === "line") return ["polyline", { ...look, points: points.join(" ") }];
  const base = [`${x(series.data.length - 1)},${HEIGHT}`, `${x(0)},${HEIGHT}`];
  return ["polygon", { ...look, fill: colour(n), "fill-opacity": 0.3, points: [...points, ...base].join(" ") }];
}

function bars(series, n, many, count, y) {
  const room = (WIDTH - 12) / count;
  const width = (room * 0.8) / many;
  return series.data.map((p, i) => ["rect", { x: 6 + i * room + room * 0.1 + n * width, y: y(p.value), width, height: Math.max(1, HEIGHT - y(p.value)), fill: colour(n) }]);
}

function numbers(drawn) {
  const pie = drawn.type === "pie";
  const head = pie ? ["", "Value"] : [drawn.axis_config.x_label ?? "", ...drawn.series.map((s) => s.name)];
  const rows = pie ? drawn.segments.map((s) => [s.label, s.value])
    : drawn.axis_config.categories.map((c, i) => [c, ...drawn.series.map((s) => s.data[i]?.value ?? "")]);
  return h("details.chart-numbers", {}, h("summary", {}, "Numbers"),
    h("table", {}, h("thead", {}, h("tr", {}, head.map((c) => h("th", { scope: "col" }, c)))),
      h("tbody", {}, rows.map(([first, ...rest]) => h("tr", {}, h("th", { scope: "row" }, first), rest.map((c) => h("td.to-right", {}, String(c))))))));
}
