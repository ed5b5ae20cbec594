import json
from collections.abc import Callable
from pathlib import Path

import pytest

from thaw.report.cells import Cell, cells
from thaw.report.collect import read
from thaw.report.notes import notes

Make = Callable[..., Path]


def only(folder: Path, strategy: str = "full") -> Cell:
    (cell,) = (one for one in cells(read(folder)) if one.arm.strategy == strategy)
    return cell


def test_difference_to_scratch_is_paired_by_seed(tmp_path: Path, make_run: Make) -> None:
    for seed, scratch, full in ((1, 0.5, 0.6), (2, 0.55, 0.66), (3, 0.6, 0.72)):
        make_run(tmp_path, run_id=f"s{seed}", strategy="scratch", seed=seed, test=scratch)
        make_run(tmp_path, run_id=f"f{seed}", seed=seed, test=full)
    make_run(tmp_path, run_id="f4", seed=4, test=0.1)  # no partner: in the mean, not in the difference
    cell = only(tmp_path)
    assert cell.test is not None
    assert cell.test.n == 4
    assert cell.difference is not None
    assert cell.difference.mean == pytest.approx(0.11)
    assert cell.difference.n == 3
    assert cell.difference.excludes_zero
    assert only(tmp_path, "scratch").difference is None


def test_rate_is_chosen_by_mean_dev_never_by_test(tmp_path: Path, make_run: Make) -> None:
    for lr, dev, test in ((1e-4, 0.6, 0.9), (1e-3, 0.7, 0.5), (1e-2, 0.65, 0.99)):
        for seed in (1, 2):
            make_run(tmp_path, run_id=f"{lr}-{seed}", lr=lr, seed=seed, dev=dev, test=test)
    cell = only(tmp_path)
    assert cell.test is not None
    assert cell.test.mean == pytest.approx(0.5)
    assert (cell.variant, cell.trials, cell.held_out, cell.edge) == ({"optim.lr": 1e-3}, 3, False, [])
    assert cell.choice == "lr 0.001: chosen on dev of 3"


def test_an_edge_of_the_grid_is_told(tmp_path: Path, make_run: Make) -> None:
    for number, lr in enumerate((1e-4, 1e-3, 1e-2)):
        make_run(tmp_path, run_id=f"{lr}", lr=lr, dev=0.5 + number / 10, test=0.5)
    cell = only(tmp_path)
    assert cell.edge == ["optim.lr"]
    assert "edge of its grid" in cell.choice
    assert any("edge of its grid" in note for note in notes(read(tmp_path), [cell]))


def test_a_tuning_that_left_the_test_set_alone_is_no_candidate_beside_scored_runs(
    tmp_path: Path, make_run: Make
) -> None:
    for lr, dev in ((1e-4, 0.6), (1e-3, 0.7), (1e-2, 0.9)):  # another setting differs too: evaluated less often
        config = make_run(tmp_path, run_id=f"tune{lr}", lr=lr, seed=100, dev=dev, test=None) / "config.yaml"
        config.write_text(config.read_text() + "test: false\neval_every: 40\n")
    for seed in (1, 2, 3):
        config = make_run(tmp_path, run_id=f"final{seed}", lr=1e-2, seed=seed, dev=0.5, test=0.8) / "config.yaml"
        config.write_text(config.read_text() + "test: true\neval_every: 20\n")
    cell = only(tmp_path)
    assert cell.test is not None
    assert (cell.test.n, cell.test.mean, cell.trials, cell.tuning_seeds) == (3, pytest.approx(0.8), 3, [100])
    assert cell.edge == ["optim.lr"]
    assert cell.unscored == 0
    assert len(cell.others) == 3


def test_tuning_seeds_are_left_out_of_the_score(tmp_path: Path, make_run: Make) -> None:
    for lr, dev in ((1e-4, 0.6), (1e-3, 0.7)):
        make_run(tmp_path, run_id=f"tune{lr}", lr=lr, seed=0, dev=dev, test=0.0)
    for seed in (1, 2, 3):  # the final runs; their dev scores are worse, which must not undo the choice
        make_run(tmp_path, run_id=f"final{seed}", lr=1e-3, seed=seed, dev=0.5, test=0.8)
    cell = only(tmp_path)
    assert cell.held_out
    assert cell.tuning_seeds == [0]
    assert [run["seed"] for run in cell.runs] == [1, 2, 3]
    assert cell.test is not None
    assert cell.test.mean == pytest.approx(0.8)


def test_a_setting_with_failed_runs_yields(tmp_path: Path, make_run: Make) -> None:
    for seed in (1, 2):
        make_run(tmp_path, run_id=f"safe{seed}", lr=1e-3, seed=seed, dev=0.6, test=0.6)
    make_run(tmp_path, run_id="fast1", lr=1e-2, seed=1, dev=0.9, test=0.9)
    make_run(tmp_path, run_id="fast2", lr=1e-2, seed=2, state="failed", error="loss is not finite")
    cell = only(tmp_path)
    assert cell.variant == {"optim.lr": 1e-3}
    assert (cell.failed, cell.test.n if cell.test else 0) == (1, 2)


def test_any_setting_makes_a_variant_but_not_where_or_how_fast(tmp_path: Path, make_run: Make) -> None:
    make_run(tmp_path, run_id="a", dev=0.5, test=0.5, strategy__decay=2.6, wandb__mode="offline", trainer__threads=1)
    make_run(tmp_path, run_id="b", dev=0.6, test=0.4, strategy__decay=1.0, wandb__mode="online", trainer__threads=2)
    cell = only(tmp_path)
    assert cell.variant == {"strategy.decay": 1.0}


def test_runs_with_another_cache_are_seeds_of_one_setting(tmp_path: Path, make_run: Make) -> None:
    for seed, limit in ((1, 4.0), (2, 4.0), (3, 0.0)):
        make_run(tmp_path, run_id=f"s{seed}", seed=seed, cache__limit=limit, cache__folder=f"/tmp/{limit}")
    assert len(only(tmp_path).runs) == 3


def test_words_only_controls_know_no_rate(tmp_path: Path, make_run: Make) -> None:
    for lr in (1e-4, 1e-3):
        make_run(tmp_path, run_id=f"{lr}", kind="control", strategy="tfidf", lr=None, optim__lr=lr, test=0.7, dev=0.7)
    cell = only(tmp_path, "tfidf")
    assert (cell.trials, cell.repeated, cell.test.n if cell.test else 0) == (1, 1, 1)


def test_two_checkpoints_are_two_arms_with_one_scratch(tmp_path: Path, make_run: Make) -> None:
    for name in ("early", "late"):
        folder = make_run(tmp_path, run_id=f"f{name}", checkpoint=name * 9, test=0.7, dev=0.7)
        text = (folder / "config.yaml").read_text().replace("abc/checkpoint", f"{name}/checkpoint")
        (folder / "config.yaml").write_text(text)
    make_run(tmp_path, run_id="s", strategy="scratch", test=0.6, dev=0.6)
    found = cells(read(tmp_path))
    assert [cell.arm.label for cell in found] == ["scratch", "full · early", "full · late"]
    assert [cell.difference.mean for cell in found if cell.difference] == pytest.approx([0.1, 0.1])


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (("p/0123456789/checkpoint", "p/0123456789/checkpoints/4M"), ("", "4M")),
        (("p/0123456789/checkpoint", "p/0123456789/checkpoints/4M", "minilm"), ("p", "p/4M", "minilm")),
        (("p/0123456789/checkpoint", "p/abcdefabcd/checkpoint"), ("0123456789", "abcdefabcd")),
        (("p/0123456789/checkpoint", "q/abcdefabcd/checkpoint"), ("p", "q")),
        (("same", "same"), ("000000", "111111")),  # written anew between two runs: by content
    ],
)
def test_checkpoints_are_named_by_what_differs(
    paths: tuple[str, ...], names: tuple[str, ...], tmp_path: Path, make_run: Make
) -> None:
    for number, path in enumerate(paths):
        folder = make_run(tmp_path, run_id=f"f{number}", checkpoint=f"{number}" * 64, test=0.7, dev=0.7)
        text = (folder / "config.yaml").read_text().replace("abc/checkpoint", path)
        (folder / "config.yaml").write_text(text)
    labels = sorted(cell.arm.label for cell in cells(read(tmp_path)))
    assert labels == sorted(f"full · {name}" if name else "full" for name in names)


def test_each_tokenizer_has_a_scratch_of_its_own(tmp_path: Path, make_run: Make) -> None:
    for name, scratch in (("A", 0.3), ("B", 0.5)):
        for strategy, test in (("scratch", scratch), ("full", 0.6)):
            checkpoint = name * 9 if strategy == "full" else None
            given = {"strategy": strategy, "checkpoint": checkpoint, "test": test, "total_parameters": 1000}
            folder = make_run(tmp_path, run_id=f"{strategy}{name}", **given)
            text = (folder / "config.yaml").read_text().replace("abc/checkpoint", f"{name}/checkpoint")
            (folder / "config.yaml").write_text(text)
            (folder / "lineage.json").write_text(json.dumps({"tokenizer": f"pieces of {name}"}))
    differences = {cell.arm.label: cell.difference.mean for cell in cells(read(tmp_path)) if cell.difference}
    assert differences == {"full · A": pytest.approx(0.3), "full · B": pytest.approx(0.1)}


def test_collapsed_runs_count_in_the_mean(tmp_path: Path, make_run: Make) -> None:
    make_run(tmp_path, run_id="a", seed=1, test=0.2, collapsed=True)
    make_run(tmp_path, run_id="b", seed=2, test=0.8)
    cell = only(tmp_path)
    assert (cell.collapsed, cell.test.mean if cell.test else None) == (1, 0.5)
    assert any("1 run collapsed" in note for note in notes(read(tmp_path), [cell]))


def test_an_undefined_score_is_told(tmp_path: Path, make_run: Make) -> None:
    make_run(tmp_path, run_id="a", seed=1, test=None)
    make_run(tmp_path, run_id="b", seed=2, test=0.8)
    cell = only(tmp_path)
    assert (cell.unscored, cell.test.n if cell.test else 0) == (1, 1)


def test_notes_on_the_data(tmp_path: Path, make_run: Make) -> None:
    folder = make_run(tmp_path, run_id="a", test=0.8)
    lineage = {"data": {"duplicates": {"train_test": 9, "dropped": 9, "near_train_test": 4}, "conflicts": {"count": 1}}}
    (folder / "lineage.json").write_text(json.dumps(lineage | {"train": {"truncated_share": 0.25}}))
    told = " ".join(notes(read(tmp_path), cells(read(tmp_path))))
    assert "topics: 9 training texts are also in the test set; such texts were dropped from train." in told
    assert "topics: 4 training texts are nearly equal to a test text." in told
    assert "topics: 1 text has more than one label." in told
    assert "up to 25% of the training texts" in told


def test_the_architecture_is_a_setting_only_without_a_checkpoint(tmp_path: Path, make_run: Make) -> None:
    for number, dropout in enumerate((0.0, 0.1)):
        make_run(tmp_path / "with", run_id=f"{number}", seed=number, dev=0.5, test=0.5, encoder__dropout=dropout)
        folder = make_run(tmp_path / "without", run_id=f"{number}", dev=0.5, test=0.5, encoder__dropout=dropout)
        text = (folder / "config.yaml").read_text().replace("runs/pre/abc/checkpoint", "null")
        (folder / "config.yaml").write_text(text)
    assert only(tmp_path / "with").trials == 1
    assert only(tmp_path / "without").trials == 2


def test_a_trial_whose_test_set_was_scored_later_is_still_a_trial(tmp_path: Path, make_run: Make) -> None:
    """``test=false`` with two rates, then ``test=true`` with the better one: what was tried must not be forgotten."""

    def trial(run_id: str, lr: float, seed: int, dev: float, test: float | None, **lineage: bool) -> None:
        folder = make_run(tmp_path, run_id=run_id, lr=lr, seed=seed, dev=dev, test=test)
        text = (folder / "config.yaml").read_text() + f"test: {'false' if test is None else 'true'}\n"
        (folder / "config.yaml").write_text(text)
        (folder / "lineage.json").write_text(json.dumps(lineage))

    trial("a", 1e-3, 1, 0.6, None, tuning=True)
    trial("b", 3e-3, 1, 0.8, 0.7, tuning=True)  # scored later, in the folder of the trial
    trial("c", 3e-3, 2, 0.8, 0.9)
    cell = only(tmp_path)
    assert (cell.trials, cell.variant) == (2, {"optim.lr": 3e-3})
    assert cell.test is not None
    assert (cell.test.n, cell.test.mean) == (2, pytest.approx(0.8))
