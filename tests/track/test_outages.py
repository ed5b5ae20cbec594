"""W&B is slow, refuses, dies or was never there: the run waits 15 seconds in total at most, and loses nothing."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from offline_run import children, offline_runs

from loopback import KEY, LoopbackWandb
from slow import room
from thaw.track import reach
from thaw.track.config import WandbConfig
from thaw.track.mirror import Mirror

Script = Callable[..., "subprocess.Popen[str]"]

JOB = """
import sys, time
from thaw.track import wandb_recording
from thaw.track.config import WandbConfig
from thaw.track.mirror import Mirror
from pathlib import Path
wandb_recording.FIRST_SECONDS = 60.0  # on a busy machine: a start that goes on beside the run is another test's
for job in "ab":
    begun = time.monotonic()
    with Mirror(WandbConfig(mode="auto"), Path(sys.argv[1]) / job, run_id=job, name=job) as mirror:
        for step in range(20):
            mirror.log({"step": step, "loss": 0.5})
        waited = time.monotonic() - begun
        if job == "a":
            print("half", flush=True)
            sys.stdin.readline()
        begun = time.monotonic()
        for step in range(20, 40):
            mirror.log({"step": step, "loss": 0.5})
        mirror.artifact("encoder", "model", {"sha256": "1"})
        mirror.artifact("tokenizer", "tokenizer", {"sha256": "2"}, used=True)
        mirror.summary({"dev": 0.5})
    print(mirror.mode, waited + time.monotonic() - begun, flush=True)
"""


def _job(folder: Path, mode: str = "auto") -> tuple[str, float]:
    begun = time.monotonic()
    with Mirror(WandbConfig(mode=mode), folder, run_id="a", name="a") as mirror:
        mirror.log({"step": 1})
    assert len(offline_runs(folder)[0].history) == 1
    return mirror.mode, time.monotonic() - begun


@pytest.mark.parametrize("mode", ["auto", "online"])
def test_no_key_no_prompt(mode: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert _job(tmp_path, mode)[0] == "offline"
    out, err = capfd.readouterr()
    told = "W&B: no API key (run `wandb login` or set WANDB_API_KEY); recording offline\n"
    assert (out, err) == ("", told if mode == "online" else "")


@pytest.mark.parametrize("host", [reach.DEFAULT_URL, "https://api.wandb.ai"])
def test_the_key_of_wandb_login_is_found(host: str) -> None:
    from wandb.sdk.lib import urls, wbauth

    wbauth.write_netrc_auth(host=host, api_key=KEY)
    assert reach.server() == urls.DEFAULT_BASE_URL
    assert reach.key_of(reach.server()) == KEY
    assert reach.key_of("https://wandb.example.invalid") is None


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("silent", "does not answer within"),
        ("error", "answers HTTP 500"),
        ("refuse", "refuses the API key"),
    ],
)
def test_a_server_of_no_use(
    mode: str, told: str, tmp_path: Path, server: LoopbackWandb, capfd: pytest.CaptureFixture[str]
) -> None:
    server.mode = mode
    used, seconds = _job(tmp_path / "a")
    assert used == "offline"
    assert seconds < 8 * room()
    assert _job(tmp_path / "b")[1] < 2 * room()  # remembered, not waited for again
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"W&B: 127.0.0.1 {told}")
    assert line.endswith("; recording offline")


def test_no_server_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    assert _job(tmp_path)[0] == "offline"
    assert "127.0.0.1 is not reachable" in capfd.readouterr().err


def test_a_name_that_is_never_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hole in the name service answers nothing, and the look-up has no time limit."""
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_BASE_URL", "http://wandb.invalid")
    answered = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: answered.wait(30) and [])
    used, seconds = _job(tmp_path)
    answered.set()
    assert used == "offline"
    assert seconds < 8 * room()


def test_the_server_goes_between_the_first_answer_and_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Leaving(LoopbackWandb):
        def answer(self, path: str, body: bytes) -> tuple[int, object]:
            content = super().answer(path, body)
            self.mode = "error"
            return content

    with Leaving() as leaving:
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        monkeypatch.setenv("WANDB_BASE_URL", leaving.url)
        used, seconds = _job(tmp_path)
    assert used == "offline"
    assert seconds < 15 * room()
    assert len(offline_runs(tmp_path)) == 1  # the try that failed left nothing behind


@pytest.mark.parametrize("online", [False, True])
def test_the_side_process_is_killed(
    online: bool, tmp_path: Path, script: Script, request: pytest.FixtureRequest
) -> None:
    if online:
        request.getfixturevalue("server")
    process = script(JOB, str(tmp_path), pipe=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "half\n"
    (side,) = children(process.pid)
    os.kill(side, signal.SIGKILL)
    out, err = process.communicate("\n", timeout=60 * room())
    assert process.returncode == 0
    assert [line.split()[0] for line in out.splitlines()] == ["online" if online else "offline"] * 2
    assert err.startswith("W&B: ")
    assert len(err.splitlines()) == 1
    assert len(offline_runs(tmp_path / "b")[0].history) == 40  # the next job is well


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["silent", "error", "gone"])
def test_the_server_goes_in_the_middle(mode: str, tmp_path: Path, server: LoopbackWandb, script: Script) -> None:
    process = script(JOB, str(tmp_path), pipe=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "half\n"
    if mode == "gone":
        server.__exit__()
    server.mode = mode
    begun = time.monotonic()
    out, err = process.communicate("\n", timeout=60 * room())
    assert process.returncode == 0
    assert time.monotonic() - begun < 15 * room()
    assert "upload it later: wandb sync" in err
    (first, first_seconds), (second, second_seconds) = (line.split() for line in out.splitlines())
    assert (first, second) == ("online", "offline")
    assert float(first_seconds) < 12 * room()
    assert float(second_seconds) < 3 * room()
    for job in "ab":
        (run,) = offline_runs(tmp_path / job)
        assert [row["trainer/step"] for row in run.history] == list(range(40))
        assert len(run.artifacts) == 2
        assert run.exit_code == 0
