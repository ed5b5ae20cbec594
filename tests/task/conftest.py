"""A tokenizer without training: words are cut into pieces of three characters, ids are given as pieces come."""

import re

import numpy as np
import pytest


class PieceTokenizer:
    """The interface of thaw.text.tokenizer.Tokenizer, as far as tasks use it."""

    pad_id, unk_id, cls_id, sep_id, mask_id = range(5)

    def __init__(self) -> None:
        self.table: dict[str, int] = {}

    @property
    def vocab_size(self) -> int:
        return 5 + len(self.table)

    def _id(self, piece: str) -> int:
        return self.table.setdefault(piece, 5 + len(self.table))

    def encode_offsets(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        spans = [
            (start, min(start + 3, word.end()))
            for word in re.finditer(r"\S+", text)
            for start in range(word.start(), word.end(), 3)
        ]
        ids = [self._id(text[start:end]) for start, end in spans]
        return np.array(ids, np.int32), np.array(spans, np.int32).reshape(-1, 2)

    def encode(self, text: str) -> np.ndarray:
        return self.encode_offsets(text)[0]

    def encode_batch(self, texts: list[str]) -> list[np.ndarray]:
        return [self.encode(text) for text in texts]

    def encode_words(self, words: list[str]) -> tuple[np.ndarray, np.ndarray]:
        pieces = [self.encode(word) for word in words]
        pieces = [ids if len(ids) else np.array([self.unk_id], np.int32) for ids in pieces]
        index = np.repeat(np.arange(len(words), dtype=np.int32), [len(ids) for ids in pieces])
        return np.concatenate(pieces), index


@pytest.fixture
def tokenizer() -> PieceTokenizer:
    return PieceTokenizer()
