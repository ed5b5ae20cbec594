"""The analytic FLOPs of a transfer: what is frozen at the bottom is counted forward only, the head like a layer."""

from collections.abc import Set

from thaw.encoder.config import EncoderConfig
from thaw.strategy.plan import Factor
from thaw.task.heads import Head
from thaw.track.cost import encoder_flops, training_flops


def transfer_flops(
    shape: EncoderConfig,
    head: Head,
    plan: list[tuple[int, list[Factor]]],
    *,
    tokens: int,
    steps: int,
    mean_length: float,
    only_biases: bool,
    reused: Set[int] = frozenset(),
    pieces: int = 0,
) -> float:
    """Return the FLOPs of ``tokens`` tokens (padding included) over ``steps`` steps.

    ``plan`` holds (first step, factor of each group) of each stretch of steps; tokens are spread evenly over steps. In
    stretches that begin at a step of ``reused`` the frozen layers ran once over the ``pieces`` of the train items.
    """
    total, ends = 0.0, [first for first, _ in plan[1:]] + [steps]
    for (first, factors), end in zip(plan, ends, strict=True):
        lowest = min(number for number, factor in enumerate(factors) if factor is not None)
        share = tokens * max(0, end - first) / steps
        if first in reused:
            fixed = encoder_flops(max(0, lowest - 1), shape.hidden, shape.feed_forward, round(mean_length))
            total += (pieces - share) * fixed
        total += training_flops(
            share, layers=shape.layers, hidden=shape.hidden, intermediate=shape.feed_forward, length=round(mean_length),
            frozen_layers=max(0, lowest - 1), weight_gradients=not only_biases,
            head_flops=head_flops(head, share, share / max(1.0, mean_length)),
        )  # fmt: skip
    return total


def head_flops(head: Head, tokens: float, texts: float) -> float:
    """Return the forward FLOPs of a head: two a weight, for each token or, behind a pooling, for each text."""
    per_token = sum(p.numel() for p in head.lstm.parameters() if p.ndim > 1) if head.lstm is not None else 0
    rest = sum(p.numel() for p in head.parameters() if p.ndim > 1) - per_token
    return 2.0 * (tokens * per_token + (texts if head.pooled else tokens) * rest)
