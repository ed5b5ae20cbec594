"""The passages of a corpus that a pretraining is scored on: read once, kept beside the ids they were drawn from."""

import contextlib
import json
import os
from pathlib import Path

from thaw.config import PretrainConfig
from thaw.errors import StorageError
from thaw.job.identity import tokens_key
from thaw.storage import write_text
from thaw.text import corpus
from thaw.text.packing import Blocks
from thaw.text.passages import CHARACTERS, PASSAGES, Passages, read, sample, to_read
from thaw.text.tokenizer import Tokenizer
from thaw.track.identity import run_id


def passages(config: PretrainConfig, tokenizer: Tokenizer, corpus_sha: str, held_out: Blocks) -> Passages | None:
    """Return the passages of held-out documents; None where the corpus has not the text that was turned into ids.

    Ids can not be turned back into raw bytes, so the corpus is streamed once more, and the few passages are kept.
    """
    folder = Path(config.cache.folder) / "tokens" / tokens_key(corpus_sha, tokenizer.fingerprint)
    numbers = to_read(held_out.file, held_out.documents)
    name = run_id({"documents": numbers.tolist(), "passages": PASSAGES, "characters": CHARACTERS})
    path = folder / f"passages-{name}.json"
    if (before := _stored(path)) is not None:
        return before
    documents = read(corpus.documents(config.corpus), held_out.file, tokenizer, numbers)
    if documents is None:
        return None
    chosen = sample(documents)
    if os.path.isdir(folder):  # else the ids could not be kept there either
        with contextlib.suppress(StorageError):  # it is read again then
            content = {"sha256": chosen.sha256, "texts": chosen.texts}
            write_text(path, json.dumps(content, ensure_ascii=False) + "\n")
    return chosen


def _stored(path: Path) -> Passages | None:
    """Return the passages in a file, None where there is none or it is damaged."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        content = json.loads(path.read_text("utf-8"))
        stored = Passages(tuple(content["texts"]))
        if stored.texts and stored.sha256 == content["sha256"]:
            return stored
    return None
