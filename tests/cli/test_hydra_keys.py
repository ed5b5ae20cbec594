"""What Hydra is told and Thaw does not do is refused in one line that says what to say instead."""

import dataclasses
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra.conf import HydraConf

from thaw.cli import hydra_keys
from thaw.cli.main import main

Say = Callable[..., str]

REFUSED = {
    "hydra.run.dir=x": "set runs=",
    "++hydra.run.dir=x": "set runs=",
    "hydra.run={dir:x}": "set runs=",
    "hydra.sweep.dir=x": "set runs=",
    "hydra.sweep.subdir=x": "set runs=",
    "hydra/output=other": "set runs=",
    "hydra.job.chdir=true": "paths are those of the folder",
    "hydra.job.name=mine": "hydra.launcher.name",
    "hydra.job.num=3": "Hydra sets it",
    "hydra.job.config.override_dirname.kv_sep=_": "set runs=",
    "hydra.output_subdir=.hydra": "config.yaml in the run folder",
    "hydra.verbose=true": "--debug",
    "hydra.verbose=[thaw]": "--debug",
    "hydra/job_logging=default": "into its folder only",
    "hydra/hydra_logging=colorlog": "into its folder only",
    "hydra.job_logging.root.level=DEBUG": "into its folder only",
    "hydra/sweeper=optuna": "tuned=",
    "hydra.sweeper.n_trials=3": "tuned=",
    "hydra.sweeper.max_batch_size=1": "tuned=",
    "+hydra.callbacks.mine._target_=evil.Evil": "is not followed",
    "+hydra/callbacks=mine": "status.json",
    "hydra.callbacks={mine:{x:1}}": "status.json",
    "+task@hydra.callbacks.mine=files": "nothing else belongs below hydra",
    "hydra.launcher._target_=evil.Evil": "hydra/launcher=NAME",
    "hydra.runtime.cwd=/": "Hydra sets it",
    "hydra.overrides.task=[]": "Hydra sets it",
    "++hydra.searchpath=[file:///x]": "--config-dir",
    "hydra={job:{chdir:true}}": "paths are those of the folder",
    "hydra.help.app_name=x": "--help",
    "hydra/hydra_help=mine": "--help",
    "hydra/env=mine": "set variables before the command",
    "~hydra.run": "is not deleted",
    "~hydra/launcher": "is not deleted",
    "+hydra.unheard=1": "of hydra Thaw follows",
    "name=${hydra:runtime.choices.task}": "is not followed",
    "wandb.tags=[a,'${hydra:job.num}']": "is not followed",
    "wandb.notes='run ${hydra.job.num}'": "is not followed",
}
SAME = ["hydra.job.chdir=false", "hydra.output_subdir=null", "hydra.verbose=false", "hydra/sweeper=basic"]
SAME += ["hydra/job_logging=none", "hydra.sweeper.max_batch_size=null", "hydra/launcher=basic"]


@pytest.fixture
def words(task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A run that takes no time, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    task = ["task=files", f"task.path={task_folder}", "task.kind=classes"]
    return ["transfer", *task, "strategy=majority", "wandb=disabled"]


@pytest.fixture
def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> Say:
    """Give a command more words; check that they are refused in one line before anything is written; return it."""

    def say(*more: str) -> str:
        assert main([*words, *more]) == 2
        captured = capsys.readouterr()
        (line,) = captured.err.splitlines()
        assert line.startswith("error: ")
        assert captured.out == ""
        assert not Path("runs").exists()
        return line

    return say


@pytest.mark.parametrize("way", ["single", "sweep"])
@pytest.mark.parametrize("word", REFUSED)
def test_refused_with_what_to_say_instead(word: str, way: str, refused: Say) -> None:
    line = refused(word, *(["-m", "seed=1,2"] if way == "sweep" else []))
    assert REFUSED[word] in line
    assert "hydra" in line


@pytest.mark.parametrize("more", [["seed=1"], ["-m", "seed=1,2"]], ids=["single", "sweep"])
def test_what_is_done_anyway_may_be_said(more: list[str], words: list[str]) -> None:
    assert main([*words, *SAME, *more]) == 0
    assert not list(Path().glob("**/.hydra"))


@pytest.mark.parametrize("word", ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "hydra/launcher=submitit_local"])
def test_a_launcher_is_for_sweeps(word: str, refused: Say) -> None:
    assert "add -m" in refused(word)


def test_a_key_that_a_launcher_does_not_have(refused: Say) -> None:
    line = refused("-m", "seed=1,2", "hydra/launcher=joblib", "hydra.launcher.njobs=2")
    assert "unknown key 'hydra.launcher.njobs', which this choice of hydra/launcher does not have" in line


def test_a_key_that_has_to_be_added(refused: Say) -> None:
    line = refused("hydra.job.env_set.X=1")
    assert "unknown key 'hydra.job.env_set.X', a new one is added with a plus: +hydra.job.env_set.X=..." in line


def test_a_launcher_beside_only_is_for_the_other_runs(words: list[str]) -> None:
    assert main([*words, "-m", "seed=1,2", "hydra/launcher=joblib", "--only", "2"]) == 0
    assert len(list(Path("runs/single").glob("*/result.json"))) == 1


def test_a_stale_sweep_gives_no_interpolation(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A sweep before it in the same process leaves Hydra's settings behind, which would be another command's."""
    assert main([*words, "-m", "seed=1,2"]) == 0
    capsys.readouterr()
    assert main([*words, "name=${hydra:runtime.choices.task}"]) == 2
    assert "${hydra:…} is not followed" in capsys.readouterr().err


def test_in_a_config_file_too(words: list[str], refused: Say) -> None:
    folder = Path("configs/task")
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text("name: ${hydra:job.name}\nkind: classes\npath: x\n")
    assert "name: ${hydra:…} is not followed" in refused("--config-dir", "configs", "task=mine")


@pytest.mark.parametrize(
    "more", [[], ["-m", "seed=1,2"], ["-m", "seed=1,2", "--only", "1"]], ids=["single", "sweep", "only"]
)
def test_variables_of_a_job_are_set(more: list[str], words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.delenv("THAW_TEST", raising=False)
    seen = []
    from thaw.job import control

    original = control.data.splits

    def look(config: Any) -> Any:
        seen.append(os.environ.get("THAW_TEST"))
        return original(config)

    monkeypatch.setattr(control.data, "splits", look)
    assert main([*words, "+hydra.job.env_set.THAW_TEST=yes", *more]) == 0
    assert set(seen) == {"yes"}
    assert "THAW_TEST" not in os.environ


def test_under_an_agent_of_wandb_a_command_is_one_run(refused: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_SWEEP_ID", "s")
    monkeypatch.setenv("WANDB_RUN_ID", "r")
    assert "leave out -m" in refused("-m", "seed=1,2")


def test_a_variable_of_wandb_is_checked_before_anything_runs(
    words: list[str], refused: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_PROJECT", "a/b")
    assert "bad name: WANDB_PROJECT=a/b" in refused("wandb=offline")
    assert main(words) == 0  # without W&B it does not matter


def leaves(kind: Any, key: str = "") -> Iterator[str]:
    for field in dataclasses.fields(kind):
        inner = field.default_factory if dataclasses.is_dataclass(field.default_factory) else None
        yield from leaves(inner, f"{key}{field.name}.") if inner else [f"{key}{field.name}"]


def test_every_key_of_hydra_is_decided() -> None:
    decided = (*hydra_keys.FOLLOWED, *hydra_keys.REMEDIES)
    keys = [key for key in leaves(HydraConf) if key != "defaults"]
    assert len(keys) > 25
    assert [key for key in keys if not any(f"{key}.".startswith(f"{name}.") for name in decided)] == []


@pytest.mark.parametrize("launcher", ["basic", pytest.param("joblib", marks=pytest.mark.slow)])
def test_what_was_typed_is_recorded(launcher: str, words: list[str]) -> None:
    assert main([*words, "-m", "seed=1,2", f"hydra/launcher={launcher}"]) == 0
    found = [json.loads(path.read_text())["command"] for path in Path("runs/single").glob("*/lineage.json")]
    typed = f"thaw {' '.join(words)} -m seed=1,2 hydra/launcher={launcher}"
    assert found == [typed, typed]  # in the workers of a launcher too
