"""The recipe of a checkpoint: what its run is, all but the seeds."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from language import ENCODER, pretraining, transfer

from thaw import run
from thaw.encoder.config import EncoderConfig
from thaw.encoder.manifest import write_manifest
from thaw.job import identity
from thaw.job.recipe import pretrain_recipe, transfer_recipe
from thaw.objective.config import ObjectiveConfig
from thaw.task.task import Kind
from thaw.track.folder import LINEAGE
from thaw.train.config import PretrainDataConfig


def test_a_recipe_knows_everything_but_the_seed(corpus_file: Path, tmp_path: Path) -> None:
    config = pretraining(corpus_file, tmp_path)
    end = tmp_path / "run" / "checkpoint"
    recipe = pretrain_recipe(config, None, end, 60)
    assert pretrain_recipe(replace(config, seed=7, name="elsewhere"), None, end, 60) == recipe
    others = {
        pretrain_recipe(replace(config, budget="61"), None, end, 61),
        pretrain_recipe(replace(config, objective=ObjectiveConfig(rate=0.3)), None, end, 60),
        pretrain_recipe(config, None, tmp_path / "run" / "checkpoints" / "5k", 60),
        recipe,
    }
    assert len(others) == 4
    text = tmp_path / "other.txt"
    text.write_text("another text\n" * 50)
    assert pretrain_recipe(pretraining(text, tmp_path), None, end, 60) != recipe


def test_a_budget_of_time_is_the_recipe_of_its_steps(corpus_file: Path, tmp_path: Path) -> None:
    """Two seeds of "15m" measure two numbers of steps: other trainings, and not by chance alone."""
    config, end = pretraining(corpus_file, tmp_path, budget="15m"), tmp_path / "checkpoint"
    seeds = [pretrain_recipe(replace(config, seed=seed), None, end, steps) for seed, steps in ((1, 900), (2, 911))]
    assert seeds[0] != seeds[1]
    assert pretrain_recipe(replace(config, seed=2), None, end, 900) == seeds[0]


def test_a_continued_pretraining_may_use_all_positions_of_its_parent(
    corpus_file: Path, pretrained: dict[str, Any], tmp_path: Path
) -> None:
    """The checkpoint has them, ``encoder`` of the config (512 positions) does not count: it raised at the very end."""
    parent = str(pretrained["folder"] / "checkpoint")
    config = pretraining(corpus_file, tmp_path, checkpoint=parent, data=PretrainDataConfig(length=1024))
    assert config.encoder.max_positions < 1024
    short = replace(config, data=PretrainDataConfig(length=512))
    end = tmp_path / "checkpoint"
    known = [pretrain_recipe(longer, {"recipe": "a"}, end, 60) for longer in (config, short)]
    assert known[0] != known[1]
    smaller = replace(config, encoder=replace(config.encoder, layers=1))  # of a parent's run it says nothing
    assert pretrain_recipe(smaller, {"recipe": "a"}, end, 60) == known[0]


def test_a_continued_pretraining_ends_whatever_its_parent_tells(
    corpus_file: Path, pretrained: dict[str, Any], tmp_path: Path
) -> None:
    """Blocks of 32 fit the parent's 64 positions; that the config's encoder has 16 ended it, after the last step."""
    parent = tmp_path / "parent"
    shutil.copytree(pretrained["folder"] / "checkpoint", parent)
    lineage = json.loads((parent / LINEAGE).read_text())
    del lineage["seconds"]  # as written before costs were kept
    (parent / LINEAGE).write_text(json.dumps(lineage))
    write_manifest(parent)
    shape = EncoderConfig(**{**ENCODER, "max_positions": 16})
    config = pretraining(corpus_file, tmp_path, checkpoint=str(parent), encoder=shape, budget="2")
    run.pretrain(config)
    end = run.run_folder(config) / "checkpoint"
    child = json.loads((end / LINEAGE).read_text())
    assert child["recipe"] == pretrain_recipe(replace(config, seed=5), lineage, end, 2)
    assert (child["seconds"], child["tokens"]) == (None, lineage["tokens"] + child["own"]["tokens"])
    assert "million tokens, unknown seconds." in (end / "README.md").read_text()


def test_a_kept_transfer_has_the_epoch_and_its_shape_in_its_recipe(
    tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder: Path = pretrained["folder"] / "checkpoint"
    config = transfer(Kind.classes, tasks[Kind.classes], folder, tmp_path, "scratch", keep=True)
    recipe = transfer_recipe(config, None)
    assert transfer_recipe(replace(config, seed=9), None) == recipe
    wider = tmp_path / "wider"
    shutil.copytree(folder, wider)
    shape = json.loads((wider / "config.json").read_text()) | {"num_attention_heads": 4}
    (wider / "config.json").write_text(json.dumps(shape))
    write_manifest(wider)
    assert transfer_recipe(replace(config, checkpoint=str(wider)), None) != recipe
    monkeypatch.setattr(identity, "RESULTS", identity.RESULTS + 1)
    assert transfer_recipe(config, None) != recipe


def test_a_continued_pretraining_goes_on_with_the_recipe_of_its_parent(
    corpus_file: Path, pretrained: dict[str, Any], tmp_path: Path
) -> None:
    config = pretraining(corpus_file, tmp_path, checkpoint=str(pretrained["folder"] / "checkpoint"))
    end = tmp_path / "checkpoint"
    known = pretrain_recipe(config, {"recipe": "a"}, end, 60)
    early = replace(config, checkpoint=str(pretrained["folder"] / "checkpoints" / "0"))
    assert pretrain_recipe(early, {"recipe": "a"}, end, 60) == known  # its content is that of one seed
    found = {pretrain_recipe(config, parent, end, 60) for parent in ({"recipe": "a"}, {"recipe": "b"}, {}, None)}
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
        assert kept == transfer_recipe(replace(config, seed=9), parent)
        assert kept not in (end, early)  # it has learnt a task: no pretraining of that recipe
