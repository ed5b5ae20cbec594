"""An interrupted run is one W&B run, whatever the server has of its first part by then."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from offline_run import offline_runs
from test_sync import sync

from loopback import LoopbackWandb
from thaw.cli.main import main
from thaw.text import tokenizer
from thaw.text.tokenizer import TokenizerConfig
from thaw.track.config import WandbConfig
from thaw.track.folder import RunFolder
from thaw.track.mirror import Mirror
from thaw.train import loop

TEXTS = [f"the river {number} runs over warm stones under a bright sky" for number in range(99)]
Rows = list[tuple[int, int]]


def part(
    folder: Path, steps: Iterable[int], after: int | None = None, mode: str = "offline", error: type | None = None
) -> Mirror:
    """Record a run, or go on with it after a step, as `thaw.job.record` does."""
    with RunFolder(folder) as owned:
        if after is not None:
            time.sleep(1.1)  # W&B names its folders by the second
            owned.cut_back(after)
        mirror = Mirror(WandbConfig(mode=mode), folder, run_id="a", name="a", resumed=after is not None)
        try:
            with mirror:
                mirror.earlier(owned.events() if after is not None else [])
                for step in steps:
                    owned.append({"step": step, "loss": step / 7})
                    mirror.log({"step": step, "loss": step / 7})
                mirror.summary({"dev": 0.5})
                if error is not None:
                    raise error
        except (KeyboardInterrupt, SystemExit):
            pass
    return mirror


def numbered(rows: list[dict[str, object]]) -> Rows:
    """W&B's number and ours of the rows of a history."""
    return [(int(str(row["_step"])), int(str(row["trainer/step"]))) for row in rows]


def arrived(server: LoopbackWandb) -> Rows:
    (name,) = server.runs
    return numbered(server.history(name))


def test_a_run_that_goes_on_offline_is_one_file(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The second part takes back what was done after the state it goes on from, which the first one had told."""
    part(tmp_path, range(14), error=KeyboardInterrupt)
    part(tmp_path, range(10, 20), after=9)
    (run,) = offline_runs(tmp_path)
    assert numbered(run.history) == [(step, step) for step in range(20)]
    assert run.exit_code == 0
    assert len(RunFolder(tmp_path).events()) == 20
    server: LoopbackWandb = request.getfixturevalue("server")
    sync(tmp_path)
    assert arrived(server) == [(step, step) for step in range(20)]


def test_a_part_that_was_uploaded_stays_and_the_next_goes_on_beyond_it(tmp_path: Path, server: LoopbackWandb) -> None:
    part(tmp_path, range(5), error=SystemExit)
    sync(tmp_path)
    part(tmp_path, range(5, 8), after=4, error=SystemExit)
    part(tmp_path, range(8, 9), after=7)
    assert [len(run.history) for run in offline_runs(tmp_path)] == [5, 3, 1]
    sync(tmp_path)
    assert arrived(server) == [(step, step) for step in range(9)]


def test_offline_then_online(tmp_path: Path, server: LoopbackWandb) -> None:
    part(tmp_path, range(5), error=KeyboardInterrupt)
    assert part(tmp_path, range(5, 8), after=4, mode="online").recorded == "online"
    assert arrived(server) == [(step, step) for step in range(8)]
    assert not list(tmp_path.glob("wandb/offline-run-*"))  # nothing that a sync would add once more


def test_online_then_offline(tmp_path: Path, server: LoopbackWandb) -> None:
    part(tmp_path, range(5), mode="online", error=KeyboardInterrupt)
    part(tmp_path, range(5, 8), after=4)
    sync(tmp_path)
    assert arrived(server) == [(step, step) for step in range(8)]


def test_the_first_part_stays_where_the_second_is_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from wandb.sdk.lib.service import service_process

    from thaw.track.wandb_process import forget_run

    part(tmp_path, range(5), error=KeyboardInterrupt)
    forget_run()  # so that the next part needs a new side process

    def missing() -> str:
        return str(tmp_path / "gone")

    with monkeypatch.context() as broken:
        broken.setattr(service_process, "get_core_path", missing)
        mirror = part(tmp_path, range(5, 8), after=4)
    assert mirror.recorded == "none"
    (run,) = offline_runs(tmp_path)
    assert numbered(run.history) == [(step, step) for step in range(5)]
    assert "thaw runs --wandb" in capsys.readouterr().err


def test_a_transfer_that_was_stopped(task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM at step 7, then the same command: every event once, in one file."""
    monkeypatch.chdir(tmp_path)
    tokenizer.train(TEXTS, TokenizerConfig(vocab_size=300)).save(tmp_path / "tokenizer")
    tiny = ["encoder=tiny", "encoder.hidden=32", "encoder.intermediate=64", "encoder.layers=1", "tokenizer=folder"]
    task = ["task=files", f"task.path={task_folder}", "task.kind=classes", "strategy=scratch", "steps=12"]
    rest = ["eval_every=4", "wandb=offline", "trainer.threads=1", "trainer.progress=false", "tokenizer.path=tokenizer"]
    original = loop.Loop.on_train_batch_end

    def stop_at_seven(self: Any, trainer: Any, module: Any, *more: Any) -> None:
        self.stop.number = 15 if module.step == 7 else 0
        original(self, trainer, module, *more)

    with monkeypatch.context() as patched:
        patched.setattr(loop.Loop, "on_train_batch_end", stop_at_seven)
        assert main(["transfer", *task, *tiny, *rest]) == 143
    (folder,) = Path("runs/single").glob("[!.]*")
    assert [run.exit_code for run in offline_runs(folder)] == [255]
    time.sleep(1.1)
    assert main(["transfer", *task, *tiny, *rest]) == 0
    (run,) = offline_runs(folder)
    events = RunFolder(folder).events()
    assert numbered(run.history) == [(place, event["step"]) for place, event in enumerate(events)]
    assert (run.exit_code, run.summary["strategy"]) == (0, "scratch")
    assert (RunFolder(folder).read("status.json") or {})["wandb"] == "offline"
