"""The sections of the page as HTML text. Every text that comes from a run goes through ``escape``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from thaw.report.cells import Cell
from thaw.report.collect import STATES, Run, Study
from thaw.report.examples import Examples
from thaw.report.figures import Plot
from thaw.report.page.headline import headline
from thaw.report.page.table import scroll, table
from thaw.report.palette import Look
from thaw.report.progress import Progress
from thaw.report.tables import Table
from thaw.report.tables.pretrainings import pretraining_tables
from thaw.report.words import number

MOST_RUNNING = 8  # named on a watched page


@dataclass(frozen=True, kw_only=True)
class Section:
    """A question of the page and the kinds of figures that answer it; those of ``wide`` take the whole width."""

    name: str
    title: str
    lead: str
    keys: tuple[str, ...]
    wide: tuple[str, ...] = ()


SECTIONS = (
    Section(
        name="labels",
        title="Does it need fewer labels?",
        lead="How the test score grows with the number of labelled examples, and what a label is worth.",
        keys=("size", "exchange"),
    ),
    Section(
        name="time",
        title="Does it save training time?",
        lead="How the score grows with the time spent, how long it takes to get as far as scratch gets, what it costs.",
        keys=("seconds", "pareto", "survival", "breakeven"),
    ),
    Section(
        name="accuracy",
        title="Does it improve accuracy?",
        lead="Every seed on its own, then all tasks together, each strategy against the others.",
        keys=("seeds", "against", "better", "profile", "iqm"),
        wide=("seeds",),
    ),
    Section(
        name="method",
        title="How was it done?",
        lead="What each strategy does with the pretrained network, how it was tuned, and what it all cost.",
        keys=("timeline", "dose", "surface", "tuning", "cost"),
        wide=("timeline",),
    ),
)


def facts(study: Study) -> str:
    """Return one line: how many runs in which state, when the last one changed."""
    states = ", ".join(f"{study.count(state)} {state}" for state in STATES if study.count(state))
    updated = max((run.updated for run in study.runs), default="")
    parts = [
        f"{number(len(study.runs), 'run')} ({states or 'none'})",
        number(len(study.unreadable), "unreadable folder"),
    ]
    return "; ".join(parts) + (
        f"; last change {updated.replace('T', ' ').replace('+00:00', ' UTC')}" if updated else ""
    )


def live(found: Progress | None) -> str:
    """Return how far the runs have come, empty for a page that is not watched."""
    if found is None:
        return ""
    counts = {"finished": found.finished, "failed": found.failed, "interrupted": found.interrupted}
    counts |= {"running": len(found.running), "left": found.left}
    total = max(1, sum(counts.values()))
    shown = {name: n for name, n in counts.items() if n or name in ("running", "left")}
    bar = "".join(f'<span class="{name}" style="width:{100 * n / total:.2f}%"></span>' for name, n in shown.items())
    words = ", ".join(f"<b>{n}</b> {name}" for name, n in shown.items())
    running = "".join(f"<li>{escape(_running(run))}</li>" for run in found.running[:MOST_RUNNING])
    return f"""<section class="live" aria-label="Progress" role="status">
<p>{words}{"" if found.going else ". Nothing runs any more."}</p><div class="progress" aria-hidden="true">{bar}</div>
<ul>{running}</ul></section>"""


def _running(run: Run) -> str:
    last = next((event for event in reversed(run.events) if "step" in event), {})
    what = ", ".join(str(run[name]) for name in ("task", "strategy") if run[name]) or str(run["kind"])
    size = f", {run['train_size']} labels" if run["train_size"] else ""
    step = f": step {last['step']}, {last.get('seconds') or 0:.0f} s" if last else ": beginning"
    return f"{what}{size}, seed {run['seed']}{step}"


def note_list(lines: Sequence[str]) -> str:
    """Return what to be wary of, empty if there is nothing."""
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"""
<section class="notes" aria-labelledby="h-notes"><h2 id="h-notes">Before you read on</h2><ul>{items}</ul></section>"""


def comparison(
    cells: Sequence[Cell],
    looks: Mapping[str, Look],
    plots: Sequence[Plot],
    tables: Sequence[Table],
    sentences: Mapping[str, Sequence[str]],
) -> str:
    """Return the headline tables and the frames of all figures; ``sentences`` stand for figures a section has not."""
    if not cells:
        return ""
    parts = f"""
<section aria-labelledby="h-headline" id="scores"><h2 id="h-headline">Test score by strategy and number of labels</h2>
{headline(cells, looks)}</section>"""
    return (
        parts
        + "".join(_section(section, plots, sentences.get(section.name, ())) for section in SECTIONS)
        + "".join(map(_numbers, tables))
    )


def _numbers(found: Table) -> str:
    """Return a table of a claim, closed until asked for: its figure stands above."""
    rows = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f'<td class="{"number" if i else ""}">{escape(cell)}</td>' for i, cell in enumerate(row[1:]))
        + "</tr>"
        for row in found.rows
    )
    shown = scroll(found.title, table(found.columns, rows))
    summary = f"<summary>{escape(found.title)}, in numbers</summary>"
    return f"""
<details class="reading" id="table-{escape(found.file_name)}">{summary}{shown}
<p class="hint">{escape(found.caption)}</p></details>"""


def _section(section: Section, plots: Sequence[Plot], sentences: Sequence[str]) -> str:
    """Return a section with a frame for each kind of figure there is, empty if there is none."""
    first = {plot.key: plot for plot in reversed(plots)}
    keys = [key for key in section.keys if key in first]
    if not keys:
        return ""
    frames = "".join(frame(first[key], key in section.wide) for key in keys)
    lines = "".join(f'<p class="hint">{escape(line)}</p>' for line in sentences)
    return f"""
<section aria-labelledby="h-{section.name}" id="{section.name}"><h2 id="h-{section.name}">{escape(section.title)}</h2>
<p class="lead">{escape(section.lead)}</p><div class="grid">{frames}</div>{lines}</section>"""


def frame(plot: Plot, wide: bool) -> str:
    """Return the frame that figures.js fills with the figures of one kind."""
    key = escape(plot.key)
    return f"""
<figure data-key="{key}"{' class="wide"' if wide else ""}>
<div class="top"><h3>{escape(plot.title)}</h3>
<label hidden>{escape(plot.choices or "Show")} <select id="{key}-choice"></select></label></div>
<div class="plot" id="plot-{key}" role="img" aria-label="{escape(plot.title)}"></div>
<figcaption aria-live="polite"></figcaption></figure>"""


def pretraining(study: Study) -> str:
    """Return the frame of the pretraining curves, empty if no pretraining run is among the runs."""
    if not any(run["kind"] == "pretrain" and run.events for run in study.runs):
        return ""
    tables = "".join(map(_numbers, pretraining_tables(study)))
    return f"""
<section aria-labelledby="h-pretrain"><h2 id="h-pretrain">Pretraining</h2>
<div class="choice"><label>Metric <select id="pretrain-metric"></select></label>
<label>Against <select id="pretrain-x"><option value="step">step</option>
<option value="seconds">training seconds</option><option value="tokens">tokens</option></select></label>
<label><input type="checkbox" id="pretrain-log"> log scale</label></div>
<div class="legend" id="pretrain-runs" role="list" aria-label="Runs drawn"></div>
<figure><div class="plot" id="plot-pretrains"></div>
<figcaption id="caption-pretrains" aria-live="polite"></figcaption></figure>{tables}
</section>"""


def examples(found: Sequence[Examples]) -> str:
    """Return the frame of the examples on which two strategies differ, empty if no run recorded labels."""
    if not found:
        return ""
    return """
<section aria-labelledby="h-examples" id="examples"><h2 id="h-examples">Examples, side by side</h2>
<p class="lead">The same test texts under two strategies: who is right where.</p>
<div class="choice"><label>Left <select id="example-left"></select></label>
<label>Right <select id="example-right"></select></label>
<label>Show <select id="example-kind"></select></label></div>
<p class="hint" id="example-count" role="status"></p>
<div class="scroll" tabindex="0" role="region" aria-label="Examples"><table id="example-table"></table></div>
</section>"""
