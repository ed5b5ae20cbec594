"""``test=false`` and then ``test=true``: the test set is scored with the weights that dev chose, nothing is trained."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from language import transfer

from thaw import run
from thaw.config import TransferConfig
from thaw.errors import ConfigError, StorageError
from thaw.job import disk, later, source
from thaw.job.network import Network
from thaw.strategy.plan import STRATEGIES
from thaw.task.task import Kind
from thaw.track.folder import BEST, RunFolder
from thaw.train import loop
from thaw.train.config import TrainerConfig

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


def contents(config: TransferConfig) -> dict[str, bytes]:
    """Return what a finished run is: its files by name, beside the status, which says when it was written."""
    folder = run.run_folder(config)
    files = ("config.yaml", "lineage.json", "metrics.jsonl", "result.json", "predictions.jsonl.gz", BEST)
    return {name: (folder / name).read_bytes() for name in files if (folder / name).exists()}


@pytest.mark.parametrize("where", ["reading the network", "scoring", "writing the row"])
def test_an_error_while_scoring_later_leaves_the_run_as_it_stood(
    where: str, config: TransferConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuning = dataclasses.replace(config, test=False)
    run.transfer(tuning)
    before, folder = contents(tuning), RunFolder(run.run_folder(tuning))
    place, name = {
        "reading the network": (Network, "encoder"),
        "scoring": (later.best, "load"),
        "writing the row": (RunFolder, "write_result"),
    }[where]

    def full(*_: Any, **__: Any) -> Any:
        raise StorageError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(place, name, full)
        with pytest.raises(StorageError, match="the disk is full"):
            run.transfer(config)
    assert folder.state() == "finished"
    assert contents(tuning) == before
    steps = steps_trained(monkeypatch)
    assert run.transfer(config)["test"] is not None
    assert steps == []


@pytest.mark.parametrize("content", [None, b"", b'{"step": 4, "tor'])
def test_a_run_without_events_trains_again(
    content: bytes | None, config: TransferConfig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It raised IndexError, after the predictions were written, and so on every later try."""
    run.transfer(dataclasses.replace(config, test=False))
    path = run.run_folder(config) / "metrics.jsonl"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    steps = steps_trained(monkeypatch)
    row = run.transfer(config)
    assert len(steps) == config.steps
    assert "its metrics.jsonl is lost; it trains again" in capsys.readouterr().err
    assert row["test"] == run.transfer(dataclasses.replace(config, name="at-once"))["test"]


def test_where_lightning_alone_could_place_the_module_a_cpu_scores(
    config: TransferConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run on mps or tpu became a failed one."""
    first = run.transfer(dataclasses.replace(config, test=False))

    def refused(_: Any) -> Any:
        raise ConfigError("no CUDA device to measure trainer.accelerator=mps on, give steps or tokens")

    monkeypatch.setattr(later.build, "device", refused)
    row = run.transfer(config)
    assert row["test"] is not None
    assert row["train_seconds"] == first["train_seconds"]


def test_the_second_process_does_not_train_what_the_first_one_scores(
    config: TransferConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It went on to train, and waited for the first one for ever."""
    tuning = dataclasses.replace(config, test=False)
    first = run.transfer(tuning)
    before = contents(tuning)
    steps = steps_trained(monkeypatch)
    two = dataclasses.replace(config, trainer=TrainerConfig(threads=1, progress=False, devices=2))
    place = {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    with monkeypatch.context() as second:
        for name, value in place.items():
            second.setenv(name, value)
        assert run.transfer(two) == first  # it decides as the first one does, and writes nothing
        assert contents(tuning) == before
    row = run.transfer(config)
    with monkeypatch.context() as second:
        for name, value in place.items():
            second.setenv(name, value)
        assert run.transfer(two) == row
    assert steps == []


def test_other_code_that_scores_is_in_the_lineage(config: TransferConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    lineages = []
    for name, code in (("same", None), ("changed", "c0de00c0de00")):
        named = dataclasses.replace(config, name=name)
        run.transfer(dataclasses.replace(named, test=False))
        if code:
            monkeypatch.setattr(later, "source", lambda: "c0de00c0de00")
        run.transfer(named)
        lineages.append(RunFolder(run.run_folder(named)).read("lineage.json") or {})
    assert [lineage.get("source_of_test") for lineage in lineages] == [None, "c0de00c0de00"]
    assert {lineage["source"] for lineage in lineages} == {source.source()}  # that of what was trained
