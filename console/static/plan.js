// Placing gates on a floor plan with the pointer. The form's numbers say where they are;
// this writes them, and moves the marks after them. Without it the numbers are typed.
(() => {
  "use strict";
  const plan = document.getElementById("plan");
  if (!plan) return;
  const box = plan.viewBox.baseVal;
  const row = (gate) => document.querySelector(`tr[data-gate="${CSS.escape(gate)}"]`);
  const fields = (gate) => row(gate).querySelectorAll("input[type=number]");
  const mark = (gate) => plan.querySelector(`g[data-gate="${CSS.escape(gate)}"]`);

  const draw = (gate) => {
    const [x, y] = [...fields(gate)].map((f) => (f.value === "" ? NaN : Number(f.value)));
    const g = mark(gate);
    if (!(x >= 0 && x <= 100 && y >= 0 && y <= 100)) return g.setAttribute("display", "none");
    g.removeAttribute("display");
    g.setAttribute("transform", `translate(${(x * box.width) / 100} ${(y * box.height) / 100})`);
  };

  const place = (gate, e) => {
    const r = plan.getBoundingClientRect();
    const within = (v) => String(Math.round(Math.min(1, Math.max(0, v)) * 1000) / 10);
    const [x, y] = fields(gate);
    x.value = within((e.clientX - r.left) / r.width);
    y.value = within((e.clientY - r.top) / r.height);
    draw(gate);
  };

  let moving = "";
  plan.addEventListener("pointerdown", (e) => {
    const hit = e.target.closest("g[data-gate]");
    const chosen = document.querySelector("input[name=chosen]:checked");
    moving = hit ? hit.dataset.gate : chosen ? chosen.value : "";
    if (!moving) return;
    row(moving).querySelector("input[type=radio]").checked = true;
    plan.setPointerCapture(e.pointerId);
    e.preventDefault();
    place(moving, e);
  });
  plan.addEventListener("pointermove", (e) => moving && place(moving, e));
  for (const end of ["pointerup", "pointercancel"]) plan.addEventListener(end, () => (moving = ""));
  document.addEventListener("input", (e) => {
    const at = e.target.closest("tr[data-gate]");
    if (at) draw(at.dataset.gate);
  });
})();
