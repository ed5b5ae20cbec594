"""A line chart as SVG, by hand: nothing to install, and a diff shows what moved."""

import math
from collections.abc import Callable
from html import escape
from pathlib import Path

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 400, 64, 150, 36, 48
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # Okabe and Ito 2008
Curve = list[tuple[float, float]]


def lines(
    path: Path, title: str, x: str, y: str, curves: dict[str, Curve], *, log: bool = True, dots: bool = True
) -> None:
    """Write a chart of some curves; ``log``: both axes logarithmic, else linear from zero."""
    points = [point for curve in curves.values() for point in curve]
    across = _axis([one for one, _ in points], LEFT, WIDTH - RIGHT, log)
    up = _axis([one for _, one in points], HEIGHT - BOTTOM, TOP, log)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        f' font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(LEFT, 20, title, "start", "bold"),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x, "middle"),
        f'<g transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)">{_text(0, 0, y, "middle")}</g>',
    ]
    for value in _ticks([one for one, _ in points], log):
        at = across(value)
        parts.append(f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        parts.append(_text(at, HEIGHT - BOTTOM + 16, f"{value:,g}", "middle"))
    for value in _ticks([one for _, one in points], log):
        at = up(value)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(_text(LEFT - 6, at + 4, f"{value:,g}", "end"))
    for number, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        places = [(across(one), up(other)) for one, other in curve]
        drawn = " ".join(f"{one:.1f},{other:.1f}" for one, other in places)
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if dots:
            parts += [f'<circle cx="{one:.1f}" cy="{other:.1f}" r="4" fill="{colour}"/>' for one, other in places]
        row = TOP + 12 + 20 * number
        parts.append(f'<path d="M{WIDTH - RIGHT + 12} {row}h16" stroke="{colour}" stroke-width="3"/>')
        parts.append(_text(WIDTH - RIGHT + 32, row + 4, name, "start"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*parts, "</svg>"]) + "\n", "utf-8")


def _text(x: float, y: float, words: str, anchor: str, weight: str = "normal") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}"'
    return f"<text {place}>{escape(words)}</text>"


def _axis(values: list[float], start: float, end: float, log: bool) -> Callable[[float], float]:
    """Return the place of a value between ``start`` and ``end``."""
    scale = math.log if log else float
    ticks = _ticks(values, log)
    low, high = scale(min(*values, ticks[0])), scale(max(*values, ticks[-1]))
    return lambda value: start + (scale(value) - low) / (high - low or 1.0) * (end - start)


def _ticks(values: list[float], log: bool) -> list[float]:
    if log:
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return [10.0**power for power in range(low, high + 1)]
    step = 10 ** math.floor(math.log10(max(values)))
    step = next(one for one in (step / 5, step / 2, step, 2 * step) if max(values) / one <= 6)
    return [number * step for number in range(math.ceil(max(values) / step) + 1)]
