"""Masking of any blocks: the share, never a special piece, nothing else touched, of (seed, epoch, block) alone."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from thaw.text.masking import MAX_SPAN, mask

VOCABULARY, SPECIAL, MASK = 40, [0, 1, 2, 3, 4], 4
WORD_START = np.arange(VOCABULARY) % 3 != 0


@st.composite
def blocks(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Ids (B, T) with special pieces anywhere, and which places are valid."""
    rows, length = draw(st.integers(1, 4)), draw(st.integers(3, 24))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    ids = random.integers(0, VOCABULARY, (rows, length))
    ids[random.random(ids.shape) < draw(st.sampled_from([0.0, 0.3, 1.0]))] = 3
    valid = np.arange(length) < random.integers(1, length + 1, (rows, 1))
    return ids, valid


@settings(max_examples=300)
@given(
    blocks(), st.sampled_from(["token", "word", "span"]), st.floats(0.01, 1.0), st.floats(0, 1), st.floats(0, 1),
    st.floats(1, 6), st.integers(0, 2**40), st.integers(0, 1000),
)  # fmt: skip
def test_masks(
    given_blocks: tuple[np.ndarray, np.ndarray], unit: str, rate: float, masked: float, random: float, span: float,
    seed: int, epoch: int,
) -> None:  # fmt: skip
    ids, valid = given_blocks
    before = ids.copy()

    def again(rows: np.ndarray, **changes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        settings_ = {"seed": seed, "epoch": epoch} | changes
        return mask(
            ids[rows], valid[rows], rate=rate, mask_share=masked, random_share=random * (1 - masked), unit=unit,
            mean_span=span, blocks=rows, word_start=WORD_START, mask_id=MASK, special_ids=SPECIAL,
            vocab_size=VOCABULARY, **settings_,
        )  # fmt: skip

    every = np.arange(len(ids))
    inputs, positions, targets = again(every)
    assert (ids == before).all()
    chosen = np.zeros(ids.size, dtype=bool)
    chosen[positions] = True
    chosen = chosen.reshape(ids.shape)
    candidate = valid & ~np.isin(ids, SPECIAL)
    assert len(positions) == chosen.sum()
    assert not (chosen & ~candidate).any()  # special pieces and padding are never predicted
    assert (targets == ids[chosen]).all()
    assert (inputs[~chosen] == ids[~chosen]).all()
    assert np.isin(inputs[chosen], [MASK, *range(5, VOCABULARY)]).all()  # nor put in place of others
    expected, count = rate * candidate.sum(1), chosen.sum(1)
    assert ((count > 0) == candidate.any(1)).all()
    longest = 1 if unit == "token" else ids.shape[1] if unit == "word" else MAX_SPAN * ids.shape[1]
    assert (count <= np.maximum(1, np.ceil(expected)) + longest - 1).all()
    if unit == "token":
        assert (count >= np.minimum(candidate.sum(1), np.floor(expected))).all()
    for row in every:  # whatever stands in the batch beside it
        alone = again(every[row : row + 1])
        assert (alone[0][0] == inputs[row]).all()
        assert (alone[1] == np.flatnonzero(chosen[row])).all()
