"""What the verdicts say in unfriendly worlds: a quick look in `make test`, thousands of studies in `make calibrate`.

`make calibrate` writes the table of experiments/calibration/README.md to runs/calibration/worlds.json.
"""

import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from calibration.unfriendly import World, judged, runs, study
from calibration.worlds import FRIENDLY, UNFRIENDLY, Case
from thaw.report.claims.verdicts import verdicts

CASES = {**FRIENDLY, **UNFRIENDLY}
MANY, FEW = 2000, 8
RECORD = Path("runs/calibration/worlds.json")


def words(world: World, repeats: int, seed: int = 0) -> dict[str, Counter[str]]:
    """Return how often each claim got each word."""
    draw, counts = np.random.default_rng(seed), {name: Counter[str]() for name in ("time", "accuracy", "labels")}
    for _ in range(repeats):
        for verdict in verdicts(study(world, draw)):
            counts[verdict.claim][verdict.word] += 1
    return counts


def check(name: str, case: Case, counts: dict[str, Counter[str]], repeats: int) -> None:
    """Compare how often a claim was supported with what the table allows or asks, two standard errors apart."""
    for claim in case.false:
        allowed = case.most + 2 * math.sqrt(max(case.most, 0.005) * (1 - case.most) / repeats)
        assert counts[claim]["supported"] / repeats <= allowed, f"{name}, {claim}: {counts[claim]}"
    for claim in case.true:
        needed = case.power - 2 * math.sqrt(0.25 / repeats)
        assert counts[claim]["supported"] / repeats >= needed, f"{name}, {claim}: {counts[claim]}"


@pytest.mark.parametrize("name", CASES)
def test_a_world_quickly(name: str) -> None:
    case = CASES[name]
    check(name, case, words(case.world, FEW), FEW)


@pytest.mark.calibration
@pytest.mark.parametrize("name", CASES)
def test_a_world(name: str) -> None:
    case = CASES[name]
    counts = words(case.world, MANY, seed=1)
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    record[name] = {"studies": MANY, "allowed": case.most, **{claim: dict(count) for claim, count in counts.items()}}
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    RECORD.write_text(json.dumps(record, indent=1))
    check(name, case, counts, MANY)


def test_duplicate_seeds_are_no_more_evidence() -> None:
    members = runs(World(seeds=3, gains=(0.05,)), np.random.default_rng(0))
    once, twice = (verdicts(judged(group)) for group in (members, members + members))
    assert [one.judgement.pooled for one in once] == [one.judgement.pooled for one in twice]
    assert [one.word for one in once] == [one.word for one in twice]
