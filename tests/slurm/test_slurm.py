"""Sweeps and distributed runs under a real Slurm: what they give is what they give without it, whatever is sent."""

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cluster import Slurm

from alive import lines, until
from thaw.track.folder import RunFolder

pytestmark = [pytest.mark.slurm, pytest.mark.slow]
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "cluster.md"
CLOCKS = ("seconds", "cpu_seconds")
SUBMITIT = "hydra/launcher=submitit_slurm hydra.launcher.cpus_per_task=1 hydra.launcher.mem_gb=0"
TWO = "trainer=ddp trainer.accelerator=cpu trainer.precision=32-true trainer.compile=false"


def local(words: str, folder: Path) -> None:
    done = subprocess.run(shlex.split(words), cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def results(folder: Path, name: str) -> dict[str, Any]:
    """Return what the runs of a study have recorded, clocks apart, by run id."""
    found = {}
    for path in folder.glob(f"runs/{name}/[!.]*"):
        run = RunFolder(path)
        row = run.result() or {}
        events = [{key: value for key, value in one.items() if key not in CLOCKS} for one in run.events()]
        scores = {key: row.get(key) for key in ("dev", "test", "best_step", "tokens", "flops", "seed")}
        found[path.name] = {"state": run.state(), "row": scores, "events": events}
        found[path.name] |= {"predictions": (path / "predictions.jsonl.gz").read_bytes()}
    return found


def began(folder: Path, name: str) -> Callable[[], bool]:
    """Return the question whether a run of a study trains."""
    return lambda: any(lines(path) > 3 for path in folder.glob(f"runs/{name}/*/metrics.jsonl"))


def printed(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.glob("slurm-*.out"))


def test_an_array_gives_what_a_sweep_on_this_machine_gives(slurm: Slurm, words: str, tmp_path: Path) -> None:
    local(f"{words} steps=8 -m seed=1,2 name=here", tmp_path)
    job = slurm.batch(
        f"{words} steps=8 -m seed=1,2 name=array --only $SLURM_ARRAY_TASK_ID", "--array=1-2", folder=tmp_path
    )
    assert set(slurm.over(job, tmp_path).values()) == {"COMPLETED 0:0"}, printed(tmp_path)
    assert results(tmp_path, "array") == results(tmp_path, "here")


def test_each_task_of_a_step_has_a_run_of_its_own_by_only(slurm: Slurm, words: str, tmp_path: Path) -> None:
    words = words.replace("strategy=scratch", "strategy=majority")
    script = f"srun sh -c '{words} -m seed=1,2 data.train_size=10 name=step --only $((SLURM_PROCID + 1))'"
    job = slurm.batch(script, "--ntasks=2", folder=tmp_path)
    assert list(slurm.over(job, tmp_path).values()) == ["COMPLETED 0:0"], printed(tmp_path)
    assert sorted(one["row"]["seed"] for one in results(tmp_path, "step").values()) == [1, 2]


def test_submitit_gives_the_same_and_a_preempted_job_goes_on(slurm: Slurm, words: str, tmp_path: Path) -> None:
    """It began again at step 0: submitit's handler had ended the process before anything was saved."""
    local(f"{words} steps=600 -m seed=1,2 name=here", tmp_path)
    command = shlex.split(f"{words} steps=600 -m seed=1,2 name=there {SUBMITIT} hydra.launcher.timeout_min=60")
    with subprocess.Popen(
        command, cwd=tmp_path, env=slurm.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watcher:
        until(began(tmp_path, "there"), watcher)
        running = [job for job in slurm.jobs(tmp_path) if job["JobState"] == "RUNNING" and job["JobName"] == "thaw"]
        slurm.run("scancel", "--signal=USR2", running[0]["JobId"], folder=tmp_path)
        until(lambda: "PENDING BeginTime" in waiting(slurm, tmp_path), watcher)
        begin_now(slurm, tmp_path)
        output, errors = watcher.communicate()
    assert watcher.returncode == 0, errors
    assert output.count("accuracy dev") >= 2
    assert results(tmp_path, "there") == results(tmp_path, "here")


def begin_now(slurm: Slurm, folder: Path) -> None:
    """Let no job wait two minutes, as Slurm has it, before it begins again; at once its node would not know it yet."""
    for job in slurm.jobs(folder):
        if job["JobState"] == "PENDING":
            slurm.run("scontrol", "update", f"JobId={job['JobId']}", "StartTime=now+5", folder=folder)


def waiting(slurm: Slurm, folder: Path) -> str:
    """Return in what state the jobs are, and why."""
    return " ".join(f"{job['JobState']} {job.get('Reason')}" for job in slurm.jobs(folder))


def test_the_script_of_the_guide_requeues_itself_and_goes_on_with_the_same_bits(
    slurm: Slurm, words: str, tmp_path: Path
) -> None:
    """Exit code 140 is SIGUSR2 with the state saved; Slurm sends it to the script alone."""
    script = re.search(r"```bash\n(#!/bin/bash\n#SBATCH --array.*?)```", GUIDE.read_text(), re.DOTALL)
    assert script is not None
    text = script[1].replace("thaw transfer -m study=my_study", f"{words} steps=600 -m seed=1 name=there")
    (tmp_path / "array.sh").write_text(text.replace("1-24%8", "1").replace("--mem=8G", "--mem=0"))
    local(f"{words} steps=600 -m seed=1 name=here trainer.threads=4", tmp_path)
    job = slurm.run("sbatch", "--parsable", "array.sh", folder=tmp_path).strip()
    until(began(tmp_path, "there"))
    slurm.run("scancel", "--batch", "--signal=USR2", job, folder=tmp_path)
    until(lambda: "PENDING BeginTime" in waiting(slurm, tmp_path))
    assert "interrupted by SIGUSR2, saved at step" in printed(tmp_path)
    begin_now(slurm, tmp_path)
    assert set(slurm.over(job, tmp_path).values()) == {"COMPLETED 0:0"}, printed(tmp_path)
    assert results(tmp_path, "there") == results(tmp_path, "here")


def test_a_time_limit_interrupts_and_fails_nothing(slurm: Slurm, words: str, tmp_path: Path) -> None:
    """The run was written down as failed, with no state: submitit had no time left to put it back."""
    command = shlex.split(f"{words} steps=100000 -m seed=1 name=s {SUBMITIT} hydra.launcher.timeout_min=5")
    with subprocess.Popen(
        command, cwd=tmp_path, env=slurm.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watcher:
        until(began(tmp_path, "s"), watcher)
        (job,) = [job for job in slurm.jobs(tmp_path) if job["JobState"] == "RUNNING"]
        slurm.run("scancel", "--signal=USR2", job["JobId"], folder=tmp_path)
        output, errors = watcher.communicate()
    assert watcher.returncode == 1
    assert "interrupted by SIGUSR2, saved at step" in output
    assert "error: 1 of 1 run interrupted, the same command continues" in errors
    (status,) = tmp_path.glob("runs/s/*/status.json")
    assert json.loads(status.read_text())["state"] == "interrupted"
    assert list(tmp_path.glob("runs/s/*/state/step-*"))


@pytest.mark.parametrize(
    ("options", "more"),
    [
        (["--ntasks=2", "--nodes=1"], "trainer.devices=2"),
        (["--ntasks=2", "--nodes=2"], "trainer.devices=1 trainer.num_nodes=2"),
    ],
)
def test_two_tasks_give_the_scores_of_one(
    options: list[str], more: str, slurm: Slurm, words: str, tmp_path: Path
) -> None:
    """One task took the other for a stranger, and neither trained."""
    local(f"{words} steps=8 name=here", tmp_path)
    address = "export MASTER_ADDR=127.0.0.1; " if "num_nodes" in more else ""  # the nodes of the test have no address
    job = slurm.batch(f"{address}srun {words} steps=8 name=two {TWO} {more}", *options, folder=tmp_path)
    assert list(slurm.over(job, tmp_path).values()) == ["COMPLETED 0:0"], printed(tmp_path)
    assert printed(tmp_path).count("accuracy dev") == 1
    (one,), (two,) = (list(results(tmp_path, name).values()) for name in ("here", "two"))
    for event, same in zip(one["events"], two["events"], strict=True):
        assert {key: pytest.approx(value, rel=1e-3, abs=2e-4) for key, value in event.items()} == same
    (row,) = (json.loads(path.read_text()) for path in tmp_path.glob("runs/two/*/result.json"))
    assert row["threads"] == 2


@pytest.mark.parametrize("number", ["TERM", "USR1"])
def test_a_signal_to_all_tasks_saves_one_state(number: str, slurm: Slurm, words: str, tmp_path: Path) -> None:
    script = f"srun {words} steps=100000 name=s {TWO} trainer.devices=2"
    job = slurm.batch(script, "--ntasks=2", "--nodes=1", folder=tmp_path)
    until(began(tmp_path, "s"))
    slurm.run("scancel", f"--signal={number}", job, folder=tmp_path)
    (state,) = slurm.over(job, tmp_path).values()
    assert state.split()[0] in ("FAILED", "CANCELLED"), printed(tmp_path)
    (status,) = tmp_path.glob("runs/s/*/status.json")
    assert json.loads(status.read_text())["error"].startswith(f"Interrupted: SIG{number}, saved at step ")
    assert len(list(tmp_path.glob("runs/s/*/state/step-*"))) == 1


@pytest.mark.parametrize(
    ("tasks", "start", "said"),
    [
        (1, "", "is 2 processes, but SLURM_NTASKS=1: ask Slurm for 2"),
        (1, "srun ", "is 2 processes, but SLURM_STEP_NUM_TASKS=1: ask Slurm for 2"),
        (2, "", "is 2 processes and SLURM_NTASKS=2, but srun did not start them"),
    ],
)
def test_another_number_of_tasks_is_refused(
    tasks: int, start: str, said: str, slurm: Slurm, words: str, tmp_path: Path
) -> None:
    """One process trained in silence while the config, and the bill, said two; or one waited for another for good."""
    job = slurm.batch(f"{start}{words} name=s {TWO} trainer.devices=2", f"--ntasks={tasks}", folder=tmp_path)
    assert list(slurm.over(job, tmp_path).values()) == ["FAILED 2:0"]
    assert said in printed(tmp_path)
    assert not list(tmp_path.glob("runs/s/*/metrics.jsonl"))


def test_a_sweep_of_runs_in_two_tasks_each(slurm: Slurm, words: str, tmp_path: Path) -> None:
    """It was refused: submitit can start a task a process."""
    two = f"{words} steps=8 -m seed=1,2 name=s {TWO} trainer.devices=2 {SUBMITIT} hydra.launcher.timeout_min=60"
    command = shlex.split(two)
    refused = subprocess.run(command, cwd=tmp_path, env=slurm.environment, capture_output=True, text=True)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "is 2, hydra.launcher.tasks_per_node x hydra.launcher.nodes is 1: make them equal" in refused.stderr
    command.append("hydra.launcher.tasks_per_node=2")
    done = subprocess.run(command, cwd=tmp_path, env=slurm.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert sorted(one["row"]["seed"] for one in results(tmp_path, "s").values()) == [1, 2]
