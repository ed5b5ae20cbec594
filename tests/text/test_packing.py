from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaw.errors import ConfigError
from thaw.text.ids import TokenFile, tokenise
from thaw.text.packing import Blocks, blocks
from thaw.text.tokenizer import Tokenizer

PAD, CLS, SEP = 0, 2, 3


def token_file(lengths: list[int]) -> TokenFile:
    """Documents whose ids are all different, so that each piece tells where it comes from."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return TokenFile(np.arange(10, 10 + offsets[-1]), offsets, np.array(lengths) * 7, {})


def cut(file: TokenFile, length: int, packing: str, documents: np.ndarray) -> Blocks:
    return blocks(file, length, packing, documents, pad_id=PAD, cls_id=CLS, sep_id=SEP)


def chosen_ids(file: TokenFile, documents: np.ndarray) -> list[int]:
    return [int(one) for number in documents for one in file.ids[file.offsets[number] : file.offsets[number + 1]]]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=12),
    st.integers(3, 20),
    st.sampled_from(["stream", "documents"]),
    st.randoms(use_true_random=False),
)
def test_every_piece_stands_in_one_block_in_order(lengths: list[int], length: int, packing: str, draw) -> None:
    file = token_file(lengths)
    documents = np.array(draw.sample(range(len(lengths)), draw.randint(1, len(lengths))))
    packed = cut(file, length, packing, documents)
    ids, valid, sizes = packed.get(np.arange(len(packed)))
    assert ids.shape == valid.shape == (len(packed), length)
    assert (ids.dtype, valid.dtype) == (np.int64, bool)
    assert [int(one) for one in ids.reshape(-1) if one >= 10] == chosen_ids(file, documents)  # none lost, none twice
    assert sizes.sum() == pytest.approx(file.bytes[documents].sum())
    ends = valid.sum(1)
    assert (np.diff(valid.astype(int), axis=1) <= 0).all()  # padding only at the end
    assert ((ids == PAD) == ~valid).all()
    assert (ids[:, 0] == CLS).all()
    assert (ids[np.arange(len(ids)), ends - 1] == SEP).all()
    assert valid[: packed.full].all() or packing == "documents"
    order = np.array(draw.sample(range(len(packed)), len(packed)))
    assert (packed.get(order)[0] == ids[order]).all()  # a block does not depend on what is asked for with it


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=2, max_size=12), st.integers(3, 20))
def test_documents_are_never_mixed(lengths: list[int], length: int) -> None:
    file = token_file(lengths)
    packed = cut(file, length, "documents", np.arange(len(lengths)))
    owner = np.repeat(np.arange(len(lengths)), lengths)
    for row in packed.get(np.arange(len(packed)))[0]:
        assert len({owner[one - 10] for one in row if one >= 10}) == 1
    assert len(packed) == sum(-(-one // (length - 2)) for one in lengths)


def test_stream_puts_a_separator_between_documents() -> None:
    file = token_file([3, 2, 4])
    packed = cut(file, 7, "stream", np.array([2, 0, 1]))
    ids, valid, _ = packed.get(np.arange(len(packed)))
    assert ids.tolist() == [
        [CLS, 15, 16, 17, 18, SEP, SEP],
        [CLS, 10, 11, 12, SEP, 13, SEP],
        [CLS, 14, SEP, PAD, PAD, PAD, PAD],
    ]
    assert (len(packed), packed.full) == (3, 2)
    assert valid.sum(1).tolist() == [7, 7, 3]


def test_real_ids(unigram: Tokenizer, texts: list[str], tmp_path: Path) -> None:
    file = tokenise(texts, unigram, tmp_path, "key")
    documents = np.arange(0, len(file), 2)
    packed = cut(file, 32, "stream", documents)
    ids, _, sizes = packed.get(np.arange(len(packed)))
    assert [int(one) for one in ids.reshape(-1) if one >= 5] == chosen_ids(file, documents)
    assert sizes.sum() == pytest.approx(file.bytes[documents].sum())


def test_bad_requests() -> None:
    file = token_file([5, 5])
    with pytest.raises(ConfigError, match="no blocks from 0 documents"):
        cut(file, 8, "stream", np.array([], dtype=int))
    with pytest.raises(ConfigError, match=r"data.packing=blocks must be one of stream, documents"):
        cut(file, 8, "blocks", np.arange(2))
    packed = cut(file, 8, "documents", np.arange(2))
    for number in (-1, 2):
        with pytest.raises(IndexError):
            packed.get(np.array([number]))
