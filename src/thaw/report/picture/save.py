"""Figures as files: ``figures/<name>.svg`` and ``.png``, the caption inside each."""

import hashlib
import html
import io
import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from thaw.report.figures.plot import Plot
from thaw.report.out import Out
from thaw.report.picture.draw import SETTINGS, picture

FOLDER = "figures"
DOTS = 160  # an inch of a PNG


def names(plots: Sequence[Plot]) -> list[str]:
    """Return the files of some figures, paths below the folder of the report."""
    return [f"{FOLDER}/{name}.{ending}" for name in _families(plots) for ending in ("svg", "png")]


def drawn(plots: Sequence[Plot], out: Out) -> dict[str, bytes | None]:
    """Return every figure as SVG and PNG, one file for all choices of a figure, by `names`.

    None is a file that shows the same already: drawing takes a fifth of a second.
    """
    files: dict[str, bytes | None] = {}
    for name, members in _families(plots).items():
        svg, png = f"{FOLDER}/{name}.svg", f"{FOLDER}/{name}.png"
        mark = f"<!-- {hashlib.sha256(repr(members).encode('utf-8', 'replace')).hexdigest()} -->"
        if out.stands(svg) and out.stands(png) and _holds(out, svg, mark):
            files |= {svg: None, png: None}
        else:
            files[svg], files[png] = _draw(members, mark)
    return files


def _families(plots: Sequence[Plot]) -> dict[str, list[Plot]]:
    """Return the figures by the name of their file: those that differ in their choice share one."""
    families: dict[str, list[Plot]] = {}
    for plot in plots:
        families.setdefault(replace(plot, choice="").name, []).append(plot)
    return families


def _holds(out: Out, name: str, mark: str) -> bool:
    try:
        with open(out.folder / name, encoding="utf-8") as file:
            return mark in file.read(1000)
    except (OSError, UnicodeDecodeError):
        return False


def _draw(plots: Sequence[Plot], mark: str) -> tuple[bytes, bytes]:
    """Return the bytes of SVG and PNG."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    title = ", ".join(part for part in (plots[0].title, plots[0].task) if part)
    caption = plots[0].caption
    with matplotlib.rc_context(SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # a name in a script the font has not
        made = picture(plots)
        pixels = _png(made, title, caption)
        lines = io.StringIO()
        canvas: Any = FigureCanvasSVG(made)
        canvas.print_svg(lines, metadata={"Date": None, "Creator": "thaw"})
    told_inside = f"{mark}\n<title>{html.escape(title)}</title>\n<desc>{html.escape(caption)}</desc>\n"
    text = re.sub(r"(<svg [^>]*>\n?)", lambda match: match[1] + told_inside, lines.getvalue(), count=1)
    return text.encode("utf-8", "replace"), pixels


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
