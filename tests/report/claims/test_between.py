"""A score between two measured sizes: exact where it was run, near where it was not, with an error that says so."""

import math

import numpy as np
import pytest

from thaw.report.claims.between import reading, scores_at


def test_a_measured_size_is_measured():
    known = scores_at({50: {1: 0.4, 2: 0.5}, 100: {1: 0.6, 2: 0.7}, 200: {1: 0.8, 2: 0.9}}, 100)
    assert (known.scores, known.weights, known.error, known.measured) == ({1: 0.6, 2: 0.7}, {100: 1.0}, 0.0, True)


def test_beyond_the_sizes_nothing_is_read():
    measured = {50: {1: 0.4}, 100: {1: 0.6}, 200: {1: 0.8}}
    assert scores_at(measured, 49) is None
    assert scores_at(measured, 201) is None
    assert reading([50, 100], np.array([0.4, 0.6]), 101) is None
    assert scores_at({}, 100) is None


def test_a_line_on_log_n_is_read_exactly_and_power_laws_nearly():
    sizes = (50, 150, 500)
    line = reading(sizes, np.array([0.4 + 0.1 * math.log(n / 50) for n in sizes]), 100)
    means = np.array([0.4 + 0.1 * math.log(n / 50) for n in sizes])
    assert float(means @ line.weights + line.shift) == pytest.approx(0.4 + 0.1 * math.log(2), abs=1e-12)
    for power, labels, straight in ((0.5, 100, 0.0111), (1.0, 100, 0.0397), (1.0, 300, 0.0161)):
        truth = 1 - 0.5 * (labels / 50) ** -power
        means = np.array([1 - 0.5 * (n / 50) ** -power for n in sizes])
        how = reading(sizes, means, labels)
        miss = abs(float(means @ how.weights + how.shift) - truth)
        before = abs(float(np.interp(math.log(labels), np.log(sizes), means)) - truth)
        assert miss < before or power == 1.0  # straight on log n, as it was read before
        assert miss <= 1.96 * float(how.error), (power, labels, miss, float(how.error))
        assert before == pytest.approx(straight, rel=0.35)


def test_a_reading_stays_between_its_neighbours():
    steep = np.array([0.3, 0.31, 0.9])  # a parabola through these falls below both scores on the left
    how = reading((50, 150, 500), steep, 100)
    assert float(steep @ how.weights) < 0.3
    assert float(steep @ how.weights + how.shift) == pytest.approx(0.3)


def test_two_sizes_tell_nothing_of_a_bend():
    how = reading((50, 200), np.array([0.4, 0.7]), 100)
    assert list(how.weights) == [0.5, 0.5]
    assert float(how.error) == pytest.approx(0.3 / math.sqrt(12))


def test_wider_gaps_are_trusted_less():
    def error(ratio: float) -> float:
        sizes = np.array([50, 50 * ratio, 50 * ratio**2])
        return float(reading(list(sizes), 1 - 0.5 * (sizes / 50) ** -0.5, 50 * math.sqrt(ratio)).error)

    assert error(2) < error(3) < error(4)


def test_a_third_size_is_read_only_where_it_costs_no_seed():
    measured = {50: {1: 0.4, 2: 0.5, 3: 0.45}, 150: {1: 0.6, 2: 0.7, 3: 0.65}, 500: {1: 0.8, 2: 0.9}}
    assert set(scores_at(measured, 100).weights) == {50, 150}
    assert set(scores_at(measured | {500: {1: 0.8, 2: 0.9, 3: 0.85}}, 100).weights) == {50, 150, 500}


def test_leading_axes_are_studies_of_their_own():
    means = np.array([[0.4, 0.6, 0.7], [0.1, 0.2, 0.6]])
    both = reading((50, 150, 500), means, 300)
    for place, row in enumerate(means):
        alone = reading((50, 150, 500), row, 300)
        assert float(both.error[place]) == pytest.approx(float(alone.error), rel=1e-12)
        assert float(both.shift[place]) == pytest.approx(float(alone.shift), abs=1e-15)
