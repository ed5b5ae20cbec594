"""A run that a signal stops, inside the program of somebody else: what is saved, who is called, how it goes on."""

import dataclasses
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from language import pretraining, transfer

from thaw import run
from thaw.config import PretrainConfig, TransferConfig
from thaw.job.transfer import Transfer
from thaw.task.task import Kind
from thaw.track.folder import RunFolder
from thaw.train import interrupt, loop
from thaw.train.config import TrainerConfig
from thaw.train.interrupt import Interrupted

NUMBERS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2]
CLOCKS = ("seconds", "cpu_seconds")


@pytest.fixture
def config(tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path) -> TransferConfig:
    checkpoint = pretrained["folder"] / "checkpoint"
    return transfer(Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, "full", steps=8, eval_every=4)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in NUMBERS}
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, act: Callable[[], None]) -> None:
    """Do something when the update of a step is made, before the run looks whether it is to stop."""
    original = loop.Loop.on_train_batch_end

    def also(self: Any, trainer: Any, module: Any, *rest: Any) -> None:
        if module.step == step and step != self.done:
            act()
        original(self, trainer, module, *rest)

    monkeypatch.setattr(loop.Loop, "on_train_batch_end", also)


def send(*numbers: int) -> None:
    for number in numbers:
        os.kill(os.getpid(), number)
        time.sleep(0)


def left(config: PretrainConfig | TransferConfig) -> dict[str, Any]:
    """Return what a run has recorded, clocks apart."""
    folder = RunFolder(run.run_folder(config))
    row = folder.result() or {}
    events = [{name: value for name, value in event.items() if name not in CLOCKS} for event in folder.events()]
    scores = {name: row.get(name) for name in ("dev", "test", "best_step", "tokens", "flops")}
    files = {path.name: path.read_bytes() for path in folder.path.glob("predictions*")}
    weights = {path.name: path.read_bytes() for path in folder.checkpoint.glob("*.safetensors")}
    return {"events": events, "scores": scores, "files": files | weights}


@pytest.mark.parametrize("number", NUMBERS)
def test_it_saves_then_calls_the_handler_that_was_there_and_goes_on_with_the_same_bits(
    number: int, config: TransferConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """submitit's handler of SIGUSR2 was replaced by nobody's: it ended the process with nothing saved."""
    folder, seen = RunFolder(run.run_folder(config)), []

    def handler(number: int, frame: object) -> None:
        with folder:  # nobody holds it any more
            seen.append((number, folder.state(), sorted(path.name for path in folder.training_state.iterdir())))

    signal.signal(number, handler)
    with monkeypatch.context() as patched:
        at_step(patched, 5, lambda: send(number))
        with pytest.raises(Interrupted) as ended:
            run.transfer(config)
    assert ended.value.code == 128 + number
    assert str(ended.value) == f"{signal.Signals(number).name}, saved at step 5"
    assert seen == [(number, "interrupted", ["step-000000005"])]
    assert signal.getsignal(number) is handler
    run.transfer(config)
    whole = dataclasses.replace(config, name="whole")
    run.transfer(whole)
    assert left(config) == left(whole)


def test_a_pretraining_too(corpus_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = pretraining(corpus_file, tmp_path, budget="8")
    with monkeypatch.context() as patched:
        at_step(patched, 5, lambda: send(signal.SIGUSR1))
        with pytest.raises(Interrupted) as ended:
            run.pretrain(config)
    assert str(ended.value) == "SIGUSR1, saved at step 5"
    status = json.loads((run.run_folder(config) / "status.json").read_text())
    assert (status["state"], status["error"]) == ("interrupted", "Interrupted: SIGUSR1, saved at step 5")
    run.pretrain(config)
    whole = dataclasses.replace(config, name="whole")
    run.pretrain(whole)
    assert left(config) == left(whole)


def test_two_signals_while_it_saves_are_one(config: TransferConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """`timeout` sends two: the second one, a SIGINT from the terminal, ended the run in the middle of its saving."""
    original = Transfer.save_state

    def saving(self: Any, step: int) -> int:
        send(signal.SIGINT, signal.SIGTERM)
        return original(self, step)

    monkeypatch.setattr(interrupt, "MOMENT", 0.0)  # the slowest machine there is
    with monkeypatch.context() as patched:
        at_step(patched, 5, lambda: send(signal.SIGTERM))
        patched.setattr(Transfer, "save_state", saving)
        with pytest.raises(Interrupted) as ended:
            run.transfer(config)
    assert str(ended.value) == "SIGTERM, saved at step 5"
    assert run.transfer(config)["test"] is not None


def test_a_later_signal_ends_at_once_and_the_state_before_stays(
    config: TransferConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    often = dataclasses.replace(config, trainer=TrainerConfig(threads=1, progress=False, checkpoint_minutes=1e-9))
    monkeypatch.setattr(interrupt, "MOMENT", 0.0)
    with monkeypatch.context() as patched:
        at_step(patched, 5, lambda: send(signal.SIGTERM, signal.SIGTERM))
        with pytest.raises(Interrupted) as ended:
            run.transfer(often)
    assert ended.value.code == 143
    folder = RunFolder(run.run_folder(often))
    assert folder.state() == "interrupted"
    assert sorted(path.name for path in folder.training_state.iterdir()) == ["step-000000003", "step-000000004"]
    run.transfer(often)
    whole = dataclasses.replace(config, name="whole")
    run.transfer(whole)
    assert left(often) == left(whole)


def test_a_signal_while_the_test_set_is_scored_loses_nothing(
    config: TransferConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It threw away the whole training, of which nothing is saved in its last minutes."""
    original = Transfer.score_test

    def scoring(self: Any) -> dict[str, float]:
        send(signal.SIGTERM)
        return original(self)

    with monkeypatch.context() as patched:
        patched.setattr(Transfer, "score_test", scoring)
        with pytest.raises(Interrupted) as ended:
            run.transfer(config)
    assert ended.value.code == 143
    assert RunFolder(run.run_folder(config)).state() == "finished"
    monkeypatch.setattr(loop.Loop, "on_train_start", lambda *rest: pytest.fail("it trains again"))
    assert run.transfer(config)["test"] is not None


def test_a_signal_before_the_first_step_ends_it_at_once(
    config: TransferConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("thaw.job.transfer.scored_later", lambda transfer: send(signal.SIGHUP))
        with pytest.raises(Interrupted) as ended:
            run.transfer(config)
    assert ended.value.code == 129
    assert RunFolder(run.run_folder(config)).state() == "interrupted"
