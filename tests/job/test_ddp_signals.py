"""Signals to a run in two processes, whoever of them gets one: both stop after the same step, and none is left."""

import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from alive import children, left, lines, started, until
from thaw.task.task import Kind
from thaw.track.folder import RunFolder

TWO = ["trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2", "trainer.precision=32-true"]


def words(task: Path, checkpoint: Path, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "thaw", "transfer", "task=files", f"task.path={task}", "task.kind=classes",
        "task.metric=accuracy", f"checkpoint={checkpoint}", "strategy=full", "steps=100000", "eval_every=20",
        "data.batch_size=4", "name=s", "wandb=disabled", "trainer.threads=1", "trainer.progress=false",
        "trainer.compile=false", "task.max_length=32", *TWO, *more,
    ]  # fmt: skip


@pytest.fixture
def command(tasks: dict[Kind, Path], pretrained: dict[str, Any]) -> list[str]:
    return words(tasks[Kind.classes], pretrained["folder"] / "checkpoint")


def training(root: Path) -> bool:
    """Whether a run has begun to train: it has looked at some steps."""
    return any(lines(path) > 3 for path in root.glob("runs/s/*/metrics.jsonl"))


def endless(root: Path) -> bool:
    """Whether the run of a sweep trains that would never end."""
    paths = root.glob("runs/s/*/metrics.jsonl")
    return any(lines(path) > 3 and "steps: 100000" in path.with_name("config.yaml").read_text() for path in paths)


def stopped(root: Path) -> RunFolder:
    (folder,) = root.glob("runs/s/[!.]*")
    return RunFolder(folder)


def receive(process: Any, whom: str, number: int) -> None:
    if whom == "all":
        os.killpg(process.pid, number)
    elif whom == "first":
        process.send_signal(number)
    else:
        (other,) = children(process.pid)
        os.kill(other, number)


@pytest.mark.parametrize(
    ("whom", "number"),
    [
        ("all", signal.SIGTERM),
        pytest.param("all", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("first", signal.SIGUSR2, marks=pytest.mark.slow),
        pytest.param("other", signal.SIGTERM, marks=pytest.mark.slow),
    ],
)
def test_both_stop_at_one_step_whoever_is_told(
    whom: str, number: signal.Signals, command: list[str], tmp_path: Path
) -> None:
    """Each stopped where it was, and waited for the other one for good: nothing was saved."""
    with started(command, tmp_path) as process:
        until(lambda: training(tmp_path), process)
        receive(process, whom, number)
        _, errors = process.communicate()
        assert process.returncode == 128 + number, errors
        until(lambda: not left(process.pid))
    assert len(re.findall(rf"interrupted by {number.name}, saved at step \d+: the same command", errors)) == 1
    assert "Traceback" not in errors
    folder = stopped(tmp_path)
    assert folder.state() == "interrupted"
    assert len(list(folder.training_state.glob("step-*"))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_while_the_other_one_starts(number: signal.Signals, command: list[str], tmp_path: Path) -> None:
    """The first one waited half an hour for one that had ended."""
    with started(command, tmp_path) as process:
        until(lambda: children(process.pid), process)
        os.killpg(process.pid, number)
        _, errors = process.communicate()
        assert process.returncode == 128 + number, errors
        until(lambda: not left(process.pid))
    assert "Traceback" not in errors
    assert stopped(tmp_path).state() == "interrupted"


@pytest.mark.slow
def test_two_signals_to_all_as_timeout_sends_them(command: list[str], tmp_path: Path) -> None:
    """`timeout 60 thaw ...` signals its child, then its whole group, in which the child is once more."""
    with started(command, tmp_path) as process:
        until(lambda: training(tmp_path), process)
        process.send_signal(signal.SIGTERM)
        os.killpg(process.pid, signal.SIGTERM)
        os.killpg(process.pid, signal.SIGCONT)
        _, errors = process.communicate()
        assert process.returncode == 143, errors
        until(lambda: not left(process.pid))
    assert list(stopped(tmp_path).training_state.glob("step-*"))


@pytest.mark.slow
def test_a_time_limit_in_two_processes(command: list[str], tmp_path: Path) -> None:
    """The limit counts from the start of each process: the first one reaches it, and both stop."""
    with started([*command, "trainer.time_limit=25s"], tmp_path) as process:
        _, errors = process.communicate()
        assert process.returncode == 143, errors
    assert "interrupted by SIGTERM, trainer.time_limit=25s is over" in errors
    assert stopped(tmp_path).state() == "interrupted"


@pytest.mark.slow
def test_one_that_is_killed_costs_the_run_not_the_sweep(command: list[str], tmp_path: Path) -> None:
    """Lightning kills the first process five seconds after another one died, and the rest of the sweep with it."""
    sweep = [word for word in command if not word.startswith("steps=")]
    with started([*sweep, "-m", "steps=6,100000,7"], tmp_path) as process:
        until(lambda: endless(tmp_path), process)
        (other,) = children(process.pid)
        os.kill(other, signal.SIGKILL)
        output, errors = process.communicate()
    assert process.returncode == 1, errors
    assert "failed: process 2 of 2 of this run was killed by SIGKILL, as the kernel does when memory is short" in output
    assert output.count("accuracy dev") == 2
    states = sorted(RunFolder(path).state() for path in tmp_path.glob("runs/s/[!.]*"))
    assert states == ["failed", "finished", "finished"]


@pytest.mark.slow
def test_when_the_first_one_is_killed_the_other_ends(command: list[str], tmp_path: Path) -> None:
    with started(command, tmp_path) as process:
        until(lambda: training(tmp_path), process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        until(lambda: not left(process.pid))


@pytest.mark.parametrize(
    ("devices", "environment", "words"),
    [
        (2, {"SLURM_JOB_ID": "1", "SLURM_NTASKS": "1", "SLURM_PROCID": "0"}, "is 2 processes, but SLURM_NTASKS=1"),
        (1, {"TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "2", "RANK": "0"}, "is 1 process, but WORLD_SIZE=2"),
        (1, {"LOCAL_RANK": "x"}, "LOCAL_RANK=x in the environment is no number: unset it"),
    ],
)
def test_another_number_of_processes_is_refused_before_training(
    devices: int, environment: dict[str, str], words: str, command: list[str], tmp_path: Path
) -> None:
    """One process trained in silence, and the config said two."""
    command = [*command, f"trainer.devices={devices}"]
    with started(command, tmp_path, env={**os.environ, **environment}) as process:
        _, errors = process.communicate()
    assert process.returncode == 2
    assert words in errors
    assert errors.count("\n") == 1
    assert not list(tmp_path.glob("runs/s/*/metrics.jsonl"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["LOCAL_RANK", "NODE_RANK", "RANK"])
def test_a_rank_that_stands_about_is_not_this_runs(name: str, command: list[str], tmp_path: Path) -> None:
    """The run trained, printed its score, and left no folder; in two processes it waited for ever."""
    command = [word for word in command if not word.startswith("steps=")]
    for number, more in enumerate((["trainer.devices=1"], ["trainer.devices=2"])):
        run = [*command, *more, "steps=6", f"name=s{number}"]
        with started(run, tmp_path, env={**os.environ, name: "1"}) as process:
            output, errors = process.communicate()
        assert process.returncode == 0, errors
        assert output.count("accuracy dev") == 1
        assert len(list(tmp_path.glob(f"runs/s{number}/*/result.json"))) == 1
