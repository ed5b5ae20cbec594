"""The Pareto front of score against cost: which arms no other arm beats in both, the others greyed."""

from collections.abc import Sequence

from thaw.report.claims.clocks import NAMES
from thaw.report.claims.pareto import Point
from thaw.report.collect import size_key
from thaw.report.figures.plot import Plot, Trace, counted, escaped, figure, interval, log_axis, rounded
from thaw.report.figures.style import Style

CAPTION = """Test score (mean over seeds, {n}, with 95% interval by Student's t on the logit) against {name} of
training, pretraining apart. On the front, in colour: no other arm scores as high for less, or higher for as little; by
the means, so a step of it may be noise. Greyed: another arm does better for no more. The front: {front}."""
CHEAPEST = {"flops": 1.0}
LEAST = 0.01  # seconds: where a log axis of time begins


def pareto(points: Sequence[Point], metric: str, style: Style) -> list[Plot]:
    """Return the figures of one task, a train size and cost each."""
    places = sorted({(size_key(point.size), point.clock) for point in points})
    found = []
    for size, clock in places:
        members = [point for point in points if (size_key(point.size), point.clock) == (size, clock)]
        if len(members) > 1:
            found.append(_of(sorted(members, key=lambda point: point.cost), metric, style))
    return found


def _of(points: Sequence[Point], metric: str, style: Style) -> Plot:
    clock = points[0].clock
    front = [point for point in points if point.front]
    cost = {id(point): rounded(max(point.cost, CHEAPEST.get(clock, LEAST))) for point in points}
    line: Trace = {
        "type": "scatter", "x": [cost[id(point)] for point in front],
        "y": [rounded(point.test.mean) for point in front],
        "mode": "lines", "line": {"color": "@ink", "width": 1.5, "dash": "dot", "shape": "hv"}, "name": "front",
        "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip
    data = [line, *(_point(point, cost[id(point)], metric, style) for point in points)]
    words = CAPTION.format(
        n=counted([point.test.n for point in points]), name=NAMES[clock],
        front=", ".join(point.arm.label for point in front),
    )  # fmt: skip
    return Plot(
        key="pareto",
        task=points[0].task,
        title="Score for its cost: the Pareto front",
        choice=f"{points[0].size} labels, {NAMES[clock]}",
        caption=" ".join(words.split()),
        figure=figure(
            data, log_axis(f"{NAMES[clock]} of training, mean (log scale)", list(cost.values())),
            {"title": f"test {escaped(metric)}"},
        ),
    )  # fmt: skip


def _point(point: Point, cost: float, metric: str, style: Style) -> Trace:
    low, high = interval(point.test, metric)
    paint = style.colour(point.arm) if point.front else "@quiet"
    marker = style.marker(point.arm, 11 if point.front else 8) | {"color": paint}
    told = "on the front" if point.front else "another arm does better for no more"
    return {
        "type": "scatter",
        "x": [cost],
        "y": [rounded(point.test.mean)],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [rounded(high - point.test.mean)],
            "arrayminus": [rounded(point.test.mean - low)],
            "thickness": 1.2,
            "width": 3,
            "color": paint,
        },
        "mode": "markers",
        "marker": marker,
        "opacity": 1.0 if point.front else 0.45,
        "name": point.arm.label,
        "hovertemplate": f"{escaped(point.arm.label)}: %{{y:.3f}} for %{{x:.3g}} {NAMES[point.clock]}, {told}"
        "<extra></extra>",
    }
