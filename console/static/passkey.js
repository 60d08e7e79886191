// Passkeys. A box says in its data where the challenge comes from (data-begin), where
// its answer goes (data-finish), whether a passkey is made or shown (data-make), where to
// go on (data-next), and what to say (data-words-…). There are no words in here.
(() => {
  "use strict";
  const post = (url, body) => fetch(url, {
    method: "POST", credentials: "same-origin", redirect: "error",
    headers: { "Content-Type": "application/json" }, body: body ? JSON.stringify(body) : "{}",
  });

  // What goes to the server is the passkey's answer, and nothing that an extension gave:
  // the PRF's output is a secret of this browser.
  const plain = (credential) => {
    const { id, rawId, type, response, authenticatorAttachment } = credential.toJSON();
    return { id, rawId, type, response, authenticatorAttachment };
  };

  for (const box of document.querySelectorAll("[data-begin]")) {
    const button = box.querySelector("button");
    const label = box.querySelector("input");
    const status = box.querySelector("[role=status]");
    const words = box.querySelector("[data-words-off]");
    const say = (what) => { status.textContent = words.getAttribute("data-words-" + what) || ""; };
    if (!window.PublicKeyCredential || !PublicKeyCredential.parseRequestOptionsFromJSON) {
      say("off");
      continue;
    }
    button.disabled = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      say("wait");
      try {
        const begun = await post(box.dataset.begin);
        const options = await begun.json();
        if (!begun.ok) {
          if (options.next) { location.assign(options.next + "?next=" + encodeURIComponent(location.pathname)); return; }
          say(begun.status === 429 ? "many" : "failed");
          return;
        }
        const credential = box.dataset.make
          ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
          : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
        const answer = plain(credential);
        if (label) answer.label = label.value;
        const finished = await post(box.dataset.finish, answer);
        const got = await finished.json();
        if (!finished.ok) {
          say(finished.status === 429 ? "many" : got.code === "auth.no_role" ? "role" : "refused");
          return;
        }
        location.assign(box.dataset.next || got.next || "/");
      } catch (e) {
        say(e.name === "NotAllowedError" || e.name === "AbortError" ? "ended" : e.name === "InvalidStateError" ? "known" : "failed");
      } finally {
        button.disabled = false;
      }
    });
  }
})();
