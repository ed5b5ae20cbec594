"""A plan as a table people can read. No torch here."""

from collections.abc import Sequence

from thaw.strategy.plan import Factor


def table(title: str, names: Sequence[str], rows: Sequence[tuple[int, list[Factor]]]) -> str:
    """Return the plan as text: a line for each stretch of steps, a column for each group, ``-`` is frozen."""
    head = ["from step", *names]
    body = [[str(step), *("-" if f is None else f"x{f:.3g}" for f in factors)] for step, factors in rows]
    widths = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in [head, *body]]
    return "\n".join([f"plan of {title} (factor on the learning rate, - is frozen)", *lines])
