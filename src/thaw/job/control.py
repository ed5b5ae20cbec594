"""The job of a control without a network: TF-IDF with a linear model, or the majority answer."""

from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from thaw.config import TransferConfig
from thaw.fields import as_dict
from thaw.job import again, data
from thaw.job.finished import finished
from thaw.job.identity import transfer_id
from thaw.job.outcome import common_row, data_lineage, marked, notes, score
from thaw.job.process import process
from thaw.job.record import Record, record
from thaw.job.tell import tell
from thaw.strategy.controls import CONTROLS
from thaw.task.example import fingerprint
from thaw.task.subset import choose
from thaw.track.folder import RunFolder
from thaw.train.world import world


def run(config: TransferConfig) -> dict[str, Any]:
    """Run a control and return its row."""
    path = Path(config.runs) / config.name / transfer_id(config)
    again.settle(path, world(config.trainer).leads)
    if (done := finished(path, config)) is not None:
        return done
    with process(config.trainer) as (here, _), record(
        path, as_dict(config), config.wandb, control=True, leads=here.leads
    ) as rec:  # fmt: skip
        return _run(config, rec)


def _run(config: TransferConfig, rec: Record) -> dict[str, Any]:
    found, metric = data.splits(config), config.task.metric
    train_indices, dev_indices = choose(found, config.data, config.task.kind, config.seed)
    train, dev = [found.train[i] for i in train_indices], [found.dev[i] for i in dev_indices]
    begun = data_lineage(config, found, train_indices, dev_indices, RunFolder(rec.home))
    data.unchanged(config, rec.run_id)
    rec.begin(begun, 0)
    for note in notes(config, found):
        tell(note)
    if config.strategy.name == "tfidf":
        import sklearn.feature_extraction.text
        import sklearn.linear_model  # noqa: F401  loading it is no training
    with threadpool_limits(1):  # what it computes is sparse: more threads only wait, and the row could not say how long
        rec.clock.start()
        candidates = CONTROLS[config.strategy.name](config.strategy, config.task.kind, train)
        rec.clock.stop()
    with rec.clock.evaluation():
        scored = [(score(config, found.labels, dev, predict(dev)), name, predict) for name, predict in candidates]
        best, _, predict = max(scored, key=lambda one: one[0][metric])
        answers = predict(found.test) if config.test else []
        test = score(config, found.labels, found.test, answers) if config.test else {}
    seconds = round(rec.clock.train_seconds, 3)
    for step, (metrics, _, _) in enumerate(scored):
        rec.event({"step": step, "epoch": 1, "seconds": seconds, **{f"dev/{k}": v for k, v in metrics.items()}})
    if config.test:
        last = {"step": len(scored) - 1, "epoch": 1, "seconds": seconds}
        rec.event(last | {f"test/{name}": value for name, value in test.items()})
        rec.predictions(marked(config, found.test, answers))
        rec.examples(fingerprint(found), found.test)
    collapsed = config.strategy.name != "majority" and best[metric] <= begun["floor"]
    return rec.finish(
        common_row(config, rec.folder, found, 1, None)
        | {
            "kind": "control", "train_size": len(train), "dev": best[metric], "test": test.get(metric), "steps": 0,
            "train_seconds": rec.clock.train_seconds, "eval_seconds": rec.clock.eval_seconds,
            "cpu_seconds": rec.clock.cpu_seconds, "frozen_audit": "not_applicable", "collapsed": collapsed,
        }
    )  # fmt: skip
