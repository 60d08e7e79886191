// The camera: opened once the tablet is enrolled, looked at a few times a second, and
// never kept. A picture exists between its grab and its answer.
const wide = 640; // pixels: a face at arm's length is 150 of them, and more gain little
const idleWide = 320;
const motionW = 32, motionH = 24, motionLeast = 7; // grey levels, of 255, that a part must change by
const motionParts = 6; // how many of the 768 parts

export class Camera {
  #video;
  #stream = null;
  #canvas = document.createElement("canvas");
  #small = document.createElement("canvas");
  #before = null;

  constructor(video) {
    this.#video = video;
    this.#small.width = motionW;
    this.#small.height = motionH;
  }

  get on() { return !!this.#stream && this.#video.readyState >= 2; }

  // open asks for the camera on the screen's side. It fails where there is none, or it may
  // not be used.
  async open() {
    if (this.#stream) return;
    this.#stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 15, max: 30 } } });
    this.#video.srcObject = this.#stream;
    for (const track of this.#stream.getTracks()) track.addEventListener("ended", () => this.close());
    await this.#video.play();
  }

  close() {
    if (!this.#stream) return;
    for (const track of this.#stream.getTracks()) track.stop();
    this.#stream = null;
    this.#video.srcObject = null;
    this.#before = null;
    for (const canvas of [this.#canvas, this.#small]) canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  }

  #draw(width) {
    const w = Math.min(width, this.#video.videoWidth), h = Math.round(w * this.#video.videoHeight / this.#video.videoWidth);
    if (this.#canvas.width !== w || this.#canvas.height !== h) [this.#canvas.width, this.#canvas.height] = [w, h];
    const context = this.#canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(this.#video, 0, 0, w, h);
    return context;
  }

  #clear() { this.#canvas.getContext("2d").clearRect(0, 0, this.#canvas.width, this.#canvas.height); }

  // grab gives one picture as the bytes of a JPEG: small ones while nobody is there.
  async grab(idle) {
    this.#draw(idle ? idleWide : wide);
    const blob = await new Promise((resolve) => this.#canvas.toBlob(resolve, "image/jpeg", idle ? 0.6 : 0.85));
    this.#clear();
    return blob ? blob.arrayBuffer() : null;
  }

  // pixels gives one picture for the reader of QR codes.
  pixels() {
    const context = this.#draw(800);
    const data = context.getImageData(0, 0, this.#canvas.width, this.#canvas.height);
    this.#clear();
    return data;
  }

  // moved says whether something has changed since it was last asked.
  moved() {
    const context = this.#small.getContext("2d", { willReadFrequently: true });
    context.drawImage(this.#video, 0, 0, motionW, motionH);
    const { data } = context.getImageData(0, 0, motionW, motionH);
    const now = new Uint8Array(motionW * motionH);
    let changed = 0;
    for (let i = 0; i < now.length; i++) {
      now[i] = (data[4 * i] + 2 * data[4 * i + 1] + data[4 * i + 2]) >> 2;
      if (this.#before && Math.abs(now[i] - this.#before[i]) > motionLeast) changed++;
    }
    const first = !this.#before;
    this.#before = now;
    return first || changed >= motionParts;
  }
}
