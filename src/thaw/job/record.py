"""One run being recorded: its folder, its W&B mirror, its clock.

Of the processes of a distributed run only the first one records; the others read what it wrote.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thaw.errors import StorageError
from thaw.storage import write_bytes, write_text
from thaw.task.example import Example, texts
from thaw.track.command import command
from thaw.track.config import WandbConfig
from thaw.track.cost import Clock, host_gflops
from thaw.track.folder import CONFIG, LINEAGE, METRICS, PREDICTIONS, RESULT, TASKS, RunFolder, write_lines
from thaw.track.mirror import Mirror
from thaw.track.named import named
from thaw.track.redact import redact
from thaw.track.repository import repository

STANDING = (CONFIG, LINEAGE, METRICS, PREDICTIONS, RESULT)  # what a finished run is, beside its status


@dataclass
class Record:
    """What a run writes to while it lasts."""

    folder: RunFolder
    mirror: Mirror | None  # None: not the first process, nothing is written
    clock: Clock
    run_id: str
    resumed: list[dict[str, Any]] = field(default_factory=list)  # where it went on with other settings of speed
    forked: str | None = None  # the run it was forked from
    speed: float | None = None  # of one core by the wall clock when this process began the run, GFLOP/s
    stands: bool = False  # a finished result lies there, of which nothing has been removed yet

    @property
    def leads(self) -> bool:
        """Whether this process is the one that records."""
        return self.mirror is not None

    def begin(self, lineage: Mapping[str, Any], step: int) -> None:
        """Record where the run comes from; drop what an earlier try wrote after ``step`` (0: everything)."""
        if self.mirror is not None:
            self.stands = False
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
            self.folder.append(event)
            self.mirror.log(event)
            if self.mirror.recorded != self.folder.wandb:  # it started, or was lost, meanwhile
                self.folder.note_wandb(self.mirror.recorded)

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
        path = self.folder.path.parent / TASKS / f"{split}.jsonl.gz"
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
        row = self.folder.write_result({"host_gflops": self.speed} | row)
        self.mirror.summary(row)
        self.folder.status("finished")
        self.stands = False  # what stands now is this
        shutil.rmtree(self.folder.training_state, ignore_errors=True)  # nothing is left to resume
        return row


@contextlib.contextmanager
def record(path: Path, config: dict[str, Any], wandb: WandbConfig, *, control: bool = False) -> Iterator[Record]:
    """Own a run folder for the length of the block; a failure is recorded there and in W&B.

    ``control`` says that the run's strategy is a control.

    A run that was finished before, and is to give something more, stays finished as it was where that fails before
    `Record.begin` has started it again.
    """
    if int(os.environ.get("LOCAL_RANK", 0)) or int(os.environ.get("NODE_RANK", 0)):
        yield Record(RunFolder(path), None, Clock(), path.name)
        return
    with RunFolder(path) as folder:
        resumed = any(folder.training_state.glob("*/state.json"))
        standing = {name: _content(path / name) for name in STANDING} if folder.state() == "finished" else None
        folder.write_config(config)
        folder.status("running")
        called = named(config, control)
        mirror = Mirror(
            wandb, path, run_id=path.name, name=called.name, group=called.group, job_type=called.job_type,
            tags=called.tags, settings=config, resumed=resumed,
        )  # fmt: skip
        rec = Record(folder, mirror, Clock(), path.name, forked=config.get("forked"), stands=standing is not None)
        try:
            try:
                with mirror:
                    folder.note_wandb(mirror.recorded)
                    rec.speed = host_gflops()  # before the memory of the run is measured, and while it does nothing yet
                    yield rec
            finally:
                with contextlib.suppress(StorageError):
                    folder.note_wandb(mirror.recorded)
        except BaseException:
            if rec.stands and standing is not None:
                with contextlib.suppress(StorageError, OSError):  # the error that ended the run is the one to tell
                    _restore(path, standing)
                    folder.status("finished")
            raise


def _started_by(before: Mapping[str, Any]) -> dict[str, Any]:
    """Return by which command, at which commit of its user's repository, a run is begun or goes on.

    ``before`` is the lineage of what it goes on from: where that was another command or commit, it is kept.
    """
    now = {"command": command(), "repository": repository()}
    was = {key: before.get(key) for key in now}
    earlier = [*before.get("earlier", []), *([was] if was["command"] and was != now else [])]
    return now | ({"earlier": earlier} if earlier else {})


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _restore(path: Path, contents: Mapping[str, bytes | None]) -> None:
    """Make the files of a finished run what they were."""
    for name, content in contents.items():
        if content is None:
            (path / name).unlink(missing_ok=True)
        elif _content(path / name) != content:
            write_bytes(path / name, content)
