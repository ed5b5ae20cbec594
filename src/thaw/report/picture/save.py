"""Figures as files: ``figures/<name>.svg`` and ``.png``, the caption inside each."""

import hashlib
import html
import io
import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from thaw.report.figures.plot import Plot
from thaw.report.picture.draw import SETTINGS, picture
from thaw.storage import write_bytes, write_text

DOTS = 160  # an inch of a PNG


def save(plots: Sequence[Plot], folder: Path) -> list[Path]:
    """Write every figure as SVG and PNG, one file for all choices of a figure; return the paths.

    A file that shows the same already is left alone: drawing takes a fifth of a second.
    """
    families: dict[str, list[Plot]] = {}
    for plot in plots:
        families.setdefault(replace(plot, choice="").name, []).append(plot)
    written = []
    for name, members in families.items():
        svg, png = folder / f"{name}.svg", folder / f"{name}.png"
        mark = f"<!-- {hashlib.sha256(repr(members).encode()).hexdigest()} -->"
        if not (_holds(svg, mark) and png.exists()):
            _draw(members, svg, png, mark)
        written += [svg, png]
    return written


def _holds(path: Path, mark: str) -> bool:
    try:
        with open(path, encoding="utf-8") as file:
            return mark in file.read(1000)
    except (OSError, UnicodeDecodeError):
        return False


def _draw(plots: Sequence[Plot], svg: Path, png: Path, mark: str) -> None:
    import matplotlib

    title = ", ".join(part for part in (plots[0].title, plots[0].task) if part)
    caption = plots[0].caption
    with matplotlib.rc_context(SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # a name in a script the font has not
        drawn = picture(plots)
        drawn.draw_without_rendering()  # the layout, once for both files
        drawn.set_layout_engine("none")
        pixels = io.BytesIO()
        told = {"Title": title, "Description": caption, "Software": "thaw"}
        drawn.savefig(pixels, format="png", dpi=DOTS, metadata=told, pil_kwargs={"compress_level": 4})
        lines = io.StringIO()
        drawn.savefig(lines, format="svg", metadata={"Date": None, "Creator": "thaw"})
    told_inside = f"{mark}\n<title>{html.escape(title)}</title>\n<desc>{html.escape(caption)}</desc>\n"
    text = re.sub(r"(<svg [^>]*>\n?)", lambda match: match[1] + told_inside, lines.getvalue(), count=1)
    write_bytes(png, pixels.getvalue())
    write_text(svg, text)
