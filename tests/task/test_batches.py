import numpy as np
import pytest
import torch
from task_files import make_task

from thaw.task.batches import Batch, TrainOrder, collate, eval_batches
from thaw.task.encode import IGNORE, Encoded, encode
from thaw.task.example import Example

LENGTHS = np.random.default_rng(0).integers(4, 100, 1000)


def train_batches(encoded: Encoded, batch_size: int, seed: int, steps: int, start: int = 0) -> list[Batch]:
    """The batches of steps ``start`` to ``steps`` - 1, as a run that begins at ``start`` makes them."""
    order = TrainOrder(encoded.lengths, batch_size, seed)
    return [collate(encoded, order.batch(step)) for step in range(start, steps)]


def texts(tokenizer, sizes, kind="classes"):
    examples = [Example(text_a="abc " * size, label="x" if kind == "classes" else 1.5) for size in sizes]
    return encode(examples, make_task(kind), tokenizer, ["x", "y"])


def test_the_batch_of_a_step_is_a_function_of_seed_and_step():
    whole = [TrainOrder(LENGTHS, 16, 1).batch(step) for step in range(200)]
    order = TrainOrder(LENGTHS, 16, 1)
    assert [order.batch(step) for step in reversed(range(200))] == whole[::-1]
    assert [TrainOrder(LENGTHS, 16, 2).batch(step) for step in range(5)] != whole[:5]


def test_an_epoch_holds_every_item_at_most_once_and_the_rest_changes():
    order = TrainOrder(LENGTHS, 16, 1)
    assert order.steps_per_epoch == 62
    epochs = []
    for epoch in range(3):
        items = [index for step in range(62) for index in order.batch(62 * epoch + step)]
        assert len(items) == len(set(items)) == 992
        epochs.append(set(items))
    assert epochs[0] != epochs[1]


def test_batches_group_lengths_yet_mix_from_epoch_to_epoch():
    order = TrainOrder(LENGTHS, 16, 1)
    padded = sum(LENGTHS[order.batch(step)].max() * 16 for step in range(62))
    shuffled = np.random.default_rng(0).permutation(LENGTHS)[:992].reshape(-1, 16)
    assert padded < 0.75 * shuffled.max(1).sum() * 16
    assert sorted(order.batch(0)) not in [sorted(order.batch(62 + step)) for step in range(62)]
    short = TrainOrder(LENGTHS[:50], 16, 1)
    assert {tuple(sorted(short.batch(step))) for step in range(3)}.isdisjoint(
        {tuple(sorted(short.batch(3 + step))) for step in range(3)}
    )


@pytest.mark.parametrize("count", [1000, 6000])  # one pool an epoch, several
def test_little_is_padding_and_texts_meet_others_in_the_next_epoch(count):
    lengths = np.random.default_rng(1).lognormal(2.6, 0.4, count).astype(np.int64) + 2
    order = TrainOrder(lengths, 32, 1)
    epochs = [
        [order.batch(order.steps_per_epoch * epoch + step) for step in range(order.steps_per_epoch)]
        for epoch in range(2)
    ]
    places = sum(32 * lengths[batch].max() for batch in epochs[0])
    assert sum(lengths[batch].sum() for batch in epochs[0]) / places > 0.88
    first, second = ({item: set(batch) for batch in epoch for item in batch} for epoch in epochs)
    shared = [len(first[item] & second[item]) - 1 for item in first.keys() & second.keys()]
    assert np.mean(shared) / 31 < 0.4


def test_fewer_items_than_a_batch_are_one_batch():
    order = TrainOrder(LENGTHS[:5], 16, 1)
    assert sorted(order.batch(7)) == [0, 1, 2, 3, 4]


def test_training_resumes_at_any_step(tokenizer):
    encoded = texts(tokenizer, range(1, 40))
    whole = list(train_batches(encoded, 8, 3, 12))
    for batch, again in zip(whole[7:], train_batches(encoded, 8, 3, 12, start=7), strict=True):
        assert torch.equal(batch.ids, again.ids)
        assert torch.equal(batch.index, again.index)


def test_padding_reaches_the_longest_of_the_batch_only(tokenizer):
    batch = collate(texts(tokenizer, [1, 3, 60]), [0, 1])
    assert batch.ids.shape == (2, 5)
    assert batch.valid.tolist() == [[True] * 3 + [False] * 2, [True] * 5]
    assert batch.ids[0, 3:].tolist() == [tokenizer.pad_id] * 2
    assert batch.labels.dtype == torch.int64
    assert batch.to("cpu").context is None


def test_labels_have_the_shape_of_their_kind(tokenizer):
    assert collate(texts(tokenizer, [1, 2], "score"), [0, 1]).labels.dtype == torch.float32
    tags = encode(
        [Example(tokens=["a"], tags=["x"]), Example(tokens=["abcd", "b"], tags=["y", "x"])],
        make_task("tags"),
        tokenizer,
        ["x", "y"],
    )
    assert collate(tags, [0, 1]).labels.tolist() == [
        [IGNORE, 0, IGNORE, IGNORE, IGNORE],
        [IGNORE, 1, IGNORE, 0, IGNORE],
    ]
    span = encode([Example(question="a", context="b c", answers=[("c", 2)])], make_task("span"), tokenizer, None)
    batch = collate(span, [0])
    assert batch.labels.tolist() == [[4, 4]]
    assert batch.context.tolist() == [[False, False, False, True, True, False]]


@pytest.mark.parametrize("tokens", [1, 64, 200, 8192])
def test_evaluation_sees_every_item_once_within_the_budget(tokenizer, tokens):
    encoded = texts(tokenizer, [5, 1, 40, 7, 7, 2, 30])
    batches = list(eval_batches(encoded, tokens))
    assert sorted(index for batch in batches for index in batch.index.tolist()) == list(range(7))
    assert all(batch.ids.numel() <= tokens or len(batch.ids) == 1 for batch in batches)
    assert batches[0].index[0] == 2
