"""Entities of a tag sequence and their F1, by conlleval's rules (Tjong Kim Sang and De Meulder 2003).

An entity counts when its type and both ends agree. An I- that follows no entity of its type begins one.
"""

Entity = tuple[str, int, int]  # type, first word, word after the last


def entities(tags: list[str]) -> list[Entity]:
    """Return the entities of BIO (or IOB1) tags in order of their first word."""
    found: list[Entity] = []
    kind, begin = "", 0
    for place, tag in enumerate([*tags, "O"]):
        mark, _, name = tag.partition("-")
        if kind and (mark != "I" or name != kind):
            found.append((kind, begin, place))
            kind = ""
        if mark in ("B", "I") and not kind:
            kind, begin = name, place
    return found


class EntityCounts:
    """Entities in truth, in prediction and in both, over all sentences; micro-averaged F1."""

    def __init__(self) -> None:
        self.true = self.predicted = self.both = 0

    def update(self, true: list[str], predicted: list[str]) -> None:
        """Count one sentence."""
        first, second = set(entities(true)), set(entities(predicted))
        self.true += len(first)
        self.predicted += len(second)
        self.both += len(first & second)

    def f1(self) -> float:
        """Return 2 both / (true + predicted); 0 when nothing is true or predicted, as conlleval has it."""
        total = self.true + self.predicted
        return 2 * self.both / total if total else 0.0
