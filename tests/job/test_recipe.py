"""The recipe of a checkpoint: what its run is, all but the seeds."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from language import pretraining, transfer

from thaw import run
from thaw.job.recipe import pretrain_recipe, transfer_recipe
from thaw.objective.config import ObjectiveConfig
from thaw.task.task import Kind
from thaw.track.folder import LINEAGE


def test_a_recipe_knows_everything_but_the_seed(corpus_file: Path, tmp_path: Path) -> None:
    config = pretraining(corpus_file, tmp_path)
    end = tmp_path / "run" / "checkpoint"
    recipe = pretrain_recipe(config, None, end)
    assert pretrain_recipe(replace(config, seed=7, name="elsewhere"), None, end) == recipe
    others = {
        pretrain_recipe(replace(config, budget="61"), None, end),
        pretrain_recipe(replace(config, objective=ObjectiveConfig(rate=0.3)), None, end),
        pretrain_recipe(config, None, tmp_path / "run" / "checkpoints" / "5k"),
        recipe,
    }
    assert len(others) == 4
    text = tmp_path / "other.txt"
    text.write_text("another text\n" * 50)
    assert pretrain_recipe(pretraining(text, tmp_path), None, end) != recipe


def test_a_continued_pretraining_goes_on_with_the_recipe_of_its_parent(
    corpus_file: Path, pretrained: dict[str, Any], tmp_path: Path
) -> None:
    config = pretraining(corpus_file, tmp_path, checkpoint=str(pretrained["folder"] / "checkpoint"))
    end = tmp_path / "checkpoint"
    assert pretrain_recipe(config, {"recipe": "a"}, end) == pretrain_recipe(config, {"recipe": "a"}, end)
    found = {pretrain_recipe(config, parent, end) for parent in ({"recipe": "a"}, {"recipe": "b"}, {}, None)}
    assert len(found) == 3  # without a recipe the parent counts by its content


def test_a_checkpoint_and_what_starts_from_it_record_the_recipe(
    tasks: dict[Kind, Path], pretrained: dict[str, Any], home: Path
) -> None:
    folder: Path = pretrained["folder"]
    end, early = (
        json.loads((folder / part / LINEAGE).read_text())["recipe"] for part in ("checkpoint", "checkpoints/5k")
    )
    assert end != early
    for strategy, recipe in (("full", end), ("scratch", None)):
        config = transfer(Kind.classes, tasks[Kind.classes], folder / "checkpoint", home, strategy, steps=2, keep=True)
        run.transfer(config)
        made = run.run_folder(config)
        assert json.loads((made / LINEAGE).read_text()).get("recipe") == recipe
        kept = json.loads((made / "checkpoint" / LINEAGE).read_text())["recipe"]
        parent = {"recipe": recipe} if recipe else None
        assert kept == transfer_recipe(replace(config, seed=9), parent, None)
        assert kept not in (end, early)  # it has learnt a task: no pretraining of that recipe
