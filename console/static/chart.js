// Charts of the last hours. A page's charts lie in an element with data-history, the
// address of their data, and data-when, what a time is called; each has data-chart, its
// name there, and data-series, what its lines are called; with data-daily there is a value
// a day, with data-days they span several. uPlot draws (vendor/uPlot.min.js). There are no
// words in here.
(() => {
  "use strict";
  const all = document.querySelector("[data-history]");
  if (!all || typeof uPlot === "undefined") return;
  const daily = all.dataset.daily !== undefined;
  const days = all.dataset.days !== undefined;
  const when = daily ? "{YYYY}-{MM}-{DD}" : days ? "{MM}-{DD} {HH}:{mm}" : "{HH}:{mm}";
  const marks = daily ? [[86400, "{MM}-{DD}", null, null, null, null, null, null, 1]]
    : [...(days ? [[86400, "{MM}-{DD}", null, null, null, null, null, null, 1]] : []), [3600, "{HH}:{mm}", null, null, days ? "\n{MM}-{DD}" : null, null, null, null, 1], [60, "{HH}:{mm}", null, null, null, null, null, null, 1], [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1]];
  const lines = ["--accent", "--no", "--warn"];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  let data = null;
  let drawn = [];

  const draw = () => {
    for (const u of drawn) u.destroy();
    drawn = [];
    for (const box of all.querySelectorAll("[data-chart]")) {
      const values = data[box.dataset.chart];
      if (!values || values[0].length < 2) continue;
      const names = JSON.parse(box.dataset.series);
      const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
      const dash = [undefined, [6, 3], [2, 3]]; // nothing is said by colour alone
      drawn.push(new uPlot({
        width: box.clientWidth, height: 150, cursor: { y: false },
        series: [{ label: all.dataset.when, value: when }].concat(names.map((label, i) => ({ label, stroke: colour(lines[i]), width: 1.5, dash: dash[i], points: { show: false } }))),
        axes: [{ ...axis, values: marks }, { ...axis, size: 52 }],
        scales: { y: { range: (u, min, max) => [0, max > 0 ? max * 1.1 : 1] } },
        legend: { show: true, live: true },
      }, values, box));
    }
  };

  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => data && draw(), 150);
  };

  fetch(all.dataset.history, { credentials: "same-origin", headers: { Accept: "application/json" } })
    .then((r) => (r.ok ? r.json() : null))
    .then((d) => {
      if (!d) return;
      data = d;
      draw();
      all.classList.add("is-drawn");
    })
    .catch(() => {});
  window.addEventListener("resize", later);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", later);
})();
