"""The instrument on studies whose truth is known: false alarms, coverage of intervals, power.

200 studies of each kind, with fixed random numbers; experiments/calibration/README.md records more of them.
"""

import math
from collections import Counter

import numpy as np
import pytest

from calibration.simulated import World, study
from thaw.report.claims import on_accuracy, speed
from thaw.report.claims.fewer import fewer
from thaw.report.claims.judge import judge
from thaw.report.claims.labels import exchange
from thaw.report.claims.rule import Rule
from thaw.report.claims.verdicts import verdicts
from thaw.report.power import detectable

REPEATS = 200


def words(world: World, repeats: int = REPEATS, seed: int = 0) -> dict[str, Counter[str]]:
    """Return how often each claim got each word."""
    draw = np.random.default_rng(seed)
    found: dict[str, Counter[str]] = {"time": Counter(), "accuracy": Counter(), "labels": Counter()}
    for _ in range(repeats):
        for verdict in verdicts(study(world, draw)):
            found[verdict.claim][verdict.word] += 1
    return found


def test_no_effect_is_rarely_supported():
    found = words(World())
    assert all(count["supported"] <= 2 for count in found.values()), found  # of 200; of 2,000 it was 0 to 0.2 %


def test_harm_is_never_supported():
    found = words(World(gain=-0.05, faster=0.7), repeats=60)
    assert all(count["supported"] == 0 for count in found.values())
    assert found["accuracy"]["not supported"] > 50


def test_better_than_scratch_but_worse_than_words_is_not_supported():
    found = words(World(gain=0.05, words=0.1), repeats=40)
    assert found["accuracy"] == Counter({"not supported": 40})


@pytest.mark.slow
def test_intervals_cover_the_truth():
    world, draw = World(gain=0.04, faster=1.5, pace=0.3), np.random.default_rng(1)
    covered: Counter[str] = Counter()
    # transfer with 100 labels is worth 100 e^(gain / slope) from scratch
    worth = 100 * math.exp(world.gain / world.slope)
    for _ in range(REPEATS):
        one = study(world, draw)
        accuracy = verdicts(one)[1].judgement.pooled
        covered["accuracy"] += accuracy.low <= world.gain <= accuracy.high
        pooled = judge(fewer(one).effects, one.rule, 0.0).pooled
        truth = world.gain - world.slope * math.log(2)
        covered["labels"] += pooled.low <= truth <= pooled.high
        rate = next(found for found in exchange(one, "task0", one.transfer) if found.labels == 100)
        covered["exchange"] += (rate.low or 0) <= worth <= (rate.high or math.inf)
    shares = {name: count / REPEATS for name, count in covered.items()}
    assert all(0.93 - 0.03 <= share <= 0.97 + 0.025 for share in shares.values()), shares  # 200 draws: 2 s.e. are 0.03


@pytest.mark.slow
def test_the_effect_said_to_be_detectable_is_detected():
    for seeds in (5, 10):
        own = World().own * math.sqrt(2) / math.sqrt(len(World().sizes) * World().tasks)  # of a seed's mean difference
        gain = detectable(own, seeds, least=Rule().margin)
        world, draw = World(gain=gain, seeds=seeds, words=-0.2), np.random.default_rng(seeds)
        supported = sum(on_accuracy.judged(study(world, draw)).word == "supported" for _ in range(REPEATS))
        assert abs(supported - 0.8 * REPEATS) <= 16, (seeds, gain, supported)


def test_a_run_that_never_arrives_loses_against_one_that_does():
    sides = study(World(faster=0.2), np.random.default_rng(0))
    found = speed.speed(sides)
    assert found.reached[0] == 0
    assert found.bound == "at most"
    assert all(value <= 0 for values in found.effects.values() for value in values.values())
    assert verdicts(sides)[0].word in ("not supported", "inconclusive")
