"""A place of runs in W&B, as the command line spells it: ``wandb:ENTITY/PROJECT`` or ``wandb:ENTITY/PROJECT/STUDY``."""

import re
from dataclasses import dataclass
from typing import Any

from thaw.errors import ConfigError

PREFIX = "wandb:"
FORM = f"{PREFIX}ENTITY/PROJECT or {PREFIX}ENTITY/PROJECT/STUDY"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A project, or one study in it (the ``name`` of its runs; any W&B group of runs will do)."""

    entity: str
    project: str
    study: str | None = None

    def __str__(self) -> str:
        """Return the place as the command line spells it."""
        return PREFIX + "/".join(part for part in (self.entity, self.project, self.study) if part)

    @property
    def filters(self) -> dict[str, Any]:
        """What to ask W&B for: a run's group is its study, for transfer runs with the cell after a slash."""
        if self.study is None:
            return {}
        return {"$or": [{"group": self.study}, {"group": {"$regex": f"^{re.escape(self.study)}/"}}]}


def is_place(text: object) -> bool:
    """Return whether a text names a place in W&B and no folder."""
    return str(text).startswith(PREFIX)


def place(text: str) -> Place:
    """Return the place that a text names; ConfigError where it is not of that form."""
    parts = str(text).removeprefix(PREFIX).rstrip("/").split("/", 2)
    if len(parts) < 2 or not all(part.strip(" .") for part in parts):
        raise ConfigError(f"not a place in W&B: {text}, spell it {FORM}")
    return Place(entity=parts[0], project=parts[1], study=parts[2] if len(parts) > 2 else None)
