"""What transfer and control runs have in common at their end: the row, the guard against collapse, lineage."""

import warnings
from collections.abc import Sequence
from typing import Any

from thaw import __version__
from thaw.config import TransferConfig
from thaw.errors import ConfigError
from thaw.strategy.controls import majority
from thaw.strategy.plan import Majority
from thaw.task.credit import credits
from thaw.task.example import Example, Splits, fingerprint
from thaw.task.metrics import Metrics
from thaw.task.subset import checksum
from thaw.track.cost import host, peak_rss_bytes
from thaw.track.lineage import lineage

DIGITS = 6  # of a score


def score(
    config: TransferConfig, labels: list[str] | None, examples: Sequence[Example], answers: Any
) -> dict[str, float]:
    """Return all metrics of predictions."""
    metrics = Metrics(config.task, labels)
    metrics.update(examples, answers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {name: round(value, DIGITS) for name, value in metrics.compute().items()}


def marked(
    config: TransferConfig, examples: Sequence[Example], answers: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return predictions with each example's own label, and with what it adds to the run's metric."""
    given = credits(config.task.metric, examples, answers)
    return [
        answer | {"label": _label(example), "credit": credit}
        for example, answer, credit in zip(examples, answers, given, strict=True)
    ]


def _label(example: Example) -> Any:
    """Return the label as a prediction would look: of a span the answers' texts."""
    return [text for text, _ in example.answers] if example.answers is not None else example.target


def majority_score(config: TransferConfig, found: Splits, train: list[Example], dev: list[Example]) -> float:
    """Return the dev score of the majority answer, what a run must beat not to count as collapsed; 0 for spans."""
    try:
        ((_, predict),) = majority(Majority(), config.task.kind, train)
    except ConfigError:
        return 0.0
    return score(config, found.labels, dev, predict(dev))[config.task.metric]


def data_lineage(config: TransferConfig, found: Splits, train: list[int], run_id: str, **more: Any) -> dict[str, Any]:
    """Return the lineage of a run on a subset."""
    made = lineage(run_id, split=fingerprint(found), subset=checksum(found.train, train), **more)
    return made | {"data": found.report}


def common_row(config: TransferConfig, run_id: str, threads: int, torch_version: str | None) -> dict[str, Any]:
    """Return the columns of a row that follow from config and machine."""
    return {
        "run_id": run_id,
        "name": config.name,
        "task": config.task.name,
        "strategy": config.strategy.name,
        "seed": config.seed,
        "metric": config.task.metric,
        "peak_rss_bytes": peak_rss_bytes(),
        "threads": threads,
        "host": host(),
        "torch": torch_version,
        "thaw_version": __version__,
    }


def run_name(config: TransferConfig) -> str:
    """Return a short name for people: task, strategy, size, seed."""
    return f"{config.task.name}-{config.strategy.name}-n{config.data.train_size}-s{config.seed}"
