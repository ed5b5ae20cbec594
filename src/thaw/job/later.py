"""A run that left its test set alone (``test=false``) is scored later: with the weights that dev chose, untrained."""

from typing import TYPE_CHECKING, Any

from thaw import build
from thaw.job import best
from thaw.job.costs import spent_by
from thaw.job.finished import unscored
from thaw.job.outcome import run_name
from thaw.job.tell import tell
from thaw.track.folder import LINEAGE

if TYPE_CHECKING:
    from thaw.job.transfer import Transfer

ABOUT_TEST = ("floor", "floor_test", "contamination")  # what a lineage holds of a test set once it is scored
PLACE = ("step", "epoch", "seconds", "cpu_seconds", "tokens")


def scored_later(transfer: "Transfer") -> dict[str, Any] | None:
    """Score the test set of a run that is trained; return its row, None where it must be trained (again)."""
    config, rec = transfer.config, transfer.rec
    row = rec.folder.result()
    if row is None or not rec.leads:
        return None
    if not best.load(rec.folder, transfer.module):
        if config.test and unscored(rec.folder):
            kept = f"were not kept (keep_best={config.keep_best:g} MB), were removed or do not fit"
            tell(f"{run_name(config)}: the weights of its run with test=false {kept}; it trains again")
        return None
    transfer.module.to(build.device(config.trainer))
    transfer.best = row["dev"], row["best_step"], transfer.weights()
    if config.keep:
        transfer.keep(spent_by(row))
    if config.test:
        rec.repeat()
        test, events = transfer.score_test(), rec.folder.events()
        about_test = {name: transfer.lineage[name] for name in ABOUT_TEST}
        rec.lineage({**(rec.folder.read(LINEAGE) or {}), **about_test})
        place = {name: events[-1][name] for name in PLACE}
        if not any(name.startswith("test/") for name in events[-1]):  # else it was stopped after this line before
            rec.event(place | {f"test/{name}": value for name, value in test.items()})
        row |= {"test": test[config.task.metric], "floor_test": about_test["floor_test"]}
        row["eval_seconds"] += rec.clock.eval_seconds
    row = rec.finish(row)
    if config.test:
        best.remove(rec.folder)
    return row
