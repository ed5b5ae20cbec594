"""Sweeps of controls on tiny files, with every launcher: skip, record, retry, refuse, forecast."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from thaw.cli import forecast
from thaw.cli.compose import composer
from thaw.cli.main import main
from thaw.cli.sweep import share
from thaw.cli.words import parse
from thaw.config import TransferConfig
from thaw.strategy.plan import Full
from thaw.task.task import Kind, TaskConfig


@pytest.fixture
def words(task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    return ["transfer", "task=files", f"task.path={task_folder}", "task.kind=classes", "wandb=disabled", "name=s"]


def results(folder: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("runs/s/*/result.json"))]


def test_single_run_then_finished_before(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "strategy=majority"]) == 0
    first = capsys.readouterr().out
    assert main([*words, "strategy=majority"]) == 0
    assert capsys.readouterr().out == f"finished before: {first}"
    assert len(results(tmp_path)) == 1


def test_single_failure_has_the_exit_code_of_its_error(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "strategy=majority", "data.train_size=1000"]) == 2
    assert main([*words, "strategy=majority", "task.path=nowhere"]) == 3
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 2
    assert shown.out == ""


def test_sweep_skips_records_and_goes_on(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = [*words, "-m", "strategy=majority,tfidf", "data.train_size=10,1000,20", "seed=1"]
    assert main(sweep) == 1
    shown = capsys.readouterr()
    assert "6 runs, 0 finished before" in shown.out
    assert "[2/6] files majority n=1000 seed=1 … failed: data.train_size=1000" in shown.out
    assert "[6/6] files tfidf n=20 seed=1 … accuracy dev " in shown.out
    assert "error: 2 of 6 runs failed" in shown.err
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/s/*/result.json")}
    assert len(before) == 4
    assert main(sweep) == 1
    shown = capsys.readouterr()
    assert "6 runs, 4 finished before" in shown.out
    assert shown.out.count("failed: data.train_size=1000") >= 2
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/s/*/result.json")} == before


def test_a_sweep_leaves_out_what_does_not_apply(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    kept = [word for word in words if not word.startswith(("task=", "task.kind="))]
    sweep = [*kept, "-m", "task=trec,conll2003", "strategy=majority,tfidf", "--dry-run"]
    assert main(sweep) == 0
    shown = capsys.readouterr()
    assert "3 runs, 0 finished" in shown.out
    assert shown.err == "note: 1 runs left out: strategy=tfidf does not apply to task.kind=tags\n"


def test_finished_sweep_is_0(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert main([*words, "-m", "strategy=majority", "seed=1,2", "data.train_size=10"]) == 0
    assert "2 runs, 2 finished before" in capsys.readouterr().out


def test_a_control_serves_all_rates(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    rates = ["optim.lr=1e-3,1e-4", "--dry-run"]
    scratch = ["encoder=tiny", "tokenizer=folder", "tokenizer.path=tok"]
    Path("tok").mkdir()
    Path("tok/tokenizer.json").write_text("{}")
    assert main([*words, "-m", "strategy=majority,scratch", *rates, *scratch]) == 0
    assert "3 runs, 0 finished, 3 to run" in capsys.readouterr().out
    assert main([*words, "-m", "strategy=majority", *rates]) == 2
    assert "the same run twice: optim.lr=0.001 and optim.lr=0.0001 give runs/s/" in capsys.readouterr().err


@pytest.mark.parametrize("swept", ["trainer.threads=1,2", "seed=1,1", "wandb.project=a,b"])
def test_the_same_run_twice_is_refused(words: list[str], swept: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "-m", "strategy=majority", swept]) == 2
    assert "error: the same run twice: " in capsys.readouterr().err
    assert not Path("runs").exists()


def test_dry_run_starts_nothing(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    sweep = [*words, "-m", "strategy=majority", "seed=1,2", "--dry-run"]
    assert main(sweep) == 0
    assert "expected hours and disk: unknown" in capsys.readouterr().out
    assert not Path("runs").exists()
    assert main([*words, "strategy=majority", "seed=2"]) == 0
    assert main(sweep) == 0
    shown = capsys.readouterr().out
    assert "[1/2] to run " in shown
    assert "[2/2] finished " in shown
    assert "2 runs, 1 finished, 1 to run; expected: 0.00 hours in one process, 0.0 MB of disk" in shown
    assert main([*words, "name=other", "strategy=majority", "--dry-run"]) == 0  # what runs of other folders took
    assert "1 to run; expected: 0.00 hours" in capsys.readouterr().out


def test_dry_run_of_a_pretraining_tells_its_budget(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("some words\n")
    words = ["pretrain", "corpus=files", f"corpus.paths=[{tmp_path}/a.txt]", f"runs={tmp_path}/runs", "--dry-run"]
    assert main([*words, "-m", "budget=30m", "seed=1,2"]) == 0
    assert "2 to run; expected: 1.00 hours in one process, disk unknown" in capsys.readouterr().out
    assert main([*words, "budget=2000"]) == 0
    assert "expected hours and disk: unknown" in capsys.readouterr().out


def test_dry_run_multiplies_the_steps_of_like_runs() -> None:
    config = TransferConfig(
        task=TaskConfig(name="t", kind=Kind.classes, metric="accuracy", path="x"),
        strategy=Full(),
        checkpoint="x",
        steps=300,
    )
    like = [forecast.Measured("full", 100, 10.0, 5.0), forecast.Measured("frozen", 100, 1.0, 5.0)]
    assert forecast._seconds(config, [*like, forecast.Measured(None, 10, 1e6, 5.0)]) == pytest.approx(30)
    assert forecast._seconds(config, like[1:]) == pytest.approx(3)
    assert forecast._seconds(config, []) is None


def test_study(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "experiments" / "mine"
    folder.mkdir(parents=True)
    (folder / "study.yaml").write_text(
        "# @package _global_\nname: s\ndefaults:\n  - override /strategy: majority\n  - _self_\n"
        "hydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      seed: 1,2,3\n      data.train_size: 10,20\n"
    )
    assert main([*words, "study=mine", "--dry-run"]) == 0
    assert "6 runs" in capsys.readouterr().out
    assert main([*words, "study=mine", "seed=7", "--dry-run"]) == 0
    assert capsys.readouterr().out.count("files majority n=10 seed=7") == 1
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "runs").mkdir()  # a folder beside experiments/ is no config group
    assert main([*words, "study=mine", "seed=7", "runs=elsewhere", "--dry-run"]) == 0
    assert "elsewhere/s/" in capsys.readouterr().out
    folder.rename(folder.with_name("optim"))
    assert main([*words, "study=optim", "--dry-run"]) == 2
    assert "study=optim has the name of a config group" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_launchers_give_what_the_basic_one_gives(words: list[str], tmp_path: Path, launcher: str) -> None:
    def run(name: str, *more: str) -> dict[str, dict]:
        sweep = [*words, "-m", "strategy=majority,tfidf", "data.train_size=10,1000", f"name={name}", *more]
        done = subprocess.run([sys.executable, "-m", "thaw", *sweep], capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stderr
        assert done.stdout.count(" … failed: ") == 2
        assert done.stdout.count(" … accuracy ") == 2
        rows = [json.loads(path.read_text()) for path in tmp_path.glob(f"runs/{name}/*/result.json")]
        return {row["run_id"]: {key: row[key] for key in ("strategy", "train_size", "dev", "test")} for row in rows}

    more = ["hydra.launcher.n_jobs=2"] if launcher == "joblib" else []
    assert run("basic") == run("other", f"hydra/launcher={launcher}", *more)


@pytest.mark.parametrize(("at_once", "threads"), [(None, 0), (1, 0), (2, 4), (3, 2), (16, 1), (-1, 1), (-5, 2)])
def test_jobs_at_once_share_the_cores(at_once: int | None, threads: int) -> None:
    assert share(at_once, 8) == threads


def test_one_run_of_a_sweep(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = [*words, "-m", "strategy=majority", "seed=1,2,3", "data.train_size=10"]
    assert main([*sweep, "--only", "2"]) == 0
    assert [row["seed"] for row in results(tmp_path)] == [2]
    assert main([*sweep, "--only", "4"]) == 2
    assert "--only 4 is none of the 3 runs, give 1 to 3" in capsys.readouterr().err


def test_while_tuning_the_test_set_is_not_scored(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "-m", "strategy=tfidf", "seed=1,2", "data.train_size=10", "test=false"]) == 0
    assert "dev accuracy only" in capsys.readouterr().out
    assert [row["test"] for row in results(tmp_path)] == [None, None]
    assert all(row["dev"] is not None for row in results(tmp_path))
    assert not list(tmp_path.glob("runs/s/*/predictions*"))


def test_several_devices_do_not_mix_with_several_workers(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    sweep = [*words, "-m", "strategy=majority", "seed=1,2", "data.train_size=10", "trainer.devices=2"]
    assert main([*sweep, "hydra/launcher=joblib"]) == 2
    assert "several devices in a sweep need hydra/launcher=basic" in capsys.readouterr().err


def test_what_a_job_returns_holds_no_config(words: list[str]) -> None:
    given = parse([*words[1:], "strategy=majority", "-m", "seed=1,2"])
    with composer("transfer", given) as compose:
        jobs = [one.overrides for one in compose.combinations()]
        returned = compose.launcher(lambda raw: raw.seed).launch(jobs, initial_job_idx=0)
    assert [(one.return_value, one.cfg, one.hydra_cfg) for one in returned] == [(1, None, None), (2, None, None)]


def test_a_file_that_changes_while_a_sweep_runs_stops_what_is_left(
    words: list[str], task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Else half of a study would be on other data, in folders that nobody planned."""
    from thaw import run

    original, test = run.transfer, task_folder / "test.jsonl"

    def changing(config: TransferConfig) -> dict:
        row = original(config)
        test.write_text("".join(test.read_text().splitlines(keepends=True)[:10]))
        return row

    sweep = [*words, "-m", "strategy=majority", "seed=1,2,3", "data.train_size=10"]
    with monkeypatch.context() as patched:
        patched.setattr(run, "transfer", changing)
        assert main(sweep) == 1
    shown = capsys.readouterr()
    assert shown.out.count(f"failed: {test} was changed after the sweep began") == 2
    assert [row["seed"] for row in results(tmp_path)] == [1]
    assert main(sweep) == 0  # the command again: other runs, all on the new file
    assert "3 runs, 0 finished before" in capsys.readouterr().out
    splits = {json.loads(path.read_text())["split"] for path in tmp_path.glob("runs/s/*/lineage.json")}
    assert len(splits) == 2
    assert len(results(tmp_path)) == 4


def test_the_line_of_a_run_names_the_positive_label(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of "bad" and "good" the last is counted, which no reader can know."""
    assert main([*words, "strategy=tfidf", "task.metric=f1"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("f1 of 'good' dev 1.000 test 1.000")
    assert "note: files: f1 is that of label 'good', the last one; task.positive=bad takes the other" in shown.err
    assert main([*words, "strategy=majority", "task.metric=f1", "task.positive=bad"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("f1 of 'bad' dev ")
    assert shown.err == ""
    assert {(row["strategy"], row["positive"]) for row in results(tmp_path)} == {("tfidf", "good"), ("majority", "bad")}
    assert main([*words, "strategy=majority", "task.positive=god"]) == 2
    assert "task.positive=god is no label of files, did you mean 'good'?" in capsys.readouterr().err
