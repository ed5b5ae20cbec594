"""A small synthetic language with a task of each kind, and configs of runs that take a second or two."""

import json
import random
from pathlib import Path
from typing import Any

from thaw.config import PretrainConfig, TransferConfig
from thaw.encoder.config import EncoderConfig
from thaw.strategy.plan import STRATEGIES
from thaw.task.task import DataConfig, Kind, TaskConfig
from thaw.text.corpus import CorpusConfig
from thaw.text.tokenizer import TokenizerConfig
from thaw.track.config import WandbConfig
from thaw.train.config import CacheConfig, OptimConfig, PretrainDataConfig, TrainerConfig

TOPICS = {
    "sea": "wave salt ship harbour tide sailor anchor storm".split(),
    "farm": "cow barn wheat tractor field hay plough sheep".split(),
    "city": "street tram office tower crowd market bridge lamp".split(),
}
NAMES = "Anna Ben Clara David Emma Felix".split()
GLUE = "the a of and near by with under".split()
ENCODER = {"layers": 2, "hidden": 32, "heads": 2, "intermediate": 64, "max_positions": 64}
METRIC = {Kind.classes: "accuracy", Kind.score: "pearson", Kind.tags: "entity_f1", Kind.span: "f1"}


def sentence(topic: str, draw: random.Random, words: int = 8) -> list[str]:
    """A sentence of a topic: its words among words of all topics."""
    return [draw.choice(TOPICS[topic]) if draw.random() < 0.6 else draw.choice(GLUE) for _ in range(words)]


def example(kind: Kind, draw: random.Random) -> dict[str, Any]:
    """One labelled example of a kind that words can tell."""
    topic = draw.choice(list(TOPICS))
    words = sentence(topic, draw)
    if kind is Kind.classes:
        return {"text": " ".join(words), "label": topic}
    if kind is Kind.score:
        other = sentence(draw.choice(list(TOPICS)), draw)
        share = sum(word in TOPICS["sea"] for word in [*words, *other]) / 16
        return {"text_a": " ".join(words), "text_b": " ".join(other), "label": round(5 * share, 3)}
    place = draw.randrange(len(words))
    words[place] = draw.choice(NAMES)
    if kind is Kind.tags:
        return {"tokens": words, "tags": ["B-PER" if i == place else "O" for i in range(len(words))]}
    context = " ".join(words)
    answer = {"text": words[place], "answer_start": context.index(words[place])}
    return {
        "context": context,
        "qas": [{"id": str(draw.random()), "question": "who is near the ?", "answers": [answer]}],
    }


def write_task(folder: Path, kind: Kind, sizes: tuple[int, int, int] = (80, 40, 40)) -> Path:
    """Write train, dev and test files of a kind."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (split, size) in enumerate(zip(("train", "dev", "test"), sizes, strict=True)):
        draw = random.Random(number)
        rows = [example(kind, draw) for _ in range(size)]
        if kind is Kind.span:
            content = json.dumps({"version": "1.1", "data": [{"title": "t", "paragraphs": rows}]})
            (folder / f"{split}.json").write_text(content)
        else:
            (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def pretraining(corpus_file: Path, root: Path, **fields: Any) -> PretrainConfig:
    """The config of a pretraining that takes a second or two."""
    given: dict[str, Any] = {
        "name": "pretraining",
        "corpus": CorpusConfig(paths=[str(corpus_file)], document="line"),
        "tokenizer": TokenizerConfig(vocab_size=320),
        "encoder": EncoderConfig(name="test", **ENCODER),
        "optim": OptimConfig(lr=3e-3),
        "data": PretrainDataConfig(length=32, batch_size=8, max_held_out=3000),
        "budget": "60",
        "trainer": TrainerConfig(threads=1, progress=False),
        "wandb": WandbConfig(mode="disabled"),
        "runs": str(root / "runs"),
        "cache": CacheConfig(folder=str(root / "cache")),
    }
    return PretrainConfig(**{**given, **fields})


def transfer(
    kind: Kind, path: Path, checkpoint: Path | str | None, root: Path, strategy: str, **fields: Any
) -> TransferConfig:
    """The config of a transfer that takes a second or two."""
    settings = fields.pop("settings", {})
    given: dict[str, Any] = {
        "name": "transfer",
        "checkpoint": None if checkpoint is None else str(checkpoint),
        "task": TaskConfig(name=kind.name, kind=kind, metric=METRIC[kind], path=str(path), max_length=48, stride=8),
        "data": DataConfig(train_size="60", batch_size=8),
        "strategy": STRATEGIES[strategy].config(**settings),
        "optim": OptimConfig(lr=5e-3),
        "steps": 40,
        "eval_every": 20,
        "trainer": TrainerConfig(threads=1, progress=False),
        "wandb": WandbConfig(mode="disabled"),
        "runs": str(root / "runs"),
        "cache": CacheConfig(folder=str(root / "cache")),
    }
    return TransferConfig(**{**given, **fields})
