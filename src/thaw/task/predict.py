"""Decoded outputs of items to one prediction an example: words get tags, windows compete for the answer."""

from collections.abc import Callable, Mapping
from typing import Any

from thaw.task.encode import Encoded
from thaw.task.task import Kind

DIGITS = 6  # of probabilities and scores in a predictions file


def predictions(encoded: Encoded, outputs: Mapping[int, Any]) -> list[dict[str, Any]]:
    """Return ``{"prediction": ..., "scores": ...}`` for each example, in order.

    ``outputs`` holds what Head.decode gave, by number of the item (Batch.index).
    """
    missing = [number for number in range(len(encoded)) if number not in outputs]
    assert not missing, f"{len(missing)} of {len(encoded)} items have no output, the first is {missing[0]}"
    makers: dict[Kind, Callable[[Encoded, Mapping[int, Any]], list[dict[str, Any]]]] = {
        Kind.classes: _classes,
        Kind.score: _scores,
        Kind.tags: _tags,
        Kind.span: _spans,
    }
    return makers[encoded.kind](encoded, outputs)


def filler(labels: list[str]) -> str:
    """Return the tag of words whose pieces were cut off: "O", else the first label (train's most frequent one)."""
    return "O" if "O" in labels else labels[0]


def _classes(encoded: Encoded, outputs: Mapping[int, Any]) -> list[dict[str, Any]]:
    assert encoded.labels is not None
    return [
        {
            "prediction": encoded.labels[int(outputs[number].argmax())],
            "scores": [round(float(value), DIGITS) for value in outputs[number]],
        }
        for number in range(len(encoded))
    ]


def _scores(encoded: Encoded, outputs: Mapping[int, Any]) -> list[dict[str, Any]]:
    return [{"prediction": round(float(outputs[number]), DIGITS), "scores": None} for number in range(len(encoded))]


def _tags(encoded: Encoded, outputs: Mapping[int, Any]) -> list[dict[str, Any]]:
    assert encoded.labels is not None
    made = []
    for number, item in enumerate(encoded.items):
        words = encoded.examples[item.example].tokens
        assert words is not None
        assert item.first is not None
        tags = [encoded.labels[int(tag)] for tag in outputs[number][item.first]]
        made.append({"prediction": tags + [filler(encoded.labels)] * (len(words) - len(tags)), "scores": None})
    return made


def _spans(encoded: Encoded, outputs: Mapping[int, Any]) -> list[dict[str, Any]]:
    """The best window's answer, cut out of the original context by characters."""
    best: dict[int, tuple[float, str]] = {}
    for number, item in enumerate(encoded.items):
        start, end, score = outputs[number]
        context = encoded.examples[item.example].context
        assert context is not None
        assert item.offsets is not None
        if score == float("-inf"):
            answer = ""
        else:
            answer = context[int(item.offsets[start, 0]) : int(item.offsets[end, 1])].strip()
        if item.example not in best or score > best[item.example][0]:
            best[item.example] = (score, answer)
    made = []
    for index in range(len(encoded.examples)):
        score, answer = best[index]
        made.append({"prediction": answer, "scores": None if score == float("-inf") else round(score, DIGITS)})
    return made
