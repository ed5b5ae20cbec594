"""Rates that are exactly equal on dev: `tuned=` says which tie, which is taken, and by which rule."""

import json
from pathlib import Path

import pytest

from thaw.job.resolve import chosen


def sweep(folder: Path, devs: dict[float, list[float]]) -> str:
    """Write what `tuned=` reads of a sweep: dev scores by rate, a seed each."""
    for lr, scores in devs.items():
        for seed, dev in enumerate(scores, 100):
            run = folder / f"{lr}-{seed}"
            run.mkdir(parents=True)
            (run / "config.yaml").write_text(
                f"data: {{train_size: '200'}}\ntask: {{name: sst2}}\nstrategy: {{name: full}}\noptim: {{lr: {lr}}}\n"
            )
            (run / "status.json").write_text(json.dumps({"state": "finished"}))
            row = {"task": "sst2", "strategy": "full", "lr": lr, "seed": seed, "train_size": 200, "dev": dev}
            (run / "result.json").write_text(json.dumps(row))
    return str(folder)


def test_an_exact_tie_is_said_and_not_broken_towards_the_edge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """sst2 full of three_claims: 1e-4 and 3e-4 were equal, and the edge was taken without a word."""
    folder = sweep(tmp_path / "two", {1e-4: [0.65], 3e-4: [0.65], 1e-3: [0.6], 3e-3: [0.5]})
    assert chosen(folder, "sst2", "full", "200") == 3e-4
    said = capsys.readouterr().err
    assert "optim.lr=0.0001, 0.0003 of sst2 full are exactly equal on dev" in said
    assert "0.0003 is taken: the one nearest to the middle of the equal ones" in said
    assert "edge" not in said.split("is taken")[0]


def test_means_over_seeds_that_differ_by_rounding_alone_are_equal(tmp_path: Path) -> None:
    devs = {1e-4: [0.36, 0.38, 0.46], 3e-4: [0.46, 0.36, 0.38], 1e-3: [0.38, 0.46, 0.36], 3e-3: [0.1, 0.1, 0.1]}
    assert chosen(sweep(tmp_path / "rounding", devs), "sst2", "full", "200") == 3e-4


def test_a_single_best_rate_is_taken_without_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = sweep(tmp_path / "one", {1e-4: [0.5], 3e-4: [0.65], 1e-3: [0.6]})
    assert chosen(folder, "sst2", "full", "200") == 3e-4
    assert "equal" not in capsys.readouterr().err
