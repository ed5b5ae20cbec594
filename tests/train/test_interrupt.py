"""Signals that ask a process to end: which ones, what is noted, what ends at once, who is called afterwards."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from thaw.train import interrupt
from thaw.train.interrupt import Interrupted, signals, stoppable

NAMES = ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2")


def send(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(0)  # Python calls its handler here at the latest


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Leave the signals of the test process as they were; here none is ignored, whatever has started the tests."""
    numbers = [signal.SIGCONT, signal.SIGWINCH, *(getattr(signal, name) for name in NAMES)]
    before = {number: signal.getsignal(number) for number in numbers}
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("name", NAMES)
def test_a_signal_ends_at_once_or_is_noted(name: str) -> None:
    number = getattr(signal, name)
    with pytest.raises(Interrupted) as ended, stoppable():
        send(number)
    assert (ended.value.code, str(ended.value)) == (128 + number, name)
    with stoppable() as stop, stop.job():
        stop.note()
        send(number)
        assert (stop.number, str(stop)) == (number, name)
    assert signal.getsignal(number) is not stop


def test_what_was_ignored_stays_ignored() -> None:
    """`nohup thaw ...` ended with the terminal; a shell's `trap '' USR1` is as explicit."""
    for ignored in (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM, signal.SIGINT):
        signal.signal(ignored, signal.SIG_IGN)
    with stoppable() as stop, stop.job():
        stop.note()
        send(signal.SIGHUP)
        send(signal.SIGUSR1)
        assert stop.number == 0
        send(signal.SIGTERM)
        assert stop.number == signal.SIGTERM


@pytest.mark.parametrize(("name", "number"), [("WINCH", signal.SIGWINCH), ("SIGWINCH", signal.SIGWINCH), ("KILL", 0)])
def test_the_signal_of_submitit_is_one_of_ours(name: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBMITIT_PREEMPT_SIGNAL", name)
    usual = [getattr(signal, name) for name in NAMES]
    assert signals() == [*usual, *([number] if number else [])]
    monkeypatch.setenv("SUBMITIT_PREEMPT_SIGNAL", "NONSENSE")
    assert signals() == usual


def test_two_signals_within_a_moment_are_one_and_a_later_one_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupt, "MOMENT", 60.0)
    with stoppable() as stop, stop.job():
        stop.note()
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
            send(number)
        monkeypatch.setattr(interrupt, "MOMENT", 0.0)
        with stop.saving():
            send(signal.SIGINT)
        with pytest.raises(Interrupted) as ended:
            send(signal.SIGINT)
    assert ended.value.code == 128 + signal.SIGTERM


def test_a_workers_second_signal_may_be_late_from_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C reaches both; the parent's own came while the worker saved, and ended that."""
    monkeypatch.setattr(interrupt, "MOMENT", 0.0)
    with stoppable() as stop, stop.job():
        stop.worker = True
        stop.note()
        send(signal.SIGINT)
        send(signal.SIGTERM)
        assert stop.number == signal.SIGINT


def test_signals_that_follow_the_first_do_not_disturb_what_is_on_its_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """`timeout` sends two: the second one killed the process while it wrote its status."""
    monkeypatch.setattr(interrupt, "MOMENT", 60.0)
    with stoppable() as stop:
        with pytest.raises(Interrupted):
            send(signal.SIGTERM)
        send(signal.SIGTERM)
    assert stop.received == [signal.SIGTERM, signal.SIGTERM]


def test_earlier_handlers_are_called_last_each_once() -> None:
    """submitit sends SIGTERM, which it lets pass, then SIGUSR2, by which it puts the job into its queue again."""
    order: list[str] = []
    signal.signal(signal.SIGTERM, lambda number, frame: order.append("bypassed"))
    signal.signal(signal.SIGUSR2, lambda number, frame: order.append(f"queued after {order[0]}"))
    with stoppable() as stop, stop.job():
        stop.note()
        for number in (signal.SIGTERM, signal.SIGUSR2, signal.SIGTERM):
            send(number)
        order.append("saved")
    assert order == ["saved", "bypassed", "queued after saved"]
    assert stop.error().code == 143
    assert not stop.error().over


def test_an_earlier_handler_decides_how_the_process_ends() -> None:
    def requeue(number: int, frame: object) -> None:
        raise SystemExit(-1)

    def refuse(number: int, frame: object) -> None:
        raise RuntimeError("Job not requeued because: timed-out\ntoo many times.")

    for handler, code in ((requeue, -1), (refuse, 128 + signal.SIGUSR2)):
        signal.signal(signal.SIGUSR2, handler)
        with pytest.raises(SystemExit) as ended, stoppable():
            send(signal.SIGUSR2)
        assert ended.value.code == code
    assert isinstance(ended.value, Interrupted)
    assert ended.value.over
    assert str(ended.value) == "SIGUSR2, Job not requeued because: timed-out too many times."


def test_one_listens_for_all() -> None:
    with stoppable() as outer, stoppable() as inner:
        assert inner is outer
        with inner.job():
            inner.note()
            interrupt.end_self("the time is over")
            time.sleep(0)
            assert str(outer) == "SIGTERM, the time is over"
        with pytest.raises(Interrupted):
            inner.leave()
