"""Costs count every run; doses go by tokens."""

import pytest

from report.claims.made_up import run, study
from thaw.report.claims.dose import doses
from thaw.report.claims.ledger import ledger
from thaw.report.tables.claims import cost_table


def test_the_ledger_counts_tuning_training_and_one_pretraining():
    parent = {"pretrain_run": "p1", "pretrain_seconds": 600.0, "pretrain_flops": 5e12, "pretrain_tokens": 1000}
    tuning = [
        run("full", 100, 9, 0.5, config={"optim.lr": lr}, lr=lr, train_seconds=7.0, dev=0.5 + lr, **parent)
        for lr in (0.1, 0.2)
    ]
    scored = [
        run("full", 100, seed, 0.6, config={"optim.lr": 0.2}, lr=0.2, train_seconds=3.0, **parent) for seed in (1, 2)
    ]
    made, found = study(*tuning, *scored, run("scratch", 100, 1, 0.4, train_seconds=5.0))
    costs = {(one.stage, one.arm and one.arm.strategy): one for one in ledger(made, found)}
    assert (costs["pretrain", None].seconds, costs["pretrain", None].tokens) == (600.0, 1000)
    assert (costs["tune", "full"].runs, costs["tune", "full"].seconds) == (2, 14.0)
    assert (costs["train", "full"].runs, costs["train", "full"].seconds) == (2, 6.0)
    assert costs["train", "scratch"].seconds == 5.0
    assert costs["evaluate", "full"].seconds == 2.0


def test_a_cost_that_no_one_recorded_is_unknown_and_not_nothing():
    # it was 0 s of pretraining, and 3 s of training for both runs
    parent = {"pretrain_run": "p1", "pretrain_seconds": None, "pretrain_flops": None, "pretrain_tokens": None}
    scored = [run("full", 100, seed, 0.6, train_seconds=seconds, **parent) for seed, seconds in ((1, 3.0), (2, None))]
    costs = ledger(*study(*scored))
    pretraining, training, _ = costs
    assert (pretraining.stage, pretraining.seconds, pretraining.flops) == ("pretrain", None, None)
    assert (training.seconds, "seconds" in training.partial) == (3.0, True)
    rows = {row[1]: row for row in cost_table(costs).rows}
    assert (rows["pretraining"][3], rows["training"][3], rows[""][3]) == ("–", "≥ 3", "≥ 4")  # with 1 s of evaluation


def test_doses_go_by_tokens_of_one_pretraining():
    made = [
        run("full", 100, seed, 0.5 + 0.05 * dose, checkpoint=f"{dose}" * 64, pretrain_run="p", pretrain_tokens=10**dose)
        for dose in range(4)
        for seed in (1, 2)
    ]
    (found,) = doses(study(*made)[1])
    assert (found.tokens, found.spearman) == ([1.0, 10.0, 100.0, 1000.0], pytest.approx(1.0))
    assert doses(study(*made[:2])[1]) == []
    other = [
        run("full", 100, seed, 0.9, checkpoint="e" * 64, pretrain_run="q", pretrain_tokens=50) for seed in (1, 2)
    ]  # an encoder from elsewhere is no dose of this pretraining
    assert doses(study(*made, *other)[1]) == [found]
    assert doses(study(*made[:2], *other)[1]) == []
