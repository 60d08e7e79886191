// A card reader that types: it sends a card's number as keys, faster than people do, and
// ends with Enter. Fields that somebody writes into are left alone.
const gap = 60; // ms between two keys of a reader, at the most; people need more for a whole number
const least = 4, most = 128; // characters

export const listen = (wanted, card) => {
  let typed = "", last = 0;
  addEventListener("keydown", (e) => {
    if (e.isComposing || e.ctrlKey || e.altKey || e.metaKey || e.target.matches("input, textarea") || !wanted()) return;
    if (e.timeStamp - last > gap) typed = "";
    last = e.timeStamp;
    if (e.key.length === 1) {
      typed = (typed + e.key).slice(-most);
      if (e.key === " ") e.preventDefault(); // it would press the button that has the focus
      return;
    }
    if (e.key !== "Enter" || typed.length < least) return;
    e.preventDefault();
    e.stopImmediatePropagation();
    const number = typed;
    typed = "";
    card(number);
  }, true);
};
