"""What W&B calls a run, from its settings alone, so that a run is called the same while it lasts and afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Named:
    """Name, group, job type and tags of a run in W&B."""

    name: str
    group: str
    job_type: str
    tags: list[str]


def named(settings: Mapping[str, Any], control: bool = False) -> Named:
    """Return what a run of these nested settings is called; ``control`` says that its strategy is one."""
    study, seed = settings.get("name"), settings.get("seed")
    if "task" not in settings:
        encoder, objective = _name(settings, "encoder"), _name(settings, "objective")
        return Named(
            name=f"{encoder}-{objective}-s{seed}", group=str(study), job_type="pretrain", tags=["pretrain", encoder]
        )
    task, strategy, size = _name(settings, "task"), _name(settings, "strategy"), _part(settings, "data", "train_size")
    return Named(
        name=f"{task}-{strategy}-n{size}-s{seed}",
        group=f"{study}/{task}-{strategy}-n{size}",
        job_type="control" if control else "transfer",
        tags=[task, strategy, *(["control"] if control else [])],
    )


def _name(settings: Mapping[str, Any], part: str) -> str:
    return str(_part(settings, part, "name"))


def _part(settings: Mapping[str, Any], part: str, key: str) -> Any:
    found = settings.get(part)
    return found.get(key) if isinstance(found, Mapping) else None
