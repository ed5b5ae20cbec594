"""Passages of the held-out text as it stood before normalisation: the same raw text for every tokenizer.

Which passages they are follows from the documents alone (their number, sizes and characters), so two pretrainings on
one corpus that hold out the same documents are scored on the same bytes whatever their vocabularies. ``sha256`` says
whether they were. Bytes are UTF-8 of the text as the corpus reader gives it: lines trimmed, nothing else changed.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thaw.text.files import cut
from thaw.text.ids import TokenFile
from thaw.text.tokenizer import Tokenizer

PASSAGES = 64  # that are scored: some 1,300 words of English
CHARACTERS = 128  # a passage has at most; a piece costs one pass over its passage, so cost grows with the square
MOST_READ = 1 << 20  # bytes of held-out documents that passages are drawn from, one document at least
_SPACE = re.compile(r"[^\S\x0b\x1c-\x1f]+")
_PLAIN = re.compile(r"[0-9A-Za-z]")  # a document with such a character has pieces in every tokenizer


@dataclass(frozen=True)
class Passages:
    """Some raw text to be scored."""

    texts: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """The bytes of all passages in UTF-8, before any normalisation."""
        return sum(raw_bytes(text) for text in self.texts)

    @property
    def sha256(self) -> str:
        """The digest of the raw text: scores compare where it is the same."""
        state = hashlib.sha256()
        for text in self.texts:
            data = text.encode("utf-8", "replace")
            state.update(f"{len(data)} ".encode() + data)
        return state.hexdigest()

    def about(self, tokenizer: Tokenizer) -> dict[str, Any]:
        """Return what a lineage says of them: digest, passages, words, bytes, and words that lose something.

        ``lost_words`` are those whose pieces do not tell all of their characters: one of them is [UNK], or the word
        has the pieces that it has without capitals. Such a tokenizer has less to predict, which flatters its score.
        """
        words = [word for text in self.texts for word in words_of(text)]
        small = [word.lower() for word in words]
        encoded = zip(words, small, tokenizer.encode_batch(words), tokenizer.encode_batch(small), strict=True)
        lost = sum(
            tokenizer.unk_id in ids or (word != lower and np.array_equal(ids, folded))
            for word, lower, ids, folded in encoded
        )
        counts = {"passages": len(self.texts), "words": len(words), "bytes": self.bytes, "lost_words": lost}
        return {"sha256": self.sha256, **counts}


def words_of(text: str) -> list[str]:
    """Return what white space delimits; control characters that normalisers drop do not part a word."""
    return [word for word in _SPACE.split(text) if word]


def raw_bytes(text: str) -> int:
    """Return the length of a text in UTF-8."""
    return len(text.encode("utf-8", "replace"))


def sample(documents: Sequence[str], passages: int = PASSAGES, characters: int = CHARACTERS) -> Passages:
    """Return a fixed draw of passages of the documents, which are cut at white space where there is some.

    The ends of documents that are shorter than half a passage are left out, unless there is nothing else.
    """
    parts = [part.strip() for document in documents for part in cut(document, characters)]
    long = [part for part in parts if len(part) >= characters // 2] or [part for part in parts if part]
    order = np.random.default_rng(0).permutation(len(long))[:passages]
    return Passages(tuple(long[number] for number in order))


def to_read(file: TokenFile, held_out: np.ndarray) -> np.ndarray:
    """Return the numbers of the held-out documents to draw from: a fixed draw of at most ``MOST_READ`` bytes."""
    order = np.asarray(held_out)[np.random.default_rng(0).permutation(len(held_out))]
    fitting = int(np.searchsorted(np.cumsum(file.bytes[order]), MOST_READ, side="right"))
    return order[: max(1, fitting)]


def read(documents: Iterable[str], file: TokenFile, tokenizer: Tokenizer, numbers: np.ndarray) -> list[str] | None:
    """Return the raw text of some documents of a token file, in the order of ``numbers``; the corpus is streamed.

    Nothing is read beyond the last of them. None where a text has not the ids that the file holds: another corpus.
    """
    wanted, texts, number = set(map(int, numbers)), dict[int, str](), 0
    empty = bool((file.meta.get("read") or {}).get("empty"))
    for text in documents:
        if empty and not _PLAIN.search(text) and not len(tokenizer.encode(text)):
            continue  # it has no number in the file
        if number in wanted:
            kept = file.ids[file.offsets[number] : file.offsets[number + 1]]
            if not np.array_equal(tokenizer.encode(text), kept):
                return None
            texts[number] = text
            if len(texts) == len(wanted):
                return [texts[int(one)] for one in numbers]
        number += 1
    return None
