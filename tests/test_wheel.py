"""A wheel works outside the checkout: its configs, a user's config folder, studies, another package's plug-ins."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from thaw.encoder.checkpoint import save
from thaw.encoder.config import EncoderConfig
from thaw.encoder.model import Encoder
from thaw.text.tokenizer import TokenizerConfig, train

REPOSITORY = Path(__file__).resolve().parents[1]

PLUGIN = """
from dataclasses import dataclass
from thaw.encoder.config import EncoderConfig
from thaw.fields import identity
from thaw.strategy.plan import NetworkConfig, Strategy
from thaw.task.task import Kind, TaskConfig

@dataclass(kw_only=True)
class Alternate(NetworkConfig):
    name: str = identity("alternate")
    every: int = identity(2, ge=1)

def plan(config, groups, progress):
    odd = progress.step // config.every % 2
    return [1.0 if i % 2 == odd or i == len(groups) - 1 else None for i in range(len(groups))]

alternate = Strategy(Alternate, plan)
weather = TaskConfig(name="weather", kind=Kind.classes, hub="org/weather")
nano = EncoderConfig(name="nano", layers=1, hidden=16, heads=2, intermediate=32)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed wheel and a package that offers plug-ins, and nothing of the checkout."""
    pytest.importorskip("hatchling")
    wheels, site = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(wheels), str(REPOSITORY)], check=True)
    (wheel,) = wheels.glob("thaw_nlp-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--no-index", "--target", str(site), str(wheel)], check=True)
    (site / "addon.py").write_text(PLUGIN)
    info = site / "addon-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: addon\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[thaw.strategies]\nalternate = addon:alternate\n[thaw.tasks]\nweather = addon:weather\n"
        "[thaw.encoders]\nnano = addon:nano\n"
    )
    return site


@pytest.fixture
def thaw(site: Path, tmp_path: Path):
    def run(*words: str, code: int = 0) -> str:
        environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "thaw", *words],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    return run


def test_it_is_the_wheel_that_runs(site: Path, tmp_path: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", "import thaw.config as c; print(c.conf_dir())"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(site)}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert Path(shown.strip()) == site / "thaw" / "conf"


def test_contents(site: Path) -> None:
    package = site / "thaw"
    ours = {path.relative_to(REPOSITORY / "conf") for path in (REPOSITORY / "conf").rglob("*.yaml")}
    assert {path.relative_to(package / "conf") for path in (package / "conf").rglob("*.yaml")} == ours
    for folder in ("conf", "experiments"):
        assert {path.suffix for path in (package / folder).rglob("*") if path.is_file()} <= {".yaml"}
    sources = {path.relative_to(REPOSITORY / "src/thaw") for path in (REPOSITORY / "src/thaw").rglob("*.*")}
    sources = {path for path in sources if "__pycache__" not in path.parts}
    assert sources <= {path.relative_to(package) for path in package.rglob("*.*")}


def test_help_and_dry_run_in_an_empty_folder(thaw, task_folder: Path, tmp_path: Path) -> None:
    assert "gradual_unfreeze" in thaw("transfer", "--help")
    words = ["transfer", "task=files", f"task.path={task_folder}", "task.kind=classes", "strategy=majority"]
    assert "1 run, 0 finished, 1 to run" in thaw(*words, "--dry-run")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["task"]
    assert "accuracy dev 0.5" in thaw(*words, "wandb=disabled")


def test_config_folder_of_a_user(thaw, task_folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine" / "task"
    mine.mkdir(parents=True)
    (mine / "sky.yaml").write_text(
        f"defaults: [_schema, _self_]\nname: sky\nkind: classes\npath: {task_folder}\nmax_length: 16\n"
    )
    (mine / "plain.yaml").write_text(f"name: plain\nkind: classes\npath: {task_folder}\n")
    words = ["transfer", "--config-dir", "mine", "strategy=majority", "wandb=disabled"]
    shown = thaw(*words, "-m", "task=sky,plain", "--dry-run")
    assert "sky majority" in shown
    assert "plain majority" in shown
    assert "sky" in thaw("transfer", "--help", "--config-dir", "mine")
    assert "did you mean 'sky'" in thaw(*words, "task=skyy", code=2)


def test_plugins(thaw) -> None:
    words = ["transfer", "task=weather", "strategy=alternate", "checkpoint=x", "--cfg", "job"]
    shown = thaw(*words, "strategy.every=3")
    assert "name: alternate\n  lr: 0.0005\n  pooling: mean\n  dropout: 0.1\n  every: 3" in shown
    assert "hub: org/weather" in shown
    fresh = ["strategy=scratch", "encoder=nano", "tokenizer=folder", "tokenizer.path=x"]
    assert "hidden: 16" in thaw("transfer", "task=weather", *fresh, "--cfg", "job")
    assert "strategy.every=0 must be at least 1" in thaw(*words, "strategy.every=0", code=2)
    assert "alternate" in thaw("transfer", "--help")
    assert "alternate" in thaw(*words, "strategy=alternat", code=2)


def test_a_plugins_strategy_runs_and_is_audited(thaw, task_folder: Path, tmp_path: Path) -> None:
    texts = [f"{split} {i} a {word} day" for i in range(20) for split, word in (("train", "sunny"), ("test", "cold"))]
    tokenizer = train(texts * 5, TokenizerConfig(vocab_size=285))
    config = EncoderConfig(name="test", layers=1, hidden=16, heads=2, intermediate=32, max_positions=128)
    save(tmp_path / "ck", encoder=Encoder(config, tokenizer.vocab_size), tokenizer=tokenizer, lineage={}, card="")
    words = ["transfer", "task=files", f"task.path={task_folder}", "task.kind=classes", "checkpoint=ck"]
    assert "accuracy dev" in thaw(*words, "strategy=alternate", "steps=9", "eval_every=3", "wandb=disabled")
    (result,) = (tmp_path / "runs").glob("*/*/result.json")
    row = json.loads(result.read_text())
    assert (row["strategy"], row["frozen_audit"]) == ("alternate", "passed")
    assert row["trainable_parameters"] == row["total_parameters"]  # each group in its turn


def test_a_broken_plugin_is_named(site: Path, thaw, tmp_path: Path) -> None:
    info = site / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[thaw.strategies]\nbroken = nowhere:broken\n")
    try:
        shown = thaw("transfer", "task=trec", "checkpoint=x", "--cfg", "job", code=2)
        assert "the entry point thaw.strategies broken = nowhere:broken can not be loaded: ModuleNotFoundError" in shown
        assert shown.count("\n") == 1
    finally:
        (info / "entry_points.txt").unlink()
