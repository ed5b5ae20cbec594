"""Run folders of before 2026-11-29 stay readable: they hold no floor, no strategy, no recipe, no digest of the code."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from thaw.report.cells import cells
from thaw.report.collect import read
from thaw.report.page import write
from thaw.track.row import COLUMNS

Make = Callable[..., Path]
LAST = "host_gflops"  # the last column of then
CONFIG = """name: s
seed: {seed}
checkpoint: runs/pre/4d3cd7f01e/checkpoint
task: {{name: trec, kind: classes, metric: accuracy, path: shared/data/trec, max_length: 128, stride: 64}}
data: {{train_size: '50', dev_size: match, dev_share: 0.1, batch_size: 16, duplicates: drop}}
strategy: {{name: {strategy}, pooling: mean, dropout: 0.1}}
optim: {{name: adamw, lr: {lr}}}
steps: 300
eval_every: 50
verdict: {{strategy: full, sizes: [], level: 0.95, tasks: 0.66, margin: 0.01, target: 0.95, faster: 1.1, fewer: 2.0}}
test: true
trainer: {{threads: 1, precision: 32-true, accumulate: 1}}
"""


def older(root: Path, make_run: Make, strategy: str, seed: int, *, lr: float = 5e-4, **given: object) -> Path:
    """Write a run folder as the code of 2026-11-28 did."""
    name = f"{strategy}{seed}{lr}"
    folder = make_run(
        root, run_id=name, strategy=strategy, task="trec", seed=seed, lr=lr, thaw_version="0.1.0", **given
    )
    (folder / "config.yaml").write_text(CONFIG.format(seed=seed, strategy=strategy, lr=lr))
    (folder / "lineage.json").write_text(json.dumps({"run_id": name, "split": "5" * 64, "ancestors": []}))
    if (folder / "result.json").exists():
        row = json.loads((folder / "result.json").read_text())
        names = list(COLUMNS)
        then = {column: row[column] for column in names[: names.index(LAST) + 1]}
        (folder / "result.json").write_text(json.dumps(then))
    return folder


@pytest.fixture
def folder(tmp_path: Path, make_run: Make) -> Path:
    """A study of then: scratch, full, a plug-in's control, the majority answer, and a run of full that diverged."""
    root = tmp_path / "s"
    for seed in (1, 2, 3):
        older(root, make_run, "scratch", seed, test=0.4, dev=0.4)
        older(root, make_run, "majority", seed, kind="control", test=0.2, dev=0.1, steps=0)
        older(root, make_run, "a_rule", seed, kind="control", test=0.3, dev=0.3, steps=0)
        if seed > 1:
            older(root, make_run, "full", seed, test=0.7, dev=0.7, checkpoint="c" * 64)
    lost = "the training loss is nan at step 40, lower optim.lr=0.0005"
    older(root, make_run, "full", 1, state="failed", error=lost)
    return root


def test_older_runs_are_cells_and_their_diverged_ones_count(folder: Path) -> None:
    study = read(folder)
    assert not study.unreadable
    found = {cell.arm.strategy: cell for cell in cells(study)}
    assert {name: cell.task for name, cell in found.items()} == dict.fromkeys(found, "trec")
    full = found["full"]
    assert (full.arm.transfers, full.arm.network, found["scratch"].arm.baseline) == (True, True, True)
    assert (found["a_rule"].arm.control, found["a_rule"].arm.network) == (True, False)
    assert full.test is not None
    assert (full.diverged, full.test.mean, full.test.n) == (1, pytest.approx((0.7 + 0.7 + 0.2) / 3), 3)
    assert all(cell.trials == 1 for cell in found.values())


def test_the_page_of_an_older_study_is_written(folder: Path, tmp_path: Path) -> None:
    out = write(read(folder), tmp_path / "out", pictures=False).parent
    data = json.loads((out / "report.json").read_text())
    assert data["transfer"] == "full"
    assert "states of the code" not in " ".join(data["notes"])  # none recorded one: nothing is known to be mixed
    assert "from pretrained weights, everything learns" in (out / "index.html").read_text("utf-8")


def test_older_and_newer_runs_of_one_study_are_told_by_their_code(folder: Path, make_run: Make) -> None:
    made = older(folder, make_run, "frozen", 1, test=0.5, dev=0.5, checkpoint="c" * 64)
    row = dict.fromkeys(COLUMNS) | json.loads((made / "result.json").read_text()) | {"source": "ab12" * 3, "results": 2}
    (made / "result.json").write_text(json.dumps(row))
    notes = json.loads((write(read(folder), folder.parent / "out", pictures=False).parent / "report.json").read_text())
    assert any("ab12ab12ab in 1 run" in line and "not recorded in" in line for line in notes["notes"])
