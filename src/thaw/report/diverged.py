"""What a diverged run counts as: the majority answer of its task, by intention to treat.

A training that leaves the finite numbers is an outcome of its strategy. Left out, the strategy would be judged by its
survivors alone. So the run scores what the most frequent answer of its training subset scores, which is what is left to
who followed the strategy; the score of the survivors is kept beside it (`Cell.survivors`).

Source: Mosbach et al. 2021 (On the Stability of Fine-tuning BERT) for failed runs as an outcome; intention to treat as
in clinical trials (Hollis and Campbell 1999).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from thaw.report.damage import is_number
from thaw.report.run import Run
from thaw.report.strategy import FLOOR


@dataclass(frozen=True, kw_only=True)
class Floor:
    """The scores of the majority answer on one task, subset and seed; None where not known."""

    dev: float | None
    test: float | None


def stand_ins(runs: Iterable[Run]) -> dict[int, Run]:
    """Return for each diverged run, by ``id(run)``, the run with the majority answer's scores in its row.

    What its lineage says of its origin is in the row too, as in those of finished runs.
    The scores are those the run recorded, else those of the majority control of the same task, size and seed, else
    those that another run recorded there. A run whose majority answer nobody knows is not in the result.
    """
    members = [run for run in runs if run.transfers]
    lost = [run for run in members if run.diverged]
    if not lost:
        return {}
    controls, recorded = {}, {}
    for run in members:
        place = _place(run)
        if run.state == "finished" and run["strategy"] == FLOOR:
            controls[place] = Floor(dev=run["dev"], test=run["test"])
        elif (floor := _own(run)) is not None:
            recorded[place] = floor
    made = {}
    for run in lost:
        floor = _own(run) or controls.get(_place(run)) or recorded.get(_place(run))
        scored = floor is not None and (floor.dev if run.config.get("test") is False else floor.test) is not None
        if floor is not None and scored:
            test = None if run.config.get("test") is False else floor.test
            origin = {"checkpoint": run.lineage.get("checkpoint"), "pretrain_run": run.lineage.get("parent_run")}
            scores = {"dev": floor.dev, "test": test, "floor": floor.dev, "floor_test": floor.test}
            made[id(run)] = replace(run, row={**run.row, **origin, **scores, "steps": run.steps})
    return made


def _own(run: Run) -> Floor | None:
    """Return the majority answer's scores as a run recorded them, in its row or from its start in its lineage."""
    dev, test = (_number(run, name) for name in ("floor", "floor_test"))
    return None if dev is None and test is None else Floor(dev=dev, test=test)


def _number(run: Run, name: str) -> float | None:
    value: Any = run.row.get(name)
    value = run.lineage.get(name) if value is None else value
    return float(value) if is_number(value) else None


def _place(run: Run) -> tuple[Any, ...]:
    return (run["task"], run["train_size"], run["seed"])
