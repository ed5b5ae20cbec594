"""What an arm is: a strategy as its runs recorded it, its steps, and the pretrainings of one recipe."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from report.claims.made_up import compared, run, study
from thaw.report.arms import Arm
from thaw.report.cells import Cell, cells
from thaw.report.claims.analysis import analyse
from thaw.report.claims.dose import doses
from thaw.report.claims.pooled import pooled
from thaw.report.collect import Run, read
from thaw.report.comparable import comparable
from thaw.report.notes import notes
from thaw.report.page import write
from thaw.report.palette import LOOKS, looks, rank
from thaw.report.strategy import Strategy
from thaw.report.summary import remarks

Make = Callable[..., Path]
CONTROL = {"name": "my_control", "says": "control: a rule of thumb", "pretrained": False, "network": False}


def steps(count: int) -> dict[str, Any]:
    return {"config": {"steps": count}}


def table(runs: list[Run]) -> dict[str, Cell]:
    return {cell.arm.label: cell for cell in study(*runs)[1]}


def mixed() -> list[Run]:
    """Return the newcomer's study: scratch at 300 steps, then all again at 60 from one seed on, at one size."""
    made = [run("scratch", 50, seed, 0.7, dev=0.7, **steps(300)) for seed in (1, 2, 3)]
    made += [run("scratch", 50, seed, 0.5, dev=0.5, **steps(60)) for seed in (1, 2, 3)]
    made += [run("full", size, seed, 0.6, dev=0.6, **steps(60)) for seed in (1, 2, 3) for size in (50, 100)]
    return made + [run("tfidf", 50, seed, 0.55, **steps(60)) for seed in (1, 2, 3)]


def test_arms_of_unequal_steps_are_neither_chosen_between_nor_paired() -> None:
    """Newcomer N6: scratch at 300 steps, "chosen on dev of 2", stood against full at 60."""
    made, found = study(*mixed())
    at = {cell.arm.label: cell for cell in found if cell.train_size == 50}
    assert at.keys() == {"scratch · 60 steps", "scratch · 300 steps", "full · 60 steps", "tfidf"}
    assert all(cell.trials == 1 for cell in found)
    gap = at["full · 60 steps"].difference
    assert gap is not None
    assert gap.mean == pytest.approx(0.1)  # against 60 steps; it is -0.1 against 300
    assert at["tfidf"].difference is None  # of two scratch arms neither is its own
    assert comparable(made, found)[0] == (
        "The networks of trec had unequal optimizer steps (60 steps in 9 runs and 300 steps in 3 runs): they are arms"
        " of their own, neither paired nor averaged nor chosen between."
    )


def test_the_verdict_is_about_the_budget_with_most_cells_and_says_so() -> None:
    runs = [*mixed(), *(run("full", 50, seed, 0.9, **steps(300)) for seed in (1, 2, 3))]
    made, found = study(*runs)
    told = analyse(made, found)
    assert told.sides.transfer is not None
    assert told.sides.transfer.label == "full · 60 steps"
    assert "full was run with 2 numbers of steps: the verdicts are about full · 60 steps." in told.guards


def test_one_number_of_steps_a_task_is_no_part_of_an_arm() -> None:
    runs = [run("full", 50, seed, 0.6, task=task, **steps(count)) for task, count in (("trec", 60), ("sst2", 300))
            for seed in (1, 2)]  # fmt: skip
    assert {(cell.task, cell.arm.label) for cell in study(*runs)[1]} == {("trec", "full"), ("sst2", "full")}


def test_looks_at_dev_are_no_setting_but_are_told() -> None:
    """The best of more looks is higher by chance; as a setting it was chosen for that."""
    runs = [run("full", 50, seed, 0.6, dev=dev, config={"eval_every": every})
            for seed, every, dev in ((1, 5, 0.9), (2, 20, 0.6))]  # fmt: skip
    made, found = study(*runs)
    assert (found[0].trials, len(found[0].runs)) == (1, 2)
    assert "Dev of trec was scored every 5 and 20 steps: the best of more looks is higher by chance alone." in (
        comparable(made, found)
    )


@pytest.mark.parametrize("recorded", [True, False])
def test_a_control_of_a_plug_in_is_a_control_everywhere(recorded: bool, tmp_path: Path) -> None:
    """House B1: `transfers` was [full, my_control], with exchange rates and a break-even of its own."""
    runs = [run(strategy, size, seed, 0.5 + seed / 100) for strategy in ("scratch", "full", "my_control", "majority")
            for size in (100, 200) for seed in (1, 2, 3)]  # fmt: skip
    for one in runs:
        if one["strategy"] == "my_control":
            one.row.update(kind="control", checkpoint=None)
            if recorded:
                one.lineage["strategy"] = CONTROL | {"control": True, "colour": "#123456"}
            one.config["optim.lr"] = one["seed"]  # it has no optimizer: this makes no setting
    made, found = study(*runs)
    (arm,) = (arm for arm in {cell.arm for cell in found} if arm.strategy == "my_control")
    assert (arm.control, arm.pretrained, arm.network) == (True, False, False)
    assert all(cell.trials == 1 for cell in found)
    told = analyse(made, found)
    assert [one.label for one in told.sides.transfers] == ["full"]
    assert {one.arm.label for one in told.exchange} <= {"full"}
    assert {one.arm.label for one in told.times} <= {"scratch", "full"}
    assert not any("No control" in line for line in notes(made, found))
    order = [one.label for one in told.sides.arms]
    assert order == ["scratch", "full", "my_control", "majority"]
    assert "majority" not in {one.arm.label for one in pooled(told.sides)}
    page = write(made, tmp_path, pictures=False).read_text("utf-8")
    assert ("control: a rule of thumb" in page) == recorded
    assert ("#123456" in page) == recorded


def test_without_the_rules_strategy_a_control_is_not_the_transfer_of_the_verdicts() -> None:
    runs = [run(strategy, 100, seed, 0.5) for strategy in ("scratch", "my_control") for seed in (1, 2, 3)]
    for one in runs[3:]:
        one.row.update(kind="control", checkpoint=None)
    assert compared(*runs).transfer is None


def test_a_plug_in_that_fixes_random_weights_is_one_arm_for_all_checkpoints() -> None:
    recorded = CONTROL | {"network": True, "control": True}
    runs = []
    for name in ("early", "late"):
        runs += [
            run("full", 100, seed, 0.6, checkpoint=name * 9, config={"checkpoint": f"p/{name}"}) for seed in (1, 2)
        ]
    for seed in (1, 2):
        runs.append(run("my_control", 100, seed, 0.3, checkpoint=None, config={"checkpoint": "p/late"}))
        runs[-1].lineage["strategy"] = recorded
    assert set(table(runs)) == {"full · early", "full · late", "my_control"}


def test_plug_ins_are_drawn_and_ordered_by_what_they_are() -> None:
    mine = Strategy(name="a_mine", colour="#abcdef")
    rule = Strategy(name="a_rule", control=True, pretrained=False, network=False)
    drawn = looks([mine, rule, Strategy(name="full")])
    assert drawn["a_mine"].colour == "#abcdef"
    assert (drawn["a_rule"].dash, drawn["full"]) == ("dot", LOOKS["full"])
    arms = [Arm(strategy=one, source="", label=one) for one in ("majority", "tfidf", "full", "scratch")]
    ordered = sorted([*(arm.what for arm in arms), mine, rule], key=rank)
    assert [one.name for one in ordered] == ["scratch", "full", "a_mine", "a_rule", "tfidf", "majority"]


def crossed(*, recipes: tuple[str | None, str | None] = ("r", "r"), dose: str = "end") -> list[Run]:
    """Return three seeds of full from each of two pretrainings, and scratch."""
    made = [run("scratch", 100, seed, 0.5) for seed in (1, 2, 3)]
    for number, (parent, recipe) in enumerate(zip(("p1", "p2"), recipes, strict=True)):
        for seed in (1, 2, 3):
            path = f"runs/pre/{parent}/{'checkpoint' if dose == 'end' else f'checkpoints/{dose}'}"
            made.append(
                run("full", 100, seed, 0.6 + 0.1 * number + seed / 100, checkpoint=f"{parent}{dose}" * 9,
                    pretrain_run=parent, config={"checkpoint": path})
            )  # fmt: skip
            if recipe:
                made[-1].lineage["recipe"] = f"{recipe}-{dose}"
    return made


def test_pretrainings_of_one_recipe_are_one_arm_with_a_run_a_seed_and_pretraining() -> None:
    made, found = study(*crossed())
    cell = {one.arm.label: one for one in found}["full"]
    assert (len(cell.runs), cell.repeated, cell.arm.crossed) == (6, 0, True)
    assert cell.by_pretraining == {
        "p1": pytest.approx({1: 0.61, 2: 0.62, 3: 0.63}),
        "p2": pytest.approx({1: 0.71, 2: 0.72, 3: 0.73}),
    }
    assert cell.test is not None
    assert (cell.test.n, cell.test.mean) == (3, pytest.approx(0.67))  # over seeds, each the mean of two pretrainings
    assert cell.difference is not None
    assert (cell.difference.n, cell.difference.mean) == (3, pytest.approx(0.17))
    assert remarks(cell) == "a seed is the mean of its pretrainings, 2 of one recipe"
    assert not any("encoders" in line for line in analyse(made, found).guards)


@pytest.mark.parametrize("recipes", [("r", "s"), (None, None), ("r", None)])
def test_other_pretrainings_stay_arms(recipes: tuple[str | None, str | None]) -> None:
    """Equal sizes and costs do not tell: two corpora give encoders of one size."""
    assert set(table(crossed(recipes=recipes))) == {"scratch", "full · p1", "full · p2"}


def test_doses_of_crossed_pretrainings_stay_arms() -> None:
    runs = [*crossed(), *(one for one in crossed(dose="4M") if one["strategy"] == "full")]
    for one in runs:
        one.row["pretrain_tokens"] = 4e6 if "4M" in str(one["checkpoint"]) else 16e6
    cells_of = table(runs)
    assert {label: len(cell.runs) for label, cell in cells_of.items()} == {"scratch": 3, "full": 6, "full · 4M": 6}
    (dose,) = doses(list(cells_of.values()))
    assert (dose.tokens, [score.n for score in dose.scores]) == ([4e6, 16e6], [3, 3])


def older(root: Path, make_run: Make, *, corpus: tuple[str, str] = ("c", "c"), rate: float = 0.1) -> None:
    """Write transfers of before recipes were recorded, with the folders of the two pretrainings they start from."""
    for number, parent in enumerate(("aaaaaaaaaa", "bbbbbbbbbb")):
        folder = make_run(root, run_id=parent, kind="pretrain", task=None, strategy=None, seed=number, train_size=None)
        config = {"name": "pre", "seed": number, "objective": {"rate": 0.15 if number else 0.15 + rate - 0.1}}
        (folder / "config.yaml").write_text(json.dumps(config) + "\n")
        (folder / "lineage.json").write_text(json.dumps({"corpus": corpus[number], "tokenizer": "t"}))
        for seed in (1, 2):
            made = make_run(root, run_id=f"full{parent[0]}{seed}", seed=seed, test=0.6, dev=0.6,
                            checkpoint=parent * 6, pretrain_run=parent)  # fmt: skip
            text = (
                (made / "config.yaml").read_text().replace("runs/pre/abc/checkpoint", f"runs/pre/{parent}/checkpoint")
            )
            (made / "config.yaml").write_text(text)


@pytest.mark.parametrize(
    ("given", "arms"),
    [({}, 1), ({"corpus": ("c", "d")}, 2), ({"rate": 0.2}, 2)],
    ids=["by seed only", "another text", "another setting"],
)
def test_older_pretrainings_are_one_recipe_where_their_folders_say_so(
    given: dict[str, Any], arms: int, tmp_path: Path, make_run: Make
) -> None:
    older(tmp_path, make_run, **given)
    found = cells(read(tmp_path))
    assert len({cell.arm for cell in found}) == arms
    assert sum(len(cell.runs) for cell in found) == 4
