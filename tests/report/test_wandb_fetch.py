"""Runs read from W&B: a real server on the loopback interface, real runs logged online and synced, the same table."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mirrored import Make, mirror, write_small_study

from loopback_api import LoopbackApi
from thaw.cli.main import main
from thaw.errors import ConfigError, StorageError
from thaw.report.cells import cells
from thaw.report.collect import Study, read
from thaw.report.wandb.copy import events
from thaw.report.wandb.place import Place, place
from thaw.track.config import WandbConfig
from thaw.track.folder import RunFolder
from thaw.track.mirror import Mirror

HERE = "wandb:loopback/thaw"


def _plain(study: Study) -> list[dict[str, Any]]:
    """Return what a study says of its runs, wherever they lie."""
    return [
        {"row": run.row, "config": run.config, "lineage": run.lineage, "events": run.events}
        | {"state": run.state, "error": run.error, "predictions": RunFolder(run.folder).predictions()}
        for run in study.runs
    ]


def _tables(study: Study) -> list[Any]:
    return [(c.task, c.arm, c.train_size, c.test, c.dev, c.difference, c.failed, c.trials) for c in cells(study)]


def test_online_and_synced_runs_give_the_table_of_the_folders(
    wandb_server: LoopbackApi, tmp_path: Path, make_run: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = write_small_study(tmp_path / "runs" / "my_study", make_run)
    for folder in folders[:2]:
        mirror(folder)
    for folder in folders[2:]:
        mirror(folder, "offline", error=RuntimeError("no space") if "bad" in folder.name else None)
    assert len(wandb_server.runs) == 2
    offline = [str(path) for folder in folders for path in (folder / "wandb").glob("offline-run-*")]
    synced = subprocess.run([sys.executable, "-m", "wandb", "sync", *offline], capture_output=True, text=True)
    assert synced.returncode == 0, synced.stderr
    assert len(wandb_server.runs) == 5

    local, far = read(tmp_path / "runs"), read(HERE)
    assert _plain(far) == _plain(local)
    assert _tables(far) == _tables(local)
    assert sum(len(RunFolder(run.folder).predictions()) for run in far.runs) == 4 * 64
    assert [run.fetched for run in far.runs] == [True] * 5
    assert all(str(run.url).startswith(f"{wandb_server.url}/loopback/thaw/runs/{run['run_id']}-") for run in far.runs)

    both = read(tmp_path / "runs", HERE)
    assert _plain(both) == _plain(local)
    assert not any(run.fetched for run in both.runs)

    assert main(["report", HERE, "--out", str(tmp_path / "out"), "--no-pictures"]) == 0
    data = json.loads((tmp_path / "out" / "report.json").read_text())
    assert len(data["runs"]) == 5
    assert [cell["test"]["mean"] for cell in data["cells"]] == [cell.test.mean for cell in cells(local) if cell.test]
    assert set(wandb_server.unknown) <= {"/sdk/otel/v1/metrics"}  # of `wandb sync`, about itself
    captured = capsys.readouterr()
    assert captured.err == ""


def test_a_second_reading_asks_for_nothing_that_did_not_change(
    wandb_server: LoopbackApi, tmp_path: Path, make_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = write_small_study(tmp_path / "runs" / "my_study", make_run)[:3]
    for folder in folders:
        mirror(folder)
    monkeypatch.setattr("thaw.report.wandb.fetch.PAGE", 2)
    wandb_server.operations.clear()
    first = read(HERE)
    assert [wandb_server.operations.count(name) for name in ("Runs", "RunFullHistory")] == [2, 3]
    wandb_server.operations.clear()
    name = next(iter(wandb_server.runs))
    wandb_server.runs[name]["summary"]["test"] = 0.125
    second = read(HERE)
    assert [wandb_server.operations.count(name) for name in ("Runs", "RunFullHistory")] == [2, 1]
    assert [run.events for run in second.runs] == [run.events for run in first.runs]
    assert sorted(run["test"] for run in second.runs)[0] == 0.125


def test_a_study_of_a_project(wandb_server: LoopbackApi, tmp_path: Path, make_run: Make) -> None:
    for name in ("one", "one_more"):
        mirror(make_run(tmp_path / name, run_id="ab" * 5, name=name, test=0.5))
    assert len(read(HERE).runs) == 2  # the same setting in two studies is two runs, as in folders
    assert [run["name"] for run in read(f"{HERE}/one").runs] == ["one"]
    with pytest.raises(ConfigError, match=r"no run in wandb:loopback/thaw/two: there is none at all"):
        read(f"{HERE}/two")


def test_another_try_of_a_run_counts_once(wandb_server: LoopbackApi, tmp_path: Path, make_run: Make) -> None:
    folder = make_run(tmp_path / "s", run_id="ab" * 5, test=0.5)
    mirror(folder, error=RuntimeError("diverged"))
    assert [(run.state, run.error) for run in read(HERE).runs] == [("failed", "diverged")]
    mirror(folder)
    assert len(wandb_server.runs) == 2
    assert [(run.state, run["test"]) for run in read(HERE).runs] == [("finished", 0.5)]
    unfinished = make_run(tmp_path / "here" / "s", run_id="ab" * 5, state="interrupted")
    assert unfinished.exists()
    (run,) = read(tmp_path / "here", HERE).runs
    assert (run.state, run.fetched) == ("finished", True)


def test_what_a_server_sends_is_not_trusted(wandb_server: LoopbackApi, tmp_path: Path, make_run: Make) -> None:
    mirror(make_run(tmp_path / "s", run_id="ab" * 5, test=0.5))
    (run,) = wandb_server.runs.values()
    wandb_server.runs = {"../../../../elsewhere/x": run}
    run["summary"] |= {"test": "NaN", "dev": {"max": 1.0}}
    (found,) = read(HERE).runs
    assert found.folder.resolve().is_relative_to(Path.cwd() / ".cache" / "thaw" / "wandb" / "loopback" / "thaw")
    assert (found["test"], found["dev"], found["strategy"]) == (None, None, "full")


def test_runs_of_others_are_left_out(wandb_server: LoopbackApi, tmp_path: Path, make_run: Make) -> None:
    with Mirror(WandbConfig(mode="online"), tmp_path / "x", run_id="x", name="x", settings={"lr": 1.0}) as other:
        other.log({"step": 1, "loss": 1.0})
    with pytest.raises(ConfigError, match="of 1 there none is of thaw"):
        read(HERE)
    mirror(make_run(tmp_path / "s", run_id="ab" * 5, test=0.5))
    assert [run["run_id"] for run in read(HERE).runs] == ["ab" * 5]


def test_a_long_history_comes_whole(
    wandb_server: LoopbackApi, tmp_path: Path, make_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"step": i, "seconds": i / 4, "tokens": i, "train/loss": 1 / (i + 1)} for i in range(300)]
    folder = make_run(tmp_path / "s", run_id="ab" * 5, test=0.5, events=rows)
    mirror(folder)
    monkeypatch.setattr("loopback_api.MOST", 100)
    assert read(HERE).runs[0].events == read(tmp_path / "s").runs[0].events
    assert "RunParquetHistory" in wandb_server.operations


def test_no_key(wandb_server: LoopbackApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("WANDB_API_KEY")
    assert main(["report", HERE]) == 2
    assert capsys.readouterr().err == "error: W&B: no API key (run `wandb login` or set WANDB_API_KEY)\n"
    assert main(["runs", HERE]) == 2


@pytest.mark.parametrize(
    ("mode", "code", "words"),
    [
        ("refuse", 2, "127.0.0.1 refuses the API key, give another by `wandb login --relogin` or WANDB_API_KEY"),
        ("error", 5, "127.0.0.1 answers HTTP 500, try again later (or WANDB_BASE_URL names another server)"),
    ],
)
def test_a_server_that_is_of_no_use(
    mode: str, code: int, words: str, wandb_server: LoopbackApi, capsys: pytest.CaptureFixture[str]
) -> None:
    wandb_server.mode = mode
    assert main(["report", HERE]) == code
    assert capsys.readouterr().err == f"error: W&B: {words}\n"


def test_no_such_project(wandb_server: LoopbackApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "wandb:loopback/thow"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: no such W&B project: loopback/thow, or this key may not read it")
    assert err.count("\n") == 1


def test_an_outage_in_the_middle(
    wandb_server: LoopbackApi, tmp_path: Path, make_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in write_small_study(tmp_path / "runs" / "my_study", make_run)[:4]:
        mirror(folder)
    wandb_server.operations.clear()
    wandb_server.patience = 9  # the probe, two to begin, one list, then two a run for two runs and a half
    with pytest.raises(StorageError, match=r"reading wandb:loopback/thaw failed .*the same command goes on"):
        read(HERE)
    wandb_server.operations.clear()
    wandb_server.patience = None
    assert len(read(HERE).runs) == 4
    assert 2 <= wandb_server.operations.count("RunFullHistory") <= 3


@pytest.mark.parametrize("text", ["wandb:", "wandb:a", "wandb:a/", "wandb:/b/c", "wandb:../b"])
def test_a_place_of_another_form(text: str) -> None:
    with pytest.raises(ConfigError, match=r"spell it wandb:ENTITY/PROJECT or wandb:ENTITY/PROJECT/STUDY"):
        place(text)


def test_places() -> None:
    assert place("wandb:a/b") == Place(entity="a", project="b")
    assert str(place("wandb:a/b/c/d")) == "wandb:a/b/c/d"
    assert place("wandb:a/b/c.d").filters == {"$or": [{"group": "c.d"}, {"group": {"$regex": "^c\\.d/"}}]}


def test_what_a_resume_made_undone_is_taken_back() -> None:
    def row(step: int, seconds: float) -> dict[str, Any]:
        return {"trainer/step": step, "seconds": seconds, "_step": 0, "_runtime": 1}

    rows = [row(1, 1.0), row(2, 2.0), row(3, 3.0), row(3, 3.0), row(2, 1.9), row(3, 2.9)]
    assert [(event["step"], event["seconds"]) for event in events(rows)] == [(1, 1.0), (2, 1.9), (3, 2.9)]
