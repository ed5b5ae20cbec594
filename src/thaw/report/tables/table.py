"""A table as text, and how it is written in Markdown and LaTeX (booktabs)."""

from collections.abc import Sequence
from dataclasses import dataclass

from thaw.report.file_names import file_name

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "–": "--",
    "—": "---",
    "·": r"$\cdot$",
    "Δ": r"$\Delta$",
    "×": r"$\times$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "∞": r"$\infty$",
    "−": "$-$",
    "…": r"\dots{}",
} | {letter: f"\\{letter}" for letter in "&%$#_{}"}


@dataclass(frozen=True, kw_only=True)
class Table:
    """Text cells; the first column names the row."""

    name: str  # of its file
    title: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def file_name(self) -> str:
        """A name for files and labels, its own whatever the task is called."""
        return file_name(self.name)


def markdown(table: Table) -> str:
    """Return a table in Markdown with its title and caption."""
    lines = [table.columns, tuple("---" for _ in table.columns), *table.rows]
    body = "\n".join("| " + " | ".join(_markdown(cell) for cell in line) + " |" for line in lines)
    return f"### {_markdown(table.title)}\n\n{body}\n\n{_markdown(table.caption)}\n"


def latex(table: Table) -> str:
    """Return a table as a LaTeX ``table`` that needs the package booktabs."""
    head = " & ".join(rf"\textbf{{{latex_text(name)}}}" for name in table.columns)
    body = "\n".join(" & ".join([_first(row[0]), *map(latex_text, row[1:])]) + r" \\" for row in table.rows)
    return rf"""% {" ".join(table.title.split())}; needs \usepackage{{booktabs}}
\begin{{table}}
\centering
\caption{{{latex_text(table.title)}. {latex_text(table.caption)}}}
\label{{tab:{table.file_name}}}
\begin{{tabular}}{{l{"r" * (len(table.columns) - 1)}}}
\toprule
{head} \\
\midrule
{body}
\bottomrule
\end{{tabular}}
\end{{table}}
"""


def _first(text: str) -> str:
    """Return the first cell of a row: after ``\\\\`` a bracket or star would be taken for its argument."""
    return f"{{}}{latex_text(text)}" if text.strip()[:1] in ("[", "*") else latex_text(text)


def latex_text(text: str) -> str:
    """Return a text as LaTeX shows it."""
    return "".join(_LATEX.get(letter, letter) for letter in " ".join(text.split()))


def _markdown(text: str) -> str:
    """Return a text that no name in it can turn into markup."""
    text = " ".join(text.split()).replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;")
    for letter in "|`*_[]":
        text = text.replace(letter, f"\\{letter}")
    return text


def plain_lines(lines: Sequence[str]) -> str:
    """Return lines of text as a Markdown list."""
    return "".join(f"- {_markdown(line)}\n" for line in lines)


def paragraph(text: str) -> str:
    """Return a text as a Markdown paragraph."""
    return _markdown(text) + "\n"
