"""An encoder that looks at its neighbours before anything is learnt; the computation stays BERT's.

A masked piece says nothing of itself, so the first thing a pretraining must find out is that the places beside it
matter; from random positions a small encoder spends millions of tokens on that. Here positions start as sinusoids
(Vaswani et al. 2017, section 3.5), in which a step to the side is a rotation, and query and key of a head as one
projection (mimetic initialisation, Trockman & Kolter 2023), the query turned by the head's offset: the heads of each
layer look one place back, one ahead, two back, two ahead, and so on in turn.
"""

import math

import torch
from torch import Tensor

OFFSETS = (-1, 1, -2, 2)  # places that the heads of a layer look at, in turn
WAVES = (3.0, 60.0)  # shortest and longest wavelength, places
LOUDNESS = 1.5  # size of a position's vector beside a piece's
SHARPNESS = 3.7  # of the attention, the same for every width of a head
ROTARY_SHARPNESS = 5.0  # of the attention of a constant query and key, the same for every width of a head


def positions(count: int, width: int, std: float) -> Tensor:
    """Return sinusoidal position vectors (count, width), ``LOUDNESS`` times as large as normal(0, std) ones."""
    angles = torch.arange(count)[:, None] * _frequencies(width)
    waves = torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)
    waves = torch.nn.functional.pad(waves, (0, width - waves.shape[1]))  # an odd width has one dimension over
    return waves * (LOUDNESS * math.sqrt(2) * std)


def query_and_key(weight: Tensor, heads: int) -> Tensor:
    """Return the query's and the key's weights (2 D, D), drawn from what is random in the query's ``weight`` (D, D)."""
    width = weight.shape[1]
    queries, keys = [], []
    for head, part in enumerate(torch.split(weight, width // heads)):
        scale = SHARPNESS * len(part) ** -0.25
        key = torch.linalg.qr(part.T)[0].T * scale  # (D / H, D), orthogonal rows
        queries.append(key @ _shift(width, OFFSETS[head % len(OFFSETS)]))
        keys.append(key)
    return torch.cat(queries + keys)


def query_and_key_bias(frequencies: Tensor, heads: int) -> Tensor:
    """Return biases (2 D,) of queries and keys under rotary positions of ``frequencies`` (D / H / 2,).

    The key's is constant over the quicker pairs, the query's is that key turned by the head's offset.
    """
    quick = (frequencies > 2 * math.pi / WAVES[1]).float()
    key = quick * ROTARY_SHARPNESS * len(frequencies) ** 0.25 / quick.sum().sqrt()
    queries = []
    for head in range(heads):
        turn = frequencies * OFFSETS[head % len(OFFSETS)]
        queries.append(torch.cat((key * turn.cos(), key * turn.sin())))
    keys = torch.cat((key, torch.zeros_like(key)))
    return torch.cat([*queries, *[keys] * heads])


def _frequencies(width: int) -> Tensor:
    """Return the frequency of each sine-cosine pair, radians a place."""
    pairs = width // 2
    shortest, longest = WAVES
    return 2 * math.pi / shortest * (shortest / longest) ** (torch.arange(pairs) / max(1, pairs - 1))


def _shift(width: int, offset: int) -> Tensor:
    """Return the matrix (D, D) that maps the vector of each place to that of the place ``offset`` further on."""
    matrix = torch.eye(width)
    for pair, frequency in enumerate(_frequencies(width).tolist()):
        sine, cosine = math.sin(frequency * offset), math.cos(frequency * offset)
        at = slice(2 * pair, 2 * pair + 2)
        matrix[at, at] = torch.tensor([[cosine, sine], [-sine, cosine]])
    return matrix
