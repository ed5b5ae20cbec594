"""What pretraining predicts. No torch here."""

from dataclasses import dataclass

from thaw.errors import ConfigError
from thaw.fields import identity


@dataclass(kw_only=True)
class ObjectiveConfig:
    """Masked language modelling (Devlin et al. 2019, section 3.1)."""

    name: str = identity("mlm", choices=["mlm"])
    rate: float = identity(0.15, gt=0, lt=1)  # share of the tokens that are predicted
    mask_share: float = identity(0.8, ge=0, le=1)  # of these: replaced by [MASK]
    random_share: float = identity(0.1, ge=0, le=1)  # of these: replaced by a random piece; the rest stay
    unit: str = identity("token", choices=["token", "word", "span"])  # what is masked as a whole
    mean_span: float = identity(3.0, ge=1)  # words a span, for unit=span (Joshi et al. 2020: 3.8, clipped at 10)

    def __post_init__(self) -> None:
        if isinstance(self.mask_share, float) and self.mask_share + self.random_share > 1 + 1e-9:
            raise ConfigError("objective.mask_share + objective.random_share must be at most 1")
