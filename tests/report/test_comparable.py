"""The notes that stand first: rates that nobody tuned, ties, states of the code."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from report.claims.made_up import run, study
from thaw.report.cells import Cell, cells
from thaw.report.claims.analysis import analyse
from thaw.report.collect import Run, read
from thaw.report.comparable import comparable
from thaw.report.notes import notes
from thaw.report.page import write
from thaw.report.statistics import score_interval

Make = Callable[..., Path]
UNTUNED = (
    "No learning rate was tuned: the verdicts are about these rates, and no strategy is called better than another"
    " beside them."
)


def told(*runs: Run) -> list[str]:
    return comparable(*study(*runs))


def rates(strategy: str, *devs: float) -> list[Run]:
    return [
        run(strategy, 100, seed, 0.6, dev=dev, config={"optim.lr": 10.0**-place}, lr=10.0**-place)
        for place, dev in enumerate(devs, 2)
        for seed in (1, 2)
    ]


def test_where_no_rate_was_tuned_that_is_said() -> None:
    plain = [run(strategy, 100, seed, 0.6) for strategy in ("scratch", "full") for seed in (1, 2)]
    assert told(*plain) == [UNTUNED]
    assert UNTUNED not in told(*(run("tfidf", 100, seed, 0.6) for seed in (1, 2)))


def test_a_strategy_whose_rate_alone_was_not_tuned_is_named() -> None:
    made, found = study(*rates("full", 0.5, 0.6), *rates("scratch", 0.5, 0.6), run("frozen", 100, 1, 0.5))
    assert comparable(made, found) == [
        "No learning rate was tuned for frozen in at least one cell: the verdicts are about the rates there, and these"
        " are called neither better nor worse than others beside them."
    ]
    assert {cell.arm.label: cell.tuned for cell in found} == {"scratch": True, "full": True, "frozen": False}


def test_rates_that_another_study_tuned_are_tuned() -> None:
    runs = [run("full", 100, seed, 0.6, config={"tuned": "runs/tuning", "optim.lr": 1e-3}) for seed in (1, 2)]
    assert told(*runs) == []


def test_an_exact_tie_is_told() -> None:
    """Trust 15: three of eighteen choices were exact ties, and the lower rate was taken in silence."""
    made, found = study(*rates("full", 0.6, 0.5, 0.6))
    assert found[0].ties == [{"optim.lr": 1e-2}] or found[0].ties == [{"optim.lr": 1e-4}]
    assert found[0].choice.startswith("lr ")
    assert "2 exactly equal" in found[0].choice
    (line,) = comparable(made, found)
    assert line.startswith("Settings are exactly as good on dev as those shown, in 1 cell")
    assert "lr 0.01" in line
    assert "lr 0.0001" in line
    assert study(*rates("full", 0.6, 0.5, 0.599))[1][0].ties == []


def test_two_states_of_the_code_are_told_and_runs_that_did_not_record_theirs() -> None:
    runs = rates("full", 0.5, 0.6)
    for one, source in zip(runs, ("a" * 12, "a" * 12, "b" * 12, None), strict=True):
        one.row["source"] = source
    assert told(*runs) == [
        "The runs were made by 3 states of the code (aaaaaaaaaa in 2 runs, bbbbbbbbbb in 1 run and not recorded in 1"
        " run): scores may differ by that alone."
    ]
    for one, epoch in zip(runs, (1, 1, 2, 2), strict=True):
        one.row["results"] = epoch
    assert told(*runs)[0].startswith("The runs were made by 2 results epochs of the code (1 in 2 runs and 2 in 2 runs)")


def test_a_run_of_two_states_of_the_code_or_of_two_machines_is_told() -> None:
    runs = rates("full", 0.5, 0.6)
    lineages = [
        {"resumed": [{"step": 20, "changed": {"source": ["a", "b"], "threads": [1, 2]}}]},
        {"resumed": [{"step": 5, "changed": {"threads": [1, 2]}}], "source_of_test": "b"},
    ]
    before = told(*runs)
    for one, lineage in zip(runs, lineages, strict=False):
        one.lineage.update(lineage)
    made, found = study(*runs)
    assert told(*runs)[:2] == [
        "1 run began with one state of the code and went on with another after a stop.",
        "1 run is scored on test by another state of the code than trained it.",
    ]
    assert told(*runs)[2:] == before
    assert "2 runs went on after a stop with other threads: equal beyond rounding, not to the bit." in notes(
        made, found
    )


def test_what_forbids_a_comparison_stands_before_the_guards_of_the_verdicts() -> None:
    guards = analyse(*study(run("scratch", 100, 1, 0.5), run("full", 100, 1, 0.6))).guards
    assert guards[0] == UNTUNED
    assert guards[1].startswith("No run records a verdict rule")


@pytest.mark.parametrize("metric", ["accuracy", "matthews"])
def test_the_interval_of_a_score_stays_in_the_range_of_its_metric(metric: str, tmp_path: Path, make_run: Make) -> None:
    """Newcomer N8, trust 17: accuracy .546 [.053, 1.040], [-0.497, 1.333]."""
    scores = {1: 0.3, 2: 0.9} if metric == "accuracy" else {1: -0.9, 2: 0.6}
    for seed, test in scores.items():
        make_run(tmp_path / "s", run_id=f"f{seed}", seed=seed, metric=metric, test=test, dev=test)
    (cell,) = cells(read(tmp_path / "s"))
    assert cell.test == score_interval(list(scores.values()), metric)
    lowest = 0.0 if metric == "accuracy" else -1.0
    assert cell.test is not None
    assert cell.test.low is not None
    assert cell.test.high is not None
    assert lowest <= cell.test.low < cell.test.mean < cell.test.high <= 1.0
    out = write(read(tmp_path / "s"), tmp_path / "out", pictures=False).parent
    assert json.loads((out / "report.json").read_text())["cells"][0]["test"]["high"] == cell.test.high


def test_a_metric_is_that_of_finished_runs() -> None:
    runs = [run("full", 100, seed, 0.6) for seed in (1, 2)]
    runs.append(run("full", 100, 0, 0.0, metric="pearson"))
    object.__setattr__(runs[-1], "state", "failed")
    (cell,) = study(*runs)[1]
    assert isinstance(cell, Cell)
    assert cell.metric == "accuracy"
