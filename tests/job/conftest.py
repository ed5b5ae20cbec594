"""A tiny encoder pretrained on a synthetic language, once for all tests of jobs."""

import random
from pathlib import Path
from typing import Any

import pytest
from language import NAMES, TOPICS, pretraining, sentence, write_task

from thaw import run
from thaw.task.task import Kind


@pytest.fixture(scope="session")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Path]:
    """A task folder of each kind."""
    root = tmp_path_factory.mktemp("tasks")
    return {kind: write_task(root / kind.name, kind) for kind in Kind}


@pytest.fixture(scope="session")
def corpus_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unlabelled text of the same language, a document a line."""
    draw = random.Random(9)
    lines = []
    for _ in range(800):
        words = sentence(draw.choice(list(TOPICS)), draw, 20)
        words[draw.randrange(20)] = draw.choice(NAMES)
        lines.append(" ".join(words))
    path = tmp_path_factory.mktemp("corpus") / "text.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the session's pretraining lies."""
    return tmp_path_factory.mktemp("home-of-runs")


@pytest.fixture(scope="session")
def pretrained(corpus_file: Path, home: Path) -> dict[str, Any]:
    """The row of a finished pretraining, with its folder."""
    config = pretraining(corpus_file, home, save_at=["0", "5k"])
    row = run.pretrain(config)
    return {**row, "folder": run.run_folder(config)}
