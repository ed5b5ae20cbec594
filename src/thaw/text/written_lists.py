"""Lists that a table's cell holds as text: the way Python, JSON and numpy write them.

pandas writes a column of lists to CSV as Python shows them, ``['the', 'dog']``, a column of numpy arrays as numpy does,
``['the' 'dog']``. Split at spaces they would give other words. Evaluated as Python, numpy's would become one word, so
the strings are taken one by one.
"""

import ast
import json
import re
import warnings

LONGEST = 2**22  # characters of a cell that are taken for a list
_STRING = r"""u?(?:'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+")"""
_ITEM = re.compile(rf"\s*+({_STRING})(\s*+,\s*+|\s++|\Z)", re.DOTALL)
_BEGINS = re.compile(r"""\[u?['"]|\[np\.str_\(['"]|array\(\[['"]""")
_FIRST = re.compile(rf"\[{_STRING}\s*+,", re.DOTALL)
_ENDS = re.compile(r"""(?:['"]\s*+(?:,\s*+)?+\]|\)\s*+\]|\))\Z""")
_NUMBERS = re.compile(r"\[\s*+[-+]?\d++(?:(?:\s*+,\s*+|\s++)[-+]?\d++)*+\s*+(?:,\s*+)?+\]")
_TUPLE = re.compile(r"""\(u?['"].*['"]\s*+(?:,\s*+)?+\)""", re.DOTALL)


def is_list(cell: str) -> bool:
    """Return whether a cell is a list of strings written as text, readable or not; words in brackets are none."""
    cell = cell.strip()
    if cell == "[]" or (_BEGINS.match(cell) and _ENDS.search(cell)) or (_FIRST.match(cell) and cell[-1] == "]"):
        return True
    return bool(_TUPLE.fullmatch(cell)) and strings(cell) is not None


def strings(cell: str) -> list[str] | None:
    """Return the strings of such a list; None where it is cut short (numpy's ``...``), nested or of something else."""
    cell = cell.strip()
    if cell == "[]":
        return []
    if len(cell) > LONGEST or cell[:1] not in ("[", "(") or cell[-1:] != {"[": "]", "(": ")"}[cell[0]]:
        return None
    if cell[:2] == '["':
        try:
            found = json.loads(cell)
        except (ValueError, RecursionError):
            found = None  # Python mixes both marks
        if isinstance(found, list):
            return found if all(isinstance(one, str) for one in found) else None
    return _items(cell[1:-1], commas=cell[0] == "(")


def integers(cell: str) -> list[int] | None:
    """Return the whole numbers of a list written as text, ``[1, 0]`` or numpy's ``[1 0]``; None where it is none."""
    cell = cell.strip()
    if len(cell) > LONGEST or not _NUMBERS.fullmatch(cell):
        return None
    words = cell[1:-1].replace(",", " ").split()
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
                found.append(str(ast.literal_eval(match[1])))
        except (ValueError, SyntaxError):
            return None
    if len(parted) > 1 or (commas and parted != {True}):
        return None
    return found
