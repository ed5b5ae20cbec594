"""The runs of a command: every combination once, with its folder and its result so far, and a few words for each.

Decision: all combinations are checked and named before the first one starts; only those not finished are launched, so
the same command again skips, resumes and retries, with every launcher. They run in the order of `thaw.cli.order`, and
``--only N`` counts in it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thaw import config as schema
from thaw.cli.order import place
from thaw.errors import ConfigError, ThawError
from thaw.job.finished import diverged, finished
from thaw.track.redact import shown


@dataclass(frozen=True)
class Job:
    """One run of a sweep, named."""

    number: int
    overrides: list[str]
    config: Any
    folder: Path
    row: dict[str, Any] | None  # the result, if it is finished
    diverged: str | None = None  # the error of an earlier try that diverged: only --retry tries it again

    @property
    def pending(self) -> bool:
        """Whether the command has to run it."""
        return self.row is None and self.diverged is None


def named(command: str, combinations: list[tuple[list[str], Any]], retry: bool = False) -> list[Job]:
    """Return the runs in the order in which they go, with their folders and results so far.

    With ``retry`` those that diverged are to be run.

    Combinations that are one run are run once where the value they differ in counts for other combinations (a control
    serves all learning rates of a sweep); a value that never counts is refused.
    """
    from thaw.run import run_folder  # takes seconds: not before the options were read

    combinations = sorted(combinations, key=lambda one: place(one[1]))
    folders: list[Path] = []
    for overrides, config in combinations:
        try:
            folders.append(Path(run_folder(config)))
        except ThawError as error:
            where = f" (in {' '.join(overrides)})" if len(combinations) > 1 else ""
            raise type(error)(f"{error}{where}") from error
    counts = _keys_that_count([overrides for overrides, _ in combinations], folders)
    jobs: dict[Path, Job] = {}
    for (overrides, config), folder in zip(combinations, folders, strict=True):
        if folder not in jobs:
            row = finished(folder, config)
            jobs[folder] = Job(
                len(jobs) + 1, overrides, config, folder, row, None if row or retry else diverged(folder)
            )
            continue
        pairs = zip(jobs[folder].overrides, overrides, strict=True)
        differ = [(i, f"{one} and {other}") for i, (one, other) in enumerate(pairs) if one != other]
        idle = [words for i, words in differ if i not in counts] or ([] if differ else ["one combination twice"])
        if idle:
            what = f"{', '.join(idle)} give {folder}"
            raise ConfigError(f"the same run twice: {what}, sweep only what changes the result")
    return list(jobs.values())


def _keys_that_count(lists: list[list[str]], folders: list[Path]) -> set[int]:
    """Return the positions of overrides that alone, the others being equal, lead to different runs somewhere."""
    counts = set()
    for position in range(len(lists[0])):
        runs: dict[tuple[str, ...], set[Path]] = {}
        for overrides, folder in zip(lists, folders, strict=True):
            runs.setdefault((*overrides[:position], *overrides[position + 1 :]), set()).add(folder)
        if any(len(found) > 1 for found in runs.values()):
            counts.add(position)
    return counts


def title(config: Any) -> str:
    """Return what a run is, in a few words."""
    if isinstance(config, schema.TransferConfig):
        text = f"{config.task.name} {config.strategy.name} n={config.data.train_size} seed={config.seed}"
    elif isinstance(config, schema.PretrainConfig):
        text = f"{config.corpus.name} {config.encoder.name} {config.budget} seed={config.seed}"
    else:
        text = f"{config.corpus.name} {config.tokenizer.name} {config.tokenizer.vocab_size}"
    return shown(text)


def more(job: Job, common: set[str]) -> str:
    """Return the swept words that the title does not tell."""
    told = ("task=", "strategy=", "data.train_size=", "seed=", "corpus=", "encoder=", "budget=", "tokenizer=")
    return "".join(f" {word}" for word in job.overrides if word not in common and not word.startswith(told))
