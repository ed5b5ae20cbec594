"""Transfer: the Lightning module of an encoder with a task's head. It knows nothing of strategies.

Legend: B sequences, T tokens, D hidden width, L layers.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from thaw.encoder.groups import groups
from thaw.encoder.model import Encoder
from thaw.task.batches import Batch, TrainOrder, collate, eval_batches, eval_tokens
from thaw.task.encode import Encoded
from thaw.task.heads import Head
from thaw.task.predict import predictions
from thaw.train.config import OptimConfig
from thaw.train.features import Features
from thaw.train.module import Learner


class TransferModule(Learner):
    """An encoder and a head that learn a task together, as far as the strategy lets them."""

    network: Any  # the encoder, compiled or not

    def __init__(
        self, encoder: Encoder, head: Head, optim: OptimConfig, *, seed: int, steps: int, epoch_steps: float,
        compile: bool = False, precision: str = "32-true",
    ) -> None:  # fmt: skip
        super().__init__(
            groups(encoder, head), optim, seed=seed, steps=steps, epoch_steps=epoch_steps, precision=precision
        )
        self.encoder, self.head = encoder, head
        network = torch.compile(encoder, dynamic=True) if compile else encoder
        self.__dict__["network"] = network  # not a submodule: the encoder would be in every state twice
        self.features: Features | None = None  # of the train items, while what they follow from is frozen

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the head's loss, weighted so that the micro-batches of a step add up to its mean."""
        loss = self.head.loss(self.outputs(batch, self.features), batch)
        if batch.share is not None:
            loss = loss * batch.share
        self.must_be_finite("the training loss", loss)
        self.tokens += batch.ids.numel() * self.trainer.world_size
        return loss

    def outputs(self, batch: Batch, features: Features | None = None) -> Tensor:
        """Logits of the head for a batch; from features of its split where there are some."""
        if features is not None:
            return features.logits(self.encoder, self.head, batch)
        logits: Tensor = self.head(self.network(batch.ids, batch.valid, batch.segments), batch.valid)
        return logits

    @torch.no_grad()
    def predict_all(self, encoded: Encoded, features: Features | None = None) -> Iterator[tuple[Batch, Tensor]]:
        """Yield each evaluation batch with its logits, in eval mode; modes are as before afterwards."""
        modes = [(part, part.training) for part in self.modules()]
        self.eval()
        try:
            for batch in eval_batches(encoded, eval_tokens(self.device)):
                batch = batch.to(self.device)
                yield batch, self.outputs(batch, features).float()
        finally:
            for part, mode in modes:
                part.training = mode


class TrainBatches:
    """The micro-batches of a step for one process; a pure function of (seed, step)."""

    def __init__(self, encoded: Encoded, batch_size: int, seed: int) -> None:
        self.encoded = encoded
        self.order = TrainOrder(encoded.lengths, batch_size, seed)

    def step(self, step: int, accumulate: int = 1, rank: int = 0, world: int = 1) -> list[Batch]:
        """Return the micro-batches of an optimizer step; every process takes each ``world``-th part."""
        chosen, count = self.order.batch(step), world * accumulate
        if count == 1:
            return [collate(self.encoded, chosen)]
        parts = [collate(self.encoded, chosen[place::count] or chosen[:1]) for place in range(count)]
        units = [part.units if place < len(chosen) else 0 for place, part in enumerate(parts)]  # 0: only a filler
        for part, own in zip(parts, units, strict=True):
            part.share = torch.tensor(own * count / max(1, sum(units)))
        return parts[rank::world]


def answers(module: TransferModule, encoded: Encoded, features: Features | None = None) -> list[dict[str, Any]]:
    """Return the prediction and scores of each example, in order."""
    outputs: dict[int, Any] = {}
    for batch, logits in module.predict_all(encoded, features):
        outputs.update(zip(batch.index.tolist(), module.head.decode(logits, batch), strict=True))
    return predictions(encoded, outputs)
