"""The run folder: the truth about one run in plain files, written as it happens.

Decisions: one process owns a folder at a time, by a lock that the kernel drops when the process dies; an event is one
line in one write, so that a reader never sees half of one; everything else appears whole or not at all; secrets are
taken out of whatever is written; a run that says it is running but whose process is gone is interrupted.
"""

import contextlib
import datetime
import gzip
import json
import os
import socket
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import yaml

from thaw.errors import DivergedError, StorageError, ThawError
from thaw.process import is_alive, own_start
from thaw.storage import sha256_file, sweep, told, write_bytes, write_text
from thaw.track import bounded
from thaw.track.lock import Lock
from thaw.track.plain import plain
from thaw.track.redact import redact
from thaw.track.row import row

CONFIG, STATUS, METRICS, RESULT = "config.yaml", "status.json", "metrics.jsonl", "result.json"
LINEAGE, PREDICTIONS, CHECKPOINT, STATE = "lineage.json", "predictions.jsonl.gz", "checkpoint", "state"
BEST = "best.safetensors"  # weights of a run with test=false, from which a later test=true scores the test set
SUMMED = (CONFIG, METRICS, RESULT, LINEAGE)  # what a report reads: a finished run's status holds their SHA-256
PLANNED = ".sweep.json"  # beside the runs of a study: what its newest sweep consists of
WANDB = "wandb"  # what W&B writes; its troubles are no reason not to run (mirror.py)
TASKS = ".tasks"  # beside the runs of a study: the texts of their test sets
UNSAVED, LOST = "unsaved", "lost"  # of a status: why no training state could be saved, what else could not, and why

RunState = Literal["absent", "running", "finished", "failed", "interrupted"]
STATES: tuple[RunState, ...] = ("running", "finished", "failed", "interrupted")


class RunFolder:
    """One run's folder. Reading needs nothing; to write, own it: ``with RunFolder(path) as folder: ...``.

    Leaving the block releases the folder. When an exception leaves it, the run is recorded as failed with the error's
    one line (that of a diverged run begins with "DivergedError:"), or as interrupted (KeyboardInterrupt, SystemExit),
    unless `status` already said how it ended.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(os.path.abspath(path))
        self.checkpoint = self.path / CHECKPOINT
        self.training_state = self.path / STATE
        self._lock = Lock(self.path / ".lock")
        self._started: float | None = None
        self._said: str | None = None
        self.wandb = "none"  # what W&B has of the run: online, offline or none

    def open(self) -> Self:
        """Create the folder if needed and own it; StorageError when another process or run does."""
        with told(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            links = [entry.name for entry in os.scandir(self.path) if entry.is_symlink() and entry.name != WANDB]
        if links:
            raise StorageError(f"{self.path / links[0]} is a link, a run writes into its own folder only: remove it")
        self._lock.acquire(self.path)
        try:
            with told(self.path):
                for folder in (self.path, self.training_state, self.path / "checkpoints"):
                    sweep(folder, owned=True)
        except BaseException:
            self._lock.release()
            raise
        self._started, self._said = time.time(), None
        return self

    def close(self) -> None:
        """Release the folder; a run that was left running is interrupted."""
        try:
            if self._said == "running":
                self.status("interrupted")
        finally:
            self._started = None
            self._lock.release()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if error is not None and self._said in (None, "running"):
                with contextlib.suppress(StorageError):  # the error that ended the run is the one to tell
                    self.status("failed" if isinstance(error, Exception) else "interrupted", error)
                    self._said = "told"
        finally:
            with contextlib.suppress(*([StorageError] if error is not None else [])):
                self.close()

    def stands(self) -> None:
        """Leave the status as it is, whatever happens: the folder holds a result that nothing here changes."""
        self._said = "stands"

    # -- writing

    def status(
        self, state: RunState, error: BaseException | str | None = None, more: Mapping[str, Any] | None = None
    ) -> None:
        """Record how the run stands: running, finished, failed or interrupted; an error as one line.

        ``more`` are further fields; of those that are empty nothing is written.
        """
        if state not in STATES:
            raise ValueError(f"unknown state {state!r}, valid: {', '.join(STATES)}")
        self._owned()
        content: dict[str, Any] = {
            "state": state,
            "error": _one_line(error),
            "pid": os.getpid(),
            "host": socket.gethostname() or "host",
            "process": own_start(),
            "started": _utc(self._started or time.time()),
            "updated": _utc(time.time()),
            "wandb": self.wandb,
        }
        content |= {name: value for name, value in (more or {}).items() if value}
        if state == "finished":
            content["sha256"] = self._sums()
        write_text(self.path / STATUS, _json(redact(content)))
        self._said = state

    def note_wandb(self, recorded: str) -> None:
        """Record what W&B has of the run: online, offline or none; how the run stands is left as it is."""
        self._owned()
        self.wandb = recorded
        status = self.read(STATUS)
        if status is not None and status.get("wandb") != recorded:
            write_text(self.path / STATUS, _json(status | {"wandb": recorded}))

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Write the resolved config."""
        self._owned()
        write_text(self.path / CONFIG, yaml.safe_dump(redact(plain(config)), sort_keys=False, allow_unicode=True))

    def append(self, event: Mapping[str, Any]) -> None:
        """Append one event ``{"step", "epoch", "seconds", name: value, ...}`` as one line in one write."""
        self._owned()
        line = json.dumps(plain(event), allow_nan=False, ensure_ascii=False) + "\n"
        with told(self.path / METRICS):
            _append(self.path / METRICS, line.encode("utf-8"))

    def cut_back(self, step: int) -> int:
        """Drop the events beyond ``step`` and a torn last line (before resuming there); return how many lines went."""
        self._owned()
        path = self.path / METRICS
        if not path.exists():
            return 0
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if (event := _event(line)) is not None and event.get("step", 0) <= step]
        if len(kept) < len(lines):
            write_bytes(path, b"".join(kept))
        return len(lines) - len(kept)

    def restart(self) -> None:
        """Remove the events and outcome of an earlier try, before a run that starts from step 0."""
        self._owned()
        with told(self.path):
            for name in (RESULT, PREDICTIONS, LINEAGE, METRICS, BEST):
                (self.path / name).unlink(missing_ok=True)

    def write_result(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Write the result row, last of all files of a run; missing columns are null. Return the row."""
        self._owned()
        result: dict[str, Any] = redact(row(**values))
        write_text(self.path / RESULT, _json(result))
        return result

    def write_lineage(self, lineage: Mapping[str, Any]) -> None:
        """Write what the run came from."""
        self._owned()
        write_text(self.path / LINEAGE, _json(redact(plain(lineage))))

    def write_predictions(self, predictions: Iterable[Mapping[str, Any]]) -> None:
        """Write the test set's predictions, one line an example; the same predictions give the same bytes."""
        self._owned()
        write_lines(self.path / PREDICTIONS, predictions)

    # -- reading

    def state(self) -> RunState:
        """Return how the run stands, ``absent`` where there is none; a dead process does not run.

        Of a process on another machine its own word is taken: the lock tells when one tries to open the folder.
        """
        status = self.read(STATUS) or {}
        return standing(status) if status or self._was_begun() else "absent"

    def read(self, name: str) -> dict[str, Any] | None:
        """Return the content of one of the JSON files, None when it is missing or damaged."""
        try:
            content = json.loads(bounded.content(self.path / name))
        except (OSError, ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) else None

    def result(self) -> dict[str, Any] | None:
        """Return the result row, None before the end."""
        return self.read(RESULT)

    def events(self) -> list[dict[str, Any]]:
        """Return the events so far; a line torn by a crash is left out."""
        try:
            lines = bounded.content(self.path / METRICS).splitlines()
        except (OSError, ValueError):
            return []
        return [event for line in lines if (event := _event(line)) is not None]

    def predictions(self) -> list[dict[str, Any]]:
        """Return the predictions of the test set, empty before they are written; StorageError for damaged ones."""
        path = self.path / PREDICTIONS
        if not path.exists():
            return []
        try:
            return bounded.rows(path)
        except (OSError, ValueError) as error:
            raise StorageError(f"damaged: {path}, delete it and run again") from error

    def _sums(self) -> dict[str, str]:
        """Return the SHA-256 of the files of `SUMMED`, so that a report can tell what was changed after the end."""
        files = [self.path / name for name in SUMMED]
        return {path.name: sha256_file(path) for path in files if path.is_file()}

    def _was_begun(self) -> bool:
        return any((self.path / name).exists() for name in (STATUS, CONFIG, METRICS))

    def _owned(self) -> None:
        if not self._lock.held:
            raise StorageError(f"not owned: {self.path}, open the run folder before writing to it")


def standing(status: Mapping[str, Any]) -> RunState:
    """Return how a run stands that was begun, by the content of its status file."""
    state: RunState | None = status.get("state")
    if state not in STATES:
        return "interrupted"
    if state == "running" and status.get("host") == (socket.gethostname() or "host"):
        return "running" if is_alive(status.get("pid", 0), status.get("process")) else "interrupted"
    return state


def write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Write objects as gzipped JSON lines; the same objects give the same bytes."""
    made = [json.dumps(plain(one), ensure_ascii=False, separators=(",", ":")) + "\n" for one in lines]
    write_bytes(path, gzip.compress("".join(made).encode("utf-8"), mtime=0))


def _append(path: Path, data: bytes) -> None:
    """Append ``data`` whole or not at all: a full disk must not leave half a line that the next one runs into."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        before = os.fstat(descriptor).st_size
        try:
            written = os.write(descriptor, data)
            if written < len(data):
                raise OSError(28, "No space left on device")
        except OSError:
            os.ftruncate(descriptor, before)
            raise
    finally:
        os.close(descriptor)


def _event(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n") and not line.endswith(b"}"):
        return None
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def _json(content: Any) -> str:
    return json.dumps(plain(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _one_line(error: BaseException | str | None) -> str | None:
    if error is None:
        return None
    text = " ".join(str(error).split())
    if isinstance(error, DivergedError) or (isinstance(error, BaseException) and not isinstance(error, ThawError)):
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return text[:1000]


def _utc(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")
