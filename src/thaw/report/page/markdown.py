"""summary.md: what the page says, for a README, a pull request or an e-mail."""

from collections.abc import Sequence

from thaw import __version__
from thaw.report.collect import Study
from thaw.report.figures import Plot
from thaw.report.summary import counts
from thaw.report.tables.table import Table, markdown, paragraph, plain_lines


def summary_text(
    study: Study,
    *,
    title: str,
    question: str,
    notes: Sequence[str],
    tables: Sequence[Table],
    plots: Sequence[Plot] = (),
    files: Sequence[str] = (),
) -> str:
    """Return the summary; ``files`` are the figures beside it."""
    parts = [f"# {paragraph(question)}", paragraph(title)]
    if notes:
        parts.append("## Before you read on\n\n" + plain_lines(notes))
    if tables:
        parts.append("## Tables\n")
        parts += [markdown(table) for table in tables]
    captions = {plot.title: plot.caption for plot in reversed(plots)}
    if files:
        links = "".join(f"- [{name}](figures/{name})\n" for name in files)
        parts.append("## Figures\n\n" + links)
    if captions:
        parts.append(plain_lines([f"{name}: {caption}" for name, caption in reversed(captions.items())]))
    parts.append("## Runs\n\n" + plain_lines(counts(study)))
    parts.append(paragraph(f"Written by thaw {__version__} from {', '.join(map(str, study.folders))}"))
    return "\n".join(parts)
