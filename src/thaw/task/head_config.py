"""The shape of a head: which layers it reads, what model it is, how tokens become one vector. No torch here."""

from dataclasses import dataclass

from thaw.errors import ConfigError
from thaw.fields import identity


@dataclass(kw_only=True)
class HeadConfig:
    """A head on the encoder's hidden states."""

    model: str = identity("linear", choices=["linear", "mlp", "bilstm"])
    layers: str = identity("last", choices=["last", "concat_last4", "scalar_mix", "embeddings"])
    pooling: str = identity("mean", choices=["cls", "mean", "concat"])  # classes and score only
    hidden: int = identity(256, ge=1)  # width of mlp, of each direction of bilstm
    dropout: float = identity(0.1, ge=0, lt=1)

    def exportable(self) -> bool:
        """Whether a BertFor... class of transformers computes the same (classes and score: with pooling=cls)."""
        return self.model == "linear" and self.layers == "last"

    def state_indices(self, encoder_layers: int) -> list[int]:
        """Return which of the encoder's L + 1 states the head reads; 0 is the output of the embeddings."""
        if self.layers == "embeddings":
            return [0]
        if self.layers == "concat_last4":
            return list(range(max(1, encoder_layers - 3), encoder_layers + 1))
        if self.layers == "scalar_mix":
            return list(range(encoder_layers + 1))
        if self.layers == "last":
            return [encoder_layers]
        raise ConfigError(f"head.layers={self.layers} must be one of last, concat_last4, scalar_mix, embeddings")
