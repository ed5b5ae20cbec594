import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from thaw.errors import ConfigError
from thaw.report.collect import read
from thaw.report.differences import differences

Make = Callable[..., Path]


def test_states_and_rows(tmp_path: Path, make_run: Make) -> None:
    make_run(tmp_path / "s", run_id="a", test=0.5, dev=0.6)
    make_run(tmp_path / "s", run_id="b", state="failed", error="no space", strategy="frozen", seed=2, train_size=200)
    make_run(tmp_path / "s", run_id="c", kind="pretrain", task=None, strategy=None)
    study = read(tmp_path)
    runs = {run["run_id"]: run for run in study.runs}
    assert [study.count(state) for state in ("finished", "failed")] == [2, 1]
    assert (runs["a"]["test"], runs["a"].error) == (0.5, None)
    failed = runs["b"]  # has no result.json: what its config says
    assert (failed["task"], failed["strategy"], failed["train_size"], failed["seed"]) == ("topics", "frozen", 200, 2)
    assert (failed.error, failed["test"], failed["kind"]) == ("no space", None, "transfer")
    assert runs["c"]["kind"] == "pretrain"
    assert not runs["c"].transfers


def test_a_dead_process_is_interrupted(tmp_path: Path, make_run: Make) -> None:
    folder = make_run(tmp_path, run_id="a", state="running")
    status = {"state": "running", "pid": 2**22 + 1, "host": os.uname().nodename}
    (folder / "status.json").write_text(json.dumps(status))
    assert read(tmp_path).runs[0].state == "interrupted"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("result.json", '{"test": ', "result.json"),
        ("result.json", "[1]", "not a JSON object"),
        ("status.json", "", "status.json"),
        ("config.yaml", "a: [", "expected"),
        ("config.yaml", "- 1", "not a mapping"),
        ("config.yaml", "a: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("result.json", None, "no result.json"),
    ],
)
def test_damaged_folders_are_counted(
    tmp_path: Path, make_run: Make, name: str, content: str | None, reason: str
) -> None:
    make_run(tmp_path, run_id="good", test=0.5)
    damaged = make_run(tmp_path, run_id="bad", test=0.5)
    if content is None:
        (damaged / name).unlink()
    else:
        (damaged / name).write_text(content)
    study = read(tmp_path)
    assert [run["run_id"] for run in study.runs] == ["good"]
    assert [one.folder for one in study.unreadable] == [damaged]
    assert reason in study.unreadable[0].reason


def test_damaged_events_are_passed_over(tmp_path: Path, make_run: Make) -> None:
    folder = make_run(tmp_path, run_id="a")
    (folder / "metrics.jsonl").write_text('{"step": 1, "dev/loss": NaN}\n{"step"\n[]\n\n{"step": 3}\n{"step": 4')
    run = read(tmp_path).runs[0]
    assert run.events == [{"step": 1, "dev/loss": None}, {"step": 3}]
    assert run.damaged_lines == 2  # but for the torn last one, which may be being written


def test_a_folder_is_read_once_and_not_searched_inside(tmp_path: Path, make_run: Make) -> None:
    run = make_run(tmp_path / "s", run_id="a")
    make_run(run / "wandb", run_id="inner")
    make_run(tmp_path / ".trash", run_id="old")
    (tmp_path / "s" / "link").symlink_to(run)
    assert [one["run_id"] for one in read(tmp_path, tmp_path / "s", run).runs] == ["a"]


def test_no_folder_and_no_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder of runs"):
        read(tmp_path / "absent")
    with pytest.raises(ConfigError, match="no run in"):
        read(tmp_path)


def test_all_labels_are_a_number(tmp_path: Path, make_run: Make) -> None:
    make_run(tmp_path, run_id="a", train_size=5452, data__train_size="all")
    make_run(tmp_path, run_id="b", state="failed", train_size="all")
    assert [run["train_size"] for run in read(tmp_path).runs] == [5452, 5452]


def test_two_data_sets_of_one_task_name(tmp_path: Path, make_run: Make) -> None:
    for name, path, split in (("a", "x/one", "1"), ("b", "x/two", "2"), ("c", "x/one", "1")):
        folder = make_run(tmp_path, run_id=name, task="files", task__path=path)
        (folder / "lineage.json").write_text(json.dumps({"split": split}))
    assert [run["task"] for run in read(tmp_path).runs] == ["files (one)", "files (one)", "files (two)"]


def test_only_settings_that_differ(tmp_path: Path, make_run: Make) -> None:
    make_run(tmp_path, run_id="a", optim__clip=1.0)
    make_run(tmp_path, run_id="b", seed=2, optim__clip=None)
    make_run(tmp_path, run_id="c", seed=2)
    found = {one.key: one.values for one in differences(read(tmp_path).runs)}
    assert found == {"seed": [("2", 2), ("1", 1)], "optim.clip": [("1.0", 1), ("null", 1), ("–", 1)]}
