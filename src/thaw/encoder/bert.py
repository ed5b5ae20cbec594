"""The parts of BERT's transformer: embeddings and layers (Devlin et al. 2019, section 3), in our own code.

Legend: B sequences a batch, T tokens a sequence, D hidden width, H heads.

Decisions: post-norm, learned positions, biases and exact GELU, as BERT; query, key and value in one product.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from thaw.encoder import local
from thaw.encoder.attention import attend
from thaw.encoder.config import EncoderConfig
from thaw.encoder.dropout import Dropout


class Embeddings(nn.Module):
    """The sum of piece, position and segment vectors, normalised."""

    def __init__(self, config: EncoderConfig, vocab_size: int) -> None:
        super().__init__()
        self.word = nn.Embedding(vocab_size, config.hidden)
        self.position = nn.Embedding(config.max_positions, config.hidden)
        self.segment = nn.Embedding(config.segments, config.hidden)
        self.norm = nn.LayerNorm(config.hidden, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.dropout)
        self.init_std = config.init_std

    @torch.no_grad()
    def look_aside(self) -> None:
        """Replace random positions by those of `thaw.encoder.local`."""
        table = self.position.weight
        table.copy_(local.positions(len(table), table.shape[1], self.init_std))

    def forward(self, ids: Tensor, segments: Tensor | None) -> Tensor:
        """Give ids (B, T), segments (B, T) or None for all 0, their first hidden state (B, T, D)."""
        single = segments is None or self.segment.num_embeddings == 1  # an encoder that tells no segments apart
        segment = self.segment.weight[0] if single else self.segment(segments)
        hidden = self.word(ids) + segment + self.position.weight[: ids.shape[1]]
        first: Tensor = self.dropout(self.norm(hidden))
        return first


class Layer(nn.Module):
    """Self-attention, then a feed-forward network, each added to its input and normalised."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.heads, self.attention_dropout = config.heads, config.attention_dropout
        self.query_key_value = nn.Linear(config.hidden, 3 * config.hidden)
        self.attention_output = nn.Linear(config.hidden, config.hidden)
        self.attention_norm = nn.LayerNorm(config.hidden, eps=config.layer_norm_eps)
        self.up = nn.Linear(config.hidden, config.intermediate)
        self.down = nn.Linear(config.intermediate, config.hidden)
        self.output_norm = nn.LayerNorm(config.hidden, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.dropout)

    @torch.no_grad()
    def look_aside(self) -> None:
        """Replace random queries and keys by those of `thaw.encoder.local`."""
        weight = self.query_key_value.weight  # (3 D, D)
        width = weight.shape[1]
        weight[: 2 * width] = local.query_and_key(weight[:width].float().cpu(), self.heads).to(weight)

    def forward(self, hidden: Tensor, bias: Tensor | None) -> Tensor:
        """Map hidden (B, T, D) to the next hidden (B, T, D); ``bias`` comes from `attention_bias`."""
        batch, length, width = hidden.shape
        fused = self.query_key_value(hidden).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = fused.permute(2, 0, 3, 1, 4)  # each (B, H, T, D / H)
        mixed = attend(query, key, value, bias, self.attention_dropout if self.training else 0.0)
        mixed = self.attention_output(mixed.transpose(1, 2).reshape(batch, length, width))
        hidden = self.attention_norm(hidden + self.dropout(mixed))
        hidden = self.output_norm(hidden + self.dropout(self.down(functional.gelu(self.up(hidden)))))
        return hidden
