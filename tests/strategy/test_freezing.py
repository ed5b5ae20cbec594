"""Frozen means frozen: bits, gradients, modes, decay; the audit notices when it does not hold."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from thaw.encoder.config import EncoderConfig
from thaw.encoder.groups import groups
from thaw.encoder.model import Encoder
from thaw.strategy.apply import ApplyPlan
from thaw.strategy.audit import Audit, AuditError
from thaw.strategy.plan import STRATEGIES, Factor, Progress
from thaw.train import optim
from thaw.train.config import OptimConfig

STEPS = 12
NETWORKS = [name for name, strategy in STRATEGIES.items() if strategy.plan]


class Fake:
    """What the callback needs of a trainer and a module: the optimizer and the step."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizers, self.step = [optimizer], 0


def model(dropout: float = 0.5) -> tuple[Encoder, torch.nn.Linear]:
    torch.manual_seed(0)
    config = EncoderConfig(layers=2, hidden=16, heads=2, intermediate=32, max_positions=16, dropout=dropout)
    return Encoder(config, 20), torch.nn.Linear(16, 3)


def train(
    name: str, steps: int = STEPS, observe: bool = True, **fields: Any
) -> tuple[ApplyPlan, Audit, dict[str, torch.Tensor]]:
    """Train on noise for some steps, perhaps observing after each; return the plan, the audit and the first weights."""
    encoder, head = model()
    parts = groups(encoder, head)
    optimizer = optim.build(parts, OptimConfig(lr=0.1, weight_decay=0.5))
    strategy = STRATEGIES[name]
    plan = ApplyPlan(strategy, strategy.config(**fields), parts, lambda step: 0.1, Progress(0, steps))
    audit = Audit(plan, optimizer)
    fake = Fake(optimizer)
    generator = torch.Generator().manual_seed(1)
    for step in range(steps):
        fake.step = step
        plan.on_train_batch_start(fake, fake, None, step)  # type: ignore[arg-type]
        ids = torch.randint(0, 20, (4, 8), generator=generator)
        torch.nn.functional.cross_entropy(head(encoder(ids)[-1][:, 0]), torch.tensor([0, 1, 2, 0])).backward()
        optimizer.step()
        optimizer.zero_grad()
        if observe:
            audit.observe()
    return plan, audit, audit.start


@pytest.mark.parametrize("name", NETWORKS)
def test_frozen_parameters_keep_every_bit_and_the_others_move(name: str) -> None:
    plan, audit, start = train(name, **({"k": 1} if name == "top_k" else {}))
    for group in plan.groups:
        for key, parameter in group.named_parameters():
            full = f"{group.name}.{key}"
            learns = full in audit.moved
            moved = not torch.equal(parameter, start[full])
            assert moved == learns, full
    assert audit.verdict() == ("not_applicable" if name in ("scratch", "full") else "passed")


def test_a_layer_keeps_its_bits_until_it_is_thawed() -> None:
    _, audit, _ = train("gradual_unfreeze", steps=6, every=4)  # layer.1 opens at step 4, layer.0 never
    moved = {name for name, drift in audit.drift().items() if drift > 0}
    assert moved == {"layer.1", "head"}
    assert audit.drift()["layer.0"] == 0.0 < audit.drift()["layer.1"]


def test_bias_only_moves_biases_alone() -> None:
    _, audit, _ = train("bias_only")
    assert all(name.endswith("bias") or name.startswith("head") for name in audit.moved)
    assert any(name.startswith("layer.0") for name in audit.moved)


def test_a_refrozen_group_stops_although_the_optimizer_has_momentum_for_it() -> None:
    encoder, head = model(0.0)
    parts = groups(encoder, head)
    optimizer = optim.build(parts, OptimConfig(lr=0.1))
    plan = ApplyPlan(STRATEGIES["full"], STRATEGIES["full"].config(), parts, lambda step: 0.1, Progress(0, 9))
    plan.apply(optimizer)
    for _ in range(3):
        encoder(torch.ones(2, 4, dtype=torch.int64))[-1].square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    plan.strategy, plan.config = STRATEGIES["frozen"], STRATEGIES["frozen"].config()
    before = {name: p.detach().clone() for name, p in encoder.named_parameters()}
    plan.apply(optimizer)
    for _ in range(3):
        head(encoder(torch.ones(2, 4, dtype=torch.int64))[-1]).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    assert all(torch.equal(p, before[name]) for name, p in encoder.named_parameters())


def test_a_frozen_encoder_gives_equal_features_on_two_passes() -> None:
    plan, _, _ = train("frozen", steps=2)
    encoder = Encoder(EncoderConfig(layers=2, hidden=16, heads=2, intermediate=32, max_positions=16, dropout=0.5), 20)
    parts = groups(encoder, torch.nn.Linear(16, 3))
    frozen = ApplyPlan(plan.strategy, plan.config, parts, plan.rate, plan.progress)
    frozen.apply(optim.build(parts, OptimConfig()))
    ids = torch.ones(2, 8, dtype=torch.int64)
    assert torch.equal(encoder(ids)[-1], encoder(ids)[-1])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda plan: plan.groups[1].modules[0].train(), "layer.0 is in train mode"),
        (lambda plan: plan.groups[1].parameters()[0].requires_grad_(True), "requires_grad is True, declared False"),
        (lambda plan: plan.groups[1].parameters()[0].data.add_(1.0), "never thawed but its weights changed"),
        (lambda plan: plan.groups[-1].parameters()[0].requires_grad_(False), "requires_grad is False, declared True"),
    ],
)
def test_the_audit_fails_when_declared_and_observed_differ(spoil: Any, message: str) -> None:
    plan, audit, _ = train("frozen", steps=1)
    spoil(plan)
    with pytest.raises(AuditError, match=message):
        audit.observe()


def alternating(config: Any, names: Sequence[str], progress: Progress) -> list[Factor]:
    return [1.0 if number % 2 == progress.step % 2 or name == "head" else None for number, name in enumerate(names)]


def test_the_audit_follows_groups_that_are_frozen_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STRATEGIES, "alternating", replace(STRATEGIES["frozen"], plan=alternating))
    plan, audit, _ = train("alternating", steps=5, observe=False)  # evaluations are rarer than changes
    assert audit.verdict() == "passed"
    assert {name.split(".")[0] for name in audit.moved} == {"embeddings", "layer", "head"}
    refrozen = next(group for group, factor in zip(plan.groups, plan.factors or [], strict=True) if factor is None)
    refrozen.parameters()[0].data.add_(1.0)
    with pytest.raises(AuditError, match="was frozen again but its weights changed"):
        audit.observe()


def test_the_audit_misses_no_parameter_of_the_optimizer() -> None:
    encoder, head = model()
    parts = groups(encoder, head)
    plan = ApplyPlan(STRATEGIES["full"], STRATEGIES["full"].config(), parts, lambda step: 0.1, Progress(0, 9))
    with pytest.raises(AuditError, match="the optimizer holds 2 parameters"):
        Audit(plan, torch.optim.SGD(head.parameters(), lr=0.1))
