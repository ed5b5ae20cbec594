"""The transfer job: a task's subset, an encoder, a head, a strategy; the row says how it went and what it cost."""

import functools
import math
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from thaw import build
from thaw.config import TransferConfig, strategies
from thaw.encoder import checkpoint as checkpoints
from thaw.errors import StorageError
from thaw.fields import as_dict
from thaw.job import again, best, data, resume
from thaw.job.card import transfer_card
from thaw.job.costs import ancestors_row, costs, spent
from thaw.job.finished import finished
from thaw.job.flops import TransferFlops
from thaw.job.identity import transfer_id
from thaw.job.later import scored_later
from thaw.job.network import Network
from thaw.job.outcome import common_row, data_lineage, marked, notes, run_name, score
from thaw.job.process import process
from thaw.job.recipe import transfer_recipe
from thaw.job.record import Record, record
from thaw.job.tell import tell
from thaw.strategy.apply import ApplyPlan
from thaw.strategy.audit import Audit
from thaw.strategy.plan import Factor, Progress, timeline
from thaw.strategy.show import table
from thaw.task.example import fingerprint
from thaw.track.folder import RunFolder
from thaw.track.redact import redact
from thaw.train import processes, state
from thaw.train.evaluations import evaluation_steps, regular_steps
from thaw.train.interrupt import Stop
from thaw.train.launch import together
from thaw.train.loop import Batches, Loop, place
from thaw.train.progress import Bar
from thaw.train.reuse import Reuse
from thaw.train.transfer import answers
from thaw.train.world import world


def run(config: TransferConfig) -> dict[str, Any]:
    """Run or resume a transfer and return its row."""
    path = Path(config.runs) / config.name / transfer_id(config)
    again.settle(path, world(config.trainer).leads)
    if (done := finished(path, config)) is not None:
        return done
    control = strategies()[config.strategy.name].control
    with process(config.trainer) as (here, stop), record(
        path, as_dict(config), config.wandb, control=control, leads=here.leads
    ) as rec:  # fmt: skip
        return Transfer(config, rec, stop).run()


class Transfer(Network):
    """One transfer, from config to row."""

    def __init__(self, config: TransferConfig, rec: Record, stop: Stop) -> None:
        super().__init__(config)
        self.rec, self.stop = rec, stop
        groups = self.module.parameter_groups_in_order
        progress = Progress(0, config.steps, self.batches.order.steps_per_epoch)
        self.plan = ApplyPlan(self.strategy, self.settings, groups, self.module.rate, progress)
        known = getattr(self.settings, "unfreeze", "") != "plateau"
        self.reuse = Reuse(
            self.module, self.plan, self.timeline() if known else [], self.train, batch_size=config.data.batch_size,
            precision=config.trainer.precision, folder=Path(config.cache.folder) / "features",
            limit=int(config.cache.limit * 1e9), clock=rec.clock, tell=tell,
        )  # fmt: skip
        self.module.cost = TransferFlops(self.module.encoder.config, self.module.head, self.plan)
        self.best: tuple[float, int, dict[str, Tensor]] | None = None
        self.regular = regular_steps(config.steps, config.eval_every)
        self.last, self.waited = math.nan, 0
        self.audit: Audit | None = None

    def run(self) -> dict[str, Any]:
        """Train, choose by dev, score the test set once; return the row."""
        config, rec, module = self.config, self.rec, self.module
        data.unchanged(config, rec.run_id)
        if (row := scored_later(self)) is not None:
            return row
        self.resume()
        rec.begin(self.lineage, module.start)
        self.tell()
        if self.parent and self.strategy.pretrained:
            name = self.parent.lineage.get("run_id") or self.parent.fingerprint[:10]
            rec.artifact(f"encoder-{name}", self.parent.lineage, str(config.checkpoint), used=True)
        bar = Bar(run_name(config), config.steps, config.trainer.progress and rec.leads)
        bar.start_at(module.start)
        loop = Loop(
            steps=config.steps, looks=evaluation_steps(config.steps, config.eval_every), evaluate=self.evaluate,
            record=rec.event, save=self.save_state, clock=rec.clock, stop=self.stop,
            minutes=config.trainer.checkpoint_minutes, show=bar,
        )  # fmt: skip
        left = config.steps - module.start
        trainer = build.trainer(config.trainer, left, [self.plan, self.reuse, loop], find_unused=True, stop=self.stop)
        accumulate = config.trainer.accumulate
        steps = Batches(
            lambda step: self.batches.step(step, accumulate, trainer.global_rank, trainer.world_size),
            module.start, config.steps, accumulate,
        )  # fmt: skip
        with together(trainer):
            if len(steps):
                with bar:
                    trainer.fit(module, train_dataloaders=steps)
                module.to(trainer.strategy.root_device)  # Lightning leaves the model on the CPU
            rec.clock.stop()
            self.stop.note()
            return self.finish()

    def tell(self) -> None:
        """Record the plan, show it where a single run is watched; warn of truncated texts and of leaks."""
        text = table(run_name(self.config), self.plan.names, self.timeline())
        self.rec.plan(text)
        if self.config.trainer.progress and self.rec.leads:
            print(text, file=sys.stderr)
        task = self.config.task
        cut = f"{task.name} at {task.max_length} pieces"  # the share differs from subset to subset, the remedy does not
        if self.rec.leads and (warning := self.train.report["warning"]):
            tell(f"{task.name}: {warning}", cut)
        for note in notes(self.config, self.found) if self.rec.leads else ():
            tell(note)

    def timeline(self) -> list[tuple[int, list[Factor]]]:
        """Return the plan of the whole run."""
        config = self.config
        return timeline(self.strategy, self.settings, self.plan.names, config.steps, self.plan.progress.epoch_steps)

    def went(self) -> list[tuple[int, list[Factor]]]:
        """Return the plan as it went: stages that waited for dev to stop improving begin where they did."""
        rows = self.timeline()
        if getattr(self.settings, "unfreeze", "") == "plateau":
            begins = [0, *self.plan.advanced]
            rows = [(first, factors) for first, (_, factors) in zip(begins, rows, strict=False)]
        return rows

    def evaluate(self, step: int) -> dict[str, float]:
        """Score dev, keep the best weights, tell the plan when dev stops improving, audit what is frozen.

        The dense looks at the beginning only tell when a score was reached. Weights are chosen, and patience is
        counted, at the regular steps: many looks at weights that have hardly learnt would let chance choose on a small
        dev set, and would use patience up within the first steps.
        """
        module, metric = self.module, self.config.task.metric
        if self.audit is None:
            self.audit = Audit(self.plan, module.trainer.optimizers[0])
        if self.plan.factors is not None:
            self.audit.observe()
        metrics = score(
            self.config, self.found.labels, self.dev_examples, answers(module, self.dev, self.reuse.evaluated(self.dev))
        )
        self.last = metrics[metric]
        if step not in self.regular:
            pass
        elif self.best is None or self.last > self.best[0]:
            self.best, self.waited = (self.last, step, self.weights()), 0
        else:
            self.waited += 1
            if self.waited >= max(1, getattr(self.settings, "every", 1)):
                self.plan.advance_stage()
                self.waited = 0
        return {f"dev/{name}": value for name, value in metrics.items()}

    def save_state(self, step: int) -> int:
        """Write what a resume needs; return the step from which the run would go on."""
        assert self.best is not None
        assert self.audit is not None
        parts = {
            "model": self.weights(), "best": self.best[2], "start": self.audit.start,
            "optimizer": state.optimizer_tensors(self.module.trainer.optimizers[0]),
        }  # fmt: skip
        info = {
            "step": step, "tokens": self.module.tokens, "flops": self.module.flops, "last": self.last,
            "clock": self.rec.clock.state_dict(), "best": self.best[0], "best_step": self.best[1],
            "waited": self.waited, "stages": self.plan.advanced, "moved": sorted(self.audit.moved),
            "losses": [float(loss) for loss in self.module.losses],
        }  # fmt: skip
        return resume.save(self.rec, self.config, parts, info)

    def resume(self) -> None:
        """Go on where an interrupted run stopped, if it did."""
        found = resume.load(self.rec, self.config)
        if found is None:
            return
        parts, info = found
        module = self.module
        optimizer = module.configure_optimizers()  # only to audit against the first weights
        self.audit = Audit(self.plan, optimizer)
        self.audit.restore(parts["start"], set(info["moved"]))
        module.load_state_dict(parts["model"])
        module.start, module.tokens, module.moments = info["step"], info["tokens"], parts.get("optimizer", {})
        self.best, self.last = (info["best"], info["best_step"], parts["best"]), info["last"]
        self.waited, module.losses = info["waited"], [torch.tensor(loss) for loss in info["losses"]]
        self.plan.set_stages(info["stages"])
        module.flops = info["flops"]
        self.rec.clock.load_state_dict(info["clock"], self.rec.leads)

    @functools.cached_property
    def lineage(self) -> dict[str, Any]:
        """What this run comes from, as it stands when it begins."""
        known = self.parent is not None and self.strategy.pretrained
        origin = data_lineage(
            self.config, self.found, self.train_indices, self.dev_indices, RunFolder(self.rec.home),
            tokenizer=self.tokenizer.fingerprint,
            checkpoint=self.parent.fingerprint if known and self.parent else None,
            parent=self.parent.lineage if known and self.parent else None,
        ) | {"train": self.train.report, "dev": self.dev.report, "contamination": self.contamination()}  # fmt: skip
        recipe = self.parent.lineage.get("recipe") if known and self.parent else None
        return origin | ({"recipe": recipe} if recipe else {})

    def ancestor(self) -> dict[str, Any]:
        """Return the lineage of the encoder that this run starts from; empty where its weights are random."""
        return self.parent.lineage if self.parent and self.strategy.pretrained else {}

    def finish(self) -> dict[str, Any]:
        """Audit, go back to the best-dev weights, score the test set, write everything."""
        config, rec, module, metric = self.config, self.rec, self.module, self.config.task.metric
        assert self.best is not None
        assert self.audit is not None
        verdict, drift = self.audit.verdict(), self.audit.drift()
        counts = {
            f"{group.name}.{name}": parameter.numel()
            for group in module.parameter_groups_in_order
            for name, parameter in group.named_parameters()
        }
        dev, step, weights = self.best
        module.load_state_dict(weights)
        test = self.score_test() if config.test else {}
        rec.event(
            place(module, config.steps, rec.clock)
            | {f"test/{name}": value for name, value in test.items()}
            | {f"drift/{name}": value for name, value in drift.items()}
        )
        if self.went() != self.timeline():
            rec.plan(table(run_name(config), self.plan.names, self.went()))
        if config.keep and rec.leads:
            try:
                self.keep(spent(module, rec.clock))
            except StorageError as error:  # a result that was paid for is not thrown away with it
                rec.not_kept("the checkpoint", error)
        if (not config.test or rec.lost) and rec.leads and config.trainer.num_nodes == 1:
            try:
                best.keep(rec.folder, module, self.audit.moved, config.keep_best)
            except StorageError as error:  # it trains again then
                tell(f"the weights of {rec.run_id} are not kept: {error}")
        threads, device = self.threads * processes.count(), build.device_name(config.trainer)
        return rec.finish(
            common_row(config, rec.folder, self.found, threads, torch.__version__, device)
            | {
                "kind": "control" if self.strategy.control else "transfer",
                "encoder": module.encoder.config.name, "train_size": len(self.train_indices), "lr": config.optim.lr,
                "checkpoint": self.parent.fingerprint if self.parent and self.strategy.pretrained else None,
                "dev": dev, "test": test.get(metric), "best_step": step, "steps": config.steps,
                "train_seconds": rec.clock.train_seconds, "eval_seconds": rec.clock.eval_seconds,
                "cpu_seconds": rec.clock.cpu_seconds, "tokens": module.tokens, "flops": module.flops,
                "trainable_parameters": sum(counts[name] for name in self.audit.moved),
                "total_parameters": sum(counts.values()),
                **ancestors_row(self.ancestor()), "frozen_audit": verdict,
                "collapsed": self.last <= self.lineage["floor"],
                "precision": config.trainer.precision,
            }
        )  # fmt: skip

    def score_test(self) -> dict[str, float]:
        """Score the test set with the weights as they are and write its predictions."""
        test_set = data.encoded_test(self.config, self.found, self.tokenizer)
        with self.rec.clock.evaluation():
            predicted = answers(self.module, test_set, self.reuse.evaluated(test_set))
            scores = score(self.config, self.found.labels, self.found.test, predicted)
        self.rec.predictions(marked(self.config, self.found.test, predicted))
        self.rec.examples(fingerprint(self.found), self.found.test)
        return scores

    def keep(self, own: dict[str, Any]) -> None:
        """Keep the best-dev weights, which cost ``own``, as a checkpoint that `thaw predict` and `thaw export` read."""
        parent = self.parent if self.strategy.pretrained else None
        recipe = transfer_recipe(self.config, parent.lineage if parent else None)
        folder, paid = self.rec.folder.checkpoint, costs(own, self.ancestor())
        lineage = self.lineage | {"steps": self.config.steps, "recipe": recipe} | paid
        checkpoints.save(
            folder, encoder=self.module.encoder, tokenizer=self.tokenizer, lineage=lineage,
            head_state=self.module.head.state_dict(), head_config=self.kept_head(),
            card=redact(transfer_card(self.config, self.best[0] if self.best else None)),
        )  # fmt: skip
        self.rec.artifact(f"model-{self.rec.run_id}", lineage, folder, type="model")
