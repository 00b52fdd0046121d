/** The app's Home tab. */
import { explain, get, post } from "../lib/api.js";
import { h, keepFocus } from "../lib/dom.js";
import { spinner } from "../lib/icons.js";
import { store } from "../lib/store.js";
import { blocks } from "../blocks/blocks.js";
import { toast } from "./layer.js";

const values = new Map();

export class Home {
  node = h("div.home", { "data-testid": "home", tabindex: "-1" });
  #shown = "";
  #turn = 0;

  /** Opens the tab: the app hears of it and publishes its view. */
  async open() {
    if (!this.#shown) this.node.replaceChildren(h("div.home-empty", {}, spinner(), `Opening ${store.appName}…`));
    try {
      await post("/ui/home");
    } catch (error) {
      toast(explain(error, store.appName, "Home"));
    }
    await this.refresh();
  }

  async refresh() {
    const mine = ++this.#turn;
    const { view } = await get("/ui/home");
    if (mine !== this.#turn) return; // a later look is under way
    const signature = JSON.stringify(view ?? null);
    if (signature === this.#shown) return;
    this.#shown = signature;
    if (!view) return this.node.replaceChildren(h("div.home-empty", {}, `${store.appName} has not made its Home tab yet.`));
    keepFocus(this.node, () => this.node.replaceChildren(h("div.home-page", {}, blocks(view.blocks, { kind: "home", target: { view_id: view.id }, values }))));
  }
}
