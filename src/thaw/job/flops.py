"""The analytic FLOPs of a transfer, counted as it goes: each micro-batch by its shape and who learns then."""

from collections.abc import Sequence

from thaw.encoder.config import EncoderConfig
from thaw.strategy.apply import ApplyPlan
from thaw.task.heads import Head
from thaw.track.cost import training_flops


class TransferFlops:
    """Says what a micro-batch costs under the plan in force; a function of the run's identity alone.

    Frozen layers count at every step, whether a cache has their states or not (see `training_flops`).
    """

    def __init__(self, shape: EncoderConfig, head: Head, plan: ApplyPlan) -> None:
        self.shape, self.head, self.plan = shape, head, plan
        chosen = [any(plan.selected(group, name) for name, _ in group.named_parameters()) for group in plan.groups]
        self.chosen = chosen  # whether a group has parameters that may learn at all
        # A step asks for one of few shapes, and has no time to spare.
        self._counts: dict[tuple[object, ...], float] = {}

    def __call__(self, texts: int, length: int) -> float:
        """Return the FLOPs of ``texts`` sequences of ``length`` tokens, padding included."""
        factors = self.plan.factors or []
        asked = texts, length, *factors
        if asked not in self._counts:
            learns = [factor is not None and may for factor, may in zip(factors, self.chosen, strict=True)]
            self._counts[asked] = transfer_flops(
                self.shape, self.head, learns, texts=texts, length=length, weight_gradients=not self.plan.strategy.only
            )
        return self._counts[asked]


def transfer_flops(
    shape: EncoderConfig, head: Head, learns: Sequence[bool], *, texts: int, length: int, weight_gradients: bool = True
) -> float:
    """Return the training FLOPs of one pass over ``texts`` sequences of ``length`` tokens.

    ``learns`` says of each group, embeddings to head, whether anything in it learns; ``weight_gradients=False``: in
    the encoder only biases do.
    """
    tokens = texts * length
    encoder = training_flops(
        tokens, layers=shape.layers, hidden=shape.hidden, intermediate=shape.feed_forward, length=length,
        learns=learns[:-1], weight_gradients=weight_gradients,
        norm_first=shape.dialect == "modern" and weight_gradients,  # its norms have no biases
    )  # fmt: skip
    forward, below = head_flops(head, tokens, texts), any(learns[:-1])
    total = encoder + forward
    if below or learns[-1]:
        total += forward - (0.0 if below or head.mix.mixed else _entry_flops(head, tokens, texts))
    return total + (forward if learns[-1] else 0.0)


def head_flops(head: Head, tokens: float, texts: float) -> float:
    """Return the forward FLOPs of a head: two a weight, for each token or, behind a pooling, for each text."""
    per_token = sum(p.numel() for p in head.lstm.parameters() if p.ndim > 1) if head.lstm is not None else 0
    rest = sum(p.numel() for p in head.parameters() if p.ndim > 1) - per_token
    return 2.0 * (tokens * per_token + (texts if head.pooled else tokens) * rest)


def _entry_flops(head: Head, tokens: float, texts: float) -> float:
    """Return the FLOPs of the products that the encoder's states enter: a frozen encoder needs no gradient of them."""
    if head.lstm is not None:
        return 2.0 * tokens * sum(weight.numel() for weight in head.lstm.entry_weights)
    part = head.pooler or head.between or head.output
    return 2.0 * (texts if head.pooled else tokens) * part.weight.numel()
