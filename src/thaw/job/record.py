"""One run being recorded: its folder, its W&B mirror, its clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thaw.track.config import WandbConfig
from thaw.track.cost import Clock
from thaw.track.folder import RunFolder
from thaw.track.mirror import Mirror


@dataclass
class Record:
    """What a run writes to while it lasts."""

    folder: RunFolder
    mirror: Mirror
    clock: Clock
    run_id: str

    def event(self, event: dict[str, Any]) -> None:
        """Record one event."""
        self.folder.append(event)
        self.mirror.log(event)

    def finish(self, row: dict[str, Any]) -> dict[str, Any]:
        """Record the result, last of all, and say that the run is finished."""
        row = self.folder.write_result(row)
        self.mirror.summary(row)
        self.folder.status("finished")
        return row


@contextmanager
def record(
    path: Path, config: dict[str, Any], wandb: WandbConfig, *, name: str, group: str, job_type: str, tags: list[str]
) -> Iterator[Record]:
    """Own a run folder for the length of the block; a failure is recorded there and in W&B."""
    with RunFolder(path) as folder:
        resumed = (folder.training_state / "state.json").exists()
        folder.write_config(config)
        folder.status("running")
        mirror = Mirror(
            wandb,
            path,
            run_id=path.name,
            name=name,
            group=group,
            job_type=job_type,
            tags=tags,
            settings=config,
            resumed=resumed,
        )
        with mirror:
            yield Record(folder, mirror, Clock(), path.name)
