// The dialog that gives a room's link to others: to read, to copy, to send, and to
// point a phone at.

import { el, say, set, svg } from "./dom.js";
import { invitation } from "./links.js";
import { qr } from "./qr.js";

/** Light squares around a code, so that a camera finds it; the standard asks for four. */
const QUIET = 4;

const LONELY =
  "This page is open at this computer's own address, so others cannot open this link. " +
  "Open the game at the computer's address in your network, and share that link.";
const OTHERS = "This page is open at this computer's own address. Others reach it under this one:";

export class ShareDialog {
  #link = el("textarea", { class: "link", rows: 2, readonly: true, "aria-label": "Link", translate: "no", "data-testid": "share-link" });
  #choice = el("select", { "aria-label": "Address", "data-testid": "share-address" });
  #hint = el("p", { class: "hint", "data-testid": "share-hint" });
  #told = el("p", { class: "told", role: "status", "data-testid": "share-told" });
  #code = el("div", { class: "qr" });
  /** What is shared, for the sheet of a phone. */
  #title = "";
  #heading = el("h2", { id: "share-title" });

  constructor() {
    const copy = el("button", { type: "button", class: "main", "data-testid": "share-copy", click: () => this.#copy() }, "Copy");
    const send = el("button", { type: "button", "data-testid": "share-send", click: () => this.#send() }, "Send…");
    const close = el("button", { type: "button", "data-testid": "share-close", click: () => this.element.close() }, "Close");
    set(send, { hidden: !("share" in navigator) });
    set(this.#link, { focus: () => this.#link.select() });
    set(this.#choice, { change: () => this.#show(this.#choice.value) });
    const buttons = el("div", { class: "buttons" }, close, send, copy);
    this.element = el(
      "dialog",
      { class: "card share", "aria-labelledby": "share-title", "data-testid": "share-dialog", click: (event) => this.#onClick(event) },
      this.#heading, this.#hint, this.#choice, this.#link, this.#code, this.#told, buttons,
    );
  }

  /**
   * @param {string} title what is shared @param {string} origin the frontend this page talks to
   * @param {string} hash the room @param {unknown} addresses where else it can be reached
   * @param {string} [heading] what it is good for
   */
  open(title, origin, hash, addresses, heading = "Invite others") {
    this.#title = title;
    say(this.#heading, heading);
    const { links, lonely } = invitation(origin, hash, addresses);
    const elsewhere = !lonely && links[0] !== undefined && !links[0].url.startsWith(`${origin}/`);
    say(this.#hint, lonely ? LONELY : elsewhere ? OTHERS : "");
    set(this.#hint, { hidden: !lonely && !elsewhere });
    this.#choice.replaceChildren(...links.map(({ url, host }) => el("option", { value: url }, host)));
    set(this.#choice, { hidden: links.length < 2 });
    this.#show(links[0]?.url ?? "");
    this.element.showModal();
    this.#link.focus();
  }

  /** @param {string} url */
  #show(url) {
    this.#link.value = url;
    say(this.#told, "");
    const code = qr(url);
    this.#code.replaceChildren(...(code ? [picture(code)] : []));
  }

  /** A page that is not served securely has no clipboard of its own; the old way still works there. */
  async #copy() {
    this.#link.select();
    const copied = await navigator.clipboard?.writeText(this.#link.value).then(() => true, () => false);
    // Deprecated, and the only way where there is no secure context.
    const done = copied || document.execCommand("copy");
    say(this.#told, done ? "The link is copied." : "Copy the marked link, please; the browser does not let this page do it.");
  }

  async #send() {
    try {
      await navigator.share({ title: this.#title, url: this.#link.value });
    } catch (error) {
      // Who closes the sheet has changed their mind.
      if (!(error instanceof DOMException && error.name === "AbortError")) say(this.#told, "That did not work; copy the link instead.");
    }
  }

  /** A click beside the dialog closes it, as everywhere. @param {MouseEvent} event */
  #onClick(event) {
    const { left, right, top, bottom } = this.element.getBoundingClientRect();
    const inside = event.clientX >= left && event.clientX <= right && event.clientY >= top && event.clientY <= bottom;
    if (event.target === this.element && !inside) this.element.close();
  }
}

/** Always dark on light, whatever the page's colours are: cameras expect it. @param {boolean[][]} code */
function picture(code) {
  const size = code.length + 2 * QUIET;
  const squares = code.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x + QUIET} ${y + QUIET}h1v1h-1z`] : [])));
  const title = svg("title");
  title.textContent = "QR code of the link";
  const paper = svg("rect", { width: size, height: size, fill: "#fff" });
  const ink = svg("path", { d: squares.join(""), fill: "#000" });
  const picture = svg("svg", { viewBox: `0 0 ${size} ${size}`, role: "img", "shape-rendering": "crispEdges", "data-testid": "share-qr" }, title, paper, ink);
  return picture;
}
