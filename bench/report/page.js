// Puts the page together.
"use strict";

(() => {
  const { element } = Dom;
  const data = JSON.parse(document.getElementById("data").textContent);
  const page = document.getElementById("page");
  const several = data.runs.length > 1;

  const figures = (run) => run.metrics.filter((m) => m.headline).map((metric) => [
    Charts.strips(run, metric), run.reference ? Charts.ratios(run, metric) : null,
  ]).flat();

  const memory = (run) => {
    const metric = run.metrics.find((m) => m.name === "peak_rss_bytes");
    return metric ? Charts.memory(run, metric) : null;
  };

  const drift = (run) => {
    const headline = run.metrics.filter((m) => m.headline);
    return headline.length > 0 ? Charts.drift(run, headline.at(-1)) : null;
  };

  const open = (details, wanted) => (wanted ? details.setAttribute("open", "") : null, details);

  const probes = (run) => {
    const breakdowns = run.document.breakdowns ?? [];
    if (!Charts.available || breakdowns.length === 0) return null;
    return [element("h3", null, "Where the time goes"),
      breakdowns.map((b, i) => open(Dom.disclosure(`${b.target}, seen by the probe “${b.probe}”`,
        ProbeCharts.timeline(b), ProbeCharts.calls(b)), i === 0))];
  };

  const runSection = (run, i) => {
    const name = several ? `Run ${Comparison.letter(i)}: ${run.document.run.suite}, ${run.title}` : "Figures";
    const figuresOrReason = run.metrics.some((m) => m.headline) ? Tables.headline(run) : element("p", null, "No trial gave a figure.");
    const plots = Charts.available ? [figures(run), memory(run), drift(run), probes(run)] : null;
    return Dom.section(`run-${i}`, name, Sections.subject(run), Sections.callouts(run), figuresOrReason, plots, Sections.missing(run),
      Dom.disclosure("All metrics with their spread", Tables.details(run)),
      open(Dom.disclosure("The machine", Sections.machine(run)), !several),
      open(Dom.disclosure("The command lines", Sections.commands(run)), !several),
      Sections.downloads(run));
  };

  const flat = (parts) => parts.flat(Infinity).filter(Boolean);
  page.replaceChildren(...flat([
    Charts.available ? null : element("p", { class: "callout" }, `This page has no plots: ${data.charts_missing || "its chart library did not load"}.`),
    several && data.comparison ? Comparison.section(data.comparison, data.runs) : null,
    data.runs.map(runSection),
    Dom.section("method", "How it was measured", Sections.method()),
  ]));
})();
