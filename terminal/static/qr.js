// A worker that reads QR codes, so that the page goes on meanwhile. It gets a picture's
// pixels and gives the code's text, "" for none.
import { decodeQR } from "./decode.js";

addEventListener("message", (e) => {
  let text = "";
  try {
    text = decodeQR(e.data);
  } catch {
    // no code in this picture
  }
  postMessage(typeof text === "string" && text.length <= 512 ? text : "");
});
