"""A W&B run begun as a run folder wants it: quiet, in the folder, without what may hold secrets."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from thaw.track import reach
from thaw.track.redact import redact

STEP = "trainer/step"  # the default x axis; seconds and tokens stand beside it in every row
AXES = ("seconds", "cpu_seconds", "tokens", "flops")
INIT_SECONDS, FINISH_SECONDS = 4.0, 5.0  # how long W&B may wait for its server
LONG_SECONDS = 3600.0  # where no server is waited for: the mirror's own limits count
NAME_CHARACTERS, TAG_CHARACTERS = 128, 64  # limits of the W&B server

SETTINGS: dict[str, Any] = {
    "silent": True,
    "console": "off",
    "symlink": False,  # latest-run makes a recursive search count a run twice
    "disable_git": True,  # a remote may hold a password
    "disable_code": True,
    "disable_job_creation": True,
    "x_disable_meta": True,  # the command line
    "x_disable_machine_info": True,
    "x_save_requirements": False,
    "x_stats_sampling_interval": 60.0,
    "x_stats_coreweave_metadata_base_url": "http://127.0.0.1:9",  # its default is asked over the network
    "x_transaction_log_flush_interval": 3.0,  # seconds a killed run may lose; 15 by default
    "x_service_wait": 5.0,
    "init_timeout": INIT_SECONDS,
    "finish_timeout": FINISH_SECONDS,
    "finish_timeout_raises": True,
}


@dataclass(frozen=True, kw_only=True)
class WandbRun:
    """What W&B is told of a run at its start."""

    identity: str
    project: str
    entity: str | None
    name: str
    group: str | None
    job_type: str | None
    tags: Sequence[str]
    notes: str | None
    settings: dict[str, Any]
    commit: str | None = None  # of the repository that the run is started in
    uploads: bool = False  # files of checkpoints are sent, which takes as long as it takes

    def begin(self, folder: Path, mode: Literal["online", "offline"], resumed: bool) -> Any:
        """Begin it in W&B and return W&B's own object."""
        import wandb

        own: dict[str, Any] = {"git_commit": self.commit} if self.commit else {}
        if mode == "online":
            own |= {"base_url": reach.server()} | ({"finish_timeout": LONG_SECONDS} if self.uploads else {})
        else:
            own |= {"init_timeout": LONG_SECONDS, "finish_timeout": LONG_SECONDS}
        run = wandb.init(
            project=self.project,
            entity=self.entity,
            id=self.identity,
            name=redact(self.name)[:NAME_CHARACTERS],
            group=redact(self.group)[:NAME_CHARACTERS] if self.group else None,
            job_type=redact(self.job_type)[:TAG_CHARACTERS] if self.job_type else None,
            tags=list(dict.fromkeys(redact(str(tag))[:TAG_CHARACTERS] for tag in self.tags if tag)),
            notes=redact(self.notes) if self.notes else None,
            config=self.settings,
            dir=str(folder),
            mode=mode,
            resume="allow" if resumed and mode == "online" else None,
            reinit="finish_previous",
            settings=wandb.Settings(**(SETTINGS | own)),
        )
        run.define_metric(STEP)
        for axis in AXES:
            run.define_metric(axis)
        run.define_metric("*", step_metric=STEP)
        return run

    def known(self, run: Any, mode: str, url: str | None) -> dict[str, Any]:
        """Return what the run folder keeps of it: its id, place and page, as W&B has them."""
        entity = run.entity if mode == "online" else self.entity
        known = {"id": run.id, "mode": mode, "url": url, "group": run.group or None}
        return known | {"entity": entity, "project": run.project or self.project}


def artifact(
    run: Any, name: str, type: str, content: dict[str, Any], uris: Sequence[str], used: bool, files: Path | None = None
) -> None:
    """Record an artifact by its lineage and references; ``content`` is also its one file.

    With ``files``, a checkpoint folder, the files in it are the artifact's instead; they are sent from where they lie.
    """
    import wandb

    made = wandb.Artifact(artifact_name(name), type=type, metadata=content)
    if files is not None:
        made.add_dir(str(files), policy="immutable")
    else:
        with made.new_file("lineage.json") as file:
            json.dump(content, file, indent=2, sort_keys=True)
    for uri in uris:
        made.add_reference(uri, name=uri.rstrip("/").rsplit("/", 1)[-1], checksum=False)
    # What log_artifact and use_artifact call at last. Online they first ask the server, up to 24 s when it is
    # gone; offline use_artifact raises (wandb 0.31.0, 2026-11).
    run._interface.publish_artifact(
        run, made, ["latest"], [], finalize=True, is_user_created=used, use_after_commit=used
    )


def artifact_name(name: str) -> str:
    """Return a name that W&B takes for an artifact."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)[:128]


def uri(place: str) -> str:
    """Return a reference to a URL or a path, without its secrets."""
    return str(redact(place)) if "://" in place else Path(redact(os.path.abspath(place))).as_uri()


def exists(place: str) -> bool:
    """Return whether a path exists; a URL is taken to."""
    return "://" in place or os.path.exists(place)


def size(folder: Path) -> int:
    """Return the bytes of the files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
