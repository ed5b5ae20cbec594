"""From a corpus to masked blocks: the tokenizer, ids on disk, held-out documents, packing."""

from pathlib import Path

import numpy as np

from thaw import build
from thaw.config import PretrainConfig
from thaw.errors import DataError
from thaw.job.identity import tokenizer_fields, tokens_key
from thaw.job.tell import tell
from thaw.objective.config import ObjectiveConfig
from thaw.text import corpus, ids, packing
from thaw.text.ids import TokenFile
from thaw.text.packing import Blocks
from thaw.text.tokenizer import Tokenizer
from thaw.train.pretrain import MaskedBlocks, Validation


def own_tokenizer(config: PretrainConfig) -> Tokenizer:
    """Return the tokenizer of the config, trained on the corpus if it has no path."""
    fields, cache = tokenizer_fields(config), Path(config.cache.folder)
    return build.tokenizer(config.tokenizer, config.corpus, fields, cache, tell)


def blocks(config: PretrainConfig, tokenizer: Tokenizer, corpus_sha: str) -> tuple[MaskedBlocks, Validation]:
    """Tokenise once, hold documents out, pack the rest.

    Held-out blocks are masked as BERT masks, whatever the objective's rate and unit, so that runs can be compared.
    """
    data = config.data
    key = tokens_key(corpus_sha, tokenizer.fingerprint)
    text = corpus.Documents(config.corpus)
    cache = Path(config.cache.folder) / "tokens"
    file = ids.tokenise(text, tokenizer, cache, key, text.tally, data.processes, tell)
    train_documents, held_out = split(file, config)
    train, dev = (pack(file, part, config, tokenizer) for part in (train_documents, held_out))
    if train.full < data.batch_size:
        raise DataError(
            f"the corpus gives {train.full} blocks of {data.length} tokens, one batch needs {data.batch_size}: add text"
            " or lower data.batch_size"
        )
    text_bytes = int(file.bytes[held_out].sum())
    text_tokens = int((file.offsets[held_out + 1] - file.offsets[held_out]).sum())
    masked = MaskedBlocks(dev, tokenizer, ObjectiveConfig(), 0, data.batch_size)
    validation = Validation(masked, data.batch_size, text_bytes, text_tokens)
    return MaskedBlocks(train, tokenizer, config.objective, config.seed, data.batch_size), validation


def split(file: TokenFile, config: PretrainConfig) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the documents to train on and of those held out, the same for every seed and tokenizer."""
    if len(file) < 2:
        raise DataError(
            f"the corpus has {len(file)} document, 2 are the least (one is held out); separate documents by blank lines"
            " or set corpus.document=line"
        )
    order = np.random.default_rng(0).permutation(len(file))
    fitting = int(np.searchsorted(np.cumsum(file.bytes[order]), config.data.max_held_out, side="right"))
    held = max(1, min(fitting, round(config.data.held_out * len(file))))
    return np.sort(order[held:]), np.sort(order[:held])


def pack(file: TokenFile, documents: np.ndarray, config: PretrainConfig, tokenizer: Tokenizer) -> Blocks:
    """Return the blocks of some documents."""
    return packing.blocks(
        file, config.data.length, config.data.packing, documents,
        pad_id=tokenizer.pad_id, cls_id=tokenizer.cls_id, sep_id=tokenizer.sep_id,
    )  # fmt: skip
