"""What a strategy is, as its runs recorded it: ``lineage.json`` says it, so that a plug-in's are read like our own.

The report knows three strategies by name: the baseline that all are compared with, the control of words alone that the
rule on accuracy asks for, and the majority answer, from which scores are measured. `RECORDED_BEFORE` describes the
strategies of run folders that were written before 2026-11-29 and hold no description.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thaw.report.run import Run

_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
BASELINE, WORDS, FLOOR = "scratch", "tfidf", "majority"
UNKNOWN = "a strategy of a plug-in"


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """What a strategy is."""

    name: str
    says: str = UNKNOWN  # in a few words, for a reader who knows none of them
    pretrained: bool = True  # starts from the weights of a checkpoint
    network: bool = True  # trains a network; a control of words or of counts does not
    control: bool = False  # what transfer must beat
    colour: str | None = None  # as "#0072B2"; None: a spare one

    @property
    def transfers(self) -> bool:
        """Whether it carries pretrained weights to a task: what the verdicts are about."""
        return self.pretrained and self.network and not self.control


def _control(name: str, says: str, *, network: bool = False) -> Strategy:
    return Strategy(name=name, says=f"control: {says}", pretrained=False, network=network, control=True)


RECORDED_BEFORE: dict[str, Strategy] = {
    one.name: one
    for one in (
        Strategy(name="scratch", says="the same network from random weights", pretrained=False),
        Strategy(name="feature_based", says="the pretrained encoder is fixed and feeds another model"),
        Strategy(name="frozen", says="the pretrained encoder is fixed, only a new head learns"),
        Strategy(
            name="gradual_unfreeze",
            says="from pretrained weights, the head learns first, then one more layer at a time",
        ),
        Strategy(name="lp_ft", says="from pretrained weights, the head learns first, then everything"),
        Strategy(name="top_k", says="from pretrained weights, only the top layers and the head learn"),
        Strategy(name="bias_only", says="from pretrained weights, only biases and the head learn"),
        Strategy(name="full", says="from pretrained weights, everything learns"),
        _control("frozen_random", "an encoder with random weights is fixed, only a head learns", network=True),
        _control("tfidf", "counts of words and a linear model, no network"),
        _control("majority", "always the most frequent answer"),
    )
}


def recorded(lineage: Mapping[str, Any]) -> Strategy | None:
    """Return what a run recorded of its strategy, None where it recorded nothing that can be read."""
    found = lineage.get("strategy")
    if not isinstance(found, Mapping) or not isinstance(found.get("name"), str):
        return None
    flags = {key: bool(found[key]) for key in ("pretrained", "network", "control") if found.get(key) is not None}
    words = {"says": str(found["says"])} if found.get("says") else {}
    if _COLOUR.fullmatch(str(found.get("colour"))):  # it stands in the style of the page
        words |= {"colour": str(found["colour"])}
    return Strategy(name=found["name"], **flags, **words)  # type: ignore[arg-type]


def described(name: str) -> Strategy:
    """Return what a strategy is of which no run is known: one of ours, or a plug-in's that transfers."""
    return RECORDED_BEFORE.get(name) or Strategy(name=name)


def strategies(runs: Iterable["Run"]) -> dict[str, Strategy]:
    """Return what each strategy of some runs is, by name: as the newest run recorded it, else as the runs look.

    A strategy that is not ours and that no run describes is a control where its rows say so; it starts from pretrained
    weights where a finished run names a checkpoint, and has a network where a finished run made steps.
    """
    members: dict[str, list[Run]] = {}
    for run in runs:
        if run.transfers:
            members.setdefault(str(run["strategy"]), []).append(run)
    return {name: _newest(own) or RECORDED_BEFORE.get(name) or _seen(name, own) for name, own in members.items()}


def _newest(runs: list["Run"]) -> Strategy | None:
    told = [(run, one) for run in runs if (one := recorded(run.lineage)) is not None]
    found = [(run.updated, str(run["run_id"]), one) for run, one in told if one.name == str(run["strategy"])]
    return max(found, key=lambda item: item[:2])[2] if found else None


def _seen(name: str, runs: list["Run"]) -> Strategy:
    finished = [run for run in runs if run.state == "finished"]
    control = any(run["kind"] == "control" for run in runs)
    if not finished:
        return Strategy(name=name, control=control, pretrained=not control)
    network = not control or any(run["steps"] for run in finished)
    return Strategy(name=name, control=control, network=network, pretrained=any(run["checkpoint"] for run in finished))
