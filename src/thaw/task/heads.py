"""Heads by kind of label: hidden states to logits, loss, decoded outputs.

A head is built under the caller's seed (torch.manual_seed), so that every strategy starts from the same one. Linear
heads on the last layer compute what transformers' BertFor... classes compute, so they export; dropout stands where
BERT has it. B examples, T places, C classes.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from thaw.encoder.dropout import TorchDropout
from thaw.task.batches import Batch
from thaw.task.encode import IGNORE
from thaw.task.head_config import HeadConfig
from thaw.task.lstm import TokenLSTM
from thaw.task.mix import LayerMix, States, max_pool, mean_pool
from thaw.task.task import Kind

ANSWER_LENGTH = 30  # pieces of the longest answer that is looked for (run_squad.py: max_answer_length)
INIT_STD = 0.02  # of the output layer, as BERT's


class Head(nn.Module):
    """Features of the chosen layers, a model over them, an output layer; the kind decides pooling and loss."""

    mean: Tensor  # of train's scores; both for score only
    std: Tensor

    def __init__(self, kind: Kind, outputs: int, encoder_hidden: int, encoder_layers: int, config: HeadConfig) -> None:
        super().__init__()
        self.kind, self.config = kind, config
        self.state_indices = config.state_indices(encoder_layers)  # the only states that forward() looks at
        self.pooled = kind in (Kind.classes, Kind.score)
        self.mix = LayerMix(self.state_indices, encoder_hidden, config.layers == "scalar_mix")
        width = self.mix.width
        self.summary_width = 3 * width if config.pooling == "concat" else width
        self.lstm = TokenLSTM(width, config.hidden, config.dropout) if config.model == "bilstm" else None
        width = self.lstm.width if self.lstm is not None else width
        self.pooler: nn.Linear | None = None
        if self.pooled and config.pooling == "concat":
            width *= 3
        elif self.pooled and config.pooling == "cls" and self.lstm is None:
            self.pooler = nn.Linear(width, width)
            nn.init.xavier_uniform_(self.pooler.weight)
            nn.init.zeros_(self.pooler.bias)
        self.between = nn.Linear(width, config.hidden) if config.model == "mlp" else None
        self.dropout = TorchDropout(config.dropout)
        self.output = nn.Linear(config.hidden if self.between is not None else width, outputs)
        nn.init.normal_(self.output.weight, std=INIT_STD)
        nn.init.zeros_(self.output.bias)
        if kind is Kind.score:
            self.register_buffer("mean", torch.zeros(()))
            self.register_buffer("std", torch.ones(()))

    def set_scale(self, mean: float, std: float) -> None:
        """Store mean and standard deviation of train's scores: the head learns standard scores, speaks raw ones."""
        self.mean.fill_(mean)
        self.std.fill_(std if std > 0 else 1.0)

    @property
    def summarises(self) -> bool:
        """Whether a text comes down to one vector before anything learns: it can be computed once for all steps."""
        return self.pooled and self.lstm is None and not self.mix.mixed

    def forward(self, states: States, valid: Tensor) -> Tensor:
        """Return logits: classes (B, C), score (B,) on the raw scale, tags (B, T, C), span (B, T, 2)."""
        if self.summarises:
            return self.answer(self.summary(states, valid))
        features = self.mix(states)
        last = None
        if self.lstm is not None:
            features, last = self.lstm(self.dropout(features), valid)
        return self.answer(self._pool(features, valid, last) if self.pooled else features)

    def summary(self, states: States, valid: Tensor) -> Tensor:
        """Return the one vector of each text (B, F), for a head that `summarises`; nothing in here learns."""
        return self._pool(self.mix(states), valid, None)

    def answer(self, features: Tensor) -> Tensor:
        """Return the logits of features: (B, F) of a summary, or (B, T, F)."""
        if self.pooler is not None:
            features = torch.tanh(self.pooler(features))
        features = self.dropout(features)
        if self.between is not None:
            features = self.dropout(functional.gelu(self.between(features)))
        logits: Tensor = self.output(features)
        if self.kind is Kind.score:
            logits = logits.squeeze(-1) * self.std + self.mean
        return logits

    def _pool(self, features: Tensor, valid: Tensor, last: Tensor | None) -> Tensor:
        """Return one vector a text: [CLS], the mean, or [cls; max; mean] (ULMFiT, Howard and Ruder 2018, 3.3)."""
        if self.config.pooling == "mean":
            return mean_pool(features, valid)
        first = features[:, 0] if last is None else last  # a BiLSTM's summary is its last states, not place 0
        if self.config.pooling == "concat":
            return torch.cat([first, max_pool(features, valid), mean_pool(features, valid)], -1)
        return first

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Return the mean loss of a labelled batch; on standard scores for score."""
        assert batch.labels is not None, "a loss needs labels"
        return LOSSES[self.kind](self, logits.float(), batch)

    def decode(self, logits: Tensor, batch: Batch) -> list[Any]:
        """Return one output an item, for predictions(): probabilities (C,), a number, tag numbers (T,), a span."""
        return DECODERS[self.kind](self, logits.detach().float(), batch)


def build_head(kind: Kind, num_labels: int, encoder_hidden: int, encoder_layers: int, config: HeadConfig) -> Head:
    """Return the head of a kind; ``num_labels`` counts for classes and tags only."""
    outputs = {Kind.classes: num_labels, Kind.score: 1, Kind.tags: num_labels, Kind.span: 2}[kind]
    return Head(kind, outputs, encoder_hidden, encoder_layers, config)


def _class_loss(head: Head, logits: Tensor, batch: Batch) -> Tensor:
    return functional.cross_entropy(logits, batch.labels)  # type: ignore[arg-type]


def _score_loss(head: Head, logits: Tensor, batch: Batch) -> Tensor:
    assert batch.labels is not None
    return torch.square((logits - batch.labels) / head.std).mean()


def _tag_loss(head: Head, logits: Tensor, batch: Batch) -> Tensor:
    assert batch.labels is not None
    return functional.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), ignore_index=IGNORE)


def _span_log_probabilities(logits: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return log probabilities (B, T) of start and end over the context and place 0, which says "not in here"."""
    assert batch.context is not None
    allowed = batch.context.clone()
    allowed[:, 0] = True
    masked = logits.masked_fill(~allowed.unsqueeze(-1), float("-inf"))
    start, end = masked.log_softmax(1).unbind(-1)
    return start, end


def _span_loss(head: Head, logits: Tensor, batch: Batch) -> Tensor:
    assert batch.labels is not None
    both = zip(_span_log_probabilities(logits, batch), batch.labels.unbind(-1), strict=True)
    return sum((functional.nll_loss(scores, places) for scores, places in both), logits.new_zeros(())) / 2


def _class_decode(head: Head, logits: Tensor, batch: Batch) -> list[Any]:
    return list(logits.softmax(-1).cpu().numpy())


def _score_decode(head: Head, logits: Tensor, batch: Batch) -> list[Any]:
    return logits.cpu().tolist()


def _tag_decode(head: Head, logits: Tensor, batch: Batch) -> list[Any]:
    return list(logits.argmax(-1).cpu().numpy())


def _span_decode(head: Head, logits: Tensor, batch: Batch) -> list[Any]:
    """Return (start, end, score) of each item's best span: inside the context, start <= end, at most 30 pieces.

    The score is the sum of log probabilities, so a window that leans to "not in here" loses to one that does not
    (run_squad.py compares raw logits). -inf where the window has no context.
    """
    assert batch.context is not None
    start, end = _span_log_probabilities(logits, batch)
    outside = ~batch.context
    start, end = start.masked_fill(outside, float("-inf")), end.masked_fill(outside, float("-inf"))
    length = start.shape[1]
    scores = start.unsqueeze(2) + end.unsqueeze(1)  # (B, T, T)
    ahead = torch.arange(length, device=logits.device)
    distance = ahead.unsqueeze(0) - ahead.unsqueeze(1)
    scores = scores.masked_fill((distance < 0) | (distance >= ANSWER_LENGTH), float("-inf"))
    best, place = scores.flatten(1).max(1)
    return [
        (where // length, where % length, value)
        for where, value in zip(place.cpu().tolist(), best.cpu().tolist(), strict=True)
    ]


LOSSES: dict[Kind, Callable[[Head, Tensor, Batch], Tensor]] = {
    Kind.classes: _class_loss,
    Kind.score: _score_loss,
    Kind.tags: _tag_loss,
    Kind.span: _span_loss,
}
DECODERS: dict[Kind, Callable[[Head, Tensor, Batch], list[Any]]] = {
    Kind.classes: _class_decode,
    Kind.score: _score_decode,
    Kind.tags: _tag_decode,
    Kind.span: _span_decode,
}
