// Curves of single runs: those that the table of runs shows.
const PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8a8a8a", "#C9B500"];
const MOST_CURVES = 200;
const UNITS = { lr: "learning rate", "train/loss": "training loss (nats)", "dev/bits_per_byte": "held-out masked bits per normalised byte (one tokenizer)", "dev/word_bits_per_byte": "bits per raw byte of whole words (any tokenizer)", "dev/word_bits_error": "standard error of the bits of whole words", "dev/word_count_bits": "bits that the number of masks may give away" };
const metricTitle = (name) => escapeText(UNITS[name] || name);

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
    const stride = Math.ceil(having.length / MOST_CURVES);
    const drawn = having.filter((_, place) => place % stride === 0);
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
    draw(plot, { data: traces, layout: { xaxis: { title: { text: unit }, type }, yaxis: { title: { text: metricTitle(metric) } } } });
    if (part("runs")) {
      const chips = drawn.slice(0, 30).map((row, number) => make("span", { role: "listitem" }, swatch(colourOf(row, number)), data.runs.title[row]));
      part("runs").replaceChildren(...chips);
    }
    const cut = having.length > drawn.length ? `; ${drawn.length} of them are drawn, spread over all: filter the table for others` : "";
    byId(`caption-${name}s`).textContent = `${metric || "No metric"} of ${having.length} single ${having.length === 1 ? "run" : "runs"} as recorded, thinned but not smoothed: no mean and no interval${cut}.`;
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
