"""Transfer: the Lightning module of an encoder with a task's head. It knows nothing of strategies.

Legend: B sequences, T tokens, D hidden width, L layers.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from thaw.encoder.dropout import Rows, rows_of
from thaw.encoder.groups import groups
from thaw.encoder.model import Encoder
from thaw.task.batches import Batch, TrainOrder, collate, eval_batches, eval_tokens
from thaw.task.encode import Encoded
from thaw.task.heads import Head
from thaw.task.predict import predictions
from thaw.train.config import OptimConfig
from thaw.train.features import Features
from thaw.train.module import Learner, at_rest


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
        self.encoder, self.head, self.compiled = encoder, head, compile
        network = torch.compile(encoder, dynamic=True) if compile else encoder
        self.__dict__["network"] = network  # not a submodule: the encoder would be in every state twice
        self.features: Features | None = None  # of the train items, while what they follow from is frozen
        self.cost: Callable[[int, int], float] = lambda texts, length: 0.0  # FLOPs of so many texts of a length, now

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the head's loss, weighted so that the micro-batches of a step add up to its mean."""
        with rows_of(batch.rows):
            outputs = self.outputs(batch, self.features)
        if batch.share == 0:  # it holds no label, whose mean would be of nothing
            loss = outputs.sum() * 0.0
        else:
            loss = self.head.loss(outputs, batch) * (1.0 if batch.share is None else batch.share)
        self.must_be_finite("the training loss", loss)
        texts, length = batch.size
        self.tokens += texts * length
        self.flops += self.cost(texts, length)
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
        with at_rest(self):
            for batch in eval_batches(encoded, eval_tokens(self.device)):
                batch = batch.to(self.device)
                yield batch, self.outputs(batch, features).float()


class TrainBatches:
    """The micro-batches of a step for one process; a pure function of (seed, step)."""

    def __init__(self, encoded: Encoded, batch_size: int, seed: int) -> None:
        self.encoded = encoded
        self.order = TrainOrder(encoded.lengths, batch_size, seed)

    def step(self, step: int, accumulate: int = 1, rank: int = 0, world: int = 1) -> list[Batch]:
        """Return the micro-batches of an optimizer step; every process takes each ``world``-th part.

        All parts are padded to the length of the step's batch. Where there are fewer texts than parts, a part repeats
        the first text, which has no weight and is not counted.
        """
        chosen, count = self.order.batch(step), world * accumulate
        if count == 1:
            return [collate(self.encoded, chosen)]
        length = max(len(self.encoded.items[index].ids) for index in chosen)
        rows = [list(range(place, len(chosen), count)) for place in range(count)]
        parts = [collate(self.encoded, [chosen[row] for row in own or [0]], length) for own in rows]
        units = [part.units if own else 0 for part, own in zip(parts, rows, strict=True)]
        for place, part in enumerate(parts):
            together = rows[place // world * world :][:world]  # what all processes compute at the same micro-batch
            part.share = units[place] * count / max(1, sum(units))
            part.rows = Rows(rows[place] or [0], len(chosen))
            part.texts = sum(len(own) for own in together)
        return parts[rank::world]


def answers(module: TransferModule, encoded: Encoded, features: Features | None = None) -> list[dict[str, Any]]:
    """Return the prediction and scores of each example, in order."""
    outputs: dict[int, Any] = {}
    for batch, logits in module.predict_all(encoded, features):
        outputs.update(zip(batch.index.tolist(), module.head.decode(logits, batch), strict=True))
    return predictions(encoded, outputs)
