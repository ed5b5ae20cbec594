"""A calm progress line: a bar with the time left on a terminal, a line now and then elsewhere."""

import contextlib
import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

LINE_SECONDS = 30.0  # between two lines where there is no terminal


class Bar:
    """Shows the steps of one run on stderr; ``enabled=False`` shows nothing."""

    def __init__(self, title: str, steps: int, enabled: bool = True) -> None:
        self.title, self.steps, self.enabled = title, steps, enabled
        self.console = Console(stderr=True)
        self.live = enabled and self.console.is_terminal
        self.begun = self.told = time.monotonic()
        self.first = 0
        self.shown: dict[str, float] = {}

    def __enter__(self) -> "Bar":
        if self.live:
            self.progress = Progress(
                TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                TimeRemainingColumn(), TextColumn("{task.fields[metrics]}"), console=self.console, transient=True,
                refresh_per_second=2,
            )  # fmt: skip
            self.progress.start()
            self.task = self.progress.add_task(self.title, total=self.steps, metrics="")
        return self

    def __call__(self, step: int, metrics: dict[str, float]) -> None:
        """Show the step and the newest value of each metric."""
        if not self.enabled:
            return
        shown = [key for key in metrics if key != "lr"][:1]  # the loss, or the first metric of an evaluation
        self.shown.update({key: metrics[key] for key in shown})
        words = "  ".join(f"{key} {value:.3f}" for key, value in self.shown.items())
        if self.live:
            self.progress.update(self.task, completed=step, metrics=words)
        elif time.monotonic() - self.told > LINE_SECONDS and step:
            self.told = time.monotonic()
            left = (self.told - self.begun) / max(1, step - self.first) * (self.steps - step)
            with contextlib.suppress(OSError):
                print(f"{self.title}  step {step}/{self.steps}  {words}  {left / 60:.1f} min left", file=sys.stderr)

    def start_at(self, step: int) -> None:
        """Say that a resumed run begins at ``step``."""
        self.first = step

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live:
            with contextlib.suppress(OSError):  # a terminal that is gone, which SIGHUP told of
                self.progress.stop()
