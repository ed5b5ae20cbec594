"""Masked-word pretraining as contestants: ours through its own Lightning path, Hugging Face's as run_mlm.py sets it up.

Both learn from the same blocks with the same batch and number of parameters; each returns tokens a second in steady
state, the median of the steps of a turn without its first three. One thread is timed by its CPU clock.
"""

import argparse
import contextlib
import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench import inputs
from bench import measure as measuring

SKIPPED = 3  # steps of a turn that are not counted


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a pretraining: its text, its size, its threads."""
    inputs.add(parser)
    parser.add_argument("--encoder", default="mini")
    parser.add_argument("--threads", type=int, default=2)


def rate(ends: list[float], tokens: int) -> float:
    """Return tokens a second from the times at which steps ended."""
    return tokens / float(np.median(np.diff(ends)[SKIPPED - 1 :]))


def settings(encoder: str, words: list[str], **changes: Any) -> Any:
    """Return the config that `thaw pretrain` would compose."""
    from thaw.cli import words as parser
    from thaw.cli.compose import composer

    line = [f"encoder={encoder}", "tokenizer.vocab_size=8192", "budget=1000", "wandb=disabled", *words]
    line += [f"{key.replace('__', '.')}={value}" for key, value in changes.items()]
    with composer("pretrain", parser.parse(line)) as compose:
        return compose.combinations()[0].config


def blocks(config: Any) -> tuple[Any, Any, Any]:
    """Return the tokenizer, the masked blocks to train on and the validation of a config."""
    from thaw.job.blocks import blocks as build_blocks
    from thaw.job.blocks import own_tokenizer
    from thaw.job.identity import corpus_content

    tokenizer = own_tokenizer(config)
    return tokenizer, *build_blocks(config, tokenizer, corpus_content(config))


def prepare(words: list[str]) -> None:
    """Train the tokenizer and write the ids, which contestants would otherwise all do at once."""
    blocks(settings("mini", words))


def module(encoder: Any, head: Any, config: Any, train: Any) -> Any:
    """Return the Lightning module of `thaw pretrain`."""
    from thaw.train.pretrain import PretrainModule

    return PretrainModule(
        encoder, head, config.optim, seed=0, steps=100_000, epoch_steps=train.epoch_steps,
        compile=config.trainer.compile, precision=config.trainer.precision,
    )  # fmt: skip


def ours(encoder: str, words: list[str], steps: int, threads: int, **changes: Any) -> Callable[[], Any]:
    """Return what measures a turn of ``steps`` optimizer steps of `thaw pretrain`."""
    from thaw import build
    from thaw.objective.mlm import MLMHead
    from thaw.strategy.apply import ApplyPlan
    from thaw.strategy.plan import STRATEGIES, Full, Progress
    from thaw.track.cost import Clock
    from thaw.train.interrupt import stoppable
    from thaw.train.loop import Batches, Loop

    config = settings(encoder, words, trainer__threads=threads, **changes)
    build.use_threads(config.trainer)
    tokenizer, train, _ = blocks(config)
    network = build.encoder(config.encoder, tokenizer.vocab_size, 0)
    head = MLMHead(network.config, network.vocab_size, network.word_weight)
    learner = module(network, head, config, train)
    accumulate, tokens = config.trainer.accumulate, config.data.batch_size * config.data.length

    now = measuring.clock(threads)

    def measure() -> tuple[float, float]:
        ends = [now()]
        with stoppable() as stop:
            loop = Loop(
                steps=100_000, looks=(), evaluate=lambda step: {}, record=lambda event: None,
                save=lambda step: None, clock=Clock(), stop=stop, minutes=60, show=None,
                milestones={step: lambda: ends.append(now()) for step in range(1, 100_000)},
            )  # fmt: skip
            plan = ApplyPlan(
                STRATEGIES["full"], Full(), learner.parameter_groups_in_order, learner.rate, Progress(0, 100_000)
            )
            trainer = build.trainer(config.trainer, steps, [plan, loop], find_unused=False)
            batches = Batches(lambda step: train.step(step, accumulate), 0, steps, accumulate)
            trainer.fit(learner, train_dataloaders=batches)
        return rate(ends, tokens), ends[1] - ends[0]

    return measure


def hugging_face(
    encoder: str, words: list[str], steps: int, threads: int, model: dict[str, Any] | None = None, **arguments: Any
) -> Callable[[], Any]:
    """Return what measures a turn of ``steps`` optimizer steps of transformers' Trainer, run_mlm.py's settings.

    ``model`` changes the BertConfig, ``arguments`` the TrainingArguments.
    """
    trainer, tokens = rival(encoder, words, threads, model, **({"max_steps": steps} | arguments))

    now = measuring.clock(threads)

    def measure() -> tuple[float, float]:
        from transformers import TrainerCallback

        ends = [now()]

        class Times(TrainerCallback):  # type: ignore[misc]
            def on_step_end(self, *args: Any, **kwargs: Any) -> None:
                ends.append(now())

        times = Times()
        trainer.add_callback(times)
        with contextlib.redirect_stdout(io.StringIO()):
            trainer.train()
        trainer.remove_callback(times)
        return rate(ends, tokens), ends[1] - ends[0]

    return measure


def rival(
    encoder: str, words: list[str], threads: int, model: dict[str, Any] | None = None, **arguments: Any
) -> tuple[Any, int]:
    """Return transformers' Trainer over our blocks, as run_mlm.py builds it, and the tokens of its step."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(threads)
    config = settings(encoder, words)
    tokenizer, train, _ = blocks(config)
    folder = Path(tempfile.mkdtemp())
    tokenizer.save(folder)
    sizes = config.encoder
    shape = transformers.BertConfig(
        vocab_size=tokenizer.vocab_size, hidden_size=sizes.hidden, num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads, intermediate_size=sizes.intermediate, **(model or {}),
    )  # fmt: skip
    chosen = {
        "per_device_train_batch_size": config.data.batch_size, "learning_rate": 1e-3, "report_to": "none",
        "save_strategy": "no", "disable_tqdm": True, "use_cpu": True, "output_dir": str(folder),
    } | arguments  # fmt: skip
    wrapped = transformers.AutoTokenizer.from_pretrained(folder)
    collate = transformers.DataCollatorForLanguageModeling(wrapped, mlm_probability=0.15)
    trainer = transformers.Trainer(
        transformers.BertForMaskedLM(shape), transformers.TrainingArguments(**chosen),
        data_collator=collate, train_dataset=Lines(train.blocks),
    )  # fmt: skip
    return trainer, config.data.batch_size * config.data.length


class Lines:
    """Our blocks as the data set of ids that run_mlm.py's group_texts would give."""

    def __init__(self, source: Any) -> None:
        self.source = source
        self.ids = source.get(np.arange(source.full))[0].astype(np.int32)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, number: int) -> dict[str, Any]:
        return {"input_ids": self.ids[number].tolist()}
