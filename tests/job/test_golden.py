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


def check(name: str, losses: list[float]) -> None:
    """Compare a curve with the recorded one, or record it."""
    golden = json.loads(FILE.read_text()) if FILE.exists() else {}
    if os.environ.get("THAW_GOLDEN") == "rewrite":
        golden[name] = [round(loss, 5) for loss in losses]
        FILE.write_text(json.dumps(golden, indent=1, sort_keys=True) + "\n")
    assert losses == pytest.approx(golden[name], abs=2e-3), f"{name}: on purpose? then `make golden`"


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


def test_the_same_numbers_on_every_machine_start_from_the_same_corpus(corpus_file: Path, home: Path) -> None:
    assert run.run_identity(pretraining(corpus_file, home, save_at=["0", "5k"])) == "824edef169"
