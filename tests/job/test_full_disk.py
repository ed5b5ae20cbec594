"""Runs on a disk that takes no large file, or none for a while: what is paid for is not thrown away.

``RLIMIT_FSIZE`` is the size of the largest file that this process may write; a full disk fails in the same way.
"""

import dataclasses
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from language import pretraining, transfer

from thaw import run
from thaw.cli import sweep
from thaw.cli.jobs import Job
from thaw.config import TransferConfig
from thaw.errors import StorageError
from thaw.job import resume
from thaw.job.finished import complaint, finished
from thaw.task.task import Kind
from thaw.track.folder import RunFolder
from thaw.train import loop
from thaw.train.config import CacheConfig, TrainerConfig
from thaw.train.interrupt import Interrupted

EACH_STEP = TrainerConfig(threads=1, progress=False, checkpoint_minutes=1e-6)
SMALL = 60_000  # bytes: less than the weights of an encoder here, more than all the other files
CLOCKS = ("seconds", "cpu_seconds")
MEASURED = ("train_seconds", "eval_seconds", "cpu_seconds", "peak_rss_bytes", "host_gflops", "name")


@contextmanager
def largest(size: int) -> Iterator[Callable[[int], None]]:
    """Let no file grow beyond ``size`` bytes; gives the function that changes the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(number: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard if number == resource.RLIM_INFINITY else number, hard))

    limit(size)
    try:
        yield limit
    finally:
        limit(soft)


@pytest.fixture
def config(tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path) -> TransferConfig:
    """A transfer that saves its state after every step."""
    checkpoint = pretrained["folder"] / "checkpoint"
    return transfer(
        Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, "full", steps=8, eval_every=4, trainer=EACH_STEP
    )


def same(row: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(row[name] == other[name] for name in row if name not in MEASURED)


def events(folder: Path) -> list[dict[str, Any]]:
    return [{key: value for key, value in one.items() if key not in CLOCKS} for one in RunFolder(folder).events()]


def at_step(monkeypatch: pytest.MonkeyPatch, act: Callable[[int, loop.Loop], None]) -> None:
    """Do something before each step is recorded."""
    original = loop.Loop.on_train_batch_end

    def acting(self: Any, trainer: Any, module: Any, *rest: Any) -> None:
        act(module.step, self)
        original(self, trainer, module, *rest)

    monkeypatch.setattr(loop.Loop, "on_train_batch_end", acting)


def test_a_state_that_can_not_be_saved_ends_no_run(config: TransferConfig, capsys: pytest.CaptureFixture[str]) -> None:
    expected = run.transfer(dataclasses.replace(config, name="room"))
    with largest(SMALL):
        row = run.transfer(config)
    folder = run.run_folder(config)
    assert same(row, expected)
    assert RunFolder(folder).state() == "finished"
    notes = [line for line in capsys.readouterr().err.splitlines() if "state" in line]
    assert len(notes) == 1
    assert notes[0].startswith(
        f"note: cannot write {folder.resolve()}/state/step-000000001: File too large, free space"
    )
    assert notes[0].endswith("the run goes on and tries again to save its state")
    assert not list(folder.glob("state/*"))
    assert complaint(folder).startswith(f"no training state of {folder} could be saved (cannot write ")
    assert complaint(run.run_folder(dataclasses.replace(config, name="room"))) == ""


def test_the_command_ends_with_the_code_of_storage_and_its_result_stands(config: TransferConfig) -> None:
    job = Job(1, [], config, run.run_folder(config), None)
    with largest(SMALL), pytest.raises(StorageError, match="its result is whole, but had it been stopped"):
        sweep.single("transfer", job)
    assert finished(job.folder, config) is not None
    assert sweep.single("transfer", dataclasses.replace(job, row=finished(job.folder, config))) == 0


def test_a_disk_that_was_full_for_a_while_is_tried_again(
    config: TransferConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    with largest(SMALL) as limit, monkeypatch.context() as patched:
        at_step(patched, lambda step, _: limit(SMALL if step < 4 else resource.RLIM_INFINITY))
        run.transfer(config)
    assert complaint(run.run_folder(config)) == ""


@pytest.mark.parametrize("saved", [0, 3])
def test_a_signal_while_nothing_can_be_saved(
    saved: int, config: TransferConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(step: int, own: loop.Loop) -> None:
        limit(resource.RLIM_INFINITY if step <= saved else SMALL)
        own.stop.number = signal.SIGTERM if step == 6 else 0

    with largest(SMALL) as limit, monkeypatch.context() as patched:
        at_step(patched, act)
        with pytest.raises(Interrupted) as stopped:
            run.transfer(config)
    if saved:
        assert stopped.value.code == 128 + signal.SIGTERM
        assert str(stopped.value) == "SIGTERM, saved at step 3, step 6 could not be saved"
        assert stopped.value.remedy == "the same command continues"
    else:
        assert stopped.value.code == StorageError.exit_code
        assert str(stopped.value) == "SIGTERM, at step 6 no state could be saved"
        assert stopped.value.remedy == "the same command starts again"
    folder = run.run_folder(config)
    assert RunFolder(folder).state() == "interrupted"
    assert same(run.transfer(config), run.transfer(dataclasses.replace(config, name="undisturbed")))
    assert events(folder) == events(run.run_folder(dataclasses.replace(config, name="undisturbed")))


def test_events_wait_for_a_disk_that_takes_none(
    config: TransferConfig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A state is not saved as long as the events before it are not: a run that went on would lack them."""
    states: list[int] = []
    save = resume.state.save

    def noted(folder: Path, parts: Any, info: dict[str, Any]) -> None:
        save(folder, parts, info)
        states.append(info["step"])

    with largest(SMALL) as limit, monkeypatch.context() as patched:
        patched.setattr(resume.state, "save", noted)
        at_step(patched, lambda step, _: limit(10 if 2 <= step < 6 else resource.RLIM_INFINITY))
        row = run.transfer(config)
    assert states == [1, 6, 7]
    assert "the run goes on, its events wait in memory" in capsys.readouterr().err
    undisturbed = dataclasses.replace(config, name="undisturbed")
    assert same(row, run.transfer(undisturbed))
    assert events(run.run_folder(config)) == events(run.run_folder(undisturbed))


def test_a_checkpoint_that_can_not_be_kept_costs_no_result(
    config: TransferConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = dataclasses.replace(config, keep=True, trainer=dataclasses.replace(EACH_STEP, checkpoint_minutes=60.0))
    with largest(SMALL):
        row = run.transfer(kept)
    folder = run.run_folder(kept)
    assert row["test"] is not None
    assert complaint(folder).startswith(f"the checkpoint of {folder} is not kept (cannot write ")
    assert finished(folder) == row
    assert finished(folder, kept) is None  # still to be kept
    again = run.transfer(kept)
    assert again["test"] == row["test"]
    assert (folder / "checkpoint" / "model.safetensors").is_file()
    assert complaint(folder) == ""
    assert finished(folder, kept) == again


def test_weights_for_a_later_test_that_can_not_be_kept_cost_no_result(config: TransferConfig) -> None:
    tuning = dataclasses.replace(config, test=False)
    with largest(SMALL):
        row = run.transfer(tuning)
    assert row["dev"] is not None
    assert RunFolder(run.run_folder(tuning)).state() == "finished"
    assert run.transfer(config)["test"] is not None


def test_a_checkpoint_on_the_way_that_can_not_be_kept_is_due_still(
    corpus_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = pretraining(corpus_file, tmp_path, budget="4", save_at=["0", "512"])
    with largest(SMALL) as limit, monkeypatch.context() as patched:
        at_step(patched, lambda step, _: limit(SMALL if step < 4 else resource.RLIM_INFINITY))
        row = run.pretrain(config)
    folder = run.run_folder(config)
    told = capsys.readouterr().err
    assert "note: save_at=0 is not kept: cannot write " in told
    assert finished(folder) == row
    assert finished(folder, config) is None
    assert "save_at=0 of " in complaint(folder)
    assert run.pretrain(config)["checkpoint"] == row["checkpoint"]
    assert {path.name for path in (folder / "checkpoints").iterdir()} == {"0", "512"}
    assert complaint(folder) == ""


@pytest.mark.parametrize("cache", ["a file", "full"])
def test_caches_that_can_not_be_written_are_gone_without(
    cache: str, corpus_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = pretraining(corpus_file, tmp_path / "room", budget="4")
    expected = run.pretrain(config)
    other = pretraining(corpus_file, tmp_path, budget="4", cache=CacheConfig(folder=str(tmp_path / "no")))
    if cache == "a file":
        (tmp_path / "no").write_text("a file")
        row = run.pretrain(other)
    else:
        (tmp_path / "no").mkdir()
        (tmp_path / "no" / "tokens").symlink_to("/dev/full")
        (tmp_path / "no" / "tokenizer").symlink_to("/proc/self")
        row = run.pretrain(other)
    told = capsys.readouterr().err
    assert told.count("note: the tokenizer is not kept: cannot write ") == 1
    assert told.count("note: the ids of the corpus are not kept: cannot write ") == 1
    assert "this run has them in a temporary folder" in told
    assert same(row, expected)
    lineages = [RunFolder(run.run_folder(one)).read("lineage.json") for one in (config, other)]
    assert lineages[0] == lineages[1]


def test_a_sweep_tells_of_runs_whose_states_could_not_be_saved(
    config: TransferConfig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The launcher is our own loop; all else is the sweep's."""
    from thaw.cli.worker import Outcome

    folder = run.run_folder(config)

    class Launcher:
        def launch(self, overrides: list[list[str]], initial_job_idx: int) -> list[Any]:
            with largest(SMALL):
                row = run.transfer(config)
            return [type("Returned", (), {"return_value": Outcome("done", row)})]

    jobs = [Job(1, [], config, folder, None)]
    assert sweep.sweep("transfer", jobs, lambda function: Launcher()) == StorageError.exit_code
    assert f"error: no training state of {folder} could be saved" in capsys.readouterr().err
