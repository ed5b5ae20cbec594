"""Jobs of a sweep that train in several processes: each job starts and ends its own. No torch until one has run."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def processes(config: Any) -> int:
    """Return the number of processes a run trains in."""
    return config.trainer.devices * config.trainer.num_nodes if hasattr(config, "trainer") else 1


@contextmanager
def own_process_group(number: int) -> Iterator[None]:
    """Make the command that Lightning starts again for each further device one of this job alone.

    What it leaves in the environment is taken out again, else the next job would take itself for one of them.
    """
    words, environment = sys.argv, dict(os.environ)
    sys.argv = [*words, "--only", str(number)]
    try:
        yield
    finally:
        from thaw import build

        build.leave_process_group()
        sys.argv = words
        os.environ.clear()
        os.environ.update(environment)
