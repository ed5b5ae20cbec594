"""A finished run that is asked for more stays finished until it has it, whatever happens on the way."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from killing import start
from language import pretraining, transfer

from thaw import run
from thaw.config import PretrainConfig, TransferConfig
from thaw.encoder.manifest import fingerprint
from thaw.job import again, disk
from thaw.job.finished import finished
from thaw.report.collect import read
from thaw.task.task import Kind
from thaw.track.config import WandbConfig
from thaw.track.folder import BEST, RunFolder
from thaw.train import loop
from thaw.train.config import TrainerConfig

EACH_STEP = TrainerConfig(threads=1, progress=False, checkpoint_minutes=1e-6)
FILES = ("config.yaml", "lineage.json", "metrics.jsonl", "result.json", "status.json", "predictions.jsonl.gz")


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES if (folder / name).exists()}


def stop_at(monkeypatch: pytest.MonkeyPatch, step: int) -> list[int]:
    """Interrupt a run after a step (never: 0); return the list that its steps go to."""
    steps: list[int] = []
    original = loop.Loop.on_train_batch_end

    def stop(self: Any, trainer: Any, module: Any, *rest: Any) -> None:
        steps.append(module.step)
        self.stop.number = 15 if module.step == step else 0
        original(self, trainer, module, *rest)

    monkeypatch.setattr(loop.Loop, "on_train_batch_end", stop)
    return steps


@pytest.fixture
def pretrained_once(corpus_file: Path, tmp_path: Path) -> PretrainConfig:
    """A finished pretraining of six steps."""
    config = pretraining(corpus_file, tmp_path, budget="6", trainer=EACH_STEP)
    run.pretrain(config)
    return config


def test_an_interrupted_wish_for_a_checkpoint_takes_nothing_away(
    pretrained_once: PretrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run.run_folder(pretrained_once)
    before, row = contents(folder), finished(folder)
    asked = dataclasses.replace(pretrained_once, save_at=["512"])
    with monkeypatch.context() as patched:
        stop_at(patched, 4)
        with pytest.raises(SystemExit):
            run.pretrain(asked)
    assert contents(folder) == before
    assert finished(folder) == row
    assert [one.state for one in read(folder.parent).runs] == ["finished"]
    assert run.pretrain(pretrained_once) == row  # the first command has its result
    (item,) = [one for one in disk.listed([folder.parent], folder / "cache") if one.what == disk.BESIDE_RESULT]
    assert item.stays == "the same command goes on from it"
    with monkeypatch.context() as patched:
        steps = stop_at(patched, 0)
        again_row = run.pretrain(asked)
    assert steps == [5, 6]  # it went on
    assert again_row["checkpoint"] == (row or {})["checkpoint"] == fingerprint(folder / "checkpoint")
    assert (folder / "checkpoints" / "512" / "config.json").is_file()
    assert not (folder / again.AGAIN).exists()
    assert finished(folder, asked) == again_row
    assert len(read(folder.parent).runs) == 1
    assert read(folder.parent).unreadable == []


@pytest.mark.slow
def test_a_killed_wish_for_a_checkpoint_takes_nothing_away(pretrained_once: PretrainConfig) -> None:
    folder = run.run_folder(pretrained_once)
    before, row = contents(folder), finished(folder)
    process = start(run.pretrain, dataclasses.replace(pretrained_once, save_at=["512"]))
    while process.exitcode is None and not list(folder.glob(f"{again.AGAIN}/*/state/step-*")):
        process.join(0.005)
    process.kill()
    process.join()
    if (folder / again.AGAIN).exists():  # else it was faster than the kill
        assert contents(folder) == before
        assert finished(folder) == row


@pytest.mark.parametrize("after", [0, 4, 8])
def test_a_process_that_dies_while_it_brings_the_new_run_in(
    after: int, pretrained_once: PretrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run.run_folder(pretrained_once)
    asked, calls, copy = dataclasses.replace(pretrained_once, save_at=["0", "512"]), [0], again._copy

    def dies(source: Path, target: Path) -> None:
        calls[0] += 1
        if calls[0] > after:
            raise SystemExit(9)
        copy(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(again, "_copy", dies)
        with pytest.raises(SystemExit):
            run.pretrain(asked)
    assert finished(folder, asked) is None  # so a sweep takes it in hand
    with monkeypatch.context() as patched:
        steps = stop_at(patched, 0)
        row = run.pretrain(asked)
    assert steps == []
    assert finished(folder, asked) == row
    assert [(one.state, one["checkpoint"]) for one in read(folder.parent).runs] == [("finished", row["checkpoint"])]
    assert not (folder / again.AGAIN).exists()


def test_a_test_score_that_needs_training_again_leaves_the_run_until_it_is_there(
    tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = pretrained["folder"] / "checkpoint"
    config: TransferConfig = transfer(
        Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, "full", steps=6, eval_every=3, trainer=EACH_STEP
    )
    tuning = dataclasses.replace(config, test=False)
    row = run.transfer(tuning)
    folder = run.run_folder(tuning)
    (folder / BEST).unlink()
    before = contents(folder)
    with monkeypatch.context() as patched:
        stop_at(patched, 4)
        with pytest.raises(SystemExit):
            run.transfer(config)
    assert contents(folder) == before
    assert run.transfer(tuning) == row
    scored = run.transfer(config)
    assert scored["test"] is not None
    assert scored["dev"] == row["dev"]
    assert RunFolder(folder).predictions()
    assert (RunFolder(folder).read("lineage.json") or {})["tuning"] is True
    assert len(list((tmp_path / "runs" / "transfer" / ".tasks").iterdir())) == 1
    status = json.loads((folder / "status.json").read_text())
    assert set(status["sha256"]) == {"config.yaml", "lineage.json", "metrics.jsonl", "result.json"}
    assert read(folder.parent).unreadable == []


def test_what_wandb_recorded_of_it_names_files_that_stay(corpus_file: Path, tmp_path: Path) -> None:
    """It named files below ``.again``, which were gone when they were to be uploaded."""
    config = pretraining(corpus_file, tmp_path, budget="6", wandb=WandbConfig(mode="offline"))
    run.pretrain(config)
    folder = run.run_folder(config)
    run.pretrain(dataclasses.replace(config, save_at=["512"]))
    recorded = list((folder / "wandb").glob("*run-*/run-*.wandb"))
    assert len(recorded) == 2
    for path in recorded:
        content = path.read_bytes()
        assert b"encoder-" in content
        assert again.AGAIN.encode() not in content
    files = [path for path in (folder / "wandb").rglob("*") if path.is_symlink() or path.is_file()]
    staged = [path for path in files if path.suffix != ".log"]  # W&B's own log of its process is a link into a cache
    assert [path for path in staged if not path.exists()] == []
    assert not (folder / again.AGAIN).exists()
    assert (RunFolder(folder).read("status.json") or {})["wandb"] == "offline"
