"""The looks of a study whose seeds were added until it was settled: ``looks.json`` beside its runs, and what it costs.

``thaw study NAME --until-settled`` writes the file. The report of those runs is judged at the level of the look that
has as many seeds (sequential.py), so the words of the page are those at which the study stopped.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from thaw.errors import ConfigError, StorageError
from thaw.report.claims.rule import Rule
from thaw.report.claims.sequential import Look, look_level
from thaw.report.collect import Run
from thaw.storage import write_text
from thaw.track import bounded

LOOKS = "looks.json"


@dataclass(frozen=True, kw_only=True)
class Looks:
    """What a study was looked at for, and when: the rule, the most seeds, each look with its words."""

    rule: str  # digest of the rule, the numbers of the plan in it
    planned: int
    level: float  # of the rule, which all looks together keep
    looks: tuple[Look, ...] = ()
    words: tuple[Mapping[str, str], ...] = ()  # of each look, by claim; a look that was not judged yet has none
    settled: bool = False  # whether the last look ended the study: no claim that can be judged at all was open

    def at(self, seeds: int) -> float:
        """Return the level at which so many seeds are judged; beyond the plan that of the last look."""
        for look in self.looks:
            if look.seeds == seeds:
                return look.level
        if seeds > self.planned and self.looks:
            return self.looks[-1].level
        return look_level([look for look in self.looks if look.seeds < seeds], seeds, self.planned, self.level)

    def looked(self, seeds: int) -> "Looks":
        """Return the record with a look at so many seeds; one that stands there stays."""
        if any(look.seeds == seeds for look in self.looks):
            return self
        return replace(self, looks=(*self.looks, Look(seeds=seeds, level=self.at(seeds))), settled=False)

    def said(self, words: Mapping[str, str], settled: bool) -> "Looks":
        """Return the record with the words of its last look, and whether they end the study."""
        return replace(self, words=(*self.words[: len(self.looks) - 1], dict(words)), settled=settled)


def begin(rule: Rule) -> Looks:
    """Return the record of a study that was not looked at yet."""
    return Looks(rule=digest(rule), planned=rule.seeds, level=rule.level)


def digest(rule: Rule) -> str:
    """Return a digest of what a rule says that is no default: what was paid for holds for this rule alone."""
    default = asdict(Rule())
    own = {name: value for name, value in asdict(rule).items() if value != default[name]}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:16]


def read(folder: Path) -> Looks | None:
    """Return the record of a folder of runs, None where there is none; StorageError where it can not be read."""
    path = folder / LOOKS
    try:
        text = bounded.content(path).decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise StorageError(f"{path} can not be read: {' '.join(str(error).split())[:200]}") from error
    try:
        return _parsed(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise StorageError(f"{path} is damaged, restore it: without it the looks would count as none") from error


def write(folder: Path, record: Looks) -> None:
    """Write the record of a folder of runs."""
    lines = [
        {"seeds": look.seeds, "level": look.level, "words": dict(words) if words is not None else None}
        for look, words in zip(
            record.looks, [*record.words, *[None] * (len(record.looks) - len(record.words))], strict=True
        )
    ]
    content = {"format": 1, "rule": record.rule, "planned": record.planned, "level": record.level}
    content |= {"settled": record.settled, "looks": lines}
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / LOOKS, json.dumps(content, indent=1) + "\n")


def of(runs: Iterable[Run]) -> Looks | None:
    """Return the record that lies beside scored runs; of several the one with most looks. None where there is none."""
    folders = dict.fromkeys(run.folder.parent for run in runs if _scored(run))
    records = [record for folder in folders if (record := read(folder)) is not None]
    return max(records, key=lambda record: len(record.looks), default=None)


def seeds_of(runs: Iterable[Run]) -> list[int]:
    """Return the seeds of the runs that have a score or diverged, lowest first: one not done is no evidence."""
    ended = [run for run in runs if _scored(run) and (run.state == "finished" or run.diverged)]
    return sorted({run["seed"] for run in ended if isinstance(run["seed"], int)})


def paid(rule: Rule, runs: Iterable[Run]) -> Rule:
    """Return the rule at the level that the looks at these runs leave for their seeds; unchanged without a record."""
    scored = [run for run in runs if _scored(run)]
    record = of(scored)
    if record is None or not record.looks:
        return rule
    return replace(rule, level=max(rule.level, record.at(len(seeds_of(scored)))))


def checked(record: Looks, rule: Rule) -> Looks:
    """Return the record if it is of this rule; ConfigError where the rule was changed between looks."""
    if record.rule == digest(rule):
        return record
    raise ConfigError(
        f"the looks so far were paid for under another rule (at most {record.planned} seeds, level {record.level:g}): "
        f"give verdict.* as then, or another name=… for a study with this rule"
    )


def _scored(run: Run) -> bool:
    return run.transfers and run.config.get("test") is not False


def _parsed(content: Any) -> Looks:
    lines = content["looks"]
    looks = tuple(Look(seeds=int(line["seeds"]), level=float(line["level"])) for line in lines)
    words = tuple({str(key): str(word) for key, word in line["words"].items()} for line in lines if line["words"])
    numbers = [look.seeds for look in looks]
    if numbers != sorted(set(numbers)) or not all(0 < look.level < 1 for look in looks) or len(words) > len(looks):
        raise ValueError("looks out of order")
    return Looks(
        rule=str(content["rule"]),
        planned=int(content["planned"]),
        level=float(content["level"]),
        looks=looks,
        words=words,
        settled=content.get("settled") is True,
    )
