"""The pretraining job: text -> tokenizer -> blocks -> encoder -> checkpoint folder and result row."""

import copy
import functools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from thaw import __version__, build
from thaw.config import PretrainConfig
from thaw.encoder import checkpoint as checkpoints
from thaw.encoder.model import Encoder
from thaw.errors import StorageError
from thaw.fields import as_dict
from thaw.job import again, length, resume
from thaw.job.blocks import blocks, own_tokenizer
from thaw.job.card import pretrain_card
from thaw.job.costs import costs, spent
from thaw.job.finished import finished, missing, on_the_way
from thaw.job.identity import checkpoint_content, corpus_content, pretrain_id
from thaw.job.links import corpus_links
from thaw.job.passages import passages
from thaw.job.process import process
from thaw.job.recipe import pretrain_recipe
from thaw.job.record import Record, record
from thaw.job.source import source
from thaw.job.tell import tell
from thaw.objective.mlm import MLMHead
from thaw.storage import write_text
from thaw.strategy.apply import ApplyPlan
from thaw.strategy.plan import STRATEGIES, Full, Progress
from thaw.track.cost import host, peak_rss_bytes
from thaw.track.epoch import RESULTS
from thaw.track.lineage import lineage
from thaw.train import processes, state
from thaw.train.budget import parse_budget
from thaw.train.evaluations import regular_steps
from thaw.train.interrupt import Stop
from thaw.train.launch import together
from thaw.train.likelihood import WordLikelihood
from thaw.train.loop import Batches, Loop
from thaw.train.pretrain import PretrainModule
from thaw.train.progress import Bar
from thaw.train.world import world


def run(config: PretrainConfig) -> dict[str, Any]:
    """Run or resume a pretraining and return its row."""
    path = Path(config.runs) / config.name / pretrain_id(config)
    again.settle(path, world(config.trainer).leads)
    if (done := finished(path, config)) is not None:
        return done
    if (row := finished(path)) is not None:
        asked = ",".join(missing(path, config.save_at))
        finished_without = f"{row['run_id']} is finished without save_at=[{asked}]"
        tell(f"{finished_without}: it trains again to keep them, its result stays until then")
    with process(config.trainer) as (here, stop), record(
        path, as_dict(config), config.wandb, leads=here.leads
    ) as rec:  # fmt: skip
        return Pretraining(config, rec, stop).run()


class Pretraining:
    """One pretraining, from config to checkpoint."""

    def __init__(self, config: PretrainConfig, rec: Record, stop: Stop) -> None:
        self.config, self.rec, self.stop = config, rec, stop
        build.require(config.trainer)
        self.threads = build.use_threads(config.trainer)
        self.corpus_sha = corpus_content(config)
        self.parent = build.checkpoint(config.checkpoint) if config.checkpoint else None
        self.tokenizer = self.parent.tokenizer if self.parent else own_tokenizer(config)
        self.train, self.validation = blocks(config, self.tokenizer, self.corpus_sha)
        self.passages = passages(config, self.tokenizer, self.corpus_sha, self.validation.source.blocks)
        self.scored: dict[str, float] = {}  # the newest scores on held-out text, with their step
        self.step_tokens = config.data.batch_size * self.train.blocks.mean_tokens
        self.encoder, self.head = self.network()
        if config.piece_vectors == "counts" and rec.leads and not state.generations(rec.folder.training_state):
            self.count_pieces()
        self.steps = self.count_steps()
        self.module = self.new_module(self.encoder, self.head, self.steps)

    def network(self) -> tuple[Encoder, MLMHead]:
        """Return encoder and head: the parent's where there is one, else random ones."""
        config = self.config
        if self.parent:
            encoder = self.parent.encoder(dropout=config.encoder.dropout)
        else:
            encoder = build.encoder(config.encoder, self.tokenizer.vocab_size, config.seed)
        head = MLMHead(encoder.config, encoder.vocab_size, encoder.word_weight)
        head.reset(config.seed)
        if self.parent and self.parent.mlm_state:
            head.restore(self.parent.mlm_state)
        return encoder, head

    def new_module(self, encoder: Encoder, head: MLMHead, steps: int) -> PretrainModule:
        """Return the Lightning module."""
        config = self.config
        return PretrainModule(
            encoder, head, config.optim, seed=config.seed, steps=steps, epoch_steps=self.train.epoch_steps,
            compile=config.trainer.compile, precision=config.trainer.precision,
        )  # fmt: skip

    def count_steps(self) -> int:
        """Turn the budget into optimizer steps; a time budget is measured once and the number is kept."""
        kept = self.rec.folder.read("steps.json")
        while kept is None and not self.rec.leads and parse_budget(self.config.budget)[0] == "seconds":
            time.sleep(0.2)  # all processes take the steps that the first one measures
            kept = self.rec.folder.read("steps.json")
        if kept:
            return int(kept["steps"])
        measured: dict[str, float] = {}

        def measure() -> float:
            module = self.new_module(copy.deepcopy(self.encoder), copy.deepcopy(self.head), steps=1_000_000)
            measured["seconds_per_step"] = length.seconds_per_step(self.config, module, self.train)
            return measured["seconds_per_step"]

        steps = length.steps(self.config, self.step_tokens, measure, self.rec.clock.train_seconds)
        if measured and self.rec.leads:
            write_text(self.rec.folder.path / "steps.json", json.dumps({"steps": steps, **measured}) + "\n")
        return steps

    def count_pieces(self) -> None:
        """Let the piece vectors start from co-occurrence counts of the train documents, on the training clock."""
        from thaw.encoder.counts import piece_vectors  # scikit-learn: 0.3 s and 76 MB that other runs do without

        source, clock = self.train.blocks, self.rec.clock
        clock.start()
        vocab_size, width = self.encoder.word_weight.shape
        with threadpool_limits(self.threads):
            vectors, seen = piece_vectors(source.file, source.documents, vocab_size, width, self.config.seed)
        weight, known = self.encoder.word_weight, torch.from_numpy(seen)
        with torch.no_grad():
            weight[known] = torch.from_numpy(vectors[seen]) * self.encoder.config.init_std
        clock.stop()

    def run(self) -> dict[str, Any]:
        """Train, validate, save; return the row."""
        config, rec, module = self.config, self.rec, self.module
        self.resume()
        rec.begin(self.lineage(), module.start)
        self.tell()
        milestones = self.milestones()
        title = f"pretrain {self.encoder.config.name} {self.train.blocks.full * config.data.length / 1e6:.1f}M tokens"
        bar = Bar(title, self.steps, config.trainer.progress and rec.leads)
        bar.start_at(module.start)
        loop = Loop(
            steps=self.steps,
            looks=regular_steps(self.steps, length.eval_every(config, self.steps, self.step_tokens)),
            evaluate=self.evaluate, record=rec.event, save=self.save_state, clock=rec.clock,
            stop=self.stop, minutes=config.trainer.checkpoint_minutes, milestones=milestones, show=bar,
        )  # fmt: skip
        plan = ApplyPlan(
            STRATEGIES["full"], Full(), module.parameter_groups_in_order, module.rate, Progress(0, self.steps)
        )
        if 0 in milestones and module.start == 0:
            milestones[0]()
        left = self.steps - module.start
        trainer = build.trainer(config.trainer, left, [plan, loop], find_unused=False, stop=self.stop)
        batches = Batches(self.make(trainer), module.start, self.steps, config.trainer.accumulate)
        with together(trainer):
            if len(batches):
                with bar:
                    trainer.fit(module, train_dataloaders=batches)
            rec.clock.stop()
            self.stop.note()
            return self.finish()

    def evaluate(self, step: int) -> dict[str, float]:
        """Return the scores on held-out text; after the last step also the one that compares across tokenizers."""
        scores = self.validation(self.module)
        if step == self.steps and self.passages is not None:
            scores |= WordLikelihood(self.passages, self.tokenizer, self.config.data.length)(self.module)
        self.scored = {"step": step, **scores}
        return scores

    def tell(self) -> None:
        """Say what of the corpus was not read as it stands, or lies elsewhere."""
        if self.rec.leads and (note := corpus_links(self.config.corpus)):
            tell(note)
        read = self.train.blocks.file.meta.get("read") or {}
        words = {"excluded": "hold held-out texts and are left out", "cut": "continue longer ones, which were cut"}
        for key, what in words.items():
            if read.get(key) and self.rec.leads:
                tell(f"{read[key]} of the corpus' documents {what}")
        if self.passages is None and self.rec.leads:
            folder = Path(self.config.cache.folder) / "tokens"
            tell(f"the ids in {folder} are not those of the corpus' text: no word_bits_per_byte, delete it to have one")

    def make(self, trainer: Any) -> Any:
        """Return the function from step to micro-batches of this process."""
        accumulate = self.config.trainer.accumulate
        return lambda step: self.train.step(step, accumulate, trainer.global_rank, trainer.world_size)

    def milestones(self) -> dict[int, Callable[[], None]]:
        """Steps at which intermediate checkpoints are saved."""

        def save(names: list[str]) -> None:
            for name in names:
                try:
                    self.save_checkpoint(self.rec.folder.path / "checkpoints" / name)
                except StorageError as error:
                    self.rec.not_kept(on_the_way(name), error)

        due = length.milestones(self.config, self.steps, self.step_tokens)
        kept, start = self.rec.folder.path / "checkpoints", self.module.start
        passed = [name for step, names in due.items() for name in names if step < start and not (kept / name).exists()]
        if passed and self.rec.leads:
            tell(f"save_at=[{','.join(passed)}] lies before step {start}, where the run goes on: not kept")
        return {step: functools.partial(save, names) for step, names in due.items()}

    def save_checkpoint(self, folder: Path) -> None:
        """Write the encoder as it is now."""
        if not self.rec.leads:
            return
        held_out = self.scored if self.scored.get("step") == self.module.step else None
        recipe = pretrain_recipe(self.config, self.parent.lineage if self.parent else None, folder, self.steps)
        lineage = self.lineage() | self.cost() | {"held_out": held_out, "recipe": recipe}
        checkpoints.save(
            folder, encoder=self.encoder, tokenizer=self.tokenizer, mlm_head=self.head, lineage=lineage,
            card=pretrain_card(self.config, self.encoder.config, lineage),
        )  # fmt: skip

    def lineage(self) -> dict[str, Any]:
        """What this encoder comes from."""
        checkpoint = checkpoint_content(self.config.checkpoint) if self.config.checkpoint else None
        made = lineage(
            self.rec.run_id, tokenizer=self.tokenizer.fingerprint, corpus=self.corpus_sha, checkpoint=checkpoint,
            parent=self.parent.lineage if self.parent else None, source=source(),
        )  # fmt: skip
        about = self.passages.about(self.tokenizer) if self.passages is not None else None
        return made | {"read": self.train.blocks.file.meta.get("read"), "passages": about}

    def cost(self) -> dict[str, Any]:
        """What this pretraining has cost so far, its parent's included."""
        about = {"seed": self.config.seed, "encoder": self.encoder.config.name, "steps": self.module.step}
        return about | costs(spent(self.module, self.rec.clock), self.parent.lineage if self.parent else {})

    def save_state(self, step: int) -> int:
        """Write what a resume needs; return the step from which the run would go on."""
        module = self.module
        parts = {"model": module.state_dict(), "optimizer": state.optimizer_tensors(module.trainer.optimizers[0])}
        losses = [float(loss) for loss in module.losses]
        counts = {"tokens": module.tokens, "flops": module.flops, "clock": self.rec.clock.state_dict()}
        info = {"step": step, "losses": losses, **counts}
        return resume.save(self.rec, self.config, parts, info)

    def resume(self) -> None:
        """Go on where an interrupted run stopped, if it did."""
        found = resume.load(self.rec, self.config)
        if found is None:
            return
        parts, info = found
        self.module.load_state_dict(parts["model"])
        self.module.start, self.module.tokens, self.module.moments = info["step"], info["tokens"], parts["optimizer"]
        self.module.losses = [torch.tensor(loss) for loss in info["losses"]]
        self.module.flops = info["flops"]
        self.rec.clock.load_state_dict(info["clock"], self.rec.leads)

    def finish(self) -> dict[str, Any]:
        """Save the checkpoint and the row."""
        config, rec = self.config, self.rec
        self.save_checkpoint(rec.folder.checkpoint)
        if not rec.leads:
            return {}
        rec.write_events()
        scores = [event for event in rec.folder.events() if "dev/loss" in event]
        best = min(scores, key=lambda event: event["dev/loss"])
        cost, parameters = self.cost(), sum(p.numel() for p in self.module.parameters())
        rec.artifact(f"encoder-{rec.run_id}", {**self.lineage(), **cost}, rec.folder.checkpoint)
        return rec.finish(
            {
                "run_id": rec.run_id, "name": config.name, "kind": "pretrain", "encoder": self.encoder.config.name,
                "checkpoint": checkpoints.fingerprint(rec.folder.checkpoint), "seed": config.seed,
                "lr": config.optim.lr, "metric": "bits_per_byte", "dev": scores[-1]["dev/bits_per_byte"],
                "best_step": best["step"], "steps": self.steps, "train_seconds": rec.clock.train_seconds,
                "eval_seconds": rec.clock.eval_seconds, "cpu_seconds": rec.clock.cpu_seconds,
                "tokens": cost["own"]["tokens"], "flops": cost["own"]["flops"], "peak_rss_bytes": peak_rss_bytes(),
                "trainable_parameters": parameters, "total_parameters": parameters,
                "threads": self.threads * processes.count(), "host": host(), "torch": torch.__version__,
                "precision": config.trainer.precision, "thaw_version": __version__, "results": RESULTS,
                "source": source(), "device": build.device_name(config.trainer),
                "word_bits_per_byte": scores[-1].get("dev/word_bits_per_byte"),
            }
        )  # fmt: skip
