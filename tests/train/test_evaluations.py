from itertools import pairwise

import pytest

from thaw.train.evaluations import evaluation_steps, regular_steps


@pytest.mark.parametrize(
    ("steps", "every", "expected"),
    [
        (120, 40, [0, 1, 2, 4, 8, 16, 32, 40, 80, 120]),  # the demo: its first look was at step 40
        (10, 4, [0, 1, 2, 4, 8, 10]),
        (6, 1, [0, 1, 2, 3, 4, 5, 6]),
        (1, 50, [0, 1]),
        (20, 100, [0, 1, 2, 4, 8, 16, 20]),
        (64, 32, [0, 1, 2, 4, 8, 16, 32, 64]),
    ],
)
def test_looks_are_dense_at_first(steps: int, every: int, expected: list[int]) -> None:
    assert sorted(evaluation_steps(steps, every)) == expected


@pytest.mark.parametrize("every", [1, 3, 7, 50, 999])
def test_neighbours_are_at_most_twice_as_far_until_the_grid_begins(every: int) -> None:
    looks = sorted(evaluation_steps(500, every))
    regular = regular_steps(500, every)
    assert regular <= set(looks)
    assert regular == {0, *range(every, 501, every), 500}
    dense = [look for look in looks[1:] if look <= every]
    assert dense[0] == 1
    assert all(later <= 2 * earlier for earlier, later in pairwise(dense))
    assert len(looks) - len(regular) <= 10  # the price is logarithmic
