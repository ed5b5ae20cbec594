"""The callback that drives a run: records, evaluates off the clock, saves its state, stops when told to.

Decisions: nothing goes through Lightning's own logging, which costs 0.7 ms a step; a run records plain events. The
processes of a run ask each other after every step whether one of them is to stop, so that all stop after the same one.
"""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

import pytorch_lightning as pl
import torch

from thaw.errors import DivergedError
from thaw.train import processes
from thaw.train.interrupt import Stop

LOG_EVERY = 10  # optimizer steps between two recorded training losses


class Clock(Protocol):
    """A stopwatch that runs only while the model trains."""

    @property
    def train_seconds(self) -> float: ...
    @property
    def cpu_seconds(self) -> float: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def charge(self, seconds: float, cpu_seconds: float) -> None: ...
    def gather(self, total: Callable[[float], float]) -> None: ...
    def evaluation(self) -> AbstractContextManager[None]: ...


def place(module: Any, step: int, clock: Clock) -> dict[str, Any]:
    """Return where an event lies on every x axis: step, epoch, training seconds, CPU seconds, tokens and FLOPs so far.

    Seconds are those of this process, CPU seconds, tokens and FLOPs of all processes of the run; all must call this.
    """
    clock.gather(lambda own: processes.totals([own], module.device)[0])
    spent = {"seconds": round(clock.train_seconds, 3), "cpu_seconds": round(clock.cpu_seconds, 3)}
    done = {"tokens": module.tokens, "flops": round(module.flops)}
    return {"step": step, "epoch": round(module.epoch(step), 4), **spent, **done}


class Loop(pl.Callback):
    """Runs after every optimizer step.

    ``evaluate(step)`` returns metrics and is called after each of the steps ``looks``, with the clock paused.
    ``save(step)`` writes the state for resuming and returns the step of the newest one there is, 0 for none: it may
    fail without an end to the run. ``milestones`` are steps with a callback of their own.
    """

    def __init__(
        self,
        *,
        steps: int,
        looks: Collection[int],
        evaluate: Callable[[int], dict[str, float]],
        record: Callable[[dict[str, Any]], None],
        save: Callable[[int], int],
        clock: Clock,
        stop: Stop,
        minutes: float,
        milestones: dict[int, Callable[[], None]] | None = None,
        show: Callable[[int, dict[str, float]], None] | None = None,
    ) -> None:
        self.steps, self.looks, self.evaluate, self.record, self.save = steps, looks, evaluate, record, save
        self.clock, self.stop, self.minutes, self.milestones, self.show = clock, stop, minutes, milestones or {}, show
        self.done, self.saved = -1, time.monotonic()

    def setup(self, trainer: pl.Trainer, module: Any, stage: str) -> None:
        """From now on a signal is noted, and the run ends after a step."""
        self.stop.note()

    def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
        """Evaluate before the first step where that is due, then start the clock."""
        self.done = module.step
        if module.step == 0 and 0 in self.looks:
            self._evaluate(module, 0)
        self.clock.start()

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Record the loss, evaluate, save, stop: whatever is due after this step."""
        module.losses.append(outputs["loss"].detach() * trainer.accumulate_grad_batches)  # Lightning divides it
        step = module.step
        if step == self.done:
            return  # a micro-batch of an unfinished step
        self.done = step
        if step % LOG_EVERY == 0 or step == self.steps:
            self._log(module, step)
        if step in self.looks:
            self._evaluate(module, step)
        if step in self.milestones:
            self._paused(self.milestones[step])
        if step < self.steps:
            number = processes.agreed(self.stop.number, module.device)
            kept = step
            if number or time.monotonic() - self.saved > 60 * self.minutes:
                with self.stop.saving():
                    self.clock.stop()
                    kept = self.save(step)
                    self.clock.start()
                self.saved = time.monotonic()
            if number:
                self.stop.agree(number)
                self.stop.kept(step, kept)
                raise self.stop.error()

    def _log(self, module: Any, step: int) -> None:
        own = float(torch.stack(module.losses).double().mean())  # weighted, so that processes count by their labels
        loss = processes.totals([own], module.device)[0] / processes.count()
        module.losses.clear()
        if loss != loss or loss in (float("inf"), float("-inf")):
            raise DivergedError(f"the training loss is {loss} at step {step}, lower optim.lr={module.optim.lr}")
        event = {"train/loss": loss, "lr": module.rate(min(step, self.steps - 1))}
        self._record(module, step, event)
        if self.show:
            self.show(step, event)

    def _evaluate(self, module: Any, step: int) -> None:
        with self.clock.evaluation():
            metrics = self.evaluate(step)
        self._record(module, step, metrics)
        if self.show:
            self.show(step, metrics)

    def _record(self, module: Any, step: int, metrics: dict[str, float]) -> None:
        self.record({**place(module, step, self.clock), **metrics})

    def _paused(self, action: Callable[[], None]) -> None:
        self.clock.stop()
        action()
        self.clock.start()


class Batches:
    """The batches of the steps that are left; ``make(step)`` gives the micro-batches of one optimizer step."""

    def __init__(self, make: Callable[[int], list[Any]], start: int, steps: int, accumulate: int) -> None:
        self.make, self.start, self.steps, self.accumulate = make, start, steps, accumulate

    def __len__(self) -> int:
        return (self.steps - self.start) * self.accumulate

    def __iter__(self) -> Iterator[Any]:
        for step in range(self.start, self.steps):
            yield from self.make(step)
