"""The noise of choosing: exact ties are settled by one rule, and how sure a choice is stands beside it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr

from report.claims.made_up import compared, run, study
from thaw.report.claims.rule import Rule
from thaw.report.claims.selection import choice_error, selection, selection_error
from thaw.report.claims.verdicts import verdicts
from thaw.report.tables.choices import choice_table
from thaw.track.ties import taken


def rates(*values: float) -> list[dict[str, float]]:
    return [{"optim.lr": value} for value in values]


GRID = rates(1e-4, 3e-4, 1e-3, 3e-3, 1e-2)


@pytest.mark.parametrize(
    ("equal", "which"),
    [
        (rates(1e-4, 3e-4), 3e-4),  # not the one on the edge (sst2 full of three_claims: the edge was taken)
        (rates(3e-3, 1e-2), 3e-3),
        (rates(3e-4, 1e-3), 3e-4),  # both inside: the smaller
        (rates(3e-4, 1e-3, 3e-3), 1e-3),
        (rates(1e-4, 3e-4, 1e-3), 3e-4),
        (rates(1e-4, 1e-2), 1e-4),  # both on an edge
        (rates(1e-3), 1e-3),
    ],
)
def test_of_equal_settings_the_middle_one_is_taken(equal, which):
    assert equal[taken(equal, GRID)]["optim.lr"] == which
    assert equal[::-1][taken(equal[::-1], GRID)]["optim.lr"] == which


def test_settings_without_numbers_have_an_order_too():
    equal = [{"model": "mlp"}, {"model": "linear"}]
    assert equal[taken(equal, equal)] == {"model": "linear"}
    assert taken([{}], [{}]) == 0


def trials(devs: dict[float, list[float]], dev_texts: int | None = 200, metric: str = "accuracy", size: int = 200):
    """Return the runs of a tuning: for each rate the dev score with each seed."""
    data = {"data": {"dev": dev_texts}} if dev_texts else {}
    return [
        replace(
            run("full", size, 100 + place, None, dev=dev, metric=metric, config={"optim.lr": lr, "test": False}, lr=lr,
                run_id=f"{lr}-{place}-{size}"),
            lineage=data,
        )
        for lr, values in devs.items()
        for place, dev in enumerate(values)
    ]  # fmt: skip


def cell(*runs):
    return study(*runs)[1][0]


def test_an_exact_tie_is_settled_and_listed():
    found = cell(*trials({1e-4: [0.65], 3e-4: [0.65], 1e-3: [0.6]}))
    assert (found.variant, found.ties) == ({"optim.lr": 3e-4}, [{"optim.lr": 1e-4}])


def test_with_one_tuning_seed_the_dev_texts_alone_make_the_noise():
    found = selection(cell(*trials({1e-4: [0.5], 1e-3: [0.6]})))
    assert (found.seeds, found.texts, found.trials) == (1, 200, 2)
    gap, noise = 0.1, np.sqrt(0.25 / 200 + 0.24 / 200)
    assert found.others == pytest.approx(ndtr(-gap / noise / np.sqrt(2)), abs=0.015)  # two tunings' noise
    share = ndtr(-gap / noise)
    assert found.error == pytest.approx(gap * np.sqrt(share * (1 - share)), abs=0.002)


def test_equal_settings_are_a_coin_that_costs_nothing():
    found = selection(cell(*trials({1e-4: [0.6], 1e-3: [0.6]})))
    assert found.others == pytest.approx(0.5, abs=0.03)
    assert found.error == pytest.approx(0.0, abs=1e-12)


def test_more_dev_texts_and_more_seeds_make_a_choice_surer():
    def others(seeds: int, texts: int) -> float:
        wave = [0.02 * (-1) ** place if seeds > 1 else 0.0 for place in range(seeds)]
        return selection(cell(*trials({1e-4: [0.57 + w for w in wave], 1e-3: [0.6 - w for w in wave]}, texts))).others

    few = selection(cell(*trials({1e-4: [0.57], 1e-3: [0.6]}, 50)))
    assert few.texts == 50
    assert few.others > others(1, 200) > others(4, 200)


def test_a_seed_that_moves_all_settings_alike_is_no_noise():
    alike = selection(cell(*trials({1e-4: [0.4, 0.6, 0.8], 1e-3: [0.5, 0.7, 0.9]}, dev_texts=None)))
    assert (alike.others, alike.error) == (0.0, pytest.approx(0.0))


def test_correlations_have_the_noise_of_correlations():
    low = selection(cell(*trials({1e-4: [0.0], 1e-3: [0.05]}, metric="spearman")))
    high = selection(cell(*trials({1e-4: [0.9], 1e-3: [0.95]}, metric="spearman")))
    assert low.others > 0.25 > 0.05 > high.others


def test_nothing_chosen_or_nothing_known_is_no_number():
    assert selection_error(cell(*trials({1e-3: [0.6, 0.5]}))) is None
    assert selection_error(cell(*trials({1e-4: [0.5], 1e-3: [0.6]}, dev_texts=None))) is None


def test_a_choice_that_sizes_share_adds_up():
    tuning = trials({1e-4: [0.55], 1e-3: [0.6]})
    scored = [
        run("full", size, seed, 0.6, config={"optim.lr": 1e-3, "tuned": "runs/tune"}, lr=1e-3)
        for size in (50, 100, 200)
        for seed in (1, 2, 3)
    ]
    sides = compared(*tuning, *scored)
    own = selection_error(sides.cells["trec", sides.transfer, 200])
    both = choice_error(sides, "trec", [(0.5, sides.transfer, 50), (0.5, sides.transfer, 100)])
    assert both == pytest.approx(own) != 0.0
    free = compared(*tuning, *[replace(one, config=one.config | {"tuned": None}) for one in scored])
    assert choice_error(free, "trec", [(1.0, free.transfer, 50)]) == 0.0


def test_the_table_names_ties_the_rule_and_single_seeds():
    found = choice_table(study(*trials({1e-4: [0.65], 3e-4: [0.65], 1e-3: [0.6]}))[1])
    (row,) = found.rows
    assert row[:4] == ("full, trec, 200 labels", "lr 0.0003", "3", "1")
    assert row[-1] == "exactly equal: lr 0.0001"
    assert "the one nearest to the middle of the equal ones" in found.caption
    assert "With one tuning seed the dev texts alone are drawn again" in found.caption
    several = choice_table(study(*trials({1e-4: [0.5, 0.52], 3e-4: [0.65, 0.64], 1e-3: [0.6, 0.6]}))[1])
    assert "equal" not in several.caption
    assert "With one tuning seed" not in several.caption
    assert choice_table(study(*trials({1e-3: [0.6, 0.5]}))[1]) is None


@pytest.mark.parametrize("claim", [1, 2])  # accuracy, labels
def test_the_noise_of_choosing_widens_the_claims_on_scores(claim):
    runs = []
    for seed, shift in enumerate((0.01, -0.01, 0.005, -0.008, 0.003), 1):
        for size, score in ((50, 0.4), (100, 0.5), (200, 0.6)):
            runs.append(run("scratch", size, seed, score + shift))
        for size, score in ((50, 0.56), (100, 0.66)):
            runs.append(
                run("full", size, seed, score - shift, config={"optim.lr": 1e-3, "tuned": "runs/tune"}, lr=1e-3)
            )
    plain, tuned = (compared(*more, *runs, rule=Rule()) for more in ((), trials({1e-4: [0.57], 1e-3: [0.6]})))
    before, after = (verdicts(sides)[claim].judgement for sides in (plain, tuned))
    error = selection_error(tuned.cells["trec", tuned.transfer, 200])
    assert after.pooled.error == pytest.approx(np.hypot(before.pooled.error, error))
    assert (before.components.tuning, after.components.tuning) == (None, pytest.approx(error))


def test_a_tuning_at_a_size_of_its_own_takes_no_claim_away():
    """The cell of a tuning has no test score; it made the sizes of a claim 50, 100, 150, and the claim empty."""
    runs = [
        run(strategy, size, seed, score + 0.01 * seed * (1 if strategy == "full" else -1), config={"optim.lr": 1e-3})
        for seed in (1, 2, 3)
        for size, score in ((50, 0.4), (100, 0.5), (200, 0.6))
        for strategy in ("scratch", "full")
    ]
    sides = compared(*runs, *trials({1e-4: [0.57], 1e-3: [0.6]}, size=150))
    assert sides.headline("trec", sides.transfer) == [50, 100, 200]
    assert all(verdict.judgement.pooled is not None for verdict in verdicts(sides)[1:])
