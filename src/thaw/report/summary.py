"""A sweep in the terminal: strategy x train size, mean and interval over seeds, difference to scratch, counts."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from thaw.report.cells import Cell, cells
from thaw.report.collect import STATES, Study, read
from thaw.report.comparable import comparable
from thaw.report.odd import made_of
from thaw.report.pretrainings import WORDS, measure_name, pretraining_notes
from thaw.report.statistics import FEWEST, SCORE_INTERVAL, Estimate, within
from thaw.report.words import number
from thaw.track.plain import printable

NO_DIFFERENCE = "·"  # beside a difference whose interval includes 0


def show(*folders: str | Path, console: Console | None = None) -> Study:
    """Print the summary of the runs under ``folders`` and return what was read, such as for ``.count("failed")``."""
    study = read(*folders)
    (console or terminal()).print(made_of(study, summary))
    return study


def terminal() -> Console:
    """Return a console; where the output is no terminal it is wide, so that no line of a table is cut."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=200)


def summary(study: Study) -> Group:
    """Return the summary of a study: what may not be compared, text tables, one a task, lines that count runs."""
    found = cells(study)
    told = comparable(study, found)
    parts: list[Table | Text] = [*(Text(printable(line)) for line in told), *([Text("")] if told else [])]
    for task in dict.fromkeys(cell.task for cell in found):
        parts += [_table(task, [cell for cell in found if cell.task == task]), Text("")]
    pretraining = [run for run in study.runs if run["kind"] == "pretrain"]
    for run in pretraining:
        text = f"pretrained {run['run_id']}: {measure_name(run['metric'] or 'dev')} {score(run['dev'])}, "
        text += f"{measure_name(WORDS)} {score(run[WORDS])}, " if run[WORDS] is not None else ""
        text += run.state
        parts.append(Text(text + (f", {run['train_seconds']:.0f} s" if run["train_seconds"] else "")))
    parts += [Text(line) for line in (*pretraining_notes(study), *counts(study))]
    return Group(*parts)


def counts(study: Study) -> list[str]:
    """Return the lines that say how many runs there are in which state, and the errors of those that failed."""
    states = [f"{study.count(state)} {state}" for state in STATES if study.count(state)]
    collapsed, diverged = sum(run.collapsed for run in study.runs), sum(run.diverged for run in study.runs)
    line = f"{number(len(study.runs), 'run')}: {', '.join(states) or 'none'}"
    line += f"; {diverged} of the failed ones diverged" if diverged else ""
    lines = [line + (f"; {collapsed} collapsed, counted in the means" if collapsed else "")]
    lines += [f"failed: {run.folder}: {first_line(run.error)}" for run in study.runs if run.state == "failed"]
    lines += [f"left out, unreadable: {one.folder}: {one.reason}" for one in study.unreadable]
    return [printable(line) for line in lines]


def first_line(error: str | None) -> str:
    """Return the first line of an error text."""
    line = (error or "no error text").strip().split("\n", 1)[0]
    return "".join(letter if letter.isprintable() else " " for letter in line)


def score(value: float | None) -> str:
    """Return a fraction with three decimals, a dash for none."""
    return "–" if value is None else f"{value:.3f}"


def spread(one: Estimate) -> str:
    """Return the mean with its interval: ``0.873 [0.851, 0.895]``; of scores it is that of `score_interval`."""
    return score(one.mean) + (f" [{score(one.low)}, {score(one.high)}]" if one.low is not None else "")


def signed(one: Estimate) -> str:
    """Return a difference with its sign, its interval and the mark of an interval that includes 0 or is unknown.

    Two seeds have no interval to believe, nor have equal values: "+0.019 (n = 2: no test) ·".
    """
    text = f"{one.mean:+.3f}"
    if not one.tested:
        text += f" (n = {one.n}: no {'test' if one.n < FEWEST else 'spread'})"
    else:
        text += f" [{one.low:+.3f}, {one.high:+.3f}]"
    return text if one.excludes_zero else f"{text} {NO_DIFFERENCE}"


def _table(task: str, members: Sequence[Cell]) -> Table:
    metric = next((cell.metric for cell in members if cell.metric), "score")
    scored = any(cell.test for cell in members)
    title = f"{task}: test {metric}, mean [{SCORE_INTERVAL} over seeds]" if scored else f"{task}: dev {metric} only"
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.title, table.title_justify, table.title_style = Text(title), "left", "bold"
    for name in ("train size", "strategy"):
        table.add_column(name)
    for name in ("test", "n", "minus scratch, same seeds", "dev", "seconds"):
        table.add_column(name, justify="right" if name in ("n", "dev", "seconds") else "left")
    table.add_column("remarks")
    last = None
    for cell in members:
        size = str(cell.train_size) if cell.train_size != last else ""
        last = cell.train_size
        seconds = [run["train_seconds"] for run in cell.runs if run["train_seconds"] is not None]
        table.add_row(
            size,
            Text(cell.arm.label),
            spread(cell.test) if cell.test else "–",
            str(cell.test.n if cell.test else 0),
            signed(within(cell.difference, cell.metric)) if cell.difference else "",
            score(cell.dev.mean if cell.dev else None),
            f"{sum(seconds) / len(seconds):.1f}" if seconds else "–",
            Text(remarks(cell)),
        )
    table.caption = Text(
        f"{NO_DIFFERENCE} the interval of the difference includes 0, or there are fewer than {FEWEST} seeds"
    )
    table.caption_justify = "left"
    return table


def remarks(cell: Cell) -> str:
    """Return what a reader must know of a cell beside its numbers, empty if nothing."""
    counted = [(cell.failed, "failed"), (cell.unfinished, "not finished"), (cell.collapsed, "collapsed")]
    counted += [(cell.unknown, "diverged, left out: the majority answer is not known")]
    counted += [(cell.unscored, "without a defined score"), (cell.repeated, "repeated, newest taken")]
    words = [f"{cell.divergence} diverged, scored as the majority answer"] if cell.diverged else []
    if cell.diverged and cell.survivors:
        words.append(f"finished runs alone {spread(cell.survivors)}, n = {cell.survivors.n}")
    if cell.arm.crossed:
        words.append(f"a seed is the mean of its pretrainings, {len(cell.by_pretraining)} of one recipe")
    words += [f"{n} {word}" for n, word in counted if n]
    return "; ".join(words + ([cell.choice] if cell.choice else []))
