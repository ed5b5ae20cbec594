"""Where a run is recorded. No torch, no wandb here."""

from dataclasses import dataclass

from thaw.errors import ConfigError
from thaw.fields import free
from thaw.track.redact import redact

_FORBIDDEN = "/\\#?%:"


@dataclass(kw_only=True)
class WandbConfig:
    """The W&B mirror of the run folder."""

    mode: str = free("auto", choices=["auto", "online", "offline", "disabled"])  # auto: online if there is a key
    project: str = free("thaw")
    entity: str | None = free(None)
    tags: list[str] = free([])

    def __post_init__(self) -> None:
        for name in ("project", "entity"):
            if redact(getattr(self, name)) != getattr(self, name):
                raise ConfigError(f"wandb.{name} holds a secret, which W&B would show: give another")
        if isinstance(self.project, str) and (len(self.project) > 128 or set(self.project) & set(_FORBIDDEN)):
            raise ConfigError(f"bad name: wandb.project={self.project}, at most 128 characters, none of {_FORBIDDEN}")
