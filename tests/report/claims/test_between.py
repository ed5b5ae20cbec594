"""A score between two measured sizes: exact where it was run, near where it was not, with an error that says so."""

import math

import numpy as np
import pytest

from thaw.report.claims.between import reading, scores_at, together


def test_a_measured_size_is_measured():
    known = scores_at({50: {1: 0.4, 2: 0.5}, 100: {1: 0.6, 2: 0.7}, 200: {1: 0.8, 2: 0.9}}, 100)
    assert (known.scores, known.weights, known.error, known.measured) == ({1: 0.6, 2: 0.7}, {100: 1.0}, 0.0, True)


def test_beyond_the_sizes_nothing_is_read():
    measured = {50: {1: 0.4}, 100: {1: 0.6}, 200: {1: 0.8}}
    assert scores_at(measured, 49) is None
    assert scores_at(measured, 201) is None
    with pytest.raises(ValueError, match="101 labels are not between 50 and 100"):
        reading([50, 100], np.array([0.4, 0.6]), [101])
    assert scores_at({}, 100) is None


def one(sizes, means, labels: float) -> tuple[float, float]:
    """Return the score read at one place, and its error."""
    how = reading(sizes, np.asarray(means), [labels])
    return float(how.scores(np.asarray(means)[None])[0, 0]), float(how.error[0])


def test_a_line_on_log_n_is_read_exactly_and_power_laws_nearly():
    sizes = (50, 150, 500)
    line = [0.4 + 0.1 * math.log(n / 50) for n in sizes]
    assert one(sizes, line, 100)[0] == pytest.approx(0.4 + 0.1 * math.log(2), abs=1e-12)
    for power, labels, before in ((0.5, 100, 0.0130), (1.0, 100, 0.0397), (1.0, 300, 0.0162)):
        law = [1 - 0.5 * (n / 50) ** -power for n in sizes]
        truth = 1 - 0.5 * (labels / 50) ** -power
        straight = float(np.interp(math.log(labels), np.log(sizes), law))  # as it was read until 2026-11-28
        assert truth - straight == pytest.approx(before, abs=0.0005)
        value, error = one(sizes, law, labels)
        assert abs(value - truth) <= 1.96 * error, (power, labels, value, truth, error)
        assert abs(value - truth) <= truth - straight + 1e-9


def test_a_reading_stays_between_its_neighbours():
    steep = (0.3, 0.31, 0.9)  # a parabola through these falls below both scores on the left
    how = reading((50, 150, 500), np.array(steep), [100])
    assert float(np.array(steep) @ how.weights[0]) < 0.3
    assert one((50, 150, 500), steep, 100)[0] == pytest.approx(0.3)


def test_two_sizes_tell_nothing_of_a_bend():
    assert one((50, 200), (0.4, 0.7), 100) == (pytest.approx(0.55), pytest.approx(0.3 / math.sqrt(12)))


def test_wider_gaps_are_trusted_less():
    def error(ratio: float) -> float:
        sizes = [50, 50 * ratio, 50 * ratio**2]
        return one(sizes, [1 - 0.5 * (n / 50) ** -0.5 for n in sizes], 50 * math.sqrt(ratio))[1]

    assert error(2) < error(3) < error(4)


def test_an_s_through_the_three_sizes_goes_to_opposite_sides():
    sizes, line = (50, 150, 450), np.array([0.4, 0.5, 0.6])
    how = reading(sizes, line, [100, 225, 300])
    assert how.sway[0] > 0 > how.sway[1]
    # k (u^3 - u) with a rise of .1 a gap; u = log3(n / 150)
    u = math.log(100 / 150) / math.log(3)
    assert float(how.sway[0]) == pytest.approx(0.1 * 1.5 / math.sqrt(12) * (u**3 - u))
    pair = [reading(sizes, line, [n]) for n in (100, 225)]
    apart = math.hypot(*(float(each.sway[0]) for each in pair)) / 2
    assert float(together(pair, [sizes, sizes])) < apart
    four = reading((50, 150, 450, 1350), np.array([0.4, 0.5, 0.6, 0.7]), [225])
    assert float(four.sway[0]) == 0.0  # two parabolas would show it


def test_a_third_size_is_read_only_where_it_costs_no_seed():
    measured = {50: {1: 0.4, 2: 0.5, 3: 0.45}, 150: {1: 0.6, 2: 0.7, 3: 0.65}, 500: {1: 0.8, 2: 0.9}}
    assert set(scores_at(measured, 100).weights) == {50, 150}
    assert set(scores_at(measured | {500: {1: 0.8, 2: 0.9, 3: 0.85}}, 100).weights) == {50, 150, 500}


def test_leading_axes_are_studies_of_their_own():
    means = np.array([[0.4, 0.6, 0.7], [0.1, 0.2, 0.6]])
    both = reading((50, 150, 500), means, [100, 150, 300])
    for place, row in enumerate(means):
        alone = reading((50, 150, 500), row, [100, 150, 300])
        assert list(both.error[place]) == pytest.approx(list(alone.error), rel=1e-12)
        assert list(both.shift[place]) == pytest.approx(list(alone.shift), abs=1e-15)
        assert (alone.error[1], alone.shift[1]) == (0.0, 0.0)
