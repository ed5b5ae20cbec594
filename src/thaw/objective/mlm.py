"""Masked language modelling: from hidden states at masked places to scores over the vocabulary.

Decision: the head sees only the masked places, (K, D): projecting all of them costs about 40 % of a step for nothing.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from thaw.encoder.config import EncoderConfig
from thaw.encoder.model import reset_weights

TIED = "decoder.weight"  # the encoder's own piece vectors: never saved or restored with the head


class MLMHead(nn.Module):
    """BERT's masked-word head: dense, GELU, norm, then the piece vectors as the output layer (Devlin et al. 2019).

    The output layer shares its weight with the embeddings (Press and Wolf 2017) and has a bias of its own, which is
    the only one in ModernBERT's dialect.
    """

    def __init__(self, config: EncoderConfig, vocab_size: int, word_weight: nn.Parameter) -> None:
        super().__init__()
        self.init_std = config.init_std
        with torch.random.fork_rng(devices=[]):
            biased = config.dialect != "modern"
            self.dense = nn.Linear(config.hidden, config.hidden, bias=biased)
            self.norm = nn.LayerNorm(config.hidden, eps=config.layer_norm_eps, bias=biased)
            with torch.device("meta"):
                self.decoder = nn.Linear(config.hidden, vocab_size, bias=False)
        self.decoder.weight = word_weight
        self.decoder.bias = nn.Parameter(torch.zeros(vocab_size, device=word_weight.device))
        self.reset(0)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map hidden (K, D) at the masked places to logits (K, V)."""
        logits: Tensor = self.decoder(self.norm(functional.gelu(self.dense(hidden))))
        return logits

    @torch.no_grad()
    def reset(self, seed: int) -> None:
        """Draw the head's own weights anew from ``seed``; the shared piece vectors stay."""
        reset_weights(self.dense, seed, self.init_std, "mlm")
        reset_weights(self.norm, seed, self.init_std, "mlm")
        self.decoder.bias.zero_()

    def own_state(self) -> dict[str, Tensor]:
        """Return the state without the shared weight."""
        return {name: value for name, value in self.state_dict().items() if name != TIED}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Load what `own_state` gave, exactly."""
        self.load_state_dict({**state, TIED: self.decoder.weight})
