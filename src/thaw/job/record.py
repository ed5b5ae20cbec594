"""One run being recorded: its folder, its W&B mirror, its clock.

Of the processes of a distributed run only the first one records; the others read what it wrote. A disk that takes
nothing for a while ends no run: events wait in memory, a training state is tried again when the next one is due, a
checkpoint on the way is gone without. What could not be saved to the end is told by the status of the finished run.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thaw.errors import StorageError
from thaw.job import again
from thaw.job.tell import tell
from thaw.storage import write_text
from thaw.task.example import Example, texts
from thaw.track.command import command
from thaw.track.config import WandbConfig
from thaw.track.cost import Clock, host_gflops
from thaw.track.folder import LINEAGE, LOST, PREDICTIONS, TASKS, UNSAVED, RunFolder, write_lines
from thaw.track.mirror import Mirror
from thaw.track.named import named
from thaw.track.redact import redact
from thaw.track.repository import repository


@dataclass
class Record:
    """What a run writes to while it lasts."""

    folder: RunFolder  # where the run writes
    home: Path  # its folder; another one where it runs beside its finished result (again.py)
    mirror: Mirror | None  # None: not the first process, nothing is written
    clock: Clock
    run_id: str
    resumed: list[dict[str, Any]] = field(default_factory=list)  # where it went on with other settings of speed
    forked: str | None = None  # the run it was forked from
    speed: float | None = None  # of one core by the wall clock when this process began the run, GFLOP/s
    unsaved: str = ""  # why no training state could be saved, as long as none was
    lost: dict[str, str] = field(default_factory=dict)  # what else was asked for and could not be kept, and why
    _has_state: bool = False
    _waiting: list[dict[str, Any]] = field(default_factory=list)  # events that are not on disk yet

    @property
    def leads(self) -> bool:
        """Whether this process is the one that records."""
        return self.mirror is not None

    def begin(self, lineage: Mapping[str, Any], step: int) -> None:
        """Record where the run comes from; drop what an earlier try wrote after ``step`` (0: everything)."""
        if self.mirror is not None:
            before = self.folder.read(LINEAGE) if step else None
            if step:
                self.folder.cut_back(step)
            else:
                self.folder.restart()
            self.mirror.earlier(self.folder.events() if step else [])
            more = {"resumed": self.resumed, "forked_from": self.forked}
            more = {key: value for key, value in more.items() if value}
            self.lineage({**lineage, **more, **_started_by(before or {})})

    def lineage(self, lineage: Mapping[str, Any]) -> None:
        """Record where the run comes from."""
        if self.mirror is not None:
            self.folder.write_lineage(lineage)
            self.mirror.summary({"lineage": lineage})

    def repeat(self) -> None:
        """Tell W&B the events so far: of a run that is only scored now it makes a new one, which then is whole too."""
        if self.mirror is not None:
            for event in self.folder.events():
                self.mirror.log(event)

    def event(self, event: dict[str, Any]) -> None:
        """Record one event."""
        if self.mirror is not None:
            self._waiting.append(event)
            try:
                self.write_events()
            except StorageError as error:
                tell(f"{error}; the run goes on, its events wait in memory", f"events of {self.run_id}")
            self.mirror.log(event)
            if self.mirror.recorded != self.folder.wandb:  # it started, or was lost, meanwhile
                self.folder.note_wandb(self.mirror.recorded)

    def write_events(self) -> None:
        """Write the events that wait for it; StorageError where the disk takes none."""
        while self._waiting:
            self.folder.append(self._waiting[0])
            del self._waiting[0]

    def saved(self) -> None:
        """Note that there is a training state to go on from."""
        self._has_state, self.unsaved = True, ""

    def not_saved(self, error: StorageError) -> None:
        """Tell that a training state could not be saved; the run goes on."""
        if not self._has_state:
            self.unsaved = str(error)
        tell(f"{error}; the run goes on and tries again to save its state", f"state of {self.run_id}")

    def not_kept(self, what: str, error: StorageError) -> None:
        """Tell that something that was asked for could not be kept; the run goes on."""
        self.lost[what] = str(error)
        tell(f"{what} is not kept: {error}; the run goes on")

    def as_it_stands(self) -> None:
        """Begin from what the finished run consists of: it is completed, not trained."""
        again.copy(self.home, self.folder.path)

    def plan(self, text: str) -> None:
        """Record the plan of the strategy as people read it."""
        if self.mirror is not None:
            text = redact(text)
            write_text(self.folder.path / "plan.txt", text + "\n")
            self.mirror.summary({"plan": text})

    def predictions(self, answers: Sequence[Mapping[str, Any]]) -> None:
        """Record the predictions of the test set."""
        if self.mirror is not None:
            self.folder.write_predictions(answers)
            self.mirror.file(self.folder.path / PREDICTIONS)

    def examples(self, split: str, examples: Sequence[Example]) -> None:
        """Record the texts of the test set once for all runs of a study: ``.tasks/<sha256 of the splits>.jsonl.gz``."""
        path = self.home.parent / TASKS / f"{split}.jsonl.gz"
        if self.leads and not path.exists():
            write_lines(path, [texts(one) for one in examples])

    def artifact(
        self, name: str, metadata: dict[str, Any], folder: Path | str, *, type: str = "encoder", used: bool = False
    ) -> None:
        """Record that the run made (or used) the encoder, or model, that lies in ``folder``."""
        if self.mirror is not None:
            self.mirror.artifact(name, type, metadata, [folder], used=used)

    def finish(self, row: dict[str, Any]) -> dict[str, Any]:
        """Record the result, last of all, and say that the run is finished."""
        if self.mirror is None:
            return row
        self.write_events()
        row = self.folder.write_result({"host_gflops": self.speed} | row)
        self.mirror.summary(row)
        self.folder.status("finished", more={UNSAVED: self.unsaved, LOST: self.lost})
        shutil.rmtree(self.folder.training_state, ignore_errors=True)  # nothing is left to resume
        return row


@contextmanager
def record(
    path: Path, config: dict[str, Any], wandb: WandbConfig, *, control: bool = False, leads: bool = True
) -> Iterator[Record]:
    """Own a run folder for the length of the block; a failure is recorded there and in W&B.

    ``control`` says that the run's strategy is a control. A run that was finished before, and is to give something
    more, is recorded beside its result, which stays as it was until the new one is whole (again.py).
    """
    if not leads:
        yield Record(RunFolder(again.place(path)), path, None, Clock(), path.name)
        return
    with RunFolder(path) as home, again.beside(home) as folder:
        resumed = any(folder.training_state.glob("*/state.json"))
        folder.write_config(config)
        folder.status("running")
        called = named(config, control)
        mirror = Mirror(
            wandb, folder.path, run_id=path.name, name=called.name, group=called.group, job_type=called.job_type,
            tags=called.tags, settings=config, resumed=resumed,
        )  # fmt: skip
        rec = Record(folder, home.path, mirror, Clock(), path.name, forked=config.get("forked"))
        try:
            with mirror:
                folder.note_wandb(mirror.recorded)
                rec.speed = host_gflops()  # before the memory of the run is measured, and while it does nothing yet
                yield rec
        finally:
            with suppress(StorageError):
                folder.note_wandb(mirror.recorded)


def _started_by(before: Mapping[str, Any]) -> dict[str, Any]:
    """Return by which command, at which commit of its user's repository, a run is begun or goes on.

    ``before`` is the lineage of what it goes on from: where that was another command or commit, it is kept.
    """
    now = {"command": command(), "repository": repository()}
    was = {key: before.get(key) for key in now}
    earlier = [*before.get("earlier", []), *([was] if was["command"] and was != now else [])]
    return now | ({"earlier": earlier} if earlier else {})
