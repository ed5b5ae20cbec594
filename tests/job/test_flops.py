"""FLOPs against counts by hand and against torch's counter."""

from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from thaw.encoder.attention import plain_products
from thaw.encoder.config import EncoderConfig
from thaw.encoder.groups import groups
from thaw.encoder.model import Encoder
from thaw.job.flops import TransferFlops, head_flops, transfer_flops
from thaw.strategy.apply import ApplyPlan
from thaw.strategy.plan import STRATEGIES, Progress, Strategy
from thaw.task.head_config import HeadConfig
from thaw.task.heads import Head, build_head
from thaw.task.task import Kind
from thaw.track.cost import encoder_flops

SHAPE = EncoderConfig(layers=2, hidden=8, heads=2, intermediate=16)
FORWARD = 2 * (8 * 8 * 8 + 4 * 8 * 16 + 4 * 10 * 8)  # a token at length 10: two layers
ENTRY = 6 * 8 * 8  # a token: query, key and value of a layer
MODERN = {"dialect": "modern", "segments": 1}
N, Y = False, True


def head(kind: Kind = Kind.classes, **fields: object) -> Head:
    torch.manual_seed(0)
    return build_head(kind, 3, 8, 2, HeadConfig(**fields))  # type: ignore[arg-type]


def flops(learns: list[bool], part: Head) -> float:
    return transfer_flops(SHAPE, part, learns, texts=100, length=10)


def test_heads_behind_a_pooling_count_a_text_the_others_a_token() -> None:
    assert head_flops(head(), 1000, 100) == 2 * 100 * 8 * 3
    assert head_flops(head(Kind.tags), 1000, 100) == 2 * 1000 * 8 * 3
    assert head_flops(head(model="bilstm", hidden=4), 1000, 100) > 2 * 1000 * (4 * 4 * (8 + 4)) * 2


def test_what_is_frozen_is_counted_forward_only() -> None:
    part = head()
    own = head_flops(part, 1000, 100)
    assert flops([Y, Y, Y, Y], part) == 3 * (1000 * FORWARD + own)
    assert flops([N, N, N, Y], part) == 1000 * FORWARD + 2 * own  # nobody wants the gradient of the head's input
    assert flops([N, N, Y, Y], part) == 1000 * (2 * FORWARD - ENTRY) + 3 * own
    assert flops([N, Y, Y, Y], part) == 1000 * (3 * FORWARD - ENTRY) + 3 * own
    assert flops([N, N, N, N], part) == 1000 * FORWARD + own


@pytest.mark.parametrize("dialect", [{}, MODERN])
def test_a_gate_is_counted_as_the_matrix_it_is(dialect: dict[str, Any]) -> None:
    shape = EncoderConfig(layers=2, hidden=8, heads=2, intermediate=16, **dialect)
    matrices = sum(p.numel() for p in Encoder(shape, 20).layers.parameters() if p.ndim == 2)
    assert encoder_flops(2, 8, shape.feed_forward, 10) == 2 * matrices + 2 * 4 * 10 * 8


def staged(lowest: int) -> Strategy:
    """Return a strategy that lets the groups from ``lowest`` on learn."""
    return Strategy(
        STRATEGIES["full"].config, lambda config, names, progress: [None] * lowest + [1.0] * (len(names) - lowest)
    )


PLANS = [
    *[(f"from group {lowest}", staged(lowest)) for lowest in range(5)],
    ("biases", STRATEGIES["bias_only"]),
    ("every second", Strategy(STRATEGIES["full"].config, lambda *_: [None, 1.0, None, 1.0, 1.0])),
    ("embeddings and head", Strategy(STRATEGIES["full"].config, lambda *_: [1.0, None, None, None, 1.0])),
]
HEADS: list[tuple[Kind, dict[str, Any]]] = [
    (Kind.classes, {}), (Kind.tags, {"model": "mlp", "hidden": 5}), (Kind.score, {"pooling": "cls"}),
    (Kind.classes, {"layers": "scalar_mix", "model": "mlp", "hidden": 5}), (Kind.classes, {"layers": "concat_last4"}),
]  # fmt: skip


@pytest.mark.parametrize("dialect", [{}, MODERN], ids=["bert", "modern"])
@pytest.mark.parametrize(("kind", "fields"), HEADS)
@pytest.mark.parametrize(("name", "strategy"), PLANS)
def test_every_plan_counts_what_torch_computes(
    name: str, strategy: Strategy, kind: Kind, fields: dict[str, Any], dialect: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """torch's counter does not see the kernel of attention on a CPU, so attention goes by plain products here."""
    monkeypatch.setattr("thaw.encoder.bert.attend", plain_products)
    monkeypatch.setattr("thaw.encoder.modern.attend", plain_products)
    encoder = Encoder(EncoderConfig(layers=3, hidden=8, heads=2, intermediate=16, **dialect), 30)
    part = build_head(kind, 3, 8, 3, HeadConfig(**fields))
    plan = ApplyPlan(strategy, strategy.config(), groups(encoder, part), lambda step: 1.0, Progress(0, 10))
    plan.apply(torch.optim.SGD([{"params": group.parameters(), "index": i} for i, group in enumerate(plan.groups)]))
    ids, valid = torch.randint(0, 30, (4, 7)), torch.ones(4, 7, dtype=torch.bool)
    with FlopCounterMode(display=False) as counter:
        part(encoder(ids, valid), valid).sum().backward()
    mixing = 0
    if fields.get("layers") == "scalar_mix":  # the weighted sum of four states, as a product of the weights with them
        mixing = 2 * 4 * 4 * 7 * 8 * (3 if any(plan.factors[:-1]) else 2)  # type: ignore[index]
    assert TransferFlops(encoder.config, part, plan)(4, 7) + mixing == counter.get_total_flops()
