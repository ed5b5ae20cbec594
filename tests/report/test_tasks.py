"""Runs of one task name are told apart by their data, kind and metric, and told of before all else."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from report.claims.made_up import run
from thaw.report.cells import cells
from thaw.report.collect import Study, read
from thaw.report.comparable import comparable
from thaw.report.compare.changes import changes
from thaw.report.compare.folder import write as compare
from thaw.report.page import write
from thaw.report.summary import summary, terminal
from thaw.report.tasks import told_apart
from thaw.report.wandb.copy import write as copy

Make = Callable[..., Path]
ONE, OTHER = "60db86" + "0" * 58, "caea57" + "0" * 58


def of(folder: Path, split: str | None) -> None:
    (folder / "lineage.json").write_text(json.dumps({"split": split}))


def changed_between(root: Path, make_run: Make) -> Path:
    """Write a study whose test set was changed between two commands: its control on the one, the rest on the other."""
    for seed in (1, 2, 3):
        for strategy, split, test in (("scratch", ONE, 0.5), ("full", OTHER, 0.9), ("scratch", OTHER, 0.6)):
            name = f"{strategy}{split[:2]}{seed}"
            of(make_run(root, run_id=name, strategy=strategy, seed=seed, test=test, dev=test), split)
    return root


def test_runs_on_two_test_sets_are_two_tasks_and_not_paired(tmp_path: Path, make_run: Make) -> None:
    """Case test-set-changed-in-a-study: one cell held both, "same seeds" across them, and nothing was said."""
    study = read(changed_between(tmp_path, make_run))
    found = {(cell.task, cell.arm.strategy): cell for cell in cells(study)}
    assert found.keys() == {
        ("topics · data 60db86", "scratch"), ("topics · data caea57", "scratch"), ("topics · data caea57", "full"),
    }  # fmt: skip
    gap = found["topics · data caea57", "full"].difference
    assert gap is not None
    assert gap.mean == pytest.approx(0.3)
    assert comparable(study, list(found.values()))[0] == (
        "topics is 2 data sets here, which differ in their texts, labels, kind, metric or dev size: topics · data"
        " 60db86 in 3 runs and topics · data caea57 in 6 runs. They are not averaged, paired or compared."
    )


def test_the_page_and_the_terminal_say_it_first(tmp_path: Path, make_run: Make) -> None:
    study = read(changed_between(tmp_path / "s", make_run))
    page = write(study, tmp_path / "out", pictures=False)
    assert json.loads((page.parent / "report.json").read_text())["notes"][0].startswith("topics is 2 data sets")
    console = terminal()
    with console.capture() as captured:
        console.print(summary(study))
    assert captured.get().startswith("topics is 2 data sets here")


def test_the_names_follow_from_the_contents_not_from_the_order(tmp_path: Path, make_run: Make) -> None:
    study = read(changed_between(tmp_path, make_run))
    named = {str(run["run_id"]): run["task"] for run in study.runs}
    for order in (study.runs, study.runs[::-1]):
        assert {str(run["run_id"]): run["task"] for run in told_apart(order)} == named


def test_two_studies_on_two_test_sets_share_no_cell(tmp_path: Path, make_run: Make) -> None:
    """Each study alone has one data set and calls it topics: beside each other the names are those of the contents."""
    for name, split, test in (("first", ONE, 0.5), ("second", OTHER, 0.9)):
        for seed in (1, 2, 3):
            of(make_run(tmp_path / name, run_id=f"{name}{seed}", seed=seed, test=test), split)
    first, second = read(tmp_path / "first"), read(tmp_path / "second")
    assert {run["task"] for study in (first, second) for run in study.runs} == {"topics"}
    assert changes(first, second) == []
    page = compare(first, second, tmp_path / "out", names=("a", "b"), pictures=False)
    notes = json.loads((page.parent / "report.json").read_text())["notes"]
    assert "topics · data 60db86 in 3 runs and topics · data caea57 in 3 runs" in notes[1]


def test_a_run_that_recorded_no_data_is_of_the_only_data_set_or_of_none(tmp_path: Path, make_run: Make) -> None:
    of(make_run(tmp_path / "one", run_id="a", test=0.5), ONE)
    make_run(tmp_path / "one", run_id="early", state="failed", error="no space", seed=2)
    assert [run["task"] for run in read(tmp_path / "one").runs] == ["topics", "topics"]
    assert not any(run.aside for run in read(tmp_path / "one").runs)
    of(make_run(tmp_path / "one", run_id="b", test=0.7, seed=3), OTHER)
    study = read(tmp_path / "one")
    assert {str(run["run_id"]): bool(run.aside) for run in study.runs} == {"a": False, "early": True, "b": False}
    assert sum(cell.failed for cell in cells(study)) == 0
    assert (
        "1 run of topics is in no table: it did not record which data it had, and there are several of its task's name."
        in comparable(study, cells(study))
    )


def test_the_source_tells_what_an_early_failure_was_about(tmp_path: Path, make_run: Make) -> None:
    for name, path, split in (("a", "x/one", ONE), ("b", "x/two", OTHER)):
        of(make_run(tmp_path, run_id=name, task="files", task__path=path, test=0.5), split)
    make_run(tmp_path, run_id="c", task="files", task__path="x/two", state="failed", error="no space", seed=2)
    assert {run["run_id"]: run["task"] for run in read(tmp_path).runs} == {
        "a": "files (one)", "b": "files (two)", "c": "files (two)",
    }  # fmt: skip


def test_two_folders_of_one_name_are_told_apart_by_content(tmp_path: Path, make_run: Make) -> None:
    """They went by the last part of their path, and so were one task."""
    for name, path, split in (("a", "x/data", ONE), ("b", "y/data", OTHER)):
        of(make_run(tmp_path, run_id=name, task="files", task__path=path, test=0.5), split)
    assert {run["task"] for run in read(tmp_path).runs} == {"files · data 60db86", "files · data caea57"}


def test_one_content_in_two_folders_is_one_task(tmp_path: Path, make_run: Make) -> None:
    for name, path in (("a", "x/data"), ("b", "moved/here")):
        of(make_run(tmp_path, run_id=name, task="files", task__path=path, test=0.5, seed=ord(name)), ONE)
    assert {run["task"] for run in read(tmp_path).runs} == {"files"}


def test_a_typing_mistake_in_the_kind_names_no_metric_and_makes_no_setting(tmp_path: Path, make_run: Make) -> None:
    """Newcomer N5: the page was headed "test pearson", and the setting "chosen on dev of 2"."""
    typo = {"metric": "pearson", "task__kind": "score"}
    make_run(tmp_path, run_id="0typo", state="failed", error="task.kind=score: 'sport' is no number", **typo)
    for seed in (1, 2, 3):
        made = make_run(tmp_path, run_id=f"run{seed}", seed=seed, test=0.8, dev=0.8, task__kind="classes")
        of(made, ONE)
    study = read(tmp_path)
    (cell,) = cells(study)
    assert (cell.task, cell.metric, cell.trials, cell.failed) == ("topics", "accuracy", 1, 0)
    assert any("1 run of topics is in no table: no run with an outcome has its kind (score)" in line
               for line in comparable(study, [cell]))  # fmt: skip


def test_a_failed_setting_is_no_trial(tmp_path: Path, make_run: Make) -> None:
    for seed in (1, 2):
        make_run(tmp_path, run_id=f"run{seed}", seed=seed, test=0.8, dev=0.8, strategy__decay=2.6)
    make_run(tmp_path, run_id="typo", state="failed", error="decay=0 must be at least 1", strategy__decay=0)
    (cell,) = cells(read(tmp_path))
    assert (cell.trials, cell.choice, cell.failed) == (1, "", 1)


def test_two_metrics_of_one_task_are_two_tasks(tmp_path: Path, make_run: Make) -> None:
    for seed in (1, 2):
        for metric, test in (("accuracy", 0.9), ("macro_f1", 0.4)):
            of(make_run(tmp_path, run_id=f"{metric}{seed}", seed=seed, metric=metric, test=test, dev=test), ONE)
    found = {cell.task: (cell.metric, cell.test.mean) for cell in cells(read(tmp_path)) if cell.test}
    assert found == {"topics · accuracy": ("accuracy", 0.9), "topics · macro_f1": ("macro_f1", 0.4)}


def test_dev_sets_of_two_sizes_are_not_chosen_between(tmp_path: Path, make_run: Make) -> None:
    """``data.dev_size`` was a setting: the larger dev set could win by its own luck."""
    for seed in (1, 2):
        for dev_size, dev in (("match", 0.9), ("all", 0.6)):
            name = f"{dev_size}{seed}"
            of(make_run(tmp_path, run_id=name, seed=seed, dev=dev, test=0.6, data__dev_size=dev_size), ONE)
    assert {cell.task: cell.trials for cell in cells(read(tmp_path))} == {
        "topics · dev all": 1,
        "topics · dev match": 1,
    }


def test_copies_from_wandb_of_other_data_are_told_apart_from_folders(tmp_path: Path, make_run: Make) -> None:
    """Runs of two machines, joined from W&B and a folder: the lineage of a copy is that of its run."""
    of(make_run(tmp_path / "here", run_id="a", test=0.5, dev=0.5), ONE)
    row = json.loads((tmp_path / "here" / "a" / "result.json").read_text())
    there = row | {"run_id": "b", "seed": 2, "test": 0.9, "lineage": {"split": OTHER}}
    config = {"name": "s", "seed": 2, "optim": {"lr": row["lr"]}, "checkpoint": "runs/pre/abc/checkpoint",
              "task": {"name": "topics", "metric": "accuracy"}, "strategy": {"name": "full"}}  # fmt: skip
    about = {"state": "finished", "created": "2026-11-28T10:00:00Z", "updated": "2026-11-28T11:00:00Z"}
    copy(tmp_path / "copies" / "b", {"id": "b-012345", "url": None}, about, config, there, [])
    study = read(tmp_path / "here", tmp_path / "copies")
    assert {run["run_id"]: run["task"] for run in study.runs} == {
        "a": "topics · data 60db86", "b": "topics · data caea57",
    }  # fmt: skip
    assert [cell.test.mean for cell in cells(study) if cell.test] == [0.5, 0.9]


def aspects(**config: Any) -> dict[str, Any]:
    return {"config": {f"task.{key}": value for key, value in config.items()}}


def test_f1_of_two_positive_labels_is_two_metrics() -> None:
    runs = [run("full", 50, seed, 0.5, metric="f1", **aspects(kind="classes", positive=label))
            for seed, label in ((1, "yes"), (2, "no"))]  # fmt: skip
    named = told_apart(runs)
    assert {one["task"] for one in named} == {"trec · yes is positive", "trec · no is positive"}
    assert len(cells(Study(folders=[], runs=named))) == 2


def test_a_digest_is_as_long_as_it_takes() -> None:
    made = []
    for seed, split in ((1, "abcdef12" + "0" * 56), (2, "abcdef13" + "0" * 56)):
        made.append(run("full", 50, seed, 0.5))
        made[-1].lineage["split"] = split
    names = {str(one["task"]) for one in told_apart(made)}
    assert names == {"trec · data abcdef12", "trec · data abcdef13"}
    assert all(re.fullmatch(r"trec · data \w+", name) for name in names)
