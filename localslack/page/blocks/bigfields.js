/** Form fields of more than one line: formatted text and files. */
import { asUser, explain, post } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { iconButton, spinner } from "../lib/icons.js";
import { size } from "../ui/files.js";
import { toast } from "../ui/layer.js";
import { choose, chosen } from "./context.js";
import { bare } from "./mrkdwn.js";

/** Lines as one rich_text section each, the way Slack's editor keeps unformatted lines. */
const toRich = (text) => (text === "" ? null : { type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text }] }] });
const words = (node) => (node?.text ?? "") + (node?.elements ?? []).map(words).join("");
const fromRich = (value) => (value?.elements ?? []).map(words).join("\n");

export function richTextInput(element, surface, blockId) {
  const state = chosen(surface, blockId, element);
  const first = state ? state.rich_text_value : element.initial_value;
  if (!state && first) surface.values.set(`${blockId}\0${element.action_id}`, { type: element.type, rich_text_value: first });
  const node = h("textarea.field", { rows: 5, placeholder: bare(element.placeholder), "data-testid": "block-input", "data-action": element.action_id, "data-fk": `${blockId}:${element.action_id}` });
  node.value = fromRich(first);
  node.addEventListener("input", () => choose(surface, blockId, element, { rich_text_value: toRich(node.value) }));
  return node;
}

export function fileInput(element, surface, blockId) {
  const most = element.max_files ?? 10;
  const held = () => chosen(surface, blockId, element)?.files ?? [];
  const list = h("ul.file-input-list");
  const input = h("input.file-input", {
    type: "file", multiple: most > 1, accept: element.filetypes?.map((t) => `.${t}`).join(","),
    "data-testid": "file-input", "data-action": element.action_id, "data-fk": `${blockId}:${element.action_id}`,
    onchange: () => take([...input.files]),
  });
  const keep = (files) => (choose(surface, blockId, element, { files }), paint());
  const paint = () => list.replaceChildren(...held().map((file) => h("li", { "data-testid": "file-input-file" },
    h("a", { href: asUser(file.url), download: file.name }, file.name), h("small", {}, size(file.size)),
    iconButton("close", `Remove ${file.name}`, () => keep(held().filter((other) => other.id !== file.id))))));
  const take = async (files) => {
    input.value = "";
    if (held().length + files.length > most) return toast(`At most ${most} file${most === 1 ? "" : "s"} here.`);
    const form = new FormData();
    for (const file of files) form.append("file", file, file.name);
    const busy = h("li", {}, spinner());
    list.append(busy);
    try {
      keep([...held(), ...(await post("/ui/files", form)).files]);
    } catch (error) {
      busy.remove();
      toast(explain(error));
    }
  };
  paint();
  return h("div.file-input-box", {}, input, list);
}
