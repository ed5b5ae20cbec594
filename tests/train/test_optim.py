"""Optimizer groups, and Muon against what defines it."""

from typing import Any

import pytest
import torch

from thaw.encoder.config import EncoderConfig
from thaw.encoder.groups import groups
from thaw.encoder.model import Encoder
from thaw.train import optim
from thaw.train.config import OptimConfig


@pytest.fixture
def parts() -> list:
    return groups(Encoder(EncoderConfig(layers=1, hidden=16, heads=2, intermediate=32), 20), torch.nn.Linear(16, 3))


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_every_parameter_is_in_one_group_and_only_matrices_decay(parts: list, name: str) -> None:
    optimizer = optim.build(parts, OptimConfig(name=name, weight_decay=0.3))
    members = [p for group in optimizer.param_groups for p in group["params"]]
    assert len(members) == len({id(p) for p in members}) == sum(len(part.parameters()) for part in parts)
    for group in optimizer.param_groups:
        assert {p.ndim > 1 for p in group["params"]} == {group["weight_decay"] == 0.3}
        owned = {id(p) for p in parts[group["index"]].parameters()}
        assert {id(p) for p in group["params"]} <= owned


def test_embeddings_and_head_learn_at_their_share_of_the_rate(parts: list) -> None:
    optimizer = optim.build(parts, OptimConfig(lr=0.1, embeddings=0.05, head=10))
    rates = {group["index"]: group["lr"] for group in optimizer.param_groups}
    assert rates == {0: pytest.approx(0.005), 1: 0.1, 2: pytest.approx(1.0)}


def test_a_run_in_bfloat16_orthogonalises_in_it(parts: list) -> None:
    steps = []
    for precision in ("32-true", "bf16-mixed"):
        torch.manual_seed(0)
        weight = parts[1].parameters()[0]
        before = weight.detach().clone()
        optimizer = optim.build(parts, OptimConfig(name="muon", lr=0.1), precision)
        weight.grad = torch.randn_like(weight)
        optimizer.step()
        steps.append(weight.detach() - before)
        weight.data.copy_(before)
    assert not torch.equal(*steps)
    assert torch.cosine_similarity(steps[0].flatten(), steps[1].flatten(), dim=0) > 0.995


def test_adam_inside_muon_is_torchs_adamw() -> None:
    torch.manual_seed(0)
    one, two = torch.nn.Linear(5, 3), torch.nn.Linear(5, 3)
    two.load_state_dict(one.state_dict())
    fields = {"orthogonal": 0, "weight_decay": 0.1, "lr": 0.01}
    ours = optim.Muon([{"params": list(one.parameters()), **fields}], lr=0.01, betas=(0.9, 0.98), eps=1e-8)
    torchs = torch.optim.AdamW(two.parameters(), lr=0.01, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.1)
    for _ in range(5):
        x = torch.randn(4, 5)
        for layer, optimizer in ((one, ours), (two, torchs)):
            optimizer.zero_grad()
            layer(x).square().sum().backward()
            optimizer.step()
    torch.testing.assert_close(one.weight, two.weight)
    torch.testing.assert_close(one.bias, two.bias)


@pytest.mark.parametrize("shape", [(16, 16), (32, 16), (16, 48)])
def test_newton_schulz_brings_all_singular_values_near_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(optim.orthogonalise(torch.randn(shape)))
    assert 0.6 < values.min() < values.max() < 1.3  # the quintic's own range: Jordan et al. 2024


@pytest.mark.parametrize("dialect", [{}, {"dialect": "modern", "segments": 1}])
def test_muon_cuts_only_fused_weights_in_parts(dialect: dict[str, Any]) -> None:
    config = EncoderConfig(layers=1, hidden=16, heads=2, intermediate=48, **dialect)  # `up` is as large as the fused
    layers = groups(Encoder(config, 20), torch.nn.Linear(16, 3))
    optimizer = optim.build(layers, OptimConfig(name="muon"))
    cut = {name: p for name, p in layers[1].named_parameters() if p.ndim == 2}
    in_parts = {id(p): group["orthogonal"] for group in optimizer.param_groups for p in group["params"]}
    assert {name: in_parts[id(p)] for name, p in cut.items()} == {
        name: 3 if "query_key_value" in name else 2 if "gate" in name else 1 for name in cut
    }


def test_muon_treats_query_key_and_value_apart() -> None:
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.zeros(48, 16))
    optimizer = optim.Muon([{"params": [weight], "orthogonal": 3, "weight_decay": 0.0}], 1.0, (0.9, 0.98), 1e-8)
    weight.grad = torch.cat([torch.randn(16, 16) * scale for scale in (1.0, 100.0, 0.01)])
    optimizer.step()
    sizes = [float(part.norm()) for part in weight.detach().split(16)]
    assert max(sizes) / min(sizes) < 1.3  # one product of all three would give 100:1
