// Several runs side by side.
"use strict";

const Comparison = (() => {
  const { element } = Dom;
  const letter = (i) => String.fromCharCode(65 + i % 26) + (i >= 26 ? Math.floor(i / 26) : "");
  const colour = (i) => `var(--run-${i % 6})`;

  // Per target one line for each run: median and interval.
  function chart(metric, runs) {
    const weight = (row) => Math.min(...row.cells.filter(Boolean).map((c) => c.median));
    const rows = [...metric.rows].sort((a, b) => weight(a) - weight(b));
    const height = 1 / (runs.length + 0.6);
    const points = rows.flatMap((row, i) => row.cells.map((cell, run) => cell && {
      ...cell, run, y: i + (run - (runs.length - 1) / 2) * height, label: cell.label, target: row.target,
    })).filter((p) => p && p.low > 0);
    const samples = points.flatMap((p) => runs[p.run].document.samples
      .filter((s) => s.ok && !s.warmup && s.target === p.target && s.metrics[metric.name] > 0)
      .map((s) => ({ run: p.run, y: p.y, value: s.metrics[metric.name] })));
    if (points.length === 0) return null;
    const axis = Charts.logAxis(samples.map((s) => s.value), (v) => Format.value(metric.unit, v));
    const labels = rows.map((r) => r.cells.find(Boolean).label);
    const svg = Plot.plot({
      className: "plot", width: Charts.WIDTH, height: 46 + Math.max(34, 20 * runs.length + 8) * rows.length,
      marginTop: 8, marginBottom: 38, marginLeft: Charts.marginFor(labels), marginRight: 110,
      x: axis.scale,
      y: { domain: [rows.length - 0.45, -0.55], axis: null },
      marks: [
        ...axis.marks,
        Plot.ruleY(rows.slice(1), { y: (_, i) => i + 0.5, stroke: "var(--line)" }),
        Plot.text(labels, { y: (_, i) => i, text: (l) => Charts.shorten(l), frameAnchor: "left", dx: -10, textAnchor: "end", fontSize: 13, fill: "var(--ink)" }),
        Plot.dot(samples, { x: "value", y: "y", r: 2, fill: (s) => colour(s.run), fillOpacity: 0.3 }),
        Plot.ruleY(points, { y: "y", x1: "low", x2: "high", stroke: (p) => colour(p.run), strokeWidth: 4 }),
        Plot.dot(points, { x: "median", y: "y", r: 4.5, fill: (p) => colour(p.run), stroke: "var(--paper)" }),
        Plot.text(points, { y: "y", frameAnchor: "right", dx: 102, textAnchor: "end", fontSize: 12, fill: "var(--ink)", text: (p) => `${letter(p.run)} ${p.text}` }),
      ],
    });
    return Dom.figure(`${metric.title}: all runs`, svg,
      `${metric.description} A small dot is one trial, the large dot the median, the bar its 95 % interval; colours are the runs, the axis is logarithmic. `
      + `Trials: ${runs.map((run, i) => `${letter(i)} ${Format.plural(run.document.samples.filter((s) => s.ok && !s.warmup).length, "sample")}`).join(", ")}.`);
  }

  const key = (runs) => element("ul", { class: "runs" }, runs.map((run, i) => element("li", null,
    element("span", { class: "swatch", style: `background: ${colour(i)}` }),
    element("strong", null, letter(i)), " ", element("a", { href: `#run-${i}` }, `${run.document.run.suite}, ${run.title}`),
    ` on ${run.document.context.cpu.model || "an unknown CPU"}, kernel ${run.document.context.kernel.release || "unknown"}`)));

  const warnings = (differences) => differences.map((lines, i) => lines.length > 0 && element("p", { class: "callout" },
    element("strong", null, `A and ${letter(i + 1)} did not run under the same conditions: `), `${lines.join("; ")}.`)).filter(Boolean);

  function section(comparison, runs) {
    const letters = runs.map((_, i) => letter(i));
    return Dom.section("comparison", "Runs compared", key(runs), warnings(comparison.differences),
      comparison.metrics.map((metric) => [
        element("h3", null, metric.title),
        Tables.compared(metric, letters),
        Charts.available && metric.headline ? chart(metric, runs) : null,
      ]),
      element("p", { class: "soft" }, "The trials of different runs were not interleaved, so all samples of one are compared with all "
        + "of the other: the change of the median with its bootstrap interval, and a verdict where the Mann-Whitney test and the "
        + "interval agree at the 5 % level. * Too few trials for an interval: the widest change that they allow."));
  }

  return { section, letter };
})();
