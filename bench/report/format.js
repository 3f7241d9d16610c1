// Numbers on axes and in tooltips. What stands in tables and labels was formatted by the program
// that made the page (bench/export/format.cc), by the same rules.
"use strict";

const Format = (() => {
  const SCALES = {
    ns: [[1, "ns"], [1e3, "µs"], [1e6, "ms"], [1e9, "s"]],
    bytes: [[1, "B"], [1e3, "kB"], [1e6, "MB"], [1e9, "GB"]],
    per_second: [[1, "/s"], [1e3, "k/s"], [1e6, "M/s"], [1e9, "G/s"]],
    count: [[1, ""]],
  };

  const digits = (value, significant) =>
    Math.abs(value) >= 10 ** significant ? value.toFixed(0) : String(Number(value.toPrecision(significant)));

  // value("ns", 5312000) is "5.31 ms".
  const value = (unit, number, significant = 3) => {
    const scales = SCALES[unit];
    let scale = scales[0];
    for (const candidate of scales) if (Math.abs(number) >= 0.9995 * candidate[0]) scale = candidate;
    return `${digits(number / scale[0], significant)}${scale[1] && " " + scale[1]}`;
  };

  const ratio = (number) => `${digits(number, 3)}×`;

  // Ticks of a logarithmic axis: 1, 2, 5 of each decade, or only 1 where there are many decades.
  const logTicks = (low, high) => {
    const decades = Math.log10(high / low);
    const steps = decades > 3.2 ? [1] : decades > 0.7 ? [1, 2, 5] : [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9];
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); ++power)
      for (const step of steps) {
        const tick = step * 10 ** power;
        if (tick >= low && tick <= high) ticks.push(tick);
      }
    return ticks;
  };

  // The ends of a logarithmic axis around `values`, with some air.
  const logDomain = (values) => {
    const positive = values.filter((v) => v > 0);
    if (positive.length === 0) return [1, 10];
    const low = Math.min(...positive);
    const high = Math.max(...positive);
    const air = Math.max((high / low) ** 0.04, 1.03);
    return [low / air, high * air];
  };

  const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

  // As a shell would take it.
  const shellWord = (word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

  return { value, ratio, logTicks, logDomain, plural, shellLine: (argv) => argv.map(shellWord).join(" ") };
})();
