/** Things that float above the page: menus, dialogs and toasts. */
import { h, trapTab } from "../lib/dom.js";
import { icon, iconButton } from "../lib/icons.js";

let openMenu = null;

export function closePopover() {
  openMenu?.close();
}

/**
 * Opens `content` next to `anchor`. Esc and a click elsewhere close it and give focus back to the anchor.
 * Returns {close}.
 */
export function popover(anchor, content, { align = "start", onclose, label = "" } = {}) {
  closePopover();
  const box = h("div.popover", { popover: "manual", "aria-label": label || null, "data-testid": "popover" }, content);
  (anchor.closest("dialog") ?? document.body).append(box);
  box.showPopover();
  const move = () => anchor.isConnected && place(box, anchor, align);
  place(box, anchor, align);
  const outside = (e) => !box.contains(e.target) && !anchor.contains(e.target) && handle.close(false);
  const esc = (e) => {
    if (e.key !== "Escape") return;
    e.preventDefault();
    e.stopPropagation();
    handle.close();
  };
  const scrolled = (e) => !box.contains(e.target) && move();
  const handle = {
    box,
    move,
    close(refocus = true) {
      if (openMenu !== handle) return;
      openMenu = null;
      document.removeEventListener("pointerdown", outside, true);
      document.removeEventListener("keydown", esc, true);
      document.removeEventListener("scroll", scrolled, true);
      const hadFocus = box.contains(document.activeElement);
      box.remove();
      anchor.setAttribute("aria-expanded", "false");
      if (refocus && hadFocus && anchor.isConnected) anchor.focus({ preventScroll: true });
      onclose?.();
    },
  };
  openMenu = handle;
  anchor.setAttribute("aria-expanded", "true");
  document.addEventListener("pointerdown", outside, true);
  document.addEventListener("keydown", esc, true);
  document.addEventListener("scroll", scrolled, true);
  return handle;
}

function place(box, anchor, align) {
  const a = anchor.getBoundingClientRect();
  const b = box.getBoundingClientRect();
  const below = innerHeight - a.bottom - 8;
  const top = b.height <= below || below > a.top ? a.bottom + 4 : Math.max(8, a.top - b.height - 4);
  const left = align === "end" ? a.right - b.width : a.left;
  box.style.top = `${top}px`;
  box.style.left = `${Math.max(8, Math.min(left, innerWidth - b.width - 8))}px`;
  box.style.maxHeight = `${top > a.top ? innerHeight - top - 8 : a.top - 12}px`;
}

/** A menu of actions: [{label, icon?, danger?, run}]; arrows move, Enter runs. */
export function menu(anchor, items, { align = "end", label = "Menu", footer = null } = {}) {
  const list = h("div.menu", { role: "menu", "aria-label": label },
    items.map((item) => item.divider ? h("div.menu-divider", { role: "separator" }) : h("button.menu-item", {
      type: "button", role: "menuitem", tabindex: "-1", class: item.danger ? "danger" : "",
      "data-testid": item.testid, onclick: () => (handle.close(), item.run()),
    }, item.icon && icon(item.icon, 16), h("span.menu-label", {}, item.label), item.hint && h("small", {}, item.hint))),
    footer);
  const handle = popover(anchor, list, { align, label });
  const entries = () => [...list.querySelectorAll("[role=menuitem]")];
  list.addEventListener("keydown", (e) => {
    const step = { ArrowDown: 1, ArrowUp: -1, Tab: e.shiftKey ? -1 : 1 }[e.key];
    if (!step) return;
    e.preventDefault();
    const all = entries();
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length]?.focus();
  });
  entries()[0]?.focus();
  return handle;
}

/**
 * A native modal dialog with a title bar. `onclose()` is asked when Esc or the cross wants out.
 * Returns {dialog, body, footer, heading, close}.
 */
export function dialog({ title, testid, onclose, small = false }) {
  const id = `dialog-${crypto.randomUUID()}`;
  const heading = h("h2", { id }, title);
  const body = h("div.dialog-body");
  const footer = h("footer.dialog-footer");
  const cross = iconButton("close", "Close", () => onclose(), { "data-testid": "modal-close" });
  const el = h("dialog.dialog", { "aria-labelledby": id, "data-testid": testid, class: small ? "small" : "" },
    h("header.dialog-header", {}, heading, cross), body, footer);
  const escape = (e) => {
    e.preventDefault();
    onclose();
  };
  el.addEventListener("cancel", escape);
  el.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && !e.defaultPrevented) (e.stopPropagation(), escape(e));
    else trapTab(el, e);
  });
  el.addEventListener("close", () => el.isConnected && onclose());
  const before = document.activeElement;
  document.body.append(el);
  el.showModal();
  return {
    dialog: el, body, footer, heading,
    close() {
      closePopover();
      rescueToasts(el);
      el.remove();
      if (before?.isConnected) before.focus({ preventScroll: true });
    },
  };
}

/** Asks a question; resolves to true or false. */
export function confirm({ title, text, yes = "OK", no = "Cancel", danger = false }) {
  return new Promise((resolve) => {
    const answer = (value) => (box.close(), resolve(value));
    const box = dialog({ title, testid: "confirm", small: true, onclose: () => answer(false) });
    box.body.append(h("div.confirm-text", {}, text));
    const accept = h("button.button.primary", { type: "button", class: danger ? "danger" : "", "data-testid": "confirm-yes", onclick: () => answer(true) }, yes);
    box.footer.append(h("button.button", { type: "button", "data-testid": "confirm-no", onclick: () => answer(false) }, no), accept);
    accept.focus();
  });
}

const toasts = h("div.toasts", { "aria-live": "assertive", "data-testid": "toasts" });

function rescueToasts(dialogElement) {
  if (dialogElement.contains(toasts)) document.body.append(toasts);
}

/** A short notice at the top; it leaves by itself after some seconds. */
export function toast(message, kind = "error") {
  const open = [...document.querySelectorAll("dialog[open]")].pop();
  (open ?? document.body).append(toasts);
  const close = () => note.remove();
  const note = h("div.toast", { class: kind, role: kind === "error" ? "alert" : "status", "data-testid": "toast" },
    icon(kind === "error" ? "warning" : "info"), h("span", {}, message), iconButton("close", "Dismiss", close));
  toasts.append(note);
  while (toasts.childElementCount > 4) toasts.firstElementChild.remove();
  setTimeout(close, kind === "error" ? 9000 : 5000);
}
