"""Which tokens are predicted, and what stands in their place (Devlin et al. 2019, section 3.1).

Randomness is a hash of (seed, epoch, block, position): the masks of a block depend on nothing else, not on its batch,
the order of blocks, the number of workers or where a run was resumed.

Differences from BERT: the number of masked tokens of a block is its expectation, rounded up or down at random (BERT:
rounded), at least one; a unit that is larger than what is left is taken with the probability that keeps the
expectation (BERT: skipped). Spans (Joshi et al. 2020, SpanBERT) are runs of whole words with geometric lengths, at most
10 words, cut from the block first and then drawn, so that they never overlap; SpanBERT draws one after the other.
"""

from functools import lru_cache

import numpy as np

MAX_SPAN = 10  # words
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_BEHIND = np.uint64(1 << 63)  # what may not be drawn comes after all that may
# what a random number is for
_ORDER, _CHANGE, _REPLACEMENT, _BORDER, _COUNT, _LAST = range(6)


def _mix(value: np.ndarray) -> np.ndarray:
    """Return a uniform hash of 64-bit numbers (splitmix64: Steele et al. 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = value ^ (value >> np.uint64(31))
    return mixed


def _draw(key: np.ndarray, purpose: int, columns: np.ndarray) -> np.ndarray:
    """Return uint64 numbers, uniform, for each key (B, 1) and column (T,)."""
    counter = (columns.astype(np.uint64) * np.uint64(8) + np.uint64(purpose + 1)) * _GOLDEN
    return _mix(key + counter)


def _uniform(numbers: np.ndarray) -> np.ndarray:
    return (numbers >> np.uint64(11)) * 2.0**-53  # [0, 1)


@lru_cache(maxsize=8)
def _vocabulary(vocab_size: int, special_ids: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    ordinary = np.ones(vocab_size, dtype=bool)
    ordinary[list(special_ids)] = False
    return ordinary, np.flatnonzero(ordinary)


def mask(
    ids: np.ndarray,
    valid: np.ndarray,
    *,
    rate: float,
    mask_share: float,
    random_share: float,
    unit: str,
    mean_span: float,
    seed: int,
    epoch: int,
    blocks: np.ndarray,
    word_start: np.ndarray,
    mask_id: int,
    special_ids: list[int],
    vocab_size: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return inputs (B, T) int64, positions (K,) sorted flat indices into B * T, and targets (K,) int64.

    ids (B, T); valid (B, T) bool; blocks (B,) their numbers; word_start (vocab_size,) bool. Special pieces are neither
    masked nor put in place of others.
    """
    ordinary, replacements = _vocabulary(vocab_size, tuple(special_ids))
    candidate = valid & ordinary[ids]
    columns = np.arange(ids.shape[1])
    key = np.zeros(1, np.uint64)
    for part in ([seed % 2**64], [epoch], blocks):
        key = _mix(key + (np.asarray(part).astype(np.uint64) + np.uint64(1)) * _GOLDEN)
    key = key[:, None]  # (B, 1)
    unit_start = _unit_starts(ids, candidate, key, columns, unit, mean_span, word_start)
    expected = candidate.sum(1, keepdims=True) * rate
    up = _uniform(_draw(key, _COUNT, np.zeros(1, dtype=np.int64)))
    budget = np.floor(expected + up).clip(min=1).astype(np.int64)  # (B, 1) tokens
    choose = _choose_tokens if unit == "token" else _choose_units
    chosen = choose(candidate, unit_start, key, columns, budget)

    together = unit_start if unit == "span" else np.broadcast_to(columns, ids.shape)  # a span changes as a whole
    positions = np.flatnonzero(chosen)
    rows, targets = positions // ids.shape[1], ids.reshape(-1)[positions]
    change = _uniform(_draw(key[rows, 0], _CHANGE, together[chosen]))
    number = _draw(key[rows, 0], _REPLACEMENT, positions % ids.shape[1])
    random = replacements[number % np.uint64(len(replacements))]
    inputs = ids.copy()
    put = np.where(change < mask_share, mask_id, np.where(change < mask_share + random_share, random, targets))
    inputs.reshape(-1)[positions] = put
    return inputs, positions, targets


def _unit_starts(
    ids: np.ndarray,
    candidate: np.ndarray,
    key: np.ndarray,
    columns: np.ndarray,
    unit: str,
    mean_span: float,
    word_start: np.ndarray,
) -> np.ndarray:
    """Return for each token the column (B, T) at which its unit begins."""
    if unit == "token":
        return np.broadcast_to(columns, ids.shape)
    broken = np.ones_like(candidate)  # after a special piece, and at the start of a block, a unit begins
    broken[:, 1:] = ~candidate[:, :-1]
    starts = word_start[ids] | broken
    if unit == "word":
        return np.maximum.accumulate(np.where(starts, columns, 0), axis=1)
    border = _uniform(_draw(key, _BORDER, columns)) < 1 / mean_span
    spans = starts & (border | broken)
    word = np.cumsum(starts, axis=1)  # (B, T) number of the word in its block
    first = np.maximum.accumulate(np.where(spans, word, 0), axis=1)
    spans |= starts & ((word - first) % MAX_SPAN == 0)
    return np.maximum.accumulate(np.where(spans, columns, 0), axis=1)


def _choose_tokens(
    candidate: np.ndarray, unit_start: np.ndarray, key: np.ndarray, columns: np.ndarray, budget: np.ndarray
) -> np.ndarray:
    """Return the tokens (B, T) bool with the smallest random numbers; what `_choose_units` gives for units of one."""
    order = _draw(key, _ORDER, columns) >> np.uint64(1)
    order[~candidate] = _BEHIND
    last = np.take_along_axis(np.sort(order, axis=1), budget - 1, axis=1)
    return candidate & (order <= last)


def _choose_units(
    candidate: np.ndarray, unit_start: np.ndarray, key: np.ndarray, columns: np.ndarray, budget: np.ndarray
) -> np.ndarray:
    """Return the tokens (B, T) bool of whole units, drawn until each block's budget is reached."""
    order = _draw(key, _ORDER, columns)  # of the units: the number at each unit's start
    order = np.take_along_axis(order, unit_start, axis=1) >> np.uint64(1)
    order[~candidate] = _BEHIND
    ranked = np.argsort(order, axis=1, kind="stable")  # a unit's tokens stay together
    starts = np.take_along_axis(unit_start, ranked, axis=1)
    change = np.ones_like(candidate)
    change[:, 1:] = starts[:, 1:] != starts[:, :-1]
    before = np.maximum.accumulate(np.where(change, columns, 0), axis=1)  # tokens of the units drawn earlier
    last = np.ones_like(change)
    last[:, :-1] = change[:, 1:]
    after = np.minimum.accumulate(np.where(last, columns + 1, len(columns))[:, ::-1], axis=1)[:, ::-1]
    # the unit that crosses the budget is taken with the share of it that fits
    fits = _uniform(_draw(key, _LAST, np.zeros(1, dtype=np.int64))) * (after - before) < budget - before
    taken = (after <= budget) | ((before < budget) & (fits | (before == 0)))
    chosen = np.zeros_like(candidate)
    np.put_along_axis(chosen, ranked, taken, axis=1)
    chosen &= candidate
    return chosen
