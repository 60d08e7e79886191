// The page's words, in the language that whoever stands there chose.
const words = JSON.parse(document.getElementById("words").textContent);
const root = document.documentElement;
const tags = { en: "en", zh: "zh-CN" };
const first = root.dataset.first; // the site's, or the one that this tablet was opened with
let lang = first;

export const language = () => tags[lang];
export const say = (key, ...args) => args.reduce((text, arg) => text.replace("%s", arg), (words[key] || [key, key])[lang === "zh" ? 1 : 0]);

// put writes a text into an element, which follows the language from then on.
export const put = (el, key, ...args) => {
  el.dataset.t = key;
  el.dataset.args = JSON.stringify(args);
  const text = say(key, ...args);
  if (el.textContent !== text) el.textContent = text;
};

const apply = () => {
  root.lang = tags[lang];
  for (const el of document.querySelectorAll("[data-t]")) {
    const text = say(el.dataset.t, ...JSON.parse(el.dataset.args || "[]"));
    if (el.textContent !== text) el.textContent = text;
  }
  for (const el of document.querySelectorAll("[data-t-label]")) el.setAttribute("aria-label", say(el.dataset.tLabel));
  for (const el of document.querySelectorAll("[data-lang]")) el.hidden = el.dataset.lang !== lang;
  document.getElementById("lang").lang = tags[lang === "zh" ? "en" : "zh"];
};

export const change = () => { lang = lang === "zh" ? "en" : "zh"; apply(); };

// reset goes back to the site's language, once whoever chose another one has left.
export const reset = () => {
  if (lang === first) return;
  lang = first;
  apply();
};

apply();
