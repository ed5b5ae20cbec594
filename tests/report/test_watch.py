"""--watch: the page is written when a run changes, and only then."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from thaw.errors import ConfigError
from thaw.report.collect import read
from thaw.report.page import write
from thaw.report.progress import progress
from thaw.report.watch import STAMP, watch
from thaw.track.folder import PLANNED


@pytest.fixture
def sweep(tmp_path: Path, make_run: Any) -> Path:
    root = tmp_path / "runs"
    for seed in (1, 2):
        make_run(root, run_id=f"run{seed}", seed=seed, dev=0.5, test=0.5)
    make_run(root, run_id="bad", seed=3, state="failed", error="no")
    make_run(root, run_id="now", seed=4, state="running", events=[{"step": 7, "seconds": 3.0}])
    (root / PLANNED).write_text(json.dumps({"planned": ["run1", "run2", "bad", "now", "later1", "later2"]}))
    return root


def test_progress_counts_what_is_left(sweep: Path) -> None:
    found = progress(read(sweep))
    assert (found.finished, found.failed, len(found.running), found.left) == (2, 1, 1, 2)
    assert found.going
    (sweep / PLANNED).write_text("[")
    assert progress(read(sweep)).left == 0


def test_the_page_says_how_far_it_is(sweep: Path, tmp_path: Path) -> None:
    study = read(sweep)
    page = write(study, tmp_path / "out", live=progress(study), pictures=False).read_text("utf-8")
    assert "<b>1</b> running, <b>2</b> left" in page
    assert "topics, full, 50 labels, seed 4: step 7, 3 s" in page
    assert STAMP in page
    assert STAMP not in write(study, tmp_path / "out", pictures=False).read_text("utf-8")


def test_it_is_written_only_when_something_changed(sweep: Path, tmp_path: Path, make_run: Any) -> None:
    said: list[str] = []
    out = tmp_path / "out"
    watch([str(sweep)], out, every=0.01, rounds=3, say=said.append)
    assert sum("running" in line for line in said) == 1
    before = (out / STAMP).read_text()
    make_run(sweep, run_id="later1", seed=5, dev=0.5, test=0.5)
    watch([str(sweep)], out, every=0.01, rounds=2, say=said.append)
    assert "1 running, 1 left, 3 finished, 1 failed" in said[-2]
    assert (out / STAMP).read_text() != before
    assert not (out / "figures").exists()  # while something runs there are no pictures
    status = sweep / "now" / "status.json"
    status.write_text(json.dumps(json.loads(status.read_text()) | {"state": "interrupted"}))
    (sweep / PLANNED).unlink()
    os.utime(status)
    watch([str(sweep)], out, every=0.01, rounds=1, say=said.append)
    assert any((out / "figures").iterdir())


def test_it_waits_for_the_first_run_and_refuses_what_it_can_not_see(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "empty").mkdir()
    watch([str(tmp_path / "empty")], tmp_path / "out", every=0.01, rounds=1, say=said.append)
    assert said[0].startswith("waiting: no run in")
    with pytest.raises(ConfigError, match="no such folder"):
        watch([str(tmp_path / "absent")], tmp_path / "out", rounds=1)
    with pytest.raises(ConfigError, match="not at W&B"):
        watch(["wandb:me/project"], tmp_path / "out", rounds=1)


def test_ctrl_c_ends_it_calmly(sweep: Path, tmp_path: Path) -> None:
    said: list[str] = []

    def interrupt(line: str) -> None:
        said.append(line)
        if len(said) == 1:
            raise KeyboardInterrupt

    watch([str(sweep)], tmp_path / "out", every=0.01, say=interrupt)
    assert said[-1].startswith("stopped after")
