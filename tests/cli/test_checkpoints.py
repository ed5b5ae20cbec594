"""Several checkpoints by one word: a list or a pattern is a sweep over all of them."""

import json
from pathlib import Path

import pytest

from thaw.cli.compose import composer
from thaw.cli.words import parse
from thaw.errors import ConfigError
from thaw.job.resolve import checkpoint_in
from thaw.track.epoch import RESULTS


@pytest.fixture
def pretrainings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three pretrainings of one name, one of which is not finished."""
    monkeypatch.chdir(tmp_path)
    for run in ("aaaaaaaaaa", "bbbbbbbbbb"):
        folder = tmp_path / "runs" / "pre" / run / "checkpoint"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
    (tmp_path / "runs" / "pre" / "cccccccccc").mkdir()
    return tmp_path / "runs" / "pre"


def checkpoints(*words: str) -> list[str]:
    with composer("transfer", parse(["task=trec", "strategy=full", *words])) as compose:
        return [combination.config.checkpoint for combination in compose.combinations()]


def test_a_list_is_a_sweep() -> None:
    assert checkpoints("-m", "checkpoint=[A,runs/b-c/1M,A]") == ["A", "runs/b-c/1M"]
    assert checkpoints("-m", "checkpoint=[A,B]", "seed=1,2") == ["A", "A", "B", "B"]


def test_a_pattern_is_all_that_hold_a_checkpoint(pretrainings: Path) -> None:
    assert checkpoints("-m", "checkpoint='runs/pre/*'") == ["runs/pre/aaaaaaaaaa", "runs/pre/bbbbbbbbbb"]


def test_a_pattern_in_a_study_is_all_of_them_too(pretrainings: Path, tmp_path: Path) -> None:
    study = tmp_path / "experiments" / "mine"
    study.mkdir(parents=True)
    (study / "study.yaml").write_text(
        "# @package _global_\ndefaults: [{override /task: trec}, _self_]\nhydra:\n  mode: MULTIRUN\n  sweeper:\n"
        "    params: {strategy: 'frozen,full', checkpoint: 'runs/pre/*'}\n"
    )
    with composer("transfer", parse(["study=mine"])) as compose:
        sources = [one.config.checkpoint for one in compose.combinations()]
    assert sorted(sources) == sorted(["runs/pre/aaaaaaaaaa", "runs/pre/bbbbbbbbbb"] * 2)


def test_an_older_epoch_stays_out_beside_a_newer_one(pretrainings: Path) -> None:
    lineage = pretrainings / "bbbbbbbbbb" / "checkpoint" / "lineage.json"
    lineage.write_text(json.dumps({"results": RESULTS}))
    assert checkpoints("-m", "checkpoint='runs/pre/*'") == ["runs/pre/bbbbbbbbbb"]
    assert checkpoint_in(Path("runs/pre")) == Path("runs/pre/bbbbbbbbbb/checkpoint")
    (pretrainings / "aaaaaaaaaa" / "checkpoint" / "lineage.json").write_text(json.dumps({"results": RESULTS}))
    assert len(checkpoints("-m", "checkpoint='runs/pre/*'")) == 2


def test_a_folder_with_an_apostrophe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "o'brien" / "a b"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    assert checkpoints("-m", """checkpoint="o'brien/*" """.strip()) == ["o'brien/a b"]


def test_what_can_not_be_swept_is_one_line(pretrainings: Path) -> None:
    with pytest.raises(ConfigError, match="several values, add -m"):
        checkpoints("checkpoint=[A,B]")
    assert checkpoints("-m", "checkpoint='runs/none/*'") == ["runs/none/*"]  # a study is shown before it is pretrained
    with pytest.raises(ConfigError, match="matches no folder with a checkpoint, pretrain first"):
        checkpoint_in(Path("runs/none/*"))
    assert checkpoints("checkpoint=A") == ["A"]
