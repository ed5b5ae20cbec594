"""Examples to items of ids: [CLS] a [SEP] or [CLS] a [SEP] b [SEP], with labels at the places where they belong.

An item is what the encoder sees at once. It is one example, except for span: there a long context becomes several
overlapping windows (Devlin et al. 2019, section 4.2 and run_squad.py). What does not fit is cut and counted.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thaw.errors import DataError
from thaw.task.example import Example
from thaw.task.task import Kind, TaskConfig
from thaw.text.tokenizer import Tokenizer

IGNORE = -100  # the label of places that have none: torch's cross entropy skips it
WARN = 0.05  # share of truncated examples, or of answers that pieces can not give exactly, that is worth a line


@dataclass(kw_only=True, slots=True)
class Item:
    """One sequence for the encoder; T is its own length, padding comes with the batch."""

    ids: NDArray[np.int32]  # (T,) with [CLS] and [SEP]
    segments: NDArray[np.int8]  # (T,) 0 for the first text, 1 for the second
    label: Any  # class number, score, (T,) tag numbers with IGNORE, (start, end) places; None if unlabelled
    example: int  # index into the examples
    first: NDArray[np.int32] | None = None  # (W,) tags: place of each kept word's first piece
    offsets: NDArray[np.int32] | None = None  # (T, 2) span: characters of the context, (-1, -1) outside it


@dataclass(kw_only=True)
class Encoded:
    """The items of some examples, and what a batch or a decoder needs to know about them."""

    kind: Kind
    items: list[Item]
    examples: list[Example]
    labels: list[str] | None
    pad_id: int
    # items, pieces, mean_length, truncated_share, lost_share, unknown_share, warning; span: inexact_answers, the share
    # whose pieces hold more than the answer, such as "1990" in a piece "1990s"
    report: dict[str, Any]

    def __len__(self) -> int:
        return len(self.items)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Pieces of each item."""
        return np.array([len(item.ids) for item in self.items], dtype=np.int64)


@dataclass
class _Count:
    """Pieces before truncation, what was lost, and answers whose pieces hold more or less than them."""

    pieces: int = 0
    lost: int = 0
    truncated: int = 0
    inexact: int = 0

    def add(self, pieces: int, lost: int) -> None:
        self.pieces += pieces
        self.lost += lost
        self.truncated += lost > 0


def encode(examples: list[Example], task: TaskConfig, tokenizer: Tokenizer, labels: list[str] | None) -> Encoded:
    """Return the items of ``examples``; at most task.max_length pieces each."""
    make: dict[Kind, Callable[..., Iterator[Item]]] = {
        Kind.classes: _encode_texts,
        Kind.score: _encode_texts,
        Kind.tags: _encode_tags,
        Kind.span: _encode_span,
    }
    numbers = {label: number for number, label in enumerate(labels or [])}
    count = _Count()
    items = list(make[task.kind](examples, task, tokenizer, numbers, count))
    pieces = sum(len(item.ids) for item in items)
    unknown = sum(int((item.ids == tokenizer.unk_id).sum()) for item in items)
    truncated = count.truncated / max(1, len(examples))
    lost = count.lost / max(1, count.pieces)
    inexact = count.inexact / max(1, len(examples))
    warnings = []
    if truncated > WARN:
        warnings.append(
            f"{truncated:.1%} of examples are longer than task.max_length={task.max_length}: {lost:.1%} of pieces lost"
        )
    if inexact > WARN:
        warnings.append(f"{inexact:.1%} of answers begin or end inside a piece: no prediction can match them exactly")
    report = {
        "examples": len(examples),
        "items": len(items),
        "pieces": pieces,
        "mean_length": round(pieces / max(1, len(items)), 2),
        "truncated_share": round(truncated, 6),
        "lost_share": round(lost, 6),
        "unknown_share": round(unknown / max(1, pieces), 6),
        "warning": "; ".join(warnings) or None,
    }
    if task.kind is Kind.span:
        report["inexact_answers"] = round(inexact, 6)
    return Encoded(
        kind=task.kind, items=items, examples=examples, labels=labels, pad_id=tokenizer.pad_id, report=report
    )


def _join(tokenizer: Tokenizer, first: NDArray[Any], second: NDArray[Any] | None) -> tuple[Any, Any]:
    """Return ids and segments of [CLS] first [SEP], or [CLS] first [SEP] second [SEP]."""
    cls, sep = np.array([tokenizer.cls_id], np.int32), np.array([tokenizer.sep_id], np.int32)
    parts = [cls, first, sep] if second is None else [cls, first, sep, second, sep]
    ids = np.concatenate(parts).astype(np.int32)
    segments = np.zeros(len(ids), np.int8)
    segments[len(first) + 2 :] = 1
    return ids, segments


def _shorten(first: int, second: int, room: int) -> tuple[int, int]:
    """Return the pieces kept of a pair: the longer one loses pieces first (BERT's _truncate_seq_pair)."""
    if first + second <= room:
        return first, second
    if second <= room // 2:
        return room - second, second
    if first <= (room + 1) // 2:
        return first, room - first
    return (room + 1) // 2, room // 2


def _encode_texts(
    examples: list[Example], task: TaskConfig, tokenizer: Tokenizer, numbers: dict[str, int], count: _Count
) -> Iterator[Item]:
    firsts = tokenizer.encode_batch([example.text_a for example in examples])
    seconds = tokenizer.encode_batch([example.text_b for example in examples if example.text_b is not None])
    rest = iter(seconds)
    for index, (example, first) in enumerate(zip(examples, firsts, strict=True)):
        second = None if example.text_b is None else next(rest)
        pieces = len(first) + (0 if second is None else len(second))
        if second is None:
            first = first[: task.max_length - 2]
        else:
            kept_first, kept_second = _shorten(len(first), len(second), task.max_length - 3)
            first, second = first[:kept_first], second[:kept_second]
        count.add(pieces, pieces - len(first) - (0 if second is None else len(second)))
        ids, segments = _join(tokenizer, first, second)
        label = example.label
        if label is not None:
            label = numbers[str(label)] if task.kind is Kind.classes else float(label)
        yield Item(ids=ids, segments=segments, label=label, example=index)


def _encode_tags(
    examples: list[Example], task: TaskConfig, tokenizer: Tokenizer, numbers: dict[str, int], count: _Count
) -> Iterator[Item]:
    distinct = list(dict.fromkeys(word for example in examples for word in example.tokens or []))
    everything, owner = tokenizer.encode_words(distinct)  # each word once: twenty times as fast
    borders = np.searchsorted(owner, np.arange(len(distinct) + 1))
    if (np.diff(borders) == 0).any():
        raise DataError(f"the tokenizer has no piece for the word {distinct[int(np.diff(borders).argmin())]!r}")
    known = {word: everything[borders[n] : borders[n + 1]] for n, word in enumerate(distinct)}
    for index, example in enumerate(examples):
        assert example.tokens is not None
        parts = [known[word] for word in example.tokens]
        pieces = np.concatenate(parts)
        starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
        kept = pieces[: task.max_length - 2]
        count.add(len(pieces), len(pieces) - len(kept))
        first = (starts[starts < len(kept)] + 1).astype(np.int32)  # + 1: [CLS]; the first piece decides (BERT, 5.3)
        ids, segments = _join(tokenizer, kept, None)
        label = None
        if example.tags is not None:
            label = np.full(len(ids), IGNORE, np.int64)
            label[first] = [numbers[tag] for tag in example.tags[: len(first)]]
        yield Item(ids=ids, segments=segments, label=label, example=index, first=first)


def _encode_span(
    examples: list[Example], task: TaskConfig, tokenizer: Tokenizer, numbers: dict[str, int], count: _Count
) -> Iterator[Item]:
    contexts: dict[str, tuple[Any, Any]] = {}  # several questions share a context
    for index, example in enumerate(examples):
        assert example.question is not None
        assert example.context is not None
        if example.context not in contexts:
            contexts[example.context] = tokenizer.encode_offsets(example.context)
        context, offsets = contexts[example.context]
        question = tokenizer.encode(example.question)
        kept = question[: task.question_room]
        count.add(len(question) + len(context), len(question) - len(kept))
        answer = None
        if example.answers:
            text, begin = example.answers[0]
            answer = _answer_pieces(offsets, begin, begin + len(text))
            held = example.context[offsets[answer[0], 0] : offsets[answer[1], 1]] if answer else ""
            count.inexact += held.strip() != text.strip()
        room = task.max_length - len(kept) - 3
        for start in range(0, max(1, len(context) - task.stride), room - task.stride):
            stop = min(start + room, len(context))
            ids, segments = _join(tokenizer, kept, context[start:stop])
            shift = len(kept) + 2 - start
            places = np.full((len(ids), 2), -1, np.int32)
            places[start + shift : stop + shift] = offsets[start:stop]
            label = None
            if example.answers:
                inside = answer is not None and start <= answer[0] and answer[1] < stop
                label = (answer[0] + shift, answer[1] + shift) if answer is not None and inside else (0, 0)
            yield Item(ids=ids, segments=segments, label=label, example=index, offsets=places)


def _answer_pieces(offsets: NDArray[Any], begin: int, end: int) -> tuple[int, int] | None:
    """Return the first and last piece that touch the characters begin <= c < end; None when no piece does."""
    touching = np.flatnonzero((offsets[:, 1] > begin) & (offsets[:, 0] < end))
    return (int(touching[0]), int(touching[-1])) if len(touching) else None
