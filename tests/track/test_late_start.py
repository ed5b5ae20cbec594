"""W&B's side process starts late, not at first, or never: the run goes on, and says what became of its record.

A side process of our own making stands in for a busy machine: it does nothing for a while before it is W&B's.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from offline_run import offline_runs

from slow import SLOW, room
from thaw.track.folder import RunFolder

Script = Callable[..., "subprocess.Popen[str]"]

JOB = """
import sys
from pathlib import Path
from wandb.sdk.lib.service import service_process
from wandb.util import get_core_path
from thaw.track import wandb_recording
from thaw.track.config import WandbConfig
from thaw.track.folder import RunFolder
from thaw.track.mirror import Mirror

folder, before = Path(sys.argv[1]), sys.argv[2]
side = Path("wandb-core")
side.write_text(f'#!/bin/sh\\n{before}\\nexec "{get_core_path()}" "$@"\\n')
side.chmod(0o755)
service_process.get_core_path = lambda: str(side.absolute())
wandb_recording.FIRST_SECONDS = 0.2
with RunFolder(folder) as owned:
    owned.status("running")
    with Mirror(WandbConfig(mode="offline"), folder, run_id="a", name="a", settings={"seed": 1}) as mirror:
        for step in range(50):
            mirror.log({"step": step, "loss": step / 7})
        mirror.summary({"dev": 0.5})
        print(mirror.recorded)
    owned.note_wandb(mirror.recorded)
print(mirror.recorded)
"""


def _run(script: Script, folder: Path, before: str) -> tuple[list[str], str]:
    """Run the job; return what it said of its record after the last row and at the end, and what it told."""
    process = script(JOB, str(folder), before)
    out, err = process.communicate(timeout=60 * room())
    assert process.returncode == 0, err
    return out.split(), err


def test_a_late_start_keeps_nothing_waiting_and_is_whole(tmp_path: Path, script: Script) -> None:
    said, told = _run(script, tmp_path / "run", f"sleep {4 * SLOW:g}")
    assert said == ["none", "offline"]  # all rows were told before W&B was there to take them
    assert told == ""
    (run,) = offline_runs(tmp_path / "run")
    assert [(row["_step"], row["trainer/step"]) for row in run.history] == [(step, step) for step in range(50)]
    assert (run.summary["dev"], run.config["seed"], run.exit_code) == (0.5, 1, 0)


def test_a_start_that_fails_once_is_made_up_for_at_the_end(tmp_path: Path, script: Script) -> None:
    said, told = _run(script, tmp_path / "run", "if [ ! -e tried ]; then touch tried; exit 3; fi")
    assert said == ["none", "offline"]
    assert "wandb-core exited with code 3" in told
    assert "recorded anew offline" in told
    (run,) = offline_runs(tmp_path / "run")
    assert [row["trainer/step"] for row in run.history] == list(range(50))


def test_a_start_that_always_fails_is_said(tmp_path: Path, script: Script) -> None:
    said, told = _run(script, tmp_path / "run", "exit 3")
    assert said == ["none", "none"]
    (line,) = told.splitlines()
    assert f"thaw runs --wandb {tmp_path} records it later" in line
    assert (RunFolder(tmp_path / "run").read("status.json") or {})["wandb"] == "none"
    assert not list((tmp_path / "run").glob("wandb/*run-*"))


@pytest.mark.slow
def test_a_side_process_that_only_computes_is_given_up(tmp_path: Path, script: Script) -> None:
    said, told = _run(script, tmp_path / "run", "while :; do :; done")
    assert said == ["none", "none"]
    assert "no answer within" in told
    assert json.loads((tmp_path / "run" / "status.json").read_text())["wandb"] == "none"
