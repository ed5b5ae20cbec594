"""How a verdict is reached is said as it is built, and captions say which interval they have."""

from dataclasses import replace

import pytest

from report.claims.made_up import run, study
from thaw.report.claims.analysis import analyse
from thaw.report.claims.rule import Rule
from thaw.report.figures import Style
from thaw.report.page.content import gather
from thaw.report.page.headline import headline
from thaw.report.page.rule import rule_paragraphs
from thaw.report.page.verdicts import reading
from thaw.report.palette import looks


def members(**config):
    return [
        run(strategy, 100, seed, score + seed / 100, config=config)
        for strategy, score in (("scratch", 0.5), ("full", 0.7))
        for seed in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("rules", "begins"),
    [
        (1, "The rule was fixed in the study's config before the runs."),
        (0, "No run records a rule, so this one, the default, was fixed after the runs."),
        (2, "The runs record 2 rules, so this one, of most runs, was fixed after them."),
    ],
)
def test_fixed_before_the_runs_is_said_only_where_one_rule_was_recorded(rules, begins):
    assert rule_paragraphs(Rule(), rules)[0].startswith(begins)


def test_the_page_counts_the_rules_of_its_runs():
    for made, words in (
        (members(), "fixed after the runs"),
        (members(**{"verdict.margin": 0.02}), "fixed in the study&#x27;s config before the runs"),
    ):
        content = gather(study(*made)[0])
        assert words in reading(content.analysis, content.style)
    mixed = [*members(**{"verdict.margin": 0.02})[:3], *members(**{"verdict.margin": 0.03})[3:]]
    assert analyse(*study(*mixed)).rules == 2


def test_each_claim_has_what_its_word_follows_from():
    rule = Rule(level=0.978, sizes=[50, 100], target=0.9, faster=1.2, margin=0.02, fewer=3.0, tasks=0.5)
    fixed, words, time, accuracy, labels = rule_paragraphs(rule, 1)
    assert "about full at train sizes 50 and 100, and 97.8 % is the level in force" in fixed
    assert "on 50% of the tasks, each by itself" in words
    assert "5 pretrainings or more that all tasks share" in words
    for part in (
        "the majority answer's + 0.9 x (scratch's best - the majority answer's)",
        "At least 1.2 times",
        "CPU seconds decide on a CPU and wall seconds on a GPU",
        "a clock that was disturbed has no vote",
        "one undisturbed clock says supported and another not supported the word is inconclusive",
        "no fewer arrivals than scratch's",
        "has not converged there is no word",
        "the grid of looks",
    ):
        assert part in time
    assert "Wall seconds decide" in rule_paragraphs(replace(rule, clock="seconds"), 1)[2]
    for part in ("0.02 is worth", "on one task mixed", "as many collapsed runs"):
        assert part in accuracy
    for part in ("scratch's with 3 times as many", "the error of the reading is in the interval",
                 "better with as many labels too", "gain from 3 times the labels", "collapsed runs"):  # fmt: skip
        assert part in labels


def test_the_headline_says_which_interval_it_has_and_ends_differences_where_they_end():
    """It said "t-interval" of the logit's, "one seed only" of fewer than three, and showed [-0.5, +1.5]."""
    made = []
    for seed, (one, other) in enumerate(((0.01, 0.99), (0.02, 0.5), (0.01, 0.98)), 1):
        made += [run("scratch", 100, seed, one), run("full", 100, seed, other)]
    content = gather(study(*made)[0])
    page = headline(content.cells, looks({arm.what for arm in content.style.arms}))
    assert "95% interval (Student&#x27;s t on the logit)" in page
    assert "there are fewer than 3 seeds" in page
    gap = next(cell.difference for cell in content.cells if cell.difference)
    assert gap.high > 1
    assert "+1.000] " not in page
    assert "+1.000]" in page


def test_an_arm_without_style_has_no_reading():
    assert reading(analyse(*study()), Style.of([])) == ""
