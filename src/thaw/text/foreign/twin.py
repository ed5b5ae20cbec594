"""The tokenizer of a foreign folder as an object of the ``tokenizers`` library that gives AutoTokenizer's ids.

Transformers' BertTokenizer takes the vocabulary alone and makes its rules from tokenizer_config.json, every other class
takes tokenizer.json as it is. Added tokens come on top in the order in which AutoTokenizer adds them, and each must get
the id that its file says.
"""

import json
from typing import Any

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from thaw.errors import DataError, StorageError, ThawError
from thaw.text.foreign import tokens
from thaw.text.foreign.agreement import LONGEST_WORD, normalizer
from thaw.text.foreign.files import TWIN, VOCABULARY, Files


def build(files: Files) -> tokenizers.Tokenizer:
    """Return the tokenizer of a folder that passed `agreement.check`.

    Raises DataError where a token gets another id than its file says, StorageError where the library can not read it.
    """
    try:
        twin = _word_piece(files) if files.twin is None else tokenizers.Tokenizer.from_str(files.raw[TWIN].decode())
        return twin if files.ours else _with_added(twin, files)
    except ThawError:
        raise
    except Exception as error:  # the Rust parser raises bare Exception
        raise StorageError(f"damaged tokenizer in {files.folder}: {' '.join(str(error).split())[:160]}") from error


def _word_piece(files: Files) -> tokenizers.Tokenizer:
    """Return BertTokenizer (Devlin et al. 2019) for a ``vocab.txt``, as the library itself reads its lines."""
    _, unknown, cls, sep, _ = special = tokens.roles(files)
    vocabulary = models.WordPiece.read_file(str(files.folder / VOCABULARY))
    if unknown not in vocabulary:
        raise DataError(
            f"tokenizer has no piece {unknown}, which {VOCABULARY} must have for words that it does not know"
        )
    settings = normalizer(files)
    twin = tokenizers.Tokenizer(models.WordPiece(vocabulary, unk_token=unknown, max_input_chars_per_word=LONGEST_WORD))
    twin.normalizer = normalizers.BertNormalizer(
        lowercase=settings["do_lower_case"],
        strip_accents=settings["strip_accents"],
        handle_chinese_chars=settings["tokenize_chinese_chars"],
    )
    twin.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    twin.decoder = decoders.WordPiece()
    known = [piece for piece in dict.fromkeys(special) if piece in vocabulary]
    twin.add_special_tokens([tokenizers.AddedToken(piece, special=True, normalized=False) for piece in known])
    if cls in vocabulary and sep in vocabulary:
        twin.post_processor = processors.BertProcessing((sep, vocabulary[sep]), (cls, vocabulary[cls]))
    return twin


def _with_added(twin: tokenizers.Tokenizer, files: Files) -> tokenizers.Tokenizer:
    special = set(tokens.roles(files))
    declared = {token.content for _, token, _ in tokens.numbered(files)}
    there = {token.content: repr(token) for token in twin.get_added_tokens_decoder().values()}
    changed = False
    for token in tokens.final(files):
        known = twin.token_to_id(token.content) is not None
        if token.content in special and (known or token.content not in declared):
            continue  # special pieces are never looked for in a text, and one without a vector is refused later
        added = tokenizers.AddedToken(**vars(token))
        if there.get(token.content) != repr(added):
            twin.add_tokens([added])
            changed = True  # one that was special would be overlooked until it is read anew
    _check_numbers(twin, files)
    _check_forms(twin, files)
    content = json.loads(twin.to_str())
    changed |= files.family == "bert" and files.twin is not None and _reframed(twin, content, files)
    for entry in content["added_tokens"]:  # the library overlooks all special ones in a text, or none
        wanted = entry["content"] in special
        changed |= entry["special"] != wanted
        entry["special"] = wanted
    return tokenizers.Tokenizer.from_str(json.dumps(content, ensure_ascii=False)) if changed else twin


def _reframed(twin: tokenizers.Tokenizer, content: dict[str, Any], files: Files) -> bool:
    """Give the content of tokenizer.json BertTokenizer's [CLS] text [SEP] where it has another; say whether it had."""
    _, _, cls, sep, _ = tokens.roles(files)
    ends = twin.token_to_id(cls), twin.token_to_id(sep)
    parts = [twin.encode(text, add_special_tokens=False).ids for text in ("a", "b")]
    if None in ends or twin.encode("a", "b").ids == [ends[0], *parts[0], ends[1], *parts[1], ends[1]]:
        return False
    content["post_processor"] = {"type": "BertProcessing", "sep": [sep, ends[1]], "cls": [cls, ends[0]]}
    return True


def _check_forms(twin: tokenizers.Tokenizer, files: Files) -> None:
    """Raise DataError where two added tokens are one text when normalised: which it is hangs on their order."""
    forms: dict[str, str] = {}
    for token in tokens.matched(files):
        if token.normalized:
            form = twin.normalizer.normalize_str(token.content) if twin.normalizer else token.content
            other = forms.setdefault(form, token.content)
            if other != token.content:
                raise DataError(
                    f"the added tokens {other[:60]!r} and {token.content[:60]!r} are both {form[:60]!r} when "
                    "normalised: keep one of them"
                )


def _check_numbers(twin: tokenizers.Tokenizer, files: Files) -> None:
    for where, token, number in tokens.numbered(files):
        found = twin.token_to_id(token.content)
        if found != number:
            raise DataError(
                f"{where} gives the added token {token.content[:60]!r} the id {number}, "
                f"{VOCABULARY if files.twin is None else TWIN} leaves it {found}, as AutoTokenizer reads them: "
                "let both say the same"
            )
    numbers = {number: piece for piece, number in twin.get_vocab(with_added_tokens=False).items()}
    for number, added in twin.get_added_tokens_decoder().items():
        if numbers.get(number, added.content) != added.content:
            raise DataError(
                f"the added token {added.content[:60]!r} gets the id {number}, that of {numbers[number][:60]!r}: "
                "give each its own (a vocabulary that has a piece twice is shorter than its last id)"
            )
