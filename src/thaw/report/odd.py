"""One odd run folder takes no page down: it is found, named and left out.

What is known to be wrong in a folder is told when it is read (damage.py, run.py). This is for what nobody thought of:
where the report of a study can not be made, the run is looked for without which it can.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from thaw.report.collect import Study, Unreadable
from thaw.report.run import Run

T = TypeVar("T")
MOST = 8  # odd runs of a study that are looked for; more are a fault of the report, which is then told as it is
FAULTS = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError)


def made_of(study: Study, make: Callable[[Study], T]) -> T:
    """Return ``make(study)``, or that of the study without the runs that make it fail, which then are unreadable ones.

    The study with no run must have a result. The exception is raised where more than `MOST` runs would have to go,
    or all of them: then the fault is the report's.
    """
    try:
        return make(study)
    except FAULTS as error:
        first = error
    left = study
    for _ in range(min(MOST, len(study.runs))):
        odd, reason = _odd(left, make)
        rest = [run for run in left.runs if run is not odd]
        if not rest:
            break
        told = Unreadable(folder=odd.folder, reason=f"no report can be made with it: {reason}")
        left = replace(left, runs=rest, unreadable=[*left.unreadable, told])
        try:
            return make(left)
        except FAULTS:
            continue
    raise first


def _odd(study: Study, make: Callable[[Study], object]) -> tuple[Run, str]:
    """Return a run without which the study can be made if there is one, else one that makes a part of it fail; why.

    Looked for from both ends: a run may fail alone, or only together with one that comes after it.
    """
    found = [_first(study, order, make) for order in (study.runs, study.runs[::-1])]
    for run, reason in found:
        if not _fault(study, [one for one in study.runs if one is not run], make):
            return run, reason
    return found[0]


def _first(study: Study, runs: Sequence[Run], make: Callable[[Study], object]) -> tuple[Run, str]:
    """Return the first run with which those before it fail, and how; all of them together do."""
    works, fails = 0, len(runs)
    while fails - works > 1:
        middle = (works + fails) // 2
        if _fault(study, runs[:middle], make):
            fails = middle
        else:
            works = middle
    return runs[fails - 1], _fault(study, runs[:fails], make)


def _fault(study: Study, runs: Sequence[Run], make: Callable[[Study], object]) -> str:
    """Return why some runs of a study have no report, "" where they have one."""
    try:
        make(replace(study, runs=list(runs)))
    except FAULTS as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return ""
