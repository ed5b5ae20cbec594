"""A Hugging Face data set to rows (extra ``hf``); integer labels get the names the data set declares."""

import os
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from thaw.errors import ConfigError
from thaw.task.table import Table
from thaw.task.task import TaskConfig

PROBE_SECONDS = 3.0


def read_hub(task: TaskConfig, split: str) -> Table:
    """Read one split of ``task.hub``, a name or a folder; ConfigError without the library, the network or the split.

    Without network the library's cache is asked, at once: left alone, it retries for half a minute a split.
    """
    remedy = "give files with task.path=DIR"
    try:
        import datasets
        import huggingface_hub
    except ImportError:
        raise ConfigError(
            f"task.hub={task.hub} needs the package datasets: pip install 'thaw-nlp[hf]', or {remedy}"
        ) from None
    assert task.hub is not None
    offline = not Path(task.hub).is_dir() and not _reachable()
    if offline:
        huggingface_hub.constants.HF_HUB_OFFLINE = True
        datasets.config.HF_HUB_OFFLINE = True
    try:
        data = datasets.load_dataset(task.hub, task.hub_config, split=split, revision=task.hub_revision)
    except Exception as error:  # the library raises some twenty classes: no network, no such name, split, config, ...
        reason = "no network" if offline else " ".join(str(error).split())[:160] or type(error).__name__
        raise ConfigError(f"task.hub={task.hub} split {split} can not be read: {reason}; {remedy}") from None
    return Table(where=f"{task.hub}:{split}", rows=list(enumerate(data, 1)), names=_names(data.features), hub=True)


def _reachable() -> bool:
    """Whether the hub answers; a proxy is believed to lead there."""
    if "https" in getproxies():
        return True
    address = urlsplit(os.environ.get("HF_ENDPOINT", "https://huggingface.co"))
    try:
        port = address.port or (80 if address.scheme == "http" else 443)
        socket.create_connection((address.hostname or "", port), PROBE_SECONDS).close()
    except OSError:
        return False
    return True


def _names(features: Any) -> dict[str, list[str]]:
    """Return the names of each column of ClassLabel, or of sequences of them."""
    found = {}
    for column, feature in features.items():
        names = getattr(feature, "names", None) or getattr(getattr(feature, "feature", None), "names", None)
        if names:
            found[column] = list(names)
    return found
