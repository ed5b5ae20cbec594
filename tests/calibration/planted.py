"""A made-up language in which pretraining must help, and texts from which it must not.

A sentence has a latent topic; half of its words are the topic's, the others belong to no topic. A topic has so many
words that a few labelled sentences show only a part of them: what the rest mean is in the unlabelled text alone, since
words of a topic stand together. Shuffled text has the same words and nothing to learn from who stands beside whom.
"""

import json
import random
from pathlib import Path

TOPICS, WORDS, GLUE = 4, 300, 60
LENGTH = 10  # words of a sentence
SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]


class Language:
    """The words of a language; another seed has another vocabulary."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(f"language {seed}")
        words: set[str] = set()
        while len(words) < TOPICS * WORDS + GLUE:
            words.add("".join(draw.choices(SYLLABLES, k=3)))
        ordered = sorted(words)
        draw.shuffle(ordered)
        self.topics = [ordered[WORDS * i : WORDS * (i + 1)] for i in range(TOPICS)]
        self.glue = ordered[WORDS * TOPICS :]

    def sentence(self, topic: int, draw: random.Random) -> list[str]:
        """Return the words of a sentence about a topic."""
        return [draw.choice(self.topics[topic] if draw.random() < 0.5 else self.glue) for _ in range(LENGTH)]


def write_corpus(path: Path, language: Language, seed: int, sentences: int = 20_000, shuffled: bool = False) -> Path:
    """Write unlabelled sentences, one a line; shuffled: all their words in any order over the whole file."""
    draw = random.Random(f"corpus {seed}")
    text = [language.sentence(draw.randrange(TOPICS), draw) for _ in range(sentences)]
    if shuffled:
        words = [word for sentence in text for word in sentence]
        draw.shuffle(words)
        text = [words[i : i + LENGTH] for i in range(0, len(words), LENGTH)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(" ".join(sentence) + "\n" for sentence in text))
    return path


def write_task(folder: Path, language: Language, seed: int, sizes: tuple[int, int, int] = (600, 200, 500)) -> Path:
    """Write train, dev and test files: a sentence and its topic."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, size in zip(("train", "dev", "test"), sizes, strict=True):
        draw = random.Random(f"{split} {seed}")
        topics = [draw.randrange(TOPICS) for _ in range(size)]
        rows = [{"text": " ".join(language.sentence(topic, draw)), "label": f"topic{topic}"} for topic in topics]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder
