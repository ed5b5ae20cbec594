"""Declared labels are the words that a person wrote, on the command line and in config files."""

from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from thaw import config as schema
from thaw.cli.compose import composer
from thaw.cli.label_words import quoted
from thaw.cli.words import parse

TASK = ["task=files", "task.path=x", "task.kind=classes", "strategy=majority"]


def labels_of(*words: str) -> list[Any]:
    with composer("transfer", parse([*TASK, *words])) as made:
        return [one.config.task.labels for one in made.combinations()]


WRITTEN: dict[str, list[str] | None] = {
    "[false,true]": ["false", "true"],
    "[False,TRUE]": ["False", "TRUE"],
    "[no,yes]": ["no", "yes"],
    "[1e3,1e4]": ["1e3", "1e4"],
    "[01,02]": ["01", "02"],
    "[null,nan,inf]": ["null", "nan", "inf"],
    "[1.0,+1,-1,1_000]": ["1", "+1", "-1", "1_000"],
    "[0,1]": ["0", "1"],
    "['false',\"true\"]": ["false", "true"],
    "[ false , new york, 'a,b' ,B-PER]": ["false", "new york", "a,b", "B-PER"],
    "['it\\'s',false]": ["it's", "false"],
    "[cafe\u0301,tea,\u7c73]": ["caf\u00e9", "tea", "\u7c73"],
    "null": None,
}


@pytest.mark.parametrize("key", ["task.labels", "++task.labels"])
def test_on_the_command_line(key: str) -> None:
    written = next(iter(WRITTEN))
    assert labels_of(f"{key}={written}") == [WRITTEN[written]]


def test_in_a_sweep() -> None:
    assert labels_of("-m", f"task.labels={','.join(WRITTEN)}") == list(WRITTEN.values())
    assert labels_of("-m", "task.labels=choice([false,true],[true,1e3])") == [["false", "true"], ["true", "1e3"]]


def test_the_positive_label() -> None:
    with composer("transfer", parse([*TASK, "-m", "task.metric=f1", "task.positive=false,true,null,1e3,1.0"])) as made:
        found = [one.config.task.positive for one in made.combinations()]
    assert found == ["false", "true", None, "1e3", "1"]


def test_other_words_stay_as_they_are() -> None:
    for word in (
        "task.kind=classes",
        "test=false",
        "task.labels=false",
        "save_at=[1e3]",
        "task.labels",
        "~task.labels",
    ):
        assert quoted(word) == word


YAML = """
defaults: [_schema, _self_]
name: mine
kind: classes
metric: f1
path: x
labels: [no, 'on', yes, 1e3, 01, 12:30, ~, null, 1.0, &again False]
positive: {0}
"""


@pytest.mark.parametrize(("positive", "label"), [("no", "no"), ("", None)])
def test_in_a_config_file(tmp_path: Path, positive: str, label: str | None) -> None:
    (tmp_path / "task").mkdir()
    (tmp_path / "task/mine.yaml").write_text(YAML.format(positive))
    with composer("transfer", parse(["--config-dir", str(tmp_path), "task=mine", "strategy=majority"])) as made:
        (one,) = made.combinations()
    assert one.config.task.labels == ["no", "on", "yes", "1e3", "01", "12:30", "~", "null", "1", "False"]
    assert one.config.task.positive == label


def test_in_a_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "experiments/mine").mkdir(parents=True)
    (tmp_path / "experiments/mine/study.yaml").write_text(
        "# @package _global_\nhydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n"
        "      seed: 1,2\n      task.labels: [no, off]\n      task.positive: no\n"
    )
    monkeypatch.chdir(tmp_path)
    with composer("transfer", parse([*TASK, "task.metric=f1", "study=mine"])) as made:
        found = [(one.config.seed, one.config.task.labels, one.config.task.positive) for one in made.combinations()]
    assert found == [(1, ["no", "off"], "no"), (2, ["no", "off"], "no")]


@pytest.mark.parametrize("wrap", [dict, OmegaConf.create])
def test_in_a_dictionary(wrap: Any) -> None:
    task = {"name": "mine", "kind": "classes", "path": "x", "labels": [False, 1.0, 1e3, None], "positive": None}
    found = schema.read("transfer", wrap({"task": task, "strategy": {"name": "majority"}}))
    assert found.task.labels == ["false", "1", "1000", "null"]
    assert found.task.positive is None
