"""Pseudo-log-likelihood of words per raw byte: a measure of masked encoders that compares across tokenizers.

Legend: N rows of a batch, T tokens a row, V pieces in the vocabulary.

PLL-word-l2r (Kauf & Ivanova 2023, "A Better Way to Do Masked Language Model Scoring"): to score a piece, it and all
pieces of its word to the right are masked; the pieces of its word to the left and all other words stand. So no piece
is given away by the rest of its word, as with one mask at a time (Salazar et al. 2020), and a word's score is
log p(word | the other words), by the chain rule over its pieces. Sums over a text, divided by its raw bytes, have one
unit however the text is cut into pieces.

Differences: a word is what white space delimits, for every tokenizer (the paper takes the tokenizer's words, where
WordPiece counts a comma as one); a passage longer than the encoder's blocks is cut between words.

Limits. It is no code length: each word sees those to its right. The number of masks tells how many pieces the word
has, which helps small vocabularies: at most the entropy of that number, ``dev/word_count_bits``, so the truth lies
between the score and the sum of both. Tokenizers that drop characters have less to predict (`Passages.about`).

Cost: one row a piece, whatever the training. 64 passages of Wikipedia on 2026-11-28: 67 thousand tokens forward at
8,000 pieces (1.9 s, 4 layers of 128, one thread of a busy machine), 483 thousand at 400 (10.6 s).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from thaw.text.passages import Passages, raw_bytes, words_of
from thaw.text.tokenizer import Tokenizer
from thaw.train.module import at_rest
from thaw.train.pretrain import PretrainModule

BATCH_TOKENS = 4096  # of a batch of rows, padding included; memory grows with it, the result does not change
MOST_ROWS = 128  # of a batch: their scores take 128 x V x 4 bytes, twice


@dataclass(frozen=True)
class Window:
    """Whole words that fit into one block: their pieces, and where the word of each piece ends."""

    passage: int
    ids: np.ndarray  # (n,) without special pieces
    ends: np.ndarray  # (n,) one beyond the last piece of the word


class WordLikelihood:
    """PLL-word-l2r of some passages under an encoder with a masked-word head."""

    def __init__(self, passages: Passages, tokenizer: Tokenizer, length: int, batch_tokens: int = BATCH_TOKENS) -> None:
        self.passages, self.tokenizer, self.batch_tokens = passages, tokenizer, batch_tokens
        self.windows: list[Window] = []
        self.pieces_of_words: list[int] = []
        for number, text in enumerate(passages.texts):
            words = [ids for ids in tokenizer.encode_batch(words_of(text)) if len(ids)]
            self.pieces_of_words += map(len, words)
            self.windows += _windows(number, words, length - 2)

    @torch.no_grad()
    def __call__(self, module: PretrainModule) -> dict[str, float]:
        """Return the bits per raw byte, their standard error over passages, and the bits that lengths may give away."""
        bits = np.zeros(len(self.passages.texts))
        for window, scores in zip(self.windows, self.scores(module), strict=True):
            bits[window.passage] -= scores.sum() / math.log(2)
        sizes = np.array([raw_bytes(text) for text in self.passages.texts], dtype=np.float64)
        rate = float(bits.sum() / sizes.sum())
        count = len(bits)
        variance = float(((bits - rate * sizes) ** 2).sum()) * count / max(1, count - 1)  # of a ratio (Cochran 1977)
        return {
            "dev/word_bits_per_byte": rate,
            "dev/word_bits_error": math.sqrt(variance) / float(sizes.sum()),
            "dev/word_count_bits": self.count_bits / float(sizes.sum()),
        }

    @property
    def count_bits(self) -> float:
        """The entropy of the number of pieces of a word, in bits, summed over the words."""
        counts = np.unique(self.pieces_of_words, return_counts=True)[1]
        return float((counts * np.log2(counts.sum() / counts)).sum()) if len(counts) else 0.0

    @torch.no_grad()
    def scores(self, module: PretrainModule) -> list[np.ndarray]:
        """Return log p (nats, float64) of each piece (n,) of each window."""
        scores = [np.zeros(len(window.ids)) for window in self.windows]
        with at_rest(module):
            for rows in self.batches():
                inputs, valid, positions, targets = (part.to(module.device) for part in self.masked(rows))
                padded = valid if not bool(valid.all()) else None
                logits = module.logits(inputs, padded, positions).float()  # (N, V)
                chosen = logits.log_softmax(-1).gather(1, targets[:, None])[:, 0].double().cpu().numpy()
                for (window, place), score in zip(rows, chosen, strict=True):
                    scores[window][place] = score
        return scores

    def batches(self) -> Iterator[list[tuple[int, int]]]:
        """Yield rows (window, place of the piece), short windows first, few enough for both limits."""
        order = sorted(range(len(self.windows)), key=lambda number: len(self.windows[number].ids))
        rows: list[tuple[int, int]] = []
        for number in order:
            length = len(self.windows[number].ids) + 2
            for place in range(length - 2):
                if rows and (len(rows) == MOST_ROWS or (len(rows) + 1) * length > self.batch_tokens):
                    yield rows
                    rows = []
                rows.append((number, place))
        if rows:
            yield rows

    def masked(self, rows: list[tuple[int, int]]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return inputs (N, T), valid (N, T), positions (N,) flat, targets (N,) of some rows."""
        tokenizer = self.tokenizer
        width = max(len(self.windows[number].ids) for number, _ in rows) + 2
        inputs = np.full((len(rows), width), tokenizer.pad_id, dtype=np.int64)
        valid = np.zeros((len(rows), width), dtype=bool)
        targets = np.zeros(len(rows), dtype=np.int64)
        for row, (number, place) in enumerate(rows):
            window = self.windows[number]
            size = len(window.ids)
            inputs[row, : size + 2] = [tokenizer.cls_id, *window.ids, tokenizer.sep_id]
            inputs[row, place + 1 : window.ends[place] + 1] = tokenizer.mask_id
            valid[row, : size + 2] = True
            targets[row] = window.ids[place]
        positions = np.arange(len(rows)) * width + np.array([place + 1 for _, place in rows])
        return torch.from_numpy(inputs), torch.from_numpy(valid), torch.from_numpy(positions), torch.from_numpy(targets)


def _windows(passage: int, words: list[np.ndarray], room: int) -> Iterator[Window]:
    """Yield the words of a passage, as many as fit at a time; a word longer than ``room`` is cut."""
    parts = [word[first : first + room] for word in words for first in range(0, len(word), room)]
    held: list[np.ndarray] = []
    for part in parts:
        if sum(map(len, held)) + len(part) > room:
            yield _window(passage, held)
            held = []
        held.append(part)
    if held:
        yield _window(passage, held)


def _window(passage: int, words: list[np.ndarray]) -> Window:
    lengths = [len(word) for word in words]
    return Window(passage, np.concatenate(words).astype(np.int64), np.repeat(np.cumsum(lengths), lengths))
