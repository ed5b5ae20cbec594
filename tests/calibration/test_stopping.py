"""Studies that are looked at while seeds are added: level, power and runs saved against the fixed design.

``make calibrate`` prints the table of experiments/calibration/README.md, 4,000 studies a cell; the
quick suite has a small version in tests/report/claims/test_sequential.py.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from calibration.stopping import World, everywhere, least_seen, mixture_looks, stopped
from thaw.report.claims.sequential import Look, looks, schedule

pytestmark = pytest.mark.calibration
STUDIES = 4_000
ALLOWED = 0.025 + 2.6 * (0.025 * 0.975 / STUDIES) ** 0.5  # one draw in two hundred is above


def obrien_fleming(share: float) -> float:
    return float(2 * stats.norm.sf(stats.norm.isf(0.0125) / math.sqrt(share)) / 0.025)


def pocock(share: float) -> float:
    return math.log(1 + (math.e - 1) * share)


def power_of(exponent: float) -> Callable[[float], float]:
    return lambda share: share**exponent


SPENDING = {
    "O'Brien-Fleming": obrien_fleming, "t^3": power_of(3), "t^2": power_of(2), "t": power_of(1), "Pocock": pocock,
}  # fmt: skip


def designs(planned: int) -> dict[str, Sequence[Look]]:
    """Return every way to look that was considered: the fixed design, looks unpaid, spent, and by an e-value."""
    seeds = tuple(schedule(planned))
    by_two = tuple(sorted({*seeds[::2], planned}))
    return {
        "fixed": [Look(seeds=planned, level=0.95)],
        "every look at 95 %": [Look(seeds=count, level=0.95) for count in seeds],
        **{name: looks(seeds, planned, 0.95, spending) for name, spending in SPENDING.items()},
        "t^3, two seeds a round": looks(by_two, planned, 0.95),
        **{f"e-value of t, g = {g}": mixture_looks(seeds, 0.95, g) for g in (1, 10)},
    }


@pytest.mark.parametrize("tasks", [1, 3])
@pytest.mark.parametrize("planned", [5, 10, 20])
def test_level_power_and_runs_saved(planned: int, tasks: int, capsys: pytest.CaptureFixture[str]) -> None:
    """No effect: any gain counts (all looks are used), and a margin of .01 at the spread of our experiments.

    Effects are multiples of the least one that the fixed design finds in four of five studies.
    """
    nothing = World(effects=(0.0,) * tasks, seeds=planned)
    least = least_seen(nothing)
    for name, taken in designs(planned).items():
        draw = np.random.default_rng(planned)
        shares = {}
        for label, world in {
            "any gain": replace(nothing, least=-1.0),
            "margin .01": nothing,
            "texts .003": replace(nothing, least=-1.0, texts=0.003),
            "texts .01": replace(nothing, least=-1.0, texts=0.01),
            "skewed": replace(nothing, least=-1.0, skewed=True),
            **{f"x{times}": everywhere(replace(nothing, least=0.0), times * least) for times in (1, 1.5, 2, 4, 8)},
        }.items():
            words, at = stopped(world, taken, STUDIES, draw)
            shares[label] = (float((words == 1).mean()), float(at.mean()) / planned)
        with capsys.disabled():
            cells = ", ".join(f"{label} {100 * part:.1f} % ({share:.2f})" for label, (part, share) in shares.items())
            print(f"\n{planned} seeds, {tasks} tasks, {name}: {cells}", end="")
        if name == "every look at 95 %":
            assert shares["any gain"][0] > ALLOWED
        else:
            assert shares["any gain"][0] <= ALLOWED
            assert shares["texts .003"][0] <= ALLOWED
            assert shares["texts .01"][0] <= ALLOWED
    paid = stopped(everywhere(replace(nothing, least=0.0), least), looks(tuple(schedule(planned)), planned, 0.95),
                   STUDIES, np.random.default_rng(0))  # fmt: skip
    assert float((paid[0] == 1).mean()) >= 0.70
