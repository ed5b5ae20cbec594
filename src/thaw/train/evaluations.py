"""At which steps a run is scored on dev: densely at first, then by a regular grid.

A strategy that starts from a pretrained encoder often arrives within the first steps, where a regular grid sees
nothing: the first look decides what any speed-up can be. Looks at doubling steps keep the ratio of two neighbours
under two at a logarithmic cost, and they are off the training clock. They tell when a score was reached and choose
nothing: neither weights nor when a layer thaws.
"""


def regular_steps(steps: int, every: int) -> frozenset[int]:
    """Return the steps of a regular grid: before the first step, each ``every``-th one, and the last one."""
    return frozenset((*range(0, steps, every), steps))


def evaluation_steps(steps: int, every: int) -> frozenset[int]:
    """Return the steps after which a transfer is scored: the regular grid and, before its first place, 1, 2, 4, 8 …

    ``steps`` are the optimizer steps of the run; 0 stands for the weights before the first one.
    """
    first = min(steps, every)
    return regular_steps(steps, every) | {2**power for power in range(first.bit_length()) if 2**power < first}
