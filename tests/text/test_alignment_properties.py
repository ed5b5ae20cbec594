"""Tags and answers of any text stand at their pieces, by a real tokenizer; answers inside of pieces are counted."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from thaw.task.encode import IGNORE, encode
from thaw.task.example import Example
from thaw.task.task import Kind, TaskConfig
from thaw.text.tokenizer import Tokenizer

LETTERS = st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("abcdeé ´ﬁ\u200b\u0301日▁[]"))
LABELS = ["O", "B-X", "I-X"]


def task(kind: Kind, max_length: int) -> TaskConfig:
    return TaskConfig(name="mine", kind=kind, max_length=max_length, stride=1)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.text(LETTERS, min_size=1, max_size=9), st.sampled_from(LABELS)), min_size=1, max_size=12),
    st.integers(8, 40),
)
def test_each_word_has_its_tag_at_its_first_piece(
    unigram: Tokenizer, words: list[tuple[str, str]], max_length: int
) -> None:
    example = Example(tokens=[word for word, _ in words], tags=[tag for _, tag in words])
    (item,) = encode([example], task(Kind.tags, max_length), unigram, LABELS).items
    assert item.first is not None
    assert len(item.ids) == len(item.label) <= max_length
    assert [LABELS[number] for number in item.label[item.first]] == [tag for _, tag in words[: len(item.first)]]
    others = np.setdiff1d(np.arange(len(item.ids)), item.first)
    assert (item.label[others] == IGNORE).all()
    ends = [*item.first[1:], len(item.ids) - 1]
    for (word, _), start, end in list(zip(words, item.first, ends, strict=False))[:-1]:  # the last one may be cut
        pieces = unigram.encode(word).tolist() or [unigram.unk_id]
        assert item.ids[start:end].tolist() == pieces
    if len(item.first) < len(words):
        assert len(item.ids) == max_length


@settings(max_examples=300)
@given(st.text(LETTERS, min_size=1, max_size=40), st.data())
def test_an_answer_is_found_in_the_pieces_that_touch_it(unigram: Tokenizer, context: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(context) - 1))
    end = data.draw(st.integers(begin + 1, len(context)))
    example = Example(question="who", context=context, answers=[(context[begin:end], begin)])
    encoded = encode([example], task(Kind.span, 512), unigram, None)
    (item,) = encoded.items
    assert item.offsets is not None
    start, stop = item.label
    found = "" if (start, stop) == (0, 0) else context[item.offsets[start, 0] : item.offsets[stop, 1]].strip()
    answer = context[begin:end].strip()
    assert encoded.report["inexact_answers"] == (found != answer)
    if found:
        touching = [(a, b) for a, b in item.offsets.tolist() if b > begin and a < end and a >= 0]
        assert item.offsets[start, 0] == touching[0][0]
        assert item.offsets[stop, 1] == touching[-1][1]


@settings(max_examples=100)
@given(st.lists(st.sampled_from("kami toredo fisu lonta".split()), min_size=2, max_size=60), st.data())
def test_an_answer_of_whole_words_is_exact_in_some_window(
    unigram: Tokenizer, words: list[str], data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, min(len(words) - 1, first + 2)))
    begin = len(" ".join(words[:first])) + (first > 0)
    answer, context = " ".join(words[first : last + 1]), " ".join(words)
    example = Example(question="who", context=context, answers=[(answer, begin)])
    config = TaskConfig(name="mine", kind=Kind.span, max_length=48, stride=24)
    encoded = encode([example], config, unigram, None)
    assert encoded.report["inexact_answers"] == 0
    held = [item for item in encoded.items if item.label != (0, 0)]
    assert held
    for item in held:
        start, stop = item.label
        assert context[item.offsets[start, 0] : item.offsets[stop, 1]] == answer
