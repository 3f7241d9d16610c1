// Draws the page from the documents in it. Numbers in tables were computed by the program that made
// the page; plots show the samples as they are.
(() => {
  "use strict";
  const documents = JSON.parse(document.getElementById("data").textContent);
  const summaries = JSON.parse(document.getElementById("summary").textContent);
  const main = document.querySelector("main");
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();

  // All text goes through here: nothing of a document is ever taken for markup.
  const element = (tag, text, attributes = {}) => {
    const e = document.createElement(tag);
    if (text !== undefined) e.textContent = text;
    for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
    return e;
  };
  const add = (parent, ...children) => (parent.append(...children), parent);

  const figure = (svg, caption) => {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", caption);
    add(main, add(element("figure"), svg, element("figcaption", caption)));
  };
  const base = (rows, margin = 150) => ({
    width: 1040, height: 70 + 34 * rows, marginLeft: margin, marginRight: 30,
    style: { background: "transparent", color: colour("--ink"), fontSize: "13px" },
  });

  const table = (headings, rows) => {
    const t = element("table");
    add(t, add(element("thead"), add(element("tr"), ...headings.map((h) => element("th", h)))));
    const body = element("tbody");
    for (const row of rows) add(body, add(element("tr"), ...row.map((c) => element("td", c))));
    add(main, add(element("div", undefined, { class: "scroll" }), add(t, body)));
  };

  const label = (target) =>
    target.accelerator ? `${target.name} (${target.accelerator})` : target.name;
  const kept = (doc) => doc.samples.filter((s) => s.ok && !s.warmup);

  function strips(doc, metric, summary) {
    const labels = new Map(doc.targets.map((t) => [t.name, label(t)]));
    const medians = summary.rows.map((r) => ({ ...r, target: r.label }));
    const order = [...medians].sort((a, b) => a.median - b.median).map((r) => r.target);
    const samples = kept(doc).filter((s) => metric in s.metrics)
      .map((s) => ({ target: labels.get(s.target), value: s.metrics[metric] / summary.factor }));
    figure(Plot.plot({
      ...base(order.length),
      x: { type: "log", label: `${summary.title}, ${summary.unit} (log scale) →`, grid: true },
      y: { domain: order, label: null },
      marks: [
        Plot.dot(samples, { x: "value", y: "target", r: 2.6, fill: colour("--mark"), fillOpacity: 0.35 }),
        Plot.ruleY(medians, { x1: (r) => r.low / summary.factor, x2: (r) => r.high / summary.factor,
          y: "target", stroke: colour("--ink"), strokeWidth: 3 }),
        Plot.tickX(medians, { x: (r) => r.median / summary.factor, y: "target", stroke: colour("--ink"), strokeWidth: 2 }),
        Plot.text(medians, { x: (r) => r.median / summary.factor, y: "target", text: "text", dy: -13, fill: colour("--ink") }),
      ],
    }), `${summary.title}: every dot is one trial, the tick is the median, the bar its 95 % interval. `
      + `Further left is faster. ${medians.map((r) => `${r.target}: n = ${r.n}`).join(", ")}.`);
  }

  function ratios(summary, reference) {
    const rows = summary.rows.filter((r) => r.ratio !== null);
    if (rows.length < 2) return;
    const order = [...rows].sort((a, b) => a.ratio.value - b.ratio.value).map((r) => r.label);
    figure(Plot.plot({
      ...base(order.length),
      x: { type: "log", label: `${summary.title}, ratio to ${reference} (log scale) →`, grid: true },
      y: { domain: order, label: null },
      marks: [
        Plot.ruleX([1], { stroke: colour("--soft"), strokeDasharray: "4 3" }),
        Plot.ruleY(rows, { x1: (r) => r.ratio.low, x2: (r) => r.ratio.high, y: "label", stroke: colour("--mark"), strokeWidth: 3 }),
        Plot.dot(rows, { x: (r) => r.ratio.value, y: "label", r: 5, fill: colour("--mark") }),
        Plot.text(rows, { x: (r) => r.ratio.value, y: "label", text: (r) => `${r.ratio.value.toFixed(2)}×`, dy: -13, fill: colour("--ink") }),
      ],
    }), `Median of the ratios to ${reference} within each round, with its 95 % interval. The dashed line is ${reference} itself.`);
  }

  function memory(summary) {
    const order = [...summary.rows].sort((a, b) => a.median - b.median).map((r) => r.label);
    figure(Plot.plot({
      ...base(order.length),
      x: { label: `${summary.title}, ${summary.unit} →`, grid: true },
      y: { domain: order, label: null },
      marks: [
        Plot.barX(summary.rows, { x: (r) => r.median / summary.factor, y: "label", fill: colour("--mark"), fillOpacity: 0.75 }),
        Plot.text(summary.rows, { x: (r) => r.median / summary.factor, y: "label", text: "text", dx: 6, textAnchor: "start", fill: colour("--ink") }),
        Plot.ruleX([0], { stroke: colour("--soft") }),
      ],
    }), `${summary.title}, median. It is the largest single process of what was started, as wait4(2) reports it: a process that is not waited for (a daemon, a detached monitor) is not in it.`);
  }

  function drift(doc, metric, summary) {
    const labels = new Map(doc.targets.map((t) => [t.name, label(t)]));
    const samples = kept(doc).filter((s) => metric in s.metrics)
      .map((s) => ({ target: labels.get(s.target), at: s.started_ns / 1e9, value: s.metrics[metric] / summary.factor }));
    figure(Plot.plot({
      ...base(9, 70),
      x: { label: "time since the start of the run, s →" },
      y: { type: "log", label: `↑ ${summary.title}, ${summary.unit}`, grid: true },
      color: { legend: true, domain: summary.rows.map((r) => r.label) },
      marks: [
        Plot.lineY(samples, { x: "at", y: "value", stroke: "target", strokeOpacity: 0.5 }),
        Plot.dot(samples, { x: "at", y: "value", fill: "target", r: 2.2 }),
      ],
    }), "The same samples in the order in which they were taken. A slope or a step that all targets share is the machine's, not theirs.");
  }

  function probe(breakdown) {
    add(main, element("h3", `${breakdown.target}, seen by the probe “${breakdown.probe}”`));
    const processes = breakdown.processes.map((p, i) => ({
      name: `${p.command} (${p.pid})`, index: i, start: p.start_ns / 1e6,
      end: (p.end_ns ?? p.start_ns) / 1e6, exec: p.exec_ns == null ? null : p.exec_ns / 1e6,
    }));
    if (processes.length > 0) {
      figure(Plot.plot({
        ...base(processes.length, 190),
        x: { label: "ms since the start of the trial →", grid: true },
        y: { domain: processes.map((p) => p.name), label: null },
        marks: [
          Plot.barX(processes, { x1: "start", x2: "end", y: "name", fill: colour("--mark"), fillOpacity: 0.6, insetTop: 6, insetBottom: 6 }),
          Plot.tickX(processes.filter((p) => p.exec !== null), { x: "exec", y: "name", stroke: colour("--ink"), strokeWidth: 2 }),
        ],
      }), "Every process of one probed trial from fork to exit; the tick is its last execve. The trial pays for the probe and is in no figure above.");
    }
    const calls = breakdown.costs.filter((c) => c.group === "syscall")
      .sort((a, b) => b.total_ns - a.total_ns).slice(0, 12);
    if (calls.length > 0) {
      table(["system call", "calls", "total, µs", "mean, µs"], calls.map((c) => [c.name, String(c.count),
        (c.total_ns / 1e3).toFixed(1), (c.total_ns / c.count / 1e3).toFixed(1)]));
    }
  }

  function machine(doc) {
    const c = doc.context;
    const list = element("dl");
    const entries = [
      ["kernel", `${c.kernel.release}, ${c.kernel.version}`], ["system", c.operating_system],
      ["CPU", `${c.cpu.model} × ${c.cpu.logical_count}`],
      ["memory", `${(c.memory.total_bytes / 1e9).toFixed(1)} GB`],
      ["virtualisation", c.virtualisation], ["cgroups", c.cgroup_mode], ["clock", c.kernel.clock_source],
      ["store", `${c.store.path} (${c.store.file_system})`],
      ["Strata", `${c.strata_version}, ${c.build_type}`], ["load before", String(c.load_average_1m)],
      ["seed of the order", String(doc.run.seed)],
    ];
    for (const [name, value] of entries) add(list, element("dt", name), element("dd", value));
    add(main, list);
  }

  function page(doc, summary) {
    const run = doc.run;
    add(main, element("h2", `${run.suite}${run.label ? ": " + run.label : ""}`));
    add(main, element("p", `${run.start_utc}, ${Object.entries(run.parameters ?? {}).map(([k, v]) => `${k} ${v}`).join(", ")}`, { class: "soft" }));
    if (doc.targets.some((t) => t.accelerator === "tcg"))
      add(main, element("p", "Rows marked tcg were emulated in software (QEMU TCG). They are no statement about virtual machines on hardware.", { class: "warning" }));
    for (const metric of summary.metrics) {
      add(main, element("h3", metric.title));
      table(["target", "n", "median", "95 % interval", `ratio to ${summary.reference}`, "failed"],
        metric.rows.map((r) => [r.label, String(r.n), r.text, r.interval_text, r.ratio_text, r.failures ? String(r.failures) : ""]));
      if (metric.name.endsWith("_ns")) {
        strips(doc, metric.name, metric);
        ratios(metric, summary.reference);
      } else {
        memory(metric);
      }
    }
    const last = summary.metrics.find((m) => m.name === "exit_ns");
    if (last) { add(main, element("h3", "Drift")); drift(doc, last.name, last); }
    if ((doc.breakdowns ?? []).length > 0) add(main, element("h2", "Where the time goes"));
    for (const b of doc.breakdowns ?? []) probe(b);
    const missing = [...doc.targets.filter((t) => t.availability !== "ran").map((t) => `${t.name}: ${t.availability}, ${t.reason}`),
      ...(doc.skipped ?? []).map((s) => `${s.what}: ${s.reason}`)];
    if (missing.length > 0) {
      add(main, element("h2", "Not in the figures"));
      add(main, add(element("ul"), ...missing.map((m) => element("li", m))));
    }
    add(main, element("h2", "Machine"));
    machine(doc);
    const details = add(element("details"), element("summary", "Exact command lines"));
    for (const t of doc.targets.filter((t) => t.availability === "ran"))
      add(details, element("h3", `${label(t)} ${t.version ?? ""}`), element("p", t.description ?? "", { class: "soft" }), element("pre", (t.argv ?? []).join(" ")));
    add(main, details);
    const link = element("a", "Download this run’s data (JSON)", { download: `${run.suite}-${run.start_utc}.json` });
    link.href = URL.createObjectURL(new Blob([JSON.stringify(doc, null, 1)], { type: "application/json" }));
    add(main, add(element("p"), link));
  }

  documents.forEach((doc, i) => page(doc, summaries[i]));
})();
