"""The workers of a sweep: one that dies costs its run, one whose parent died ends, each named in one line."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from alive import left, lines, started, until
from thaw.cli.launch import at_once
from thaw.text import corpus, tokenizer
from thaw.text.corpus import CorpusConfig
from thaw.text.tokenizer import TokenizerConfig
from thaw.track.folder import RunFolder

TEXT = "\n\n".join(f"The river {i} runs over warm stones under a bright sky in the cold night." for i in range(99))
JOBLIB = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]


@pytest.fixture
def command(task_folder: Path, tmp_path: Path) -> list[str]:
    """A sweep of a run without end, a short one, another without end, and a short one that waits for a worker."""
    (tmp_path / "text.txt").write_text(TEXT)
    documents = corpus.documents(CorpusConfig(paths=[str(tmp_path / "text.txt")]))
    tokenizer.train(documents, TokenizerConfig(vocab_size=300)).save(tmp_path / "tokenizer")
    return [
        sys.executable, "-m", "thaw", "transfer", "task=files", f"task.path={task_folder}", "task.kind=classes",
        "encoder=tiny", "encoder.hidden=32", "encoder.intermediate=64", "tokenizer=folder",
        f"tokenizer.path={tmp_path / 'tokenizer'}", "eval_every=100", "wandb=disabled", "trainer.threads=1", "name=s",
        "steps=1000000", "-m", "strategy=scratch,majority", "seed=1,2",
    ]  # fmt: skip


def endless(root: Path) -> list[dict[str, Any]]:
    """Return the status of each run without end that trains."""
    folders = [path.parent for path in root.glob("runs/s/*/metrics.jsonl") if lines(path) > 3]
    return [{"folder": folder, **json.loads((folder / "status.json").read_text())} for folder in folders]


def finished(root: Path) -> int:
    return len(list(root.glob("runs/s/*/result.json")))


def test_a_worker_that_is_killed_costs_its_run(command: list[str], tmp_path: Path) -> None:
    """All that was said was "BrokenProcessPool", of no run, and the summary of the others was not shown."""
    with started([*command[:-1], "seed=1", *JOBLIB], tmp_path) as process:
        until(lambda: endless(tmp_path) and finished(tmp_path), process)
        (killed,) = endless(tmp_path)
        os.kill(killed["pid"], signal.SIGKILL)
        output, errors = process.communicate()
    assert process.returncode == 1, errors
    told = f"[1/2] files scratch n=all seed=1 … failed: its process (pid {killed['pid']}) was killed by SIGKILL"
    assert told in output, errors
    assert "error: 1 of 2 runs failed, the same command tries them again" in errors


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_its_run_not_the_sweep(command: list[str], tmp_path: Path) -> None:
    """joblib's pool broke: the other worker was killed too, and the runs that were to come never began."""
    with started([*command, *JOBLIB], tmp_path) as process:
        until(lambda: len(endless(tmp_path)) == 2, process)
        killed, other = endless(tmp_path)
        os.kill(killed["pid"], signal.SIGKILL)
        until(lambda: finished(tmp_path) == 2, process)
        assert RunFolder(other["folder"]).state() == "running"
        os.kill(other["pid"], signal.SIGKILL)
        output, errors = process.communicate()
    assert process.returncode == 1, errors
    for one in (killed, other):
        what = f"its process (pid {one['pid']}) was killed by SIGKILL, as the kernel does when memory is short"
        assert output.count(f"failed: {what}\n") == 1
        status = json.loads((one["folder"] / "status.json").read_text())
        assert (status["state"], status["error"]) == ("failed", what)
    assert "error: 2 of 4 runs failed, the same command tries them again" in errors
    assert "Traceback" not in errors


@pytest.mark.slow
def test_a_worker_that_is_told_to_stop_saves_and_the_sweep_goes_on(command: list[str], tmp_path: Path) -> None:
    with started([*command, *JOBLIB], tmp_path) as process:
        until(lambda: len(endless(tmp_path)) == 2, process)
        told = list(zip(endless(tmp_path), (signal.SIGTERM, signal.SIGUSR1), strict=True))
        for one, number in told:
            os.kill(one["pid"], number)
        output, errors = process.communicate()
    assert process.returncode == 1, errors
    assert finished(tmp_path) == 2
    assert "error: 2 of 4 runs interrupted, the same command continues them" in errors
    for one, number in told:
        assert f"interrupted by {number.name} to its process: the same command continues" in output
        status = json.loads((one["folder"] / "status.json").read_text())
        assert status["state"] == "interrupted"
        assert status["error"].startswith(f"Interrupted: {number.name}, saved at step ")
        assert list(one["folder"].glob("state/step-*"))


@pytest.mark.slow
def test_a_worker_whose_parent_died_saves_says_so_and_ends(command: list[str], tmp_path: Path) -> None:
    """It trained on for hours, for nobody, beside the same command given again."""
    with started([*command, *JOBLIB], tmp_path) as process:
        until(lambda: len(endless(tmp_path)) == 2, process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        until(lambda: not left(process.pid))
    for orphan in endless(tmp_path):
        assert orphan["state"] == "interrupted"
        gone = f"the process that started this one (pid {process.pid}) is gone, saved at step "
        assert orphan["error"].startswith(f"Interrupted: SIGTERM, {gone}")
        assert list(orphan["folder"].glob("state/step-*"))


@pytest.mark.slow
def test_a_job_of_submitit_that_dies_costs_its_run(command: list[str], tmp_path: Path) -> None:
    """The others ended, and nobody said how."""
    with started([*command, "hydra/launcher=submitit_local"], tmp_path) as process:
        until(lambda: len(endless(tmp_path)) == 2 and finished(tmp_path) == 2, process)
        for one in endless(tmp_path):
            os.kill(one["pid"], signal.SIGKILL)
        output, errors = process.communicate()
    assert process.returncode == 1, errors
    assert output.count("ended without a result") == 2
    assert output.count("accuracy dev") == 2
    assert "error: 2 of 4 runs failed, the same command tries them again" in errors


@pytest.mark.slow
def test_preemption_under_submitit_puts_the_job_back_with_its_state(command: list[str], tmp_path: Path) -> None:
    """The run began again at step 0: submitit's handler had ended the process before anything was saved."""
    command = [*command[:-3], "steps=3000", "-m", "strategy=scratch", "seed=1"]
    with started([*command, "hydra/launcher=submitit_local"], tmp_path) as process:
        until(lambda: any(lines(path) > 3 for path in tmp_path.glob("runs/s/*/metrics.jsonl")), process)
        (status,) = tmp_path.glob("runs/s/*/status.json")
        os.kill(json.loads(status.read_text())["pid"], signal.SIGUSR2)
        output, errors = process.communicate()
    assert process.returncode == 0, errors
    assert output.count("accuracy dev") == 1
    (folder,) = (path.parent for path in tmp_path.glob("runs/s/*/result.json"))
    steps = [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert steps == sorted(steps)  # it went on, and recorded nothing twice
    logs = "".join(path.read_text() for path in tmp_path.rglob("*_log.err"))
    assert "this job is preempted" in logs


@pytest.mark.parametrize(("wished", "count"), [(3, 3), (1, 1), (None, 1)])
def test_as_many_at_once_as_joblib_would_run(wished: int | None, count: int) -> None:
    assert at_once(wished) == count
    assert at_once(-1) >= at_once(-2) >= 1
