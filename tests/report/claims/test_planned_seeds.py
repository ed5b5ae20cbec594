"""Seeds planned and seeds run: what the page says, and at which level the words of a study that grew are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibration.simulated import World, study
from thaw.report.cells import cells
from thaw.report.claims import looks
from thaw.report.claims.analysis import Analysis, analyse
from thaw.report.claims.rule import Rule
from thaw.report.collect import Study


def analysed(world: World, rule: Rule, folder: Path) -> Analysis:
    """Return the analysis of a simulated study whose runs record a rule and lie in a folder."""
    sides = study(world, np.random.default_rng(0))
    made = {f"verdict.{name}": value for name, value in vars(rule).items()}
    runs = [
        replace(run, folder=folder / run["run_id"], config={**run.config, **made})
        for cell in sides.cells.values()
        for run in cell.runs
    ]
    whole = Study(folders=[folder], runs=runs)
    return analyse(whole, cells(whole))


def plans(found: Analysis) -> list[str]:
    return [note for note in found.guards if "planned" in note or "at most" in note]


@pytest.mark.parametrize(
    ("planned", "told"),
    [
        (0, []),
        (5, []),
        (3, ["3 seeds were planned and 5 were run: if the first 3 had been looked at, the error is larger than"]),
        (8, ["8 seeds were planned and 5 are scored: the study is not at its planned end."]),
    ],
)
def test_the_page_says_where_a_plan_was_not_kept(planned: int, told: list[str], tmp_path: Path) -> None:
    found = plans(analysed(World(tasks=1, seeds=5), Rule(seeds=planned), tmp_path))
    assert len(found) == len(told)
    assert all(note.startswith(start) for note, start in zip(found, told, strict=True))


def test_a_study_that_grew_is_judged_at_the_level_that_is_left(tmp_path: Path) -> None:
    world, rule = World(tasks=1, seeds=4, gain=0.02), Rule(seeds=8)
    fixed = analysed(world, rule, tmp_path)
    record = (
        looks.begin(rule).looked(3).said({"time": "inconclusive"}, False).looked(4).said({"time": "supported"}, True)
    )
    looks.write(tmp_path, record)
    assert looks.read(tmp_path) == record
    grown = analysed(world, rule, tmp_path)
    assert grown.rule.level == record.looks[1].level > 0.99
    pooled = [one.verdicts[1].judgement.pooled for one in (fixed, grown)]
    assert pooled[0].mean == pooled[1].mean
    assert pooled[1].low < pooled[0].low
    (told,) = plans(grown)
    assert told.startswith(
        "Settled after 4 of at most 8 seeds. It was looked at with 3, 4 seeds, and the looks are paid"
    )


def test_seeds_beyond_the_plan_are_told_and_those_between_looks_are_paid_for(tmp_path: Path) -> None:
    record = looks.begin(Rule(seeds=4)).looked(3)
    looks.write(tmp_path, record)
    beyond = analysed(World(tasks=1, seeds=6), Rule(seeds=4), tmp_path)
    assert beyond.rule.level == record.looks[-1].level
    assert plans(beyond)[0].startswith("At most 4 seeds were planned and 6 were run: nothing is left to pay")
    between = analysed(World(tasks=1, seeds=4), Rule(seeds=4), tmp_path)
    assert 0.95 < between.rule.level < record.looks[-1].level
    assert plans(between)[0].startswith("Judged after 4 of at most 4 seeds.")
