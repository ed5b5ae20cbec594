"""Where a run is recorded. No torch, no wandb here."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from thaw.errors import ConfigError
from thaw.fields import free
from thaw.track import wandb_variables
from thaw.track.redact import redact

_FORBIDDEN = "/\\#?%:"
_VARIABLES = {"project": "WANDB_PROJECT", "entity": "WANDB_ENTITY", "group": "WANDB_RUN_GROUP", "notes": "WANDB_NOTES"}


@dataclass(kw_only=True)
class WandbConfig:
    """The W&B mirror of the run folder. Where a key has its default, W&B's own variable of that name counts."""

    mode: str = free("auto", choices=["auto", "online", "offline", "disabled"])  # auto: online if there is a key
    project: str = free("thaw")
    entity: str | None = free(None)
    tags: list[str] = free([])
    notes: str | None = free(None)  # a text beside the run
    group: str | None = free(None)  # default: study, task, strategy and size; of a pretraining the study
    log_model: bool = free(False)  # send the files of a kept checkpoint too, not only what it came from

    def __post_init__(self) -> None:
        for name in ("project", "entity", "group"):
            _check(f"wandb.{name}", getattr(self, name))

    def settled(self) -> "WandbConfig":
        """Return what W&B's own variables make of it; ConfigError where one of them is no name or mode."""
        if self.mode == "auto":
            wandb_variables.mode()
        default = {field.name: field.default for field in dataclasses.fields(self)}
        changed: dict[str, Any] = {"tags": self.tags or wandb_variables.tags()}
        for name, variable in _VARIABLES.items():
            value = wandb_variables.text(variable)
            if value is not None and getattr(self, name) == default[name]:
                _check(variable, value)
                changed[name] = value
        return dataclasses.replace(self, **changed)


def _check(name: str, value: str | None) -> None:
    """Raise ConfigError for what W&B would show though it holds a secret, and for what is no name of a project."""
    if redact(value) != value and not name.endswith("NOTES"):
        raise ConfigError(f"{name} holds a secret, which W&B would show: give another")
    project = value if name in ("wandb.project", "WANDB_PROJECT") and isinstance(value, str) else ""
    if len(project) > 128 or set(project) & set(_FORBIDDEN):
        raise ConfigError(f"bad name: {name}={value}, at most 128 characters, none of {_FORBIDDEN}")
