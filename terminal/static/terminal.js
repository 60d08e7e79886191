// A tablet at a gate. Read it from below: it enrols, then looks and listens until it is
// signed off; and comes back by itself whenever the server does.
import { able, Device } from "./device.js";
import { Camera } from "./camera.js";
import { Pad } from "./pad.js";
import { listen } from "./wedge.js";
import { wake } from "./sound.js";
import { change, put } from "./words.js";
import * as screen from "./screen.js";

const $ = (id) => document.getElementById(id);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const camera = new Camera($("video"));
let device = null;
let after = 0; // the newest news that was shown
let taken = 0; // the newest request whose answer counts
let page = ""; // the tag of this page
let last = {}; // the server's last answer
let skew = 0; // ms that the server's clock is ahead

const beat = 125; // ms between two looks at the camera
const heartbeat = 2000; // ms between two questions while nobody is there
const stillEvery = 5000; // ms between two pictures while nothing moves
const gone = 3000; // ms without a face until the clock is back
const farewell = 10000; // ms that somebody who was let in is not looked at as somebody new
const farthest = 10000; // ms between two tries while the server is away

// ---- what the server says

const take = (got) => {
  last = got;
  skew = got.time - Date.now();
  if (page && page !== got.page && !screen.answering() && !pad.open) location.reload(); // the server was updated
  page ||= got.page;
  screen.gate(got.gate);
  screen.away(false);
  // Two answers that were asked for at once bring the same news, in either order.
  for (const n of after ? got.news : []) {
    if (n.n <= after) continue;
    screen.answer(n);
    if (n.answer === "welcome") welcomed = Date.now();
  }
  if (got.asked > taken) [taken, after] = [got.asked, got.last];
};

// ask carries out a request and says, in words, where it fails. It returns null then.
let away = 0; // ms to wait for the server
let asked = 0; // requests so far
const ask = async (request) => {
  const mine = ++asked;
  try {
    const got = await request(device);
    got.asked = mine;
    away = 0;
    return got;
  } catch (e) {
    if (e.code === "device.refused" || e.code === "device.kind") {
      ended();
    } else if (e.status === 429 || e.code === "server.busy") {
      away = Math.max(e.wait, 1000); // it is there, and has enough to do
    } else if (e.code === "image.damaged" || e.code === "request.slow") {
      away = 500; // this picture; the next one may do
    } else {
      away = Math.min(Math.max(1000, 2 * away), farthest);
      screen.away(true);
    }
    return null;
  }
};

// ---- the other ways in

// show sends a credential, and says what there is to say of one that decides nothing.
const show = async (kind, value) => {
  screen.stay();
  let failed = null;
  const got = await device.show(kind, value).catch((e) => { failed = e; return null; });
  if (failed && failed.code === "pin.too_many") return screen.tell("denied", "another_way", "pin.many", "pin.many.what");
  if (failed && failed.code === "device.refused") return ended();
  if (failed) return screen.tell("denied", "out_of_order", "busy", "busy.what");
  const before = after;
  const now = await ask((d) => d.state(after));
  if (now) take(now);
  if (got.passages.length === 0 && after === before && !screen.answering()) {
    if (kind === "pin") screen.tell("more", "look_here", "pin.face", "pin.face.what");
    else screen.tell("more", "second_factor", "answer.second_factor", "answer.second_factor.what");
  }
  return null;
};

const pad = new Pad((pin) => show("pin", pin));

// QR codes are read from the same pictures, in the page. One that opened nothing is not
// sent again for a minute, or a poster on the opposite wall would be asked about for ever.
const reader = new Worker("/terminal/qr.js", { type: "module" });
const refusedFor = 60000, againAfter = 5000, qrLasts = 30000; // ms
let reading = false, readAt = 0, seen = "", seenAt = 0, holding = 0;

reader.addEventListener("message", (e) => {
  reading = false;
  if (!e.data || !device) return;
  const wait = holding ? againAfter : refusedFor;
  if (e.data === seen && Date.now() - seenAt < wait) return;
  [seen, seenAt] = [e.data, Date.now()];
  hold(false);
  show("qr", e.data);
});
reader.addEventListener("error", () => { reading = false; });

const read = () => {
  const every = holding ? 150 : 500;
  if (reading || !camera.on || Date.now() - readAt < every) return;
  [reading, readAt] = [true, Date.now()];
  const pixels = camera.pixels();
  reader.postMessage(pixels, [pixels.data.buffer]);
};

const hold = (on) => {
  holding = on ? Date.now() : 0;
  $("qr-open").setAttribute("aria-pressed", String(on));
  document.body.dataset.qr = on ? "on" : "off";
  if (device) say();
};

// ---- looking

let faceAt = 0; // when somebody was last seen
let welcomed = 0; // when somebody was let in who may stand there still
const see = (got) => {
  take(got);
  if (got.guidance === "nobody" && !screen.answering()) welcomed = 0;
  if (got.guidance && got.guidance !== "nobody") faceAt = Date.now();
};

const say = () => {
  const there = Date.now() - faceAt < gone || holding > 0 || last.waits;
  screen.awake(there && camera.on);
  screen.trouble(last.faces === false && last.looks ? "faces.off" : camera.on ? "" : "camera.none");
  if (holding) screen.guide("qr", "qr.hold");
  else if (last.waits) screen.guide("second_factor", "guide.waits");
  else if (!camera.on || !last.looks || last.faces === false) screen.guide("second_factor", "idle.noface");
  else if (there && Date.now() - welcomed < farewell) screen.guide("welcome", "answer.welcome");
  else if (there && last.guidance) screen.guide(last.guidance);
  else screen.guide("nobody", "idle.face");
};

// opened opens the camera, which counts from here on: the tablet is enrolled.
let triedAt = 0;
const opened = async () => {
  if (camera.on || Date.now() - triedAt < 5000) return;
  triedAt = Date.now();
  await camera.open().catch(() => {}); // the screen says so, and it is tried again
};

const run = async () => {
  let beaten = 0, sent = 0, moving = false;
  while (device) {
    const begun = Date.now();
    await opened();
    if (camera.on) {
      moving = camera.moved() || moving;
      if (holding && begun - holding > qrLasts) hold(false);
      if (document.body.dataset.mode === "awake" || moving) read();
    }
    const looks = camera.on && last.looks !== false && after !== 0;
    const there = begun - faceAt < gone;
    const every = there ? last.next_ms : moving ? 250 : stillEvery;
    if (looks && begun - sent >= every) {
      sent = beaten = begun;
      const idle = !there && !moving;
      moving = false;
      const jpeg = await camera.grab(idle);
      const got = jpeg && await ask((d) => d.look(after, jpeg));
      if (got) see(got);
    } else if (begun - beaten >= (last.waits ? 500 : heartbeat)) {
      beaten = begun;
      const got = await ask((d) => d.state(after));
      if (got) take(got);
    }
    if (!device) return;
    say();
    screen.clock(skew);
    await pause(away || Math.max(10, beat - (Date.now() - begun)));
  }
};

// ---- enrolling and ending

// ended stops everything: the tablet was signed off, and shows how it is enrolled anew.
const ended = () => {
  device = null;
  after = 0;
  camera.close();
  hold(false);
  if (pad.open) pad.close();
  screen.away(false);
  $("ended").hidden = false;
  screen.state("enrol");
};

const begin = (it) => {
  device = it;
  last = {};
  $("ended").hidden = true;
  screen.state("stand");
  run();
};

const wrong = { "device.code": "enrol.wrong", "auth.too_many": "enrol.many", "device.kind": "enrol.kind", "request.malformed": "enrol.wrong" };
$("enrol-form").addEventListener("submit", async (e) => {
  e.preventDefault();
  const button = e.target.querySelector("button");
  button.disabled = true;
  put($("enrol-said"), "enrol.busy");
  try {
    const it = await Device.enrol($("code").value);
    $("code").value = "";
    $("enrol-said").textContent = "";
    begin(it);
  } catch (failed) {
    put($("enrol-said"), wrong[failed.code] || "enrol.failed");
  } finally {
    button.disabled = false;
  }
});

// ---- the tablet itself

// kiosk takes what a browser gives once somebody has touched the page: the whole screen,
// and sounds.
const kiosk = () => {
  wake();
  if (device && !document.fullscreenElement && document.documentElement.requestFullscreen && matchMedia("(display-mode: browser)").matches) {
    document.documentElement.requestFullscreen({ navigationUI: "hide" }).catch(() => {});
  }
};
addEventListener("pointerup", kiosk);

// The screen stays on while the page can be seen.
let lock = null;
const awake = async () => {
  if (document.visibilityState !== "visible" || !navigator.wakeLock || (lock && !lock.released)) return;
  lock = await navigator.wakeLock.request("screen").catch(() => null);
};
document.addEventListener("visibilitychange", awake);
addEventListener("contextmenu", (e) => e.preventDefault());

$("lang").addEventListener("click", () => { change(); screen.stay(); });
$("pin-open").addEventListener("click", () => pad.show());
$("qr-open").addEventListener("click", () => hold(!holding));
$("notice-open").addEventListener("click", () => $("notice").showModal());
for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => button.closest("dialog").close());
listen(() => device, (number) => {
  if (pad.open) pad.close();
  show("card", number);
});

awake();
if (!await able()) {
  screen.state("enrol");
  put($("enrol-said"), "enrol.insecure");
  $("enrol-form").querySelector("button").disabled = true;
} else {
  const it = await Device.saved().catch(() => null);
  if (it) begin(it);
  else screen.state("enrol");
}
