"""What differs between runs, and what went wrong, as tables."""

from collections.abc import Sequence
from html import escape

from thaw.report.collect import Study
from thaw.report.differences import differences, machines
from thaw.report.page.table import scroll, table
from thaw.report.summary import score

MOST_VALUES = 12  # of one config key


def difference_tables(study: Study) -> str:
    """Return the config keys, machines and versions that differ between runs, transfer and pretraining apart."""
    parts = ""
    groups = {"transfer runs and controls": True, "pretraining runs": False}
    for name, transfers in groups.items():
        runs = [run for run in study.runs if run.transfers == transfers]
        rows = ""
        for one in (*differences(runs), *machines(runs)):
            values = [f"<code>{escape(value)}</code> <span class='count'>({n})</span>" for value, n in one.values]
            more = f" and {len(values) - MOST_VALUES} more" if len(values) > MOST_VALUES else ""
            shown = ", ".join(values[:MOST_VALUES]) + more
            rows += f'<tr><th scope="row">{escape(one.key)}</th><td class="long">{shown}</td></tr>\n'
        if rows:
            listing = table(("setting", "values (number of runs)"), rows)
            parts += f"<h3>{name.capitalize()} ({len(runs)})</h3>{scroll(f'Settings of {name}', listing)}"
    if not parts:
        return ""
    return f'<section aria-labelledby="h-differences"><h2 id="h-differences">Settings that differ</h2>{parts}</section>'


def problems(study: Study) -> str:
    """Return the runs that failed, stopped or collapsed and the folders that could not be read."""
    failed = [run for run in study.runs if run.state == "failed" and not run.diverged]
    diverged = [run for run in study.runs if run.diverged]
    aside = [run for run in study.runs if run.aside]
    stopped = [run for run in study.runs if run.state in ("interrupted", "running")]
    collapsed = [run for run in study.runs if run.collapsed]
    parts = _list("Failed", [(run.place, run.error or "no error text") for run in failed])
    parts += _list("Diverged", [(run.place, run.error or "no error text") for run in diverged])
    parts += _list("Not finished", [(run.place, run.state) for run in stopped])
    told = [(run.place, f"{run['strategy']}, {run['task']}: dev {score(run['dev'])}") for run in collapsed]
    parts += _list("Collapsed: not above the majority class, counted in the means", told)
    parts += _list("In no table", [(run.place, f"{run.own_task}: {run.aside}") for run in aside])
    parts += _list("Unreadable, left out", [(one.place, one.reason) for one in study.unreadable])
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
    return f"<h3>{escape(name)} ({len(items)})</h3>{scroll(name, table(('run folder', 'what happened'), rows))}"
