"""What the test texts add to a difference: against the bootstrap, and against what must be so."""

import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score, matthews_corrcoef

from report.claims.made_up import compared, run
from report.claims.predicted import answered, labelled
from thaw.report.claims.influence import influence
from thaw.report.claims.resampling import drawn, errors_of
from thaw.track.folder import PREDICTIONS, write_lines

DRAW = np.random.default_rng(0)


def two_sides(folder, seeds=3, texts=400, shared=True):
    """Two sides that are right on different texts; ``shared``: the same texts in every seed."""
    runs = []
    for side, share in (("full", 0.8), ("scratch", 0.6)):
        base = DRAW.random(texts) < share
        for seed in range(1, seeds + 1):
            right = base if shared else DRAW.random(texts) < share
            runs.append(answered(folder, side, 100, seed, right))
    return compared(*runs)


def parts(sides):
    scratch = next(arm for arm in sides.arms if arm.strategy == "scratch")
    return [(1.0, sides.transfer, 100), (-1.0, scratch, 100)]


def test_texts_that_all_seeds_share_are_an_error_of_the_mean(tmp_path):
    sides = two_sides(tmp_path)
    one, other = (np.array([line["credit"][0] for line in _lines(side[0])]) for side in _runs(sides))
    found = drawn(_weighted(sides)).error
    assert found == pytest.approx((one - other).std(ddof=1) / math.sqrt(400), rel=1e-6)


def test_what_the_seeds_show_already_is_not_added_again(tmp_path):
    sides = two_sides(tmp_path, seeds=10, shared=False)  # every seed is right on texts of its own
    assert drawn(_weighted(sides)).error < 0.005
    assert drawn(_weighted(sides)).residual == pytest.approx(0.032, abs=0.003)  # sqrt((.8 x .2 + .6 x .4) / 400)


def test_the_two_way_form_is_what_the_bootstrap_over_texts_says():
    ease, noise = DRAW.normal(0, 0.5, 300), DRAW.normal(0, 0.4, (5, 300))
    values = ease + noise
    draws = DRAW.integers(0, 300, (3000, 300))
    boots = values[:, draws].mean(axis=2)  # (5, 3000)
    of_mean, of_single = boots.mean(axis=0).var(), boots.var(axis=1).mean()
    expected = math.sqrt((5 * of_mean - of_single) / 4)
    error, residual = errors_of(values - values.mean(axis=1, keepdims=True))
    assert error == pytest.approx(expected, rel=0.05)
    assert residual == pytest.approx(math.sqrt(of_single - expected**2), rel=0.05)


def test_sizes_that_share_their_texts_are_drawn_together(tmp_path):
    runs = []
    for side, share in (("full", 0.8), ("scratch", 0.6)):
        right = DRAW.random(400) < share
        runs += [answered(tmp_path, side, size, seed, right) for size in (100, 200) for seed in (1, 2, 3)]
    sides = compared(*runs)
    scratch = next(arm for arm in sides.arms if arm.strategy == "scratch")
    both = [(w / 2, arm, size) for size in (100, 200) for w, arm in ((1.0, sides.transfer), (-1.0, scratch))]
    single = drawn(_weighted(sides)).error
    assert drawn(_weighted(sides, both)).error == pytest.approx(single)  # not smaller by the root of two


@pytest.mark.parametrize("metric", ["macro_f1", "f1", "matthews", "pearson", "spearman"])
def test_influence_values_are_what_the_bootstrap_says(tmp_path, metric):
    count = 400
    if metric in ("pearson", "spearman"):
        labels = DRAW.integers(0, 8, count) / 2
        guesses = np.round(labels + DRAW.normal(0, 1.5, count), 1)
        score = {"pearson": stats.pearsonr, "spearman": stats.spearmanr}[metric]
        compute = lambda a, b: float(score(a, b).statistic)  # noqa: E731
    else:
        names = np.array(["no", "yes"] if metric == "f1" else ["x", "y", "z"])
        labels = DRAW.choice(names, count)
        guesses = np.where(DRAW.random(count) < 0.6, labels, DRAW.choice(names, count))
        compute = {
            "macro_f1": lambda a, b: f1_score(a, b, average="macro"),
            "f1": lambda a, b: f1_score(a, b, pos_label="yes"),
            "matthews": matthews_corrcoef,
        }[metric]
    made = labelled(
        tmp_path, "full", 1, labels.tolist(), guesses.tolist(), metric=metric, test=compute(labels, guesses)
    )
    values = influence(made).values
    draws = [compute(labels[rows], guesses[rows]) for rows in (DRAW.integers(0, count, count) for _ in range(500))]
    assert values.std() / math.sqrt(count) == pytest.approx(np.std(draws), rel=0.1)


def test_the_f1_of_a_class_that_the_run_did_not_record_is_not_known(tmp_path):
    labels, guesses = ["no", "yes", "yes", "no"] * 10, ["no", "yes", "no", "no"] * 10
    assert influence(labelled(tmp_path, "full", 1, labels, guesses, metric="f1", test=0.123)) is None


def test_a_constant_prediction_has_no_error_of_its_own(tmp_path):
    made = labelled(tmp_path, "full", 1, ["a", "b"] * 20, ["a"] * 40, metric="matthews", test=0.0)
    assert not influence(made).values.any()


def test_what_is_cut_out_of_the_lines_is_what_they_hold(tmp_path):
    texts = ["plain", 'a "label":"x","credit":[1.0,1.0]} b', "back\\slash\nnew line", "é ü", ""]
    lines = [
        {"prediction": text, "scores": None, "label": [text, text], "credit": [0.25 * number, 1.0]}
        for number, text in enumerate(texts)
    ]
    write_lines(tmp_path / "cut" / PREDICTIONS, lines)
    spaced = "\n".join(json.dumps(dict(reversed(list(line.items()))), ensure_ascii=False) for line in lines)
    (tmp_path / "parsed").mkdir()
    (tmp_path / "parsed" / PREDICTIONS).write_bytes(gzip.compress(spaced.encode()))
    cut, parsed = (influence(run("full", 1, 1, 0.5, folder=tmp_path / name)) for name in ("cut", "parsed"))
    assert cut.values == pytest.approx([-0.5, -0.25, 0.0, 0.25, 0.5])
    assert (list(cut.values), cut.labels) == (list(parsed.values), parsed.labels)


def test_a_damaged_file_is_as_none(tmp_path):
    (tmp_path / PREDICTIONS).write_bytes(b"no gzip")
    assert influence(run("full", 1, 1, 0.5, folder=tmp_path)) is None


def test_without_predictions_or_with_other_texts_nothing_is_known(tmp_path):
    sides = two_sides(tmp_path)
    for one in _runs(sides)[1]:
        (one.folder / PREDICTIONS).unlink()
    assert drawn(_weighted(sides)) is None
    other = two_sides(tmp_path / "other")
    for one in _runs(other)[1]:
        lines = [line | {"label": "c"} for line in _lines(one)]
        (one.folder / PREDICTIONS).write_bytes(gzip.compress(b"\n".join(json.dumps(line).encode() for line in lines)))
    assert drawn(_weighted(other)) is None


def test_each_seed_is_tested_by_its_own_texts_as_mcnemar_does(tmp_path):
    base = np.arange(200) < 120
    runs = []
    for seed, gained in enumerate(
        (5, 6, 30), 1
    ):  # texts that transfer has right and scratch has not; none the other way
        runs.append(answered(tmp_path, "scratch", 100, seed, base))
        runs.append(answered(tmp_path, "full", 100, seed, np.arange(200) < 120 + gained))
    found = drawn(_weighted(compared(*runs)))
    # exact: 5 of 5 is p = .0625, 6 of 6 is .031 and not below .05 / 2 after Holm, 30 of 30 is 2e-9
    assert (found.better, found.worse, found.seeds) == (1, 0, 3)


def _runs(sides):
    return [list(sides.runs("trec", arm, 100).values()) for _, arm, _ in parts(sides)]


def _weighted(sides, cells=None):
    return [(weight, sides.all_runs("trec", arm, size)) for weight, arm, size in cells or parts(sides)]


def _lines(one):
    return [json.loads(line) for line in gzip.decompress(Path(one.folder / PREDICTIONS).read_bytes()).splitlines()]
