"""Errors a user can cause, each with the exit code of the command line.

A message says what is wrong, where, and the remedy or the nearest valid name, in one line.
"""

import difflib
from collections.abc import Iterable


class ThawError(Exception):
    """A failure with one line for the user and an exit code for the shell."""

    exit_code = 1


class ConfigError(ThawError):
    """Bad config or usage."""

    exit_code = 2


class NotApplicable(ConfigError):
    """A strategy that has no answer for a task's kind of label: alone a mistake, in a sweep left out."""


class DataError(ThawError):
    """Bad data: a corpus, a task file, a tokenizer."""

    exit_code = 3


class DivergedError(ThawError):
    """A loss, gradient or weight is not finite."""

    exit_code = 4


class StorageError(ThawError):
    """Nothing could be written, or what was read is damaged."""

    exit_code = 5


class ResumeError(ThawError):
    """The run or checkpoint on disk belongs to another config or other data."""

    exit_code = 6


def nearest(word: str, names: Iterable[str]) -> str:
    """Return ``, did you mean 'x'?`` for the nearest of ``names``, else the list of valid names."""
    names = sorted(names)
    close = difflib.get_close_matches(word, names, 1, 0.5)
    if close:
        return f", did you mean '{close[0]}'?"
    last = {name.rsplit(".", 1)[-1]: name for name in names}
    close = difflib.get_close_matches(word.rsplit(".", 1)[-1], list(last), 1, 0.6)
    return f", did you mean '{last[close[0]]}'?" if close else f", valid: {', '.join(names)}"
