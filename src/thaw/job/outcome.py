"""What transfer and control runs have in common at their end: the row, the guard against collapse, lineage."""

import warnings
from collections.abc import Sequence
from typing import Any

from thaw import __version__
from thaw.config import TransferConfig, strategies
from thaw.errors import ConfigError
from thaw.job.finished import unscored
from thaw.job.links import task_links
from thaw.job.source import source
from thaw.strategy.controls import majority
from thaw.strategy.plan import Majority
from thaw.task.credit import credits
from thaw.task.duplicates import overlap
from thaw.task.example import Example, Splits, fingerprint
from thaw.task.labels import is_number
from thaw.task.metrics import Metrics
from thaw.task.subset import checksum
from thaw.track.cost import host, peak_rss_bytes
from thaw.track.folder import LINEAGE, RunFolder
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
    shares = credits(config.task.metric, examples, answers)
    return [
        answer | {"label": _label(example), "credit": credit}
        for example, answer, credit in zip(examples, answers, shares, strict=True)
    ]


def _label(example: Example) -> Any:
    """Return the label as a prediction would look: of a span the answers' texts."""
    return [text for text, _ in example.answers] if example.answers is not None else example.target


def floors(config: TransferConfig, found: Splits, train: Sequence[Example], dev: Sequence[Example]) -> dict[str, float]:
    """Return ``floor`` and ``floor_test``: the majority answer's dev and test score, 0 for spans, which have none.

    A run must beat ``floor`` not to count as collapsed; one that diverged counts as having reached both. Without
    ``config.test`` the test set is left alone here too.
    """
    sides = {"floor": dev} | ({"floor_test": found.test} if config.test else {})
    try:
        ((_, predict),) = majority(Majority(), config.task.kind, train)
    except ConfigError:
        return dict.fromkeys(sides, 0.0)
    metric = config.task.metric
    return {name: score(config, found.labels, side, predict(side))[metric] for name, side in sides.items()}


def data_lineage(
    config: TransferConfig, found: Splits, train: list[int], dev: list[int], folder: RunFolder, **more: Any
) -> dict[str, Any]:
    """Return the lineage of a run on a subset, with what a report must know of a run that may never end.

    ``tuning`` says that the run was (also) asked for with ``test=false``: it was a trial of what dev should choose.
    """
    origin = lineage(
        folder.path.name, split=fingerprint(found), subset=checksum(found.train, train), source=source(), **more
    )
    examples = [found.train[i] for i in train], [found.dev[i] for i in dev]
    return origin | {
        "data": found.report,
        "strategy": strategies()[config.strategy.name].record(config.strategy.name),
        "tuning": not config.test or was_tuning(folder),
        **floors(config, found, *examples),
    }


def was_tuning(folder: RunFolder) -> bool:
    """Return whether a run has been one that left its test set alone."""
    return unscored(folder) or bool((folder.read(LINEAGE) or {}).get("tuning"))


def common_row(
    config: TransferConfig,
    folder: RunFolder,
    found: Splits,
    threads: int,
    torch_version: str | None,
    device: str = "cpu",
) -> dict[str, Any]:
    """Return the columns of a row that follow from config, data, lineage and machine."""
    recorded = folder.read(LINEAGE) or {}
    return {
        "run_id": folder.path.name,
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
        "device": device,
        "positive": found.report.get("positive"),
        **{name: recorded.get(name) for name in ("floor", "floor_test", "results", "source")},
    }


def notes(config: TransferConfig, found: Splits) -> list[str]:
    """Return what a reader must know of a task's data.

    That is: how its files were read, texts in two splits, files that lie elsewhere, a positive label that nobody has
    chosen.
    """
    task, positive = config.task, found.report.get("positive")
    found_elsewhere = (overlap(found.report["duplicates"]), task_links(task))
    sentences = [*found.report["reading"], *(note for note in found_elsewhere if note)]
    if task.metric == "f1" and positive is not None and task.positive is None and not is_number(positive):
        (other,) = (label for label in found.labels or [] if label != positive)
        sentences.append(f"f1 is that of label '{positive}', the last one; task.positive={other} takes the other")
    return [f"{task.name}: {note}" for note in sentences]


def run_name(config: TransferConfig) -> str:
    """Return a short name for people: task, strategy, size, seed."""
    return f"{config.task.name}-{config.strategy.name}-n{config.data.train_size}-s{config.seed}"
