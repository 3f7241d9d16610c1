// The numbers: one run's targets, and several runs side by side.
"use strict";

const Tables = (() => {
  const { element } = Dom;

  const swatch = (kind) => element("span", { class: "swatch", style: `background: ${Charts.colourOf(kind)}`, title: kind });

  const EMULATED = "software emulation, not a hardware VM";
  const accelerator = (target) => target.accelerator &&
    element("strong", { class: target.accelerator === "tcg" ? "badge emulated" : "badge" },
      target.accelerator === "tcg" ? `tcg: ${EMULATED}` : target.accelerator);

  const targetCell = (target, isReference) => [
    swatch(target.kind), target.name, " ", accelerator(target),
    isReference ? element("span", { class: "badge" }, "reference") : null,
  ];

  const twoLines = (text, small, title) =>
    [element("span", { class: "main", title }, text), small && element("small", null, small)];

  const estimateCell = (row) => row &&
    twoLines(row.text, row.interval_text + (row.is_range ? " *" : ""), row.range_text && `range ${row.range_text}`);

  const ratioCell = (row, isReference) => {
    if (isReference) return "1";
    const ratio = row?.ratio;
    if (!ratio) return null;
    const verdict = ratio.verdict === "none" ? ", no difference seen" : "";
    return twoLines(ratio.text, ratio.interval_text + (ratio.is_range ? " *" : "") + verdict,
      `${ratio.verdict_text}; p = ${ratio.p.toPrecision(2)}`);
  };

  // Targets down, headline metrics across.
  function headline(run) {
    const metrics = run.metrics.filter((m) => m.headline);
    const memory = run.metrics.find((m) => m.name === "peak_rss_bytes");
    const rowOf = (metric, target) => metric?.rows.find((r) => r.target === target.name);
    const weight = (target) => rowOf(metrics[0], target)?.median ?? Infinity;
    const targets = run.targets.filter((t) => t.counted > 0).sort((a, b) => weight(a) - weight(b));
    const isReference = (t) => t.name === run.reference;
    const columns = [{ title: "target", align: "text", of: (t) => targetCell(t, isReference(t)) }];
    for (const metric of metrics) {
      columns.push({ title: metric.title, note: "median, 95 % interval", of: (t) => estimateCell(rowOf(metric, t)) });
      if (run.reference)
        columns.push({ title: `ratio to ${run.reference}`, note: "95 % interval",
          of: (t) => ratioCell(rowOf(metric, t), isReference(t) && rowOf(metric, t)) });
    }
    if (memory) columns.push({ title: "peak memory", note: "largest process", of: (t) => rowOf(memory, t)?.text });
    columns.push({ title: "trials", of: (t) => String(t.counted) });
    if (targets.some((t) => t.failed > 0))
      columns.push({ title: "failed", of: (t) => t.failed ? element("strong", { class: "bad" }, String(t.failed)) : null });
    const ranges = metrics.some((m) => m.rows.some((r) => r.is_range));
    return [
      Dom.table("Medians of all targets", columns, targets, (t) => ({ class: isReference(t) ? "reference" : null })),
      element("p", { class: "soft" },
        legend(targets), ranges ? " * Fewer than 6 trials: the range from smallest to largest in place of an interval." : ""),
    ];
  }

  const legend = (targets) => [...new Set(targets.map((t) => t.kind))]
    .map((kind) => element("span", { class: "key" }, swatch(kind), kind));

  // All metrics with their spread, for those who want more than a median.
  function details(run) {
    return run.metrics.map((metric) => [
      element("h4", null, metric.title, element("small", null, ` ${metric.name}`)),
      Dom.table(metric.title, [
        { title: "target", align: "text", of: (r) => run.targets.find((t) => t.name === r.target).label },
        { title: "n", of: (r) => String(r.n) },
        { title: "median", of: (r) => r.text },
        { title: "95 % interval", of: (r) => r.interval_text + (r.is_range ? " *" : "") },
        { title: "middle half", of: (r) => r.middle_half_text },
        { title: "range", of: (r) => r.range_text },
        { title: "MAD", of: (r) => r.mad_text },
        { title: "outliers", of: (r) => String(r.outliers.length) },
      ], metric.rows),
    ]).flat();
  }

  const VERDICT_CLASS = { lower: "good", higher: "bad", none: "soft", "too-few": "soft" };
  const verdictClass = (metric, verdict) =>
    metric.higher_is_better ? { ...VERDICT_CLASS, lower: "bad", higher: "good" }[verdict] : VERDICT_CLASS[verdict];

  const changeCell = (metric, change) => change && [
    element("span", { class: `main ${verdictClass(metric, change.verdict)}`, title: `p = ${change.p.toPrecision(2)} (Mann-Whitney)` },
      change.change_text, " ", element("em", null, change.verdict_text)),
    element("small", null, change.change_interval_text + (change.is_range ? " *" : "")),
  ];

  // Targets down, runs across: the median of each and its change against run A.
  function compared(metric, letters) {
    const columns = [{ title: "target", align: "text",
      of: (r) => [swatch(r.kind), [...new Set(r.cells.filter(Boolean).map((c) => c.label))].join(" / ")] }];
    letters.forEach((letter, i) => {
      columns.push({ title: letter, note: "median, 95 % interval", of: (r) => estimateCell(r.cells[i]) });
      if (i > 0)
        columns.push({ title: `${letters[0]} → ${letter}`, note: "change, 95 % interval", of: (r) => changeCell(metric, r.cells[i]?.change) });
    });
    return Dom.table(`${metric.title}, runs compared`, columns, metric.rows);
  }

  return { headline, details, compared, accelerator };
})();
