"""Sweeps of controls on tiny files, with every launcher: skip, record, retry, refuse, forecast."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from thaw.cli import forecast
from thaw.cli.compose import composer
from thaw.cli.main import main
from thaw.cli.order import place
from thaw.cli.words import parse
from thaw.cli.worker import share
from thaw.config import TransferConfig
from thaw.fields import as_dict
from thaw.strategy.plan import Frozen, Full, StrategyConfig, Tfidf
from thaw.task.task import Kind, TaskConfig
from thaw.train.config import OptimConfig
from thaw.train.evaluations import evaluation_steps


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
    assert "[6/6] files majority n=1000 seed=1 … failed: data.train_size=1000" in shown.out
    assert "[3/6] files tfidf n=20 seed=1 … accuracy dev " in shown.out
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
    assert shown.err == "note: 1 run left out: strategy=tfidf does not apply to task.kind=tags\n"


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
    assert "the same run twice: optim.lr=0.0001 and optim.lr=0.001 give runs/s/" in capsys.readouterr().err


def test_what_is_compared_runs_side_by_side(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("tok").mkdir()
    Path("tok/tokenizer.json").write_text("{}")
    kept = [word for word in words if not word.startswith("task")]
    network = ["encoder=tiny", "tokenizer=folder", "tokenizer.path=tok", "--dry-run", "-m"]
    swept = [
        "strategy=tfidf,scratch", "optim.lr=1e-3,3e-4", "data.train_size=all,50", "seed=10,2", "task=trec,bbc_news",
    ]  # fmt: skip
    shown = []
    for order in (swept, [*swept[2:], *swept[:2]], ["strategy=scratch,tfidf", *swept[:0:-1]]):
        assert main([*kept, *network, *order]) == 0
        shown.append(capsys.readouterr().out.splitlines())
    assert all(lines == shown[0] for lines in shown)
    runs = [line.split()[-4:] for line in shown[0][:-1]]
    cells = [(seed, task, size) for task, _, size, seed in runs]
    expected = [
        (f"seed={seed}", task, f"n={size}")
        for seed in (2, 10) for task in ("bbc_news", "trec") for size in ("50", "all")
    ]  # fmt: skip
    assert list(dict.fromkeys(cells)) == expected
    assert cells == [cell for cell in expected for _ in range(3)]  # one cell after the other, none comes back
    assert [strategy for _, strategy, _, _ in runs[:3]] == ["scratch", "scratch", "tfidf"]


def test_only_counts_in_the_order_of_the_runs(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for swept in (["strategy=majority,tfidf", "seed=1,2"], ["seed=2,1", "strategy=tfidf,majority"]):
        assert main([*words, "-m", "data.train_size=10", *swept, "--only", "2"]) == 0
    assert [(row["strategy"], row["seed"]) for row in results(Path())] == [("majority", 1)]
    assert "finished before" in capsys.readouterr().out


def test_the_order_of_checkpoints_is_outside_that_of_strategies() -> None:
    def one(checkpoint: str, settings: StrategyConfig, lr: float) -> TransferConfig:
        task = TaskConfig(name="t", kind=Kind.classes, metric="accuracy", path="x")
        return TransferConfig(task=task, strategy=settings, checkpoint=checkpoint, optim=OptimConfig(lr=lr))

    expected = [
        one(checkpoint, settings, lr)
        for checkpoint in ("a", "b") for settings in (Full(), Full(decay=2.0), Frozen()) for lr in (1e-4, 1e-3)
    ]  # fmt: skip
    in_order = sorted(expected, key=place)
    assert [(c.checkpoint, c.strategy.name, c.optim.lr) for c in in_order] == [
        (checkpoint, *rest) for checkpoint in "ab"
        for rest in [("frozen", 1e-4), ("frozen", 1e-3), *[("full", 1e-4), ("full", 1e-3)] * 2]
    ]  # fmt: skip


def test_pretrainings_go_by_seed_then_as_the_command_has_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text("some words\n")
    words = ["pretrain", "corpus=files", f"corpus.paths=[{tmp_path}/a.txt]", f"runs={tmp_path}/runs", "--dry-run"]
    assert main([*words, "-m", "budget=30,10", "seed=2,1"]) == 0
    lines = capsys.readouterr().out.splitlines()[:-1]
    assert [line.split()[-2:] for line in lines] == [[b, s] for s in ("seed=1", "seed=2") for b in ("30", "10")]


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


def test_dry_run_knows_only_runs_of_the_same_kind(tmp_path: Path) -> None:
    """Newcomer N9: 45 runs of networks were promised in 36 seconds, since TF-IDF runs were all that was finished."""
    shape = {"model_type": "bert", "num_hidden_layers": 2, "hidden_size": 8, "intermediate_size": 16, "vocab_size": 99}
    for name, layers in (("a", 2), ("same", 2), ("deeper", 4)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps({**shape, "num_hidden_layers": layers}))

    def config(settings: StrategyConfig, steps: int = 300, encoder: str = "a", **task: Any) -> TransferConfig:
        given = {"name": "t", "kind": Kind.classes, "metric": "accuracy", "path": "x", **task}
        return TransferConfig(
            task=TaskConfig(**given), strategy=settings, steps=steps, eval_every=50, checkpoint=str(tmp_path / encoder)
        )

    def took(of: TransferConfig, seconds: float) -> forecast.Measured:
        own = forecast.kind(as_dict(of))
        assert own is not None
        return forecast.Measured(own, of.steps, len(evaluation_steps(of.steps, of.eval_every)), seconds, 1.3, 5.0)

    wanted = config(Full())
    likes = [
        config(Full(), 100), config(Frozen(), 100), config(Full(), 100, "deeper"), config(Full(), 100, name="other"),
        config(Full(), 100, max_length=512), config(Full(), 10), config(Full(), 4000), config(Tfidf()),
    ]  # fmt: skip
    expected = [forecast._expected(wanted, [took(like, 10.0)]) for like in likes]
    assert expected[1:] == [None] * 7  # another strategy, network, task, length, scale, or no network at all
    assert expected[0] == (pytest.approx(30 + 1.3 / 9 * 13), 5.0)  # 13 looks to 300 steps, 9 to 100
    assert forecast._expected(config(Full(), 300, "same"), [took(likes[0], 10.0)]) == expected[0]
    assert forecast._expected(config(Full(), 300, "gone"), [took(likes[0], 10.0)]) is None


def test_dry_run_tells_how_many_runs_it_knows(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "strategy=tfidf", "data.train_size=10"]) == 0
    Path("tok").mkdir()
    Path("tok/tokenizer.json").write_text("{}")
    network = ["encoder=tiny", "tokenizer=folder", "tokenizer.path=tok"]
    sweep = [*words, *network, "-m", "strategy=scratch,tfidf", "data.train_size=10,20", "seed=2", "--dry-run"]
    assert main(sweep) == 0
    shown = capsys.readouterr().out
    assert "4 to run; expected: 0.00 hours in one process, 0.0 MB of disk for 1 of them; unknown for 3" in shown


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
    assert shown.out.count(f"failed: {test} was changed after the sweep had named run") == 2
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
