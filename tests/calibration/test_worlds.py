"""What the verdicts say in unfriendly worlds: a quick look in `make test`, thousands of studies in `make calibrate`.

`make calibrate` writes the table of experiments/calibration/README.md to runs/calibration/worlds, a file a world; a
second call goes on with the worlds that this code has not judged yet.
"""

import hashlib
import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import thaw.report
from calibration.truths import TRUTHS
from calibration.unfriendly import World, judged, runs, study
from calibration.worlds import FRIENDLY, UNFRIENDLY, Case
from thaw.report.claims.verdicts import verdicts

CASES = {**FRIENDLY, **UNFRIENDLY}
MANY, FEW = 2000, 8
RECORDS = Path("runs/calibration/worlds")
# Of report/, what claims/ stands on.
JUDGES = (
    "arms",
    "cells",
    "choice",
    "collect",
    "crossed",
    "diverged",
    "rates",
    "recipes",
    "run",
    "statistics",
    "strategy",
    "tasks",
)
COVERS, BELOW, ABOVE = "interval covers", "interval below the truth", "interval above the truth"


def counted(world: World, repeats: int, seed: int = 0) -> dict[str, Counter[str]]:
    """Return how often each claim got each word, and where its interval lay, for each claim whose truth is known."""
    draw, counts = np.random.default_rng(seed), {name: Counter[str]() for name in TRUTHS}
    truths = {name: truth(world) for name, truth in TRUTHS.items()}
    for _ in range(repeats):
        for verdict in verdicts(study(world, draw)):
            counts[verdict.claim][verdict.word] += 1
            mean, truth = verdict.judgement.pooled, truths[verdict.claim]
            if truth is not None and mean is not None and mean.low is not None and mean.high is not None:
                where = BELOW if mean.high < truth else ABOVE if mean.low > truth else COVERS
                counts[verdict.claim][where] += 1
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
    check(name, case, counted(case.world, FEW), FEW)


@pytest.mark.calibration
@pytest.mark.parametrize("name", CASES)
def test_a_world(name: str) -> None:
    case = CASES[name]
    file = RECORDS / f"{name.replace(' ', '_').replace(',', '')}.json"
    record = json.loads(file.read_text()) if file.exists() else {}
    made_by = {"code": _digest(), "studies": MANY}
    if not made_by.items() <= record.items():
        counts = counted(case.world, MANY, seed=1)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"name": name, **made_by, "allowed": case.most, "counts": counts}, indent=1))
    else:
        counts = {claim: Counter(count) for claim, count in record["counts"].items()}
    check(name, case, counts, MANY)


def _digest() -> str:
    """Return the digest of the code that makes the worlds and of the code that judges them."""
    worlds = [Path(__file__).with_name(name) for name in ("unfriendly.py", "worlds.py", "truths.py")]
    report = Path(thaw.report.__file__).parent
    judges = [*(report / "claims").glob("*.py"), *(report / f"{name}.py" for name in JUDGES)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in (*worlds, *sorted(judges)))).hexdigest()[:12]


def test_duplicate_seeds_are_no_more_evidence() -> None:
    members = runs(World(seeds=3, gains=(0.05,)), np.random.default_rng(0))
    once, twice = (verdicts(judged(group)) for group in (members, members + members))
    assert [one.judgement.pooled for one in once] == [one.judgement.pooled for one in twice]
    assert [one.word for one in once] == [one.word for one in twice]
