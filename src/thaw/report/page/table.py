"""A table in HTML, in a frame that scrolls by itself."""

from collections.abc import Sequence
from html import escape


def table(columns: Sequence[str], rows: str) -> str:
    """Return a table; ``rows`` is HTML, the names of the columns are text."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def scroll(label: str, content: str) -> str:
    """Return a table in a frame that scrolls by itself, also by keyboard."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">{content}</div>'


def breakable(label: str) -> str:
    """Return a name that may break after an underscore or a slash."""
    return escape(label).replace("_", "_<wbr>").replace("/", "/<wbr>")
