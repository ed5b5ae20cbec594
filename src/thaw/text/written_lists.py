"""Lists that a table's cell holds as text: the way Python, JSON, numpy and others write them.

pandas writes a column of lists to CSV as Python shows them, ``['the', 'dog']``, a column of numpy arrays as numpy does,
``['the' 'dog']``. Split at spaces they would give other words. Evaluated as Python, numpy's would become one word, so
the strings are taken one by one.

A tokenised text may stand in brackets too, ``[ laughs ]`` or ``( Reuters , 1996 )``. What a program writes is told from
it by what stands inside, values and nothing else, and by the comma, which follows a value without a blank there.
"""

import ast
import json
import re
import warnings

from thaw.text.half import whole

LONGEST = 2**22  # characters of a cell that are taken for a list
_QUOTED = r"""(?:'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+")"""
_STRING = f"u?{_QUOTED}"
_ANY_STRING = re.compile(f"[uUbB]?{_QUOTED}", re.DOTALL)  # bytes too, which are no words
_ITEM = re.compile(rf"\s*+({_STRING})(\s*+,\s*+|\s++|\Z)", re.DOTALL)
_BEGINS = re.compile(r"""\[[ub]?['"]|\[np\.str_\(['"]|array\(\[['"]""")
_FIRST = re.compile(rf"\[[ub]?{_QUOTED}\s*+,", re.DOTALL)
_ENDS = re.compile(r"""(?:['"]\s*+(?:,\s*+)?+\]|\)\s*+\]|\))\Z""")
_JSON = re.compile(r'\[\s*+"')
_TUPLE = re.compile(r"""\(\s*+u?['"].*['"]\s*+(?:,\s*+)?+\)""", re.DOTALL)

_NUMPY_NUMBER = re.compile(r"(?:np|numpy)\.(?:u?int|float)\d++\(([^()\s]*+)\)")  # numpy 2 shows a number so in a list
_WHOLE = r"[-+]?\d++(?:\.0*+)?+"
_NUMBERS = re.compile(rf"\[\s*+{_WHOLE}(?:(?:\s*+,\s*+|\s++){_WHOLE})*+\s*+(?:,\s*+)?+\]")

_NUMBER = r"[-+]?(?:\d++\.?\d*+|\.\d++)(?:[eE][-+]?\d++)?+"
_NAME = r"True|False|None|true|false|null|NULL|nan|NaN|-?inf|-?Infinity"
_VALUE = rf"(?:(?:{_NUMBER}|{_NAME})(?![\w.+-])|\.\.\.)"
_CALL = r"[A-Za-z_][\w.]*+\("  # np.int64(, Decimal(
_VALUES = re.compile(rf"(?:{_CALL}|\w++=\w*+|[\[\](){{}},:\s]|''|{_VALUE})*+")  # with every string written ''
_ONE_VALUE = re.compile(_VALUE)
_COMMA = re.compile(r"(?<![\s\[({,]),")
_TUPLE_COMMA = re.compile(r"(?<![\s\[({,]),(?=[\s)])")  # (1,000) is a number
_NAMED = re.compile(r"(?:\w++\.)?(?:array|Array|tensor|Index|deque|frozenset|set|dict_\w++)\(\s*+[\[({]")
_BRACKET = re.compile(r"[\[\](){}]")
_PARTNER = {"[": "]", "(": ")", "{": "}"}
_POSTGRES = r"""(?:"(?:[^"\\]|\\.)*+"|[^\s,"\\{}]++)"""
_BRACES = re.compile(rf"\{{{_POSTGRES}(?:,{_POSTGRES})++\}}", re.DOTALL)  # the way Postgres writes an array


def is_list(cell: str) -> bool:
    """Return whether a cell is a list (tuple, set, array) written as text, readable or not; words in brackets are none.

    A single number in brackets is none either, ``[1]`` is a reference; `integers` reads it where numbers are expected.
    """
    cell = cell.strip()
    if cell == "[]" or (_BEGINS.match(cell) and _ENDS.search(cell)) or (_FIRST.match(cell) and cell[-1] == "]"):
        return True
    if _TUPLE.fullmatch(cell) and strings(cell) is not None:
        return True
    return _is_written(cell) or bool(_BRACES.fullmatch(cell))


def _is_written(cell: str) -> bool:
    """Return whether a cell is nothing but values between brackets that are partners, as a program writes them."""
    named = _NAMED.match(cell)
    if not named and cell[:1] not in _PARTNER:
        return False
    bare = _ANY_STRING.sub("''", cell)
    if not _VALUES.fullmatch(bare) or not _is_one(bare):
        return False
    if named:
        return True
    if cell[0] == "(":
        return bool(_TUPLE_COMMA.search(bare))
    if _COMMA.search(bare) or re.search(_CALL, bare) or any(map(_is_word, _ANY_STRING.findall(cell))):
        return True
    return cell[0] == "[" and not bare[-2].isspace() and len(_ONE_VALUE.findall(bare)) > 1  # numpy's [1. 0.]


def _is_word(string: str) -> bool:
    """Return whether a string in quotes has no blank beside them, as a quotation in tokenised text has."""
    inner = string.lstrip("uUbB")[1:-1]
    return bool(inner) and not inner[0].isspace() and not inner[-1].isspace()


def _is_one(bare: str) -> bool:
    """Return whether the first bracket closes at the end and nowhere before, and all brackets have partners."""
    waiting: list[str] = []
    for match in _BRACKET.finditer(bare):
        if match[0] in _PARTNER:
            waiting.append(_PARTNER[match[0]])
        elif not waiting or waiting.pop() != match[0]:
            return False
        if not waiting:
            return match.end() == len(bare)
    return False


def strings(cell: str) -> list[str] | None:
    """Return the strings of such a list; None where it is cut short (numpy's ``...``), nested or of something else.

    Half a character, which the escapes of Python and JSON may hold, becomes U+FFFD.
    """
    cell = cell.strip()
    if cell == "[]":
        return []
    if len(cell) > LONGEST or cell[:1] not in ("[", "(") or cell[-1:] != _PARTNER[cell[0]]:
        return None
    if _JSON.match(cell):
        try:
            found = json.loads(cell)
        except (ValueError, RecursionError):
            found = None  # Python mixes both marks
        if isinstance(found, list):
            return [whole(one) for one in found] if all(isinstance(one, str) for one in found) else None
    return _items(cell[1:-1], commas=cell[0] == "(")


def integers(cell: str) -> list[int] | None:
    """Return the whole numbers of a list written as text; None where it is none.

    They may be written ``[1, 0]``, ``[1.0, 0.0]`` or as numpy does, ``[1 0]``, ``[1. 0.]``, ``[np.int64(1)]``.
    """
    cell = cell.strip()
    if len(cell) > LONGEST or cell[:1] != "[":
        return None
    cell = _NUMPY_NUMBER.sub(r"\1", cell)
    if not _NUMBERS.fullmatch(cell):
        return None
    words = [word.partition(".")[0] for word in cell[1:-1].replace(",", " ").split()]
    return [int(word) for word in words] if max(map(len, words)) < 20 else None


def _items(body: str, commas: bool) -> list[str] | None:
    """Return the strings of a list's inside, all parted by commas, or all by white space (not in a tuple)."""
    found, place, parted = [], 0, set[bool]()
    body = body.strip()
    while place < len(body):
        match = _ITEM.match(body, place)
        if match is None:
            return None
        place = match.end()
        comma = "," in match[2]
        if comma or place < len(body):
            parted.add(comma)
        try:
            with warnings.catch_warnings():  # Python warns of a backslash that escapes nothing
                warnings.simplefilter("ignore")
                found.append(whole(str(ast.literal_eval(match[1]))))
        except (ValueError, SyntaxError):
            return None
    if len(parted) > 1 or (commas and parted != {True}):
        return None
    return found
