"""The folder of a comparison of two studies: page, data, summary, tables, pictures."""

import html
from pathlib import Path

from thaw import __version__
from thaw.report.arms import arms
from thaw.report.cells import cells
from thaw.report.collect import STATES, Study, together
from thaw.report.comparable import data_sets
from thaw.report.compare.changes import Change, changes, settings
from thaw.report.compare.figure import differences
from thaw.report.compare.table import change_tables, setting_table
from thaw.report.figures import Plot, Style
from thaw.report.odd import made_of
from thaw.report.out import Out
from thaw.report.page.document import arm_looks
from thaw.report.page.record import as_json, simple
from thaw.report.page.sections import frame, note_list
from thaw.report.page.shell import asset, shell
from thaw.report.page.table import scroll, table
from thaw.report.statistics import FEWEST
from thaw.report.tables.table import Table, latex, markdown, paragraph, plain_lines
from thaw.report.words import are, number


def write(
    first: Study,
    second: Study,
    out: str | Path,
    *,
    names: tuple[str, str],
    title: str | None = None,
    question: str | None = None,
    pictures: bool = True,
    force: bool = False,
) -> Path:
    """Write index.html, report.json, summary.md, tables and figures to ``out``; return the path of the page.

    Files that no report wrote stay; ConfigError where one of them has a name of ours, unless ``force`` overwrites it.
    """
    from thaw.report.picture.save import drawn
    from thaw.report.picture.save import names as picture_names

    to = Out(out, force=force)
    names = _short(names)
    title = title or f"{names[1]} against {names[0]}"
    question = question or f"What is different in {names[1]}, compared with {names[0]}?"
    first, second = together(*(made_of(study, _counted) for study in (first, second)))
    found, keys = changes(first, second), settings(first, second)
    style = Style.of(arm for arm in {**arms(first.runs), **arms(second.runs)}.values())
    tasks = sorted({one.task for one in found})
    plots = [differences([one for one in found if one.task == task], len(found), names, style) for task in tasks]
    tables = change_tables(found, names)
    changed = setting_table(keys, names)
    lines = [*_answer(found), *_notes(first, second, found)]
    data = {"format": 1, "title": title, "first": names[0], "second": names[1], "thaw_version": __version__}
    data |= {"changes": simple(found), "settings": simple(keys), "notes": lines}
    shown = [*tables, *([changed] if changed else [])]
    summary = [f"# {paragraph(question)}", plain_lines(lines), *(markdown(one) for one in shown)]
    files = {"index.html": _page(first, second, found, plots, tables, changed, style, title, question)}
    files |= {"report.json": as_json(data) + "\n", "summary.md": "\n".join(summary)}
    files |= {f"tables/{one.file_name}.tex": latex(one) for one in shown}
    to.refuse([*files, *(picture_names(plots) if pictures else [])])
    to.write("page", files)
    if pictures:
        to.write("pictures", drawn(plots, to))
    return to.folder / "index.html"


def _counted(study: Study) -> Study:
    """Return a study that can be counted: an odd run makes that fail, and is left out then."""
    cells(study)
    return study


def _page(
    first: Study,
    second: Study,
    found: list[Change],
    plots: list[Plot],
    tables: list[Table],
    changed: Table | None,
    style: Style,
    title: str,
    question: str,
) -> str:
    shown = {one.arm for one in found}
    answer = _answer(found)
    figures = f'<section><div class="grid">{frame(plots[0], wide=True)}</div></section>' if plots else ""
    settings = _html(changed, None) if changed else "<p>No setting of the transfer runs changed.</p>"
    return shell(
        title=title,
        question=question,
        facts=f"{_counts(first)} in the first study, {_counts(second)} in the second",
        tasks=sorted({one.task for one in found}),
        above=f"""
<section aria-labelledby="h-answer" class="answer"><h2 id="h-answer">{html.escape(answer[0])}</h2>
<p class="lead">{html.escape(" ".join(answer[1:]))}</p></section>{note_list(_notes(first, second, found))}""",
        below="\n".join([figures, *(_html(one, one.name.removeprefix("changes-")) for one in tables), settings]),
        data={
            "plots": [vars(plot) for plot in plots],
            "arms": [one for one in arm_looks(style, shown) if one["shown"]],
        },
        scripts=[asset("compare.js", "thaw.report.compare")],
        footer=f"Written by thaw {__version__}",
    )


def _html(one: Table, task: str | None) -> str:
    rows = "".join(
        f'<tr><th scope="row">{html.escape(row[0])}</th>'
        + "".join(f'<td class="{"long" if task is None else "number"}">{html.escape(cell)}</td>' for cell in row[1:])
        + "</tr>"
        for row in one.rows
    )
    mark = f' data-task="{html.escape(task)}"' if task is not None else ""
    return f"""<section{mark}><h2>{html.escape(one.title)}</h2>{scroll(one.title, table(one.columns, rows))}
<p class="hint">{html.escape(one.caption)}</p></section>"""


def _answer(found: list[Change]) -> list[str]:
    """Return in words how many differences are real, and which are the largest."""
    if not found:
        return ["Nothing to compare: no task, strategy and train size is in both studies."]
    real = [one for one in found if one.real]
    verb = "is" if len(real) == 1 else "are"
    tested = sum(one.tested for one in found)
    if not tested:
        return [
            f"No difference in test score can be tested: all {len(found)} have fewer than {FEWEST} seeds, or no spread."
        ]
    lines = [f"{len(real)} of {tested} differences in test score {verb} real (Holm over all of them, 5 %)."]
    if tested < len(found):
        lines.append(f"{len(found) - tested} more can not be tested: fewer than {FEWEST} seeds, or no spread.")
    if real:
        better = [one for one in real if one.difference.mean > 0]
        lines.append(f"Gains: {len(better)}, losses: {len(real) - len(better)}.")
        most = max(real, key=lambda one: abs(one.difference.mean))
        lines.append(f"The largest: {most.label} on {most.task}, {most.size} labels, {most.difference.mean:+.3f}.")
    return lines


def _notes(first: Study, second: Study, found: list[Change]) -> list[str]:
    lines = list(data_sets([run for study in (first, second) for run in study.runs if run.transfers]))
    alone = [one for one in found if one.tested and not one.pairs]
    if alone:
        lines.append(
            f"{len(alone)} of {len(found)} cells do not pair (other seeds, subsets or test texts): Welch's test."
        )
    if without := [one for one in found if one.tested and not one.texts]:
        lines.append(f"{len(without)} intervals do not hold the error of the test texts: no predictions of both sides.")
    few = [one for one in found if one.difference.n < 5]
    if few:
        lines.append(f"{len(few)} cells have fewer than 5 seeds: only large differences can be seen there.")
    for name, study in (("first", first), ("second", second)):
        missing = study.count("failed") + study.count("interrupted") + study.count("running")
        if missing:
            lines.append(f"{number(missing, 'run')} of the {name} study failed or {are(missing)} not finished.")
    return lines


def _counts(study: Study) -> str:
    states = ", ".join(f"{study.count(state)} {state}" for state in STATES if study.count(state))
    return f"{number(len(study.runs), 'run')} ({states or 'none'})"


def _short(names: tuple[str, str]) -> tuple[str, str]:
    """Return the last parts of two paths, more of them where those are equal."""
    one, other = (Path(name.rstrip("/")).parts or (name,) for name in names)
    for length in range(1, max(len(one), len(other)) + 1):
        first, second = "/".join(one[-length:]), "/".join(other[-length:])
        if first != second:
            return first, second
    return f"{names[0]} (1)", f"{names[1]} (2)"
