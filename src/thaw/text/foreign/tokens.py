"""Added and special tokens: what five files of a folder say of them, in the order in which AutoTokenizer adds them.

Followed is transformers 5 (``PreTrainedTokenizerBase._from_pretrained`` and ``TokenizersBackend.__init__``): with an
``added_tokens_decoder`` in tokenizer_config.json neither special_tokens_map.json nor added_tokens.json is looked at,
without it both are, and the list of tokenizer.json too. Where it overlooks what a file says, `check` refuses.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from thaw.errors import DataError
from thaw.text.foreign.files import ADDED, SETTINGS, SPECIAL, TWIN, Files
from thaw.text.normalise import SPECIAL_PIECES

ROLES = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
MOST_ADDED = 100_000
_SHORTEST = 3  # characters of a special piece: <s>
_NAMED = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")  # their order
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")
_DECODER, _EXTRAS = "added_tokens_decoder", ("extra_special_tokens", "additional_special_tokens")
_OWN = "model_specific_special_tokens"  # transformers 5 writes it when it saves: {"image_token": "<image>"}


@dataclass(frozen=True)
class Token:
    """A piece that is looked for in the text before the tokenizer's model sees it (``tokenizers.AddedToken``)."""

    content: str
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = True
    special: bool = False


def roles(files: Files) -> tuple[str, ...]:
    """Return the pieces for padding, unknown, [CLS], [SEP] and [MASK]."""
    values = _values(files)
    return tuple(_content(values.get(role)) or piece for role, piece in zip(ROLES, SPECIAL_PIECES, strict=True))


def numbered(files: Files) -> list[tuple[str, Token, int]]:
    """Return the tokens that have an id, each with the file that says so."""
    found: list[tuple[str, Token, int]] = []
    decoder = files.settings.get(_DECODER) or {}
    listed = (files.twin or {}).get("added_tokens") or []
    if not isinstance(decoder, dict) or not isinstance(listed, list):
        raise DataError(f"{SETTINGS if not isinstance(decoder, dict) else TWIN} has added tokens that are no list")
    found += [(SETTINGS, _token(value, SETTINGS), _number(key, SETTINGS)) for key, value in decoder.items()]
    special = {_content(_values(files).get(name)) for name in _NAMED} | {_content(one) for one in _early(files)}
    for content, number in files.added.items():
        token = Token(content, normalized=content not in special, special=content in special)
        found.append((ADDED, token, _number(number, ADDED)))
    for value in listed:
        found.append((TWIN, _token(value, TWIN), _number(value.get("id"), TWIN)))
    if len(found) > MOST_ADDED:
        raise DataError(f"it has {len(found)} added tokens, more than {MOST_ADDED} are too many")
    return [row for row in found if row[1].content]


def final(files: Files) -> list[Token]:
    """Return the added tokens of AutoTokenizer, in the order of adding; the five special pieces among them."""
    if _decoded(files):
        read = (SETTINGS,) if files.family == "bert" else (TWIN, SETTINGS)
    else:
        read = (ADDED, TWIN)
    rows = numbered(files)
    by_number: dict[int, Token] = {}
    for where in read:  # the later one counts
        by_number |= {number: token for source, token, number in rows if source == where}
    tokens = {token.content: token for _, token in sorted(by_number.items())}
    values = _values(files)
    named = [*(values.get(name) for name in _NAMED), *_with_names(files)]
    for value in [*named, *roles(files)] if files.family == "bert" else named:
        if content := _content(value):
            tokens[content] = replace(tokens[content], special=True) if content in tokens else _special(value)
    for value in _early(files) or _listed(files.special.get(_EXTRAS[1]), _decoded(files)):
        if (content := _content(value)) and content not in tokens:
            tokens[content] = _special(value)
    return list(tokens.values())


def matched(files: Files) -> list[Token]:
    """Return the added tokens that are one piece wherever they stand in a text: all but the five special pieces.

    The special ones among them are ordinary ones here, since special pieces are never looked for in a text.
    """
    own = set(roles(files))
    return [replace(token, special=False) for token in final(files) if token.content not in own]


def said(files: Files) -> Iterator[tuple[str, str]]:
    """Yield each file with a token that it names."""
    yield from ((where, token.content) for where, token, _ in numbered(files))
    for where, values in ((SETTINGS, files.settings), (SPECIAL, files.special)):
        for name, value in values.items():
            if name.endswith("_token") and _content(value):
                yield where, _content(value)
            elif name in (*_EXTRAS, _OWN):
                listed = value.values() if isinstance(value, dict) else _listed(value)
                yield from ((where, _content(one)) for one in listed if _content(one))


def check(files: Files) -> None:
    """Raise DataError where files name different special pieces, one is a word, or AutoTokenizer overlooks a token."""
    for name, value in files.special.items():
        ours, theirs = _content(files.settings.get(name)), _content(value)
        if name.endswith("_token") and ours and theirs and ours != theirs:
            raise DataError(f"{SETTINGS} has {name}={ours!r}, {SPECIAL} has {theirs!r}: let both say the same")
    for role, piece in zip(ROLES, roles(files), strict=True):
        if len(piece) < _SHORTEST or piece.isalnum():
            raise DataError(
                f"it has {role}={piece[:60]!r}, which stands in ordinary texts and is text here, but one piece for "
                "AutoTokenizer: name a piece in brackets"
            )
    added = {token.content for token in final(files)} | set(roles(files))
    for where, content in said(files):
        if content not in added:
            reads = f"{_DECODER} of {SETTINGS}" if _decoded(files) else SETTINGS
            raise DataError(
                f"{where} has the added token {content[:60]!r}, but AutoTokenizer goes by the {reads} and "
                "leaves it out: let both say the same"
            )


def _decoded(files: Files) -> bool:
    return _DECODER in files.settings


def _values(files: Files) -> dict[str, Any]:
    """Return the settings, with those of special_tokens_map.json where it is read: they count more."""
    if _decoded(files):
        return files.settings
    return files.settings | {name: value for name, value in files.special.items() if name not in _EXTRAS}


def _early(files: Files) -> list[Any]:
    """Return the special pieces without a name that AutoTokenizer knows before it reads added_tokens.json."""
    extra = _listed(files.settings.get(_EXTRAS[0]) or files.settings.get(_EXTRAS[1]))
    later = None if _decoded(files) else files.special.get(_EXTRAS[0])
    if isinstance(later, dict):  # it stands in for the list
        return []
    return [*extra, *(one for one in _listed(later) if one not in extra)]


def _with_names(files: Files) -> list[Any]:
    """Return the special pieces under names of a model's own (``image_token``), which stand in lists of names too.

    The list ``model_specific_special_tokens`` counts only where tokenizer_config.json has no such piece elsewhere.
    """
    own = _named_otherwise(files.settings)
    extra = files.settings.get(_EXTRAS[0]) or files.settings.get(_EXTRAS[1])
    plain = {name: value for name, value in own.items() if isinstance(value, str)}
    told = plain | (extra if isinstance(extra, dict) else {}) or files.settings.get(_OWN)
    marked = {n: value for n, value in own.items() if isinstance(value, dict) and value.get("__type") == "AddedToken"}
    later = {} if _decoded(files) else files.special
    more = later.get(_EXTRAS[0])
    parts = (marked, _named_otherwise(later), told, more)
    found: dict[str, Any] = {}
    for part in parts:
        found |= part if isinstance(part, dict) else {}
    return list(found.values())


def _named_otherwise(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name.endswith("_token") and name not in _NAMED}


def _listed(value: Any, overlooked: bool = False) -> list[Any]:
    return value if isinstance(value, list) and not overlooked else []


def _content(value: Any) -> str:
    content = value.get("content") if isinstance(value, dict) else value
    return content if isinstance(content, str) else ""


def _special(value: Any) -> Token:
    if not isinstance(value, dict):
        return Token(str(value), normalized=False, special=True)
    return replace(_token(value, SPECIAL), special=True, normalized=bool(value.get("normalized", False)))


def _token(value: Any, where: str) -> Token:
    if not isinstance(value, dict) or not isinstance(value.get("content"), str):
        raise DataError(f"{where} has an added token without its content: {str(value)[:60]!r}")
    flags = {name: value[name] for name in _FLAGS if value.get(name) is not None}
    if not all(isinstance(flag, bool) for flag in flags.values()):
        raise DataError(f"{where} has an added token {value['content'][:60]!r} with a flag that is not true or false")
    flags.setdefault("normalized", not flags.get("special", False))
    return Token(value["content"], **flags)


def _number(value: Any, where: str) -> int:
    try:
        number = int(value) if isinstance(value, str | int) and not isinstance(value, bool) else -1
    except ValueError:
        number = -1
    if number < 0:
        raise DataError(f"{where} has an added token with the id {str(value)[:60]!r}, expected a whole number")
    return number
