"""Piece vectors from counting which pieces stand near each other: what a pretraining may start from.

Positive pointwise mutual information, then a truncated singular value decomposition, is what word2vec approximates
(Levy & Goldberg 2014); window, weights and smoothing are those that Levy, Goldberg & Dagan 2015 found to matter. It
takes seconds where learning the same from masked words takes the first millions of tokens. No torch here.
"""

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from thaw.text.ids import TokenFile

WINDOW = 5  # places to each side; a pair d places apart counts 1 / d (Pennington et al. 2014)
SMOOTHING = 0.75  # power of a context's frequency
SAMPLE = 20_000_000  # pieces that are counted, at most, of whole documents spread over the text
CHUNK = 2_000_000  # pieces counted at once


def piece_vectors(
    file: TokenFile, documents: np.ndarray, vocab_size: int, width: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors (V, width) float32 with mean 0 and standard deviation 1, and which pieces have one, (V,) bool.

    ``documents`` are the numbers of those that may be looked at; pairs across documents do not count. ``seed`` turns
    the vectors another way.
    """
    information = positive_information(cooccurrences(file, documents, vocab_size))
    seen = np.asarray(information.sum(1)).ravel() > 0
    if not seen.any():
        return np.zeros((vocab_size, width), np.float32), seen
    rank = min(width, vocab_size - 1)
    left, strength, _ = randomized_svd(information, rank, n_iter=4, random_state=seed)
    vectors = np.zeros((vocab_size, width))
    vectors[:, :rank] = left * np.sqrt(strength)
    vectors[seen] -= vectors[seen].mean(0)
    rotation = np.linalg.qr(np.random.default_rng(seed).standard_normal((width, width)))[0]  # no dimension stands out
    vectors = vectors @ rotation
    return (vectors / vectors[seen].std()).astype(np.float32), seen


def cooccurrences(file: TokenFile, documents: np.ndarray, vocab_size: int) -> sparse.csr_matrix:
    """Return how often pieces stand near each other, (V, V), symmetric, weighted by 1 / distance."""
    counts = sparse.csr_matrix((vocab_size, vocab_size), dtype=np.float32)
    for ids, owner in _chunks(file, _sample(file, documents)):
        for distance in range(1, WINDOW + 1):
            same = owner[distance:] == owner[:-distance]
            pair = ids[:-distance][same], ids[distance:][same]
            weights = np.full(len(pair[0]), 1 / distance, dtype=np.float32)
            counts += sparse.coo_matrix((weights, pair), shape=counts.shape).tocsr()
    return counts + counts.T


def positive_information(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return max(0, log p(a, b) / (p(a) q(b))) of each pair, q being the smoothed frequency of a context."""
    sums = np.asarray(counts.sum(1)).ravel()
    contexts = sums**SMOOTHING
    contexts /= max(contexts.sum(), 1e-12)
    pairs = counts.tocoo()
    values = np.log(pairs.data / (sums[pairs.row] * contexts[pairs.col]))
    return sparse.coo_matrix((np.maximum(values, 0), (pairs.row, pairs.col)), shape=counts.shape).tocsr()


def _sample(file: TokenFile, documents: np.ndarray) -> np.ndarray:
    sizes = file.offsets[documents + 1] - file.offsets[documents]
    return documents[:: max(1, -(-int(sizes.sum()) // SAMPLE))]


def _chunks(file: TokenFile, documents: np.ndarray):  # type: ignore[no-untyped-def]
    """Yield ids (n,) int64 and the document of each, (n,), a few documents at a time."""
    sizes = (file.offsets[documents + 1] - file.offsets[documents]).astype(np.int64)
    for part in np.split(np.arange(len(documents)), _cuts(sizes)):
        ids = np.concatenate([file.ids[file.offsets[d] : file.offsets[d + 1]] for d in documents[part]])
        yield ids.astype(np.int64), np.repeat(documents[part], sizes[part])
        file.forget()


def _cuts(sizes: np.ndarray) -> np.ndarray:
    """Return where to split documents so that each part but the last has about ``CHUNK`` pieces."""
    filled = np.cumsum(sizes) // CHUNK
    return np.flatnonzero(np.diff(filled)) + 1
