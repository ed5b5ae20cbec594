"""The plan tables, written out literally; no data, no torch."""

import subprocess
import sys

import pytest

from thaw.errors import ConfigError
from thaw.strategy.plan import STRATEGIES, Progress, timeline
from thaw.strategy.show import table

GROUPS = ["embeddings", "layer.0", "layer.1", "head"]
N = None


def factors(name: str, step: int = 0, steps: int = 80, epoch_steps: int = 5, stage: int = 0, **fields: object) -> list:
    strategy = STRATEGIES[name]
    assert strategy.plan is not None
    made = strategy.plan(strategy.config(**fields), GROUPS, Progress(step, steps, epoch_steps, stage))
    return [factor if factor is None else round(factor, 3) for factor in made]


@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        ("scratch", {}, [1, 1, 1, 1]),
        ("full", {}, [1, 1, 1, 1]),
        ("full", {"decay": 2.0}, [0.125, 0.25, 0.5, 1]),
        ("frozen", {}, [N, N, N, 1]),
        ("frozen_random", {}, [N, N, N, 1]),
        ("feature_based", {}, [N, N, N, 1]),
        ("top_k", {"k": 1}, [N, N, 1, 1]),
        ("top_k", {"k": 0}, [N, N, N, 1]),
        ("bias_only", {}, [1, 1, 1, 1]),
    ],
)
def test_plans_that_do_not_change(name: str, fields: dict, expected: list) -> None:
    for step in (0, 1, 40, 79):
        assert factors(name, step, **fields) == expected


@pytest.mark.parametrize(
    ("step", "expected"),
    [(0, [N, N, N, 1]), (9, [N, N, N, 1]), (10, [N, N, 0.5, 1]), (20, [N, 0.25, 0.5, 1]), (30, [0.125, 0.25, 0.5, 1])],
)
def test_gradual_unfreezing_opens_from_the_top(step: int, expected: list) -> None:
    assert factors("gradual_unfreeze", step, decay=2.0) == expected  # 80 steps: 4 groups in the first half
    assert factors("gradual_unfreeze", step, decay=2.0, every=10) == expected
    assert factors("gradual_unfreeze", step, decay=2.0, every=2, unfreeze="epochs") == expected


def test_gradual_unfreezing_by_plateaus_looks_at_the_stage_alone() -> None:
    for stage, expected in enumerate([[N, N, N, 1], [N, N, 1, 1], [N, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]]):
        assert factors("gradual_unfreeze", 70, stage=stage, decay=1.0, unfreeze="plateau") == expected


def test_linear_probing_then_full() -> None:
    assert factors("lp_ft", 23, probe=0.3, rate=0.5) == [N, N, N, 1]
    assert factors("lp_ft", 24, probe=0.3, rate=0.5) == [0.5, 0.5, 0.5, 0.5]


def test_top_k_beyond_the_encoder_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"strategy\.k=3 must be at most the encoder's 2 layers"):
        factors("top_k", k=3)


@pytest.mark.parametrize("name", [name for name, strategy in STRATEGIES.items() if strategy.plan])
def test_every_plan_covers_all_groups_and_the_head_always_learns(name: str) -> None:
    for step in range(0, 80, 7):
        made = factors(name, step)
        assert len(made) == len(GROUPS)
        assert made[-1] is not None
        assert all(factor is None or 0 < factor <= 1 for factor in made)


def test_the_timeline_and_its_table() -> None:
    strategy = STRATEGIES["gradual_unfreeze"]
    rows = timeline(strategy, strategy.config(every=10, decay=1.0), GROUPS, 100)
    assert [step for step, _ in rows] == [0, 10, 20, 30]
    text = table("run", GROUPS, rows)
    assert text.splitlines()[2].split() == ["0", "-", "-", "-", "x1"]
    assert text.splitlines()[-1].split() == ["30", "x1", "x1", "x1", "x1"]


def test_plans_need_no_torch() -> None:
    code = "import sys, thaw.strategy.plan, thaw.strategy.show; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
