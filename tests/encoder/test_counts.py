"""Counting pieces near each other: against the definition, and on a language whose topics are known."""

import numpy as np
import pytest

from thaw.encoder import counts
from thaw.text.ids import TokenFile


def token_file(documents: list[list[int]]) -> TokenFile:
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in documents])])
    return TokenFile(np.concatenate(documents).astype(np.uint16), offsets, np.ones(len(documents)), {})


def random_documents(vocab_size: int, sizes: list[int]) -> list[list[int]]:
    draw = np.random.default_rng(0)
    return [draw.integers(0, vocab_size, size).tolist() for size in sizes]


@pytest.mark.parametrize("chunk", [5, 1_000])
def test_cooccurrences_are_those_of_the_definition(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "CHUNK", chunk)
    documents = random_documents(7, [30, 1, 12, 4])
    used = np.array([0, 1, 3])
    expected = np.zeros((7, 7))
    for number in used:
        text = documents[number]
        for i, one in enumerate(text):
            for j, other in enumerate(text):
                if 0 < abs(i - j) <= counts.WINDOW:
                    expected[one, other] += 1 / abs(i - j)
    found = counts.cooccurrences(token_file(documents), used, 7).toarray()
    assert found == pytest.approx(expected, rel=1e-5)


def test_positive_information_is_that_of_the_definition() -> None:
    found = counts.cooccurrences(token_file(random_documents(9, [200])), np.array([0]), 9)
    table = found.toarray().astype(float)
    context = table.sum(1) ** counts.SMOOTHING
    with np.errstate(divide="ignore"):
        expected = np.log((table / table.sum()) / np.outer(table.sum(1) / table.sum(), context / context.sum()))
    assert counts.positive_information(found).toarray() == pytest.approx(np.maximum(expected, 0), abs=1e-4)


def test_pieces_of_one_topic_have_alike_vectors() -> None:
    draw, topics = np.random.default_rng(1), np.arange(60).reshape(3, 20)
    documents = [draw.choice(topics[number % 3], 40).tolist() for number in range(300)]
    vectors, seen = counts.piece_vectors(token_file(documents), np.arange(300), 64, 16, 0)
    assert vectors.shape == (64, 16)
    assert seen.tolist() == [True] * 60 + [False] * 4
    assert vectors[seen].mean() == pytest.approx(0, abs=1e-5)
    assert vectors[seen].std() == pytest.approx(1, rel=1e-4)
    unit = vectors[:60] / np.linalg.norm(vectors[:60], axis=1, keepdims=True)
    likeness = unit @ unit.T
    same = np.equal.outer(np.arange(60) // 20, np.arange(60) // 20)
    assert likeness[same].min() > likeness[~same].max()
    again, _ = counts.piece_vectors(token_file(documents), np.arange(300), 64, 16, 0)
    assert np.array_equal(vectors, again)
    other, _ = counts.piece_vectors(token_file(documents), np.arange(300), 64, 16, 1)
    assert not np.allclose(vectors, other, atol=0.1)
    likeness = [(each[:60] @ each[:60].T).ravel() for each in (vectors, other)]
    assert np.corrcoef(likeness)[0, 1] > 0.99  # the same vectors, turned


def test_more_dimensions_than_pieces_and_a_text_without_pairs() -> None:
    vectors, seen = counts.piece_vectors(token_file(random_documents(6, [50])), np.array([0]), 6, 16, 0)
    assert vectors.shape == (6, 16)
    assert seen.all()
    vectors, seen = counts.piece_vectors(token_file([[1], [2]]), np.array([0, 1]), 6, 4, 0)
    assert not seen.any()
    assert not vectors.any()


def test_a_long_text_is_sampled_by_whole_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "SAMPLE", 100)
    file = token_file(random_documents(9, [20] * 50))
    chosen = counts._sample(file, np.arange(50))
    assert len(chosen) * 20 <= 100
    assert chosen[-1] >= 40
