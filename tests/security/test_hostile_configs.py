"""Configs that would run code: on the command line, in a folder of configs, a study, its stages, a run folder.

Nothing of them runs (the canary), nothing outside the working folder is changed (conftest).
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hostile import Call

from thaw.cli.main import main

BASE = ["transfer", "strategy=majority", "wandb=disabled"]
LOOK = ["--cfg", "job"]  # composes, types and checks every run, and starts none: what is not refused here would start

TARGET = "{_target_: pathlib.Path.touch, _args_: [{_target_: pathlib.Path, _args_: [CANARY]}]}"
TASK = "name: mine\nkind: classes\npath: task\n"

WORDS = [  # of a command line that someone else wrote: its task must not be more than data
    "+_target_=os.mknod",
    "+task._target_=os.mknod",
    "+task={_target_:os.mknod,_args_:[CANARY]}",
    "+optim._partial_=true",
    "strategy._target_=evil.Evil",
    "strategy={_target_:evil.Evil}",
    "strategy.name=evil.Evil",
    "+encoder._target_=evil.Evil",
    "trainer.accelerator=evil.Evil",
    "trainer.strategy=evil.Evil",
    "task.kind=evil.Evil",
    "task.labels={_target_:evil.Evil}",
    "task.name='!!python/object/apply:os.mknod [CANARY]'",
    "name=${evil:CANARY}",
    "name=${eval:__import__('evil')}",
    "name='${oc.create:{_target_:evil.Evil}}'",
    "name=${oc.decode:${oc.env:HOME}}",
    "name=${oc.env:NO_SUCH_VARIABLE}",
    "name=${hydra:runtime.cwd}",
    "name=$(touch CANARY)",
    "name=`touch CANARY`",
    "hydra.job_logging._target_=evil.Evil",
    "hydra/launcher=evil",
    "hydra/sweeper=evil",
    "study=evil",
]


@pytest.mark.parametrize("word", WORDS)
def test_a_word(word: str, easy: list[str], refused: Call, canary: Path) -> None:
    word = word.replace("CANARY", str(canary))
    if "task.name" in word:  # a text like any other
        assert main([*easy, "strategy=majority", word]) == 0
    else:
        refused(2, *easy, "strategy=majority", word, *LOOK)


def test_a_word_of_a_sweep(easy: list[str], refused: Call) -> None:
    for word in ("strategy._target_=evil.Evil", "name=${evil:x}", "hydra/launcher=evil", "+_target_=os.mknod"):
        refused(2, *easy, "-m", "strategy=majority", word)


FILES = {  # of DIR in `--config-dir DIR task=mine`
    "target": TASK + "_target_: os.mknod\n_args_: [CANARY]\n",
    "partial": TASK + "_partial_: true\n",
    "nested target": TASK + f"labels: {TARGET}\n",
    "target in a list": TASK + f"labels: [{TARGET}]\n",
    "python object": TASK + "metric: !!python/object/apply:os.mknod [CANARY]\n",
    "python name": TASK + "metric: !!python/name:evil.Evil\n",
    "python module": TASK + "metric: !!python/module:evil\n",
    "python new": TASK + "metric: !!python/object/new:evil.Evil []\n",
    "python tuple": TASK + "labels: !!python/tuple [a, b]\n",
    "own tag": TASK + "metric: !evil CANARY\n",
    "resolver": TASK + "metric: ${evil:CANARY}\n",
    "resolver in a resolver": TASK + "metric: ${oc.create:${evil:CANARY}}\n",
    "a list for a text": TASK + "text: [CANARY]\n",
    "NUL": TASK + 'metric: "accuracy\\0"\n',
    "deep": TASK + "labels: " + "[" * 3000 + "\n",
    "endless": TASK + "labels: &a [*a]\n",
    "another package": "# @package _global_\n_target_: evil.Evil\n",
    "into hydra": "# @package hydra.callbacks.x\n_target_: evil.Evil\n",
    "by the defaults": "defaults: [/task@hydra.callbacks.x: inner, _self_]\n" + TASK,
    "callback": f"# @package _global_\nhydra: {{callbacks: {{x: {TARGET}}}}}\n",
    "environment": "# @package _global_\nhydra: {job: {env_set: {LD_PRELOAD: ./evil.so}}}\n",
    "copied environment": "# @package _global_\nhydra: {job: {env_copy: [HOME]}}\n",
    "logging": "# @package _global_\nhydra: {job_logging: {formatters: {x: {'()': evil.Evil}}}}\n",
    "logging to a file": "# @package _global_\nhydra: {hydra_logging: {handlers: {x: {class: logging.FileHandler}}}}\n",
    "launcher": "# @package _global_\nhydra: {launcher: {_target_: evil.Evil}}\n",
    "launcher's part": f"# @package _global_\nhydra: {{launcher: {{x: {TARGET}}}}}\n",
    "other launcher": "# @package _global_\ndefaults: [override /hydra/launcher: submitit_slurm]\n"
    "hydra: {launcher: {setup: ['touch CANARY']}}\n",
    "folder": "# @package _global_\nhydra: {sweep: {dir: ../outside}}\n",
    "folder of a job": "# @package _global_\nhydra: {sweep: {subdir: ../../outside}, output_subdir: .hydra}\n",
    "other place": "# @package _global_\nhydra: {job: {chdir: true}}\n",
    "search path": "# @package _global_\nhydra: {searchpath: ['pkg://evil']}\n",
    "parameters": "# @package _global_\nhydra: {sweeper: {params: {+hydra.callbacks.x._target_: evil.Evil}}}\n",
    "parameters for a folder": "# @package _global_\nhydra: {sweeper: {params: {hydra.sweep.dir: ../outside}}}\n",
}


def write_config(text: str, canary: Path) -> None:
    """Write a hostile choice of the group task into the folder configs."""
    folder = Path("configs/task")
    folder.mkdir(parents=True)
    whole = (
        "" if "name: mine" in text or "@package hydra" in text else "task: {name: mine, kind: classes, path: task}\n"
    )
    (folder / "mine.yaml").write_text(text.replace("CANARY", str(canary)) + whole)
    (folder / "inner.yaml").write_text("_target_: evil.Evil\n")


OVERRULED = ("folder", "folder of a job", "other place")  # ours are composed after it


@pytest.mark.parametrize("name", FILES)
def test_a_config_file(name: str, task: Path, refused: Call, canary: Path) -> None:
    write_config(FILES[name], canary)
    swept = ["-m", "task=mine" if "parameters" in name else "task=trec,mine"]
    words = ["--config-dir", "configs", *(swept if "hydra" in FILES[name] else ["task=mine"])]
    if name in OVERRULED:
        assert main([*BASE, *words]) == 1  # trec is not here
        assert {path.name for path in Path().iterdir()} <= {"configs", "task", "runs", ".cache"}
    else:
        refused(2, *BASE, *words, *LOOK)


@pytest.mark.parametrize("name", ["callback", "environment", "logging", "launcher", "into hydra", "parameters"])
def test_a_sweep_that_would_run(name: str, task: Path, refused: Call, canary: Path) -> None:
    write_config(FILES[name], canary)
    refused(2, *BASE, "--config-dir", "configs", "-m", "task=mine")


def test_the_command_line_may_say_more(easy: list[str], place: Path) -> None:
    """What a config file may not set, its user may."""
    write_config(TASK, place)
    words = ["+hydra.job.env_set.MINE=1", "hydra/launcher=basic", "hydra.verbose=false"]
    assert main([*BASE, "--config-dir", "configs", "-m", "task=mine", *words]) == 0
    assert list(Path("runs/single").glob("*/result.json"))


STUDY = "# @package _global_\ndefaults: [override /task: files, _self_]\ntask: {kind: classes, path: task}\n"
SWEEP = "hydra: {mode: MULTIRUN, sweeper: {params: {strategy: majority}}}\n"


def write_study(name: str, text: str) -> None:
    """Write a study of someone else."""
    folder = Path("experiments", name)
    folder.mkdir(parents=True)
    (folder / "study.yaml").write_text(STUDY + text)


@pytest.mark.parametrize("key", ["callbacks", "job", "job_logging", "launcher", "sweep", "sweeper"])
def test_a_study(key: str, refused: Call) -> None:
    values = {
        "callbacks": {"x": {"_target_": "evil.Evil"}},
        "job": {"env_set": {"WANDB_BASE_URL": "http://127.0.0.1:9"}},
        "job_logging": {"version": 1, "formatters": {"x": {"()": "evil.Evil"}}},
        "launcher": {"_target_": "evil.Evil"},
        "sweep": {"dir": "../outside"},
        "sweeper": {"params": {"strategy": "majority", "+hydra.callbacks.x._target_": "evil.Evil"}},
    }
    hydra = {"mode": "MULTIRUN", "sweeper": {"params": {"strategy": "majority"}}} | {key: values[key]}
    write_study("theirs", yaml.safe_dump({"hydra": hydra}))
    line = refused(2, "transfer", "study=theirs", "wandb=disabled", *LOOK)
    assert f"hydra.{key}" in line


def test_a_study_of_data_runs(task: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_study("theirs", SWEEP)
    assert main(["transfer", "study=theirs", "wandb=disabled", "hydra/launcher=basic"]) == 0
    assert "1 run, 0 finished before" in capsys.readouterr().out


STAGES = {
    "another program": ["touch CANARY"],
    "a shell": ["sh -c 'touch CANARY'"],
    "after a semicolon": ["transfer study=theirs; touch CANARY"],
    "in a substitution": ["transfer study=theirs name=$(touch CANARY)"],
    "python": ["python -c 'import evil'"],
    "a module": ["-m evil"],
    "a command with other powers": ["import theirs out"],
    "an object": [{"_target_": "evil.Evil"}],
    "no text": [5],
    "an open quote": ["transfer 'x"],
    "a callback": ["transfer -m study=theirs +hydra.callbacks.x._target_=evil.Evil"],
    "the environment": ["transfer -m study=theirs +hydra.job.env_set.LD_PRELOAD=./evil.so"],
    "a search path": ["transfer -m study=theirs hydra.searchpath=[pkg://evil]"],
    "configs elsewhere": ["transfer -m study=theirs --config-dir ../outside"],
    "a launcher": ["transfer -m study=theirs hydra/launcher=submitit_slurm 'hydra.launcher.setup=[touch CANARY]'"],
}


@pytest.mark.parametrize("case", STAGES)
def test_stages(case: str, task: Path, refused: Call, canary: Path) -> None:
    write_study("theirs", SWEEP)
    stages = json.loads(json.dumps(STAGES[case]).replace("CANARY", str(canary)))
    plan = {"title": "T", "question": "Q?", "stages": stages, "report": ["runs/single"]}
    Path("experiments/theirs/stages.yaml").write_text(yaml.safe_dump(plan))
    refused(2, "study", "theirs", "wandb=disabled")


@pytest.mark.parametrize(
    "change",
    [
        {"title": {"_target_": "evil.Evil"}},
        {"question": 5},
        {"report": "runs"},
        {"report": ["runs", "--wandb"]},
        {"report": ["--out", "../outside"]},
        {"stages": "transfer study=theirs"},
        {"stages": []},
    ],
    ids=str,
)
def test_a_plan_that_is_none(change: dict[str, object], task: Path, refused: Call) -> None:
    write_study("theirs", SWEEP)
    plan = {"title": "T", "question": "Q?", "stages": ["transfer study=theirs"], "report": ["runs/single"]}
    Path("experiments/theirs/stages.yaml").write_text(yaml.safe_dump(plan | change))
    assert "stages.yaml" in refused(2, "study", "theirs", "wandb=disabled")
    assert not Path("runs").exists()  # found before the first stage


RATES = {
    "python": "files: {full: !!python/object/apply:os.mknod [CANARY]}\n",
    "target": "files: {full: {_target_: os.mknod, _args_: [CANARY]}}\n",
    "text": "files: {full: __import__('evil')}\n",
    "resolver": "files: {full: '${evil:CANARY}'}\n",
    "not finite": "files: {full: .nan}\n",
    "negative": "files: {full: -1}\n",
    "endless": "files: {full: &a [*a]}\n",
    "binary": "\x00\x01",
}


@pytest.mark.parametrize("case", RATES)
def test_tuned_rates(case: str, easy: list[str], kept: Path, refused: Call, canary: Path) -> None:
    Path("rates.yaml").write_text(RATES[case].replace("CANARY", str(canary)))
    refused(2, *easy, f"checkpoint={kept}", "strategy=full", "tuned=rates.yaml")


RUNS = {  # config.yaml of a run folder that someone sent
    "python": "a: !!python/object/apply:os.mknod [CANARY]\n",
    "module": "a: !!python/module:evil\n",
    "deep": "a: " + "[" * 3000,
    "endless": "a: &a [*a]\n",
    "a text": "evil",
    "aliases": "\n".join(
        ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 9) + "]" for i in range(1, 12)]
    ),
}


@pytest.mark.parametrize("case", RUNS)
def test_a_run_folder_is_left_out(case: str, control: Callable[..., Path], canary: Path) -> None:
    from thaw.report.collect import read

    control()
    sent = Path("runs/single/sent")
    sent.mkdir()
    (sent / "status.json").write_text('{"state": "failed"}')
    (sent / "config.yaml").write_text(RUNS[case].replace("CANARY", str(canary)))
    study = read("runs")
    assert [one.folder.name for one in study.unreadable] == ["sent"]
    assert len(study.runs) == 1


def test_a_target_in_a_run_folder_is_text(control: Callable[..., Path], canary: Path) -> None:
    config = control() / "config.yaml"
    text = config.read_text() + f"evil: {{_target_: os.mknod, _args_: ['{canary}'], x: '${{oc.env:HOME}}'}}\n"
    for status in ("finished", "running"):
        config.write_text(text)
        about = json.loads(config.with_name("status.json").read_text())
        about.pop("sha256", None)
        config.with_name("status.json").write_text(json.dumps(about | {"state": status}))
        assert main(["report", "runs", "--out", "report", "--no-pictures"]) == 0
        assert main(["runs", "runs"]) == 0
    control()
