"""The stages of a study as commands, and the runs of one before it is started."""

import contextlib
import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from thaw import config as schema
from thaw.cli import words
from thaw.cli.jobs import Job, named
from thaw.errors import ConfigError, ThawError, nearest
from thaw.track.plain import printable

NO_ID = "(no id yet)"  # in place of the folder's name of a run whose id waits for an earlier stage


@dataclass(frozen=True)
class Stage:
    """One command of a study."""

    number: int
    command: str
    words: list[str]  # as the study has them
    more: list[str]  # overrides of the command line that this command knows

    @property
    def argv(self) -> list[str]:
        """The words of the command."""
        return [*self.words, *self.more]

    def headline(self, count: int) -> str:
        """Return the line above what a stage prints; ``count`` stages with the report."""
        return f"\n== {self.number}/{count}  {self.command} {printable(' '.join(self.words))}"

    def seeded(self, seeds: Sequence[int]) -> "Stage":
        """Return the stage as a sweep over these seeds."""
        sweeps = [] if {"-m", "--multirun"} & set(self.words) else ["-m"]
        return replace(self, words=[*self.words, *sweeps], more=[*self.more, f"seed={','.join(map(str, seeds))}"])


def configs(stage: Stage) -> list[tuple[list[str], Any]]:
    """Return the overrides and the typed config of each run of a stage; a wrong one raises ConfigError."""
    from thaw.cli.compose import composer

    parsed = words.parse(stage.argv)
    with composer(stage.command, parsed) as compose:
        return [(combination.overrides, combination.config) for combination in compose.combinations()]


def scored(stage: Stage, known: Iterable[tuple[list[str], Any]]) -> bool:
    """Whether a stage's runs score the test set: those are what the verdicts are about."""
    runs = [config for _, config in known]
    return stage.command == "transfer" and any(config.test for config in runs)


def jobs(stage: Stage, combinations: list[tuple[list[str], Any]], waits: bool) -> tuple[list[Job], str]:
    """Return the runs of a stage and why some have no id yet ("" where all have one).

    ``waits`` says that earlier stages have runs to do: then a run whose checkpoint or rate is not there yet has no id,
    which is a hash of their content. Without such stages the same is the user's error, and raised.
    """
    retry = "--retry" in stage.more
    try:
        return named(stage.command, combinations, retry), ""
    except ThawError as error:
        if not waits or not any(word in str(error) for word in ("checkpoint", "tuned")):
            raise
        reason = str(error).partition(" (in ")[0]
    by_folder: dict[Path, Job] = {}
    unnamed: list[Job] = []
    for overrides, config in combinations:
        number = len(by_folder) + len(unnamed) + 1
        with contextlib.suppress(ThawError):
            job = replace(named(stage.command, [(overrides, config)], retry)[0], number=number)
            by_folder.setdefault(job.folder, job)
            continue
        unnamed.append(Job(number, overrides, config, Path(config.runs) / config.name / NO_ID, None))
    return sorted([*by_folder.values(), *unnamed], key=lambda job: job.number), reason


def knowing(word: str, used: set[str]) -> set[str]:
    """Return the commands of a study that know the key of an override; ConfigError where none does."""
    root = word.lstrip("+~").partition("=")[0].partition(".")[0].partition("@")[0]
    if root in ("hydra", "hydra/launcher"):
        return used
    known = {command: {field.name for field in dataclasses.fields(schema.TOP[command])} for command in used}
    knowing_it = {command for command, names in known.items() if root in names}
    if not knowing_it or "=" not in word:
        names = set().union(*known.values())
        raise ConfigError(f"no stage knows {word}{nearest(root, names)}, give key=value as to thaw transfer")
    return knowing_it
