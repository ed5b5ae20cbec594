"""Notes for the user, each once in a process: the runs of a sweep would repeat them. No torch here."""

import sys
from functools import lru_cache

from thaw.track.redact import shown


@lru_cache(maxsize=1000)
def tell(note: str) -> None:
    """Print a note on stderr, unless it was told before."""
    print(f"note: {shown(note)}", file=sys.stderr, flush=True)
