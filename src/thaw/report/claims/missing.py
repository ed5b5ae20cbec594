"""What is missing where nothing can be judged, and what to run then."""

from thaw.report.arms import Arm
from thaw.report.claims.judge import Judgement
from thaw.report.claims.sides import Sides, Size
from thaw.report.statistics import FEWEST
from thaw.report.words import listed, number

PAIRED = "Run both with the same seeds, five or more."


def missing(claim: str, sides: Sides, judgement: Judgement) -> tuple[str, str]:
    """Return what a claim lacks and the remedy, the first of: weights, scratch, its steps, sizes, curves, seeds."""
    arm = sides.transfer
    if arm is None:
        return "no run uses pretrained weights", f"Run strategy={sides.rule.strategy} from a checkpoint."
    if not any(peer.baseline for peer in sides.arms):
        return "there is no run from scratch to compare with", "Run strategy=scratch with the same seeds."
    pairs = {task: scratch for task in sides.tasks if (scratch := sides.scratch(task, arm)) is not None}
    pairs = {task: scratch for task, scratch in pairs.items() if sides.sizes(task, arm)}
    if not pairs:
        return _unpaired(sides, arm)
    if claim == "labels":
        if not judgement.tasks and not judgement.missing:
            times = f"{sides.rule.fewer:g} times"
            return (
                f"scratch has no train size with {times} as many labels{_asked(sides)}, nor sizes on both sides of it",
                f"Run scratch at {times} the train sizes of {arm.label}.",
            )
    elif not any(sides.headline(task, arm, scratch) for task, scratch in pairs.items()):
        return (
            f"{arm.label} and scratch have scores at no common train size{_asked(sides)}",
            "Run both at the same train sizes.",
        )
    elif claim == "time" and not judgement.tasks and not judgement.missing:
        return (
            "no pair of runs has dev curves and a target to reach",
            "Run both with eval_every, so that dev is scored during training.",
        )
    if judgement.pooled is None:
        where = "tasks and train sizes" if any(len(sides.sizes(task, arm)) > 1 for task in pairs) else "tasks"
        return f"{arm.label} and scratch share no seed that all {where} have", f"{thinnest(sides)} {PAIRED}".strip()
    return (
        f"{number(judgement.pooled.n, 'seed')} {'pairs' if judgement.pooled.n == 1 else 'pair'}, fewer than {FEWEST}",
        PAIRED,
    )


def thinnest(sides: Sides) -> str:
    """Return which cell has fewest seeds of both sides where others have more, and what would mend it; "" if none.

    A mean over tasks, sizes and pretrainings has the seeds alone that all of them have.
    """
    arm, counts = sides.transfer, dict[tuple[str, Size], int]()
    lacking: list[str] = []
    for task in sides.tasks if arm is not None else []:
        assert arm is not None
        scratch = sides.scratch(task, arm)
        for size in sides.headline(task, arm, scratch) if scratch else []:
            assert scratch is not None
            counts[task, size] = len(sides.scores(task, arm, size).keys() & sides.scores(task, scratch, size).keys())
            sources = sides.by_pretraining(task, arm, size)
            every = set().union(*sources.values())
            lacking += [
                f"Pretraining {source} lacks seeds {listed(sorted(map(str, every - set(own))), 8)} on {task} at {size}"
                " labels: a seed counts that all pretrainings have."
                for source, own in sources.items()
                if every - set(own)
            ]
    if lacking:
        return lacking[0]
    if not counts or min(counts.values()) == max(counts.values()):
        if len(set(counts.values())) == 1 and next(iter(counts.values())) >= FEWEST:
            return "The seeds are others at each task and train size: run the same ones everywhere."
        return ""
    (task, size), fewest = min(counts.items(), key=lambda item: item[1])
    return (
        f"Only {number(fewest, 'seed')} {'pairs' if fewest == 1 else 'pair'} on {task} at {size} labels, up to"
        f" {max(counts.values())} elsewhere: run the others there too, or leave that size out (verdict.sizes)."
    )


def _unpaired(sides: Sides, arm: Arm) -> tuple[str, str]:
    """Return why no run from scratch is the counterpart of an arm."""
    tasks = [task for task in sides.tasks if sides.sizes(task, arm)]
    peers = [peer for peer in sides.arms if peer.baseline and any(sides.sizes(task, peer) for task in tasks)]
    if not peers:
        return f"scratch was run on no task of {arm.label}", f"Run strategy=scratch on {listed(tasks)}."
    steps = sorted({peer.steps for peer in peers if peer.steps is not None} - {arm.steps})
    if all(peer.steps != arm.steps for peer in peers):
        return (
            f"scratch was run with {listed([str(count) for count in steps])} optimizer steps and {arm.strategy} with"
            f" {arm.steps}",
            f"Run strategy=scratch with steps={arm.steps}.",
        )
    return (
        "no run from scratch has the architecture and tokenizer of the transfer alone",
        "Run strategy=scratch with the checkpoint of the transfer.",
    )


def _asked(sides: Sides) -> str:
    sizes = sides.rule.sizes
    return f" among those of the rule ({listed([str(size) for size in sizes])})" if sizes else ""
