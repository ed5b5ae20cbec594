"""SentencePiece: training in our words, and the exact translation of a model to ``tokenizer.json``.

SentencePiece trains and encodes fast (5-15 MB/s), ``tokenizers`` is what others load; with one normaliser in front of
both (``normalise``) and SentencePiece's own set to ``identity`` the ids are the same.
"""

import io
import re
import struct
from collections.abc import Iterable, Iterator

import sentencepiece
import tokenizers
from tokenizers import AddedToken, decoders, models, pre_tokenizers, processors

from thaw.errors import ConfigError, DataError
from thaw.text.normalise import NORMALISER, SPECIAL_PIECES, WORD_BORDER

# The sums of unigram training depend on the number of threads (not on the cores): fixed, so that a seed is enough.
THREADS = 4
_GRID = 1024  # scores are multiples of 1/1024
_PIECE, _SCORE = 1 << 3 | 2, 2 << 3 | 5  # tags: field number and wire type


def train_model(
    sentences: Iterable[str], *, kind: str, vocab_size: int, byte_fallback: bool, character_coverage: float
) -> bytes:
    """Return a trained SentencePiece model: pieces 0-4 are padding, unknown, [CLS], [SEP], [MASK].

    ``sentences`` are normalised. Unigram: Kudo 2018; BPE: Sennrich et al. 2016; byte fallback: unknown characters
    become pieces of their UTF-8 bytes.
    """
    written = io.BytesIO()
    pad, unknown, *control = SPECIAL_PIECES
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences),
            model_writer=written,
            model_type=kind,
            vocab_size=vocab_size,
            byte_fallback=byte_fallback,
            character_coverage=character_coverage,
            normalization_rule_name="identity",
            max_sentence_length=1 << 16,  # bytes; longer ones would be dropped with a log line only
            pad_id=0,
            unk_id=1,
            bos_id=-1,
            eos_id=-1,
            pad_piece=pad,
            unk_piece=unknown,
            control_symbols=control,
            num_threads=THREADS,
            minloglevel=3,
        )
    except (RuntimeError, OSError) as error:
        raise _translated(str(error), vocab_size) from error
    return _on_grid(written.getvalue())


def _on_grid(model: bytes) -> bytes:
    """Return the model with its scores rounded to multiples of 1/1024.

    Sums of them are exact in SentencePiece's float32 as in the float64 of ``tokenizers``, so that both choose the same
    pieces, and their decimals survive JSON. Walks the protocol buffer: field 1 holds the pieces, each with its score as
    field 2 (https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto).
    """
    patched = bytearray(model)
    for kind, start, end in _fields(model, 0, len(model)):
        if kind == _PIECE:
            for inner, at, _ in _fields(model, start, end):
                if inner == _SCORE:
                    (score,) = struct.unpack_from("<f", model, at)
                    struct.pack_into("<f", patched, at, round(score * _GRID) / _GRID)
    return bytes(patched)


def _fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the (tag, start, end) of each field of a protocol buffer message."""
    while at < end:
        tag, at = _varint(data, at)
        wire = tag & 7
        if wire == 2:
            size, at = _varint(data, at)
        else:
            size = {0: _varint(data, at)[1] - at, 1: 8, 5: 4}[wire]
        yield tag, at, at + size
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


def _translated(message: str, vocab_size: int) -> Exception:
    """Return our error for one of SentencePiece's, which name lines of its C++ source."""
    asked = f"tokenizer.vocab_size={vocab_size}"
    if found := re.search(r"too high.*?<= (\d+)", message, re.DOTALL):
        return ConfigError(f"{asked} is too high for this corpus: at most {found[1]}, or give more text")
    if found := re.search(r"smaller than required_chars\D+\d+ vs (\d+)", message):
        return ConfigError(
            f"{asked} is too small: this corpus needs at least {found[1]} (its characters, 256 bytes, special pieces), "
            "or lower tokenizer.character_coverage"
        )
    if "sentences_.empty" in message:
        return DataError("the tokenizer got no text to train on, give a corpus with text")
    return DataError(f"SentencePiece can not train on this corpus: {' '.join(message.split())[:200]}")


def to_tokenizers(model: bytes, kind: str) -> tokenizers.Tokenizer:
    """Return the ``tokenizers`` twin of a model of ``train_model``: same pieces, same ids for the same text."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    numbers = range(processor.get_piece_size())
    scored = [(processor.id_to_piece(number), processor.get_score(number)) for number in numbers]
    byte_fallback = any(processor.is_byte(number) for number in numbers)
    unknown = processor.unk_id()
    normal = {
        piece: score
        for number, (piece, score) in enumerate(scored)
        if not (processor.is_byte(number) or processor.is_control(number) or processor.is_unknown(number))
    }
    if kind == "bpe":
        vocabulary = {piece: number for number, (piece, _) in enumerate(scored)}
        twin = tokenizers.Tokenizer(
            models.BPE(vocabulary, _merges(normal), unk_token="[UNK]", fuse_unk=True, byte_fallback=byte_fallback)
        )
    else:
        twin = tokenizers.Tokenizer(models.Unigram(scored, unk_id=unknown, byte_fallback=byte_fallback))
    twin.normalizer = NORMALISER
    twin.pre_tokenizer = pre_tokenizers.Metaspace(replacement=WORD_BORDER, prepend_scheme="always", split=True)
    twin.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Metaspace(replacement=WORD_BORDER, prepend_scheme="always")]
    )
    twin.add_special_tokens([AddedToken(piece, special=True, normalized=False) for piece in SPECIAL_PIECES])
    twin.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(piece, scored.index((piece, 0.0))) for piece in ("[CLS]", "[SEP]")],
    )
    return twin


def _merges(scores: dict[str, float]) -> list[tuple[str, str]]:
    """Return every pair of pieces that makes a piece, best score first."""
    ranked = []
    number = {piece: index for index, piece in enumerate(scores)}
    for piece, score in scores.items():
        for at in range(1, len(piece)):
            left, right = piece[:at], piece[at:]
            if left in number and right in number:
                ranked.append((-score, number[left], number[right], left, right))
    return [(left, right) for *_, left, right in sorted(ranked)]
