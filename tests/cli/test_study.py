"""A study of several stages runs in order and ends with its page; every study of the repository composes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from thaw.cli.compose import composer
from thaw.cli.main import main
from thaw.cli.words import parse
from thaw.config import conf_dir
from thaw.text import corpus, tokenizer
from thaw.text.corpus import CorpusConfig
from thaw.text.tokenizer import TokenizerConfig

STUDIES = sorted(path.parent for path in (conf_dir().parent / "experiments").rglob("study.yaml"))
PLANS = sorted((conf_dir().parent / "experiments").rglob("stages.yaml"))
PLAN = """
title: Mine
question: Do words tell?
stages: ["transfer study=mine/first", "transfer study=mine/second"]
report: [runs/mine]
"""
STUDY = """# @package _global_
defaults: [{override /task: files}, _self_]
name: mine
task: {kind: classes}
wandb: {mode: disabled}
hydra:
  mode: MULTIRUN
  sweeper: {params: {strategy: STRATEGY, data.train_size: "10,20", seed: "1,2"}}
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a study of two stages."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "experiments" / "mine"
    for stage, strategy in (("first", "majority"), ("second", "tfidf")):
        (folder / stage).mkdir(parents=True)
        (folder / stage / "study.yaml").write_text(STUDY.replace("STRATEGY", strategy))
    (folder / "stages.yaml").write_text(PLAN)
    return folder


def test_stages_run_in_order_and_end_with_a_page(
    mine: Path, task_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["study", "mine", f"task.path={task_folder}", "hydra/launcher=basic"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert shown.index("== 1/3  transfer study=mine/first") < shown.index("== 2/3") < shown.index("== 3/3  report")
    assert "Do words tell?" in (tmp_path / "report/mine/index.html").read_text()
    assert len(list(tmp_path.glob("runs/mine/*/result.json"))) == 8
    assert main(words) == 0
    assert capsys.readouterr().out.count("4 finished before") == 2


@pytest.mark.slow
def test_a_stage_of_two_processes_is_started_as_that_stage(mine: Path, task_folder: Path, tmp_path: Path) -> None:
    """The second process of a run was the whole study again, and refused its own words."""
    (tmp_path / "text.txt").write_text(
        "\n\n".join(f"The river {i} runs over warm stones under a bright sky in the cold night." for i in range(99))
    )
    documents = corpus.documents(CorpusConfig(paths=[str(tmp_path / "text.txt")]))
    tokenizer.train(documents, TokenizerConfig(vocab_size=300)).save(tmp_path / "tokenizer")
    (mine / "second" / "study.yaml").write_text(
        STUDY.replace("STRATEGY", "scratch").replace('"10,20"', '"10"').replace('"1,2"', '"1"')
    )
    done = subprocess.run(
        [
            sys.executable, "-m", "thaw", "study", "mine", f"task.path={task_folder}", "hydra/launcher=basic",
            "encoder=tiny", "encoder.hidden=32", "encoder.intermediate=64", "tokenizer=folder",
            f"tokenizer.path={tmp_path / 'tokenizer'}", "steps=2", "eval_every=1", "data.batch_size=4", "trainer=ddp",
            "trainer.accelerator=cpu", "trainer.precision=32-true", "trainer.compile=false", "trainer.devices=2",
            "trainer.threads=1",
        ],
        capture_output=True, text=True, cwd=tmp_path, env=os.environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("== 2/3") == 1
    rows = [json.loads(path.read_text()) for path in tmp_path.glob("runs/mine/*/result.json")]
    assert sorted(row["strategy"] for row in rows) == ["majority"] * 4 + ["scratch"]


def test_a_stage_that_fails_ends_the_study(mine: Path, task_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "mine", f"task.path={task_folder}", "hydra/launcher=basic", "data.train_size=100000"]) == 1
    assert "== 2/3" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("plan", "words", "told"),
    [
        (PLAN, ["stepps=3"], "no stage knows stepps=3, did you mean 'steps'?"),
        (PLAN, ["task.path"], "no stage knows task.path"),
        ("title: x", [], "stages.yaml needs title, question, stages and report"),
        (PLAN.replace("transfer study=mine/first", "tranfer x=1"), [], "unknown stage 'tranfer'"),
        ("[", [], "stages.yaml needs title"),
    ],
)
def test_bad_studies_are_refused(
    mine: Path, plan: str, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (mine / "stages.yaml").write_text(plan)
    assert main(["study", "mine", *words]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("folder", STUDIES, ids=lambda path: path.relative_to(STUDIES[0].parents[1]).as_posix())
def test_every_study_composes(folder: Path) -> None:
    name = folder.relative_to(conf_dir().parent / "experiments").as_posix()
    pretrains = folder.name == "pretrain"
    one = ["tuned=null", "checkpoint=runs/x", "task=trec", "strategy=scratch", "data.train_size=100", "seed=1"]
    words = [f"study={name}", *([] if pretrains else one)]  # one of its combinations: all take minutes
    if pretrains and name.partition("/")[0] in ("three_claims", "default_rates"):
        words.append("corpus.paths=[README.md]")
    with composer("pretrain" if pretrains else "transfer", parse(words)) as compose:
        combinations = compose.combinations()
    assert combinations
    assert combinations[0].config.name.startswith(name.partition("/")[0])


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.parent.name)
def test_every_stage_is_a_study(path: Path) -> None:
    for stage in yaml.safe_load(path.read_text())["stages"]:
        name = stage.partition("study=")[2]
        assert (conf_dir().parent / "experiments" / name / "study.yaml").is_file(), stage
