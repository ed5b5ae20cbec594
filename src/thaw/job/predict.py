"""The job of `thaw predict`: a transferred checkpoint labels the texts of a file."""

from pathlib import Path
from typing import Any

from thaw.encoder import checkpoint as checkpoints
from thaw.errors import ConfigError
from thaw.job.tell import tell
from thaw.task.encode import encode
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
    saved = dict(found.head_config)
    task = TaskConfig(**{**saved.pop("task"), "kind": Kind[saved["kind"]], "path": file})
    labels, kind = saved.pop("labels"), Kind[saved.pop("kind")]
    encoder = found.encoder(dropout=0.0)
    head = build_head(kind, len(labels or []), encoder.config.hidden, encoder.config.layers, HeadConfig(**saved))
    head.load_state_dict(found.head_state)
    module = TransferModule(encoder, head, OptimConfig(), seed=0, steps=1, epoch_steps=1)
    examples = read_examples(file, task)
    encoded = encode(examples, task, found.tokenizer, labels)
    if encoded.report["warning"]:
        tell(f"{file}: {encoded.report['warning']}")
    made = answers(module, encoded)
    if kind is Kind.classes:
        for one in made:
            one["scores"] = dict(zip(labels, one["scores"], strict=True))
    return made
