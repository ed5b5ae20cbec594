"""Imports point one way; what must start fast imports no torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "thaw"
BASE = {"errors", "fields", "process", "storage", "hold"}
MAY_IMPORT = {
    "errors": set(),
    "fields": {"errors"},
    "process": set(),
    "storage": {"errors", "process"},
    "hold": {"storage"},
    "text": BASE,
    "encoder": BASE | {"text"},
    "objective": BASE | {"text", "encoder"},  # the head is tied to the embeddings
    "task": BASE | {"text", "encoder"},
    "strategy": BASE | {"text", "encoder", "task"},
    "track": BASE,
    "train": BASE | {"text", "encoder", "objective", "task", "strategy", "track"},
    "report": BASE | {"track"},
    "config": BASE | {"text", "encoder", "objective", "task", "strategy", "track", "train", "report"},
    "build": BASE | {"text", "encoder", "objective", "task", "strategy", "track", "train", "config"},
    "job": BASE | {"text", "encoder", "objective", "task", "strategy", "track", "train", "config", "build"},
    "run": BASE | {"config", "job", "strategy", "track"},
}
EVERYWHERE = {"__init__", ""}  # the package itself: its version

TORCH_FREE = [
    "thaw.config",
    "thaw.run",
    "thaw.errors",
    "thaw.fields",
    "thaw.process",
    "thaw.storage",
    "thaw.hold",
    "thaw.text.corpus",
    "thaw.text.normalise",
    "thaw.text.tokenizer",
    "thaw.encoder.config",
    "thaw.objective.config",
    "thaw.train.config",
    "thaw.task.task",
    "thaw.strategy.plan",
    "thaw.job.disk",
    "thaw.job.identity",
    "thaw.job.finished",
    "thaw.track.folder",
    "thaw.track.mirror",
    "thaw.report.page",
    "thaw.report.summary",
    "thaw.report.wandb.fetch",
    "thaw.report.wandb.save",
    "thaw.cli.main",
    "thaw.cli.compose",
    "thaw.cli.sweep",
    "thaw.cli.report",
    "thaw.cli.runs",
    "thaw.cli.prune",
]


def layer(module: str) -> str:
    """``thaw.text.corpus`` -> ``text``."""
    return module.removeprefix("thaw").removeprefix(".").partition(".")[0]


def imported(path: Path) -> set[str]:
    """Return our modules that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            found |= {f"thaw.{alias.name}" for alias in node.names} if module == "thaw" else {module}
    return {name for name in found if name.partition(".")[0] == "thaw"}


def files() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down(path: Path) -> None:
    own = layer("thaw." + ".".join(path.relative_to(SOURCE).with_suffix("").parts))
    if own in ("cli", "__main__", "__init__"):
        return
    allowed = MAY_IMPORT[own] | {own} | EVERYWHERE
    wrong = {name for name in imported(path) if layer(name) not in allowed and name != "thaw.__version__"}
    assert not wrong, f"{own} may not import {sorted(wrong)}"


def test_only_the_command_line_and_config_know_hydra() -> None:
    for path in files():
        names = path.read_text(encoding="utf-8")
        if "import hydra" in names or "from hydra" in names or "omegaconf" in names:
            assert layer("thaw." + ".".join(path.relative_to(SOURCE).with_suffix("").parts)) in ("cli", "config"), path


def test_no_drawers() -> None:
    bad = {"utils", "common", "helpers", "misc"}
    assert not [path for path in SOURCE.rglob("*") if path.stem in bad]


def test_torch_free() -> None:
    code = "import importlib, sys\n" + "".join(
        f"importlib.import_module('{name}'); assert 'torch' not in sys.modules, '{name} imports torch'\n"
        for name in TORCH_FREE
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr.strip().splitlines()[-1]


def test_help_needs_neither_hydra_nor_torch() -> None:
    code = (
        "import sys\nfrom thaw.cli.main import main\n"
        "assert main(['--help']) == 0\nassert main(['transfer', '--help']) == 0\n"
        "assert not {'hydra', 'torch', 'omegaconf', 'wandb', 'pytorch_lightning'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
