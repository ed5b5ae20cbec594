"""Controls without a network: what transfer must beat. They answer in the same form as a head.

TF-IDF with a linear model often wins below 500 labels; leaving it out is the commonest dishonesty at that scale.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thaw.errors import ConfigError
from thaw.strategy.plan import Majority, Tfidf
from thaw.task.example import Example
from thaw.task.task import Kind

Answers = list[dict[str, Any]]
Predict = Callable[[Sequence[Example]], Answers]


def majority(config: Majority, kind: Kind, train: Sequence[Example]) -> list[tuple[str, Predict]]:
    """Always the most frequent class or tag, or the mean score, of ``train``."""
    if kind is Kind.span:
        raise ConfigError("strategy=majority has no answer for task.kind=span, leave it out for this task")
    if kind is Kind.tags:
        tag = Counter(tag for example in train for tag in example.tags or []).most_common(1)[0][0]
        return [("majority", lambda examples: [{"prediction": [tag] * len(e.tokens or [])} for e in examples])]
    if kind is Kind.score:
        mean = float(np.mean([float(example.label or 0.0) for example in train]))
        return [("majority", lambda examples: [{"prediction": mean} for _ in examples])]
    label = Counter(str(example.label) for example in train).most_common(1)[0][0]
    return [("majority", lambda examples: [{"prediction": label} for _ in examples])]


def tfidf(config: Tfidf, kind: Kind, train: Sequence[Example]) -> list[tuple[str, Predict]]:
    """Words and bigrams, TF-IDF, a linear model: one candidate for each strength of regularisation; dev chooses.

    A pair gives the counts of either text, their product and their absolute difference, so that overlap is seen.
    """
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression, Ridge

    if kind not in (Kind.classes, Kind.score):
        raise ConfigError(f"strategy=tfidf does not apply to task.kind={kind.name}, leave it out for this task")
    words = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, strip_accents="unicode", token_pattern=r"(?u)\b\w+\b|[?!]"
    )
    pair = train[0].text_b is not None
    words.fit([text for example in train for text in example.texts])

    def features(examples: Sequence[Example]) -> Any:
        first = words.transform([example.text_a for example in examples])
        if not pair:
            return first
        second = words.transform([example.text_b or "" for example in examples])
        overlap = sparse.csr_matrix(np.asarray(first.multiply(second).sum(axis=1)))
        return sparse.hstack([first, second, first.multiply(second), abs(first - second), overlap]).tocsr()

    labels = [str(example.label) for example in train]
    if kind is Kind.classes and len(set(labels)) < 2:
        raise ConfigError(f"strategy=tfidf needs two classes in train, {labels[0]!r} is the only one")

    def candidate(strength: float) -> tuple[str, Predict]:
        if kind is Kind.score:
            model = Ridge(alpha=1.0 / strength).fit(x, [float(example.label or 0.0) for example in train])
        else:
            model = LogisticRegression(C=strength, max_iter=2000).fit(x, labels)
        answer: Callable[[Any], Any] = float if kind is Kind.score else str
        return f"C={strength:g}", lambda e: [{"prediction": answer(one)} for one in model.predict(features(e))]

    x = features(train)
    return [candidate(strength) for strength in config.regularisation]


CONTROLS: dict[str, Callable[..., list[tuple[str, Predict]]]] = {"majority": majority, "tfidf": tfidf}
