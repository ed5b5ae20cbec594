"""Where in W&B a study is: the entity and project of its runs."""

from dataclasses import dataclass

from thaw.errors import ConfigError
from thaw.report.collect import Study


@dataclass(frozen=True, kw_only=True)
class Target:
    """A project; the entity is None where no run names one: then it is that of the API key."""

    entity: str | None
    project: str

    def __str__(self) -> str:
        """Return ``ENTITY/PROJECT``."""
        return f"{self.entity}/{self.project}" if self.entity else self.project


def target(study: Study, given: str | None = None) -> Target:
    """Return the project ``given`` as ENTITY/PROJECT, else that of all runs; ConfigError where they have several."""
    if given:
        entity, _, project = given.rpartition("/")
        if not project or "/" in entity:
            raise ConfigError(f"bad value: --wandb-project={given}, spell it ENTITY/PROJECT")
        return Target(entity=entity or None, project=project)
    named = {
        (
            run.mirror.get("entity") or run.config.get("wandb.entity"),
            run.mirror.get("project") or run.config.get("wandb.project"),
        )
        for run in study.runs
    }
    projects = {str(project) for _, project in named if project}
    entities = {str(entity) for entity, project in named if entity and project}
    if len(projects) > 1 or len(entities) > 1:
        shown = ", ".join(
            sorted(f"{entity}/{project}" if entity else str(project) for entity, project in named if project)
        )
        raise ConfigError(
            f"runs of several W&B projects ({shown}), name the one to save to: --wandb-project ENTITY/PROJECT"
        )
    if not projects:
        raise ConfigError("no run names a W&B project, name one: --wandb-project ENTITY/PROJECT")
    return Target(entity=next(iter(entities), None), project=projects.pop())
