"""Are the test texts in the text the encoder was pretrained on? Counted once a corpus, task and tokenizer."""

import contextlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from thaw.errors import StorageError
from thaw.job.identity import tokens_key
from thaw.storage import write_text
from thaw.task.example import Splits, fingerprint
from thaw.text.ids import TokenFile
from thaw.text.overlap import RUN, SHORT, overlap
from thaw.text.tokenizer import Tokenizer
from thaw.track.identity import run_id


def contamination(
    cache: Path, corpus: str | None, tokenizer: Tokenizer, found: Splits, results: int | None = None
) -> dict[str, Any] | None:
    """Return ``{"found", "searched", "texts"}`` of the test set; None where the corpus's ids are not in the cache.

    ``corpus`` is the sha256 of the pretraining text and ``results`` the epoch of the pretraining, as the checkpoint's
    lineage has them. After a continued pretraining that is its last text alone. The texts of an example are searched as
    one.
    """
    if corpus is None:
        return None
    ids = cache / "tokens" / tokens_key(corpus, tokenizer.fingerprint, results)
    name = run_id({"ids": ids.name, "split": fingerprint(found), "runs": [RUN, SHORT]})
    kept = cache / "contamination" / f"{name}.json"
    if (known := _read(str(kept))) is not None:
        return known
    try:
        file = TokenFile.open(ids)
    except StorageError:  # not there, or damaged: not searched, which the report tells
        return None
    texts = tokenizer.encode_batch([" ".join(one.texts) for one in found.test])
    counts: dict[str, Any] = overlap(file, texts)
    with contextlib.suppress(StorageError):  # it is counted again then
        write_text(kept, json.dumps(counts) + "\n")
    return counts


@lru_cache(maxsize=64)
def _kept(path: str, modified: int) -> dict[str, Any]:
    counts: dict[str, Any] = json.loads(Path(path).read_text("utf-8"))
    return counts


def _read(path: str) -> dict[str, Any] | None:
    with contextlib.suppress(OSError, ValueError):
        return _kept(path, Path(path).stat().st_mtime_ns)
    return None
