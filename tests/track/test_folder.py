import contextlib
import gzip
import json
import math
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from thaw.errors import ConfigError, StorageError
from thaw.track.folder import RunFolder, RunState

Script = Callable[..., "subprocess.Popen[str]"]

OWNER = """
import sys
from thaw.track.folder import RunFolder
with RunFolder(sys.argv[1]) as folder:
    folder.status("running")
    folder.append({"step": 1})
    print("owned", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def _running(folder: RunFolder, state: RunState = "running") -> Iterator[RunFolder]:
    with folder:
        folder.status(state)
        yield folder


def test_a_run_from_start_to_end(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "study" / "abc")
    assert folder.state() == "absent"
    with folder:
        folder.write_config({"task": {"name": "trec"}, "seed": 1})
        folder.status("running")
        assert folder.state() == "running"
        for step in range(3):
            folder.append({"step": step, "epoch": step / 3, "seconds": 0.5, "train/loss": 2.0 - step})
        folder.write_lineage({"run_id": "abc", "corpus": None})
        folder.write_predictions([{"index": 0, "prediction": "LOC"}])
        folder.write_result({"run_id": "abc", "kind": "transfer", "test": 0.5})
        folder.status("finished")
    assert RunFolder(folder.path).state() == "finished"
    assert yaml.safe_load((folder.path / "config.yaml").read_text()) == {"task": {"name": "trec"}, "seed": 1}
    assert [event["train/loss"] for event in folder.events()] == [2.0, 1.0, 0.0]
    assert folder.predictions() == [{"index": 0, "prediction": "LOC"}]
    assert (folder.result() or {})["test"] == 0.5
    status = json.loads((folder.path / "status.json").read_text())
    assert {"state", "error", "pid", "host", "started", "updated"} <= set(status)
    assert status["pid"] == os.getpid()


@pytest.mark.parametrize(
    ("error", "state", "told"),
    [
        (ConfigError("bad lr:\n lr=-1 must\nbe positive"), "failed", "bad lr: lr=-1 must be positive"),
        (ZeroDivisionError("division by zero"), "failed", "ZeroDivisionError: division by zero"),
        (KeyboardInterrupt(), "interrupted", "KeyboardInterrupt"),
        (SystemExit(143), "interrupted", "SystemExit: 143"),
    ],
)
def test_an_exception_is_recorded_in_one_line(tmp_path: Path, error: BaseException, state: str, told: str) -> None:
    folder = RunFolder(tmp_path)
    with pytest.raises(type(error)), _running(folder):
        raise error
    assert folder.state() == state
    assert (folder.read("status.json") or {})["error"] == told


def test_leaving_without_an_end_is_an_interruption_and_the_end_told_first_stays(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "a") as folder:
        folder.status("running")
    assert folder.state() == "interrupted"
    with pytest.raises(ValueError, match="later"), _running(RunFolder(tmp_path / "b"), "finished") as folder:
        raise ValueError("later")
    assert folder.state() == "finished"


def test_cut_back_drops_later_events_and_a_torn_line(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as folder:
        for step in range(6):
            folder.append({"step": step, "loss": float(step)})
        with open(tmp_path / "metrics.jsonl", "ab") as file:
            file.write(b'{"step": 3, "lo')
        assert len(folder.events()) == 6
        assert folder.cut_back(3) == 3
        folder.append({"step": 4, "loss": 40.0})
    assert [(event["step"], event["loss"]) for event in folder.events()] == [(0, 0), (1, 1), (2, 2), (3, 3), (4, 40)]


def test_a_number_that_is_not_finite_is_null_and_numpy_is_plain(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    with RunFolder(tmp_path) as folder:
        folder.append({"step": numpy.int64(3), "loss": math.nan, "scores": numpy.ones(2, "float32")})
    line = (tmp_path / "metrics.jsonl").read_text()
    assert json.loads(line, parse_constant=pytest.fail) == {"step": 3, "loss": None, "scores": [1.0, 1.0]}


def test_predictions_have_the_same_bytes_at_another_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    for name, now in (("a", 1.0e9), ("b", 2.0e9)):
        monkeypatch.setattr("time.time", lambda now=now: now)
        with RunFolder(tmp_path / name) as folder:
            folder.write_predictions([{"index": i, "scores": [0.25, 0.75]} for i in range(9)])
        written.append((tmp_path / name / "predictions.jsonl.gz").read_bytes())
    assert written[0] == written[1]
    assert len(gzip.decompress(written[0]).splitlines()) == 9


def test_damaged_predictions_are_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "predictions.jsonl.gz").write_bytes(b"\x1f\x8b no")
    with pytest.raises(StorageError, match=r"damaged: .*predictions\.jsonl\.gz"):
        RunFolder(tmp_path).predictions()


def test_writing_needs_the_lock(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="not owned"):
        RunFolder(tmp_path).append({"step": 1})


def test_a_full_disk_leaves_whole_lines(tmp_path: Path, script: Script) -> None:
    program = """
import resource, signal, sys
from thaw.errors import StorageError
from thaw.track.folder import RunFolder
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with RunFolder(sys.argv[1]) as folder:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    try:
        for step in range(1000):
            folder.append({"step": step, "loss": 0.123456789})
    except StorageError as error:
        print(error)
"""
    out, err = script(program, str(tmp_path / "run")).communicate(timeout=60)
    assert "cannot write" in out, err
    lines = (tmp_path / "run" / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    assert [json.loads(line)["step"] for line in lines] == list(range(len(lines)))
    assert lines[-1].endswith(b"\n")


def test_a_second_process_is_refused_and_a_dead_one_is_followed(tmp_path: Path, script: Script) -> None:
    first = script(OWNER, str(tmp_path), pipe=True)
    assert first.stdout is not None
    assert first.stdout.readline() == "owned\n"
    assert RunFolder(tmp_path).state() == "running"
    with pytest.raises(StorageError, match=rf"already being run by pid {first.pid} on host \S+ since .*, wait for it"):
        RunFolder(tmp_path).open()
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert RunFolder(tmp_path).state() == "interrupted"
    with RunFolder(tmp_path) as folder:
        assert [event["step"] for event in folder.events()] == [1]
    assert (tmp_path / "status.json").exists()


def test_two_runs_of_one_process_do_not_share_a_folder(tmp_path: Path) -> None:
    with RunFolder(tmp_path), pytest.raises(StorageError, match="already being run"):
        RunFolder(tmp_path).open()
    RunFolder(tmp_path).open().close()


def test_of_many_starters_one_owns(tmp_path: Path, script: Script) -> None:
    program = """
import sys
from thaw.errors import StorageError
from thaw.track.folder import RunFolder
folder = RunFolder(sys.argv[1])
sys.stdin.readline()
try:
    print("owned" if folder.open() else "", flush=True)
except StorageError as error:
    print(error, flush=True)
sys.stdin.read()
"""
    processes = [script(program, str(tmp_path), pipe=True) for _ in range(12)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [process.stdout.readline() for process in processes if process.stdout is not None]
    for process in processes:
        process.communicate(timeout=60)
    assert sum(answer == "owned\n" for answer in answers) == 1
    assert sum("already being run by pid" in answer for answer in answers) == 11


def test_a_recycled_process_id_does_not_look_alive(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as folder:
        folder.status("running")
        status = json.loads((tmp_path / "status.json").read_text())
        (tmp_path / "status.json").write_text(json.dumps(status | {"process": "another boot:1"}))
        assert RunFolder(tmp_path).state() == "interrupted"
        (tmp_path / "status.json").write_text(json.dumps(status | {"process": "another boot:1", "host": "elsewhere"}))
        assert RunFolder(tmp_path).state() == "running"
        (tmp_path / "status.json").write_text("{")
        assert RunFolder(tmp_path).state() == "interrupted"


def test_restart_forgets_the_earlier_try(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as folder:
        folder.append({"step": 1})
        folder.write_result({"run_id": "a"})
        folder.restart()
    assert folder.events() == []
    assert folder.result() is None


def test_it_starts_without_torch_numpy_and_wandb(script: Script) -> None:
    program = """
import sys
import thaw.track.folder, thaw.track.mirror, thaw.track.cost, thaw.track.lineage, thaw.track.identity
from thaw.track.config import WandbConfig
from thaw.track.mirror import Mirror
with Mirror(WandbConfig(mode="disabled"), "run", run_id="a", name="n") as mirror:
    mirror.log({"step": 1}); mirror.summary({"dev": 1}); mirror.artifact("a", "model")
print(sorted({"torch", "numpy", "wandb", "hydra", "omegaconf"} & set(sys.modules)))
"""
    out, err = script(program).communicate(timeout=60)
    assert out == "[]\n", err
