"""In which order the runs of a sweep go: what is compared runs in the same minute, whatever the command's order.

A machine's load and clock rate change from hour to hour. Were all runs of one strategy done before those of the next,
as the product of a command's words would have it, such a change would look like an effect of the strategy.
"""

from typing import Any

from thaw import config as schema
from thaw.fields import as_dict

_INSIDE = ("optim", "tuned")  # what is tried out within a strategy: it comes after it
Place = tuple[Any, ...]


def place(config: Any) -> Place:
    """Return what a run is sorted by: seed, task, train size, all else, and innermost the strategy with its rates.

    It looks at the config alone, so the same runs have the same order however a command or a study lists them. Runs
    that are no transfers are sorted by seed only and else stay as the command has them.
    """
    if not isinstance(config, schema.TransferConfig):
        return (_rank(getattr(config, "seed", 0)),)
    fields = as_dict(config)
    strategy, inside = fields.pop("strategy"), [fields.pop(name, None) for name in _INSIDE]
    size = fields["data"].pop("train_size")
    first = [_rank(fields.pop("seed")), _rank(config.task.name), _rank(_labels(size))]
    known = list(schema.strategies())
    return (*first, _rank(fields), known.index(config.strategy.name), _rank(strategy), _rank(inside))


def _labels(size: Any) -> float:
    """Return the labels that ``data.train_size`` asks for; all of them come last."""
    return float("inf") if size == "all" else float(size)


def _rank(value: Any) -> Place:
    """Return a value as nested tuples that can be compared whatever their types: none, numbers, words, the rest."""
    if value is None:
        return (0,)
    if isinstance(value, bool | int | float):
        return (1, value)
    if isinstance(value, dict):
        return (3, *(_rank(value[key]) for key in sorted(value)))
    return (3, *(_rank(one) for one in value)) if isinstance(value, list | tuple) else (2, str(value))
