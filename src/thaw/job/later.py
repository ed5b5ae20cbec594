"""A run that left its test set alone (``test=false``) is scored later: with the weights that dev chose, untrained."""

from typing import TYPE_CHECKING, Any

import torch

from thaw import build
from thaw.errors import ConfigError
from thaw.job import best
from thaw.job.costs import spent_by
from thaw.job.finished import finished, unscored
from thaw.job.outcome import run_name
from thaw.job.source import source
from thaw.job.tell import tell
from thaw.track.folder import LINEAGE, METRICS, RunFolder
from thaw.train.config import TrainerConfig

if TYPE_CHECKING:
    from thaw.job.transfer import Transfer

ABOUT_TEST = ("floor", "floor_test", "contamination")  # what a lineage holds of a test set once it is scored
PLACE = ("step", "epoch", "seconds", "cpu_seconds", "tokens", "flops")


def scored_later(transfer: "Transfer") -> dict[str, Any] | None:
    """Score the test set of a run that is trained; return its row, None where it must be trained (again).

    Every process decides by the same files; the first one scores, the others have nothing to do.
    """
    config, rec = transfer.config, transfer.rec
    home = RunFolder(rec.home)
    row, events = home.result(), home.events()
    if row is None:
        return None
    if not events:  # the row of scores could not say where it lies; before anything is loaded into the module
        _trains_again(transfer, f"its {METRICS} is lost")
        return None
    if not best.load(home, transfer.module):
        if not rec.leads and (done := finished(rec.home, config)) is not None:
            return done  # the first process has scored it meanwhile
        if config.test and unscored(home):
            weights = f"were not kept (keep_best={config.keep_best:g} MB), were removed or do not fit"
            _trains_again(transfer, f"the weights of its run with test=false {weights}")
        return None
    if rec.leads:
        row = _completed(transfer, row, events)
    return row


def _trains_again(transfer: "Transfer", why: str) -> None:
    if transfer.rec.leads:
        tell(f"{run_name(transfer.config)}: {why}; it trains again")


def _completed(transfer: "Transfer", row: dict[str, Any], events: list[dict[str, Any]]) -> dict[str, Any]:
    """Keep the weights and score the test set, as far as the config asks for it; return the new row."""
    config, rec = transfer.config, transfer.rec
    rec.as_it_stands()
    transfer.module.to(_device(config.trainer))
    transfer.best = row["dev"], row["best_step"], transfer.weights()
    if config.keep:
        transfer.keep(spent_by(row))
    if config.test:
        rec.repeat()
        test = transfer.score_test()
        about_test = {name: transfer.lineage[name] for name in ABOUT_TEST}
        before = rec.folder.read(LINEAGE) or {}
        scorer = {"source_of_test": source()} if before.get("source") != source() else {}
        rec.lineage({**before, **about_test, **scorer})
        place = {name: events[-1][name] for name in PLACE if name in events[-1]}
        if not any(name.startswith("test/") for name in events[-1]):  # else it was stopped after this line before
            rec.event(place | {f"test/{name}": value for name, value in test.items()})
        row |= {"test": test[config.task.metric], "floor_test": about_test["floor_test"]}
        row["eval_seconds"] += rec.clock.eval_seconds
    row = rec.finish(row)
    if config.test:
        best.remove(rec.folder)
    return row


def _device(trainer: TrainerConfig) -> torch.device:
    """Return where the test set is scored: a CPU does it where only Lightning could place the module."""
    try:
        return build.device(trainer)
    except ConfigError:
        return torch.device("cpu")
