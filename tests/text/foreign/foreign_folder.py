"""The files of a BERT tokenizer as others write them, with changes; the ids that a folder gives here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from thaw.text.foreign import agreement, bounds, files, samples, tokens, twin

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES = [
    *SPECIAL, "the", "film", "was", "good", ".", "bad", "co", "##vid", "##19", "<", "user", ">", "caf", "##e", "##é",
    "c", "Good", "Film", "日", "本", "un", "##able", ",", "-", "a", "##b",
]  # fmt: skip
BERT = {"tokenizer_class": "BertTokenizer"}
GENERIC = {"tokenizer_class": "PreTrainedTokenizerFast"}

Make = Callable[..., Path]


def lines(pieces: list[str]) -> str:
    """Return a vocab.txt."""
    return "\n".join(pieces) + "\n"


def token(content: str, **flags: Any) -> dict[str, Any]:
    """Return an added token as JSON files have it."""
    plain = dict.fromkeys(("lstrip", "rstrip", "single_word", "special"), False)
    return {"content": content, "normalized": True, **plain, **flags}


def twin_json(**changes: Any) -> dict[str, Any]:
    """Return the tokenizer.json of BertTokenizer with these pieces; a change of a part goes into the part."""
    special = [{"id": number, **token(piece, special=True, normalized=False)} for number, piece in enumerate(SPECIAL)]
    normal = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None}
    model = {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
    }
    vocabulary = {piece: number for number, piece in enumerate(PIECES)}
    parts: dict[str, Any] = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
        "normalizer": {**normal, "lowercase": True}, "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True}, "model": {**model, "vocab": vocabulary},
    }  # fmt: skip
    for name, change in changes.items():
        if name == "added_tokens":
            parts[name] = [*special, *change]
        else:
            parts[name] = {**parts[name], **change} if isinstance(change, dict) and "type" not in change else change
    return parts


def ids(folder: Path, texts: list[str]) -> list[list[int]]:
    """Return the ids of texts as a `Tokenizer` of the folder gives them, without another process."""
    found = files.read(folder)
    agreement.check(found)
    built = twin.build(found)
    built.encode_special_tokens = True
    built.no_truncation()
    return [built.encode(text, add_special_tokens=False).ids for text in texts]


def sample_texts(folder: Path) -> list[str]:
    """Return the texts that an import compares."""
    found = files.read(folder)
    added = [one.content for one in tokens.matched(found)]
    return samples.texts(twin.build(found).get_vocab(), added, tokens.roles(found), bounds.letters(found))
