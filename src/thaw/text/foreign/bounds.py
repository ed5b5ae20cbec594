"""Pieces and rules that the tokenizers library can not be trusted with: it dies on some and never ends on others.

Measured with tokenizers 0.23: a piece of a million characters overflows the stack when it is freed, a repeated repeat
(``(a+)+$``) ends in a panic on a text that a user has, ``a`` -> ``aa`` forty times over takes all memory, and a word of
20,000 characters takes minutes where ``max_input_chars_per_word`` lets it. What these bounds miss, `probe` finds.
"""

import re
from collections.abc import Iterator
from typing import Any

from thaw.errors import DataError
from thaw.text.foreign.files import TWIN, Files

MOST_PIECES = 10_000_000  # a table of pieces takes memory by the highest id, which a file may put anywhere
LONGEST_PIECE = 1000  # characters
LONGEST_WORD = 1000  # characters of a word that WordPiece takes apart, in a time that grows with their square
LONGEST_RULE = 1000  # characters
MOST_RULES = 100
_CHARSMAP = "precompiled_charsmap"  # a table, not a rule
_RULES = ("normalizer", "pre_tokenizer", "post_processor", "decoder")


def check(files: Files) -> None:
    """Raise DataError naming the first piece or rule that is beyond a bound."""
    for number, piece in enumerate(_pieces(files)):
        if isinstance(piece, str) and len(piece) > LONGEST_PIECE:
            raise DataError(f"the piece {piece[:20]!r}… has {len(piece)} characters, at most {LONGEST_PIECE} are read")
        if number >= MOST_PIECES:
            raise DataError(f"it has more than {MOST_PIECES} pieces, which are too many")
    if files.twin is None:
        return
    vocabulary = files.twin["model"].get("vocab")
    ids = vocabulary.values() if isinstance(vocabulary, dict) else ()
    if (highest := max((number for number in ids if isinstance(number, int)), default=0)) >= MOST_PIECES:
        raise DataError(f"a piece has the id {highest}, more than {MOST_PIECES} pieces are too many")
    longest = files.twin["model"].get("max_input_chars_per_word")
    if isinstance(longest, int) and longest > LONGEST_WORD:
        raise DataError(f"{TWIN} has max_input_chars_per_word={longest}, at most {LONGEST_WORD} is read")
    if files.twin["model"].get("dropout"):
        raise DataError(
            f"{TWIN} has dropout={files.twin['model']['dropout']!r}, which gives a text other ids each time"
        )
    for part in _RULES:
        rules = list(_nodes(files.twin.get(part)))
        if (count := sum("type" in rule for rule in rules)) > MOST_RULES:
            raise DataError(f"the {part} of {TWIN} has {count} rules, at most {MOST_RULES} are read")
        for text in (text for rule in rules for text in _texts(rule)):
            if len(text) > LONGEST_RULE:
                raise DataError(
                    f"the {part} of {TWIN} has a rule of {len(text)} characters, at most {LONGEST_RULE} are read"
                )
        for pattern in patterns(files.twin.get(part)):
            if explosive(pattern):
                raise DataError(
                    f"the {part} of {TWIN} has the pattern {pattern[:60]!r}, which repeats a repeat or a choice: "
                    "the time it takes has no bound"
                )


def patterns(rules: Any) -> list[str]:
    """Return the regular expressions among ``rules``."""
    found = [node["Regex"] for node in _nodes(rules) if isinstance(node.get("Regex"), str)]
    return [pattern for pattern in found if pattern]


def letters(files: Files) -> str:
    """Return the characters that the rules of tokenizer.json mention, each once."""
    rules = [rule for part in _RULES[:2] for rule in _nodes((files.twin or {}).get(part))]
    return "".join(
        sorted({letter for rule in rules for text in _texts(rule) for letter in text if letter.isprintable()})
    )


def explosive(pattern: str) -> bool:
    """Say whether a regular expression repeats what repeats or chooses inside, or refers back to what it matched.

    Those take a time that doubles with each character of some text; without them a bound on it is a power.
    """
    if re.search(r"(?<!\\)(\\\\)*\\([1-9]|k)", pattern):
        return True
    repeats = [False]  # of the groups that are open
    at = 0
    while at < len(pattern):
        letter = pattern[at]
        at += 1
        if letter == "\\":
            at += 1
        elif letter == "[":
            at = _after_class(pattern, at)
        elif letter == "(":
            repeats.append(False)
            at += pattern[at : at + 1] == "?"
        elif letter == ")" and len(repeats) > 1:
            inside, again = repeats.pop(), pattern[at : at + 1] in ("*", "+", "{")
            if inside and again:
                return True
            repeats[-1] |= inside
        elif letter in "*+?{|":
            repeats[-1] = True
    return False


def _after_class(pattern: str, at: int) -> int:
    """Return where a class of characters ends that begins before ``at``; classes may hold classes."""
    depth, first = 1, at
    while at < len(pattern) and depth:
        letter = pattern[at]
        if letter == "\\":
            at += 1
        elif letter == "[":
            depth += 1
        elif letter == "]" and at > first:
            depth -= 1
        at += 1
    return at


def _pieces(files: Files) -> Iterator[Any]:
    yield from files.lines
    vocabulary = (files.twin or {}).get("model", {}).get("vocab")
    for entry in vocabulary if isinstance(vocabulary, dict | list) else ():
        yield entry[0] if isinstance(entry, list) and entry else entry
    yield from files.added
    listed, decoder = (files.twin or {}).get("added_tokens"), files.settings.get("added_tokens_decoder")
    values = [*(listed if isinstance(listed, list) else ()), *(decoder.values() if isinstance(decoder, dict) else ())]
    for value in values:
        yield value.get("content") if isinstance(value, dict) else value


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every JSON object in ``value``, itself included; JSON is at most as deep as Python's parser goes."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
        waiting += node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def _texts(rule: dict[str, Any]) -> list[str]:
    return [text for name, text in rule.items() if isinstance(text, str) and name != _CHARSMAP]
