// Draws the charts with Vega's interpreter, since the page forbids eval; redraws on a new theme.
(function () {
  "use strict";

  // The look of charts on a light and on a dark ground, as workbench.views.theme says it.
  const LOOKS = JSON.parse(document.getElementById("chart-looks").textContent);
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const ground = () => root.dataset.theme || (system.matches ? "dark" : "light");

  // The interpreter takes datetime(milliseconds) for a year; Vega means the moment itself.
  function patch(node, key) {
    if (typeof node === "string") return node.replace(/\bdatetime\((-?\d+)\)/g, "($1)");
    if (key === "values" || !node || typeof node !== "object") return node;
    if (Array.isArray(node)) return node.map((item) => patch(item));
    return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, patch(value, name)]));
  }

  function merge(base, extra) {
    const result = { ...base };
    for (const [key, value] of Object.entries(extra)) {
      const both = value && typeof value === "object" && !Array.isArray(value);
      result[key] = both ? merge(result[key] ?? {}, value) : value;
    }
    return result;
  }

  // Charts take the page's width. Only the innermost views have one of their own.
  const AXES = 92; // room for a part's own axis, which only a single view can account for itself
  const NARROW = 720; // below it two parts beside each other have no room for their titles

  function fit(spec, width, isPart = false) {
    for (const key of ["vconcat", "hconcat", "concat"]) {
      if (!Array.isArray(spec[key])) continue;
      let columns = key === "vconcat" ? 1 : (spec.columns ?? spec[key].length);
      if (key === "concat" && width < NARROW) columns = 1;
      const parts = spec[key].map((part) => fit(part, width / columns, true));
      return { ...spec, [key]: parts, ...(key === "concat" ? { columns } : {}) };
    }
    // Facets and views whose width follows their steps keep it.
    if (spec.facet || spec.repeat || typeof spec.width === "object") return spec;
    if (["row", "column", "facet"].some((channel) => spec.encoding?.[channel])) return spec;
    if (isPart) return { ...spec, width: Math.max(140, Math.floor(width - AXES)) };
    return { ...spec, width, autosize: { type: "fit-x", contains: "padding" } };
  }

  async function draw(figure) {
    const live = figure.querySelector(".live");
    try {
      const original = JSON.parse(figure.querySelector("script").textContent);
      const spec = fit(original, figure.clientWidth);
      // It names the version that notebooks draw; this page's is newer and reads the same.
      delete spec.$schema;
      spec.config = merge(spec.config ?? {}, LOOKS[ground()]);
      figure.view?.finalize();
      const shown = await window.vegaEmbed(live, spec, {
        mode: "vega-lite",
        ast: true,
        patch: (compiled) => patch(compiled),
        renderer: "svg",
        actions: { export: true, source: false, compiled: false, editor: false },
        downloadFileName: document.title.replace(/[^\w]+/g, "-"),
        tooltip: { theme: ground() },
        logLevel: 1,
      });
      figure.view = shown.view;
      figure.dataset.drawn = "live";
    } catch (error) {
      // The picture that came with the chart stays.
      figure.dataset.drawn = "picture";
      live.replaceChildren();
      console.warn("A chart stays a picture:", error);
    }
  }

  async function drawAll() {
    for (const figure of document.querySelectorAll("[data-chart]")) await draw(figure);
    root.dataset.charts = "drawn";
  }

  let width = innerWidth;
  let waiting;
  addEventListener("workbench-theme", drawAll);
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(drawAll, 150);
  });
  drawAll();
})();
