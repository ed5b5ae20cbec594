"""How well a text answers a question: F1 and exact match of SQuAD 1.1's evaluate-v1.1.py (Rajpurkar et al. 2016).

torchmetrics' function counts two texts without any word, such as "the" and "a", as F1 1, by SQuAD 2.0's script; every
question of ours has an answer, so the first script's 0 is meant. Their exact match is 1 in both.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def answer_scores(guess: str, answers: Sequence[str]) -> dict[str, float]:
    """Return ``f1`` and ``exact_match`` of a guess: each the best over the answers, a fraction."""
    words = normalised(guess)
    return {
        "f1": max(_f1(words, normalised(answer)) for answer in answers),
        "exact_match": max(float(words == normalised(answer)) for answer in answers),
    }


def normalised(text: str) -> list[str]:
    """Return the words of a text in lower case, without ASCII punctuation and articles."""
    return _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split()


def _f1(guess: list[str], answer: list[str]) -> float:
    shared = sum((Counter(guess) & Counter(answer)).values())
    return 2 * shared / (len(guess) + len(answer)) if shared else 0.0
