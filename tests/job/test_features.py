"""Learning from kept features is learning: the same weights, for every strategy that can use them, charged in full."""

import multiprocessing
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from language import transfer
from safetensors.torch import load_file

from thaw import run
from thaw.encoder.config import EncoderConfig
from thaw.encoder.model import Encoder
from thaw.fields import identity
from thaw.strategy.plan import STRATEGIES, Factor, NetworkConfig, Progress, Strategy
from thaw.task.encode import Encoded
from thaw.task.task import Kind
from thaw.track.folder import RunFolder
from thaw.train import loop
from thaw.train.config import CacheConfig
from thaw.train.features import Features, _write, key, make_room, read

CASES: list[tuple[str, Kind, dict[str, Any]]] = [
    *[("frozen", kind, {}) for kind in Kind],
    ("frozen", Kind.classes, {"pooling": "cls"}),
    ("frozen", Kind.score, {"pooling": "concat"}),
    *[("feature_based", Kind.classes, {"hidden": 16, "layers": layers}) for layers in ("scalar_mix", "embeddings")],
    *[("feature_based", kind, {"hidden": 16}) for kind in Kind],
    ("feature_based", Kind.classes, {"hidden": 16, "model": "mlp", "pooling": "mean"}),
    ("frozen_random", Kind.tags, {}),
    ("lp_ft", Kind.classes, {"probe": 0.5}),
    ("top_k", Kind.classes, {"k": 1}),
    ("top_k", Kind.tags, {"k": 1}),
    ("gradual_unfreeze", Kind.classes, {"every": 8}),
    ("gradual_unfreeze", Kind.tags, {"unfreeze": "epochs", "every": 2}),
]


@dataclass(kw_only=True)
class Staged(NetworkConfig):
    """A plug-in's strategy that goes by stages but has no field that says so."""

    name: str = identity("staged")


def by_stage(config: Staged, groups: Sequence[str], progress: Progress) -> list[Factor]:
    return [1.0 if group == "head" or progress.stage else None for group in groups]


@pytest.fixture(scope="module")
def checkpoint(pretrained: dict[str, Any]) -> Path:
    return pretrained["folder"] / "checkpoint"


def features(folder: Path) -> list[Path]:
    return sorted(folder.glob("features/*/features.safetensors"))


def test_a_plan_by_stages_is_given_no_stale_features(
    tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STRATEGIES, "staged", Strategy(Staged, by_stage))
    found = []
    for limit in (4.0, 0.0):
        config = transfer(
            Kind.classes, tasks[Kind.classes], checkpoint, tmp_path / str(limit), "staged", steps=60, eval_every=2,
            cache=CacheConfig(folder=str(tmp_path / str(limit)), limit=limit),
        )  # fmt: skip
        run.transfer(config)
        found.append(RunFolder(run.run_folder(config)).events())
    assert features(tmp_path / "4.0")  # of the first stage
    assert found[0][-1]["drift/layer.0"] > 0  # there was a second one
    for one, other in zip(*found, strict=True):
        assert {k: v for k, v in one.items() if "seconds" not in k} == pytest.approx(
            {k: v for k, v in other.items() if "seconds" not in k}, abs=1e-4
        )


@pytest.mark.parametrize(("strategy", "kind", "settings"), CASES)
def test_features_change_nothing(
    strategy: str, kind: Kind, settings: dict[str, Any], tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path
) -> None:
    weights, losses, flops = [], [], []
    for limit in (4.0, 0.0):
        config = transfer(
            kind, tasks[kind], checkpoint, tmp_path / str(limit), strategy, settings=settings, steps=24, eval_every=8,
            cache=CacheConfig(folder=str(tmp_path / str(limit)), limit=limit), keep=True,
        )  # fmt: skip
        flops.append(run.transfer(config)["flops"])
        folder = RunFolder(run.run_folder(config))
        weights.append(load_file(folder.checkpoint / "model.safetensors"))
        losses.append([event["train/loss"] for event in folder.events() if "train/loss" in event])
    assert features(tmp_path / "4.0")
    assert not features(tmp_path / "0.0")
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    assert flops[0] == flops[1]  # one run id, one count
    for name, value in weights[0].items():
        assert (value - weights[1][name]).abs().max() < 1e-5, name


SEEN_IN_WEIGHTS = {"hidden", "intermediate", "max_positions", "segments"}
NOT_IN_STATES = {
    "name",
    "layers",
    "dropout",
    "attention_dropout",
    "init",
    "init_std",
}  # of fixed weights, below a depth


def test_features_of_equal_weights_that_compute_otherwise_are_others() -> None:
    sizes = {"layers": 1, "hidden": 16, "heads": 2, "intermediate": 32, "max_positions": 16}
    changes = {"heads": 4, "layer_norm_eps": 1e-5, "dialect": "modern"}
    fields = set(EncoderConfig.__dataclass_fields__)
    assert fields == SEEN_IN_WEIGHTS | NOT_IN_STATES | set(changes)  # a new field belongs to one of them
    nothing = Encoded(kind=Kind.classes, items=[], examples=[], labels=["a"], pad_id=0, report={})

    def named(**changed: Any) -> str:
        encoder = Encoder(EncoderConfig(**sizes | {"segments": 1} | changed), 20)
        with torch.no_grad():
            for parameter in encoder.parameters():
                parameter.fill_(0.5)
        return key(encoder, None, nothing, [1], "32-true")  # type: ignore[arg-type]

    assert named() == named(name="other", dropout=0.1, init="local")
    assert len({named(), *(named(**{field: value}) for field, value in changes.items())}) == 1 + len(changes)


def test_runs_share_features_and_each_is_charged(tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path) -> None:
    written: list[dict[Path, float]] = []
    rows = []
    for dropout in (0.0, 0.2):
        config = transfer(
            Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, "frozen", settings={"dropout": dropout}, steps=24,
            eval_every=8, cache=CacheConfig(folder=str(tmp_path / "cache")),
        )  # fmt: skip
        rows.append(run.transfer(config))
        written.append({path: path.stat().st_mtime for path in features(tmp_path / "cache")})
        for path in features(tmp_path / "cache"):  # as if computing them had taken long
            found = read(path.parent)
            assert found is not None
            _write(path.parent, Features(found.values, found.starts, 1000, 2000))
            os.utime(path, (written[0][path], written[0][path]))
    assert len(written[0]) == 3  # train, dev and test
    assert written[0] == written[1]
    assert rows[0]["flops"] == rows[1]["flops"]
    assert rows[0]["train_seconds"] < 1000 < rows[1]["train_seconds"] < 2000 < rows[1]["cpu_seconds"] < 3000


def test_a_resumed_run_counts_the_features_it_used_before(
    tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields: dict[str, Any] = {"settings": {"probe": 0.5}, "steps": 24, "eval_every": 8}
    whole = transfer(Kind.classes, tasks[Kind.classes], checkpoint, tmp_path / "a", "lp_ft", **fields)
    halted = transfer(Kind.classes, tasks[Kind.classes], checkpoint, tmp_path / "b", "lp_ft", **fields)
    original = loop.Loop.on_train_batch_end

    def stop(self: Any, trainer: Any, module: Any, *rest: Any) -> None:
        self.stop.number = 15 if module.step == 18 else 0
        original(self, trainer, module, *rest)

    monkeypatch.setattr(loop.Loop, "on_train_batch_end", stop)
    with pytest.raises(SystemExit):
        run.transfer(halted)
    monkeypatch.undo()
    assert run.transfer(halted)["flops"] == run.transfer(whole)["flops"]


def test_features_over_the_limit_are_not_kept(
    tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = CacheConfig(folder=str(tmp_path / "cache"), limit=1e-6)
    config = transfer(Kind.tags, tasks[Kind.tags], checkpoint, tmp_path, "frozen", steps=24, eval_every=24, cache=cache)
    assert run.transfer(config)["test"] is not None
    assert not features(tmp_path / "cache")
    assert "of features are not kept, cache.limit=1e-06" in capsys.readouterr().err


def test_a_damaged_file_is_computed_again(tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path) -> None:
    cache = CacheConfig(folder=str(tmp_path / "cache"))
    rows = []
    for number in range(2):
        config = transfer(
            Kind.classes, tasks[Kind.classes], checkpoint, tmp_path / str(number), "frozen", steps=24, eval_every=24,
            cache=cache,
        )  # fmt: skip
        rows.append(run.transfer(config))
        for path in features(tmp_path / "cache"):
            path.write_bytes(path.read_bytes()[:100])
    assert rows[0]["test"] == rows[1]["test"]


@pytest.mark.parametrize("places", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_a_flipped_bit_is_found(places: int, tmp_path: Path) -> None:
    made = Features({3: torch.randn(40, 8), 1: torch.randn(40, 8)}, torch.arange(41), 1.5, 2.5)
    _write(tmp_path / "a", made)
    path, draw = tmp_path / "a" / "features.safetensors", random.Random(7)
    whole = path.read_bytes()
    for _ in range(places):
        damaged = bytearray(whole)
        damaged[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        path.unlink()  # another file, whatever the clock says
        path.write_bytes(damaged)
        found = read(tmp_path / "a")
        assert found is None or _same(found, made)  # a space more or less changes nothing
    path.unlink()
    path.write_bytes(whole)
    found = read(tmp_path / "a")
    assert found is not None
    assert _same(found, made)


def _same(one: Features, other: Features) -> bool:
    return (one.seconds, one.cpu_seconds, one.values.keys()) == (
        other.seconds, other.cpu_seconds, other.values.keys()
    ) and all(torch.equal(one.values[number], other.values[number]) for number in other.values)  # fmt: skip


def test_a_cache_that_can_not_be_written_is_told_and_gone_without(
    tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cache").write_text("a file")
    rows = []
    for name in ("cache", "other"):
        cache = CacheConfig(folder=str(tmp_path / name))
        config = transfer(
            Kind.classes, tasks[Kind.classes], checkpoint, tmp_path / f"of {name}", "frozen", steps=24, eval_every=24,
            cache=cache,
        )  # fmt: skip
        rows.append(run.transfer(config))
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: features are not kept")]
    assert told
    assert all("Not a directory, free space or choose another folder" in line for line in told)
    assert rows[0]["test"] == rows[1]["test"]


def evict(folder: Path, start: Any, failures: Any) -> None:
    """Make room for nothing at all, again and again; report what was raised."""
    start.wait()
    for _ in range(200):
        try:
            make_room(folder, 1, 0)
        except Exception as error:
            failures.put(repr(error))
            return


def test_two_processes_may_make_room_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    start, failures = context.Event(), context.Queue()
    workers = [context.Process(target=evict, args=(tmp_path, start, failures)) for _ in range(3)]
    for worker in workers:
        worker.start()
    start.set()
    for number in range(2000):
        target = tmp_path / str(number)
        target.mkdir()
        (target / "features.safetensors").write_bytes(b"x")
    for worker in workers:
        worker.join()
    assert failures.empty(), failures.get()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
