// The photos of an enrolment. A box says in its data into which file field a picture of
// the camera goes (data-camera) and what to say (data-words-…). There are no words in
// here, and no picture goes anywhere but into that field.
(() => {
  "use strict";
  document.documentElement.classList.add("scripted");
  // What was judged is on the page: the field is free for the next one. A session or an
  // enrolment that is over is said by the page itself.
  addEventListener("htmx:afterRequest", () => { for (const f of document.querySelectorAll("input[type=file]")) f.value = ""; });
  addEventListener("htmx:responseError", () => location.reload());
  const box = document.querySelector("[data-camera]");
  if (!box || !navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) return;
  const field = document.querySelector(box.dataset.camera);
  const video = box.querySelector("video");
  const [start, take, stop] = ["start", "take", "stop"].map((name) => box.querySelector("[data-" + name + "]"));
  const status = box.querySelector("[role=status]");
  let stream = null;
  box.hidden = false;

  const show = (on) => {
    start.hidden = on;
    video.hidden = take.hidden = stop.hidden = !on;
  };

  const end = () => {
    if (stream) for (const track of stream.getTracks()) track.stop();
    stream = video.srcObject = null;
    show(false);
  };

  start.addEventListener("click", async () => {
    status.replaceChildren();
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 960 } }, audio: false });
    } catch (e) {
      status.textContent = box.getAttribute(e.name === "NotAllowedError" ? "data-words-denied" : "data-words-none");
      return;
    }
    video.srcObject = stream;
    await video.play();
    show(true);
    take.focus();
  });
  stop.addEventListener("click", () => { end(); start.focus(); });
  addEventListener("pagehide", end);

  take.addEventListener("click", () => {
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => {
      if (!blob) return;
      const files = new DataTransfer();
      files.items.add(new File([blob], "photo.jpg", { type: "image/jpeg" }));
      field.files = files.files;
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }, "image/jpeg", 0.92);
  });
})();
