"""``test=false`` and then ``test=true``: the test set is scored with the weights that dev chose, nothing is trained."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from language import transfer

from thaw import run
from thaw.config import TransferConfig
from thaw.job import disk
from thaw.strategy.plan import STRATEGIES
from thaw.task.task import Kind
from thaw.track.folder import BEST, RunFolder
from thaw.train import loop

CLOCKS = ("seconds", "cpu_seconds")
MEASURED = ("train_seconds", "eval_seconds", "cpu_seconds", "peak_rss_bytes", "host_gflops", "name")


@pytest.fixture
def config(tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path) -> TransferConfig:
    checkpoint = pretrained["folder"] / "checkpoint"
    return transfer(Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, "full", steps=8, eval_every=4)


def with_strategy(config: TransferConfig, strategy: str, **fields: Any) -> TransferConfig:
    return dataclasses.replace(config, strategy=STRATEGIES[strategy].config(), **fields)


def steps_trained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the optimizer steps from now on."""
    steps: list[int] = []
    original = loop.Loop.on_train_batch_end

    def counted(self: Any, *rest: Any) -> None:
        steps.append(1)
        original(self, *rest)

    monkeypatch.setattr(loop.Loop, "on_train_batch_end", counted)
    return steps


def events(config: TransferConfig) -> list[dict[str, Any]]:
    found = RunFolder(run.run_folder(config)).events()
    return [{key: value for key, value in event.items() if key not in CLOCKS} for event in found]


@pytest.mark.parametrize("strategy", ["full", "frozen", "scratch", "frozen_random", "gradual_unfreeze"])
def test_the_test_set_is_scored_without_training(
    strategy: str, config: TransferConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = with_strategy(config, strategy, name="at-once")
    expected = run.transfer(at_once)
    tuning = with_strategy(config, strategy, test=False)
    first = run.transfer(tuning)
    folder = RunFolder(run.run_folder(tuning))
    assert (first["test"], first["floor_test"]) == (None, None)
    assert (folder.path / BEST).exists()
    steps = steps_trained(monkeypatch)
    row = run.transfer(dataclasses.replace(tuning, test=True))
    assert steps == []
    assert {k: v for k, v in row.items() if k not in MEASURED} == {
        k: v for k, v in expected.items() if k not in MEASURED
    }
    assert row["train_seconds"] == first["train_seconds"]
    one, two = run.run_folder(at_once), folder.path
    assert (one / "predictions.jsonl.gz").read_bytes() == (two / "predictions.jsonl.gz").read_bytes()
    assert next(event for event in events(tuning) if "test/accuracy" in event)["test/accuracy"] == row["test"]
    assert not (folder.path / BEST).exists()
    assert (folder.read("lineage.json") or {})["tuning"] is True
    assert (RunFolder(one).read("lineage.json") or {})["tuning"] is False
    assert run.transfer(tuning) == row  # asked again without the test set: there it is


@pytest.mark.parametrize("fault", ["removed", "torn", "of another run", "too large"])
def test_without_its_weights_it_trains_again_and_says_so(
    fault: str, config: TransferConfig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tuning = dataclasses.replace(config, test=False, keep_best=0.0 if fault == "too large" else 32.0)
    run.transfer(tuning)
    path = run.run_folder(tuning) / BEST
    assert path.exists() == (fault != "too large")
    if fault == "removed":
        path.unlink()
    elif fault == "torn":
        path.write_bytes(path.read_bytes()[:1000])
    elif fault == "of another run":
        another = dataclasses.replace(tuning, seed=2, name="another")
        run.transfer(another)
        path.write_bytes((run.run_folder(another) / BEST).read_bytes())
    steps = steps_trained(monkeypatch)
    row = run.transfer(dataclasses.replace(tuning, test=True))
    assert len(steps) == config.steps
    assert "the weights of its run with test=false were not kept (keep_best=" in capsys.readouterr().err
    assert row["test"] == run.transfer(dataclasses.replace(config, name="at-once"))["test"]
    assert (RunFolder(run.run_folder(config)).read("lineage.json") or {})["tuning"] is True


def test_a_frozen_encoder_leaves_its_head_alone(config: TransferConfig) -> None:
    sizes = {}
    for strategy in ("frozen", "full"):
        tuning = with_strategy(config, strategy, test=False)
        run.transfer(tuning)
        sizes[strategy] = (run.run_folder(tuning) / BEST).stat().st_size
    assert sizes["frozen"] < 2000 < 50_000 < sizes["full"]


def test_the_weights_may_be_pruned(config: TransferConfig, tmp_path: Path) -> None:
    tuning = dataclasses.replace(config, test=False)
    run.transfer(tuning)
    (item,) = (one for one in disk.listed([tmp_path / "runs"], tmp_path / "cache") if one.path.name == BEST)
    assert item.what == "weights to score a test set"
    assert disk.remove(item)
    assert not (run.run_folder(tuning) / BEST).exists()


def test_a_control_is_scored_later_too(tasks: dict[Kind, Path], tmp_path: Path) -> None:
    config = transfer(Kind.classes, tasks[Kind.classes], None, tmp_path, "tfidf", test=False)
    assert run.transfer(config)["test"] is None
    row = run.transfer(dataclasses.replace(config, test=True))
    assert row["test"] > 0.5
    assert row["test"] == run.transfer(dataclasses.replace(config, test=True, name="at-once"))["test"]
