"""How much effects differ from seed to seed: a table recorded from our own experiments, for studies without pilot runs.

A line of ``spreads.csv`` is one task at one train size: the effect of ``full`` over ``scratch`` of each seed. Accuracy
is the difference of test scores, labels the one against scratch with twice the labels (both from runs.csv of a study),
time the logarithm of scratch's CPU seconds to 95 % of its own best dev score over those of ``full`` (from run folders,
since runs.csv has no curves; this is not the target of the verdict, see `paces`). Between train sizes the effects of a
seed are nearly independent (correlation -.06 to +.08 on the five tasks with five seeds or more), so a mean over k sizes
has the deviation over the root of k.

The table is made by::

    thaw transfer -m study=demo name=demo_pace seed=1,2,3,4,5 data.train_size=50,100,200,400 \\
         strategy=scratch,full eval_every=5
    python -m thaw.report.claims.spreads demo=experiments/demo/runs.csv eight_tasks=experiments/eight_tasks/runs.csv \\
         three_claims=experiments/three_claims/runs.csv three_claims/small=experiments/three_claims/small/runs.csv \\
         demo_pace=runs/demo_pace > src/thaw/report/claims/spreads.csv
"""

import csv
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("spreads.csv")
COLUMNS = ("claim", "experiment", "task", "metric", "size", "values")
DOUBLE = 2  # the labels claim: scratch has twice as many
SHARE = 0.95  # of scratch's own best dev score: the target of time in this table


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The effects of the seeds of one task at one train size."""

    claim: str  # time, accuracy or labels
    experiment: str
    task: str
    metric: str
    size: int
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        return math.fsum(self.values) / len(self.values)

    @property
    def variance(self) -> float:
        """The variance over seeds, n - 1 in the denominator."""
        return math.fsum((value - self.mean) ** 2 for value in self.values) / (len(self.values) - 1)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The standard deviation of an effect over seeds on one task at one train size, and what it was counted from."""

    deviation: float
    effect: float  # mean
    pairs: int  # of a seed, task and size
    tasks: tuple[str, ...]
    sizes: tuple[int, ...]
    experiments: tuple[str, ...]
    own_metric: bool  # whether the table has this metric; else all of them were taken


@cache
def recorded() -> tuple[Seen, ...]:
    """Return the lines of the table."""
    with open(TABLE, encoding="utf-8", newline="") as file:
        return tuple(
            Seen(
                claim=line["claim"], experiment=line["experiment"], task=line["task"], metric=line["metric"],
                size=int(line["size"]), values=tuple(float(value) for value in line["values"].split()),
            )
            for line in csv.DictReader(file)
        )  # fmt: skip


def spread(claim: str, metric: str, size: float) -> Spread:
    """Return the spread of a claim for a metric at a train size.

    Each task of the table that has the metric tells by its train size nearest on the scale of log n; a metric that was
    never measured is taken as any other. Squares are weighted by degrees of freedom.
    """
    lines = [line for line in recorded() if line.claim == claim]
    own = [line for line in lines if line.metric == metric]
    by_task: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for line in own or lines:
        by_task[line.experiment, line.task].append(line)
    near = [min(group, key=lambda line: abs(math.log(line.size / size))) for group in by_task.values()]
    freedom = sum(len(line.values) - 1 for line in near)
    variance = math.fsum((len(line.values) - 1) * line.variance for line in near) / freedom
    return Spread(
        deviation=math.sqrt(variance),
        effect=math.fsum(line.mean for line in near) / len(near),
        pairs=sum(len(line.values) for line in near),
        tasks=tuple(sorted({line.task for line in near})),
        sizes=tuple(sorted({line.size for line in near})),
        experiments=tuple(dict.fromkeys(line.experiment for line in near)),
        own_metric=bool(own),
    )


def scores(experiment: str, rows: Iterable[Mapping[str, Any]]) -> list[Seen]:
    """Return the lines of accuracy and labels from the rows of a study's runs.csv: its most used encoder, paired seeds.

    Tuning runs have no test score; runs that failed have none either and are left out.
    """
    scored = [row for row in rows if row["kind"] == "transfer" and row["test"] and row["state"] == "finished"]
    used = Counter(row["checkpoint"] for row in scored if row["strategy"] == "full")
    encoder = used.most_common(1)[0][0] if used else ""
    tests: dict[tuple[str, str, int], dict[int, float]] = defaultdict(dict)
    metrics: dict[str, str] = {}
    for row in scored:
        if row["strategy"] == "scratch" or (row["strategy"] == "full" and row["checkpoint"] == encoder):
            tests[row["strategy"], row["task"], int(row["train_size"])][int(row["seed"])] = float(row["test"])
            metrics[row["task"]] = row["metric"]
    lines = []
    for claim, factor in (("accuracy", 1), ("labels", DOUBLE)):
        for strategy, task, size in sorted(tests):
            if strategy != "full":
                continue
            full, scratch = tests[strategy, task, size], tests.get(("scratch", task, factor * size), {})
            values = tuple(round(full[seed] - scratch[seed], 6) for seed in sorted(full.keys() & scratch.keys()))
            if len(values) > 1:
                lines.append(
                    Seen(claim=claim, experiment=experiment, task=task, metric=metrics[task], size=size, values=values)
                )
    return lines


def paces(experiment: str, folder: Path) -> list[Seen]:
    """Return the lines of time from a folder of runs; a seed of which a run never arrives is left out.

    The target is that of the first verdicts: a share of scratch's mean best dev score, no majority answer under it,
    and an arrival is the first look that is as good. The runs of the table do not record the majority answer, so the
    target of the verdict (target.py) can not be made of them.
    """
    from thaw.report.collect import read

    runs = [run for run in read(folder).runs if run.state == "finished" and run["strategy"] in ("full", "scratch")]
    cells: dict[tuple[str, int], dict[str, dict[int, Any]]] = defaultdict(lambda: {"full": {}, "scratch": {}})
    for run in runs:
        cells[run["task"], run["train_size"]][run["strategy"]][run["seed"]] = run
    lines = []
    for (task, size), sides in sorted(cells.items()):
        best = [run["dev"] for run in sides["scratch"].values()]
        target = SHARE * math.fsum(best) / len(best)
        at = {side: {seed: _arrival(run, target) for seed, run in members.items()} for side, members in sides.items()}
        values = tuple(
            round(math.log(scratch / full), 4)
            for seed in sorted(at["full"].keys() & at["scratch"].keys())
            if (scratch := at["scratch"][seed]) and (full := at["full"][seed])
        )
        metric = str(next(iter(sides["full"].values()))["metric"])
        if len(values) > 1:
            lines.append(Seen(claim="time", experiment=experiment, task=task, metric=metric, size=size, values=values))
    return lines


def _arrival(run: Any, target: float) -> float | None:
    """Return the CPU seconds after which dev is first as good as the target, None if it never is."""
    for event in run.events:
        score = event.get(f"dev/{run['metric']}")
        if isinstance(score, int | float) and score >= target and event.get("cpu_seconds"):
            return float(event["cpu_seconds"])
    return None


def main(words: Sequence[str]) -> int:
    """Print the table of some experiments, each NAME=runs.csv or NAME=FOLDER of runs."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    for word in words:
        name, _, place = word.partition("=")
        if place.endswith(".csv"):
            with open(place, encoding="utf-8", newline="") as file:
                lines = scores(name, csv.DictReader(file))
        else:
            lines = paces(name, Path(place))
        for line in lines:
            values = " ".join(f"{value:g}" for value in line.values)
            writer.writerow((line.claim, line.experiment, line.task, line.metric, line.size, values))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
