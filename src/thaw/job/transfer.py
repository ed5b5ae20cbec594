"""The transfer job: a task's subset, an encoder, a head, a strategy; the row says how it went and what it cost."""

import math
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from thaw import build
from thaw.config import TransferConfig, as_dict, identity, strategies
from thaw.encoder import checkpoint as checkpoints
from thaw.encoder.bert import Encoder
from thaw.errors import ConfigError
from thaw.job import data
from thaw.job.card import transfer_card
from thaw.job.finished import finished
from thaw.job.flops import transfer_flops
from thaw.job.identity import tokenizer_content, transfer_id
from thaw.job.outcome import common_row, data_lineage, majority_score, run_name, score
from thaw.job.record import Record, record
from thaw.strategy.apply import ApplyPlan
from thaw.strategy.audit import Audit
from thaw.strategy.plan import Factor, NetworkConfig, Progress, timeline
from thaw.strategy.show import table
from thaw.task.encode import Encoded, encode
from thaw.task.head_config import HeadConfig
from thaw.task.heads import Head, build_head
from thaw.task.subset import choose
from thaw.task.task import Kind
from thaw.text.tokenizer import Tokenizer
from thaw.train import state
from thaw.train.interrupt import stoppable
from thaw.train.loop import Batches, Loop, place
from thaw.train.progress import Bar
from thaw.train.transfer import TrainBatches, TransferModule, answers


def run(config: TransferConfig) -> dict[str, Any]:
    """Run or resume a transfer and return its row."""
    path = Path(config.runs) / config.name / transfer_id(config)
    if (done := finished(path, config.keep)) is not None:
        return done
    kind = "control" if strategies()[config.strategy.name].control else "transfer"
    with record(
        path, as_dict(config), config.wandb, name=run_name(config), job_type=kind,
        group=f"{config.name}/{config.task.name}-{config.strategy.name}-n{config.data.train_size}",
        tags=[config.task.name, config.strategy.name],
    ) as rec:  # fmt: skip
        return Transfer(config, rec).run()


class Transfer:
    """One transfer, from config to row."""

    def __init__(self, config: TransferConfig, rec: Record) -> None:
        assert isinstance(config.strategy, NetworkConfig)
        self.config, self.rec, self.settings = config, rec, config.strategy
        self.strategy = strategies()[config.strategy.name]
        self.threads = build.use_threads(config.trainer)
        self.parent = build.checkpoint(config.checkpoint) if config.checkpoint else None
        self.tokenizer = self.parent.tokenizer if self.parent else self.given_tokenizer()
        encoder = self.encoder()
        if config.task.max_length > encoder.config.max_positions:
            most = encoder.config.max_positions
            raise ConfigError(f"task.max_length={config.task.max_length} is more than the encoder's {most} positions")
        self.found = data.splits(config)
        self.train_indices, dev_indices = choose(self.found, config.data, config.task.kind, config.seed)
        self.train_examples = [self.found.train[i] for i in self.train_indices]
        self.dev_examples = [self.found.dev[i] for i in dev_indices]
        self.train, self.dev = (self.encode(part) for part in (self.train_examples, self.dev_examples))
        self.batches = TrainBatches(self.train, config.data.batch_size, config.seed)
        self.module = TransferModule(
            encoder, self.head(encoder), config.optim, seed=config.seed, steps=config.steps,
            epoch_steps=self.batches.order.steps_per_epoch, compile=config.trainer.compile,
        )  # fmt: skip
        groups = self.module.parameter_groups_in_order
        progress = Progress(0, config.steps, self.batches.order.steps_per_epoch)
        self.plan = ApplyPlan(self.strategy, self.settings, groups, self.module.rate, progress)
        self.best: tuple[float, int, dict[str, Tensor]] | None = None
        self.last, self.waited = math.nan, 0
        self.audit: Audit | None = None

    def given_tokenizer(self) -> Tokenizer:
        """Return the tokenizer of a run without a checkpoint."""
        config = self.config.tokenizer
        assert config is not None
        fields = {"tokenizer": tokenizer_content(config, identity(config))}
        return build.tokenizer(config, None, fields, Path(self.config.cache))

    def encoder(self) -> Encoder:
        """Return the encoder the strategy starts from."""
        config, dropout = self.config, self.settings.dropout
        if self.strategy.pretrained:
            assert self.parent is not None
            return self.parent.encoder(dropout=dropout)
        shape = self.parent.encoder_config if self.parent else config.encoder
        size = self.parent.vocab_size if self.parent else self.tokenizer.vocab_size
        assert shape is not None
        return build.encoder(shape, size, config.seed, dropout)

    def head_config(self) -> HeadConfig:
        """Return the head the strategy asks for; a plain linear one unless it says otherwise."""
        names = {"model", "layers", "hidden", "pooling", "dropout"}
        return HeadConfig(**{key: value for key, value in vars(self.settings).items() if key in names})

    def head(self, encoder: Encoder) -> Head:
        """Return a new head, the same for every strategy with this seed."""
        task, labels = self.config.task, self.found.labels or []
        torch.manual_seed(self.config.seed)
        head = build_head(task.kind, len(labels), encoder.config.hidden, encoder.config.layers, self.head_config())
        if task.kind is Kind.score:
            scores = torch.tensor([float(example.label or 0.0) for example in self.train_examples])
            head.set_scale(float(scores.mean()), float(scores.std(unbiased=False)))
        return head

    def encode(self, examples: list[Any]) -> Encoded:
        """Return examples as ids."""
        return encode(examples, self.config.task, self.tokenizer, self.found.labels)

    def run(self) -> dict[str, Any]:
        """Train, choose by dev, score the test set once; return the row."""
        config, rec, module = self.config, self.rec, self.module
        self.resume()
        rec.begin(self.lineage(), module.start)
        self.tell()
        if self.parent and self.strategy.pretrained:
            name = self.parent.lineage.get("run_id") or self.parent.fingerprint[:10]
            rec.artifact(f"encoder-{name}", self.parent.lineage, str(config.checkpoint), used=True)
        with stoppable() as stop, Bar(run_name(config), config.steps, config.trainer.progress and rec.leads) as bar:
            bar.start_at(module.start)
            loop = Loop(
                steps=config.steps, eval_every=config.eval_every, evaluate=self.evaluate, record=rec.event,
                save=self.save_state, clock=rec.clock, stop=stop, minutes=config.trainer.checkpoint_minutes, show=bar,
            )  # fmt: skip
            trainer = build.trainer(config.trainer, config.steps - module.start, [self.plan, loop], find_unused=True)
            accumulate = config.trainer.accumulate
            steps = Batches(
                lambda step: self.batches.step(step, accumulate, trainer.global_rank, trainer.world_size),
                module.start, config.steps, accumulate,
            )  # fmt: skip
            if len(steps):
                trainer.fit(module, train_dataloaders=steps)
                module.to(trainer.strategy.root_device)  # Lightning leaves the model on the CPU
        rec.clock.stop()
        row = self.finish()
        stop.leave()
        return row

    def tell(self) -> None:
        """Show and record the plan; warn of truncated texts."""
        text = table(run_name(self.config), self.plan.names, self.timeline())
        self.rec.plan(text)
        if self.config.trainer.progress and self.rec.leads:
            print(text, file=sys.stderr)
            if self.train.report["warning"]:
                print(f"note: {self.train.report['warning']}", file=sys.stderr)

    def timeline(self) -> list[tuple[int, list[Factor]]]:
        """Return the plan of the whole run."""
        config = self.config
        return timeline(self.strategy, self.settings, self.plan.names, config.steps, self.plan.progress.epoch_steps)

    def evaluate(self, step: int) -> dict[str, float]:
        """Score dev, keep the best weights, tell the plan when dev stops improving, audit what is frozen."""
        module, metric = self.module, self.config.task.metric
        if self.audit is None:
            self.audit = Audit(self.plan, module.trainer.optimizers[0])
        if self.plan.factors is not None:
            self.audit.observe()
        metrics = score(self.config, self.found.labels, self.dev_examples, answers(module, self.dev))
        self.last = metrics[metric]
        if self.best is None or self.last > self.best[0]:
            self.best, self.waited = (self.last, step, self.weights()), 0
        else:
            self.waited += 1
            if self.waited >= max(1, getattr(self.settings, "every", 1)):
                self.plan.advance_stage()
                self.waited = 0
        return {f"dev/{name}": value for name, value in metrics.items()}

    def weights(self) -> dict[str, Tensor]:
        """Return a copy of all weights."""
        return {name: value.detach().clone() for name, value in self.module.state_dict().items()}

    def save_state(self, step: int) -> None:
        """Write what a resume needs."""
        assert self.best is not None
        assert self.audit is not None
        if not self.rec.leads:
            return
        parts = {
            "model": self.weights(), "best": self.best[2], "start": self.audit.start,
            "optimizer": state.optimizer_tensors(self.module.trainer.optimizers[0]),
        }  # fmt: skip
        info = {
            "step": step, "tokens": self.module.tokens, "clock": self.rec.clock.state_dict(), "best": self.best[0],
            "best_step": self.best[1], "stages": self.plan.advanced, "waited": self.waited, "last": self.last,
            "moved": sorted(self.audit.moved), "losses": [float(loss) for loss in self.module.losses],
        }  # fmt: skip
        state.save(self.rec.folder.training_state, parts, info)

    def resume(self) -> None:
        """Go on where an interrupted run stopped, if it did."""
        found = state.load(self.rec.folder.training_state)
        if found is None:
            return
        parts, info = found
        module = self.module
        optimizer = module.configure_optimizers()  # only to audit against the first weights
        self.audit = Audit(self.plan, optimizer)
        self.audit.start, self.audit.moved = parts["start"], set(info["moved"])
        module.load_state_dict(parts["model"])
        module.start, module.tokens, module.moments = info["step"], info["tokens"], parts.get("optimizer", {})
        self.best, self.last = (info["best"], info["best_step"], parts["best"]), info["last"]
        self.waited, module.losses = info["waited"], [torch.tensor(loss) for loss in info["losses"]]
        self.plan.set_stages(info["stages"])
        self.rec.clock.load_state_dict(info["clock"])

    def lineage(self) -> dict[str, Any]:
        """What this run comes from."""
        known = self.parent is not None and self.strategy.pretrained
        return data_lineage(
            self.config, self.found, self.train_indices, self.rec.run_id, tokenizer=self.tokenizer.fingerprint,
            checkpoint=self.parent.fingerprint if known and self.parent else None,
            parent=self.parent.lineage if known and self.parent else None,
        ) | {"train": self.train.report, "dev": self.dev.report}  # fmt: skip

    def flops(self) -> float:
        """Return the training FLOPs of the plan as it went."""
        rows = self.timeline()
        if getattr(self.settings, "unfreeze", "") == "plateau":
            begins = [0, *self.plan.advanced]
            rows = [(first, factors) for first, (_, factors) in zip(begins, rows, strict=False)]
        return transfer_flops(
            self.module.encoder.config, self.module.head, rows, tokens=self.module.tokens, steps=self.config.steps,
            mean_length=self.train.report["mean_length"], only_biases=self.strategy.only == "bias",
        )  # fmt: skip

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
        test_set = data.encoded_test(config, self.found, self.tokenizer)
        with rec.clock.evaluation():
            found = answers(module, test_set)
            test = score(config, self.found.labels, self.found.test, found)
        rec.event(
            place(module, config.steps, rec.clock)
            | {f"test/{name}": value for name, value in test.items()}
            | {f"drift/{name}": value for name, value in drift.items()}
        )
        rec.predictions(found)
        if config.keep and rec.leads:
            self.keep()
        floor = majority_score(config, self.found, self.train_examples, self.dev_examples)
        parent = self.parent.lineage if self.parent and self.strategy.pretrained else {}
        return rec.finish(
            common_row(config, rec.run_id, self.threads, torch.__version__)
            | {
                "kind": "control" if self.strategy.control else "transfer",
                "encoder": module.encoder.config.name, "train_size": len(self.train_indices), "lr": config.optim.lr,
                "checkpoint": self.parent.fingerprint if self.parent and self.strategy.pretrained else None,
                "dev": dev, "test": test[metric], "best_step": step, "steps": config.steps,
                "train_seconds": rec.clock.train_seconds, "eval_seconds": rec.clock.eval_seconds,
                "cpu_seconds": rec.clock.cpu_seconds, "tokens": module.tokens, "flops": self.flops(),
                "trainable_parameters": sum(counts[name] for name in self.audit.moved),
                "total_parameters": sum(counts.values()),
                "pretrain_run": parent.get("run_id"), "pretrain_seconds": parent.get("seconds"),
                "pretrain_flops": parent.get("flops"), "frozen_audit": verdict, "collapsed": self.last <= floor,
                "precision": config.trainer.precision,
            }
        )  # fmt: skip

    def keep(self) -> None:
        """Keep the best-dev weights as a checkpoint that `thaw predict` and `thaw export` read."""
        head, task = self.module.head, self.config.task
        config = {
            "kind": task.kind.name, "labels": self.found.labels, "task": as_dict(task), **vars(self.head_config()),
        }  # fmt: skip
        checkpoints.save(
            self.rec.folder.checkpoint, encoder=self.module.encoder, tokenizer=self.tokenizer,
            head_state=head.state_dict(), head_config=config, lineage=self.lineage(),
            card=transfer_card(self.config, self.best[0] if self.best else None),
        )  # fmt: skip
