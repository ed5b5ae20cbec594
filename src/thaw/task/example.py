"""What was read: one example, and the three splits of a task. No torch here."""

import functools
import hashlib
import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from thaw.task.task import Kind


@dataclass(kw_only=True, slots=True)
class Example:
    """One labelled (or, for predicting, unlabelled) example; which fields are filled follows from the kind.

    classes, score: ``text_a``, ``text_b`` of a pair, ``label``; tags: ``tokens``, ``tags``; span: ``question``,
    ``context``, ``answers`` as (text, start in characters), ``group`` is the article.
    """

    text_a: str = ""
    text_b: str | None = None
    label: str | float | None = None
    tokens: list[str] | None = None
    tags: list[str] | None = None
    question: str | None = None
    context: str | None = None
    answers: list[tuple[str, int]] | None = None
    group: str | None = None
    id: str | None = None
    line: int | None = None  # in its file, for messages; not content

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts a model sees, without labels."""
        if self.tokens is not None:
            return (" ".join(self.tokens),)
        if self.question is not None:
            return (self.question, self.context or "")
        return (self.text_a,) if self.text_b is None else (self.text_a, self.text_b)

    @property
    def target(self) -> Any:
        """The label of whatever kind, or None."""
        return self.tags if self.tokens is not None else self.answers if self.question is not None else self.label


def texts(example: Example) -> dict[str, Any]:
    """Return what a model sees of an example as a plain object, in the words of the task files."""
    if example.tokens is not None:
        return {"tokens": example.tokens}
    if example.question is not None:
        return {"question": example.question, "context": example.context}
    if example.text_b is not None:
        return {"text_a": example.text_a, "text_b": example.text_b}
    return {"text": example.text_a}


def pairs(examples: Iterable[Example]) -> bool:
    """Return whether any of the examples is a pair of texts."""
    return any(example.text_b is not None for example in examples)


def text_key(example: Example) -> bytes:
    """Hash of the texts with case, width of characters and spacing levelled: equal means a duplicate."""
    texts = [" ".join(unicodedata.normalize("NFKC", text).casefold().split()) for text in example.texts]
    return hashlib.sha256(json.dumps(texts).encode()).digest()


def content_key(example: Example) -> bytes:
    """Hash of texts and label as they stand; position and file do not enter."""
    return hashlib.sha256(json.dumps([example.texts, example.target]).encode()).digest()


@dataclass(kw_only=True)
class Splits:
    """The examples of a task, its labels in order, and what was found while reading."""

    train: list[Example]
    dev: list[Example]
    test: list[Example]
    labels: list[str] | None  # classes and tags; None for score and span
    report: dict[str, Any] = field(default_factory=dict)

    @functools.cached_property
    def digest(self) -> str:
        """See `fingerprint`: examples do not change once they are read, and every run of a sweep asks three times."""
        digest = hashlib.sha256(json.dumps(self.labels).encode())
        for examples in (self.train, self.dev, self.test):
            digest.update(len(examples).to_bytes(8, "big"))
            for example in examples:
                digest.update(content_key(example))
        return digest.hexdigest()


def fingerprint(splits: Splits) -> str:
    """Return the sha256 over the content of all splits and the label set: paths and file formats do not enter."""
    return splits.digest


def strata(examples: list[Example], kind: Kind) -> list[str]:
    """Return the label each example is stratified by: its class, or one stratum for the other kinds."""
    return [str(example.label) if kind is Kind.classes else "" for example in examples]
