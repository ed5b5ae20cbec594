"""``thaw runs --wandb FOLDER`` makes the record that a run does not have; `thaw runs` says which one has none."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loopback_api import LoopbackApi
from thaw.cli import recorded
from thaw.cli.main import main
from thaw.report import collect
from thaw.text import corpus, tokenizer
from thaw.text.corpus import CorpusConfig
from thaw.text.tokenizer import TokenizerConfig
from thaw.track.folder import RunFolder
from thaw.train import loop

TEXT = "\n\n".join(f"The river {i} runs over warm stones under a bright sky in the cold night." for i in range(99))
TIMES = ("_timestamp", "_runtime", "_wandb")


@pytest.fixture
def words(task_folder: Path) -> list[str]:
    """A control, which takes no time."""
    return ["transfer", "task=files", f"task.path={task_folder}", "task.kind=classes", "strategy=majority"]


@pytest.fixture
def network(words: list[str], tmp_path: Path) -> list[str]:
    """A network that is trained for a moment, and kept."""
    (tmp_path / "text.txt").write_text(TEXT)
    documents = corpus.documents(CorpusConfig(paths=[str(tmp_path / "text.txt")]))
    tokenizer.train(documents, TokenizerConfig(vocab_size=300)).save(tmp_path / "tokenizer")
    tiny = ["encoder=tiny", "encoder.hidden=32", "encoder.intermediate=64", "encoder.layers=1", "tokenizer=folder"]
    rest = [f"tokenizer.path={tmp_path / 'tokenizer'}", "trainer.threads=1", "trainer.progress=false", "keep=true"]
    return [*words[:-1], "strategy=scratch", *tiny, *rest, "steps=12", "eval_every=4"]


def told(server: LoopbackApi, name: str) -> dict[str, Any]:
    """What W&B has of a run, its times apart."""
    run = server.runs[name]
    rows = [{key: value for key, value in row.items() if key not in TIMES} for row in server.history(name)]
    summary = {key: value for key, value in run["summary"].items() if key not in TIMES}
    config = {key: value["value"] for key, value in run["config"].items() if key not in TIMES}
    about = {key: run.get(key) for key in ("displayName", "groupName", "jobType", "tags", "notes", "commit", "exit")}
    return about | {"rows": rows, "summary": summary, "config": config, "files": sorted(run["files"])}


def status(folder: Path) -> Any:
    return (RunFolder(folder).read("status.json") or {})["wandb"]


def unrecorded(folder: Path) -> None:
    about = json.loads((folder / "status.json").read_text())
    (folder / "status.json").write_text(json.dumps(about | {"wandb": "none"}))


def test_a_record_made_afterwards_is_the_one_of_the_run(
    network: list[str], wandb_server: LoopbackApi, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*network, "name=s", "wandb=online", "wandb.notes=a note"]) == 0
    (folder,) = Path("runs/s").glob("[!.]*")
    (first,) = wandb_server.runs
    assert status(folder) == "online"
    about = json.loads((folder / "status.json").read_text())
    (folder / "status.json").write_text(json.dumps(about | {"wandb": "none"}))
    shutil.rmtree(folder / "wandb")
    assert main(["runs", "runs/s"]) == 0
    assert "1 run without a W&B record: thaw runs --wandb runs/s" in capsys.readouterr().out
    assert main(["runs", "--wandb", "runs/s"]) == 0
    assert "recorded online, http://127.0.0.1" in capsys.readouterr().out
    (second,) = set(wandb_server.runs) - {first}
    assert told(wandb_server, second) == told(wandb_server, first)
    assert status(folder) == "online"
    assert json.loads((folder / "status.json").read_text()) == about
    assert main(["runs", "--wandb", "runs/s"]) == 0
    assert "no run is without a record" in capsys.readouterr().out
    assert len(wandb_server.runs) == 2


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """A command whose runs are to have a record, while nothing is recorded."""

    def run(*words: str) -> int:
        with monkeypatch.context() as patched:
            patched.setenv("WANDB_MODE", "disabled")
            return main([*words])

    return run


def test_failed_runs_too_but_none_that_was_to_have_no_record(
    words: list[str],
    without: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*words, "wandb=disabled", "name=none"]) == 0
    assert main(["runs"]) == 0
    shown = capsys.readouterr().out
    assert "none" in shown
    assert "without a W&B record" not in shown  # nobody wished one
    assert main(["runs", "--wandb"]) == 0
    assert capsys.readouterr().out == "no run is without a record; 1 left out (wandb=disabled)\n"
    assert without(*words) == 0
    assert without(*words, "data.train_size=99999") != 0
    capsys.readouterr()
    assert main(["runs", "--wandb"]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("2 runs recorded; 1 left out (wandb=disabled); upload what is offline: wandb sync")
    (folder,) = Path("runs/none").glob("[!.]*")
    assert status(folder) == "none"
    assert {status(folder) for folder in Path("runs/single").glob("[!.]*")} == {"offline"}
    assert main(["runs"]) == 0
    assert capsys.readouterr().out.count("offline") == 2


def test_a_run_that_was_to_stay_here_is_not_sent(words: list[str], wandb_server: LoopbackApi) -> None:
    assert main([*words, "wandb=offline", "name=t"]) == 0
    (folder,) = Path("runs/t").glob("[!.]*")
    unrecorded(folder)
    assert main(["runs", "--wandb", "runs/t"]) == 0
    assert status(folder) == "offline"
    assert wandb_server.runs == {}


def test_what_earlier_tries_left_is_removed(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A try that W&B did not take leaves its own id in mirror.json: the half before it was never removed."""
    monkeypatch.chdir(tmp_path)
    assert main([*words, "wandb=offline"]) == 0
    (folder,) = Path("runs/single").glob("[!.]*")
    (first,) = (folder / "wandb").glob("offline-run-*")
    unrecorded(folder)
    known = json.loads((folder / "wandb" / "mirror.json").read_text())
    failed = f"{folder.name}-00000f"
    (folder / "wandb" / "mirror.json").write_text(json.dumps(known | {"id": failed}))
    for name in (f"offline-run-20260101_000000-{failed}", "offline-run-20260101_000000-of-others", "kept"):
        (folder / "wandb" / name).mkdir()
    assert main(["runs", "--wandb"]) == 0
    found = {path.name for path in (folder / "wandb").iterdir() if path.is_dir()}
    assert not first.exists()
    assert f"offline-run-20260101_000000-{failed}" not in found
    assert {"offline-run-20260101_000000-of-others", "kept"} <= found
    assert len([name for name in found if f"-{folder.name}-" in name]) == 1


@pytest.mark.parametrize("damage", ["a: [", "a: *b\n", "- 1\n", "[" * 3000])
def test_a_folder_that_changes_meanwhile_ends_nothing(
    damage: str, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*words, "wandb=offline", "-m", "seed=1,2"]) == 0
    folders = sorted(Path("runs").glob("*/[!.]*/config.yaml"))
    for path in folders:
        unrecorded(path.parent)
    study = collect.read("runs", events=False)
    first = study.runs[0].folder
    (first / "config.yaml").write_text(damage)
    monkeypatch.setattr(recorded, "read", lambda *_, **__: study)  # as it was a moment ago
    capsys.readouterr()
    assert main(["runs", "--wandb"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert f"{first} … not recorded: " in lines[0]
    assert lines[-1].startswith("1 run recorded; 1 not")


def test_an_interrupted_run_is_recorded_and_then_goes_on_as_the_same(
    network: list[str], without: Callable[..., int], wandb_server: LoopbackApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = loop.Loop.on_train_batch_end

    def stop_at_seven(self: Any, trainer: Any, module: Any, *rest: Any) -> None:
        self.stop.number = 15 if module.step == 7 else 0
        original(self, trainer, module, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(loop.Loop, "on_train_batch_end", stop_at_seven)
        assert without(*network, "name=s") == 143
    (folder,) = Path("runs/s").glob("[!.]*")
    assert main(["runs", "--wandb", "runs/s"]) == 0
    (name,) = wandb_server.runs
    assert wandb_server.runs[name]["exit"] == 255
    assert main([*network, "name=s", "wandb=online"]) == 0
    assert list(wandb_server.runs) == [name]
    steps = [row["trainer/step"] for row in wandb_server.history(name)]
    assert steps == [event["step"] for event in RunFolder(folder).events()]
    assert wandb_server.runs[name]["exit"] == 0


def test_one_that_can_not_be_recorded_is_said(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert main(words) == 0
    assert main(["runs", "--wandb"]) == 1
    assert "not recorded: WANDB_MODE=disabled" in capsys.readouterr().out
    (folder,) = Path("runs/single").glob("[!.]*")
    assert status(folder) == "none"
