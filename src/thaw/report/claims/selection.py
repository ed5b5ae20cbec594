"""What choosing a setting on dev adds to the error: would another have been chosen, and what would that change?

The mean dev score of a setting over S tuning seeds is drawn again, and the best of each draw is chosen anew (a
parametric bootstrap over trials; Bouthillier et al. 2021 count the search for settings among the sources of variance).
The noise of one run's dev score is

* with two tuning seeds or more, what is left of the table (settings x seeds) after both means are taken out: a setting
  meets the same seeds as the others; no less than the dev texts alone give;
* with one tuning seed, the dev texts alone: p (1 - p) / texts for shares, (1 - r^2)^2 / texts for correlations. It
  holds nothing of the seed, so it is too small, and the report says so.

Dev texts are taken as independent between settings although all settings read the same, which errs on the wide side.
The error is the standard deviation of the chosen setting's mean dev score over the draws; it is used for test scores.
Simulated with five settings and one to five seeds it is 0.7 to 2.3 times the true one where settings differ, and too
wide where all are equal, since measured means are farther apart than true ones. All scored seeds share the choice, so
their spread does not show it. The chance is that of another tuning with seeds and dev texts of its own.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from thaw.report.arms import Arm
from thaw.report.cells import Cell
from thaw.report.claims.sides import Sides, Size
from thaw.report.run import Run
from thaw.report.statistics import CORRELATIONS

DRAWS = 4000
DIGITS = 15  # of a number of dev labels that a config asks for


@dataclass(frozen=True, kw_only=True)
class Selection:
    """How sure the choice of a cell's setting is."""

    others: float  # chance that another setting is chosen
    error: float  # standard deviation of the chosen setting's dev score over the draws
    trials: int
    seeds: int  # that every trial was tuned with
    texts: int | None  # on dev; None: not known


def selection(cell: Cell) -> Selection | None:
    """Return how sure the choice of a cell is; None where nothing was chosen, or its noise is not known."""
    if len(cell.tried) < 2:
        return None
    seeds = sorted(set.intersection(*(set(trial.devs) for trial in cell.tried)), key=str)
    if not seeds:
        return None
    scores = np.array([[trial.devs[seed] for seed in seeds] for trial in cell.tried])  # (V, S)
    texts = _texts(cell)
    noise = _noise(scores, texts, cell.metric)
    if noise is None:
        return None
    own = next((place for place, trial in enumerate(cell.tried) if trial.variant == cell.variant), None)
    means = scores.mean(axis=1)
    others, error = _drawn(
        tuple(means), tuple(noise / math.sqrt(len(seeds))), int(means.argmax()) if own is None else own
    )
    return Selection(others=others, error=error, trials=len(means), seeds=len(seeds), texts=texts)


def selection_error(cell: Cell) -> float | None:
    """Return the standard error that the choice of its setting adds to a cell's score; None where it is not known."""
    choice = selection(cell)
    return choice.error if choice else None


def choice_error(sides: Sides, task: str, parts: Sequence[tuple[float, Arm, Size]]) -> float:
    """Return the standard error that the choices of settings add to a weighted sum of cells; 0 where none is known.

    ``parts`` are the cells with their weights, as in `resampling.Part`. A cell whose setting was chosen at another
    size of its arm (``tuned=``) shares that choice: its weights add up. Choices of different cells are independent.
    """
    shares: dict[tuple[Arm, Size], float] = {}
    for weight, arm, size in parts:
        source = _chosen_at(sides, task, arm, size)
        if source is not None:
            shares[arm, source] = shares.get((arm, source), 0.0) + weight
    errors = [
        share * (selection_error(sides.cells[task, arm, source]) or 0.0) for (arm, source), share in shares.items()
    ]
    return math.hypot(*errors)


def _chosen_at(sides: Sides, task: str, arm: Arm, size: Size) -> Size | None:
    """Return the size at which the setting of a cell was chosen: its own, else the nearest that was tuned."""
    own = sides.cells.get((task, arm, size))
    if own is None or len(own.tried) > 1:
        return size if own else None
    if not any(run.config.get("tuned") for run in own.runs):
        return None
    tuned = [near for near in sides.sizes(task, arm) if len(sides.cells[task, arm, near].tried) > 1]
    return min(tuned, key=lambda near: abs(math.log(near / size)), default=None)


@lru_cache(maxsize=4096)  # a cell is asked for in several contrasts
def _drawn(means: tuple[float, ...], errors: tuple[float, ...], own: int) -> tuple[float, float]:
    """Return (chance that another tuning chooses another, deviation of the chosen one's mean) over the draws."""
    random = np.random.default_rng(0)  # the page of the same runs is the same page
    noise = random.normal(0, errors, (2, DRAWS, len(means)))
    again = (np.array(means) + noise.sum(axis=0)).argmax(axis=1)  # both tunings have the noise, this one and the next
    best = (np.array(means) + noise[0]).argmax(axis=1)
    return float((again != own).mean()), float(np.array(means)[best].std(ddof=1))


def _noise(scores: np.ndarray, texts: int | None, metric: str) -> np.ndarray | None:
    """Return the standard deviation of one run's dev score for each setting, (V,); None where nothing tells it."""
    settings, seeds = scores.shape
    single = _of_texts(scores.mean(axis=1), texts, metric) if texts else None
    if seeds < 2:
        return single
    left = scores - scores.mean(axis=0) - scores.mean(axis=1, keepdims=True) + scores.mean()
    variance = float((left**2).sum()) / ((settings - 1) * (seeds - 1))
    own = np.full(settings, math.sqrt(variance))
    return own if single is None else np.maximum(own, single)


def _of_texts(means: np.ndarray, texts: int, metric: str) -> np.ndarray:
    if metric.removeprefix("dev/") in CORRELATIONS:
        return np.asarray((1 - means**2) / math.sqrt(texts))
    inside = np.clip(means, 0.5 / texts, 1 - 0.5 / texts)  # a score of 0 or 1 is not certain
    return np.asarray(np.sqrt(inside * (1 - inside) / texts))


def _texts(cell: Cell) -> int | None:
    """Return how many dev texts the settings of a cell were chosen on, None where its runs do not tell."""
    known = [count for run in (*cell.others, *cell.runs) if (count := _dev_texts(run)) is not None]
    return min(known, default=None)


def _dev_texts(run: Run) -> int | None:
    data = run.lineage.get("data")
    whole = data.get("dev") if isinstance(data, dict) else None
    if not isinstance(whole, int) or whole < 1:
        return None
    asked = str(run.config.get("data.dev_size", "match"))
    if asked == "all":
        return whole
    limit = run["train_size"] if asked == "match" else int(asked[:DIGITS]) if asked.isdecimal() else None
    return min(whole, limit) if isinstance(limit, int) else whole
