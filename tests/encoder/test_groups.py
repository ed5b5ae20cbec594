"""The groups hold every parameter of a model exactly once, in the order of the layers."""

import torch
from torch import nn

from thaw.encoder.config import EncoderConfig
from thaw.encoder.groups import groups
from thaw.encoder.model import Encoder
from thaw.objective.mlm import MLMHead

CONFIG = EncoderConfig(name="test", layers=3, hidden=32, heads=4, intermediate=48, max_positions=24)


def test_order_and_conservation():
    encoder, head = Encoder(CONFIG, 60), nn.Linear(32, 3)
    found = groups(encoder, head)
    assert [group.name for group in found] == ["embeddings", "layer.0", "layer.1", "layer.2", "head"]
    total = sum(parameter.numel() for module in (encoder, head) for parameter in module.parameters())
    assert sum(parameter.numel() for group in found for parameter in group.parameters()) == total
    assert found[1].modules == [encoder.layers[0]]


def test_a_shared_weight_belongs_to_the_first_group_only():
    encoder = Encoder(CONFIG, 60)
    head = MLMHead(CONFIG, 60, encoder.embeddings.word.weight)
    found = groups(encoder, head)
    shared = encoder.embeddings.word.weight
    holders = [group.name for group in found if any(parameter is shared for parameter in group.parameters())]
    assert holders == ["embeddings"]
    assert {name for name, _ in found[-1].named_parameters()} == {
        "dense.weight",
        "dense.bias",
        "norm.weight",
        "norm.bias",
        "decoder.bias",
    }


def test_groups_without_a_head():
    assert [group.name for group in groups(Encoder(CONFIG, 60))] == ["embeddings", "layer.0", "layer.1", "layer.2"]
    assert isinstance(groups(Encoder(CONFIG, 60))[0].parameters()[0], torch.Tensor)
