import random
from itertools import pairwise

import numpy as np
import pytest
from task_files import make_task

from thaw.task.encode import IGNORE, _shorten, encode
from thaw.task.example import Example

CONTEXT = " ".join(f"word{n}" for n in range(300))


@pytest.mark.parametrize("words", [0, 1, 5, 6, 7, 60])
def test_lengths_around_the_limit_are_cut_to_it_and_counted(tokenizer, words):
    task = make_task("classes", max_length=8)
    encoded = encode([Example(text_a="abc " * words, label="x")], task, tokenizer, ["x"])
    item = encoded.items[0]
    assert len(item.ids) == min(words, 6) + 2
    assert item.ids[0] == tokenizer.cls_id
    assert item.ids[-1] == tokenizer.sep_id
    assert encoded.report["truncated_share"] == (words > 6)
    assert encoded.report["lost_share"] == pytest.approx(max(0, words - 6) / max(words, 1), abs=1e-6)
    assert (encoded.report["warning"] is not None) == (words > 6)


def longest_first(first: int, second: int, room: int) -> tuple[int, int]:
    """BERT's run_classifier.py, _truncate_seq_pair: one piece at a time."""
    while first + second > room:
        if first > second:
            first -= 1
        else:
            second -= 1
    return first, second


def test_a_pair_is_shortened_as_bert_does():
    for room in (5, 6, 13):
        for first in range(20):
            for second in range(20):
                assert _shorten(first, second, room) == longest_first(first, second, room)


def test_a_pair_has_two_segments(tokenizer):
    task = make_task("score", max_length=16)
    item = encode([Example(text_a="aa bb", text_b="cc", label=2.5)], task, tokenizer, None).items[0]
    assert item.segments.tolist() == [0, 0, 0, 0, 1, 1]
    assert item.ids.tolist()[::3] == [tokenizer.cls_id, tokenizer.sep_id]
    assert item.label == 2.5


def test_tags_stand_at_first_pieces_only(tokenizer):
    task = make_task("tags", max_length=16)
    example = Example(tokens=["abcdefg", "", "hi"], tags=["B", "O", "I"])
    item = encode([example], task, tokenizer, ["O", "B", "I"]).items[0]
    assert item.label.tolist() == [IGNORE, 1, IGNORE, IGNORE, 0, 2, IGNORE]
    assert item.first.tolist() == [1, 4, 5]
    assert item.ids[4] == tokenizer.unk_id  # a word without pieces keeps its place


def test_words_whose_pieces_do_not_fit_have_no_first_piece(tokenizer):
    task = make_task("tags", max_length=8)
    example = Example(tokens=["abcdef"] * 5, tags=["O"] * 5)
    item = encode([example], task, tokenizer, ["O", "B"]).items[0]
    assert item.first.tolist() == [1, 3, 5]
    assert len(item.ids) == 8


def test_windows_cover_the_context_and_overlap_by_the_stride(tokenizer):
    task = make_task("span", max_length=64, stride=20)
    begin = CONTEXT.index("word200")
    example = Example(question="which word?", context=CONTEXT, answers=[("word200 word201", begin)])
    encoded = encode([example], task, tokenizer, None)
    assert len(encoded) > 3
    assert max(encoded.lengths) == 64
    covered = [{tuple(pair) for pair in item.offsets.tolist() if pair[0] >= 0} for item in encoded.items]
    assert set().union(*covered) == {tuple(pair) for pair in tokenizer.encode_offsets(CONTEXT)[1].tolist()}
    assert {len(one & other) for one, other in pairwise(covered)} == {20}
    found = 0
    for item in encoded.items:
        start, end = item.label
        if (start, end) != (0, 0):
            found += 1
            assert CONTEXT[item.offsets[start, 0] : item.offsets[end, 1]] == "word200 word201"
    assert found >= 1
    assert all(item.segments[item.offsets[:, 0] >= 0].all() for item in encoded.items)


def test_every_answer_that_fits_a_window_is_found_again(tokenizer):
    generator = random.Random(0)
    task = make_task("span", max_length=48, stride=16)
    words = CONTEXT.split()
    examples = []
    for _ in range(50):
        start = generator.randrange(len(words) - 3)
        answer = " ".join(words[start : start + generator.randint(1, 3)])
        examples.append(Example(question="q " * 40, context=CONTEXT, answers=[(answer, CONTEXT.index(answer + " "))]))
    encoded = encode(examples, task, tokenizer, None)
    assert encoded.report["truncated_share"] == 1  # the question is cut to its room
    held = {item.example for item in encoded.items if item.label != (0, 0)}
    assert held == set(range(50))


def test_unlabelled_examples_are_encoded(tokenizer):
    for kind, example in (
        ("classes", Example(text_a="a")),
        ("tags", Example(tokens=["a"])),
        ("span", Example(question="a", context="b c")),
    ):
        assert encode([example], make_task(kind), tokenizer, ["x"]).items[0].label is None


def test_ids_are_int32(tokenizer):
    item = encode([Example(text_a="a", label="x")], make_task("classes"), tokenizer, ["x"]).items[0]
    assert item.ids.dtype == np.int32
