"""The shape of an encoder: what a checkpoint must know to rebuild it. No torch here."""

from dataclasses import dataclass

from thaw.errors import ConfigError
from thaw.fields import identity


@dataclass(kw_only=True)
class EncoderConfig:
    """BERT's sizes (Devlin et al. 2019; Turc et al. 2019 for the small ones), or ModernBERT's (Warner et al. 2024)."""

    name: str = identity("mini")
    dialect: str = identity("bert", choices=["bert", "modern"])  # modern: pre-norm, rotary, gated
    layers: int = identity(4, ge=1, le=1000)  # transformer blocks
    hidden: int = identity(256, ge=8, le=65_536)  # width D of a hidden state
    heads: int = identity(4, ge=1, le=65_536)  # attention heads
    intermediate: int = identity(1024, ge=8, le=1_000_000)  # width of the feed-forward layer
    max_positions: int = identity(512, ge=8, le=1_000_000)  # tokens of the longest sequence
    dropout: float = identity(0.0, ge=0, lt=1)  # hidden dropout while pretraining or training from scratch
    attention_dropout: float = identity(0.0, ge=0, lt=1)
    layer_norm_eps: float = identity(1e-12, gt=0)
    segments: int = identity(2, ge=1, le=1000)  # segment (token type) embeddings; 1: none are told apart
    init_std: float = identity(0.02, gt=0)
    init: str = identity("normal", choices=["normal", "local"])  # local: heads look one or two places aside at first

    def __post_init__(self) -> None:
        sizes = (self.hidden, self.heads)  # a "???" of Hydra is no number yet; bounds are checked after this
        if all(isinstance(size, int) and size > 0 for size in sizes) and self.hidden % self.heads:
            raise ConfigError(f"encoder.hidden={self.hidden} must be a multiple of encoder.heads={self.heads}")
        if self.dialect == "modern":
            if all(isinstance(size, int) for size in sizes) and self.hidden // self.heads % 2:
                raise ConfigError(
                    f"encoder.hidden={self.hidden} over encoder.heads={self.heads} must be even to rotate"
                )
            if self.segments != 1:
                raise ConfigError("encoder.dialect=modern tells no segments apart, set encoder.segments=1")

    @property
    def feed_forward(self) -> float:
        """The width of a plain feed-forward layer that costs as many FLOPs: a gate is a third matrix."""
        return self.intermediate * (1.5 if self.dialect == "modern" else 1)
