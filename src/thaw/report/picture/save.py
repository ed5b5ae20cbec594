"""Figures as files: ``figures/<name>.svg`` and ``.png``, the caption inside each."""

import hashlib
import html
import io
import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

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
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    title = ", ".join(part for part in (plots[0].title, plots[0].task) if part)
    caption = plots[0].caption
    with matplotlib.rc_context(SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # a name in a script the font has not
        drawn = picture(plots)
        pixels = _png(drawn, title, caption)
        lines = io.StringIO()
        canvas: Any = FigureCanvasSVG(drawn)
        canvas.print_svg(lines, metadata={"Date": None, "Creator": "thaw"})
    told_inside = f"{mark}\n<title>{html.escape(title)}</title>\n<desc>{html.escape(caption)}</desc>\n"
    text = re.sub(r"(<svg [^>]*>\n?)", lambda match: match[1] + told_inside, lines.getvalue(), count=1)
    write_bytes(png, pixels)
    write_text(svg, text)


def _png(drawn: Any, title: str, caption: str) -> bytes:
    """Return the pixels as PNG; the canvas draws once, where savefig() would draw twice."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    drawn.set_dpi(DOTS)
    canvas: Any = FigureCanvasAgg(drawn)
    canvas.draw()
    told = PngInfo()
    for name, text in (("Title", title), ("Description", caption), ("Software", "thaw")):
        told.add_itxt(name, text)
    file = io.BytesIO()
    image = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba(), "raw", "RGBA", 0, 1)
    image.convert("RGB").save(file, "png", pnginfo=told, dpi=(DOTS, DOTS), compress_level=3)
    drawn.set_dpi(100)
    return file.getvalue()
