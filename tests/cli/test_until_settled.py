"""``thaw study NAME --until-settled``: rounds of seeds, looks that are paid for, the page's words; and its dry run."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from thaw.cli.main import main
from thaw.errors import StorageError
from thaw.report.claims.looks import read as looks_of
from thaw.report.claims.sequential import looks

TEXT = "\n\n".join(f"The river {i} runs over warm stones under a bright sky in the cold night." for i in range(99))
PLAN = """
title: Grown
question: Does it help?
stages: ["pretrain study=grown/pretrain", "transfer study=grown/tune", "transfer study=grown"]
report: [runs/grown]
"""
PRETRAIN = """# @package _global_
defaults: [{override /corpus: files}, {override /tokenizer: unigram}, {override /encoder: tiny}, _self_]
name: grown_pretraining
corpus: {paths: [text.txt]}
tokenizer: {vocab_size: 300}
encoder: {hidden: 32, intermediate: 64, layers: 1}
budget: "4"
data: {length: 32, batch_size: 4}
"""
TUNE = """# @package _global_
defaults: [{override /task: files}, _self_]
name: grown_tuning
task: {kind: classes}
test: false
hydra:
  mode: MULTIRUN
  sweeper: {params: {strategy: tfidf, data.train_size: 20, seed: "4"}}
"""
STUDY = """# @package _global_
defaults: [{override /task: files}, _self_]
name: grown
checkpoint: runs/grown_pretraining
steps: 6
eval_every: 1
task: {kind: classes}
verdict: {seeds: 5, level: 0.6, margin: 0.9, faster: 1000}
hydra:
  mode: MULTIRUN
  sweeper: {params: {strategy: "scratch,full", data.train_size: "8,16", seed: "7,1"}}
"""
QUIET = ["wandb=disabled", "trainer.threads=1", "trainer.progress=false", "hydra/launcher=basic"]


@pytest.fixture
def grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a study of three stages, of which the last is scored."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text(TEXT)
    folder = tmp_path / "experiments" / "grown"
    for name, text in (("pretrain", PRETRAIN), ("tune", TUNE), (".", STUDY)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "study.yaml").write_text(text)
    (folder / "stages.yaml").write_text(PLAN)
    return tmp_path


@pytest.fixture
def words(grown: Path, task_folder: Path) -> list[str]:
    return ["study", "grown", f"task.path={task_folder}", "optim.lr=5e-4", *QUIET]


def seeds(root: Path) -> list[int]:
    return sorted({json.loads(path.read_text())["seed"] for path in root.glob("runs/grown/*/result.json")})


def record(root: Path) -> dict:
    return json.loads((root / "runs/grown/looks.json").read_text())


def written(root: Path) -> dict[str, int]:
    finished = (path for path in root.glob("runs/grown/*/status.json") if '"finished"' in path.read_text())
    return {path.parent.name: path.with_name("result.json").stat().st_mtime_ns for path in finished}


def test_a_study_stops_where_every_claim_is_settled(
    words: list[str], grown: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--until-settled"]) == 0
    shown = capsys.readouterr().out
    (look,) = record(grown)["looks"]
    assert (
        f"3 seeds: time can not be judged, accuracy {look['words']['accuracy']}, labels {look['words']['labels']}"
        in shown
    )
    assert "Every claim is settled after 3 of at most 5 seeds." in shown
    assert seeds(grown) == [1, 2, 7]  # its own two first; 4 chose the rate, so it would be left out
    assert (look["seeds"], look["level"]) == (3, looks((3, 4, 5), 5, 0.6)[0].level)
    assert list(look["words"]) == ["time", "accuracy", "labels"]
    # of so short runs from scratch no target follows; more seeds would not mend that, so it does not hold up the rest
    assert look["words"]["time"] == "inconclusive"
    assert "inconclusive" not in (look["words"]["accuracy"], look["words"]["labels"])
    page = json.loads((grown / "report/grown/report.json").read_text())
    assert {one["claim"]: one["word"] for one in page["verdicts"]} == look["words"]
    assert page["rule"]["level"] == look["level"]
    assert any(note.startswith("Settled after 3 of at most 5 seeds.") for note in page["notes"])
    assert main([*words, "--until-settled", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "== all stages: 22 runs at most, 14 finished, 8 to run at most; expected: 0.0" in shown
    assert "from 3 finished pairs in runs/grown" in shown
    assert shown.count("recorded in") == 1  # of time, on which these runs can tell nothing


@pytest.mark.slow  # half a minute
def test_a_study_ends_with_its_plan_and_goes_on_after_a_kill(
    words: list[str], grown: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    open_ended = [*words, "verdict.seeds=4", "verdict.level=0.99", "verdict.margin=0.001", "--until-settled"]
    with subprocess.Popen([sys.executable, "-m", "thaw", *open_ended], stdout=subprocess.DEVNULL) as process:
        end = time.monotonic() + 600
        while (
            len(written(grown)) < 13 and process.poll() is None and time.monotonic() < end
        ):  # three seeds are 12 runs: it is in its second round
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    before, first = written(grown), record(grown)["looks"][0]
    assert len(before) < 16
    assert main(open_ended) == 0
    shown = capsys.readouterr().out
    assert "4 seeds: " in shown
    assert "3 seeds: " not in shown
    assert "All 4 seeds that verdict.seeds plans are run." in shown
    assert {name: at for name, at in written(grown).items() if name in before} == before
    assert len(written(grown)) == 16
    assert main(open_ended) == 0  # a study that has ended is looked at again at no cost
    assert len(record(grown)["looks"]) == 2
    assert [look["seeds"] for look in record(grown)["looks"]] == [3, 4]
    assert record(grown)["looks"][0] == first
    page = json.loads((grown / "report/grown/report.json").read_text())
    assert {one["claim"]: one["word"] for one in page["verdicts"]} == record(grown)["looks"][1]["words"]


def test_a_study_without_an_end_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "verdict.seeds=0", "--until-settled"]) == 2
    assert "--until-settled needs an end, the most seeds there may be (3 or more)" in capsys.readouterr().err


def test_another_rule_is_refused_between_looks(
    words: list[str], grown: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (grown / "runs/grown").mkdir(parents=True)
    record = {"format": 1, "rule": "0" * 16, "planned": 9, "level": 0.95, "looks": []}
    (grown / "runs/grown/looks.json").write_text(json.dumps(record))
    assert main([*words, "--until-settled"]) == 2
    assert "another rule (at most 9 seeds" in capsys.readouterr().err
    (grown / "runs/grown/looks.json").write_text("{")
    with pytest.raises(StorageError, match=r"looks.json is damaged"):
        looks_of(grown / "runs/grown")


def test_the_dry_run_of_a_study_shows_every_stage_and_starts_nothing(
    words: list[str], grown: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "== 1/3  pretrain study=grown/pretrain" in shown
    assert "== 3/3  transfer study=grown" in shown
    assert "runs/grown/(no id yet)  files full n=8 seed=7" in shown
    assert "have no id before the stages above are done: not a checkpoint: runs/grown_pretraining" in shown
    assert "== all stages: 10 runs at most, 0 finished, 10 to run at most; expected hours and disk: unknown" in shown
    assert "What 2 seeds of full against scratch can see 4 times in 5, files with 8, 16 labels:" in shown
    assert "under 3 seeds no claim is tested" in shown
    assert not (grown / "runs").exists()


def test_the_dry_run_of_rounds_tells_the_looks_and_what_they_save(
    words: list[str], grown: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "verdict.level=0.95", "verdict.margin=0.01", "--until-settled", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "20 runs, 0 finished" in shown  # five seeds of two strategies and sizes
    assert "looks at 3, 4 … 5 seeds" in shown
    assert "of the scored runs" in shown
    assert "5 seeds no pattern of arrivals reaches the level by an exact paired test" in shown
    assert not (grown / "runs").exists()
