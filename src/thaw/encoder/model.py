"""The transformer encoder: the embeddings and layers of its dialect, put together.

Legend: B sequences a batch, T tokens a sequence, D hidden width, L layers, V pieces in the vocabulary.

Decisions: the vocabulary projection is not here but in the objective; weights are drawn from a seed, not from the
global generator.
"""

import hashlib

import torch
from torch import Tensor, nn

from thaw.encoder import bert, modern
from thaw.encoder.attention import attention_bias
from thaw.encoder.config import EncoderConfig
from thaw.errors import ConfigError


class Encoder(nn.Module):
    """IDs to vectors, as BERT (Devlin et al. 2019, section 3) or ModernBERT (Warner et al. 2024) computes them.

    No pooler (it belongs to a head); query, key and value are one matrix.
    """

    def __init__(self, config: EncoderConfig, vocab_size: int) -> None:
        super().__init__()
        self.config, self.vocab_size = config, vocab_size
        with torch.random.fork_rng(devices=[]):  # building an encoder moves no one else's random numbers
            if config.dialect == "modern":
                self.embeddings: bert.Embeddings | modern.Embeddings = modern.Embeddings(config, vocab_size)
                self.layers = nn.ModuleList(modern.Layer(config, number) for number in range(config.layers))
            else:
                self.embeddings = bert.Embeddings(config, vocab_size)
                self.layers = nn.ModuleList(bert.Layer(config) for _ in range(config.layers))
        self.reset(0)

    def forward(self, ids: Tensor, valid: Tensor | None = None, segments: Tensor | None = None) -> list[Tensor]:
        """Return the L + 1 hidden states, each (B, T, D), the output of the embeddings first.

        ids (B, T) int64; valid (B, T) bool, False at padding, None for no padding; segments (B, T) int64 or None.
        """
        if ids.shape[1] > self.config.max_positions:
            raise ConfigError(
                f"a sequence of {ids.shape[1]} tokens is longer than the encoder's max_positions="
                f"{self.config.max_positions}, lower the length"
            )
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
            for part in self.modules():
                if isinstance(part, bert.Embeddings | bert.Layer | modern.Layer):
                    part.look_aside()


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
