"""kill -9 at any moment, then the same command: the bits of a run that nobody killed.

A state is saved after every step here, so that kills meet saving; they also meet tokenising, evaluation, unfreezing,
the writing of the last files. `make test` kills a dozen runs, `make test-all` three hundred.
"""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from killing import Config, bits, finish, forget, kill_after
from language import pretraining, transfer

from thaw.objective.config import ObjectiveConfig
from thaw.task.task import Kind
from thaw.train.config import OptimConfig, TrainerConfig

EACH_STEP = {"threads": 1, "progress": False, "checkpoint_minutes": 1e-6}
Make = Callable[[Path], Config]


def trainer(**more: object) -> TrainerConfig:
    return TrainerConfig(**EACH_STEP, **more)  # type: ignore[arg-type]


@pytest.fixture
def make(
    request: pytest.FixtureRequest, corpus_file: Path, tasks: dict[Kind, Path], pretrained: dict[str, object]
) -> Make:
    """Return the function from a folder to the config of a kind of run."""
    kind, _, what = request.param.partition(" ")
    if kind == "pretrain":
        more = {
            "adamw": {"save_at": ["0", "2k"]},
            "muon": {"optim": OptimConfig(name="muon", lr=3e-3), "piece_vectors": "counts"},
            "words": {"objective": ObjectiveConfig(unit="word"), "trainer": trainer(accumulate=2)},
        }[what]
        return lambda root: pretraining(corpus_file, root, **{"budget": "24", "trainer": trainer(), **more})
    label = {"frozen": Kind.tags, "gradual_unfreeze": Kind.score, "lp_ft": Kind.span}.get(kind, Kind.classes)
    settings = {"every": 5} if kind == "gradual_unfreeze" and not what else {"unfreeze": what} if what else {}
    checkpoint = Path(str(pretrained["folder"])) / "checkpoint"
    accumulate = 2 if kind == "full" else 1
    return lambda root: transfer(
        label, tasks[label], checkpoint, root, kind, settings=settings, steps=24, eval_every=4, keep=True,
        trainer=trainer(accumulate=accumulate),
    )  # fmt: skip


FEW = ["pretrain adamw", "gradual_unfreeze", "full", "frozen"]
MORE = [
    "pretrain muon",
    "pretrain words",
    "gradual_unfreeze plateau",
    "scratch",
    "feature_based",
    "lp_ft",
    "top_k",
    "bias_only",
]


def kills(make: Make, tmp_path: Path, count: int, seed: int) -> None:
    """Kill ``count`` runs at random moments of their length; each must end as the whole one did."""
    folder, _ = finish(make(tmp_path / "warm"))  # imports what is imported late, so that the length is that of a run
    folder, seconds = finish(make(tmp_path / "whole"))
    whole, draw = bits(folder), random.Random(seed)
    assert whole["left"] == []
    for number in range(count):
        root, delay = tmp_path / f"killed{number}", draw.uniform(0, seconds)
        kill_after(make(root), delay)
        folder, _ = finish(make(root))
        assert bits(folder) == whole, f"killed after {delay:.3f} of {seconds:.3f} s"
        forget(root)


@pytest.mark.parametrize("make", FEW, indirect=True)
def test_a_killed_run_ends_as_a_whole_one(make: Make, tmp_path: Path) -> None:
    kills(make, tmp_path, 3, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("make", FEW + MORE, indirect=True)
def test_many_killed_runs_end_as_a_whole_one(make: Make, tmp_path: Path) -> None:
    kills(make, tmp_path, 25, seed=2)


@pytest.mark.slow
@pytest.mark.parametrize("make", ["pretrain adamw", "gradual_unfreeze"], indirect=True)
def test_a_run_killed_twenty_times_ends_as_a_whole_one(make: Make, tmp_path: Path) -> None:
    folder, _ = finish(make(tmp_path / "warm"))
    folder, seconds = finish(make(tmp_path / "whole"))
    whole, draw = bits(folder), random.Random(3)
    for _ in range(20):
        kill_after(make(tmp_path / "killed"), draw.uniform(0, seconds / 3))
    folder, _ = finish(make(tmp_path / "killed"))
    assert bits(folder) == whole
