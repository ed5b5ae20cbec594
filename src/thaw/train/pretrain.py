"""Pretraining: the Lightning module of masked language modelling, its batches and its validation.

Legend: B blocks, T tokens a block, D hidden width, K masked places, V pieces in the vocabulary.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from thaw.encoder.dropout import Rows, rows_of
from thaw.encoder.groups import groups
from thaw.encoder.model import Encoder
from thaw.objective.config import ObjectiveConfig
from thaw.objective.mlm import MLMHead
from thaw.text.masking import mask
from thaw.text.packing import Blocks
from thaw.text.tokenizer import Tokenizer
from thaw.track.cost import training_flops
from thaw.train.config import OptimConfig
from thaw.train.module import Learner, at_rest

FORGET = 8  # steps after which the pages of the ids are given back: a block maps 64 kB around it


@dataclass
class MaskedBatch:
    """A micro-batch: what the encoder sees, and what stood at the masked places."""

    inputs: Tensor  # (B, T) ids
    valid: Tensor | None  # (B, T) False at padding, None: nothing is padded
    positions: Tensor  # (K,) flat indices into B * T
    targets: Tensor  # (K,) ids
    share: float  # weight of one target in the loss of the optimizer step
    tokens: int  # non-padding tokens of this micro-batch in all processes together
    blocks: list[int]  # their numbers, to name a batch
    computed: tuple[int, int] = (0, 0)  # places, masked ones among them, of this micro-batch in all processes together
    rows: Rows | None = None  # which of the step's batch these are; None: all of it

    @property
    def name(self) -> str:
        """What it is made of, for an error message."""
        return f"blocks {', '.join(map(str, self.blocks[:8]))}{', …' if len(self.blocks) > 8 else ''}"

    def to(self, device: Any) -> "MaskedBatch":
        """Move the tensors."""
        valid = None if self.valid is None else self.valid.to(device)
        inputs, positions, targets = (part.to(device) for part in (self.inputs, self.positions, self.targets))
        return replace(self, inputs=inputs, valid=valid, positions=positions, targets=targets)


class MaskedBlocks:
    """Blocks of ids -> masked batches; a pure function of (seed, step)."""

    def __init__(self, blocks: Blocks, tokenizer: Tokenizer, objective: ObjectiveConfig, seed: int, size: int) -> None:
        self.blocks, self.tokenizer, self.objective, self.seed, self.size = blocks, tokenizer, objective, seed, size
        self.epoch_steps = max(1, blocks.full // size)
        self._order: tuple[int, np.ndarray] = (-1, np.empty(0))

    def step(self, step: int, accumulate: int = 1, rank: int = 0, world: int = 1) -> list[MaskedBatch]:
        """Return the micro-batches of an optimizer step for one of ``world`` processes."""
        epoch, place = divmod(step, self.epoch_steps)
        if self._order[0] != epoch:
            self._order = (epoch, np.random.default_rng([self.seed, epoch]).permutation(self.blocks.full))
        chosen = self._order[1][place * self.size : (place + 1) * self.size]
        if step % FORGET == 0:
            self.blocks.file.forget()
        ids, valid, _ = self.blocks.get(chosen)
        inputs, positions, targets = self.masked(ids, valid, chosen, self.seed, epoch)
        count = world * accumulate
        share = count / max(1, len(targets))
        rows = np.array_split(np.arange(len(chosen)), count)
        batches = []
        for first in range(0, count, world):  # what all processes compute at the same micro-batch
            together = np.concatenate(rows[first : first + world])
            part = self.part(inputs, valid, positions, targets, rows[first + rank], share, chosen)
            if count > 1:
                whole = self.part(inputs, valid, positions, targets, together, share, chosen)
                own = Rows(rows[first + rank].tolist(), len(chosen))
                part = replace(part, tokens=whole.tokens, computed=whole.computed, rows=own)
            batches.append(part)
        return batches

    def masked(self, ids: np.ndarray, valid: np.ndarray, numbers: np.ndarray, seed: int, epoch: int) -> Any:
        """Mask blocks (B, T) as the objective says."""
        objective, tokenizer = self.objective, self.tokenizer
        return mask(
            ids, valid, rate=objective.rate, mask_share=objective.mask_share, random_share=objective.random_share,
            unit=objective.unit, mean_span=objective.mean_span, seed=seed, epoch=epoch, blocks=numbers,
            word_start=tokenizer.word_start, mask_id=tokenizer.mask_id, special_ids=tokenizer.special_ids,
            vocab_size=tokenizer.vocab_size,
        )  # fmt: skip

    def part(
        self, inputs: np.ndarray, valid: np.ndarray, positions: np.ndarray, targets: np.ndarray, rows: np.ndarray,
        share: float, numbers: np.ndarray,
    ) -> MaskedBatch:  # fmt: skip
        """Return the micro-batch of some neighbouring rows of masked blocks."""
        length = inputs.shape[1]
        first, last = int(rows[0]) * length, (int(rows[-1]) + 1) * length
        inside = (positions >= first) & (positions < last)
        tokens = int(valid[rows].sum())
        return MaskedBatch(
            torch.from_numpy(inputs[rows]), torch.from_numpy(valid[rows]) if tokens < valid[rows].size else None,
            torch.from_numpy(positions[inside] - first), torch.from_numpy(targets[inside]), share, tokens,
            numbers[rows].tolist(), (inputs[rows].size, int(inside.sum())),
        )  # fmt: skip


class PretrainModule(Learner):
    """An encoder that learns to say which pieces stood at the masked places."""

    def __init__(
        self, encoder: Encoder, head: MLMHead, optim: OptimConfig, *, seed: int, steps: int, epoch_steps: float,
        compile: bool = False, precision: str = "32-true",
    ) -> None:  # fmt: skip
        super().__init__(
            groups(encoder, head), optim, seed=seed, steps=steps, epoch_steps=epoch_steps, precision=precision
        )
        self.encoder, self.head, self.compiled = encoder, head, compile
        self._loss = torch.compile(self.summed_loss) if compile else self.summed_loss

    def training_step(self, batch: MaskedBatch, batch_idx: int) -> Tensor:
        """Return the mean cross-entropy at the masked places of the step."""
        with rows_of(batch.rows):
            loss = self.loss(batch)
        self.must_be_finite("the training loss", loss)
        places, masked = batch.computed
        shape = self.encoder.config
        self.tokens += batch.tokens
        self.flops += training_flops(
            places, layers=shape.layers, hidden=shape.hidden, intermediate=shape.feed_forward,
            length=batch.inputs.shape[1], masked=masked, vocab_size=self.encoder.vocab_size,
        )  # fmt: skip
        return loss

    def loss(self, batch: MaskedBatch) -> Tensor:
        """Cross-entropy of a micro-batch, weighted so that those of a step add up to their mean."""
        if self.compiled:
            for tensor in (batch.positions, batch.targets):  # their number differs from step to step
                torch._dynamo.maybe_mark_dynamic(tensor, 0)
        return self._loss(batch.inputs, batch.valid, batch.positions, batch.targets) * batch.share

    def summed_loss(self, inputs: Tensor, valid: Tensor | None, positions: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy of the pieces at the masked places, summed; the whole of it is compiled, or nothing."""
        return functional.cross_entropy(self.logits(inputs, valid, positions), targets, reduction="sum")

    def logits(self, inputs: Tensor, valid: Tensor | None, positions: Tensor) -> Tensor:
        """Scores (K, V) of the pieces at the masked places."""
        hidden = self.encoder(inputs, valid)[-1]
        logits: Tensor = self.head(hidden.flatten(0, 1)[positions])
        return logits


class Validation:
    """Held-out documents with fixed masks: the same places for every run with this tokenizer and data."""

    def __init__(self, source: MaskedBlocks, size: int, text_bytes: int, text_tokens: int) -> None:
        self.source, self.size, self.text_bytes, self.text_tokens = source, size, text_bytes, text_tokens

    @torch.no_grad()
    def __call__(self, module: PretrainModule) -> dict[str, float]:
        """Return loss (nats a masked piece), accuracy, pseudo-perplexity and masked bits per normalised byte.

        pseudo-perplexity: exp of the loss with 15 % masked at once; Salazar et al. 2020 mask one place at a time.
        bits per byte: the loss of a masked piece times the pieces of the held-out text, over its bytes after
        normalisation. No code length, and comparable within one tokenizer only: pieces of one word help each other, so
        what a piece costs depends on the vocabulary first. `likelihood.WordLikelihood` compares across tokenizers.
        """
        with at_rest(module):
            return self._scored(module)

    def _scored(self, module: PretrainModule) -> dict[str, float]:
        loss, right, count = 0.0, 0, 0
        blocks = self.source.blocks
        for first in range(0, len(blocks), self.size):
            numbers = np.arange(first, min(first + self.size, len(blocks)))
            ids, valid, _ = blocks.get(numbers)
            inputs, positions, targets = self.source.masked(ids, valid, numbers, 0, 0)
            every = np.arange(len(ids))
            batch = self.source.part(inputs, valid, positions, targets, every, 1.0, numbers).to(module.device)
            logits = module.logits(batch.inputs, batch.valid, batch.positions).float()
            loss += float(functional.cross_entropy(logits, batch.targets, reduction="sum"))
            right += int((logits.argmax(-1) == batch.targets).sum())
            count += len(targets)
        mean = loss / max(1, count)
        return {
            "dev/loss": mean,
            "dev/accuracy": right / max(1, count),
            "dev/pseudo_perplexity": math.exp(min(mean, 50.0)),
            "dev/bits_per_byte": mean / math.log(2) * self.text_tokens / max(1, self.text_bytes),
        }
