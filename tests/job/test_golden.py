"""Golden loss curves: a change that must not alter results shows the same numbers; `make golden` rewrites them.

The tolerance is for other processors: sums are taken in another order there.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from language import pretraining, transfer

from thaw import run
from thaw.strategy.plan import STRATEGIES
from thaw.task.task import Kind
from thaw.track.folder import RunFolder

FILE = Path(__file__).parent / "golden" / "losses.json"
NETWORKS = sorted(name for name, strategy in STRATEGIES.items() if strategy.plan)


def golden(name: str, value: Any) -> Any:
    """Return what was recorded under a name, or record it."""
    recorded = json.loads(FILE.read_text()) if FILE.exists() else {}
    if os.environ.get("THAW_GOLDEN") == "rewrite":
        recorded[name] = value
        FILE.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n")
    return recorded[name]


def check(name: str, losses: list[float]) -> None:
    """Compare a curve with the recorded one."""
    expected = golden(name, [round(loss, 5) for loss in losses])
    assert losses == pytest.approx(expected, abs=2e-3), f"{name}: on purpose? then `make golden`"


def curve(folder: Path, key: str) -> list[float]:
    return [event[key] for event in RunFolder(folder).events() if key in event]


def test_pretraining(pretrained: dict[str, Any]) -> None:
    check("pretrain train", curve(pretrained["folder"], "train/loss"))
    check("pretrain dev", curve(pretrained["folder"], "dev/loss"))


@pytest.mark.parametrize("strategy", NETWORKS)
def test_strategies(strategy: str, tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path) -> None:
    settings = {"top_k": {"k": 1}, "feature_based": {"hidden": 16}}.get(strategy, {})
    config = transfer(
        Kind.classes,
        tasks[Kind.classes],
        pretrained["folder"] / "checkpoint",
        tmp_path,
        strategy,
        steps=20,
        settings=settings,
    )
    run.transfer(config)
    check(f"transfer {strategy}", curve(run.run_folder(config), "train/loss"))


def test_a_run_keeps_its_name(corpus_file: Path, home: Path) -> None:
    """A new identity field or default renames all runs, so that none is found again: say so when it is meant."""
    found = run.run_identity(pretraining(corpus_file, home, save_at=["0", "5k"]))
    assert found == golden("run id", found)
