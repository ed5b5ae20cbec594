"""One run being recorded: its folder, its W&B mirror, its clock.

Of the processes of a distributed run only the first one records; the others read what it wrote. A disk that takes
nothing for a while ends no run: events wait in memory, a training state is tried again when the next one is due, a
checkpoint on the way is gone without. What could not be saved to the end is told by the status of the finished run.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
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
    _later: list[Callable[[Mirror], object]] = field(default_factory=list)  # to W&B, of files that move
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
                with suppress(StorageError):  # noted again at the end
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
            self._tell(lambda mirror: mirror.file(self.home / PREDICTIONS))

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
            path = Path(folder)
            own = path.is_relative_to(self.folder.path)
            stays = self.home / path.relative_to(self.folder.path) if own else folder
            self._tell(lambda mirror: mirror.artifact(name, type, metadata, [stays], used=used))

    def _tell(self, call: Callable[[Mirror], object]) -> None:
        """Tell W&B of a file of the run: at once, or where it runs beside its result once it is brought in."""
        if self.mirror is not None and self.home == self.folder.path:
            call(self.mirror)
        else:
            self._later.append(call)

    def brought_in(self) -> None:
        """Tell W&B of the files of a run beside its result: they lie where they stay now."""
        if self.mirror is not None:
            for call in self._later:
                call(self.mirror)

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
    called = named(config, control)
    with RunFolder(path) as home:
        resumed = any(RunFolder(again.place(path)).training_state.glob("*/state.json"))
        mirror = Mirror(
            wandb, home.path, run_id=path.name, name=called.name, group=called.group, job_type=called.job_type,
            tags=called.tags, settings=config, resumed=resumed,
        )  # fmt: skip
        whole = False
        try:
            with _mirrored(home, config, mirror) as rec:
                yield rec
            whole = True
        finally:
            if whole or again.place(path) == path:  # else the result stands as it was, with what W&B has of it
                with suppress(StorageError):
                    home.note_wandb(mirror.recorded)


@contextmanager
def _mirrored(home: RunFolder, config: dict[str, Any], mirror: Mirror) -> Iterator[Record]:
    """Record a run in the folder where it runs and in W&B, which is told of its files once they lie in ``home``."""
    with ExitStack() as recording:
        with again.beside(home) as folder:
            folder.write_config(config)
            folder.status("running")
            recording.enter_context(mirror)
            rec = Record(folder, home.path, mirror, Clock(), home.path.name, forked=config.get("forked"))
            folder.note_wandb(mirror.recorded)
            rec.speed = host_gflops()  # before the memory of the run is measured, and while it does nothing yet
            yield rec
        rec.brought_in()


def _started_by(before: Mapping[str, Any]) -> dict[str, Any]:
    """Return by which command, at which commit of its user's repository, a run is begun or goes on.

    ``before`` is the lineage of what it goes on from: where that was another command or commit, it is kept.
    """
    now = {"command": command(), "repository": repository()}
    was = {key: before.get(key) for key in now}
    earlier = [*before.get("earlier", []), *([was] if was["command"] and was != now else [])]
    return now | ({"earlier": earlier} if earlier else {})
