"""Time in worlds whose truth is known: few looks, noisy looks, runs that never arrive (trust 2 and 6).

``calibration`` runs every cell with STUDIES studies; the quick ones are the same worlds with a few. A rate is met where
it is by its own error at two standard errors.
"""

import math

import pytest

from calibration.raced import Race, outcome, schedule

STUDIES = 2000
DESIGNS = ((1, 3), (1, 5), (3, 5))  # tasks, seeds
LOOKS = ("3", "10", "40", "geometric")
CELLS = [
    Race(looks=looks, ratio=ratio, tasks=tasks, seeds=seeds)
    for looks in LOOKS
    for ratio in (1.0, 2.0, 4.0)
    for tasks, seeds in DESIGNS
]


def crossing(race: Race) -> int:
    """Return at which look, the one before the first step apart, the fast arm's noise-free curve has crossed."""
    full = 1 - math.exp(-race.bend)
    share = -math.log(1 - 0.95 * full) / race.bend / race.ratio
    return next(place for place, step in enumerate(schedule(race.looks)) if step >= 120 * share)


def close(share: float, bound: float, studies: int) -> bool:
    """Whether a share is at least a bound, by two standard errors."""
    return share >= bound - 2 * math.sqrt(bound * (1 - bound) / studies)


def check(race: Race, studies: int, seed: int) -> None:
    """Assert that the statements of a world hold as often as they say, and that no false word is frequent."""
    found = outcome(race, studies, seed)
    said = f"{race} {found}"
    assert close(found.true, 0.93, studies), said
    if race.ratio == 1:
        assert close(1 - found.supported, 0.975, studies), said
    if crossing(race) >= 3 and found.interval > 0.5:
        assert abs(math.log(found.ratio / race.ratio)) < math.log(1.1) + 2.5 / math.sqrt(studies), said


@pytest.mark.parametrize("race", CELLS, ids=lambda race: f"{race.looks}-{race.ratio:g}-{race.tasks}-{race.seeds}")
@pytest.mark.calibration
def test_the_ratio_of_times_is_what_it_says(race):
    check(race, STUDIES, seed=CELLS.index(race))


@pytest.mark.parametrize(("looks", "ratio"), [("10", 2.0), ("geometric", 1.0), ("geometric", 4.0)])
def test_the_ratio_of_times_is_what_it_says_in_few_studies(looks, ratio):
    check(Race(looks=looks, ratio=ratio), 40, seed=7)


NEVER = [
    Race(ratio=15.0, never=0.5, cost=0.05, seeds=10),  # a cheap arm, half of which never arrives
    Race(ratio=4.0, never=0.4, seeds=10),
    Race(ratio=15.0, never=0.5, cost=0.05, tasks=3),
    Race(ratio=1.0, never=0.3, base_never=0.3, tasks=3),  # equal arms
]


@pytest.mark.parametrize("race", NEVER, ids=["cheap", "same length", "three tasks", "equal"])
@pytest.mark.calibration
def test_never_arriving_is_rarely_called_faster(race):
    found = outcome(race, STUDIES, seed=3)
    assert close(1 - found.supported, 0.975, STUDIES), found


@pytest.mark.parametrize("race", NEVER[1:3], ids=["same length", "three tasks"])
def test_never_arriving_is_rarely_called_faster_in_few_studies(race):
    assert outcome(race, 30, seed=3).supported <= 0.1


def test_a_twice_as_fast_arm_is_supported():
    # 500 dev texts, three tasks, five seeds: where the design can see it
    assert outcome(Race(ratio=2.0, tasks=3, texts=500), 30, seed=5).supported >= 0.7
