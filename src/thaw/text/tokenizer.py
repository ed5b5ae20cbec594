"""Text to ids and back, for tokenizers trained here (SentencePiece) and for imported ones (`thaw.text.foreign`).

The identity of a tokenizer is the sha256 of its ``tokenizer.json``. Ids are those of ``transformers.AutoTokenizer`` on
the saved folder, with one difference: a literal ``[MASK]`` in a text is ordinary text here, as are the other four
special pieces. Added tokens beyond those five are one piece wherever they stand.
"""

import hashlib
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
import tokenizers
from tokenizers import models

from thaw.errors import ConfigError, DataError, StorageError, ThawError
from thaw.fields import free, identity
from thaw.storage import write_bytes, write_text
from thaw.text import pieces
from thaw.text.corpus import MIN_DIFFERENT_WORDS, MIN_WORDS
from thaw.text.files import cut
from thaw.text.foreign import agreement, tokens, twin
from thaw.text.foreign import files as folder_files
from thaw.text.foreign.bounds import MOST_PIECES
from thaw.text.foreign.probe import probe
from thaw.text.foreign.tokens import ROLES
from thaw.text.normalise import NORMALISER, SPECIAL_PIECES, WORD_BORDER, normalise
from thaw.text.words import Words

MAX_SENTENCE = 1000  # characters the trainer sees at once; longer paragraphs are cut at white space


@dataclass(kw_only=True)
class TokenizerConfig:
    """A tokenizer to train, or the folder of an existing one; the run id takes it by its fingerprint."""

    name: str = free("unigram")
    kind: str = identity("unigram", choices=["unigram", "bpe"])
    vocab_size: int = identity(8000, ge=6, le=1_000_000)  # pieces, the five special ones included
    byte_fallback: bool = identity(True)  # unknown characters become pieces of their UTF-8 bytes
    character_coverage: float = identity(0.9995, gt=0, le=1)  # share of the characters that get a piece
    sample_sentences: int = identity(40_000, ge=1)  # paragraphs drawn from the corpus to train on
    seed: int = identity(0, ge=0)  # of that draw
    path: str | None = free(None)  # a folder with tokenizer.json or vocab.txt: nothing is trained

    def __post_init__(self) -> None:
        if self.name == "folder" and not self.path:
            raise ConfigError("tokenizer=folder needs tokenizer.path=DIR, a folder with tokenizer.json or vocab.txt")


class Tokenizer:
    """A vocabulary with its rules; ids are int32, special pieces are never part of an encoded text."""

    def __init__(self, twin: tokenizers.Tokenizer, model: bytes | None = None, special: Iterable[str] = SPECIAL_PIECES):
        twin.no_truncation()
        twin.no_padding()
        twin.encode_special_tokens = True  # "[MASK]" in a text is no mask
        self._twin, self._model, self._special = twin, model, tuple(special)
        processor = sentencepiece.SentencePieceProcessor(model_proto=model) if model else None
        self._words = Words(processor) if processor else None
        ids = [twin.token_to_id(piece) for piece in self._special]
        if missing := [piece for piece, number in zip(self._special, ids, strict=True) if number is None]:
            raise DataError(f"tokenizer has no piece {', '.join(missing)}, it needs {', '.join(SPECIAL_PIECES)}")
        self.special_ids: list[int] = [number for number in ids if number is not None]
        self.pad_id, self.unk_id, self.cls_id, self.sep_id, self.mask_id = self.special_ids
        self.vocab_size: int = max(twin.get_vocab(with_added_tokens=True).values()) + 1
        if self.vocab_size > MOST_PIECES:
            raise DataError(f"tokenizer has the id {self.vocab_size - 1}, more than {MOST_PIECES} pieces are too many")
        self.word_start = self._word_starts()  # (vocab_size,) bool: the piece begins a word
        if processor and processor.get_piece_size() != self.vocab_size:
            raise StorageError("spiece.model and tokenizer.json differ in size, copy both from one tokenizer")
        self.compared = ""  # whose ids these were found to be on import
        self.fingerprint: str = hashlib.sha256(self._json().encode()).hexdigest()

    def __reduce__(self) -> tuple[Any, ...]:
        """Let another process build the same tokenizer."""
        return Tokenizer._again, (self._json(), self._model, self._special)

    @classmethod
    def _again(cls, twin: str, model: bytes | None, special: tuple[str, ...]) -> "Tokenizer":
        return cls(tokenizers.Tokenizer.from_str(twin), model, special)

    def _json(self) -> str:
        return self._twin.to_str(pretty=False)

    def _word_starts(self) -> np.ndarray:
        starts = np.zeros(self.vocab_size, dtype=bool)
        word_piece = isinstance(self._twin.model, models.WordPiece)
        continues = self._twin.model.continuing_subword_prefix if word_piece else ""
        for piece, number in self._twin.get_vocab(with_added_tokens=True).items():
            starts[number] = not piece.startswith(continues) if word_piece else piece.startswith(WORD_BORDER)
        if not starts.any():
            raise DataError("tokenizer marks no word borders: WordPiece and SentencePiece vocabularies are supported")
        return starts

    @classmethod
    def load(cls, folder: Path, compare: bool = False) -> "Tokenizer":
        """Read a tokenizer folder: ours, or a foreign one (``tokenizer.json``, or a BERT's ``vocab.txt``).

        A foreign one is first read by another process, within limits. With ``compare`` its ids are compared there with
        those of AutoTokenizer, where transformers is installed. Raises DataError for what is not honoured.
        """
        folder = Path(folder)
        try:
            files = folder_files.read(folder)
            agreement.check(files)
            compared = probe(files, compare) if compare or not files.ours else ""
            built, path = twin.build(files), folder / "spiece.model"
            # a foreign spiece.model normalises by its own rules: its tokenizer.json alone is right then
            ours = built.normalizer is not None and built.normalizer.__getstate__() == NORMALISER.__getstate__()
            found = cls(built, path.read_bytes() if ours and path.is_file() else None, tokens.roles(files))
            found.compared = compared
            return found
        except ThawError as error:
            raise type(error)(str(error) if str(folder) in str(error) else f"{folder}: {error}") from error
        except Exception as error:  # the Rust parser raises bare Exception
            raise StorageError(f"damaged tokenizer in {folder}: {' '.join(str(error).split())[:160]}") from error

    def save(self, folder: Path, model_max_length: int = 512) -> None:
        """Write ``tokenizer_config.json``, ``spiece.model`` where there is one, and ``tokenizer.json`` last."""
        folder = Path(folder)
        settings = {
            "tokenizer_class": "PreTrainedTokenizerFast",  # with BertTokenizer nearly all ids would be wrong
            **dict(zip(ROLES, self._special, strict=True)),
            "model_max_length": model_max_length,
            "clean_up_tokenization_spaces": False,
            "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        }
        write_text(folder / "tokenizer_config.json", json.dumps(settings, indent=2) + "\n")
        if self._model:
            write_bytes(folder / "spiece.model", self._model)
        write_text(folder / "tokenizer.json", self._json())

    def encode(self, text: str) -> np.ndarray:
        """Return the ids (n,) int32 of a text, without special pieces."""
        return self.encode_batch([text])[0]

    def encode_batch(self, texts: list[str]) -> list[np.ndarray]:
        """Return the ids (n,) int32 of each text."""
        if not self._words:
            return [
                np.array(found.ids, np.int32) for found in self._twin.encode_batch_fast(texts, add_special_tokens=False)
            ]
        ids, lengths, _ = self._words.encode(texts)
        ends = np.cumsum(lengths).tolist()
        return [ids[start:end] for start, end in zip([0, *ends], ends, strict=False)]

    def encode_flat(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the ids (n,) int32 of all texts, and of each text (texts,) int64 the number of its ids and its bytes.

        Bytes are those of the text in UTF-8 after our normalisation, whatever the tokenizer.
        """
        if self._words:
            return self._words.encode(texts)
        encoded = self.encode_batch(texts)
        sizes = [len(normalise(text).encode("utf-8", "replace")) for text in texts]
        lengths = np.array([len(ids) for ids in encoded], np.int64)
        return np.concatenate([np.empty(0, np.int32), *encoded]), lengths, np.array(sizes, np.int64)

    def encode_offsets(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """Return ids (n,) int32 and their characters [start, end) (n, 2) int32 in the text as it was given."""
        found = self._twin.encode(text, add_special_tokens=False)
        offsets = np.array(found.offsets, dtype=np.int32).reshape(-1, 2)
        for row in offsets:  # a piece that begins a word covers the white space before it
            while row[0] < row[1] and text[row[0]].isspace():
                row[0] += 1
        return np.array(found.ids, dtype=np.int32), offsets

    def encode_words(self, words: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return ids (n,) int32 and the index (n,) int32 of each piece's word; a word without pieces gets [UNK]."""
        unknown = np.array([self.unk_id], dtype=np.int32)
        encoded = [ids if len(ids) else unknown for ids in self.encode_batch(list(words))]
        index = np.repeat(np.arange(len(encoded), dtype=np.int32), [len(ids) for ids in encoded])
        return np.concatenate([np.empty(0, np.int32), *encoded]), index

    def frame(self, pair: bool = False) -> str:
        """Return how the tokenizer itself puts special pieces around a text, or two, where that is not our way.

        Ours is [CLS] text [SEP], and [CLS] text [SEP] text [SEP]. Empty where it does so too, or puts none.
        """
        texts = ["a", "b"] if pair else ["a"]
        parts = [self._twin.encode(text, add_special_tokens=False).ids for text in texts]
        ours = [self.cls_id, *(number for part in parts for number in (*part, self.sep_id))]
        found = self._twin.encode(texts[0], "b" if pair else None).ids
        if found in (ours, [number for part in parts for number in part]):
            return ""
        theirs, own = " ".join(self.pieces(found)), " ".join(self.pieces(ours))
        return f"tokenizer.json makes {theirs} of {' and '.join(texts)}, here it is {own}"

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids, special pieces left out."""
        return self._twin.decode([int(number) for number in ids], skip_special_tokens=True)

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """Return the piece of each id, as it stands in the vocabulary."""
        return [self._twin.id_to_token(int(number)) or "" for number in ids]


def _paragraphs(documents: Iterable[str]) -> Iterator[str]:
    for document in documents:
        for paragraph in document.split("\n"):
            if paragraph.strip():
                yield from cut(paragraph, MAX_SENTENCE)


def sample(items: Iterable[str], size: int, seed: int) -> list[str]:
    """Return a uniform draw of at most ``size`` items in their order (reservoir: Vitter 1985, algorithm R)."""
    generator = random.Random(seed)
    drawn: list[tuple[int, str]] = []
    for number, item in enumerate(items):
        if number < size:
            drawn.append((number, item))
        elif (place := int(generator.random() * (number + 1))) < size:
            drawn[place] = (number, item)
    return [item for _, item in sorted(drawn)]


def train(documents: Iterable[str], config: TokenizerConfig) -> Tokenizer:
    """Return a tokenizer trained on a sample of the documents; the same documents and config give the same bytes."""
    sentences = [normalise(text) for text in sample(_paragraphs(documents), config.sample_sentences, config.seed)]
    words = [word for sentence in sentences[: MIN_WORDS * 100] for word in sentence.split()]
    if len(words) < MIN_WORDS or len(set(words)) < MIN_DIFFERENT_WORDS:
        found = f"{len(words)} words, {len(set(words))} different"
        need = f"{MIN_WORDS} words, {MIN_DIFFERENT_WORDS} different"
        raise DataError(f"the tokenizer got only {found}: at least {need} are needed, give a larger corpus")
    model = pieces.train_model(
        (sentence for sentence in sentences if sentence),
        kind=config.kind,
        vocab_size=config.vocab_size,
        byte_fallback=config.byte_fallback,
        character_coverage=config.character_coverage,
    )
    return Tokenizer(pieces.to_tokenizers(model, config.kind), model)
