"""W&B's own environment variables, and its agent, which runs a command of its choosing under an id of its own."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from offline_run import offline_runs

from loopback import LoopbackWandb
from thaw.cli.main import main
from thaw.errors import ConfigError
from thaw.track import wandb_variables
from thaw.track.config import WandbConfig
from thaw.track.mirror import Mirror

Script = Callable[..., "subprocess.Popen[str]"]

VARIABLES = {
    "WANDB_PROJECT": "theirs", "WANDB_ENTITY": "team", "WANDB_TAGS": "one, two,", "WANDB_NOTES": "a note",
    "WANDB_RUN_GROUP": "their group", "WANDB_NAME": "their name",
}  # fmt: skip

AGENTS = """
import json, os, sys
from pathlib import Path
from thaw.track.config import WandbConfig
from thaw.track.mirror import Mirror
folder, resumed, steps = Path(sys.argv[1]), sys.argv[2] == "resumed", [int(step) for step in sys.argv[3].split(",")]
with Mirror(WandbConfig(mode="online"), folder, run_id="ours", name="a", resumed=resumed) as mirror:
    for step in steps:
        mirror.log({"step": step})
print(mirror.recorded, json.loads((folder / "wandb" / "mirror.json").read_text())["id"])
"""


def _told(folder: Path, config: WandbConfig) -> tuple[str, str, list[str], str]:
    with Mirror(config, folder, run_id="a", name="ours", group="our group", tags=["trec"]) as mirror:
        mirror.log({"step": 1})
    (run,) = offline_runs(folder)
    return run.name, run.group, run.tags, run.notes


def test_they_count_where_the_config_has_its_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    name, group, tags, notes = _told(tmp_path / "a", WandbConfig(mode="offline"))
    assert (name, group, tags, notes) == ("their name", "their group", ["one", "two", "trec"], "a note")
    known = json.loads((tmp_path / "a" / "wandb" / "mirror.json").read_text())
    assert (known["project"], known["entity"], known["group"]) == ("theirs", "team", "their group")
    ours = WandbConfig(mode="offline", project="p", entity="e", tags=["t"], notes="n", group="g")
    assert _told(tmp_path / "b", ours)[1:] == ("g", ["t", "trec"], "n")
    known = json.loads((tmp_path / "b" / "wandb" / "mirror.json").read_text())
    assert (known["project"], known["entity"]) == ("p", "e")


def test_without_them_a_run_is_in_its_own_group(tmp_path: Path) -> None:
    assert _told(tmp_path, WandbConfig(mode="offline")) == ("ours", "our group", ["trec"], "")


def test_a_variable_that_is_no_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_PROJECT", "a/b")
    assert WandbConfig(project="mine").settled().project == "mine"
    with pytest.raises(ConfigError, match=r"bad name: WANDB_PROJECT=a/b"):
        WandbConfig().settled()


def test_a_kind_of_job_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_JOB_TYPE", "theirs")
    with Mirror(WandbConfig(mode="offline"), tmp_path, run_id="a", name="ours", job_type="transfer") as mirror:
        mirror.log({"step": 1})
    (run,) = offline_runs(tmp_path)
    assert run.job_type == "theirs"


def test_a_mode_that_is_none_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], task_folder: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "ofline")
    words = ["transfer", "task=files", f"task.path={task_folder}", "task.kind=classes", "strategy=majority"]
    assert main(words) == main(["runs", "--wandb"]) == 2
    assert capfd.readouterr().err == "error: WANDB_MODE=ofline is no mode, did you mean 'offline'?\n" * 2
    assert not Path("runs").exists()
    assert _told(tmp_path / "told", WandbConfig(mode="offline"))[0] == "ours"  # the command's own word counts


@pytest.mark.parametrize(("asked", "mode"), [("run", "online"), ("DryRun", "offline"), (" offline", "offline")])
def test_modes_as_wandb_has_them(asked: str, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", asked)
    assert wandb_variables.mode() == mode


def test_an_id_for_all_runs_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_RUN_ID", "fixed")
    monkeypatch.setenv("WANDB_RESUME", "must")
    for folder in ("a", "b"):
        _told(tmp_path / folder, WandbConfig(mode="offline"))
    first, second = (offline_runs(tmp_path / folder)[0].id for folder in ("a", "b"))
    assert first != second
    assert first.startswith("a-")
    (line,) = capfd.readouterr().err.splitlines()
    assert "WANDB_RUN_ID, WANDB_RESUME not followed" in line


def test_a_run_of_the_agent_keeps_the_agents_id_and_goes_on_under_it(
    tmp_path: Path,
    server: LoopbackWandb,
    script: Script,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as agent:
        for name, value in {"WANDB_SWEEP_ID": "sw33p", "WANDB_RUN_ID": "ag3nt", "WANDB_PROJECT": "swept"}.items():
            agent.setenv(name, value)
        first = script(AGENTS, str(tmp_path / "run"), "new", "0,1")
        assert first.communicate(timeout=60)[0].split() == ["online", "ag3nt"]
    second = script(AGENTS, str(tmp_path / "run"), "resumed", "2,3")
    assert second.communicate(timeout=60)[0].split() == ["online", "ag3nt"]
    assert [row["trainer/step"] for row in server.history("ag3nt")] == [0, 1, 2, 3]
    assert list(server.runs) == ["ag3nt"]
    assert server.runs["ag3nt"]["project"] == "swept"
    assert server.runs["ag3nt"]["sweep"] == "sw33p"


@pytest.mark.slow
def test_under_the_agent_itself(tmp_path: Path, server: LoopbackWandb, task_folder: Path) -> None:
    """`wandb agent` asks the server what to run, and runs `thaw transfer` with those words."""
    transfer = ["transfer", "task=files", f"task.path={task_folder}", "task.kind=classes", "strategy=majority"]
    command = [sys.executable, "-m", "thaw", *transfer, "name=swept", "${args_no_hyphens}"]
    server.sweep = {"command": command, "arguments": {"seed": {"value": 3}}}
    words = [sys.executable, "-m", "wandb", "agent", "--count", "1", "loopback/swept/sw33p"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    (result,) = tmp_path.glob("runs/swept/*/result.json")
    assert json.loads(result.read_text())["seed"] == 3, done.stderr
    assert list(server.runs) == ["ag3nt"]
    assert server.runs["ag3nt"]["summary"]["strategy"] == "majority"
    assert server.runs["ag3nt"]["exit"] == 0
