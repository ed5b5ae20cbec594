"""Schemes of entity tags, and their conversion to BIO, which entity F1 is computed on.

A tag is a mark and a type. BIO (IOB2) begins every entity with B and goes on with I. IOB1 begins with I and takes B
only where an entity follows one of its own type (Ramshaw and Marcus 1995). BIOES marks the last word with E and an
entity of one word with S, BILOU says L and U, BMES and BMEWO say M for inside and W for one word (Ratinov and Roth
2009 compare them). The mark stands before the type or after it, and some files write it in small letters.

An entity begins and ends where conlleval says (Tjong Kim Sang and De Meulder 2003), which for tags that keep to their
scheme is what every tool says. Sentences that break it are counted.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from thaw.task.task import are_entity_tags

Parsed = tuple[str, str]  # mark (O alone has no type) and type

BEGIN, INSIDE, LAST, SINGLE = frozenset("B"), frozenset("IM"), frozenset("EL"), frozenset("SUW")
_MARKS = "BIMELSUW"
_FORMS = [
    (f"{where}{'' if case == 0 else ' in small letters'}", re.compile(pattern, case))
    for case in (0, re.IGNORECASE)
    for where, pattern in (
        ("", rf"(?P<mark>[{_MARKS}])-(?P<type>.+)"),
        (" with an underscore", rf"(?P<mark>[{_MARKS}])_(?P<type>.+)"),
        (" with the mark after the type", rf"(?P<type>.+)[-_](?P<mark>[{_MARKS}])"),
    )
]
_TWO_LETTERS = re.compile(rf"[{_MARKS}][-_][{_MARKS}]", re.IGNORECASE)  # either may be the mark


@dataclass(frozen=True)
class Scheme:
    """How a data set writes its entities."""

    name: str  # BIOES, "IOB1 with the mark after the type", ...
    form: re.Pattern[str]
    types: dict[str, str]  # a type -> the spelling that stands for it
    marks: frozenset[str]
    iob1: bool = False

    @property
    def marks_last(self) -> bool:
        """Whether the last word of an entity has a mark of its own."""
        return not self.marks <= {"B", "I"}

    def parse(self, tag: str) -> Parsed:
        """Return mark and type of a tag."""
        match = self.form.fullmatch(tag)
        return (match["mark"].upper(), self.types[match["type"]]) if match else ("O", "")

    def bio(self, tags: Sequence[str]) -> list[str]:
        """Return the BIO tags of a sentence."""
        found: list[str] = []
        before: Parsed = ("O", "")
        for mark, kind in map(self.parse, tags):
            after_end = before[0] == "O" or before[1] != kind or before[0] in LAST | SINGLE
            begins = mark in BEGIN | SINGLE or (after_end and (self.iob1 or self.marks_last))
            found.append("O" if mark == "O" else f"{'B' if begins else 'I'}-{kind}")
            before = mark, kind
        return found

    def breaks(self, tags: Sequence[str]) -> bool:
        """Return whether a sentence has an entity without its begin or its end, where the scheme marks both."""
        if not self.marks_last:
            return False
        open_type: str | None = None
        for mark, kind in [*map(self.parse, tags), ("O", "")]:
            goes_on = mark in INSIDE | LAST
            if goes_on != (open_type is not None) or (goes_on and kind != open_type):
                return True
            open_type = kind if mark in BEGIN | INSIDE else None
        return False

    def labels(self, tags: Iterable[str]) -> list[str]:
        """Return a declared label set as BIO, in its order; every type has a B, which IOB1 may do without."""
        parsed = [self.parse(tag) for tag in tags]
        words = ["O" if mark == "O" else f"{'B' if mark in BEGIN | SINGLE else 'I'}-{kind}" for mark, kind in parsed]
        return list(dict.fromkeys([*words, *(f"B-{kind}" for mark, kind in parsed if mark != "O")]))


def scheme(sentences: Sequence[Sequence[str]], declared: Iterable[str] = ()) -> Scheme | None:
    """Return the scheme of tagged sentences; None where they are BIO already, or of no scheme that is known."""
    counts = Counter(tag for tags in sentences for tag in tags)
    names = {*counts, *declared}
    outside = {tag for tag in names if tag.upper() == "O"}
    others = names - outside
    if not outside or not others:
        return None
    fitting = next(((words, form) for words, form in _FORMS if all(map(form.fullmatch, others))), None)
    if fitting is None:
        return None
    words, form = fitting
    parsed = {tag: match for tag in others if (match := form.fullmatch(tag))}
    marks = frozenset(match["mark"].upper() for match in parsed.values())
    types = _spellings({tag: match["type"] for tag, match in parsed.items()}, counts)
    plain = Scheme("", form, types, marks)
    iob1 = not plain.marks_last and _is_iob1([plain.parse(tag) for tag in tags] for tags in sentences)
    mixed = any(kind != spelling for kind, spelling in types.items())
    if are_entity_tags(sorted(names)) and not iob1 and not mixed:
        return None
    name = f"{'IOB1' if iob1 else _family(marks)}{words}{' with types in several cases' if mixed else ''}"
    return Scheme("BIO with a small o" if name == "BIO" else name, form, types, marks, iob1)


def doubtful(tags: Iterable[str]) -> str | None:
    """Return a tag that does not say which of its letters is the mark, as L-B where all end with -B or -I; else None.

    Types of one letter may look like marks. The mark stands last where BIO is found there, or no B and no I is first.
    """
    others = {tag for tag in tags if tag.upper() != "O"}
    firsts, lasts = {tag[:1].upper() for tag in others}, {tag[-1:].upper() for tag in others}
    if not others or not all(map(_TWO_LETTERS.fullmatch, others)) or not lasts <= {"B", "I"}:
        return None
    return min(others) if lasts == {"B", "I"} or not firsts & {"B", "I"} else None


def _family(marks: frozenset[str]) -> str:
    if marks & {"L", "U"}:
        return "BILOU"
    if "W" in marks or "M" in marks:
        return "BMEWO" if "W" in marks else "BMES"
    return "BIOES" if marks & {"E", "S"} else "BIO"


def _spellings(types: dict[str, str], counts: Counter[str]) -> dict[str, str]:
    """Return for each type the commonest of the types that differ from it only in case."""
    often: Counter[str] = Counter()
    for tag, kind in types.items():
        often[kind] += counts[tag]
    best: dict[str, str] = {}
    for kind in sorted(often, key=lambda kind: (-often[kind], kind)):
        best.setdefault(kind.casefold(), kind)
    return {kind: best[kind.casefold()] for kind in often}


def _is_iob1(sentences: Iterable[Sequence[Parsed]]) -> bool:
    """Return whether I begins entities and B never stands where I would have begun one."""
    begins = False
    for tags in sentences:
        before: Parsed = ("O", "")
        for mark, kind in tags:
            follows = before[0] != "O" and before[1] == kind
            if mark == "B" and not follows:
                return False
            begins |= mark == "I" and not follows
            before = mark, kind
    return begins
