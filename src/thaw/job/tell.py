"""Notes for the user, each once in a process: the runs of a sweep would repeat them. No torch here."""

import contextlib
import sys

from thaw.track.redact import shown

TOLD: set[str] = set()  # what was told in this process


def tell(note: str, about: str = "") -> None:
    """Print a note on stderr, unless it was told before; of several that are ``about`` the same thing, the first."""
    key = about or note
    if key not in TOLD:
        TOLD.add(key)
        with contextlib.suppress(OSError):  # nobody reads any more
            print(f"note: {shown(note)}", file=sys.stderr, flush=True)
