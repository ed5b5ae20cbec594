"""kill -9 while folders and files are saved over and over: whatever has its final name is whole."""

import multiprocessing
import random
import time
from pathlib import Path
from typing import Any

import pytest

from thaw.storage import atomic_folder, recover, write_text

server = multiprocessing.get_context("forkserver")
SIZE = 300_000


def save_for_ever(root: Path) -> None:
    """Save a folder of two files that belong together, and a file, again and again."""
    number = 0
    while True:
        number += 1
        with atomic_folder(root / "folder") as temporary:
            for name in ("one", "two"):
                (temporary / name).write_text(f"{number}\n" * SIZE)
        write_text(root / "file", f"{number}\n" * SIZE)


def content(path: Path) -> str:
    """Return the one number of which a whole file consists."""
    lines = path.read_text().split("\n")
    assert len(lines) == SIZE + 1
    assert len(set(lines[:-1])) == 1
    return lines[0]


@pytest.mark.parametrize("count", [15, pytest.param(200, marks=pytest.mark.slow)])
def test_nothing_half_has_a_final_name(tmp_path: Path, count: int) -> None:
    draw, between = random.Random(0), 0
    for _ in range(count):
        process: Any = server.Process(target=save_for_ever, args=(tmp_path,))
        process.start()
        while not (tmp_path / "file").exists():
            time.sleep(0.001)
        process.join(draw.uniform(0.02, 0.08))
        process.kill()
        process.join()
        between += not (tmp_path / "folder").exists()  # killed between the two renames: the old one is put back
        recover(tmp_path / "folder")
        recover(tmp_path / "file")
        assert content(tmp_path / "folder/one") == content(tmp_path / "folder/two")
        content(tmp_path / "file")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
