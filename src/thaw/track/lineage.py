"""What a run came from, by content: the local source of truth that W&B artifacts mirror."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from thaw import __version__
from thaw.storage import remembered, sha256_file
from thaw.track.epoch import RESULTS

PARTS = ("tokenizer", "corpus", "split", "subset", "checkpoint")


def lineage(
    run_id: str,
    *,
    tokenizer: str | None = None,
    corpus: str | None = None,
    split: str | None = None,
    subset: str | None = None,
    checkpoint: str | None = None,
    parent: dict[str, Any] | None = None,
    source: str | None = None,
) -> dict[str, Any]:
    """Return the lineage of a run: SHA-256 of tokenizer, corpus, data split, subset and parent checkpoint.

    ``source`` is the digest of the code that runs it, beside which the results epoch stands.

    ``parent`` is the lineage that lies in the parent checkpoint: its run id becomes ``parent_run`` and its ancestors
    are continued, oldest first. None where a part does not apply.
    """
    ancestors = [*parent.get("ancestors", []), parent["run_id"]] if parent and parent.get("run_id") else []
    return {
        "run_id": run_id,
        "tokenizer": tokenizer,
        "corpus": corpus,
        "split": split,
        "subset": subset,
        "checkpoint": checkpoint,
        "parent_run": ancestors[-1] if ancestors else None,
        "ancestors": ancestors,
        "thaw_version": __version__,
        "results": RESULTS,
        "source": source,
    }


def sha256_files(paths: Iterable[Path | str]) -> dict[str, str]:
    """Return path -> SHA-256 of each file; a file is read again only when its size or time changed."""
    return {str(path): remembered(sha256_file, path) for path in paths}
