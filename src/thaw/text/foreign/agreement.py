"""What is refused of a foreign tokenizer before the tokenizers library reads it: files that contradict each other.

Transformers' BertTokenizer does not look at the rules of tokenizer.json, and no class at vocab.txt beside it: what
AutoTokenizer overlooks there is refused with both values, since one of them is not what the encoder was trained with.
"""

import json
from typing import Any

from thaw.errors import DataError
from thaw.text.foreign import bounds, tokens
from thaw.text.foreign import files as folder_files
from thaw.text.foreign.files import SETTINGS, TWIN, VOCABULARY, Files

LONGEST_WORD = 100  # characters, of BertTokenizer, which has no setting for it
_NORMAL = {"do_lower_case": True, "strip_accents": None, "tokenize_chinese_chars": True}  # BertTokenizer's defaults


def check(files: Files) -> None:
    """Raise DataError for what is refused before the tokenizers library reads anything."""
    bounds.check(files)
    if files.ours:
        return
    folder_files.check(files)
    tokens.check(files)
    if files.family == "bert":
        normalizer(files)
        if files.twin is not None:
            _check_bert(files, files.twin)
    if files.twin is not None:
        _check_rules(files.twin)
        _check_unknown(files, files.twin)
        _check_lines(files, files.twin)


def normalizer(files: Files) -> dict[str, Any]:
    """Return the settings of BertTokenizer's normaliser; DataError where one is neither true nor false."""
    values = {name: files.settings.get(name, default) for name, default in _NORMAL.items()}
    for name, value in values.items():
        if not isinstance(value, bool) and not (name == "strip_accents" and value is None):
            raise DataError(f"{SETTINGS} has {name}={value!r}, expected true or false")
    return values


def _check_bert(files: Files, twin: dict[str, Any]) -> None:
    """Raise DataError where tokenizer.json has another rule than BertTokenizer, which does not look at it."""
    model, rule = twin["model"], twin.get("normalizer") or {}
    settings, unknown = normalizer(files), tokens.roles(files)[1]
    lower, strip = settings["do_lower_case"], settings["strip_accents"]
    names = {"lowercase": "do_lower_case", "handle_chinese_chars": "tokenize_chinese_chars"}
    rows = [
        ("model", model.get("type", "WordPiece"), "WordPiece"),
        ("unk_token", model.get("unk_token"), unknown),
        ("continuing_subword_prefix", model.get("continuing_subword_prefix", "##"), "##"),
        ("max_input_chars_per_word", model.get("max_input_chars_per_word", LONGEST_WORD), LONGEST_WORD),
        ("pre_tokenizer", (twin.get("pre_tokenizer") or {}).get("type"), "BertPreTokenizer"),
        ("normalizer", rule.get("type"), "BertNormalizer"),
        ("clean_text", rule.get("clean_text"), True),
        ("lowercase", rule.get("lowercase"), lower),
        ("strip_accents", _either(rule.get("strip_accents"), rule.get("lowercase")), _either(strip, lower)),
        ("handle_chinese_chars", rule.get("handle_chinese_chars"), settings["tokenize_chinese_chars"]),
    ]
    for name, theirs, ours in rows:
        if theirs != ours:
            key = names.get(name, name)
            said = (
                f"{SETTINGS} has {key}={ours!r}"
                if key in files.settings
                else f"BertTokenizer has {ours!r} without {key} in {SETTINGS}"
            )
            raise DataError(
                f"{TWIN} has {name}={theirs!r}, {said}, and AutoTokenizer goes by the latter: let both say the same, "
                f"or write tokenizer_class=PreTrainedTokenizerFast for what {TWIN} says"
            )


def _either(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def _check_rules(twin: dict[str, Any]) -> None:
    """Raise DataError for byte-level pieces, which do not say where a word begins."""
    if any('"ByteLevel"' in json.dumps(twin.get(part)) for part in ("normalizer", "pre_tokenizer")):
        raise DataError(
            f"{TWIN} has byte-level pieces, which mark no word borders: WordPiece and SentencePiece vocabularies are "
            "supported"
        )


def _check_unknown(files: Files, twin: dict[str, Any]) -> None:
    model, unknown = twin["model"], tokens.roles(files)[1]
    found = model.get("unk_token")
    if model.get("type") == "Unigram":
        vocabulary, number = model.get("vocab"), model.get("unk_id")
        inside = isinstance(vocabulary, list) and isinstance(number, int) and 0 <= number < len(vocabulary)
        entry = vocabulary[number] if inside else None
        found = entry[0] if isinstance(entry, list) and entry else None
    if isinstance(found, str) and found != unknown:
        raise DataError(
            f"{TWIN} has {found[:60]!r} for what it does not know, {SETTINGS} has unk_token={unknown[:60]!r}: "
            "let both say the same"
        )


def _check_lines(files: Files, twin: dict[str, Any]) -> None:
    """Raise DataError where vocab.txt has a piece under another id than tokenizer.json, which AutoTokenizer goes by."""
    vocabulary = twin["model"].get("vocab")
    if not isinstance(vocabulary, dict):
        return
    listed = [entry for entry in twin.get("added_tokens") or () if isinstance(entry, dict)]
    numbers = vocabulary | {entry.get("content"): entry.get("id") for entry in listed}
    pieces = {number: piece for piece, number in numbers.items() if isinstance(number, int)}
    lines = {line: number for number, line in enumerate(files.lines) if line and line == line.strip()}
    for piece, number in lines.items():
        if numbers.get(piece, number) != number or pieces.get(number, piece) != piece:
            found = f"the id {numbers[piece]}" if piece in numbers else f"{pieces[number][:60]!r} there"
            raise DataError(
                f"{VOCABULARY} has the piece {piece[:60]!r} under the id {number}, {TWIN} has {found}: "
                "remove the wrong file"
            )
