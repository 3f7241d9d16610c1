// The plots of one run, drawn by Observable Plot. Colours are variables of the page's style, so that
// dark mode and print need no redrawing. Each function gives a figure, or null where there is nothing
// to draw.
"use strict";

const Charts = (() => {
  const available = typeof Plot !== "undefined";
  const WIDTH = 1040;
  const ROW = 40;  // height of a target's row
  const RIGHT = 118;  // room for the numbers on the right

  const colourOf = (kind) => `var(--${["process", "container", "vm"].includes(kind) ? kind : "other"})`;
  const shorten = (text, length = 34) => text.length > length ? `${text.slice(0, length - 1)}…` : text;
  const marginFor = (labels) => 24 + 7.3 * Math.max(6, ...labels.map((l) => shorten(l).length));

  // Where in its row a dot stands: spread evenly, but the same for the same trial each time.
  const jitter = (i) => ((i * 0.6180339887) % 1 - 0.5) * 0.56;

  // Rows stand at 0, 1, … of a linear axis, so that dots can be spread within a row.
  const frame = (labels, options = {}) => ({
    className: "plot", width: WIDTH, height: 46 + ROW * labels.length, marginTop: 8, marginBottom: 38,
    marginLeft: marginFor(labels), marginRight: RIGHT,
    y: { domain: [labels.length - 0.45, -0.55], axis: null },
    ...options,
  });

  // Names on the left, a hairline between rows, a text on the right.
  const rowMarks = (rows, textOf) => [
    Plot.ruleY(rows.slice(1), { y: (_, i) => i + 0.5, stroke: "var(--line)" }),
    Plot.text(rows, { y: (_, i) => i, text: (r) => shorten(r.label), frameAnchor: "left", dx: -10, textAnchor: "end",
      fontWeight: (r) => (r.isReference ? "bold" : "normal"), fontSize: 13, fill: "var(--ink)" }),
    Plot.text(rows, { y: (_, i) => i, text: textOf, frameAnchor: "right", dx: RIGHT - 8, textAnchor: "end",
      fontSize: 13, fontWeight: 600, fill: "var(--ink)" }),
  ];

  // A logarithmic axis around `values`: the scale, and the marks that draw it. (The library's own
  // axis leaves out labels by a rule of its own.)
  const logAxis = (values, format) => {
    const domain = Format.logDomain(values);
    const ticks = Format.logTicks(...domain);
    return {
      scale: { type: "log", domain, axis: null },
      marks: [
        Plot.gridX({ ticks: 40, stroke: "currentColor", strokeOpacity: 0.06 }),
        Plot.gridX(ticks, { stroke: "currentColor", strokeOpacity: 0.14 }),
        Plot.axisX(ticks, { text: format, label: null, tickSize: 4 }),
      ],
    };
  };

  // The rows of a metric with what the target is, smallest median first.
  const sortedRows = (run, metric) => metric.rows
    .map((row) => {
      const target = run.targets.find((t) => t.name === row.target);
      return { ...row, label: target.label, kind: target.kind, isReference: row.target === run.reference };
    })
    .sort((a, b) => a.median - b.median);

  const countedSamples = (run, metric) => run.document.samples
    .filter((s) => s.ok && !s.warmup && metric.name in s.metrics);

  const nText = (rows) => {
    const counts = rows.map((r) => r.n);
    const [low, high] = [Math.min(...counts), Math.max(...counts)];
    if (low === high) return `n = ${low} trials of each target`;
    return `n = ${high} trials of each target, fewer of ${rows.filter((r) => r.n < high).map((r) => `${r.label} (${r.n})`).join(", ")}`;
  };

  // A thick bar for an interval, a thin one for the range of few trials.
  const intervalMarks = (rows, of) => [[false, 3.5], [true, 1.2]].map(([isRange, strokeWidth]) => {
    const some = rows.map((row, i) => ({ ...of(row), i })).filter((r) => r.is_range === isRange);
    return Plot.ruleY(some, { y: "i", x1: "low", x2: "high", stroke: "var(--ink)", strokeWidth });
  });

  // Every sample as a dot, the median and its interval.
  function strips(run, metric) {
    const rows = sortedRows(run, metric);
    const place = new Map(rows.map((r, i) => [r.target, i]));
    const outliers = new Set(rows.flatMap((r) => r.outliers));
    const seen = new Map();
    const dots = countedSamples(run, metric).filter((s) => s.metrics[metric.name] > 0).map((s) => {
      const nth = (seen.get(s.target) ?? 0) + 1;
      seen.set(s.target, nth);
      const row = rows[place.get(s.target)];
      return { value: s.metrics[metric.name], y: place.get(s.target) + jitter(nth), kind: row.kind, outlier: outliers.has(s.order),
        text: `${row.label}\nround ${s.round}: ${Format.value(metric.unit, s.metrics[metric.name])}` };
    });
    const some = dots.some((d) => d.outlier);
    const axis = logAxis(dots.map((d) => d.value), (v) => Format.value(metric.unit, v));
    const svg = Plot.plot({
      ...frame(rows.map((r) => r.label)),
      x: axis.scale,
      marks: [
        ...axis.marks,
        ...rowMarks(rows, (r) => r.text),
        Plot.dot(dots.filter((d) => !d.outlier), { x: "value", y: "y", r: 2.7, fill: (d) => colourOf(d.kind), fillOpacity: 0.45 }),
        Plot.dot(dots.filter((d) => d.outlier), { x: "value", y: "y", r: 3, stroke: (d) => colourOf(d.kind), strokeWidth: 1.3 }),
        ...intervalMarks(rows, (r) => r),
        Plot.ruleX(rows, { x: "median", y1: (_, i) => i - 0.34, y2: (_, i) => i + 0.34, stroke: "var(--ink)", strokeWidth: 2 }),
        Plot.tip(dots, Plot.pointer({ x: "value", y: "y", title: "text", maxRadius: 12 })),
      ],
    });
    return Dom.figure(`${metric.title}: every trial`, svg,
      `${metric.description} Each dot is one trial; the upright line and the number are the median, the `
      + `thick bar its 95 % interval${rows.some((r) => r.is_range) ? " (with fewer than 6 trials a thin one, from smallest to largest)" : ""}. `
      + `Further left is ${metric.higher_is_better ? "slower" : "faster"}; the axis is logarithmic, so equal distances are equal ratios.`
      + `${some ? " Hollow dots are outliers; they count all the same." : ""} ${nText(rows)}.`);
  }

  // Ratios to the reference, pair by pair.
  function ratios(run, metric) {
    const rows = sortedRows(run, metric).filter((r) => r.ratio !== null)
      .sort((a, b) => a.ratio.value - b.ratio.value);
    if (rows.length === 0) return null;
    const reference = run.targets.find((t) => t.name === run.reference).label;
    const paired = rows.every((r) => r.ratio.paired);
    const axis = logAxis([1, ...rows.flatMap((r) => [r.ratio.low, r.ratio.high])], Format.ratio);
    const svg = Plot.plot({
      ...frame(rows.map((r) => r.label), { height: 46 + 30 * rows.length, marginRight: RIGHT + 60 }),
      x: axis.scale,
      marks: [
        ...axis.marks,
        Plot.ruleY(rows.slice(1), { y: (_, i) => i + 0.5, stroke: "var(--line)" }),
        Plot.ruleX([1], { stroke: "var(--ink)", strokeDasharray: "4 3" }),
        Plot.text(rows, { y: (_, i) => i, text: (r) => shorten(r.label), frameAnchor: "left", dx: -10, textAnchor: "end", fontSize: 13, fill: "var(--ink)" }),
        Plot.link(rows, { x1: 1, x2: (r) => r.ratio.value, y: (_, i) => i, stroke: (r) => colourOf(r.kind), strokeOpacity: 0.35, strokeWidth: 7 }),
        ...intervalMarks(rows, (r) => r.ratio),
        Plot.dot(rows, { x: (r) => r.ratio.value, y: (_, i) => i, r: 4.5, fill: (r) => colourOf(r.kind), stroke: "var(--paper)" }),
        Plot.text(rows, { y: (_, i) => i, frameAnchor: "right", dx: RIGHT + 52, textAnchor: "end", fontSize: 13, fill: "var(--ink)",
          text: (r) => `${r.ratio.text} ${r.ratio.interval_text}${r.ratio.is_range ? " *" : ""}` }),
      ],
    });
    return Dom.figure(`${metric.title}: ratio to ${reference}`, svg,
      `${paired ? `In each round a target's time is divided by that of ${reference} in the same round; the dot is the median of these ratios` : `Median divided by the median of ${reference}`}, `
      + `the bar its 95 % interval${rows.some((r) => r.ratio.is_range) ? " (*: of fewer than 6, the range)" : ""}. Left of the dashed line (1×) is ${metric.higher_is_better ? "slower" : "faster"} than ${reference}; `
      + `a bar that crosses it is no difference that these trials can show. ${nText(rows.map((r) => ({ ...r, n: r.ratio.n }))).replaceAll("trials", paired ? "pairs" : "trials")}.`);
  }

  // VMs need so much more that they would flatten all others: they get an axis of their own.
  function memory(run, metric) {
    const all = sortedRows(run, metric);
    const largest = (rows) => Math.max(0, ...rows.map((r) => r.high));
    const [small, large] = [all.filter((r) => r.kind !== "vm"), all.filter((r) => r.kind === "vm")];
    const apart = small.length > 0 && large.length > 0 && largest(large) > 2.5 * largest(small);
    const labels = all.map((r) => r.label);
    const panel = (rows) => Plot.plot({
      ...frame(rows.map((r) => r.label), { height: 46 + 28 * rows.length, marginLeft: marginFor(labels) }),
      x: { domain: [0, largest(rows) * 1.02], tickFormat: (v) => Format.value(metric.unit, v), label: null, grid: true, ticks: 8 },
      marks: [
        ...rowMarks(rows, (r) => r.text).slice(1),
        Plot.rect(rows, { x1: 0, x2: "median", y1: (_, i) => i - 0.32, y2: (_, i) => i + 0.32, fill: (r) => colourOf(r.kind), fillOpacity: 0.8 }),
        Plot.ruleY(rows, { y: (_, i) => i, x1: "low", x2: "high", stroke: "var(--ink)", strokeWidth: 1.5 }),
        Plot.ruleX([0], { stroke: "var(--soft)" }),
      ],
    });
    return Dom.figure(metric.title, (apart ? [small, large] : [all]).map(panel),
      `${metric.description} The bar is the median, the thin line its 95 % interval; axes start at zero`
      + `${apart ? ", and that of the virtual machines has its own scale" : ""}. A program that is not waited for (a daemon, the monitor `
      + `of a detached container) is not in it. ${nText(all)}.`);
  }

  // The range that holds all but the most extreme of `values` around 1, so that one outlier doesn't
  // flatten the rest.
  const usualRange = (values) => {
    const sorted = [...values].sort((a, b) => a - b);
    const at = (q) => sorted[Math.round(q * (sorted.length - 1))];
    return [Math.min(0.88, at(0.01) / 1.05), Math.max(1.14, at(0.99) * 1.05)];
  };

  // Each sample relative to its target's median, over the rounds.
  function drift(run, metric) {
    const rows = sortedRows(run, metric).filter((r) => r.n > 1 && r.median > 0);
    if (rows.length === 0) return null;
    const columns = rows.length > 3 ? 2 : 1;
    const place = new Map(rows.map((r, i) => [r.target, { fx: i % columns, fy: Math.floor(i / columns), ...r }]));
    const panels = [...place.values()];
    const relative = countedSamples(run, metric).filter((s) => place.has(s.target) && s.metrics[metric.name] > 0)
      .map((s) => ({ sample: s, value: s.metrics[metric.name] / place.get(s.target).median }));
    const [low, high] = usualRange(relative.map((r) => r.value));
    const dots = relative.map(({ sample, value }) => {
      const { fx, fy, kind, label } = place.get(sample.target);
      return { fx, fy, kind, target: sample.target, round: sample.round, value: Math.min(high, Math.max(low, value)), beyond: value < low || value > high,
        text: `${label}\nround ${sample.round}: ${Format.value(metric.unit, sample.metrics[metric.name])}, ${Format.ratio(value)}` };
    });
    const rounds = dots.map((d) => d.round);
    const roundTicks = d3.ticks(Math.min(...rounds), Math.max(...rounds), 8).filter(Number.isInteger);
    const at = { fx: "fx", fy: "fy", x: "round", y: "value" };
    const svg = Plot.plot({
      className: "plot", width: WIDTH, height: 60 + 88 * Math.ceil(rows.length / columns), marginLeft: 52, marginRight: 14, marginTop: 16, marginBottom: 38,
      fx: { axis: null, padding: 0.09 }, fy: { axis: null, padding: 0.3 },
      x: { label: "round", labelAnchor: "center", labelArrow: "none", ticks: roundTicks, tickFormat: "d" },
      y: { type: "log", domain: [low, high], label: null },
      marks: [
        Plot.axisY({ ticks: [low, 1, high], tickFormat: (v) => (v === 1 ? "1×" : `${v.toFixed(2)}×`), label: null }),
        Plot.frame({ stroke: "var(--line)" }),
        Plot.ruleY([1], { stroke: "var(--soft)", strokeDasharray: "3 3" }),
        Plot.dot(dots.filter((d) => !d.beyond), { ...at, r: 2.2, fill: (d) => colourOf(d.kind), fillOpacity: 0.55 }),
        Plot.dot(dots.filter((d) => d.beyond), { ...at, r: 3.5, symbol: "triangle", rotate: (d) => (d.value > 1 ? 0 : 180), fill: "var(--bad)" }),
        Plot.lineY(dots.filter((d) => place.get(d.target).n > 9), Plot.windowY({ k: 9, reduce: "median" }, { ...at, z: "target", stroke: "var(--ink)", strokeWidth: 1.5 })),
        Plot.text(panels, { fx: "fx", fy: "fy", text: (r) => shorten(r.label), frameAnchor: "top-left", dy: -15, fontSize: 12, fontWeight: 600, fill: "var(--ink)" }),
        Plot.tip(dots, Plot.pointer({ ...at, title: "text", maxRadius: 12 })),
      ],
    });
    return Dom.figure(`${metric.title}: over the run`, svg,
      `Each dot is one trial, divided by its target's median, in the order of the rounds; the line is the running median of nine (where there are more than nine). `
      + `A target at rest lies around 1×. A slope or a step that all targets share is the machine's, not theirs.`
      + `${dots.some((d) => d.beyond) ? " Triangles lie beyond the axis." : ""} ${nText(rows)}.`);
  }

  return { available, colourOf, shorten, marginFor, logAxis, strips, ratios, memory, drift, WIDTH };
})();
