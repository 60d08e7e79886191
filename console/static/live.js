// The live page's one script. The server renders every fragment; this puts it in
// its place. Each top element of a message says how in data-op:
//   swap  replaces the element with the same id, where there is one
//   row   the same, or goes to the top of the list
(() => {
  "use strict";
  const live = document.getElementById("live");
  if (!live) return;
  const pulse = document.getElementById("pulse");
  const pulseText = document.getElementById("pulse-text");
  const keep = Number(live.dataset.rows);
  const hiddenFor = 20000; // ms: a tab nobody looks at is lent no names
  let last = live.dataset.since;
  let timer = 0;

  const show = (state) => {
    pulse.className = "pulse is-" + state;
    const words = pulse.getAttribute("data-words-" + state);
    if (pulseText.textContent !== words) pulseText.textContent = words;
  };

  // Replacing an element must not take the keyboard away from whoever is on it.
  const replace = (old, fresh) => {
    const focused = old.contains(document.activeElement) && document.activeElement;
    const open = old.querySelector("details[open]");
    if (focused && focused.matches("input, select") && old.id === "vault" && fresh.querySelector("details")) return;
    old.replaceWith(fresh);
    if (open && fresh.querySelector("details")) fresh.querySelector("details").open = true;
    if (!focused) return;
    const again = focused.id && document.getElementById(focused.id);
    const link = focused.getAttribute("href") && fresh.querySelector(`a[href="${CSS.escape(focused.getAttribute("href"))}"]`);
    const target = again || link || fresh.querySelector("a, button, summary");
    if (target) target.focus({ preventScroll: true });
  };

  const place = (el) => {
    const old = document.getElementById(el.id);
    if (old) return replace(old, el);
    if (el.dataset.op !== "row") return;
    const rows = document.getElementById("rows");
    if (!rows) return;
    el.classList.add("is-new");
    rows.prepend(el);
    while (rows.children.length > keep) {
      if (rows.lastElementChild.contains(document.activeElement)) break;
      rows.lastElementChild.remove();
    }
  };

  // A row's picture is asked for when the row is in sight: during a rush most are pushed
  // out again before anybody saw them.
  const sight = new IntersectionObserver((seen) => {
    for (const s of seen) {
      if (!s.isIntersecting) continue;
      sight.unobserve(s.target);
      const img = s.target.querySelector("img[data-src]");
      if (!img) continue;
      img.src = img.dataset.src;
      img.removeAttribute("data-src");
    }
  });

  const watch = (el) => {
    for (const img of el.querySelectorAll("img[data-src]")) sight.observe(img.closest(".row"));
  };

  const apply = (html) => {
    const t = document.createElement("template");
    t.innerHTML = html;
    for (const el of [...t.content.children]) {
      for (const img of el.querySelectorAll(".thumb img[src]")) {
        img.dataset.src = img.getAttribute("src"); // nothing is loaded while it is in the template
        img.removeAttribute("src");
      }
      place(el);
      watch(el);
    }
  };

  let over = false;
  let running = false;
  const stream = window.openStream(live.dataset.stream + (live.dataset.filter ? "?" + live.dataset.filter : ""), live.dataset.channel, {
    last: () => last,
    live: (id, html) => {
      last = id;
      apply(html);
    },
    state: show,
    ended: () => {
      over = true;
      running = false;
      show("ended");
    },
  });

  const start = () => {
    running = true;
    stream.start();
  };

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) {
      timer = setTimeout(() => {
        running = false;
        stream.stop();
        show("paused");
      }, hiddenFor);
    } else if (!running && !over) start();
  });

  // Up and down walk the list; the whole row is one link.
  live.addEventListener("keydown", (e) => {
    if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return;
    const row = document.activeElement.closest(".row");
    if (!row) return;
    const next = e.key === "ArrowDown" ? row.nextElementSibling : row.previousElementSibling;
    if (!next) return;
    e.preventDefault();
    next.querySelector("a").focus();
  });

  // A picture that has left the ring: the symbol behind it is enough.
  document.addEventListener("error", (e) => {
    if (e.target instanceof HTMLImageElement) e.target.hidden = true;
  }, true);

  watch(live);
  start();
})();
