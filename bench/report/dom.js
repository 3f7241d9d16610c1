// Elements from data. All text of a document passes through textContent or setAttribute: whatever it
// holds, it is never parsed as markup.
"use strict";

const Dom = (() => {
  // element("p", {class: "soft"}, "text", child, …); null and undefined children are left out.
  const element = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes ?? {}))
      if (value !== undefined && value !== null) node.setAttribute(name, value);
    for (const child of children.flat(Infinity))
      if (child !== undefined && child !== null) node.append(child);
    return node;
  };

  const section = (id, title, ...children) =>
    element("section", { id, "aria-labelledby": `${id}-title` },
      element("h2", { id: `${id}-title` }, title), ...children);

  const disclosure = (title, ...children) =>
    element("details", null, element("summary", null, title), ...children);

  // columns: [{title, note, align, of: (row) => text | node | [children]}]
  const table = (label, columns, rows, rowAttributes = () => ({})) => {
    const heading = (c) => element("th", { scope: "col", class: c.align ?? "number" }, c.title,
      c.note && element("small", null, c.note));
    const cell = (c, row, i) => element(i === 0 ? "th" : "td",
      { class: c.align ?? "number", scope: i === 0 ? "row" : null }, c.of(row));
    return element("div", { class: "scroll", role: "region", "aria-label": label, tabindex: "0" },
      element("table", { "aria-label": label },
        element("thead", null, element("tr", null, columns.map(heading))),
        element("tbody", null, rows.map((row) =>
          element("tr", rowAttributes(row), columns.map((c, i) => cell(c, row, i)))))));
  };

  // [[term, text | node]]; empty ones are left out.
  const list = (entries) => element("dl", null, entries
    .filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([term, value]) => [element("dt", null, term), element("dd", null, value)]));

  let figures = 0;
  // Drawings (one, or several that belong together) with a title above and beneath it what they show
  // and how to read them.
  const figure = (title, drawings, caption) => {
    const id = `figure-${++figures}`;
    for (const svg of [drawings].flat()) {
      svg.setAttribute("role", "img");
      svg.setAttribute("aria-label", title);
      svg.setAttribute("aria-describedby", id);
    }
    return element("figure", null, element("h3", null, title), element("div", { class: "plot-area" }, drawings),
      element("figcaption", { id }, caption));
  };

  return { element, section, disclosure, table, list, figure };
})();
