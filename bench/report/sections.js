// What stands around the figures: what was run, on what, what to beware of, how it was measured, and
// the data themselves.
"use strict";

const Sections = (() => {
  const { element } = Dom;

  function callouts(run) {
    const emulated = run.targets.filter((t) => t.accelerator === "tcg" && t.counted > 0).map((t) => t.name);
    const failures = run.targets.filter((t) => t.failed > 0);
    const notes = [];
    if (emulated.length > 0)
      notes.push([element("strong", null, `${emulated.join(" and ")}: the guest's CPU was emulated in software (QEMU TCG). `),
        "These rows are no measure of a hardware VM: under KVM a guest runs at the speed of the CPU."]);
    for (const t of failures)
      notes.push(`${t.label}: ${Format.plural(t.failed, "trial")} failed and ${t.failed === 1 ? "is" : "are"} in no aggregate.`);
    notes.push(...run.notes);
    return notes.length === 0 ? null
      : element("div", { class: "callout", role: "note" }, element("ul", null, notes.map((n) => element("li", null, n))));
  }

  function subject(run) {
    const { run: info, context } = run.document;
    const machine = [context.cpu.model && `${context.cpu.model} × ${context.cpu.logical_count}`,
      context.kernel.release && `Linux ${context.kernel.release}`, context.operating_system,
      context.virtualisation && context.virtualisation !== "none" && `itself a guest (${context.virtualisation})`];
    const parameters = Object.entries(info.parameters ?? {})
      .filter(([name]) => ["image", "command", "layers"].includes(name)).map(([name, value]) => [name, element("code", null, value)]);
    return Dom.list([
      ...parameters,
      ["machine", machine.filter(Boolean).join(", ")],
      ["started", info.start_utc && `${run.title}`],
      ["trials", info.trials > 0 && `${info.trials} of each target${(info.warmups ?? 0) > 0 ? ` after ${Format.plural(info.warmups, "warm-up")}` : ""}, interleaved in an order drawn from seed ${info.seed}`],
    ].filter(([, value]) => value));
  }

  function missing(run) {
    const { targets, skipped } = run.document;
    const entries = [
      ...targets.filter((t) => t.availability !== "ran").map((t) => [t.name, `${t.availability}: ${t.reason ?? "no reason given"}`]),
      ...targets.filter((t) => t.availability === "ran" && t.reason).map((t) => [t.name, t.reason]),
      ...(skipped ?? []).map((s) => [s.what, s.reason]),
    ];
    return entries.length === 0 ? null : [element("h3", null, "Not in the figures"), Dom.list(entries)];
  }

  const table = (title, entries, heads) => entries.length === 0 ? null : Dom.disclosure(title, Dom.table(title, [
    { title: heads[0], align: "text", of: (e) => element("code", null, e[0]) },
    { title: heads[1], align: "text", of: (e) => e[1] }], entries));

  function machine(run) {
    const c = run.document.context;
    const size = (bytes) => bytes ? Format.value("bytes", bytes) : null;
    return [
      Dom.list([
        ["CPU", c.cpu.model && `${c.cpu.model}, ${Format.plural(c.cpu.logical_count, "CPU")} usable`],
        ["CPU flags of interest", (c.cpu.flags ?? []).join(" ")],
        ["frequency governor", c.cpu.governor || (c.cpu.model && "none visible")],
        ["kernel", c.kernel.release && `${c.kernel.release} (${c.kernel.architecture}), ${c.kernel.version}`],
        ["security modules", (c.kernel.security_modules ?? []).join(", ")],
        ["clock source", c.kernel.clock_source],
        ["operating system", c.operating_system],
        ["virtualisation", c.virtualisation === "none" ? "none: this kernel runs on the hardware" : c.virtualisation && `this machine is itself a guest of ${c.virtualisation}`],
        ["memory", c.memory.total_bytes && `${size(c.memory.total_bytes)}, ${size(c.memory.available_bytes)} available, ${size(c.memory.swap_bytes) ?? "no"} swap`],
        ["control groups", c.cgroup_mode],
        ["store", c.store?.path && `${c.store.path} on ${c.store.file_system} (${c.store.options})`],
        ["load before the run", c.load_average_1m !== undefined ? String(c.load_average_1m) : null],
        ["Strata", c.strata_version && `${c.strata_version}, ${c.build_type} build`],
      ]),
      table("CPU mitigations", Object.entries(c.cpu.mitigations ?? {}), ["vulnerability", "state"]),
      table(`Kernel options (${c.kernel.config_source ?? "unknown source"})`, Object.entries(c.kernel.config ?? {}), ["option", "value"]),
    ];
  }

  function commands(run) {
    const targets = run.document.targets.filter((t) => t.argv.length > 0);
    const info = run.document.run;
    return [
      element("h3", null, "Exact command lines"),
      info.command_line.length > 0 ? [element("p", { class: "soft" }, "The benchmark itself:"), element("pre", null, Format.shellLine(info.command_line))] : null,
      targets.map((t) => element("article", { class: "command" },
        element("h4", null, t.name, " ", Tables.accelerator(t), t.version ? element("small", null, ` ${t.version}`) : null),
        t.description ? element("p", { class: "soft" }, t.description) : null,
        element("pre", null, Format.shellLine(t.argv)),
        (t.setup ?? []).length > 0 ? element("p", { class: "soft" }, "Done once before all trials and in no figure: ",
          t.setup.map((lap) => `${lap.step} ${Format.value("ns", lap.duration_ns)}`).join(", "), ".") : null)),
    ];
  }

  const download = (name, type, text) => {
    const link = element("a", { class: "download", download: name }, name);
    link.href = `data:${type};charset=utf-8,${encodeURIComponent(text)}`;
    return link;
  };

  const downloads = (run) => element("p", null, "All samples of this run: ",
    download(`${run.file_name}.json`, "application/json", `${JSON.stringify(run.document, null, 1)}\n`), " ",
    download(`${run.file_name}.csv`, "text/csv", run.csv));

  const method = () => [
    element("p", null, "Every target is started as a separate process by the same small launcher, Strata's own programs no differently from "
      + "the others. A round holds one trial of each target, in an order drawn anew from the recorded seed, so that a machine that drifts "
      + "harms all alike; warm-ups come first and count nowhere. No sample is dropped: not the slow ones, not the outliers."),
    element("p", null, "Quoted is the median. Its 95 % interval comes from a percentile bootstrap (4000 resamples, fixed seed); of fewer than six "
      + "trials the range stands in its place. Ratios are formed within each round and then summed up the same way. “No difference seen” stands "
      + "where the interval holds 1 or a sign test finds p ≥ 0.05; outliers are values further from the median than 3.5 scaled median absolute deviations."),
  ];

  return { callouts, subject, missing, machine, commands, downloads, method };
})();
