// The page's manners: the theme's toggle, tables that sort and copy, where the reader is.
(function () {
  "use strict";

  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const current = () => root.dataset.theme || (system.matches ? "dark" : "light");

  function announceTheme() {
    for (const name of document.querySelectorAll("[data-theme-name]")) {
      name.textContent = current() === "dark" ? "Light" : "Dark";
    }
    dispatchEvent(new CustomEvent("workbench-theme", { detail: current() }));
  }

  for (const button of document.querySelectorAll("[data-toggle-theme]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = current() === "dark" ? "light" : "dark";
      try {
        localStorage.setItem("workbench-theme", root.dataset.theme);
      } catch {
        // Not remembered then.
      }
      announceTheme();
    });
  }
  system.addEventListener("change", announceTheme);

  // ------------------------------------------------------------------ tables

  const PREFIX = { k: 1e3, m: 1e6, g: 1e9, t: 1e12, p: 1e15 };
  const BINARY = { b: 1, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40, pib: 2 ** 50, eib: 2 ** 60 };
  const SECONDS = { "µs": 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, d: 86400 };

  const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

  // A cell's value for sorting: what its maker says, a date or a number (units counted in), else its text.
  function valueOf(cell) {
    const text = (cell?.dataset.value ?? cell?.textContent ?? "").trim();
    if (/^(|–|—|-|nan|nat|none|<na>|no value)$/i.test(text)) return null;
    const date = text.match(/^(\d{1,2})\s([A-Z][a-z]{2})\s(\d{4})\b/);
    const month = date ? MONTHS.indexOf(date[2].toLowerCase()) : -1;
    if (month >= 0) return Date.UTC(Number(date[3]), month, Number(date[1]));
    // What follows after a space, "1.2 GiB (1.1 to 1.3 GiB)", is only more about the number.
    const match = text.replace(/−/g, "-").match(/^([<>≥≤~≈±]?)\s*([+-]?[\d,]*\.?\d+(?:e[+-]?\d+)?)\s*([^\d\s(]*)(?:\s.*)?$/i);
    if (!match) return text.toLowerCase();
    const unit = match[3].toLowerCase();
    const number = Number(match[2].replaceAll(",", ""));
    // A capital M is mega; a small m never stands alone in our tables.
    const value = number * (BINARY[unit] ?? SECONDS[unit] ?? PREFIX[unit] ?? 1);
    return value + Math.abs(value) * 1e-9 * ((match[1] === ">") - (match[1] === "<"));
  }

  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return a.localeCompare(b, "en", { numeric: true });
  }

  function sort(table, column, direction) {
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, value: valueOf(row.cells[column]) }));
    rows.sort((a, b) => {
      // What is absent stays at the end, whichever way the rest is sorted.
      if (a.value === null || b.value === null) return (a.value === null) - (b.value === null);
      return direction * compare(a.value, b.value);
    });
    body.append(...rows.map((r) => r.row));
  }

  function makeSortable(table) {
    const heads = table.tHead?.rows;
    if (!heads || !table.tBodies[0] || table.tBodies[0].rows.length < 2) return;
    const cells = [...heads[heads.length - 1].cells];
    if (cells.some((c) => c.colSpan > 1)) return;
    // Cells that span rows would be torn apart by sorting.
    if (table.tBodies[0].querySelector("[rowspan]")) return;
    cells.forEach((cell, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...cell.childNodes);
      cell.append(button);
      button.addEventListener("click", () => {
        const up = cell.getAttribute("aria-sort") !== "ascending";
        for (const other of cells) other.removeAttribute("aria-sort");
        cell.setAttribute("aria-sort", up ? "ascending" : "descending");
        sort(table, column, up ? 1 : -1);
      });
    });
  }

  function asText(table) {
    const clean = (cell) => cell.textContent.trim().replace(/\s+/g, " ");
    return [...table.rows].filter((row) => !row.hidden).map((row) => [...row.cells].map(clean).join("\t")).join("\n");
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      area.className = "offscreen";
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  }

  function toolsOf(table) {
    const frame = table.closest(".scroll") ?? table;
    const before = frame.previousElementSibling;
    if (before?.classList.contains("tools")) return before;
    const tools = document.createElement("div");
    tools.className = "tools";
    frame.before(tools);
    return tools;
  }

  function addCopyButton(table) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet copy";
    button.textContent = "Copy table";
    button.addEventListener("click", async () => {
      button.textContent = (await copy(asText(table))) ? "Copied" : "Press Ctrl-C";
      setTimeout(() => (button.textContent = "Copy table"), 1600);
    });
    toolsOf(table).append(button);
  }

  // Long tables get a box that keeps the rows which hold every word in it, and a height of their own.
  const LONG = 20;
  const TALL = 40;

  function addFilter(table) {
    const rows = [...(table.tBodies[0]?.rows ?? [])];
    if (rows.length <= LONG) return;
    const texts = rows.map((row) => row.textContent.toLowerCase());
    const label = document.createElement("label");
    label.className = "filter";
    const name = document.createElement("span");
    name.textContent = "Filter";
    const box = document.createElement("input");
    box.type = "search";
    box.placeholder = "words that a row holds";
    box.autocomplete = "off";
    box.spellcheck = false;
    label.append(name, box);
    const count = document.createElement("span");
    count.className = "count";
    count.setAttribute("role", "status");
    count.textContent = `${rows.length} rows`;
    function filter() {
      const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
      let kept = 0;
      rows.forEach((row, i) => {
        row.hidden = !words.every((word) => texts[i].includes(word));
        kept += !row.hidden;
      });
      count.textContent = words.length ? `${kept} of ${rows.length} rows` : `${rows.length} rows`;
    }
    box.addEventListener("input", filter);
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !box.value) return;
      box.value = "";
      filter();
      event.preventDefault();
    });
    toolsOf(table).prepend(label, count);
    if (rows.length > TALL) table.closest(".scroll")?.classList.add("tall");
  }

  for (const table of document.querySelectorAll("table.data")) {
    makeSortable(table);
    addFilter(table);
    if (!table.classList.contains("plain")) addCopyButton(table);
  }

  // ------------------------------------------------------------------ contents

  const links = [...document.querySelectorAll(".contents a")];
  const targets = links.map((link) => document.getElementById(link.hash.slice(1))).filter(Boolean);
  function mark() {
    const line = innerHeight * 0.25;
    const passed = targets.filter((t) => t.getBoundingClientRect().top <= line);
    const atEnd = innerHeight + scrollY >= root.scrollHeight - 2;
    const here = (atEnd ? targets.at(-1) : passed.at(-1)) ?? targets[0];
    for (const link of links) {
      if (here && link.hash === `#${here.id}`) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }
  if (links.length) {
    addEventListener("scroll", mark, { passive: true });
    mark();
  }

  announceTheme();
})();
