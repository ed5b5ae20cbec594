"""How a tokenizer suits a text: pieces per word, unknown and byte pieces, texts that are too long."""

from collections.abc import Iterable
from itertools import islice

import numpy as np

from thaw.text.normalise import normalise
from thaw.text.tokenizer import Tokenizer


def fertility(
    tokenizer: Tokenizer, texts: Iterable[str], max_length: int | None = None
) -> dict[str, float | int | None]:
    """Return counts and rates over the texts; rates of nothing are None.

    pieces_per_word: pieces by words between white space (fertility: Acs 2019, Rust et al. 2021); unknown_rate and
    byte_rate: share of the pieces that are [UNK], or one byte of a character without a piece; truncated_share: of texts
    with more than ``max_length`` pieces, [CLS] and [SEP] included; lost_share: of the pieces beyond it.
    """
    count = dict.fromkeys(("texts", "words", "pieces", "bytes", "unknown", "byte_pieces", "truncated", "lost"), 0)
    is_byte = np.array(
        [piece.startswith("<0x") and len(piece) == 6 for piece in tokenizer.pieces(range(tokenizer.vocab_size))]
    )
    stream = iter(texts)
    while some := list(islice(stream, 1000)):
        for text, ids in zip(some, tokenizer.encode_batch(some), strict=True):
            clean = normalise(text)
            over = max(0, len(ids) + 2 - max_length) if max_length else 0
            count["texts"] += 1
            count["words"] += len(clean.split())
            count["bytes"] += len(clean.encode("utf-8", "replace"))
            count["pieces"] += len(ids)
            count["unknown"] += int((ids == tokenizer.unk_id).sum())
            count["byte_pieces"] += int(is_byte[ids].sum())
            count["truncated"] += over > 0
            count["lost"] += over
    rates = {
        "pieces_per_word": ("pieces", "words"),
        "bytes_per_piece": ("bytes", "pieces"),
        "unknown_rate": ("unknown", "pieces"),
        "byte_rate": ("byte_pieces", "pieces"),
        "truncated_share": ("truncated", "texts"),
        "lost_share": ("lost", "pieces"),
    }
    found: dict[str, float | int | None] = dict(count)
    for name, (part, whole) in rates.items():
        found[name] = count[part] / count[whole] if count[whole] else None
    return found
