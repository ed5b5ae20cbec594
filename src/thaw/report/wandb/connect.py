"""W&B's public API while a block lasts: the server asked beforehand, its files in a folder that goes again.

Decisions: nobody is asked for a key; a server that does not answer is found out in three seconds, and each request
has its own limit; the process is left as it was found, as `thaw.track.mirror` does.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from thaw.errors import ConfigError, StorageError
from thaw.track import reach
from thaw.track.redact import redact
from thaw.track.wandb_process import own_hooks, surroundings

REQUEST_SECONDS = 20  # how long one request may take


@contextlib.contextmanager
def connected() -> Iterator[Any]:
    """Give ``wandb.Api()``; ConfigError without an accepted key, StorageError when the server does not answer."""
    url = reach.server()
    key = reach.key_of(url)
    if key is None:
        raise ConfigError(f"W&B: {reach.NO_KEY}")
    reason = reach.outage(url) or reach.probe(url, key, reach.ONLINE_SECONDS)
    if reason == reach.refused(url):
        raise ConfigError(f"W&B: {reason}, give another by `wandb login --relogin` or WANDB_API_KEY")
    if reason:
        raise StorageError(f"W&B: {reason}, try again later (or WANDB_BASE_URL names another server)")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, surroundings(Path(folder)), own_hooks():
        os.environ.update(WANDB_BASE_URL=url, WANDB_API_KEY=key, WANDB_DIR=folder)
        import wandb

        yield wandb.Api(overrides={"base_url": url}, timeout=REQUEST_SECONDS, api_key=key)


def line(error: BaseException) -> str:
    """Return what W&B raised as one line without secrets."""
    text = " ".join(str(error).split()).removeprefix("input: ")  # of what its side process was told
    return str(redact(text))[:200].rstrip(" .") or type(error).__name__
