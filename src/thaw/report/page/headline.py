"""The headline tables: strategy by number of labels, mean and interval over seeds, difference to scratch."""

from collections.abc import Mapping, Sequence
from html import escape

from thaw.report.cells import DIVERGED, RULE, Cell
from thaw.report.collect import size_key
from thaw.report.page.table import breakable, scroll
from thaw.report.palette import Look
from thaw.report.statistics import FEWEST, SCORE_INTERVAL, within
from thaw.report.summary import NO_DIFFERENCE, remarks, score, signed


def headline(cells: Sequence[Cell], looks: Mapping[str, Look]) -> str:
    """Return the headline tables, one a task."""
    tasks = sorted({cell.task for cell in cells})
    return "".join(_headline(task, [cell for cell in cells if cell.task == task], looks) for task in tasks)


def _headline(task: str, cells: Sequence[Cell], looks: Mapping[str, Look]) -> str:
    sizes = sorted({cell.train_size for cell in cells}, key=size_key)
    arms = sorted({cell.arm for cell in cells}, key=lambda arm: arm.order)
    of_place = {(cell.arm, cell.train_size): cell for cell in cells}
    metric = next((cell.metric for cell in cells if cell.metric), "score")
    head = "".join(f'<th scope="col">{escape(str(size))} labels</th>' for size in sizes)
    rows = ""
    for arm in arms:
        swatch = f'<span class="swatch" style="background:{looks[arm.strategy].colour}"></span>'
        name = f'<span class="arm">{swatch}<span>{breakable(arm.label)}</span></span>'
        row = "".join(_cell(of_place.get((arm, size))) for size in sizes)
        rows += f'<tr><th scope="row">{name}</th>{row}</tr>\n'
    chosen = f" {RULE}" if any(cell.trials > 1 for cell in cells) else ""
    chosen += f" {DIVERGED}" if any(cell.diverged for cell in cells) else ""
    caption = (
        f"Test {metric}: mean over n seeds and {SCORE_INTERVAL}. Δ: difference to scratch, paired by seed, with its "
        f"95% t-interval; {NO_DIFFERENCE} the interval includes 0, or there are fewer than {FEWEST} seeds.{chosen}"
    )
    table = f"""<table class="headline"><thead><tr><th scope="col">strategy</th>{head}</tr></thead><tbody>
{rows}</tbody></table>"""
    return f"""<div data-task="{escape(task)}"><h3>{escape(task)}</h3>
{scroll(f"Scores of {task}", table)}<p class="hint">{escape(caption)}</p></div>"""


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return '<td class="empty">–</td>'
    if cell.test is None:
        return f'<td class="empty">–<small>{escape(remarks(cell))}</small></td>'
    interval = f"[{score(cell.test.low)}, {score(cell.test.high)}] " if cell.test.low is not None else ""
    text = f'<span class="mean">{score(cell.test.mean)}</span><small>{interval}n = {cell.test.n}</small>'
    if cell.difference:
        text += f"<small>Δ {escape(signed(within(cell.difference, cell.metric)))}</small>"
    if remarks(cell):
        text += f'<small class="choice-text">{escape(remarks(cell))}</small>'
    return f"<td>{text}</td>"
