"""plotly's words -> matplotlib's: symbols, dashes, colours of the light theme, texts."""

import html
import re
from typing import Any

LIGHT = {"ink": "#1b1f24", "quiet": "#59626d", "line": "#c4cad1", "grid": "#e6e9ed", "paper": "#ffffff"}
LIGHT |= {"panel": "#f5f6f8", "yes": "#00664a", "no": "#8f3a00", "open": "#4a5560"}
SYMBOLS = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "triangle-up": "^",
    "triangle-down": "v",
    "triangle-left": "<",
    "triangle-right": ">",
    "pentagon": "p",
    "star": "*",
    "hexagon": "h",
    "hexagram": "*",
    "cross": "P",
    "x": "X",
    "x-thin": "x",
    "line-ew": "_",
    "line-ns": "|",
    "star-diamond": "d",
    "star-square": "8",
}
DASHES: dict[str, Any] = {
    "solid": "-",
    "dot": (0, (1, 1.6)),
    "dash": (0, (5, 2.5)),
    "longdash": (0, (8, 3)),
    "dashdot": (0, (5, 2, 1, 2)),
    "longdashdot": (0, (8, 2, 1, 2)),
}


def colour(value: Any) -> Any:
    """Return a colour of a figure; ``@ink`` and kin are those of the light theme."""
    if isinstance(value, list):
        return [colour(one) for one in value]
    if isinstance(value, str) and value.startswith("@"):
        return LIGHT[value[1:]]
    return value


def symbol(name: str) -> tuple[str, bool]:
    """Return a marker and whether it is hollow."""
    hollow = name.endswith("-open")
    return SYMBOLS.get(name.removesuffix("-open"), "d"), hollow


def words(text: Any) -> str:
    """Return a text of plotly without its tags and entities."""
    if isinstance(text, dict):
        text = text.get("text", "")
    plain = re.sub(r"<br\s*/?>", "\n", str(text or ""))
    return html.unescape(re.sub(r"</?(b|i|sub|sup|span)[^<>]*>", "", plain))


def several(value: Any, n: int) -> list[Any]:
    """Return one value an item."""
    return list(value) if isinstance(value, list | tuple) else [value] * n
