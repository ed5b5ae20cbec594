"""Counts and lists read as a person writes them."""

import pytest

from report.claims.made_up import run, study
from thaw.report.cells import cells
from thaw.report.collect import Study
from thaw.report.notes import notes
from thaw.report.summary import counts
from thaw.report.words import are, listed, number


@pytest.mark.parametrize(
    ("parts", "most", "text"),
    [
        ([], 4, ""),
        (["a"], 4, "a"),
        (["a", "b"], 4, "a and b"),
        (["a", "b", "c"], 4, "a, b and c"),
        (["a", "b", "c"], 2, "a, b and 1 more"),
    ],
)
def test_parts_are_joined_by_commas_and_a_last_and(parts, most, text):
    assert listed(parts, most) == text


def test_one_is_no_plural():
    assert (number(1, "run"), number(2, "run"), number(0, "run")) == ("1 run", "2 runs", "0 runs")
    assert (are(1), are(2)) == ("is", "are")
    one = Study(folders=[], runs=[run("full", 100, 1, 0.5)])
    assert counts(one)[0] == "1 run: 1 finished"  # it was "1 runs"


def test_notes_have_a_verb():
    made, _ = study(*(run("full", 100, seed, 0.6) for seed in (1, 2)))
    made.runs[0].row["collapsed"] = True
    object.__setattr__(made.runs[1], "state", "interrupted")
    told = notes(made, cells(made))
    assert "1 run is not finished: the tables will change." in told  # it was "1 run not finished"
    assert "1 run collapsed (not above the majority class) and is counted in the means." in told
