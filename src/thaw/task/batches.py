"""Items to batches: training order as a pure function of (seed, step), evaluation by a budget of tokens.

Batches group items of like length inside shuffled pools, and are padded to their own longest item.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from thaw.encoder.dropout import Rows
from thaw.task.encode import IGNORE, Encoded
from thaw.task.task import Kind

POOL = 32  # batches sorted by length together at most
POOLS = 4  # pools an epoch of fewer than half as many batches has at least: sorted by length, so few would never mix
MIX = 0.12  # where one pool is a whole epoch, lengths are taken up to 6 % longer or shorter, so that batches change
CPU_TOKENS = 2048  # places of an evaluation batch whose states stay in the caches: a third faster than 8192


@dataclass(kw_only=True)
class Batch:
    """Items padded to T, the length of the longest."""

    ids: Tensor  # (B, T) int64
    valid: Tensor  # (B, T) bool, False at padding
    segments: Tensor  # (B, T) int64
    index: Tensor  # (B,) int64, numbers of the items
    labels: Tensor | None  # classes (B,) int64, score (B,) float32, tags (B, T) int64, span (B, 2) int64
    context: Tensor | None = None  # (B, T) bool, span: where an answer may lie
    share: float | None = None  # weight of this micro-batch's mean loss in that of the step; None: alone
    rows: Rows | None = None  # which of the step's batch these are; None: all of it
    texts: int | None = None  # of this micro-batch in all processes together; None: its own

    @property
    def units(self) -> int:
        """How many labels the mean loss is over."""
        assert self.labels is not None
        return int((self.labels != IGNORE).sum()) if self.labels.ndim == 2 and self.context is None else len(self.ids)

    @property
    def size(self) -> tuple[int, int]:
        """How many sequences are computed at this micro-batch in all processes, and their length with padding."""
        return len(self.ids) if self.texts is None else self.texts, self.ids.shape[1]

    @property
    def name(self) -> str:
        """What it is made of, for an error message."""
        numbers = self.index.tolist()
        return f"examples {', '.join(map(str, numbers[:8]))}{', …' if len(numbers) > 8 else ''} of the train set"

    def to(self, device: torch.device | str) -> "Batch":
        """Return the batch on ``device``."""
        moved: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            moved[field.name] = value.to(device) if isinstance(value, Tensor) else value
        return Batch(**moved)


class TrainOrder:
    """Which items make up the batch of a step: a pure function of (seed, step), so resuming needs nothing else.

    An epoch is a seeded permutation; what does not fill a batch is left out of that epoch. Fewer items than a batch
    are one batch.
    """

    def __init__(self, lengths: NDArray[np.int64], batch_size: int, seed: int) -> None:
        self.lengths = lengths
        self.batch_size = min(batch_size, len(lengths))
        self.seed = seed
        self.steps_per_epoch = len(lengths) // self.batch_size
        self._epoch: tuple[int, list[list[int]]] | None = None  # the epoch at hand, to not sort at every step

    def batch(self, step: int) -> list[int]:
        """Return the item numbers of the batch at ``step`` (from 0)."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if self._epoch is None or self._epoch[0] != epoch:
            self._epoch = (epoch, self._batches(epoch))
        return self._epoch[1][place]

    def _batches(self, epoch: int) -> list[list[int]]:
        generator = np.random.default_rng([self.seed, epoch])
        order = generator.permutation(len(self.lengths))[: self.steps_per_epoch * self.batch_size]
        few = self.steps_per_epoch < POOL // 2
        size = self.batch_size * (max(1, self.steps_per_epoch // POOLS) if few else POOL)
        mix = MIX if len(order) <= size else 0.0
        batches: list[list[int]] = []
        for start in range(0, len(order), size):
            pool = order[start : start + size]
            about = self.lengths[pool] * (1 + mix * (generator.random(len(pool)) - 0.5))
            pool = pool[np.argsort(about, kind="stable")]
            batches += pool.reshape(-1, self.batch_size).tolist()
        return [batches[number] for number in generator.permutation(len(batches))]


def collate(encoded: Encoded, indices: list[int], length: int = 0) -> Batch:
    """Return the batch of the items ``indices``, padded to the longest of them, or to ``length`` if that is more."""
    items = [encoded.items[index] for index in indices]
    shape = (len(items), max(length, *(len(item.ids) for item in items)))
    ids = np.full(shape, encoded.pad_id, np.int64)
    valid, segments = np.zeros(shape, bool), np.zeros(shape, np.int64)
    for row, item in enumerate(items):
        ids[row, : len(item.ids)], valid[row, : len(item.ids)] = item.ids, True
        segments[row, : len(item.ids)] = item.segments
    context = None
    if encoded.kind is Kind.span:
        context = np.zeros(shape, bool)
        for row, item in enumerate(items):
            assert item.offsets is not None
            context[row, : len(item.ids)] = item.offsets[:, 0] >= 0
    labels = None
    if all(item.label is not None for item in items):
        if encoded.kind is Kind.tags:
            labels = np.full(shape, IGNORE, np.int64)
            for row, item in enumerate(items):
                labels[row, : len(item.ids)] = item.label
        else:
            labels = np.array([item.label for item in items], np.float32 if encoded.kind is Kind.score else np.int64)
    return Batch(
        ids=torch.from_numpy(ids),
        valid=torch.from_numpy(valid),
        segments=torch.from_numpy(segments),
        index=torch.tensor(indices, dtype=torch.int64),
        labels=None if labels is None else torch.from_numpy(labels),
        context=None if context is None else torch.from_numpy(context),
    )


def eval_tokens(device: torch.device) -> int:
    """Return the places of an evaluation batch that suit a device."""
    return CPU_TOKENS if device.type == "cpu" else 8192


def eval_batches(encoded: Encoded, tokens: int = 8192) -> Iterator[Batch]:
    """Yield every item once, longest first, at most ``tokens`` places (with padding) a batch; index tells which."""
    lengths = encoded.lengths
    batch: list[int] = []
    for index in np.argsort(-lengths, kind="stable").tolist():
        if batch and (len(batch) + 1) * lengths[batch[0]] > tokens:
            yield collate(encoded, batch)
            batch = []
        batch.append(index)
    if batch:
        yield collate(encoded, batch)
