"""Parts of the page as HTML text. Every text that comes from a run goes through ``escape``."""

from collections.abc import Mapping, Sequence
from html import escape

from thaw.report.cells import RULE, Cell
from thaw.report.collect import STATES, Study, size_key
from thaw.report.differences import differences
from thaw.report.palette import Look
from thaw.report.summary import NO_DIFFERENCE, remarks, score, signed

MOST_VALUES = 12  # of one config key


def facts(study: Study) -> str:
    """Return one line: how many runs in which state, when the last one changed."""
    states = ", ".join(f"{study.count(state)} {state}" for state in STATES if study.count(state))
    updated = max((run.updated for run in study.runs), default="")
    parts = [f"{len(study.runs)} runs ({states or 'none'})", f"{len(study.unreadable)} unreadable folders"]
    return "; ".join(parts) + (
        f"; last change {updated.replace('T', ' ').replace('+00:00', ' UTC')}" if updated else ""
    )


def note_list(lines: Sequence[str]) -> str:
    """Return what to be wary of, empty if there is nothing."""
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"""
<section class="notes" aria-labelledby="h-notes"><h2 id="h-notes">Before you read on</h2><ul>{items}</ul></section>"""


def comparison(cells: Sequence[Cell], looks: Mapping[str, Look]) -> str:
    """Return the headline tables, one a task, and the frames of the two figures."""
    if not cells:
        return ""
    tasks = sorted({cell.task for cell in cells})
    tables = "".join(_headline(task, [cell for cell in cells if cell.task == task], looks) for task in tasks)
    counts = sorted({cell.test.n for cell in cells if cell.test})
    n = f"n = {counts[0]}" if len(counts) == 1 else f"n = {counts[0]} to {counts[-1]}" if counts else "n = 0"
    return f"""
<section aria-labelledby="h-headline">
<h2 id="h-headline">Test score by strategy and number of labels</h2>
{tables}
</section>
<div class="pair">
<section aria-labelledby="h-size"><h2 id="h-size">Score against number of labels</h2>
<div class="choice"></div><div class="legend" data-legend></div>
<figure><div class="plot" id="plot-size"></div>
<figcaption>Mean test score over seeds ({n} a point); bars are 95% t-intervals over seeds, a hollow marker has one seed
and no interval. Points of one size are moved sideways a little so that the bars can be told apart.
</figcaption></figure>
</section>
<section aria-labelledby="h-seconds"><h2 id="h-seconds">Score against training time</h2>
<div class="choice"><label>Train size <select id="seconds-size"></select></label></div>
<div class="legend" data-legend></div>
<figure><div class="plot" id="plot-seconds"></div>
<figcaption>Best dev score so far, mean over seeds ({n}) with 95% t-interval as a band, against seconds of training:
evaluation and pretraining are not in it. A marker alone is a control without a curve, at its whole training time.
</figcaption></figure></section>
</div>"""


def _headline(task: str, cells: Sequence[Cell], looks: Mapping[str, Look]) -> str:
    sizes = sorted({cell.train_size for cell in cells}, key=size_key)
    arms = sorted({cell.arm for cell in cells}, key=lambda arm: arm.order)
    of_place = {(cell.arm, cell.train_size): cell for cell in cells}
    metric = next((cell.metric for cell in cells if cell.metric), "score")
    head = "".join(f'<th scope="col">{escape(str(size))} labels</th>' for size in sizes)
    rows = ""
    for arm in arms:
        swatch = f'<span class="swatch" style="background:{looks[arm.strategy].colour}"></span>'
        name = f'<span class="arm">{swatch}<span>{_breakable(arm.label)}</span></span>'
        row = "".join(_cell(of_place.get((arm, size))) for size in sizes)
        rows += f'<tr><th scope="row">{name}</th>{row}</tr>\n'
    chosen = f" {RULE}" if any(cell.trials > 1 for cell in cells) else ""
    caption = (
        f"Test {metric}: mean over n seeds and 95% t-interval. Δ: difference to scratch, paired by seed, with its 95% "
        f"t-interval; {NO_DIFFERENCE} the interval includes 0, or there is one seed only.{chosen}"
    )
    table = f"""<table class="headline"><thead><tr><th scope="col">strategy</th>{head}</tr></thead><tbody>
{rows}</tbody></table>"""
    return f"""<div data-task="{escape(task)}"><h3>{escape(task)}</h3>
{_scroll(f"Scores of {task}", table)}<p class="hint">{escape(caption)}</p></div>"""


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return '<td class="empty">–</td>'
    if cell.test is None:
        return f'<td class="empty">–<small>{escape(remarks(cell))}</small></td>'
    interval = f"[{score(cell.test.low)}, {score(cell.test.high)}] " if cell.test.low is not None else ""
    text = f'<span class="mean">{score(cell.test.mean)}</span><small>{interval}n = {cell.test.n}</small>'
    if cell.difference:
        text += f"<small>Δ {escape(signed(cell.difference))}</small>"
    if remarks(cell):
        text += f'<small class="choice-text">{escape(remarks(cell))}</small>'
    return f"<td>{text}</td>"


def pretraining(study: Study) -> str:
    """Return the frame of the pretraining curves, empty if no pretraining run is among the runs."""
    if not any(run["kind"] == "pretrain" and run.events for run in study.runs):
        return ""
    return """
<section aria-labelledby="h-pretrain"><h2 id="h-pretrain">Pretraining</h2>
<div class="choice"><label>Metric <select id="pretrain-metric"></select></label>
<label>Against <select id="pretrain-x"><option value="step">step</option>
<option value="seconds">training seconds</option><option value="tokens">tokens</option></select></label>
<label><input type="checkbox" id="pretrain-log"> log scale</label></div>
<div class="legend" id="pretrain-runs" role="list" aria-label="Runs drawn"></div>
<figure><div class="plot" id="plot-pretrains"></div>
<figcaption id="caption-pretrains" aria-live="polite"></figcaption></figure>
</section>"""


def difference_tables(study: Study) -> str:
    """Return the config keys that differ between runs, transfer and pretraining apart."""
    parts = ""
    groups = {"transfer runs and controls": True, "pretraining runs": False}
    for name, transfers in groups.items():
        runs = [run for run in study.runs if run.transfers == transfers]
        rows = ""
        for one in differences(runs):
            values = [f"<code>{escape(value)}</code> <span class='count'>({n})</span>" for value, n in one.values]
            more = f" and {len(values) - MOST_VALUES} more" if len(values) > MOST_VALUES else ""
            shown = ", ".join(values[:MOST_VALUES]) + more
            rows += f'<tr><th scope="row">{escape(one.key)}</th><td class="long">{shown}</td></tr>\n'
        if rows:
            table = _table(("setting", "values (number of runs)"), rows)
            parts += f"<h3>{len(runs)} {name}</h3>{_scroll(f'Settings of {name}', table)}"
    if not parts:
        return ""
    return f'<section aria-labelledby="h-differences"><h2 id="h-differences">Settings that differ</h2>{parts}</section>'


def problems(study: Study) -> str:
    """Return the runs that failed, stopped or collapsed and the folders that could not be read."""
    failed = [run for run in study.runs if run.state == "failed"]
    stopped = [run for run in study.runs if run.state in ("interrupted", "running")]
    collapsed = [run for run in study.runs if run.collapsed]
    parts = _list("Failed", [(str(run.folder), run.error or "no error text") for run in failed])
    parts += _list("Not finished", [(str(run.folder), run.state) for run in stopped])
    told = [(str(run.folder), f"{run['strategy']}, {run['task']}: dev {score(run['dev'])}") for run in collapsed]
    parts += _list("Collapsed: not above the majority class, counted in the means", told)
    parts += _list("Unreadable, left out", [(str(one.folder), one.reason) for one in study.unreadable])
    if not parts:
        parts = "<p>No run failed, stopped or collapsed; every folder could be read.</p>"
    head = '<h2 id="h-problems">Failed, collapsed, unreadable</h2>'
    return f'<section aria-labelledby="h-problems" id="problems">{head}{parts}</section>'


def _list(name: str, items: Sequence[tuple[str, str]]) -> str:
    if not items:
        return ""
    cells = [
        (f'<td class="long">{escape(folder)}</td>', f'<td class="long">{escape(text)}</td>') for folder, text in items
    ]
    rows = "".join(f"<tr>{folder}{text}</tr>\n" for folder, text in cells)
    return f"<h3>{escape(name)} ({len(items)})</h3>{_scroll(name, _table(('run folder', 'what happened'), rows))}"


def _breakable(label: str) -> str:
    """Return a name that may break after an underscore or a slash."""
    return escape(label).replace("_", "_<wbr>").replace("/", "/<wbr>")


def _table(columns: Sequence[str], rows: str) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _scroll(label: str, table: str) -> str:
    """Return a table in a frame that scrolls by itself, also by keyboard."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">{table}</div>'
