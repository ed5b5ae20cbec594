"""Counts and lists in words, for every sentence of the report."""

from collections.abc import Sequence

MOST_NAMED = 4  # parts of a list that a sentence names


def number(count: int, noun: str, plural: str = "") -> str:
    """Return ``1 run`` or ``2 runs``; ``plural`` is that of a noun that takes no s."""
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def are(count: int) -> str:
    """Return ``is`` or ``are``, as the verb after a number of things."""
    return "is" if count == 1 else "are"


def listed(parts: Sequence[str], most: int = MOST_NAMED) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``; of more than ``most`` parts the rest as a number."""
    named = [*parts[:most], f"{len(parts) - most} more"] if len(parts) > most else list(parts)
    return f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else "".join(named)
