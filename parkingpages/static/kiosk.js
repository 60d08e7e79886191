// The keys of a kiosk: there is no keyboard. After two minutes without a touch everything is
// as at first, so that the next driver finds nobody's plate.
const plate = document.getElementById("plate"), entered = document.getElementById("entered"), when = document.getElementById("when");
const idle = 120_000;
let timer, field = plate; // the one that was touched last gets what is typed

function wake() {
  clearTimeout(timer);
  timer = setTimeout(() => location.replace(location.pathname + location.search), idle);
}

// The field's value is a local time without a zone; it is counted as if it were UTC, and
// never shown as another.
const parse = (s) => new Date(s + ":00Z");
const write = (d) => d.toISOString().slice(0, 16);
const show = () => { when.value = entered.value.replace("T", " "); };
const latest = parse(entered.value);

document.addEventListener("click", (e) => {
  wake();
  const b = e.target.closest("button");
  if (!b) return;
  if (b.dataset.key) field.value = (field.value + b.dataset.key).slice(0, field.maxLength);
  if ("delete" in b.dataset) field.value = [...field.value].slice(0, -1).join("");
  if (b.dataset.minutes) {
    const at = new Date(parse(entered.value).getTime() + Number(b.dataset.minutes) * 60_000);
    entered.value = write(at > latest ? latest : at);
    show();
  }
});
for (const one of [plate, document.getElementById("ticket")]) {
  one?.addEventListener("focus", () => { field = one; });
}
show();
wake();
