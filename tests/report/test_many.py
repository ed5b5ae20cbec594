"""Thousands of runs: what is the same in all of them is read once, what a list does not show is not read at all."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from thaw.report.collect import read
from thaw.report.differences import value_text
from thaw.report.page.record import as_json
from thaw.track import settings
from thaw.track.folder import RunFolder

Make = Callable[..., Path]


def test_without_events_runs_are_as_they_are_with_them(study_folder: Path) -> None:
    whole, listed = read(study_folder), read(study_folder, events=False)
    assert any(run.events for run in whole.runs)
    assert listed.runs == [replace(run, events=[], damaged_lines=0) for run in whole.runs]
    assert listed.unreadable == whole.unreadable


def test_a_damaged_result_is_noticed_without_events_too(tmp_path: Path, make_run: Make) -> None:
    for name in ("sound", "result.json", "lineage.json", "metrics.jsonl"):
        folder = make_run(tmp_path, run_id=name, test=0.5)
        (folder / "lineage.json").write_text("{}")
        with RunFolder(folder) as one:
            one.status("finished")
        if name != "sound":
            with open(folder / name, "a") as file:
                file.write(" \n")
    assert {one.folder.name for one in read(tmp_path, events=False).unreadable} == {"result.json", "lineage.json"}
    curves = {run.folder.name: run.damaged_lines for run in read(tmp_path).runs}
    assert curves == {"sound": 0, "metrics.jsonl": 1}


def test_configs_that_are_alike_are_parsed_once(tmp_path: Path, make_run: Make) -> None:
    settings._piece.cache_clear()
    for number in range(60):
        make_run(tmp_path, run_id=str(number), seed=number % 3, train_size=50 * (number % 4), lr=1e-3, test=0.5)
    read(tmp_path)
    found = settings._piece.cache_info()
    pieces = len(yaml.safe_load((tmp_path / "0" / "config.yaml").read_text()))
    assert found.hits + found.misses == 60 * pieces
    assert found.misses == pieces + 2 + 3  # two more seeds, three more train sizes


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.0, "1.0"),
        (True, "true"),
        (None, "null"),
        ("1", "1"),
        ([1, True], "[1, true]"),
        (0, "0"),
        (False, "false"),
    ],
)
def test_values_that_are_equal_keep_their_own_text(value: object, text: str) -> None:
    assert value_text({"key": value}, "key") == text


def test_json_is_strict_whatever_it_is_made_from() -> None:
    made = {"a": float("nan"), "b": [Path("x"), (1, float("inf"))], "c": {"d": {2, 1}}}
    assert json.loads(as_json(made), parse_constant=pytest.fail) == {
        "a": None,
        "b": ["x", [1, None]],
        "c": {"d": [1, 2]},
    }
    assert as_json({"a": [1, "ü"]}) == '{"a":[1,"ü"]}'
