"""Schedules as numbers: warm-up, decay, end."""

import pytest

from thaw.train.config import OptimConfig
from thaw.train.schedule import rate

STEPS = 100


def rates(**fields: object) -> list[float]:
    config = OptimConfig(lr=1.0, **fields)  # type: ignore[arg-type]
    return [rate(config, step, STEPS) for step in range(STEPS)]


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant", "cooldown", "slanted"])
def test_every_schedule_rises_to_the_peak_and_stays_positive(schedule: str) -> None:
    values = rates(schedule=schedule, warmup=0.1)
    assert max(values) == pytest.approx(1.0, abs=0.02)
    assert min(values) > 0
    assert values[:10] == sorted(values[:10])


def test_linear_is_a_line_to_zero() -> None:
    values = rates(schedule="linear", warmup=0.1)
    assert values[10] == 1.0
    assert values[55] == pytest.approx(0.5)
    assert values[99] == pytest.approx(1 / 90)


def test_cosine_is_half_in_the_middle() -> None:
    assert rates(schedule="cosine", warmup=0.1)[55] == pytest.approx(0.5)


def test_cooldown_is_flat_then_falls() -> None:
    values = rates(schedule="cooldown", warmup=0.1, cooldown=0.2)
    assert set(values[10:80]) == {1.0}
    assert values[90] == pytest.approx(0.5)


def test_slanted_triangle_has_ulmfits_ratio() -> None:
    values = rates(schedule="slanted", warmup=0.1)
    assert values[9] == values[10] == 1.0
    assert values[-1] == pytest.approx((1 + 31 / 90) / 32)


def test_constant_stays() -> None:
    assert set(rates(schedule="constant", warmup=0.1)[10:]) == {1.0}
