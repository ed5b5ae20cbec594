"""W&B gets a copy of the run folder. Nothing here can stop a run, and no outage makes it wait more than 15 seconds.

Decisions: W&B is imported only when it is used; whatever it raises is told in one line and the run goes on; its files
lie in the run folder; it sees neither the console nor the environment's secrets nor git's remotes, and the command line
without its secrets; the process is left as it was found (environment, ``sys.exit``, excepthook, ``wandb.run``), so that
the next job of a sweep is its own W&B run.

A resumed run is one W&B run. What the server has of it stays there, and the new part goes on beyond it; what only lies
in files is recorded again, whole, and replaced: ``wandb sync`` puts the rows of two files one after the other, whatever
their numbers (wandb 0.31.0, 2026-11).
"""

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from thaw.track import reach, repository, wandb_variables
from thaw.track.config import WandbConfig
from thaw.track.plain import plain
from thaw.track.redact import redact
from thaw.track.wandb_files import FETCHED as FETCHED
from thaw.track.wandb_files import IDENTITY as IDENTITY
from thaw.track.wandb_recording import CALL_SECONDS, Recording
from thaw.track.wandb_run import SETTINGS as SETTINGS
from thaw.track.wandb_run import STEP as STEP
from thaw.track.wandb_run import WandbRun, artifact, exists, size, uri
from thaw.track.wandb_told import earlier_run, exit_code, line

UPLOAD_SPEED, READ_SPEED = 1e6, 5e7  # bytes a second of a checkpoint's files that are sent, and that are read


class Mirror:
    """The W&B run of one run folder, a context manager: an exception that leaves it marks the run failed.

    ``mode`` is what became of the wished mode after entering.
    """

    def __init__(
        self,
        config: WandbConfig,
        folder: Path | str,
        *,
        run_id: str,
        name: str,
        group: str | None = None,
        job_type: str | None = None,
        tags: Iterable[str] = (),
        settings: Mapping[str, Any] | None = None,
        resumed: bool = False,
    ) -> None:
        self.mode, off = config.mode, config.mode == "disabled"
        self.config = config if off else config.settled()
        self.folder = Path(os.path.abspath(folder))
        before = earlier_run(self.folder) if resumed else {}
        # New for each try: the run id alone names the same run in two studies, and W&B refuses that of a deleted run.
        identity = wandb_variables.agent_run() or before.get("id") or f"{run_id}-{os.urandom(3).hex()}"
        self._before = before if before.get("id") == identity else {}  # what is known of the same W&B run
        commit = None if off else repository.repository()
        self._about = WandbRun(
            identity=identity, project=self._before.get("project") or self.config.project,
            entity=self._before.get("entity") or self.config.entity,
            name=wandb_variables.text("WANDB_NAME") or name, group=self.config.group or group,
            job_type=wandb_variables.text("WANDB_JOB_TYPE") or job_type,
            tags=[*self.config.tags, *tags], notes=self.config.notes, settings=redact(plain(settings or {})),
            commit=commit["commit"] if commit else None, uploads=self.config.log_model,
        )  # fmt: skip
        self._recording: Recording | None = None
        self.recorded = "none"  # or online, or offline: what W&B has so far; after the end, what it has whole
        self.url: str | None = None  # the page of an online run

    @property
    def identity(self) -> str:
        """The id of the W&B run."""
        return self._about.identity

    def __enter__(self) -> Self:
        begun = time.monotonic()
        mode, reason = reach.decide(self.config.mode)
        self.mode = mode
        if mode == "disabled":
            return self
        recording = Recording(self.folder, self._about, self._before)
        recording.patience.spend(time.monotonic() - begun)
        if reason is not None:
            recording.tell(f"{reason}; recording offline")
        if names := wandb_variables.hidden():
            recording.tell(f"{', '.join(names)} not followed: each run has a W&B id of its own, see wandb/{IDENTITY}")
        self.mode = recording.start("online" if mode == "online" else "offline")
        self._recording = recording
        self._look()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.end(exit_code(error), line(error) if isinstance(error, Exception) else None)

    def end(self, code: int, error: str | None = None) -> None:
        """End the record with an exit code: 0, 1 of a run that failed, 255 of one that was stopped."""
        if self._recording is None:
            return
        if error is not None:
            self.summary({"error": error})
        self._recording.end(code)
        self._look()
        self._recording = None

    def log(self, event: Mapping[str, Any]) -> None:
        """Copy one event of ``metrics.jsonl``: step, seconds, tokens and metrics."""
        if self._recording is not None:
            self._recording.say(self._recording.told.row(_row(event)))
            self._look()

    def earlier(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Copy the events from before the run was resumed, before any other; those the server has stay as they are."""
        if self._recording is not None:
            self._recording.earlier(_row(event) for event in events)

    def summary(self, row: Mapping[str, Any]) -> None:
        """Copy the result row."""
        if self._recording is not None:
            values = {key: value for key, value in redact(plain(row)).items() if value is not None}
            self._recording.say(lambda run: run.summary.update(values))

    def file(self, path: Path) -> None:
        """Copy a file of the run folder, as it is now."""
        if self._recording is not None:
            self._recording.say(lambda run: run.save(str(path), base_path=str(self.folder), policy="end"))

    def artifact(
        self,
        name: str,
        type: str,
        metadata: Mapping[str, Any] | None = None,
        references: Iterable[Path | str] = (),
        *,
        used: bool = False,
    ) -> None:
        """Record an output of the run (an input, with ``used``) by its lineage and references, without its bytes.

        References are URLs and paths; a path that does not exist is left out. The metadata are also the artifact's one
        file, so that its version is given by content. With ``wandb.log_model`` the files of an output are sent too.
        """
        recording = self._recording
        if recording is None:
            return
        content, found = redact(plain(metadata or {})), [str(one) for one in references if exists(str(one))]
        files = next((Path(one) for one in found if self.config.log_model and not used and os.path.isdir(one)), None)
        length = size(files) if files else 0
        seconds = length / (UPLOAD_SPEED if self.mode == "online" else READ_SPEED)  # asked for: it may take them
        recording.patience.left, recording.last = recording.patience.left + seconds, recording.last + seconds

        def attempt(run: Any) -> None:
            try:
                artifact(run, name, type, content, [uri(one) for one in found], used, files)
            except OSError:  # the connection is gone
                raise
            except Exception as error:
                recording.tell(f"the artifact {name} is not recorded ({line(error)})")

        recording.say(attempt, CALL_SECONDS + length / READ_SPEED)

    def _look(self) -> None:
        """Note how the recording stands."""
        if self._recording is not None:
            self.recorded, self.url = self._recording.whole, self._recording.url


def _row(event: Mapping[str, Any]) -> dict[str, Any]:
    return {STEP if key == "step" else key: value for key, value in plain(event).items() if value is not None}
