"""summary.md: what the page says, for a README, a pull request or an e-mail."""

from collections.abc import Sequence
from dataclasses import replace

from thaw import __version__
from thaw.report.claims.verdict import Verdict
from thaw.report.collect import Study
from thaw.report.figures import Plot
from thaw.report.summary import counts
from thaw.report.tables.table import Table, markdown, paragraph, plain_lines
from thaw.track.plain import printable


def summary_text(
    study: Study,
    *,
    title: str,
    question: str,
    notes: Sequence[str],
    tables: Sequence[Table],
    verdicts: Sequence[Verdict] = (),
    plots: Sequence[Plot] = (),
    files: Sequence[str] = (),
) -> str:
    """Return the summary; ``files`` are the pictures beside it, as paths from there."""
    parts = [f"# {paragraph(question)}", paragraph(title)]
    if verdicts:
        parts.append("## Verdicts\n\n" + "".join(map(_verdict, verdicts)))
    if notes:
        parts.append("## Before you read on\n\n" + plain_lines(notes))
    if tables:
        parts.append("## Tables\n")
        parts += [markdown(table) for table in tables]
    if plots and files:
        parts.append("## Figures\n")
        parts += [_figure(plot, files) for plot in _first(plots)]
    parts.append("## Runs\n\n" + plain_lines(counts(study)))
    parts.append(paragraph(printable(f"Written by thaw {__version__} from {', '.join(map(str, study.folders))}")))
    return "\n".join(parts)


def _verdict(one: Verdict) -> str:
    return f"- **{paragraph(one.question).strip()} {one.word}.** {paragraph(f'{one.sentence} {one.settle}')}"


def _first(plots: Sequence[Plot]) -> list[Plot]:
    """Return one plot of each file: those that differ in their choice share one."""
    first = {(plot.key, plot.task): plot for plot in reversed(plots)}
    return list(reversed(first.values()))


def _figure(plot: Plot, files: Sequence[str]) -> str:
    name = f"figures/{replace(plot, choice='').name}.png"
    title = ", ".join(part for part in (plot.title, plot.task) if part)
    picture = f"![{paragraph(title).strip()}]({name})\n\n" if name in files else ""
    return f"{picture}{paragraph(f'{title}. {plot.caption}')}"
