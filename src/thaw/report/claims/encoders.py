"""The effect with each of several pretrainings: few are fixed, their spread is in no interval, and one may harm."""

from dataclasses import dataclass

from thaw.report.crossed import Crossed
from thaw.report.statistics import FEWEST, Estimate, estimate, holm


@dataclass(frozen=True, kw_only=True)
class EncoderEffect:
    """The effect in the mean over tasks with one of several pretrainings that are fixed, after Holm over them."""

    source: str  # the pretraining's run id, else its weights
    estimate: Estimate
    positive: bool
    negative: bool


def encoder_effects(table: Crossed, level: float, error: float, floor: float) -> list[EncoderEffect]:
    """Return the effect with each of several pretrainings, [] with one; ``error`` and ``floor`` as in `estimate`."""
    made = {
        source: mean
        for source, values in table.items()
        if len(table) > 1 and (mean := estimate(list(values.values()), level, error, floor)) is not None
    }
    tested = {source: mean.p if mean.n >= FEWEST else 1.0 for source, mean in made.items()}
    adjusted = dict(zip(tested, holm(list(tested.values())), strict=True))
    return [
        EncoderEffect(
            source=source, estimate=mean, positive=adjusted[source] < 1 - level and mean.mean > 0,
            negative=adjusted[source] < 1 - level and mean.mean < 0,
        )
        for source, mean in made.items()
    ]  # fmt: skip
