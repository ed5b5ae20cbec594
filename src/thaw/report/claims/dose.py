"""Dose: does more pretraining transfer better? Arms that start from checkpoints of one pretraining, by its tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

from thaw.report.cells import Cell
from thaw.report.claims.sides import Size
from thaw.report.statistics import Estimate


@dataclass(frozen=True, kw_only=True)
class Dose:
    """A strategy at a train size of a task, against the tokens its encoder was pretrained on."""

    task: str
    strategy: str
    size: Size
    tokens: list[float]
    scores: list[Estimate]
    gains: list[Estimate | None]  # minus scratch with the same labels, paired by seed; None where scratch was not run
    spearman: float | None  # rank correlation of score and tokens, with four or more doses


def doses(cells: Sequence[Cell]) -> list[Dose]:
    """Return every (task, strategy, size) that has two or more doses; of several pretrainings the one with most."""
    found: dict[tuple[str, str, Size], dict[tuple[str, ...], dict[float, Cell]]] = {}
    for cell in cells:
        tokens = next((run["pretrain_tokens"] for run in cell.runs if run["pretrain_tokens"] is not None), None)
        if cell.test and tokens is not None and (source := _pretrainings(cell)):
            sources = found.setdefault((cell.task, cell.arm.strategy, cell.train_size), {})
            sources.setdefault(source, {})[float(tokens)] = cell
    made = []
    for (task, strategy, size), sources in found.items():
        points = max(sources.values(), key=len)
        if len(points) > 1:
            tokens = sorted(points)
            scores = [score for one in tokens if (score := points[one].test)]
            made.append(
                Dose(
                    task=task,
                    strategy=strategy,
                    size=size,
                    tokens=tokens,
                    scores=scores,
                    gains=[points[one].difference for one in tokens],
                    spearman=_spearman(tokens, [one.mean for one in scores]),
                )
            )
    return made


def _pretrainings(cell: Cell) -> tuple[str, ...]:
    """Return the pretrainings that a cell's runs start from: those of one recipe are one source."""
    return tuple(sorted({str(run["pretrain_run"]) for run in cell.runs if run["pretrain_run"]}))


def _spearman(x: list[float], y: list[float]) -> float | None:
    if len(x) < 4 or len(set(y)) < 2:
        return None
    from scipy.stats import spearmanr

    return float(spearmanr(x, y).statistic)
