"""Whatever W&B went through, ``wandb sync`` brings the whole history to the server later."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from offline_run import children, offline_runs

from loopback import KEY, LoopbackWandb
from pairs import pairs
from slow import room
from thaw.track.config import WandbConfig
from thaw.track.mirror import Mirror

Script = Callable[..., "subprocess.Popen[str]"]

JOB = """
import sys
from pathlib import Path
from thaw.track import wandb_recording
from thaw.track.config import WandbConfig
from thaw.track.mirror import Mirror
wandb_recording.FIRST_SECONDS = 60.0  # on a busy machine: a start that goes on beside the run is another test's
folder, rows = Path(sys.argv[1]), int(sys.argv[2])
with Mirror(WandbConfig(mode="auto"), folder, run_id="a", name="a", settings={"seed": 1}) as mirror:
    for step in range(20):
        mirror.log({"step": step, "loss": step / 7, "pad": "x" * 200})
    print("half", flush=True)
    sys.stdin.readline()
    for step in range(20, rows):
        mirror.log({"step": step, "loss": step / 7, "pad": "x" * 200})
    mirror.artifact("encoder", "model", {"sha256": "1"})
    mirror.summary({"dev": 0.5})
print("done", flush=True)
"""


def sync(folder: Path) -> None:
    """Do what the message on the terminal says."""
    command = [sys.executable, "-m", "wandb", "sync", str(folder / "wandb")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60 * room(), check=False)
    assert done.returncode == 0, done.stderr


def arrived(server: LoopbackWandb) -> list[tuple[int, float]]:
    """The history of the only run of a server."""
    (name,) = server.runs
    assert server.runs[name]["summary"]["dev"] == 0.5
    assert server.runs[name]["config"]["seed"]["value"] == 1
    return [(row["trainer/step"], row["loss"]) for row in server.history(name)]


def whole(rows: int) -> list[tuple[int, float]]:
    return [(step, step / 7) for step in range(rows)]


def half(process: "subprocess.Popen[str]") -> int:
    """Wait for the middle of the job; return the process id of W&B's side process."""
    assert process.stdout is not None
    assert process.stdout.readline() == "half\n"
    (child,) = children(process.pid)
    return child


@pytest.mark.parametrize(  # few rows: found out at the end; many: the pipe to it is full before
    ("rows", "online", "how"), pairs((40, 4000), (False, True), (signal.SIGKILL, signal.SIGSTOP))
)
def test_the_side_process_is_lost(
    how: signal.Signals, online: bool, rows: int, tmp_path: Path, script: Script, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue("server") if online else None
    folder = tmp_path / "run"
    process = script(JOB, str(folder), str(rows), pipe=True)
    os.kill(half(process), how)
    begun = time.monotonic()
    out, err = process.communicate("\n", timeout=60 * room())
    assert (process.returncode, out) == (0, "done\n"), err
    assert time.monotonic() - begun < room() * (15 + rows / 400)  # writing the rows themselves is no waiting
    assert err.startswith("W&B: ")
    assert "recorded anew offline, upload it later: wandb sync" in err
    assert len(err.splitlines()) == 1
    (run,) = offline_runs(folder)
    assert [row["trainer/step"] for row in run.history] == list(range(rows))
    assert (run.exit_code, len(run.artifacts)) == (0, 1)
    if server is None:
        server = request.getfixturevalue("server")
    sync(folder)
    assert arrived(server) == whole(rows)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["silent", "error", "refuse", "gone"])
def test_the_server_is_lost_and_another_takes_its_place(
    mode: str, tmp_path: Path, server: LoopbackWandb, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    process = script(JOB, str(folder), "40", pipe=True)
    half(process)
    if mode == "gone":
        server.__exit__()
    server.mode = mode
    begun = time.monotonic()
    out, err = process.communicate("\n", timeout=60 * room())
    assert (process.returncode, out) == (0, "done\n"), err
    assert time.monotonic() - begun < 15 * room()
    assert "upload it later: wandb sync" in err
    (run,) = offline_runs(folder)
    assert [row["trainer/step"] for row in run.history] == list(range(40))
    with LoopbackWandb() as other:
        monkeypatch.setenv("WANDB_BASE_URL", other.url)
        sync(folder)
        assert arrived(other) == whole(40)
    if mode != "gone":
        server.mode = "ok"
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        for marker in (folder / "wandb").rglob("*.synced"):
            marker.unlink()
        sync(folder)
        assert arrived(server) == whole(40)  # what had arrived before is not there twice


def test_a_run_resumed_offline_is_one_run(tmp_path: Path, server: LoopbackWandb) -> None:
    for part, resumed in ((range(3), False), (range(3, 6), True)):
        about = {"run_id": "a", "name": "a", "settings": {"seed": 1}}
        with Mirror(WandbConfig(mode="offline"), tmp_path, **about, resumed=resumed) as mirror:
            for step in part:
                mirror.log({"step": step, "loss": step / 7})
            mirror.summary({"dev": 0.5})
        time.sleep(1.1)  # W&B names its folders by the second
    sync(tmp_path)
    assert arrived(server) == whole(6)


def test_an_earlier_part_of_a_resumed_run_is_kept_when_the_server_fails_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LoopbackWandb() as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        with Mirror(WandbConfig(), tmp_path, run_id="a", name="a") as mirror:
            mirror.log({"step": 1})
        answer = server.answer

        def failing(path: str, body: bytes) -> tuple[int, object]:
            server.mode = "error"  # after the first answer
            return answer(path, body)

        server.answer = failing  # type: ignore[method-assign]
        with Mirror(WandbConfig(), tmp_path, run_id="a", name="a", resumed=True) as mirror:
            mirror.log({"step": 2})
        assert mirror.mode == "offline"
    assert sorted(row["trainer/step"] for run in offline_runs(tmp_path) for row in run.history) == [1, 2]
