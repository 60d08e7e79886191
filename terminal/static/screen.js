// What the screen shows: one state at a time, each said by words and a sign, never by
// colour alone.
import { language, put, reset } from "./words.js";
import { play } from "./sound.js";

const $ = (id) => document.getElementById(id);
const body = document.body;
const signs = { welcome: "granted", already: "more", second_factor: "more", another_way: "denied", reception: "denied", out_of_order: "denied" };
const stays = { granted: 4000, more: 5000, denied: 6000 }; // ms that an answer stands there
const forgets = 30000; // ms until the language is the site's again

// state is loading, enrol or stand.
export const state = (name) => {
  body.dataset.state = name;
  $("enrol").hidden = name !== "enrol";
  $("stand").hidden = $("ways").hidden = name !== "stand";
};

let left = Date.now();
// awake says whether somebody is there: the camera's picture in the place of the clock.
export const awake = (is) => {
  body.dataset.mode = is ? "awake" : "idle";
  if (is) left = Date.now();
  else if (Date.now() - left > forgets && !document.querySelector("dialog[open]")) reset();
};
export const stay = () => { left = Date.now(); };

export const guide = (what, text = "guide." + what) => {
  $("guide").dataset.guide = what;
  $("guide-sign").setAttribute("href", "#s-" + what);
  put($("guide-text"), text);
};

export const trouble = (key) => {
  if (key) put($("trouble"), key);
  else if ($("trouble").dataset.t) { delete $("trouble").dataset.t; $("trouble").textContent = ""; }
};

export const away = (is) => { $("away").hidden = !is; };

export const gate = (name) => { if ($("gate").textContent !== name) $("gate").textContent = name; };

let over = 0;
export const answering = () => Date.now() < over;

const close = () => { $("answer").hidden = true; over = 0; };
$("answer").addEventListener("click", close);
let timer = 0;

// tell shows an answer for some seconds. kind is granted, denied or more; text and what are
// keys of words.
export const tell = (kind, sign, text, what, ...args) => {
  put($("answer-text"), text, ...args);
  put($("answer-what"), what);
  $("answer-sign").setAttribute("href", "#s-" + sign);
  $("answer").className = kind;
  $("answer").hidden = false;
  play(kind);
  over = Date.now() + stays[kind];
  clearTimeout(timer);
  timer = setTimeout(close, stays[kind]);
};

// answer shows what became of somebody. Whoever types a PIN or reads the notice meanwhile
// is not interrupted because their face was not enough; all else is more than that.
export const answer = (news) => {
  const key = "answer." + news.answer;
  const open = document.querySelector("dialog[open]");
  if (open && (news.answer === "another_way" || news.answer === "second_factor")) return;
  if (open) open.close();
  if (news.label) tell(signs[news.answer], news.answer, "answer.hello", key + ".what", news.label);
  else tell(signs[news.answer], news.answer, key, key + ".what");
};

const pad = (n) => String(n).padStart(2, "0");
export const clock = (skew) => {
  const now = new Date(Date.now() + skew);
  const text = pad(now.getHours()) + ":" + pad(now.getMinutes());
  for (const id of ["clock", "big-clock"]) if ($(id).textContent !== text) $(id).textContent = text;
  const date = new Intl.DateTimeFormat(language(), { weekday: "long", day: "numeric", month: "long" }).format(now);
  if ($("date").textContent !== date) $("date").textContent = date;
};
