// Figures: each frame shows the one figure of its kind that fits the chosen task and its own choice.
const switchedOff = new Set(); // labels of arms
const looks = new Map(data.arms.map((arm) => [arm.label, arm]));
const task = () => (byId("task") ? byId("task").value : "");

// "@ink" in a figure is the colour --ink of the theme
function themed(value, colour) {
  if (typeof value === "string") return value.startsWith("@") ? colour(value.slice(1)) : value;
  if (Array.isArray(value)) return typeof value[0] === "number" ? value : value.map((one) => themed(one, colour));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, themed(one, colour)]));
}

function draw(element, figure) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const axis = { gridcolor: colour("grid"), linecolor: colour("line"), tickcolor: colour("line"), zeroline: false, automargin: true, ticks: "outside" };
  const small = element.closest(".card") !== null;
  const narrow = element.clientWidth < 480;
  const layout = themed(figure.layout, colour);
  const axes = Object.fromEntries(Object.entries(layout).filter(([name]) => /^[xy]axis\d*$/.test(name)).map(([name, one]) => [name, { ...axis, ...one }]));
  const complete = {
    showlegend: false,
    hovermode: "closest",
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("ink"), family: getComputedStyle(document.body).fontFamily, size: narrow || small ? 11.5 : 13 },
    margin: { l: narrow ? 40 : 52, r: 12, t: 12, b: 44 },
    dragmode: small || window.innerWidth < 700 ? false : "zoom", // a finger scrolls the page
    hoverlabel: { bgcolor: colour("panel"), font: { color: colour("ink") }, bordercolor: colour("line") },
    ...layout,
    ...axes,
  };
  element.style.height = layout.height ? `${layout.height}px` : "";
  const traces = figure.data.filter((trace) => !switchedOff.has(trace.name)).map((trace) => themed(trace, colour));
  const config = { responsive: true, displaylogo: false, displayModeBar: small ? false : "hover", modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
  Plotly.react(element, traces, complete, config);
}

const frames = [...document.querySelectorAll("figure[data-key]")].map((element) => {
  const select = element.querySelector("select");
  const found = () => data.plots.filter((one) => one.key === element.dataset.key && (one.task === "" || one.task === task()));
  function refresh() {
    const fitting = found();
    const choices = fitting.map((one) => one.choice);
    if (!fitting.length) return;
    fillSelect(select, choices, choices[0]);
    select.parentElement.hidden = choices.length < 2;
    const plot = fitting[Math.max(0, choices.indexOf(select.value))];
    element.querySelector("figcaption").textContent = plot.caption;
    draw(element.querySelector(".plot"), plot.figure);
  }
  select.addEventListener("change", refresh);
  return { element, refresh, fits: () => found().length > 0 };
});

function drawFrames() {
  for (const { element, fits } of frames) element.hidden = !fits();
  for (const grid of document.querySelectorAll(".grid")) { // no figure stands alone beside a hole
    const narrow = [...grid.children].filter((one) => !one.hidden && !one.classList.contains("wide"));
    narrow.forEach((one, place) => one.classList.toggle("alone", place === 0 && narrow.length % 2 === 1));
  }
  for (const { refresh } of frames) refresh();
}

// -- legend

const SHAPES = {
  square: "M2 2h8v8h-8z", circle: "M6 1.5a4.5 4.5 0 1 0 .01 0z", diamond: "M6 0l6 6-6 6-6-6z",
  "triangle-up": "M6 1l6 10H0z", "triangle-down": "M6 11L0 1h12z", pentagon: "M6 0l6 4.5-2.3 7H2.3L0 4.5z",
  star: "M6 0l1.6 4.2L12 4.5 8.6 7.3 9.7 11.7 6 9.3 2.3 11.7 3.4 7.3 0 4.5 4.4 4.2z",
  hexagon: "M6 0l5.2 3v6L6 12 .8 9V3z", cross: "M4 0h4v4h4v4H8v4H4V8H0V4h4z",
  x: "M2.5 0L6 3.5 9.5 0 12 2.5 8.5 6 12 9.5 9.5 12 6 8.5 2.5 12 0 9.5 3.5 6 0 2.5z",
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

function drawLegend() {
  const legend = byId("legend");
  if (!legend) return;
  const chips = data.arms.filter((arm) => arm.shown).map((arm) => {
    const chip = make("button", { type: "button", "aria-pressed": String(!switchedOff.has(arm.label)), title: "show or hide on all figures" });
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
