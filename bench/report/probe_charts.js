// What a probe saw of one trial: its processes over time, and where their time went.
"use strict";

const ProbeCharts = (() => {
  const MOST_PROCESSES = 60;
  const MOST_CALLS = 15;

  // Processes depth first, children by their start, each with its depth.
  const asTree = (processes) => {
    const pids = new Set(processes.map((p) => p.pid));
    const children = new Map();
    for (const p of processes) {
      const parent = pids.has(p.parent_pid) && p.parent_pid !== p.pid ? p.parent_pid : null;
      children.set(parent, [...(children.get(parent) ?? []), p]);
    }
    const seen = new Set();
    const visit = (p, depth) => seen.has(p) ? [] :
      (seen.add(p), [{ ...p, depth }, ...(children.get(p.pid) ?? []).sort((a, b) => a.start_ns - b.start_ns).flatMap((c) => visit(c, depth + 1))]);
    return [...(children.get(null) ?? []), ...processes].flatMap((p) => visit(p, 0));
  };

  function timeline(breakdown) {
    const all = asTree(breakdown.processes ?? []);
    if (all.length === 0) return null;
    const shown = all.slice(0, MOST_PROCESSES);
    const end = Math.max(...all.map((p) => p.end_ns ?? p.start_ns), ...(breakdown.events ?? []).map((e) => e.at_ns), 1);
    const label = (p) => Charts.shorten(`${"\u00a0".repeat(2 * Math.min(p.depth, 8))}${p.command} ${p.pid}`, 38);
    const marginLeft = Charts.marginFor(shown.map(label));
    const place = new Map(shown.map((p, i) => [p.pid, i]));
    const failed = (p) => (p.exit_status ?? 0) !== 0;
    const events = (breakdown.events ?? []).filter((e) => place.has(e.pid) && (e.kind === "exec" || e.kind === "first-byte"));
    const svg = Plot.plot({
      className: "plot", width: Charts.WIDTH, height: 50 + 22 * shown.length, marginTop: 8, marginBottom: 36,
      marginLeft, marginRight: 90,
      x: { domain: [0, end], tickFormat: (v) => Format.value("ns", v), label: null, grid: true, ticks: 8 },
      y: { domain: [shown.length - 0.45, -0.55], axis: null },
      marks: [
        Plot.text(shown, { y: (_, i) => i, text: label, frameAnchor: "left", dx: 4 - marginLeft, textAnchor: "start", fontSize: 12, fill: "var(--ink)", fontFamily: "ui-monospace, monospace" }),
        Plot.rect(shown, { x1: "start_ns", x2: (p) => p.end_ns ?? end, y1: (_, i) => i - 0.3, y2: (_, i) => i + 0.3,
          fill: (p) => (failed(p) ? "var(--bad)" : "var(--container)"), fillOpacity: (p) => (p.end_ns === undefined ? 0.3 : 0.65) }),
        Plot.ruleX(events.filter((e) => e.kind === "exec"), { x: "at_ns", y1: (e) => place.get(e.pid) - 0.42, y2: (e) => place.get(e.pid) + 0.42, stroke: "var(--ink)", strokeWidth: 2 }),
        Plot.dot(events.filter((e) => e.kind === "first-byte"), { x: "at_ns", y: (e) => place.get(e.pid), r: 5, symbol: "star", fill: "var(--vm)", stroke: "var(--paper)" }),
        Plot.text(shown, { x: (p) => p.end_ns ?? end, y: (_, i) => i, dx: 5, textAnchor: "start", fontSize: 11, fill: "var(--soft)",
          text: (p) => (p.end_ns === undefined ? "still runs" : Format.value("ns", p.end_ns - p.start_ns)) }),
        Plot.tip(events, Plot.pointer({ x: "at_ns", y: (e) => place.get(e.pid), title: (e) => `${e.kind} at ${Format.value("ns", e.at_ns)}\n${Charts.shorten(e.detail ?? "", 120)}`, maxRadius: 14 })),
      ],
    });
    const more = all.length - shown.length;
    return Dom.figure(`${breakdown.target}: its processes`, svg,
      `One probed trial (n = 1): a bar is a process or thread from fork to exit, indented under its parent; an upright line is an execve. `
      + `${shown.some(failed) ? "Red: it ended with a status other than 0. " : ""}`
      + `${more > 0 ? `${Format.plural(more, "further process").replace("processs", "processes")} not drawn. ` : ""}`
      + `The trial pays for the probe and is in no other figure.`);
  }

  function calls(breakdown) {
    const costs = (breakdown.costs ?? []).filter((c) => c.total_ns > 0)
      .sort((a, b) => b.total_ns - a.total_ns);
    if (costs.length === 0) return null;
    const shown = costs.slice(0, MOST_CALLS);
    const labels = shown.map((c) => c.name);
    const total = costs.reduce((sum, c) => sum + c.total_ns, 0);
    const part = shown.reduce((sum, c) => sum + c.total_ns, 0);
    const svg = Plot.plot({
      className: "plot", width: Charts.WIDTH, height: 46 + 22 * shown.length, marginTop: 8, marginBottom: 36,
      marginLeft: Charts.marginFor(labels), marginRight: 230,
      x: { domain: [0, shown[0].total_ns], tickFormat: (v) => Format.value("ns", v), label: null, grid: true, ticks: 6 },
      y: { domain: [shown.length - 0.45, -0.55], axis: null },
      marks: [
        Plot.text(shown, { y: (_, i) => i, text: "name", frameAnchor: "left", dx: -10, textAnchor: "end", fontSize: 12, fill: "var(--ink)", fontFamily: "ui-monospace, monospace" }),
        Plot.rect(shown, { x1: 0, x2: "total_ns", y1: (_, i) => i - 0.32, y2: (_, i) => i + 0.32, fill: "var(--container)", fillOpacity: 0.8 }),
        Plot.text(shown, { y: (_, i) => i, frameAnchor: "right", dx: 222, textAnchor: "end", fontSize: 12, fill: "var(--ink)",
          text: (c) => `${Format.value("ns", c.total_ns)} in ${Format.plural(c.count, "call")}` }),
        Plot.ruleX([0], { stroke: "var(--soft)" }),
      ],
    });
    return Dom.figure(`${breakdown.target}: system calls by time`, svg,
      `Time between entry and return of each system call, waiting included, summed over all processes of the same trial (n = 1); sums of processes that ran side by side may exceed the wall time. `
      + `${costs.length > shown.length ? `The ${shown.length} shown make ${(100 * part / total).toFixed(0)} % of all ${Format.value("ns", total)}.` : ""}`);
  }

  return { timeline, calls };
})();
