"""Test texts in the pretraining text are found in its ids; what is only alike is not."""

import numpy as np

from thaw.text.ids import TokenFile
from thaw.text.overlap import RUN, SHORT, STRETCH, overlap, runs_of


def token_file(*documents: np.ndarray) -> TokenFile:
    ids = np.concatenate(documents).astype(np.uint16)
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in documents])])
    return TokenFile(ids, offsets, offsets[1:], {})


def draw(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(5, 8000, count)


def test_a_run_anywhere_in_the_corpus_is_found():
    corpus = [draw(0, 3000), draw(1, STRETCH), draw(2, 5000)]  # a run may lie across two stretches
    across = np.concatenate(corpus)[STRETCH - RUN // 2 :][: RUN + 5]
    texts = [
        corpus[2][100:160],  # a whole part of a document
        np.concatenate([draw(3, 30), corpus[0][7 : 7 + RUN], draw(4, 30)]),  # one run of it
        across,
        draw(5, 60),  # another text
        np.concatenate([draw(6, 30), corpus[0][7 : 6 + RUN], draw(7, 30)]),  # one piece too few
    ]
    assert overlap(token_file(*corpus), texts) == {"found": 3, "searched": 5, "texts": 5}


def test_a_short_text_needs_both_its_ends():
    corpus = draw(0, 4000)
    texts = [
        corpus[50:62],
        np.concatenate([corpus[50:58], draw(1, 6)]),  # its beginning alone
        corpus[20 : 20 + SHORT],
        corpus[:5],  # too short to say anything
    ]
    assert overlap(token_file(corpus), texts) == {"found": 2, "searched": 3, "texts": 4}


def test_a_corpus_shorter_than_a_run_holds_nothing():
    assert overlap(token_file(draw(0, 5)), [draw(0, 40)]) == {"found": 0, "searched": 1, "texts": 1}
    assert overlap(token_file(draw(0, 500)), []) == {"found": 0, "searched": 0, "texts": 0}


def test_hashes_tell_orders_and_places_apart():
    ids = draw(0, 100_000)
    hashes = runs_of(ids, SHORT)
    assert len(np.unique(hashes)) == len(hashes)
    assert runs_of(ids[10:40], SHORT)[3] == hashes[13]
    assert runs_of(ids[:SHORT][::-1], SHORT)[0] != hashes[0]
