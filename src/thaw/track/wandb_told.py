"""What W&B was told of a run, in order and numbered, so that it can be told again; and what is known of it before."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from thaw.track.folder import METRICS
from thaw.track.wandb_files import ROWS, known, places
from thaw.track.wandb_variables import ID

Saying = Callable[[Any], object]


class Told:
    """What was, or is to be, told to W&B's run object: calls of it, of which some are rows of its history."""

    def __init__(self, first: int) -> None:
        self.first = first  # W&B's number for the first row
        self.numbered = True  # whether W&B is told the numbers, else it counts
        self._rows = 0
        self._said: list[Saying] = []
        self._taken = 0  # of them that W&B has

    @property
    def next(self) -> int:
        """W&B's number for the row after the last one."""
        return self.first + self._rows

    def row(self, row: dict[str, Any]) -> Saying:
        """Return the call that logs a row under its number, whatever that of the first is by then."""
        place, self._rows = self._rows, self._rows + 1

        def log(run: Any) -> None:
            if self.numbered:
                run.log(row, step=self.first + place, commit=True)
            else:
                run.log(row)

        return log

    def add(self, call: Saying) -> None:
        """Keep what is to be told next."""
        self._said.append(call)

    def late(self) -> int:
        """Return how many calls W&B has not had yet."""
        return len(self._said) - self._taken

    def tell(self, run: Any, anew: bool = False) -> None:
        """Tell W&B what it does not have yet, with ``anew`` everything."""
        until = len(self._said)
        for call in self._said[0 if anew else self._taken : until]:
            call(run)
        self._taken = until

    def clear(self) -> None:
        """Forget everything."""
        self._said.clear()
        self._taken = 0


def earlier_run(folder: Path) -> dict[str, Any]:
    """Return what a run folder knows of the W&B run that it was recorded as, {} where it knows none.

    ``rows`` is W&B's number for the next row: one above all that may have been told.
    """
    for at in places(folder):
        found = {} if at.is_symlink() else known(at)
        if isinstance(found.get("id"), str) and ID.fullmatch(found["id"]):
            told = known(at, ROWS)
            rows = told["rows"] if told.get("id") == found["id"] and isinstance(told.get("rows"), int) else 0
            return found | {"rows": rows if told.get("ended") else rows + _lines(folder / METRICS)}
    return {}


def _lines(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n")
    except OSError:
        return 0


def exit_code(error: BaseException | None) -> int:
    """Return W&B's exit code of a run that this ended: 0, 1 of one that failed, 255 of one that was stopped."""
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return 0
    return 1 if isinstance(error, Exception) else 255


def later(place: Path) -> str:
    """Return how an offline recording gets to the server."""
    return f"upload it later: wandb sync {place / 'wandb'}"


def line(error: BaseException) -> str:
    """Return one line of what W&B raised."""
    text = " ".join(str(error).partition("Consider increasing")[0].split())
    return text[:200].rstrip(" .") or type(error).__name__
