"""Looks at a growing study: their level is kept, with errors that seeds do not show too."""

import numpy as np
import pytest

from calibration.stopping import WORDS, World, everywhere, least_seen, stopped, word
from thaw.report.claims.judge import judge
from thaw.report.claims.rule import Rule
from thaw.report.claims.sequential import CERTAIN, Look, Truth, forecast, look_level, looks, schedule

STUDIES = 6000
ALLOWED = 0.025 + 2.6 * (0.025 * 0.975 / STUDIES) ** 0.5  # one draw in two hundred is above


@pytest.mark.parametrize(
    ("planned", "texts", "tasks"),
    [(5, 0.0, 1), (5, 0.003, 1), (5, 0.01, 3), (10, 0.0, 3), (10, 0.003, 1), (10, 0.01, 1), (20, 0.003, 1)],
)
def test_all_looks_together_keep_the_level(planned: int, texts: float, tasks: int):
    """Any gain counts here, so that no study stops early for want of one: the most that looks can do."""
    world = World(effects=(0.0,) * tasks, texts=texts, seeds=planned, least=-1.0)
    words, _ = stopped(world, looks(tuple(schedule(planned)), planned, 0.95), STUDIES, np.random.default_rng(planned))
    assert (words == 1).mean() <= ALLOWED


def test_looks_that_are_not_paid_for_do_not_keep_it():
    plain = [Look(seeds=count, level=0.95) for count in schedule(10)]
    words, _ = stopped(World(least=-1.0), plain, STUDIES, np.random.default_rng(0))
    assert (words == 1).mean() > 0.06


def test_power_is_near_that_of_the_fixed_design_and_large_effects_save_half_of_the_runs():
    paid = looks(tuple(schedule(10)), 10, 0.95)
    world = World(least=0.0)
    least = least_seen(world)
    words, _ = stopped(everywhere(world, least), paid, STUDIES, np.random.default_rng(1))
    assert 0.72 < (words == 1).mean() < 0.80
    words, at = stopped(everywhere(world, 4 * least), paid, STUDIES, np.random.default_rng(2))
    assert (words == 1).all()
    assert at.mean() / 10 == pytest.approx(0.46, abs=0.02)


def test_a_look_depends_on_those_before_alone():
    whole = looks((3, 4, 6, 9), 9, 0.95)
    for place, look in enumerate(whole):
        assert look_level(whole[:place], look.seeds, 9, 0.95) == look.level
    assert [look.level for look in whole] == sorted((look.level for look in whole), reverse=True)
    assert whole[-1].level > 0.95


def test_one_look_at_the_end_of_the_plan_has_the_level_of_the_rule():
    assert look_level([], 7, 7, 0.95) == pytest.approx(0.95, abs=2e-4)
    assert look_level([], 3, 3, 0.9) == pytest.approx(0.9, abs=2e-4)


def test_nothing_is_left_beyond_the_plan():
    assert look_level(looks((3, 4, 5), 5, 0.95), 6, 5, 0.95) == CERTAIN


@pytest.mark.parametrize("numbers", [(4, 3), (3, 3), (1, 2)])
def test_looks_must_rise(numbers: tuple[int, int]):
    with pytest.raises(ValueError, match="must rise"):
        look_level([Look(seeds=numbers[0], level=0.99)], numbers[1], 9, 0.95)


def test_the_forecast_of_rounds_is_what_studies_do():
    paid = looks(tuple(schedule(10)), 10, 0.95)
    world = World(effects=(0.03,), least=0.01)
    words, at = stopped(world, paid, STUDIES, np.random.default_rng(3))
    seeds, share = forecast([Truth(effect=0.03, deviation=0.02, least=0.01)], paid)
    assert seeds == pytest.approx(at.mean(), abs=0.15)
    assert share == pytest.approx((words > 0).mean(), abs=0.03)


@pytest.mark.parametrize("level", [0.6, 0.95, 0.995])
@pytest.mark.parametrize("texts", [0.0, 0.004])
def test_the_words_of_the_simulation_are_those_of_the_judge(level: float, texts: float):
    draw = np.random.default_rng(4)
    found = set()
    for effects in ((0.0,), (0.02, 0.01, 0.03), (0.05, 0.05, -0.05), (0.004, 0.006, 0.005)):
        world = World(effects=effects, deviation=0.01, texts=texts, seeds=4)
        values = world.drawn(40, draw)
        for study, place in zip(values, word(values, world, level), strict=True):
            by_task = {f"t{i}": dict(enumerate(map(float, line))) for i, line in enumerate(study)}
            errors = dict.fromkeys(by_task, texts)
            assert judge(by_task, Rule(level=level), world.least, errors).word == WORDS[place]
            found.add(WORDS[place])
    assert len(found) >= 3
