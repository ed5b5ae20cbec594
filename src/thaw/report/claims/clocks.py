"""Four clocks for one question, which of them are disturbed, and which one decides.

``auto`` decides by CPU seconds where the runs were on a CPU and by wall seconds where they were on a GPU. Whatever
clock decides, another undisturbed one that says the opposite leaves the word open (on_time.py). A clock is disturbed
where something else than the arms differs between them:

* wall seconds on a CPU, where a thread waited longer for its core in one arm: ``train_seconds x threads / cpu_seconds``
  is 1 on an idle machine, whatever the arm (but for threads that an arm leaves idle, which the wall counts too);
* CPU seconds, where one arm's cores did less a second: ``host_gflops`` is the wall speed of one core before the run. A
  core that is shared with others does less a wall second and as much a CPU second, so a low speed is held against CPU
  seconds only as far as waiting does not explain it: what is left is throttling or a slower machine.

A run that diverged stopped early and tells of no load; the other runs of its arm do, also where all of the other arm's
diverged. For wall seconds the medians over the compared runs decide, for CPU seconds three of four pairs, so that a
single loaded pair is left to the interval. Steps and FLOPs are counted, not measured, and no load disturbs them.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles

from thaw.report.claims.arrival import curve_of, diverged
from thaw.report.claims.paired import Pair, pairs, sourced
from thaw.report.claims.sides import Sides
from thaw.report.collect import Run, Study
from thaw.report.statistics import FEWEST, Estimate

WAITED = 1.2  # times: waiting of one arm over the other's from which wall seconds are disturbed
SLOWED = 1.5  # times: speed of a core of one arm over the other's from which CPU seconds are disturbed
NAMES = {"seconds": "wall seconds", "cpu_seconds": "CPU seconds", "step": "steps", "flops": "FLOPs"}


@dataclass(frozen=True, kw_only=True)
class Load:
    """What the machine did to both arms: medians over the runs compared, transfer then scratch; None if not known."""

    waiting: tuple[float, float] | None  # wall seconds x threads over CPU seconds
    speed: tuple[float, float] | None  # GFLOP a wall second of one core before the run
    disturbed: dict[str, str] = field(default_factory=dict)  # clock -> why


@dataclass(frozen=True, kw_only=True)
class Clock:
    """What one clock says of time."""

    clock: str
    name: str
    ratio: Estimate | None  # logarithm of scratch's time over transfer's
    bound: str  # what the ratio is of the true one: at least, at most, about; "" where it is an estimate of it
    word: str
    why: str
    disturbed: str  # why it has no vote, "" where it has one
    decides: bool


def compared(sides: Sides) -> list[Pair]:
    """Return the pairs of runs of the headline cells, by task, size, pretraining and seed; diverged ones too."""
    arm, members = sides.transfer, []
    for task in sides.tasks if arm else []:
        assert arm is not None
        scratch = sides.scratch(task, arm)
        for size in sides.headline(task, arm, scratch) if scratch else []:
            assert scratch is not None
            members += pairs(*(sourced(sides, task, side, size) for side in (arm, scratch)))
    return members


def trained(members: Sequence[Pair]) -> tuple[list[Run], list[Run]]:
    """Return the runs of transfer and of scratch that did not diverge, each once."""
    own = {id(pair.transfer): pair.transfer for pair in members}
    base = {id(pair.scratch): pair.scratch for pair in members}
    finished = [[run for run in side.values() if not diverged(run)] for side in (own, base)]
    return finished[0], finished[1]


def on_gpu(run: Run) -> bool:
    """Whether a run was on a GPU: by its device, or where it has none recorded by what its config asked for."""
    device = run.row.get("device")
    if device is not None:
        return str(device) != "cpu"
    return str(run.config.get("trainer.accelerator", "cpu")) in ("gpu", "cuda")


def deciding(sides: Sides) -> str:
    """Return the clock that the rule means: ``auto`` is CPU seconds, wall seconds on a GPU or without CPU seconds."""
    if sides.rule.clock != "auto":
        return sides.rule.clock
    own, base = trained(compared(sides))
    if any(map(on_gpu, (*own, *base))):
        return "seconds"
    return "cpu_seconds" if any(curve_of(run, "cpu_seconds") for run in (*own, *base)) else "seconds"


def load(sides: Sides) -> Load:
    """Return what the machine did to the two arms of the verdicts, and which clocks that disturbs."""
    members = compared(sides)
    both = trained(members)
    waited, fast = _both(both, _waiting), _both(both, lambda run: run["host_gflops"] or None)
    disturbed: dict[str, str] = {}
    if waited is not None and max(waited) > WAITED * min(waited):
        disturbed["seconds"] = (
            f"transfer waited {waited[0]:.2f} times and scratch {waited[1]:.2f} times its CPU seconds"
        )
    if fast is not None and _slowed(members):
        disturbed["cpu_seconds"] = (
            f"a core did {fast[0]:.0f} GFLOP a second before transfer's runs and {fast[1]:.0f} before scratch's"
        )
        disturbed.setdefault("seconds", disturbed["cpu_seconds"])
    devices = [{run.row.get("device") for run in side} - {None} for side in both]
    if all(devices) and devices[0] != devices[1]:
        names = ["/".join(sorted(map(str, names))) for names in devices]
        disturbed |= dict.fromkeys(("seconds", "cpu_seconds"), f"transfer ran on {names[0]}, scratch on {names[1]}")
    return Load(waiting=waited, speed=fast, disturbed=disturbed)


def _slowed(members: Sequence[Pair]) -> bool:
    """Whether three of four pairs had slower cores in the same arm, by more than waiting explains.

    The speed of a core is a glance of 50 ms: on a busy machine single glances differ threefold, in either direction.
    """
    left = []
    for own, base in ((pair.transfer, pair.scratch) for pair in members):
        if diverged(own) or diverged(base):
            continue
        if own["host_gflops"] and base["host_gflops"]:
            slower = base["host_gflops"] / own["host_gflops"]
            waits = [_waiting(run) for run in (own, base)]
            unexplained = slower * waits[1] / waits[0] if waits[0] and waits[1] else slower
            left.append(min(slower, unexplained) if slower > 1 else max(slower, unexplained))
    if len(left) < FEWEST:
        return False
    low, _, high = quantiles(left, n=4, method="inclusive")
    return bool(low > SLOWED or high < 1 / SLOWED)


def _waiting(run: Run) -> float | None:
    """Return wall seconds times threads over CPU seconds, None on a GPU, where the CPU waits by design."""
    if on_gpu(run) or not run["train_seconds"] or not run["cpu_seconds"]:
        return None
    return float(run["train_seconds"] * (run["threads"] or 1) / run["cpu_seconds"])


def _both(sides: tuple[list[Run], list[Run]], of: Callable[[Run], float | None]) -> tuple[float, float] | None:
    """Return the medians of a quantity over transfer's and scratch's runs, None where a side has none."""
    own, base = ([value for run in side if (value := of(run)) is not None] for side in sides)
    return (median(own), median(base)) if own and base else None


def guard(sides: Sides) -> list[str]:
    """Return the notes on the clocks: what comes first on the page where a machine was busy."""
    state = load(sides)
    notes = [
        f"The machine was not the same for both arms: {why}. So {NAMES[clock]} are shown and have no vote on time."
        for clock, why in state.disturbed.items()
    ]
    return list(dict.fromkeys(notes))


def cores(study: Study) -> list[str]:
    """Return a note for each host whose cores were not as fast before every run: shared with others, or throttled."""
    hosts: dict[str, list[float]] = defaultdict(list)
    for run in study.runs:
        if run.transfers and run["host_gflops"]:
            hosts[str(run["host"])].append(run["host_gflops"])
    return [
        f"One core of {host} multiplied at {min(seen):.0f} to {max(seen):.0f} GFLOP/s when the runs began: it was"
        " shared or throttled at times. Sharing is in wall seconds alone, throttling in CPU seconds too, and steps and"
        " FLOPs hold neither."
        for host, seen in sorted(hosts.items())
        if max(seen) > SLOWED * min(seen)
    ]
