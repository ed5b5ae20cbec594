"""The parts of ModernBERT's transformer: embeddings and layers (Warner et al. 2024, section 2.1), in our own code.

Legend: B sequences a batch, T tokens a sequence, D hidden width, H heads, I feed-forward width.

Decisions: pre-norm, the first layer without a norm before attention, rotary positions, a gated GELU, norms and
feed-forward without biases, as ModernBERT; attention has biases, since they are what lets a head look aside before
anything is learnt; every layer sees every place, and the norm after the last layer belongs to that layer.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from thaw.encoder import local
from thaw.encoder.attention import attend
from thaw.encoder.config import EncoderConfig
from thaw.encoder.dropout import Dropout

ROTARY_BASE = 10_000.0  # Su et al. 2021, section 3.3


def frequencies(width: int) -> Tensor:
    """Return the frequency of each pair of dimensions of a head, (width / 2,) radians a place (Su et al. 2021)."""
    return ROTARY_BASE ** (-torch.arange(0, width, 2, dtype=torch.float32) / width)


def rotate(vectors: Tensor) -> Tensor:
    """Turn vectors (B, T, …, H, D / H) by their place in dimension 1, in float32, as transformers does."""
    length, width = vectors.shape[1], vectors.shape[-1]
    places = torch.arange(length, dtype=torch.float32, device=vectors.device)
    angles = places[:, None] * frequencies(width).to(vectors.device)
    shape = (1, length, *[1] * (vectors.ndim - 3), width // 2)
    cosine, sine = angles.cos().view(shape), angles.sin().view(shape)
    first, second = vectors.chunk(2, -1)
    turned = torch.cat((first * cosine - second * sine, second * cosine + first * sine), -1)
    return turned.to(vectors.dtype)


class Embeddings(nn.Module):
    """Piece vectors, normalised; places enter in the layers, segments are not told apart."""

    def __init__(self, config: EncoderConfig, vocab_size: int) -> None:
        super().__init__()
        self.word = nn.Embedding(vocab_size, config.hidden)
        self.norm = nn.LayerNorm(config.hidden, eps=config.layer_norm_eps, bias=False)
        self.dropout = Dropout(config.dropout)

    def forward(self, ids: Tensor, segments: Tensor | None) -> Tensor:
        """Give ids (B, T) their first hidden state (B, T, D); ``segments`` are not looked at."""
        first: Tensor = self.dropout(self.norm(self.word(ids)))
        return first


class Layer(nn.Module):
    """Self-attention, then a gated feed-forward network, each of its normalised input and added to it."""

    def __init__(self, config: EncoderConfig, number: int) -> None:
        super().__init__()
        width, eps = config.hidden, config.layer_norm_eps
        self.heads, self.attention_dropout = config.heads, config.attention_dropout
        self.attention_norm = nn.LayerNorm(width, eps=eps, bias=False) if number else nn.Identity()
        self.query_key_value = nn.Linear(width, 3 * width)
        self.attention_output = nn.Linear(width, width)
        self.attention_output_dropout = Dropout(config.attention_dropout)
        self.feed_forward_norm = nn.LayerNorm(width, eps=eps, bias=False)
        self.up_and_gate = nn.Linear(width, 2 * config.intermediate, bias=False)
        self.down = nn.Linear(config.intermediate, width, bias=False)
        self.dropout = Dropout(config.dropout)
        last = number == config.layers - 1
        self.output_norm = nn.LayerNorm(width, eps=eps, bias=False) if last else nn.Identity()

    @torch.no_grad()
    def look_aside(self) -> None:
        """Give queries and keys the constant parts of `thaw.encoder.local`."""
        bias, width = self.query_key_value.bias, self.down.weight.shape[0]
        bias[: 2 * width] = local.query_and_key_bias(frequencies(width // self.heads), self.heads).to(bias)

    def forward(self, hidden: Tensor, bias: Tensor | None) -> Tensor:
        """Map hidden (B, T, D) to the next hidden (B, T, D); ``bias`` comes from `attention_bias`."""
        batch, length, width = hidden.shape
        fused = self.query_key_value(self.attention_norm(hidden)).view(batch, length, 3, self.heads, -1)
        query, key = rotate(fused[:, :, :2]).permute(2, 0, 3, 1, 4)  # each (B, H, T, D / H)
        value = fused[:, :, 2].transpose(1, 2)
        mixed = attend(query, key, value, bias, self.attention_dropout if self.training else 0.0)
        mixed = self.attention_output(mixed.transpose(1, 2).reshape(batch, length, width))
        hidden = hidden + self.attention_output_dropout(mixed)
        up, gate = self.up_and_gate(self.feed_forward_norm(hidden)).chunk(2, -1)
        hidden = self.output_norm(hidden + self.down(self.dropout(functional.gelu(up) * gate)))
        return hidden
