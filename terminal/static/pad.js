// The PIN pad: large keys on the screen, digits of a keyboard too. What was typed is gone
// when it was sent, when the pad is closed, and after a while.
import { put } from "./words.js";

const most = 12; // digits
const forgets = 20000; // ms without a key

export class Pad {
  #dialog = document.getElementById("pad");
  #dots = document.getElementById("pad-dots");
  #count = document.getElementById("pad-count");
  #pin = "";
  #timer = 0;

  // entered is called with the digits.
  constructor(entered) {
    this.#dialog.addEventListener("click", (e) => {
      const key = e.target.closest("[data-digit]");
      if (key) this.#add(key.dataset.digit);
    });
    document.getElementById("pad-delete").addEventListener("click", () => this.#set(this.#pin.slice(0, -1)));
    document.getElementById("pad-ok").addEventListener("click", () => this.#enter(entered));
    // On the window: a touch beside the keys takes the focus out of the dialog.
    addEventListener("keydown", (e) => {
      if (!this.#dialog.open) return;
      if (/^[0-9]$/.test(e.key)) this.#add(e.key);
      else if (e.key === "Backspace") this.#set(this.#pin.slice(0, -1));
      else if (e.key === "Enter" && this.#pin && !(e.target.matches("[data-close], #pad-delete"))) {
        e.preventDefault();
        this.#enter(entered);
      }
    });
    this.#dialog.addEventListener("close", () => this.#set(""));
  }

  get open() { return this.#dialog.open; }

  show() {
    this.#set("");
    this.#dialog.showModal();
  }

  close() { this.#dialog.close(); }

  #add(digit) { this.#set((this.#pin + digit).slice(0, most)); }

  #set(pin) {
    this.#pin = pin;
    this.#dots.textContent = "●".repeat(pin.length);
    put(this.#count, "pin.digits", String(pin.length));
    clearTimeout(this.#timer);
    if (this.#dialog.open) this.#timer = setTimeout(() => this.close(), forgets);
  }

  #enter(entered) {
    const pin = this.#pin;
    if (!pin) return;
    this.close();
    entered(pin);
  }
}
