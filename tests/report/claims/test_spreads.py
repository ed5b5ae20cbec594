"""The table of spreads is what our own experiments show, and a design reads it by metric and nearest train size."""

import csv
import math
from pathlib import Path

import pytest

from thaw.config import conf_dir
from thaw.report.claims.spreads import recorded, scores, spread

EXPERIMENTS = conf_dir().parent / "experiments"


@pytest.mark.parametrize("name", ["demo", "eight_tasks", "three_claims", "three_claims/small"])
def test_the_table_is_that_of_the_recorded_runs(name: str) -> None:
    """Where a record was made again this fails: the command in spreads.py makes the table anew."""
    with open(EXPERIMENTS / name / "runs.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert scores(name, rows) == [one for one in recorded() if one.experiment == name and one.claim != "time"]


def test_a_spread_is_that_of_the_nearest_size_of_each_task_with_the_metric() -> None:
    lines = [one for one in recorded() if (one.claim, one.metric) == ("accuracy", "entity_f1")]
    near = [one for one in lines if one.size == 500]
    assert {one.experiment for one in near} == {"eight_tasks", "three_claims"}
    found = spread("accuracy", "entity_f1", 600)
    freedom = [len(one.values) - 1 for one in near]
    pooled = sum(part * one.variance for part, one in zip(freedom, near, strict=True)) / sum(freedom)
    assert found.deviation == pytest.approx(math.sqrt(pooled))
    assert (found.pairs, found.sizes, found.own_metric) == (13, (500,), True)
    assert not spread("accuracy", "matthews", 100).own_metric


def test_the_deviation_of_three_claims_is_that_of_its_readme(tmp_path: Path) -> None:
    """+.185 on entities with 100 labels, ten seeds, computed by hand from runs.csv."""
    line = next(one for one in recorded() if (one.experiment, one.task, one.size) == ("three_claims", "conll2003", 100))
    assert len(line.values) == 10
    assert line.mean == pytest.approx(0.1847, abs=5e-5)
    assert math.sqrt(line.variance) == pytest.approx(0.0136, abs=5e-5)
