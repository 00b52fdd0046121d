/** Elements one fills in: text, numbers, dates, checkboxes, radio buttons. */
import { h } from "../lib/dom.js";
import { act, choose, chosen, confirmed } from "./context.js";
import { bare, textObject } from "./mrkdwn.js";

let count = 0;

const HTML_TYPE = { number_input: "text", email_text_input: "email", url_text_input: "url", datepicker: "date", timepicker: "time", datetimepicker: "datetime-local" };
const STATE_KEY = { datepicker: "selected_date", timepicker: "selected_time", datetimepicker: "selected_date_time" };
const INITIAL_KEY = { datepicker: "initial_date", timepicker: "initial_time", datetimepicker: "initial_date_time" };

/** When a text field tells the app, by its dispatch_action_config. */
function triggers(element) {
  return element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
}

/** `dispatch`: whether using the element is an action (dispatch_action, or it stands outside an input block). */
export function textInput(element, surface, blockId, dispatch) {
  const state = chosen(surface, blockId, element);
  const first = element.initial_value ?? "";
  if (!state && first) surface.values.set(`${blockId}\0${element.action_id}`, { type: element.type, value: String(first) });
  const multi = element.type === "plain_text_input" && element.multiline;
  const node = h(multi ? "textarea.field" : "input.field", {
    ...(multi ? { rows: 4 } : { type: HTML_TYPE[element.type] ?? "text" }),
    inputmode: element.type === "number_input" ? (element.is_decimal_allowed ? "decimal" : "numeric") : null,
    autocomplete: "off", maxlength: element.max_length, placeholder: bare(element.placeholder),
    "data-testid": "block-input", "data-action": element.action_id, "data-fk": `${blockId}:${element.action_id}`,
  });
  node.value = state ? state.value ?? "" : first;
  let wait;
  const send = () => (clearTimeout(wait), act(surface, blockId, element, { value: node.value }));
  node.addEventListener("input", () => {
    choose(surface, blockId, element, { value: node.value === "" ? null : node.value });
    if (dispatch && triggers(element).includes("on_character_entered")) (clearTimeout(wait), (wait = setTimeout(send, 250)));
  });
  node.addEventListener("keydown", (e) => {
    if (e.key !== "Enter" || e.shiftKey || e.isComposing || multi) return;
    if (dispatch && triggers(element).includes("on_enter_pressed")) (e.preventDefault(), e.stopPropagation(), send());
  });
  return node;
}

/** Date and time pickers: the browser's own. A datetime is Unix seconds on the wire. */
export function picker(element, surface, blockId, dispatch) {
  const key = STATE_KEY[element.type];
  const state = chosen(surface, blockId, element);
  const value = state ? state[key] : element[INITIAL_KEY[element.type]];
  if (!state && value) surface.values.set(`${blockId}\0${element.action_id}`, { type: element.type, [key]: value });
  const isMoment = element.type === "datetimepicker";
  const node = h("input.field.picker", {
    type: HTML_TYPE[element.type], "data-testid": "block-input", "data-action": element.action_id, "data-fk": `${blockId}:${element.action_id}`,
    onchange: async () => {
      const fresh = !node.value ? null : isMoment ? Math.round(new Date(node.value).getTime() / 1000) : node.value;
      if (!(await confirmed(element))) return;
      choose(surface, blockId, element, { [key]: fresh });
      if (dispatch && fresh !== null) await act(surface, blockId, element, { [key]: fresh });
    },
  });
  if (value) node.value = isMoment ? localMoment(value) : value;
  return node;
}

function localMoment(seconds) {
  const d = new Date(seconds * 1000);
  return new Date(d.getTime() - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Checkboxes and radio buttons. */
export function choices(element, surface, blockId, dispatch) {
  const radio = element.type === "radio_buttons";
  const key = radio ? "selected_option" : "selected_options";
  const state = chosen(surface, blockId, element);
  const first = radio ? element.initial_option : element.initial_options;
  if (!state && first) surface.values.set(`${blockId}\0${element.action_id}`, { type: element.type, [key]: first });
  const current = state ? state[key] : first;
  const on = new Set((radio ? [current] : current ?? []).filter(Boolean).map((o) => o.value));
  const name = `choice-${++count}`;
  const change = async () => {
    const picked = element.options.filter((_, i) => boxes[i].checked);
    if (!(await confirmed(element))) return;
    const value = { [key]: radio ? picked[0] ?? null : picked };
    choose(surface, blockId, element, value);
    if (dispatch) await act(surface, blockId, element, value, node);
  };
  const boxes = [];
  const node = h("div.choices", { role: radio ? "radiogroup" : "group", "data-action": element.action_id, "data-testid": "block-choices" },
    (element.options ?? []).map((option) => {
      const box = h("input", { type: radio ? "radio" : "checkbox", name, value: option.value, onchange: change, "data-fk": `${blockId}:${element.action_id}:${option.value}` });
      box.checked = on.has(option.value);
      boxes.push(box);
      return h("label.choice", {}, box, h("span.choice-text", {}, textObject(option.text), option.description && h("small", {}, textObject(option.description))));
    }));
  return node;
}

export function unsupported(element) {
  return h("span.unknown-block", { "data-testid": "unknown-element" }, `cannot show element type ${element.type}`);
}
