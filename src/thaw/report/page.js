"use strict";
// What the page does after it is read: choose a task, switch strategies off, sort and filter runs, draw curves.
// Every text from a run goes into the page as text, never as HTML.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const switchedOff = new Set(); // labels of arms
const looks = new Map(data.arms.map((arm) => [arm.label, arm]));
const PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8a8a8a", "#C9B500"];
const MOST_CURVES = 200;

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

// plotly shows a few HTML tags in its texts, so these are taken apart
const escapeText = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/%\{/g, "% {");

function fillSelect(select, values, wanted) {
  const old = select.value;
  select.replaceChildren(...values.map((value) => make("option", { value, textContent: value })));
  select.value = values.includes(old) ? old : values.includes(wanted) ? wanted : values[0] || "";
}

// -- figures

function colours(layout) {
  const style = getComputedStyle(document.documentElement);
  const [ink, grid, line, panel] = ["--ink", "--grid", "--line", "--panel"].map((name) => style.getPropertyValue(name).trim());
  const axis = { gridcolor: grid, linecolor: line, zeroline: false, automargin: true, ticks: "outside", tickcolor: line };
  return {
    ...layout,
    showlegend: false,
    hovermode: "closest",
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: ink, family: getComputedStyle(document.body).fontFamily, size: 13 },
    margin: { l: 50, r: 12, t: 12, b: 45 },
    dragmode: window.innerWidth < 700 ? false : "zoom", // a finger scrolls the page
    hoverlabel: { bgcolor: panel, font: { color: ink }, bordercolor: line },
    xaxis: { ...axis, ...layout.xaxis },
    yaxis: { ...axis, ...layout.yaxis },
  };
}

function draw(element, figure) {
  const traces = figure.data.filter((trace) => !switchedOff.has(trace.name));
  const config = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
  Plotly.react(element, traces, colours(figure.layout), config);
}

const SHAPES = {
  square: "M2 2h8v8h-8z", circle: "M6 1.5a4.5 4.5 0 1 0 .01 0z", diamond: "M6 0l6 6-6 6-6-6z",
  "triangle-up": "M6 1l6 10H0z", "triangle-down": "M6 11L0 1h12z", pentagon: "M6 0l6 4.5-2.3 7H2.300L0 4.500z",
  star: "M6 0l1.600 4.200L12 4.500 8.600 7.300 9.700 11.700 6 9.300 2.300 11.700 3.400 7.300 0 4.500 4.400 4.200z",
  hexagon: "M6 0l5.200 3v6L6 12 .8 9V3z", cross: "M4 0h4v4h4v4H8v4H4V8H0V4h4z",
  x: "M2.500 0L6 3.500 9.500 0 12 2.500 8.500 6 12 9.500 9.500 12 6 8.500 2.500 12 0 9.500 3.500 6 0 2.500z",
  "line-ew-open": "M0 5h12v2H0z",
};

function swatch(look) {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  for (const [name, value] of Object.entries({ viewBox: "0 0 30 12", width: 30, height: 12, "aria-hidden": "true" })) picture.setAttribute(name, value);
  const line = document.createElementNS(space, "path");
  const dash = { dot: "2 3", dash: "7 4", longdashdot: "10 3 2 3" }[look.dash] || "none";
  for (const [name, value] of Object.entries({ d: "M0 6h30", stroke: look.colour, "stroke-width": 2, "stroke-dasharray": dash })) line.setAttribute(name, value);
  const shape = document.createElementNS(space, "path");
  for (const [name, value] of Object.entries({ d: SHAPES[look.symbol] || SHAPES.diamond, fill: look.colour, transform: "translate(9 0)" })) shape.setAttribute(name, value);
  picture.append(line, ...(look.symbol === "none" ? [] : [shape]));
  return picture;
}

const CLICK = "show or hide on all figures";

function drawLegends() {
  for (const legend of document.querySelectorAll("[data-legend]")) {
    const chips = data.arms.map((arm) => {
      const pressed = String(!switchedOff.has(arm.label));
      const chip = make("button", { type: "button", "aria-pressed": pressed, title: CLICK });
      chip.append(swatch(arm), arm.label);
      chip.addEventListener("click", () => {
        if (!switchedOff.delete(arm.label)) switchedOff.add(arm.label);
        const place = [...legend.children].indexOf(chip);
        drawAll();
        legend.children[place].focus();
      });
      return chip;
    });
    legend.replaceChildren(...chips);
  }
}

const task = () => (byId("task") ? byId("task").value : "");

function drawTask() {
  for (const part of document.querySelectorAll("[data-task]")) part.hidden = part.dataset.task !== task();
  if (!byId("plot-size") || !data.size[task()]) return;
  draw(byId("plot-size"), data.size[task()]);
  drawSeconds();
}

function drawSeconds() {
  const figures = data.seconds[task()];
  const chosen = figures.sizes.indexOf(byId("seconds-size").value);
  draw(byId("plot-seconds"), figures.figures[Math.max(0, chosen)]);
}

function chooseTask() {
  const figures = data.seconds[task()];
  if (figures) fillSelect(byId("seconds-size"), figures.sizes, figures.sizes[0]);
  drawTask();
  transferCurves.refresh();
}

// -- curves of single runs

function curvesView(name, rowsShown, preferred, colourOf) {
  const part = (suffix) => byId(`${name}-${suffix}`);
  const plot = byId(`plot-${name}s`);
  function refresh() {
    if (!plot) return;
    const rows = rowsShown();
    const metrics = [...new Set(rows.flatMap((row) => Object.keys(data.curves[row].metrics)))].sort();
    fillSelect(part("metric"), metrics, preferred(metrics));
    drawCurves(rows);
  }
  function drawCurves(rows) {
    const [metric, x] = [part("metric").value, part("x").value];
    const having = rows.filter((row) => data.curves[row].metrics[metric]);
    const drawn = having.slice(0, MOST_CURVES);
    const traces = drawn.map((row, number) => {
      const curve = data.curves[row];
      const points = curve.metrics[metric];
      const look = colourOf(row, number);
      const label = escapeText(`${data.runs.title[row]}`);
      return {
        type: "scatter", mode: points.y.length > 1 ? "lines" : "markers", name: look.label,
        x: points.at.map((at) => curve[x][at]), y: points.y,
        line: { color: look.colour, width: 1.5, dash: look.dash }, marker: { color: look.colour }, opacity: drawn.length > 12 ? 0.7 : 1,
        hovertemplate: `${label}<br>${escapeText(x)} %{x:.4g}: %{y:.4f}<extra></extra>`,
      };
    });
    const unit = { step: "optimizer step", seconds: "training seconds", tokens: "training tokens" }[x];
    const type = part("log").checked ? "log" : "linear";
    draw(plot, { data: traces, layout: { xaxis: { title: { text: unit }, type }, yaxis: { title: { text: escapeText(metric) } } } });
    if (part("runs")) {
      const chips = drawn.slice(0, 30).map((row, number) => make("span", { role: "listitem" }, swatch(colourOf(row, number)), data.runs.title[row]));
      part("runs").replaceChildren(...chips);
    }
    const cut = having.length > drawn.length ? `; the first ${drawn.length} of them are drawn, filter the table for others` : "";
    byId(`caption-${name}s`).textContent = `${metric || "No metric"} of ${having.length} single runs as recorded, thinned but not smoothed: no mean and no interval${cut}.`;
  }
  if (plot) for (const suffix of ["metric", "x", "log"]) part(suffix).addEventListener("change", () => drawCurves(rowsShown()));
  return { refresh };
}

const hasCurves = (row) => Object.keys(data.curves[row].metrics).length > 0;
const transferCurves = curvesView(
  "curve",
  () => table.shown().filter((row) => data.runs.arm[row] && data.runs.task[row] === task() && hasCurves(row)),
  (metrics) => metrics.find((name) => name === `dev/${data.metric[task()]}`) || metrics.find((name) => name.startsWith("dev/")),
  (row) => looks.get(data.runs.arm[row]),
);
const pretrainCurves = curvesView(
  "pretrain",
  () => table.shown().filter((row) => !data.runs.arm[row] && hasCurves(row)),
  (metrics) => ["bits_per_byte", "dev/loss", "loss"].map((word) => metrics.find((name) => name.includes(word))).find(Boolean),
  (row, number) => ({ label: data.runs.title[row], symbol: "none", colour: PALETTE[number % PALETTE.length], dash: ["solid", "dash", "dot"][Math.floor(number / PALETTE.length) % 3] }),
);

// -- table of runs

function matches(value, query) {
  const text = value === null ? "" : String(value).toLowerCase();
  const wanted = query.trim().toLowerCase();
  const comparison = wanted.match(/^(>=|<=|>|<)\s*(-?\d*\.?\d+(?:e[+-]?\d+)?)$/);
  if (comparison) {
    if (typeof value !== "number") return false;
    const bound = Number(comparison[2]);
    return { ">": value > bound, "<": value < bound, ">=": value >= bound, "<=": value <= bound }[comparison[1]];
  }
  if (wanted.startsWith("=")) return text === wanted.slice(1).trim() || (typeof value === "number" && value === Number(wanted.slice(1)));
  if (wanted.startsWith("!") && wanted.length > 1) return !text.includes(wanted.slice(1));
  return text.includes(wanted);
}

function compare(one, other) { // numbers, then words, then nothing: in both directions
  const kind = (value) => (value === null || value === "" ? 2 : typeof value === "number" ? 0 : 1);
  if (kind(one) !== kind(other)) return { order: kind(one) - kind(other), fixed: true };
  if (kind(one) === 0) return { order: one - other };
  return { order: String(one).localeCompare(String(other), undefined, { numeric: true }) };
}

function runTable(element) {
  const filters = new Map();
  let sorted = { column: null, direction: 1 };
  let order = data.runs.rows.map((_, row) => row);
  let lines = [];
  const columns = () => [...data.runs.columns, ...(byId("config-columns").checked ? data.runs.config_keys : [])];
  const base = data.runs.columns.length;
  const value = (row, column) => (column < base ? data.runs.rows[row][column] : data.runs.config[row][column - base]);
  const isShown = (row) => [...filters].every(([column, query]) => matches(value(row, column), query));
  const shown = () => order.filter(isShown);
  function shownText(one) {
    if (one === null) return "–";
    return typeof one === "number" && !Number.isInteger(one) ? String(Number(one.toPrecision(4))) : String(one);
  }
  function build() {
    const names = columns();
    const head = make("tr");
    names.forEach((name, column) => {
      const button = make("button", { type: "button", textContent: name });
      button.addEventListener("click", () => sort(column));
      const field = make("input", { type: "search", value: filters.get(column) || "", "aria-label": `filter ${name}` });
      field.addEventListener("input", () => {
        if (field.value.trim()) filters.set(column, field.value);
        else filters.delete(column);
        update();
      });
      head.append(make("th", { scope: "col" }, button, field));
    });
    lines = data.runs.rows.map((_, row) => {
      const line = make("tr", { className: data.runs.state[row] });
      names.forEach((_, column) => {
        const one = value(row, column);
        line.append(make("td", { textContent: shownText(one), title: one === null ? "" : String(one), className: typeof one === "number" ? "number" : "" }));
      });
      return line;
    });
    element.replaceChildren(make("thead", {}, head), make("tbody"));
    place();
  }
  function place() {
    element.tBodies[0].replaceChildren(...order.map((row) => lines[row]));
    [...element.tHead.rows[0].cells].forEach((cell, column) => {
      const here = column === sorted.column;
      cell.setAttribute("aria-sort", !here ? "none" : sorted.direction > 0 ? "ascending" : "descending");
      const button = cell.querySelector("button");
      button.textContent = columns()[column] + (!here ? "" : sorted.direction > 0 ? " ▲" : " ▼");
    });
    update();
  }
  function sort(column) {
    sorted = { column, direction: sorted.column === column ? -sorted.direction : 1 };
    order = data.runs.rows.map((_, row) => row).sort((one, other) => {
      const result = compare(value(one, column), value(other, column));
      return (result.fixed ? result.order : sorted.direction * result.order) || one - other;
    });
    place();
  }
  let timer = 0;
  function update() {
    let count = 0;
    for (const row of order) {
      lines[row].hidden = !isShown(row);
      count += !lines[row].hidden;
    }
    byId("run-count").textContent = `${count} of ${order.length} runs`;
    clearTimeout(timer);
    timer = setTimeout(() => { transferCurves.refresh(); pretrainCurves.refresh(); }, 150);
  }
  function clear() {
    filters.clear();
    build();
  }
  byId("clear").addEventListener("click", clear);
  byId("config-columns").addEventListener("change", () => {
    for (const column of filters.keys()) if (column >= base) filters.delete(column);
    if (sorted.column >= base) sorted = { column: null, direction: 1 };
    build();
  });
  return { build, shown };
}

// -- the whole

const table = runTable(byId("run-table"));

function drawAll() {
  drawLegends();
  drawTask();
  transferCurves.refresh();
  pretrainCurves.refresh();
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  drawAll();
}

byId("theme").addEventListener("click", () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
if (byId("task")) {
  byId("choose-task").hidden = data.tasks.length < 2;
  byId("task").addEventListener("change", chooseTask);
}
if (byId("seconds-size")) byId("seconds-size").addEventListener("change", drawSeconds);
if (data.seconds[task()]) fillSelect(byId("seconds-size"), data.seconds[task()].sizes, "");
document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
byId("curves").hidden = !data.runs.arm.some((label, row) => label && hasCurves(row));
table.build();
drawAll();
document.documentElement.dataset.ready = "true";
