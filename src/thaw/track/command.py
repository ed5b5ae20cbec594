"""The command line as its user typed it, without secrets, for the record of every run that it starts.

Decision: it travels in an environment variable, since the workers of a launcher are processes of their own, whose
command lines nobody typed.
"""

import contextlib
import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence

from thaw.track.plain import printable
from thaw.track.redact import REDACTED, is_secret, redact
from thaw.track.value import end

VARIABLE = "THAW_COMMAND"
_MOST = 4000  # characters
_INSIDE = re.compile(r"(?P<name>[A-Za-z][\w.-]*)['\"]?\s*:\s*(?=\S)")  # {name:value} of Hydra


@contextlib.contextmanager
def typed(words: Sequence[str]) -> Iterator[None]:
    """Inside, ``thaw WORDS`` is what was typed."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = _line(["thaw", *words])
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before


def command() -> str:
    """Return the command line of this run; of a run that Python started, that of the program."""
    return os.environ.get(VARIABLE) or _line(sys.argv)


def _line(words: Sequence[str]) -> str:
    shown, secret = [], False
    for word in words:
        shown.append(REDACTED if secret else _without_secrets(word))
        secret = word.startswith("-") and "=" not in word and is_secret(word.lstrip("-"))
    line = printable(shlex.join(shown))
    return line if len(line) <= _MOST else f"{line[:_MOST]} …"


def _without_secrets(word: str) -> str:
    """Return a word; a value that is assigned to a secret name is hidden whole, whatever stands in it."""
    name, sign, value = word.partition("=")
    if sign and value and is_secret(name.lstrip("+~-")):
        return f"{name}={REDACTED}"
    if sign and value.lstrip("'\"").startswith("{"):
        word = f"{name}={_inside(value)}"
    return str(redact(word))


def _inside(mapping: str) -> str:
    """Return a mapping as Hydra has it (``{name:value}``) without the values of secret names."""
    done, at = "", 0
    while match := _INSIDE.search(mapping, at):
        done, at = done + mapping[at : match.end()], match.end()
        if is_secret(match["name"]):
            done, at = done + REDACTED, end(mapping, at, ",{}[]")
    return done + mapping[at:]
