"""A made-up language with few sounds and a Zipf distribution of words."""

import random

SOUNDS = ["ka", "mi", "to", "re", "su", "na", "lo", "pi", "dé", "vu", "sha", "gri", "ön", "est", "in", "a"]


def made_up(documents: int, seed: int = 0, paragraphs: int = 3, words: int = 40) -> list[str]:
    """Documents of paragraphs of words; deterministic."""
    draw = random.Random(seed)
    lexicon = ["".join(draw.choice(SOUNDS) for _ in range(draw.randint(1, 4))) for _ in range(800)]
    weights = [1 / rank for rank in range(1, len(lexicon) + 1)]
    return [
        "\n".join(" ".join(draw.choices(lexicon, weights, k=words)).capitalize() + "." for _ in range(paragraphs))
        for _ in range(documents)
    ]
