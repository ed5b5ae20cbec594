"""Whether a study has the seeds that were planned, and whether looks at it were paid for: sentences for the page."""

from collections.abc import Iterable

from thaw.report.claims import looks
from thaw.report.claims.sides import Sides


def seed_notes(sides: Sides) -> Iterable[str]:
    """Return what the page says of the plan of seeds; nothing where none was made, or it was kept."""
    arm = sides.transfer
    if arm is None:
        return
    runs = [run for cell in sides.cells.values() for run in (*cell.runs, *cell.others)]
    record, seeds = looks.of(runs), len(looks.seeds_of(runs))
    if record is not None and record.looks:
        yield _looked(record, seeds)
        return
    plan = sides.rule.seeds
    counts = {
        len(sides.scores(task, side, size))
        for task in sides.tasks
        if (scratch := sides.scratch(task, arm)) is not None
        for side in (arm, scratch)
        for size in sides.headline(task, arm, scratch)
    }
    if not plan or not counts:
        return
    if max(counts) > plan:
        yield (
            f"{plan} seeds were planned and {max(counts)} were run: if the first {plan} had been looked at, the error"
            f" is larger than the rule's level says. Seeds that are added until it is settled are paid for by"
            f" thaw study … --until-settled."
        )
    elif min(counts) < plan:
        yield f"{plan} seeds were planned and {_span(counts)} are scored: the study is not at its planned end."


def _looked(record: looks.Looks, seeds: int) -> str:
    level = f"{record.at(seeds):.2%} intervals"
    first = ", ".join(str(look.seeds) for look in record.looks if look.seeds <= seeds)
    if seeds > record.planned:
        return (
            f"At most {record.planned} seeds were planned and {seeds} were run: nothing is left to pay for the looks"
            f" beyond, the words are judged by the {level} of the last look that was paid for."
        )
    ended = record.settled and seeds == record.looks[-1].seeds
    settled = "Settled after" if ended else "Judged after"
    return (
        f"{settled} {seeds} of at most {record.planned} seeds. It was looked at with {first} seeds, and the looks are"
        f" paid for: the words are judged by {level}, so that all looks together err no more often than one at"
        f" {record.level:.0%}."
    )


def _span(counts: set[int]) -> str:
    return str(min(counts)) if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
