"""The rule of a verdict: fixed in the study's config before the first run, and recorded in every run folder.

What each field decides is told in judge.py. A study overrides ``verdict.*`` in its study.yaml; the page prints the
rule, and says so where the runs of a study were made under different ones.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from thaw.fields import free

CLOCKS = ("auto", "cpu_seconds", "seconds", "step", "flops")


@dataclass(kw_only=True)
class Rule:
    """What counts as support. Scores are fractions, so a margin of 0.01 is one point."""

    strategy: str = free("full")  # the strategy the verdicts are about; the others are shown beside it
    sizes: list[int] = free([])  # train sizes the verdicts are about, such as those with most seeds; empty: all
    level: float = free(0.95, gt=0.5, lt=1)  # of every interval; 1 - level is Holm's family error over the tasks
    tasks: float = free(0.0, ge=0, le=1)  # share of the tasks that must each show the effect; 0: their mean decides
    margin: float = free(0.01, ge=0, lt=1)  # gains below it are none (accuracy, labels)
    target: float = free(0.95, gt=0, le=1)  # time is to this share of scratch's own best dev score
    clock: str = free("auto", choices=CLOCKS)  # of time; auto: CPU seconds on a CPU, seconds on a GPU
    faster: float = free(1.1, ge=1)  # speed-ups below it are none (time)
    fewer: float = free(2.0, gt=1)  # labels: transfer with n labels against scratch with this many times n
    seeds: int = free(0, ge=0)  # planned for each cell; 0: no plan was made


def rule_of(configs: Iterable[dict[str, Any]]) -> tuple[Rule, int]:
    """Return the rule most runs were made under (the default where none says) and how many rules there are."""
    names = [field.name for field in fields(Rule)]
    found: Counter[str] = Counter()
    for config in configs:
        given = {name: config[f"verdict.{name}"] for name in names if config.get(f"verdict.{name}") is not None}
        if given:
            found[json.dumps(given, sort_keys=True)] += 1
    if not found:
        return Rule(), 0
    return Rule(**json.loads(found.most_common(1)[0][0])), len(found)
