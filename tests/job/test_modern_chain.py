"""The chain with ModernBERT's dialect: pretrained, transferred by every strategy, killed and resumed, predicted."""

from pathlib import Path
from typing import Any

import pytest
from language import ENCODER, pretraining, transfer
from test_golden import check_losses, curve

from thaw import run
from thaw.encoder import checkpoint as checkpoints
from thaw.encoder.config import EncoderConfig
from thaw.strategy.plan import STRATEGIES
from thaw.task.task import Kind
from thaw.track.folder import RunFolder
from thaw.train.config import CacheConfig, OptimConfig

SHAPE = EncoderConfig(name="test", dialect="modern", segments=1, layer_norm_eps=1e-5, init="local", **ENCODER)
NETWORKS = [name for name, strategy in STRATEGIES.items() if strategy.plan]
SETTINGS: dict[str, dict[str, Any]] = {"top_k": {"k": 1}, "feature_based": {"hidden": 16}}


@pytest.fixture(scope="module")
def made(corpus_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The row of a pretraining by Muon, with its folder."""
    config = pretraining(
        corpus_file, tmp_path_factory.mktemp("modern"), encoder=SHAPE, optim=OptimConfig(name="muon", lr=4e-3),
        piece_vectors="counts",
    )  # fmt: skip
    return {**run.pretrain(config), "folder": run.run_folder(config)}


def test_it_learns_and_says_what_it_is(made: dict[str, Any]) -> None:
    losses = curve(made["folder"], "dev/loss")
    assert losses[-1] < losses[0] - 1
    check_losses("pretrain modern train", curve(made["folder"], "train/loss"))
    assert checkpoints.load(made["folder"] / "checkpoint").encoder_config == SHAPE
    assert "tags: [thaw, modernbert, fill-mask]" in (made["folder"] / "checkpoint" / "README.md").read_text()


@pytest.mark.parametrize("strategy", NETWORKS)
def test_every_strategy(strategy: str, tasks: dict[Kind, Path], made: dict[str, Any], tmp_path: Path) -> None:
    checkpoint = made["folder"] / "checkpoint"
    config = transfer(
        Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, strategy, settings=SETTINGS.get(strategy, {}), steps=6,
        eval_every=3,
    )  # fmt: skip
    row = run.transfer(config)
    assert row["frozen_audit"] == ("not_applicable" if strategy in ("full", "scratch") else "passed")
    assert row["flops"] > 0


@pytest.mark.parametrize("kind", [Kind.score, Kind.tags, Kind.span])
def test_full_on_the_other_kinds(kind: Kind, tasks: dict[Kind, Path], made: dict[str, Any], tmp_path: Path) -> None:
    checkpoint = made["folder"] / "checkpoint"
    row = run.transfer(transfer(kind, tasks[kind], checkpoint, tmp_path, "full", steps=4, eval_every=2))
    assert row["test"] is not None


def test_states_computed_once_give_the_same_losses(
    tasks: dict[Kind, Path], made: dict[str, Any], tmp_path: Path
) -> None:
    def losses(root: Path, limit: float) -> list[float]:
        cache = CacheConfig(folder=str(root / "cache"), limit=limit)
        checkpoint = made["folder"] / "checkpoint"
        config = transfer(
            Kind.classes, tasks[Kind.classes], checkpoint, root, "gradual_unfreeze", settings={"every": 10}, steps=30,
            cache=cache,
        )  # fmt: skip
        run.transfer(config)
        features = list((root / "cache" / "features").rglob("*")) if (root / "cache" / "features").exists() else []
        assert bool(features) == (limit > 0)
        return curve(run.run_folder(config), "train/loss")

    assert losses(tmp_path / "a", 1.0) == pytest.approx(losses(tmp_path / "b", 0.0), abs=1e-5)


def test_scratch_has_its_shape(tasks: dict[Kind, Path], made: dict[str, Any], tmp_path: Path) -> None:
    checkpoint = made["folder"] / "checkpoint"
    config = transfer(Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, "scratch", steps=2, keep=True)
    run.transfer(config)
    kept = checkpoints.load(run.run_folder(config) / "checkpoint")
    assert kept.encoder_config.dialect == "modern"
    assert RunFolder(run.run_folder(config)).result() is not None
