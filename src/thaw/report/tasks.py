"""Which runs are of one task: of one content, kind, metric and size of dev set. Others of its name are told apart.

Scores on two test sets are no two scores of one thing, nor are two metrics, and a dev score of 50 texts can not be
chosen against one of 500. So what runs recorded of these tells them apart, whatever their task is called: as
``trec · data 3fa9c1``, or by the source where the sources have names of their own (``files (reviews)``). The names
follow from all the contents that are there, not from the order of the runs.

A run that recorded less (it failed before it had read its data, or its files are lost) is of the only task that it can
be of; where there are several, or none, no table holds it, and the reason is kept in ``Run.aside``.
"""

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from thaw.report.run import Run

DIGITS = 6  # of a content's sha256 in a name, more where these are not enough


@dataclass(frozen=True, kw_only=True)
class Data:
    """What makes two runs of one task name comparable; "" where a run does not say."""

    split: str  # sha256 of train, dev, test and the labels
    kind: str
    dev_size: str  # labels to choose by: they are labels too
    metric: str
    positive: str = ""  # the label whose F1 it is, where the metric is F1

    def fits(self, other: "Data") -> bool:
        """Whether both say the same wherever both say something."""
        return all(one == two or not one or not two for one, two in zip(self.parts, other.parts, strict=True))

    def says_more(self, other: "Data") -> bool:
        """Whether it says all that another says, and more."""
        whole = all(one == two or not two for one, two in zip(self.parts, other.parts, strict=True))
        return whole and self != other

    @property
    def parts(self) -> tuple[str, str, str, str, str]:
        """All that it says, what tells most first."""
        return self.split, self.kind, self.dev_size, self.metric, self.positive


def told_apart(runs: Iterable[Run]) -> list[Run]:
    """Return the runs with their task named by its content, and set aside where it can not be known."""
    groups: dict[str, list[Run]] = defaultdict(list)
    ordered = [run if run.own_task else replace(run, own_task=str(run["task"] or "")) for run in runs]
    for run in ordered:
        if run.transfers:
            groups[run.own_task].append(run)
    placed: dict[int, Run] = {}
    for name, members in groups.items():
        placed |= {id(run): replaced for run, replaced in zip(members, _of_name(name, members), strict=True)}
    return [placed.get(id(run), run) for run in ordered]


def _of_name(name: str, runs: Sequence[Run]) -> list[Run]:
    """Return runs of one task name, each with the name of its own task."""
    said = [_said(run) for run in runs]
    begun = {data for run, data in zip(runs, said, strict=True) if _has_begun(run)}
    whole = [data for data in begun if not any(other.says_more(data) for other in begun)]
    sources: dict[str, set[str]] = defaultdict(set)
    for run, data in zip(runs, said, strict=True):
        if data.split:
            sources[data.split].add(source(run))
    names = _names(name, whole, sources)
    made = []
    for run, data in zip(runs, said, strict=True):
        fitting = [one for one in whole if one.fits(data)]
        if len(fitting) > 1 and not data.split:
            fitting = [one for one in fitting if source(run) in sources[one.split]] or fitting
        if len(fitting) == 1 or not whole:
            made.append(_with(run, names[fitting[0]] if whole else name, ""))
        else:
            made.append(_with(run, name, _reason(data, fitting)))
    return made


def _with(run: Run, name: str, aside: str) -> Run:
    if (run["task"], run.aside) == (name, aside):
        return run
    return replace(run, row={**run.row, "task": name}, aside=aside)


def _has_begun(run: Run) -> bool:
    """Whether a run is a witness of its data: it ended with an outcome, or is on its way and knows its data."""
    return run.state == "finished" or run.diverged or (run.state != "failed" and bool(run.lineage.get("split")))


def _said(run: Run) -> Data:
    kind, dev_size = run.config.get("task.kind"), run.config.get("data.dev_size")
    return Data(
        split=str(run.lineage.get("split") or ""), kind=str(kind or ""),
        dev_size=str(dev_size if dev_size is not None else ""), metric=str(run["metric"] or ""),
        positive=str(run.row.get("positive") or run.config.get("task.positive") or "") if run["metric"] == "f1" else "",
    )  # fmt: skip


def _reason(data: Data, fitting: Sequence[Data]) -> str:
    if fitting:
        return "it did not record which data it had, and there are several of its task's name"
    told = {
        "kind": data.kind,
        "metric": data.metric,
        "positive label": data.positive,
        "dev size": data.dev_size,
        "data": data.split[:DIGITS],
    }
    return f"no run with an outcome has its {', '.join(f'{key} ({one})' for key, one in told.items() if one)}"


def _names(name: str, whole: Sequence[Data], sources: dict[str, set[str]]) -> dict[Data, str]:
    """Return the name of each task: what tells it from the others of its name, and no more."""
    made = {}
    for one in whole:
        text, alike = name, [other for other in whole if other != one]
        words = (f" · {one.kind}", f" · dev {one.dev_size}", f" · {one.metric}", f" · {one.positive} is positive")
        for place, word in enumerate((_of_split(one.split, whole, sources), *words)):
            if any(other.parts[place] != one.parts[place] for other in alike):
                text += word
                alike = [other for other in alike if other.parts[place] == one.parts[place]]
        made[one] = text
    return made


def _of_split(split: str, whole: Sequence[Data], sources: dict[str, set[str]]) -> str:
    """Return how a content is called: by its source, by its digest, or both where one source had several."""
    splits = {one.split for one in whole}
    called = {one: min((os.path.basename(path) for path in sources[one]), default="") for one in splits}
    text = f" ({called[split] or 'unnamed'})" if len(set(called.values())) > 1 else ""
    if sum(one == called[split] for one in called.values()) > 1:
        text += f" · data {_short(split, splits) or 'unknown'}"
    return text


def _short(split: str, splits: Collection[str]) -> str:
    digits = DIGITS
    while digits < len(split) and sum(one[:digits] == split[:digits] for one in splits) > 1:
        digits += 1
    return split[:digits]


def source(run: Run) -> str:
    """Return the path, hub name or package that a run's task comes from, "" if it names none."""
    named = [run.config.get(f"task.{key}") for key in ("path", "hub", "package")]
    return next((os.path.normpath(str(one)) for one in named if one), "")
