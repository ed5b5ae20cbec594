"""W&B gets so many seconds in all, however many calls hang."""

import threading
import time

import pytest

from thaw.track.wandb_process import QUICK_SECONDS, Patience


def test_what_hangs_is_waited_for_so_long_in_all() -> None:
    patience, never = Patience(1.5), threading.Event()
    begun = time.monotonic()
    for _ in range(20):
        with pytest.raises(TimeoutError):
            patience.within(0.7, never.wait)
        if patience.left <= 0:
            break
    waited = time.monotonic() - begun
    never.set()
    assert patience.left <= 0
    assert waited >= 1.4
    assert patience.left >= 1.5 - waited - 0.1


def test_quick_calls_are_free_and_failures_come_through() -> None:
    patience, done = Patience(1.0), []
    for number in range(50):
        patience.within(5.0, lambda number=number: done.append(number))
    assert done == list(range(50))
    assert patience.left > 1.0 - QUICK_SECONDS
    with pytest.raises(ZeroDivisionError):
        patience.within(5.0, lambda: 1 / 0)
    patience.spend(QUICK_SECONDS / 2)
    assert patience.left > 1.0 - QUICK_SECONDS
