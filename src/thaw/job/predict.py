"""The job of `thaw predict`: a transferred checkpoint labels the texts of a file."""

from pathlib import Path
from typing import Any

import torch

from thaw.encoder import checkpoint as checkpoints
from thaw.errors import ConfigError, DataError, StorageError
from thaw.fields import check
from thaw.job.tell import tell
from thaw.task.encode import encode
from thaw.task.example import pairs
from thaw.task.head_config import HeadConfig
from thaw.task.heads import build_head
from thaw.task.read import read_examples
from thaw.task.task import Kind, TaskConfig
from thaw.train.config import OptimConfig
from thaw.train.transfer import TransferModule, answers


def run(folder: str, file: str) -> list[dict[str, Any]]:
    """Return the answer for each example of ``file``: ``{"prediction", "scores"}``, with label names for classes."""
    found = checkpoints.load(Path(folder))
    if found.head_config is None or found.head_state is None:
        raise ConfigError(f"{folder} has no head, keep one with `thaw transfer … keep=true`")
    encoder = found.encoder(dropout=0.0)
    try:
        task, labels, shape = _read(dict(found.head_config), file)
        with torch.device("meta"):  # no memory for a head that is none
            head = build_head(task.kind, len(labels), encoder.config.hidden, encoder.config.layers, shape)
        head.load_state_dict(found.head_state, assign=True)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, ConfigError) as error:
        reason = str(error).partition("\n")[0].rstrip(":")
        path = Path(folder) / checkpoints.HEAD_CONFIG
        raise StorageError(f"damaged file: {path} describes no head of these weights ({reason}), restore it") from error
    module = TransferModule(encoder, head, OptimConfig(), seed=0, steps=1, epoch_steps=1)
    examples, reading = read_examples(file, task)
    for note in reading:
        tell(note)
    if found.head_config.get("pairs", pairs(examples)) != pairs(examples):
        learned, given = ("pairs of texts", "single texts")[:: 1 if found.head_config["pairs"] else -1]
        raise DataError(f"{file} has {given}, the model in {folder} was trained on {learned}: give it those")
    encoded = encode(examples, task, found.tokenizer, labels)
    if encoded.report["warning"]:
        tell(f"{file}: {encoded.report['warning']}")
    made = answers(module, encoded)
    if task.kind is Kind.classes:
        for one in made:
            one["scores"] = dict(zip(labels, one["scores"], strict=True))
    return made


def _read(saved: dict[str, Any], file: str) -> tuple[TaskConfig, list[str], HeadConfig]:
    """Return task, labels and shape of a kept head."""
    kind, labels = Kind[saved.pop("kind")], saved.pop("labels") or []
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise TypeError("labels that are no list of texts")
    saved.pop("pairs", None)
    task = TaskConfig(**{**saved.pop("task"), "kind": kind, "path": file})
    shape = HeadConfig(**saved)
    for config in (task, shape):
        check(config)
    return task, labels, shape
