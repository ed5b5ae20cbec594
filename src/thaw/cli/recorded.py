"""``thaw runs --wandb FOLDER``: record in W&B, from the run folders, the runs that W&B has no record of.

Decisions: such a record is a new W&B run, since the server may have half of an earlier one; what lies in files of
earlier tries, and nowhere else, is removed once the new record is whole. A run stays where its command wished it: one
with ``wandb=disabled`` gets no record, one with ``wandb=offline`` is not sent.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thaw.errors import StorageError, ThawError
from thaw.report.collect import DAMAGED, read
from thaw.report.plan import PLAN
from thaw.report.run import Run, read_run
from thaw.report.words import number
from thaw.track import wandb_variables
from thaw.track.config import WandbConfig
from thaw.track.folder import CHECKPOINT, LINEAGE, PREDICTIONS, RunFolder
from thaw.track.mirror import Mirror
from thaw.track.named import named
from thaw.track.redact import shown
from thaw.track.wandb_files import remove, sent, tries
from thaw.track.wandb_told import earlier_run

CODES = {"finished": 0, "failed": 1}  # what W&B is told of how a run ended
STOPPED = 255


def record(folders: list[str]) -> int:
    """Record what has no record, a line a run; return 1 where a run could not be recorded, else 0.

    A run whose command said ``wandb=disabled`` is left out. ConfigError where WANDB_MODE is no mode.
    """
    wandb_variables.mode()
    found = [run for run in read(*(folders or ["runs"]), events=False).runs if run.wandb == "none"]
    without = [run for run in found if run.config.get("wandb.mode") != "disabled"]
    ended = [run for run in without if run.state != "running"]
    places_of = {"online": 0, "offline": 0}
    for run in ended:
        try:
            how, url = _recorded(run.folder)
            places_of[how] += 1
            print(shown(f"{run.folder} … recorded {how}{f', {url}' if url else ''}"), flush=True)
        except (ThawError, AttributeError, *DAMAGED) as error:  # a folder may change meanwhile
            reason = " ".join(str(error).split()) or type(error).__name__
            print(shown(f"{run.folder} … not recorded: {reason}"), flush=True)
    failed = len(ended) - sum(places_of.values())
    told = [f"{number(sum(places_of.values()), 'run')} recorded"] if ended else ["no run is without a record"]
    told += [f"{failed} not"] if failed else []
    told += [f"{len(without) - len(ended)} still running"] if len(without) > len(ended) else []
    told += [f"{len(found) - len(without)} left out (wandb=disabled)"] if len(found) > len(without) else []
    told += ["upload what is offline: wandb sync RUN/wandb/offline-run-*"] if places_of["offline"] else []
    print("; ".join(told))
    return 1 if failed else 0


def _recorded(folder: Path) -> tuple[str, str | None]:
    """Record one run; return where, online or offline, and its page. StorageError where it can not be recorded."""
    with RunFolder(folder) as owned:
        owned.stands()
        run = read_run(folder)
        if not run.config:
            raise ValueError("it has no config.yaml")
        settings = _nested(run.config)
        names = [field.name for field in dataclasses.fields(WandbConfig)]
        wished = {name: value for name, value in settings.get("wandb", {}).items() if name in names}
        before = earlier_run(folder)
        called = named(settings, run["kind"] == "control")
        mode = "offline" if wished.get("mode") == "offline" else "auto"
        mirror = Mirror(
            WandbConfig(**wished | {"mode": mode}), folder, run_id=str(run["run_id"]), name=called.name,
            group=called.group, job_type=called.job_type, tags=called.tags, settings=settings,
        )  # fmt: skip
        mirror.__enter__()
        if mirror.mode == "disabled":
            raise StorageError("WANDB_MODE=disabled says that nothing is recorded")
        try:
            _tell(mirror, run, owned)
        finally:
            mirror.end(CODES.get(run.state, STOPPED), run.error)
        if mirror.recorded == "none":
            raise StorageError("W&B did not take it, see above")
        earlier = tries(folder, str(run["run_id"]), before.get("id"), mirror.identity)
        remove(one for one in earlier if not sent(one))
        owned.note_wandb(mirror.recorded)
        return mirror.recorded, mirror.url


def _tell(mirror: Mirror, run: Run, owned: RunFolder) -> None:
    """Tell W&B what it would have been told while the run lasted."""
    mirror.summary({"lineage": run.lineage})
    if (owned.path / PLAN).is_file():
        mirror.summary({"plan": (owned.path / PLAN).read_text("utf-8").rstrip("\n")})
    if run.lineage.get("checkpoint"):
        parent = run.config.get("checkpoint")
        about = _json(Path(str(parent)) / LINEAGE) or {"run_id": run.lineage.get("parent_run")}
        name = about.get("run_id") or str(run.lineage["checkpoint"])[:10]
        mirror.artifact(f"encoder-{name}", "encoder", about, [str(parent)] if parent else [], used=True)
    for event in run.events:
        mirror.log(event)
    if (owned.path / PREDICTIONS).is_file():
        mirror.file(owned.path / PREDICTIONS)
    if (owned.path / CHECKPOINT).is_dir():
        what = "encoder" if run["kind"] == "pretrain" else "model"
        about = _json(owned.path / CHECKPOINT / LINEAGE)
        mirror.artifact(f"{what}-{run['run_id']}", what, about, [owned.path / CHECKPOINT])
    if result := owned.result():
        mirror.summary(result)


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by dotted key as nested ones."""
    found: dict[str, Any] = {}
    for key, value in flat.items():
        *above, last = key.split(".")
        inner = found
        for part in above:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return found
