"""Documents cut into blocks of one length: ``[CLS] length - 2 pieces [SEP]``.

``stream``: documents follow each other, a [SEP] between two of them, and every block is full but the last.
``documents``: no block holds two documents; the last block of each is padded.
Blocks are cut when they are asked for: nothing is copied, and any order of blocks is as cheap as any other.
"""

from dataclasses import dataclass

import numpy as np

from thaw.errors import ConfigError
from thaw.text.ids import TokenFile


@dataclass(frozen=True)
class Blocks:
    """The blocks of some documents of a token file, by number."""

    file: TokenFile
    documents: np.ndarray  # (n,) numbers of the documents, in their order
    starts: np.ndarray  # (n + 1,) place of each document: in the stream, or its first block's number
    length: int
    packing: str
    special: tuple[int, int, int]  # ids of [PAD], [CLS], [SEP]

    @property
    def room(self) -> int:
        """Pieces that one block holds beside [CLS] and [SEP]."""
        return self.length - 2

    def __len__(self) -> int:
        return -(-self._end // self.room) if self.packing == "stream" else self._end

    @property
    def full(self) -> int:
        """Blocks to train on: all but a last one that the stream does not fill."""
        return self._end // self.room if self.packing == "stream" else self._end

    @property
    def mean_tokens(self) -> float:
        """Tokens of a full block on average, padding left out."""
        if self.packing == "stream":
            return float(self.length)
        pieces = self.file.offsets[self.documents + 1] - self.file.offsets[self.documents]
        return float(pieces.sum()) / len(self) + 2

    @property
    def _end(self) -> int:
        return int(self.starts[-1]) - (self.packing == "stream")  # no [SEP] after the last document

    def get(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return ids (B, length) int64, valid (B, length) bool and the bytes of text (B,) float64 of blocks.

        A document's bytes are shared out evenly over its pieces.
        """
        numbers = np.asarray(numbers, dtype=np.int64)
        if len(numbers) and not (numbers.min() >= 0 and numbers.max() < len(self)):
            raise IndexError(f"block {numbers.max()} of {len(self)}")
        columns = np.arange(self.room)
        if self.packing == "stream":
            places = numbers[:, None] * self.room + columns  # (B, room) in the stream
            which = np.searchsorted(self.starts, places, side="right") - 1
            inside, within = places < self._end, places - self.starts[which.clip(max=len(self.documents) - 1)]
        else:
            which = np.broadcast_to(
                np.searchsorted(self.starts, numbers, side="right")[:, None] - 1, (len(numbers), self.room)
            )
            within = (numbers - self.starts[which[:, 0]])[:, None] * self.room + columns
            inside = np.ones_like(within, dtype=bool)
        document = self.documents[which.clip(max=len(self.documents) - 1)]
        first = self.file.offsets[document]
        lengths = self.file.offsets[document + 1] - first
        piece = inside & (within < lengths)  # (B, room) bool: a piece of a document stands there
        between = inside & (within == lengths) if self.packing == "stream" else np.zeros_like(piece)
        pad, cls, sep = self.special
        body = np.where(between, sep, pad)
        body[piece] = self.file.ids[(first + within)[piece]]
        filled = (piece | between).sum(1)
        ids = np.full((len(numbers), self.length), pad, dtype=np.int64)
        ids[:, 0], ids[:, 1:-1] = cls, body
        ids[np.arange(len(numbers)), filled + 1] = sep
        valid = np.arange(self.length) < (filled + 2)[:, None]
        share = np.where(piece, self.file.bytes[document] / lengths, 0.0)
        return ids, valid, share.sum(1)


def blocks(
    file: TokenFile, length: int, packing: str, documents: np.ndarray, *, pad_id: int, cls_id: int, sep_id: int
) -> Blocks:
    """Return the blocks of the given documents (numbers, in this order) of a token file."""
    documents = np.asarray(documents, dtype=np.int64)
    if length < 3 or not len(documents):
        raise ConfigError(f"no blocks from {len(documents)} documents at data.length={length}: more text, length >= 8")
    lengths = file.offsets[documents + 1] - file.offsets[documents]
    if packing == "stream":
        sizes = lengths + 1  # its [SEP]
    elif packing == "documents":
        sizes = -(-lengths // (length - 2))
    else:
        raise ConfigError(f"data.packing={packing} must be one of stream, documents")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    return Blocks(file, documents, starts, length, packing, (pad_id, cls_id, sep_id))
