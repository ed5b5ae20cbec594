"""A diverged run is an outcome: it scores the majority answer, and is counted."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from report.claims.made_up import run, study
from thaw.report.cells import Cell, cells
from thaw.report.collect import Run, Study, read
from thaw.report.comparable import comparable
from thaw.report.page import write
from thaw.report.summary import remarks

Make = Callable[..., Path]
NAN = "DivergedError: the training loss is nan at step 40, lower optim.lr=0.003"


def lost(
    strategy: str, size: int, seed: int, error: str = NAN, lineage: dict[str, Any] | None = None, **row: Any
) -> Run:
    """Return a run that failed, without a result."""
    made = run(strategy, size, seed, 0.0, **row)
    gone = dict.fromkeys(("test", "dev", "collapsed", "train_seconds", "eval_seconds", "steps", "checkpoint"))
    return replace(made, state="failed", error=error, row=made.row | gone, lineage=lineage or {})


def ten(**lineage: float) -> list[Run]:
    """Return ten seeds of full over scratch, of which full diverges on four."""
    made = [run("scratch", 100, seed, 0.6 + seed / 1000, steps=100) for seed in range(1, 11)]
    made += [run("full", 100, seed, 0.7 + seed / 500, steps=100) for seed in range(5, 11)]
    return made + [lost("full", 100, seed, lineage=dict(lineage)) for seed in range(1, 5)]


def cell_of(runs: list[Run], strategy: str = "full") -> Cell:
    (cell,) = (one for one in study(*runs)[1] if one.arm.strategy == strategy)
    return cell


def test_four_of_ten_that_diverge_count_as_the_majority_answer() -> None:
    """Trust 9: the six survivors said "+0.031 [+0.023, +0.040], supported"."""
    cell = cell_of(ten(floor=0.2, floor_test=0.25))
    assert cell.test is not None
    assert cell.survivors is not None
    assert cell.difference is not None
    assert (cell.test.n, cell.survivors.n, cell.difference.n, cell.diverged, cell.failed) == (10, 6, 10, 4, 0)
    assert cell.survivors.mean == pytest.approx(0.715)
    assert cell.test.mean == pytest.approx((6 * 0.715 + 4 * 0.25) / 10)
    assert cell.difference.mean == pytest.approx(cell.test.mean - 0.6055)
    assert cell.difference.low is not None
    assert cell.difference.low < 0
    assert (cell.divergence.low, cell.divergence.high) == (
        pytest.approx(0.168, abs=1e-3),
        pytest.approx(0.687, abs=1e-3),
    )
    assert cell.collapsed == 0


def test_the_notes_and_the_table_say_so() -> None:
    made, found = study(*ten(floor=0.2, floor_test=0.25))
    assert "4 of 10 runs of full diverged (Wilson 17 to 69 %): they score the majority answer." in comparable(
        made, found
    )
    text = remarks(next(cell for cell in found if cell.arm.strategy == "full"))
    assert text.startswith(
        "4 of 10 (Wilson 17 to 69 %) diverged, scored as the majority answer; finished runs alone 0.715"
    )


@pytest.mark.parametrize("where", ["lineage", "control", "another run"])
def test_the_majority_answer_is_that_of_the_same_task_size_and_seed(where: str) -> None:
    runs = ten(**({"floor": 0.2, "floor_test": 0.25} if where == "lineage" else {}))
    for seed in range(1, 5):
        if where == "control":
            runs.append(run("majority", 100, seed, 0.25, dev=0.2))
            runs.append(run("majority", 50, seed, 0.9, dev=0.9))
        if where == "another run":
            runs.append(run("frozen", 100, seed, 0.5, floor=0.2, floor_test=0.25))
    assert sorted(one["test"] for one in cell_of(runs).runs if one.diverged) == [0.25] * 4


def test_where_nobody_knows_the_majority_answer_the_run_is_left_out_and_told() -> None:
    made, found = study(*ten())
    cell = next(cell for cell in found if cell.arm.strategy == "full")
    assert cell.test is not None
    assert (cell.test.n, cell.diverged, cell.unknown, cell.failed) == (6, 0, 4, 0)
    assert any(line.startswith("4 runs of full diverged and are left out") for line in comparable(made, found))
    assert "4 diverged, left out" in remarks(cell)


def test_other_failures_stay_left_out() -> None:
    runs = ten(floor=0.2, floor_test=0.25)
    runs += [lost("full", 100, 11, error="StorageError: no space", lineage={"floor": 0.2, "floor_test": 0.25})]
    cell = cell_of(runs)
    assert cell.test is not None
    assert (cell.test.n, cell.diverged, cell.failed) == (10, 4, 1)


@pytest.mark.parametrize(
    "error",
    [  # as runs of before 2026-11-29 and copies from W&B word it
        "the training loss is nan at step 5, lower optim.lr=0.5",
        "the gradient's norm is inf at step 3 (trec-full), lower optim.lr=0.5",
        "3 of 200 predicted scores are not finite",
    ],
)
def test_older_runs_are_known_by_their_words(error: str) -> None:
    assert lost("full", 100, 1, error=error).diverged
    assert not lost("full", 100, 1, error="no space left").diverged
    assert not replace(lost("full", 100, 1, error=error), state="interrupted").diverged


def test_a_rate_with_diverged_runs_yields_to_one_without() -> None:
    rates = {"optim.lr": 1e-3}, {"optim.lr": 1e-2}
    runs = [run("full", 100, seed, 0.6, config=rates[0]) for seed in (1, 2, 3)]
    runs += [run("full", 100, seed, 0.9, config=rates[1]) for seed in (1, 2)]
    runs += [lost("full", 100, 3, config=rates[1], lineage={"floor": 0.2, "floor_test": 0.25})]
    cell = cell_of(runs)
    assert (cell.variant, cell.trials, cell.diverged) == (rates[0], 2, 0)
    assert sorted(cell.trial_devs) == pytest.approx([0.6, (0.9 + 0.9 + 0.2) / 3])


def test_a_diverged_trial_needs_no_test_score() -> None:
    quiet = {"test": False}
    runs = [run("full", 100, 9, 0.0, dev=0.6, config={"optim.lr": 1e-3} | quiet)]
    runs += [lost("full", 100, 9, config={"optim.lr": 1e-2} | quiet, lineage={"floor": 0.2})]
    runs += [run("full", 100, seed, 0.7, config={"optim.lr": 1e-3}) for seed in (1, 2)]
    cell = cell_of(runs)
    assert (cell.trials, cell.variant, cell.unknown) == (2, {"optim.lr": 1e-3}, 0)
    assert sorted(cell.trial_devs) == [0.2, 0.6]


def test_a_diverged_run_of_a_folder_is_in_the_page_and_the_data(tmp_path: Path, make_run: Make) -> None:
    for seed in (1, 2, 3):
        make_run(tmp_path / "s", run_id=f"s{seed}", strategy="scratch", seed=seed, test=0.5, dev=0.5)
    for seed in (2, 3):
        make_run(tmp_path / "s", run_id=f"f{seed}", seed=seed, test=0.8, dev=0.8)
    folder = make_run(tmp_path / "s", run_id="f1", seed=1, state="failed", error=NAN)
    (folder / "lineage.json").write_text(json.dumps({"floor": 0.1, "floor_test": 0.2}))
    data = json.loads(
        (write(read(tmp_path / "s"), tmp_path / "out", pictures=False).parent / "report.json").read_text()
    )
    (cell,) = (one for one in data["cells"] if one["strategy"] == "full")
    assert (cell["test"]["mean"], cell["survivors"]["mean"]) == (pytest.approx(0.6), pytest.approx(0.8))
    assert (cell["diverged"], cell["divergence"]["n"], cell["failed"]) == (1, 3, 0)
    (row,) = (one for one in data["runs"] if one["run_id"] == "f1")
    assert (row["state"], row["test"]) == ("failed", None)  # what the run itself reached is nothing
    table = (tmp_path / "out" / "tables" / "scores-topics.tex").read_text()
    assert "1 diverged; finished alone 0.800" in table
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "1 of 3 (Wilson 6 to 79 %) diverged" in page
    assert page.count("<h3>Diverged (1)</h3>") == 1


def test_what_a_diverged_run_had_cost_is_in_the_ledger() -> None:
    from thaw.report.claims.ledger import ledger

    runs = ten(floor=0.2, floor_test=0.25)
    runs[-1].events.append({"step": 40, "seconds": 7.0, "cpu_seconds": 6.0, "tokens": 900})
    made = Study(folders=[], runs=runs)
    (cost,) = (one for one in ledger(made, cells(made)) if one.stage == "train" and one.arm and one.arm.label == "full")
    assert (cost.runs, cost.seconds, cost.cpu_seconds, cost.tokens) == (10, 6 * 1.0 + 7.0, 6.0, 900)
