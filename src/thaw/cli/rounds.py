"""``thaw study NAME --until-settled``: seeds are added until every claim is settled or the plan is at its end.

The stages that score the test set run with the seeds so far, three at first, one more each round; pretrainings and
tuning are done once. After a round the page's own verdicts are read at the level of that look (sequential.py), and the
look is recorded in ``looks.json`` beside the runs. Finished runs are skipped, so a round that was killed goes on.
"""

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from thaw.cli import sweep
from thaw.cli.stages import Stage, configs, scored
from thaw.errors import ConfigError
from thaw.report.claims import looks
from thaw.report.claims.judge import INCONCLUSIVE
from thaw.report.claims.rule import Rule
from thaw.report.claims.sequential import schedule
from thaw.report.claims.verdict import Verdict
from thaw.report.statistics import FEWEST


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which seeds the rounds add, in order, and where the runs lie."""

    rule: Rule
    seeds: list[int]  # as many as there may be
    held: int  # of them, those that were run before
    folders: list[Path]

    @property
    def most(self) -> int:
        """The most seeds there may be."""
        return self.rule.seeds

    @property
    def looks(self) -> list[int]:
        """The numbers of seeds at which the study is looked at."""
        return schedule(self.most, max(FEWEST, self.held))


def plan(
    known: Sequence[list[tuple[list[str], Any]]], until_settled: bool = True, taken: Collection[int] = ()
) -> Plan | None:
    """Return the plan of the rounds of the scored stages, each as its runs; None unless it is asked for.

    ConfigError where the rule has no end, or several stages have several rules.
    """
    if not until_settled:
        return None
    runs = [config for combinations in known for _, config in combinations]
    if not runs:
        raise ConfigError("--until-settled is for studies that score transfers, this one has no such stage")
    rules = {looks.digest(config.verdict): config.verdict for config in runs}
    if len(rules) > 1:
        raise ConfigError("--until-settled needs one rule, the stages have several: give verdict.* on the command line")
    rule = runs[0].verdict
    if rule.seeds < FEWEST:
        raise ConfigError(
            f"--until-settled needs an end, the most seeds there may be ({FEWEST} or more): verdict.seeds=10"
        )
    folders = list(dict.fromkeys(Path(config.runs) / config.name for config in runs))
    held = _held(folders)
    if len(held) > rule.seeds:
        raise ConfigError(f"{len(held)} seeds were run already, verdict.seeds={rule.seeds} allows no more")
    for folder in folders:
        record = looks.read(folder)
        if record is not None:
            looks.checked(record, rule)
    pool = list(dict.fromkeys([*held, *(config.seed for config in runs)]))
    if both := sorted(set(pool) & set(taken)):
        raise ConfigError(
            f"seed {', '.join(map(str, both))} chooses settings and is scored with them: tune with others"
        )
    further = (seed for seed in itertools.count(1) if seed not in pool and seed not in taken)
    pool += [next(further) for _ in range(rule.seeds - len(pool))]
    return Plan(rule=rule, seeds=pool[: rule.seeds], held=len(held), folders=folders)


def run(
    stages: Sequence[Stage],
    folders: Sequence[str],
    launched: Callable[[Stage], list[str]],
    count: int,
) -> int:
    """Run the stages, the scored ones in rounds; return the exit code of the first sweep that fails, else 0.

    ``folders`` are those of the study's page, ``launched`` gives the words that start a stage's workers.
    """
    known = {stage.number: configs(stage) for stage in stages if stage.command == "transfer"}
    rounds = [stage for stage in stages if scored(stage, known.get(stage.number, []))]
    planned = plan([known[stage.number] for stage in rounds], taken=tuning_seeds(stages, known))
    assert planned is not None
    again: Sequence[Stage] = stages
    scoring = {stage.number for stage in rounds}
    for seeds in planned.looks:
        for stage in again:
            if stage.number in scoring:
                stage = stage.seeded(planned.seeds[:seeds])
            print(stage.headline(count), flush=True)
            code = sweep.main(stage.command, [*stage.words, *launched(stage), *stage.more], settled=True)
            if code:
                return code
        verdicts = look(planned, seeds, folders)
        print(f"\n{line(seeds, verdicts)}", flush=True)
        if settled(verdicts):
            print(f"Every claim is settled after {seeds} of at most {planned.most} seeds.", flush=True)
            return 0
        again = [replace(stage, more=[word for word in stage.more if word != "--retry"]) for stage in rounds]
    print(f"All {planned.most} seeds that verdict.seeds plans are run.", flush=True)
    return 0


def tuning_seeds(stages: Sequence[Stage], known: Mapping[int, list[tuple[list[str], Any]]]) -> set[int]:
    """Return the seeds of the transfers that choose settings: none of them may be scored with what it has chosen."""
    runs = [config for stage in stages if stage.command == "transfer" for _, config in known.get(stage.number, [])]
    return {config.seed for config in runs if not config.test}


def look(planned: Plan, seeds: int, folders: Sequence[str]) -> list[Verdict]:
    """Record a look at so many seeds, judge at its level, record its words; return the verdicts.

    The look is written before it is judged: one that was taken counts, whatever happens next.
    """
    from thaw.report.cells import cells
    from thaw.report.claims.analysis import analyse
    from thaw.report.collect import read
    from thaw.report.odd import made_of

    record = next(filter(None, map(looks.read, planned.folders)), None)
    record = (record or looks.begin(planned.rule)).looked(seeds)
    _write(planned, record)
    verdicts = made_of(read(*folders), lambda study: analyse(study, cells(study))).verdicts
    words = {verdict.claim: verdict.word for verdict in verdicts}
    _write(planned, record.said(words, settled(verdicts)))
    return verdicts


def settled(verdicts: Sequence[Verdict]) -> bool:
    """Whether no claim that can be judged at all is inconclusive, and there is one."""
    judged = [verdict for verdict in verdicts if verdict.judgement.pooled is not None]
    return bool(judged) and all(verdict.word != INCONCLUSIVE for verdict in judged)


def line(seeds: int, verdicts: Sequence[Verdict]) -> str:
    """Return one line: the word of each claim, and of an open one how many seeds it may need."""
    parts = []
    for verdict in verdicts:
        judgement = verdict.judgement
        needs = f" (needs about {judgement.seeds})" if judgement.seeds and judgement.seeds > seeds else ""
        word = f"{verdict.word}{needs}" if verdict.word == INCONCLUSIVE else verdict.word
        parts.append(f"{verdict.claim} {word if judgement.pooled is not None else 'can not be judged'}")
    return f"{seeds} seeds: {', '.join(parts)}"


def _write(planned: Plan, record: looks.Looks) -> None:
    for folder in planned.folders:
        looks.write(folder, record)


def _held(folders: Sequence[Path]) -> list[int]:
    """Return the seeds of the scored runs that lie in these folders, whatever became of them."""
    from thaw.report.collect import read
    from thaw.track.tree import run_folders

    begun = [folder for folder in folders if folder.is_dir() and run_folders(folder)]
    return looks.seeds_of(read(*begun, events=False).runs) if begun else []
