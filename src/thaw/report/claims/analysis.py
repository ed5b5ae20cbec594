"""Everything the page and report.json say of the three claims, from a study's runs and cells."""

from collections.abc import Sequence
from dataclasses import dataclass

from thaw.report.cells import Cell
from thaw.report.claims import (
    against,
    area,
    arrival,
    breakeven,
    curves,
    dose,
    labels,
    ledger,
    looks,
    pareto,
    pooled,
    speed,
    tuning,
)
from thaw.report.claims.guards import guards
from thaw.report.claims.rule import Rule, rule_of
from thaw.report.claims.sides import Sides, sides
from thaw.report.claims.verdict import Verdict
from thaw.report.claims.verdicts import verdicts
from thaw.report.collect import Study
from thaw.report.comparable import comparable
from thaw.report.notes import further


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """The claims of a study; lists are empty where the runs have nothing to say."""

    rule: Rule  # at the level that is in force
    rules: int  # how many the runs record; 0: the default is used, fixed after the runs
    sides: Sides
    verdicts: list[Verdict]
    guards: list[str]  # most serious first
    curves: list[curves.Curve]
    exchange: list[labels.Exchange]  # of every transfer arm
    times: list[arrival.Times]  # to every share of scratch's best, by every clock
    areas: list[area.Area]  # between every arm and scratch, by every clock
    pareto: list[pareto.Point]  # score against cost of every arm
    break_even: list[breakeven.BreakEven]
    against: list[against.Against]  # every other arm against the one of the verdicts
    pooled: list[pooled.Pooled]
    tuning: list[tuning.Tuning]
    doses: list[dose.Dose]
    costs: list[ledger.Cost]


def analyse(study: Study, cells: Sequence[Cell]) -> Analysis:
    """Return the analysis of a study."""
    scored = (run for run in study.runs if run.transfers and run.config.get("test") is not False)
    rule, rules = rule_of(run.config for run in scored)
    rule = looks.paid(rule, study.runs)
    found = sides(cells, rule)
    arms, tasks = found.arms, found.tasks
    networks = [arm for arm in arms if arm.network]
    return Analysis(
        rule=rule,
        rules=rules,
        sides=found,
        verdicts=verdicts(found),
        guards=[
            *comparable(study, cells),
            *(guards(study, cells, found, rules) if found.cells else ()),
            *further(study, cells),
        ],
        curves=[drawn for task in tasks for arm in arms if (drawn := curves.curve(found, task, arm)) is not None],
        exchange=[
            one for task in tasks for arm in found.transfers for one in labels.exchange(found, task, arm, rule.level)
        ],
        times=[
            one
            for task in tasks
            for arm in networks
            for size in found.sizes(task, arm)
            for share in sorted({*speed.SHARES, rule.target})
            for one in speed.by_clocks(found, task, arm, size, share)
        ],
        areas=[
            one
            for task in tasks
            for arm in networks
            for size in found.sizes(task, arm)
            for one in area.areas(found, task, arm, size)
        ],
        pareto=pareto.points(cells),
        break_even=[
            paid
            for task in tasks
            for arm in found.transfers
            for size in found.sizes(task, arm)
            if (paid := breakeven.break_even(found, task, arm, size)) is not None
        ],
        against=against.against(found),
        pooled=pooled.pooled(found),
        tuning=tuning.tuning(cells),
        doses=dose.doses(cells),
        costs=ledger.ledger(study, cells),
    )
