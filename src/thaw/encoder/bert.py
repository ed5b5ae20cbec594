"""The transformer encoder: BERT's computation, in our own code.

Legend: B sequences a batch, T tokens a sequence, D hidden width, H heads, L layers, V pieces in the vocabulary.

Decisions: post-norm, learned positions, biases and exact GELU, as BERT; query, key and value in one product; the
vocabulary projection is not here but in the objective; no padding means no mask at all, which is faster; a padded
place is masked by a large finite number, so that a sequence of padding alone gives finite states.
"""

import hashlib

import torch
from torch import Tensor, nn
from torch.nn import functional

from thaw.encoder import local
from thaw.encoder.config import EncoderConfig
from thaw.encoder.dropout import Dropout, dropout
from thaw.errors import ConfigError

_PLAIN_LENGTH = 512  # tokens up to which plain products beat SDPA in half precision on a CPU (measured, no AMX)


def attention_kernel(device_type: str, dtype: torch.dtype, length: int) -> str:
    """Return ``"plain"`` or ``"sdpa"``, whichever is faster for training at this length."""
    half = dtype in (torch.bfloat16, torch.float16)
    return "plain" if device_type == "cpu" and half and length <= _PLAIN_LENGTH else "sdpa"


def attention_bias(valid: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """Turn ``valid`` (B, T) into what is added to the scores, (B, 1, 1, T): 0, or the lowest finite number at padding.

    None where nothing is padded; a GPU is not asked, since that would wait for it.
    """
    if valid is None:
        return None
    if valid.device.type == "cpu" and not torch.compiler.is_compiling() and bool(valid.all()):
        return None
    bias = torch.zeros(valid.shape, dtype=dtype, device=valid.device)
    return bias.masked_fill(~valid.bool(), torch.finfo(dtype).min)[:, None, None, :]


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, share: float) -> Tensor:
    """Scaled dot-product attention of (B, H, T, D / H) tensors (Vaswani et al. 2017, section 3.2.1).

    ``share`` of the weights is dropped.
    """
    bias = None if bias is None else bias.to(query.dtype)
    if attention_kernel(query.device.type, query.dtype, query.shape[-2]) == "sdpa":
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=share)
    return plain_products(query, key, value, bias, share)


def plain_products(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, share: float = 0.0) -> Tensor:
    """Attention by two products, all in the dtype of ``query``; softmax itself computes in float32 and rounds."""
    with torch.autocast(query.device.type, enabled=False):  # its casts would cost more than the products
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        weights = (scores if bias is None else scores + bias).softmax(-1)
        return dropout(weights, share) @ value


class Embeddings(nn.Module):
    """The sum of piece, position and segment vectors, normalised."""

    def __init__(self, config: EncoderConfig, vocab_size: int) -> None:
        super().__init__()
        self.word = nn.Embedding(vocab_size, config.hidden)
        self.position = nn.Embedding(config.max_positions, config.hidden)
        self.segment = nn.Embedding(config.segments, config.hidden)
        self.norm = nn.LayerNorm(config.hidden, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.dropout)

    def forward(self, ids: Tensor, segments: Tensor | None) -> Tensor:
        """Give ids (B, T), segments (B, T) or None for all 0, their first hidden state (B, T, D)."""
        if ids.shape[1] > self.position.num_embeddings:
            raise ConfigError(
                f"a sequence of {ids.shape[1]} tokens is longer than the encoder's max_positions="
                f"{self.position.num_embeddings}, lower the length"
            )
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


class Encoder(nn.Module):
    """IDs to vectors, as BERT computes them (Devlin et al. 2019, section 3).

    Differences from Hugging Face's BertModel: no pooler (it belongs to a head), query, key and value are one matrix.
    """

    def __init__(self, config: EncoderConfig, vocab_size: int) -> None:
        super().__init__()
        self.config, self.vocab_size = config, vocab_size
        with torch.random.fork_rng(devices=[]):  # building an encoder moves no one else's random numbers
            self.embeddings = Embeddings(config, vocab_size)
            self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.reset(0)

    def forward(self, ids: Tensor, valid: Tensor | None = None, segments: Tensor | None = None) -> list[Tensor]:
        """Return the L + 1 hidden states, each (B, T, D), the output of the embeddings first.

        ids (B, T) int64; valid (B, T) bool, False at padding, None for no padding; segments (B, T) int64 or None.
        """
        return self.above(0, self.embeddings(ids, segments), valid)

    def above(self, depth: int, hidden: Tensor, valid: Tensor | None = None) -> list[Tensor]:
        """Return state number ``depth``, which is ``hidden`` (B, T, D), and those of all layers above it."""
        bias = attention_bias(valid, torch.float32)
        states = [hidden]
        for layer in self.layers[depth:]:
            hidden = layer(hidden, bias)
            states.append(hidden)
        return states

    @property
    def word_weight(self) -> nn.Parameter:
        """The piece vectors (V, D), which an objective's output layer shares."""
        weight = self.embeddings.word.weight
        assert isinstance(weight, nn.Parameter)
        return weight

    def reset(self, seed: int) -> None:
        """Draw all weights anew from ``seed``, the same on every device: normal(0, init_std), biases 0, norms 1."""
        reset_weights(self, seed, self.config.init_std, "encoder")
        if self.config.init == "local" and not self.word_weight.is_meta:  # meta: about to be loaded
            self._look_around()

    @torch.no_grad()
    def _look_around(self) -> None:
        """Replace random positions, queries and keys by those of `thaw.encoder.local`."""
        table, width = self.embeddings.position.weight, self.config.hidden
        table.copy_(local.positions(len(table), width, self.config.init_std))
        for layer in self.layers:
            assert isinstance(layer, Layer)
            weight = layer.query_key_value.weight  # (3 D, D)
            weight[: 2 * width] = local.query_and_key(weight[:width].float().cpu(), layer.heads).to(weight)


@torch.no_grad()
def reset_weights(module: nn.Module, seed: int, std: float, stream: str) -> None:
    """Give every linear, embedding and norm below ``module`` BERT's initial weights, drawn from (stream, seed).

    Two modules of one seed need two streams: else the first weights of both are the same numbers.
    """
    digest = hashlib.sha256(f"{stream} {seed}".encode()).digest()
    generator = torch.Generator("cpu").manual_seed(int.from_bytes(digest[:7]))
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Embedding) and not part.weight.is_meta:
            part.weight.copy_(torch.empty(part.weight.shape, device="cpu").normal_(0.0, std, generator=generator))
        if isinstance(part, nn.LayerNorm):
            part.weight.fill_(1.0)
        if isinstance(part, nn.Linear | nn.LayerNorm) and part.bias is not None:
            part.bias.zero_()
