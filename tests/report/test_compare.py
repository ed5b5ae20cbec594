"""Two studies: what changed, which differences are real."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from thaw.cli import report
from thaw.errors import ConfigError
from thaw.report.collect import read
from thaw.report.compare.changes import changes, settings

SCORES = {"scratch": [0.50, 0.52, 0.51, 0.53, 0.50], "full": [0.70, 0.72, 0.71, 0.74, 0.70]}
GAINS = {"scratch": [0.003, -0.004, 0.002, -0.001, 0.0], "full": [0.05, 0.051, 0.049, 0.052, 0.05]}


def write(make_run: Any, root: Path, gain: float = 0.0, seeds: int = 1, steps: int = 100) -> Path:
    for strategy, scores in SCORES.items():
        for i, score in enumerate(scores):
            test = score + gain * GAINS[strategy][i]
            made = {"strategy": strategy, "seed": i + seeds, "dev": test, "test": test, "optim__steps": steps}
            make_run(root, run_id=f"{strategy}{i}", **made)
    return root


def test_paired_differences_and_holm(tmp_path: Path, make_run: Any) -> None:
    first, second = write(make_run, tmp_path / "a"), write(make_run, tmp_path / "b", gain=1.0, steps=200)
    found = {one.label: one for one in changes(read(first), read(second))}
    assert all(one.pairs and one.difference.n == 5 for one in found.values())
    raw = {name: stats.ttest_1samp(values, 0).pvalue for name, values in GAINS.items()}
    assert found["full"].p == pytest.approx(2 * raw["full"])  # the smaller of two
    assert found["scratch"].p == pytest.approx(raw["scratch"])
    assert found["full"].real
    assert not found["scratch"].real
    assert [one.key for one in settings(read(first), read(second))] == ["optim.steps"]


def test_two_seeds_are_no_test(tmp_path: Path, make_run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Newcomer N3: "1 of 3 differences in test score is real", +0.019 [+0.019, +0.019], p = 5e-05, n = 2."""
    for name, gain in (("a", 0.0), ("b", 0.019231)):
        for strategy, scores in SCORES.items():
            for seed in (1, 2):
                test = scores[seed] + gain * (strategy == "full")
                make_run(tmp_path / name, run_id=f"{strategy}{seed}", strategy=strategy, seed=seed, dev=test, test=test)
    found = {one.label: one for one in changes(read(tmp_path / "a"), read(tmp_path / "b"))}
    assert [(one.real, one.tested, one.p) for one in found.values()] == [(False, False, 1.0)] * 2
    assert found["full"].difference.mean == pytest.approx(0.019231)
    assert report.main([str(tmp_path / "a"), str(tmp_path / "b"), "--compare", "--out", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "No difference in test score can be tested" in page
    assert "n = 2: no test" in (tmp_path / "out" / "summary.md").read_text("utf-8")


def test_equal_differences_of_three_seeds_are_no_certainty(tmp_path: Path, make_run: Any) -> None:
    for name, gain in (("a", 0.0), ("b", 0.02)):
        for seed in (1, 2, 3):
            make_run(tmp_path / name, run_id=f"full{seed}", seed=seed, dev=0.5 + gain, test=0.5 + gain)
    (one,) = changes(read(tmp_path / "a"), read(tmp_path / "b"))
    assert (one.real, one.tested, one.p) == (False, False, 1.0)
    (same,) = changes(read(tmp_path / "a"), read(tmp_path / "a"))
    assert (same.real, same.tested, same.difference.mean) == (False, True, 0.0)


def test_the_error_of_the_test_texts_is_in_the_interval(tmp_path: Path, make_run: Any) -> None:
    for name, first in (("a", 0), ("b", 20)):  # 70 and 80 of 100 texts right: 20 lost, 30 gained
        for seed in (1, 2, 3):
            right = [first <= number < first + 70 + first // 2 for number in range(100)]
            lines = [{"prediction": "x", "label": "x", "credit": [float(one), 1.0]} for one in right]
            score = sum(right) / 100
            make_run(tmp_path / name, run_id=f"full{seed}", seed=seed, dev=score, test=score, predictions=lines)
    (one,) = changes(read(tmp_path / "a"), read(tmp_path / "b"))
    assert (one.texts, one.tested, one.real) == (True, True, False)
    assert one.difference.mean == pytest.approx(0.1)
    assert one.difference.error == pytest.approx(((0.5 - 0.01) / 99) ** 0.5, rel=1e-6)  # 50 texts differ


def test_other_seeds_or_subsets_do_not_pair(tmp_path: Path, make_run: Any) -> None:
    first, second = write(make_run, tmp_path / "a"), write(make_run, tmp_path / "b", gain=1.0, seeds=11)
    found = {one.label: one for one in changes(read(first), read(second))}
    after = [score + gain for score, gain in zip(SCORES["full"], GAINS["full"], strict=True)]
    test = stats.ttest_ind(after, SCORES["full"], equal_var=False)
    assert not found["full"].pairs
    assert found["full"].difference.low == pytest.approx(test.confidence_interval(0.95).low)
    assert found["full"].p == pytest.approx(2 * test.pvalue)
    third = write(make_run, tmp_path / "c", gain=1.0)
    for folder in third.iterdir():
        (folder / "lineage.json").write_text(json.dumps({"subset": "other"}))
    assert not any(one.pairs for one in changes(read(first), read(third)))


def test_the_command(study_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other <i>study</i>"
    shutil.copytree(study_folder, other)
    assert report.main([str(study_folder), str(other), "--compare", "--out", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "0 of 38 differences in test score are real" in page
    assert "<i>study" not in page
    assert (tmp_path / "out" / "figures" / "change-topics.svg").exists()
    assert json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["settings"] == []
    with pytest.raises(ConfigError, match="takes two folders"):
        report.main([str(study_folder), "--compare"])
