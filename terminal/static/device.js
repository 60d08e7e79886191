// The tablet as a device: its key, which never leaves the browser, and the requests that
// it signs with it (docs/devices.md).
const utf8 = new TextEncoder();
const hex = (bytes) => Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");
const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

// Only a secure page has WebCrypto, and older browsers lack Ed25519.
export const able = async () => {
  try {
    return !!(await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]));
  } catch {
    return false;
  }
};

const settled = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

const store = async (mode) => {
  const open = indexedDB.open("gatehouse-terminal", 1);
  open.onupgradeneeded = () => open.result.createObjectStore("device");
  return (await settled(open)).transaction("device", mode).objectStore("device");
};

// Problem is an answer that is none: an RFC 9457 problem's code, "" where none came.
export class Problem extends Error {
  constructor(code, status, wait) {
    super(code);
    this.code = code;
    this.status = status;
    this.wait = wait; // ms that the server asks to wait, 0 for none
  }
}

const within = 12000; // ms that an answer may take

const send = async (path, init) => {
  let answer;
  try {
    // No cookie of a session that somebody has in this browser goes along.
    answer = await fetch(path, { credentials: "omit", cache: "no-store", redirect: "error", referrerPolicy: "no-referrer", signal: AbortSignal.timeout(within), ...init });
    const body = await answer.json();
    if (answer.ok) return body;
    throw new Problem(body.code || "", answer.status, 1000 * (Number(answer.headers.get("Retry-After")) || 0));
  } catch (e) {
    if (answer && e instanceof Problem) {
      e.date = Date.parse(answer.headers.get("Date"));
      throw e;
    }
    throw new Problem("", 0, 0);
  }
};

// A Device is who this tablet is: what its enrolment's answer said, and the key.
export class Device {
  #key;
  #skew = 0; // ms that the server's clock is ahead of this one

  constructor(saved) {
    this.#key = saved.key;
    this.id = saved.device;
    this.site = saved.site;
    this.#skew = saved.skew || 0;
  }

  // saved is the device that this browser enrolled, null for none.
  static async saved() {
    const saved = await settled((await store("readonly")).get("this"));
    return saved ? new Device(saved) : null;
  }

  // enrol spends a code: the key is made here, cannot be taken out, and is kept only once
  // the server knows its other half.
  static async enrol(typed) {
    const code = typed.toUpperCase().replace(/[-\s]/g, "").replaceAll("O", "0").replace(/[IL]/g, "1");
    const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    const key = hex(await crypto.subtle.exportKey("raw", pair.publicKey));
    const signature = base64url(await crypto.subtle.sign("Ed25519", pair.privateKey, utf8.encode(`gatehouse-enrol-v1\n${code}\n${key}\n`)));
    const got = await send("/api/v1/devices/enrol", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ code, public_key: key, signature }) });
    if (got.kind !== "terminal" && got.kind !== "kiosk") throw new Problem("device.kind", 0, 0);
    const saved = { key: pair.privateKey, device: got.device, site: got.site, skew: 1000 * got.time - Date.now() };
    await settled((await store("readwrite")).put(saved, "this"));
    if (navigator.storage && navigator.storage.persist) await navigator.storage.persist(); // or the browser may forget it
    return new Device(saved);
  }

  // call sends a signed request to /api/v1/devices/ID/path and returns the answer's JSON.
  async call(method, path, type, body, again = true) {
    const target = `/api/v1/devices/${this.id}/${path}`;
    const bytes = body || new Uint8Array();
    const time = Math.floor((Date.now() + this.#skew) / 1000);
    const nonce = hex(crypto.getRandomValues(new Uint8Array(16)));
    const digest = hex(await crypto.subtle.digest("SHA-256", bytes));
    const text = `gatehouse-device-v1\n${this.site}\n${method}\n${target}\n${time}\n${nonce}\n${digest}\n`;
    const signature = base64url(await crypto.subtle.sign("Ed25519", this.#key, utf8.encode(text)));
    const headers = { Authorization: `Gatehouse-Device-V1 ${time} ${nonce} ${digest} ${signature}` };
    if (type) headers["Content-Type"] = type;
    try {
      return await send(target, { method, headers, body });
    } catch (e) {
      if (e.code !== "device.proof_time" || !again || !e.date) throw e;
      this.#skew = e.date - Date.now(); // this tablet's clock is wrong: take the server's
      return this.call(method, path, type, body, false);
    }
  }

  look(after, jpeg) { return this.call("POST", `looks?after=${after}`, "image/jpeg", jpeg); }

  state(after) { return this.call("GET", `terminal?after=${after}`); }

  show(kind, value) { return this.call("POST", "credentials", "application/json", utf8.encode(JSON.stringify({ kind, value }))); }
}
