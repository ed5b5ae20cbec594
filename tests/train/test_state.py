"""The state of a run on disk: whole generations, damage found before use, nothing of another run or format."""

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from thaw import storage
from thaw.encoder.manifest import write_manifest
from thaw.errors import ResumeError, StorageError
from thaw.train import state

PARTS = {"model": {"weight": torch.arange(600.0)}, "optimizer": {"0.0.mean": torch.ones(600)}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state of which steps 10, 20 and 30 were saved."""
    for step in (10, 20, 30):
        state.save(tmp_path / "state", PARTS, {"step": step, "run_id": "mine"})
    return tmp_path / "state"


@pytest.fixture
def told() -> list[str]:
    """What was told."""
    return []


def step_of(folder: Path, told: list[str]) -> int:
    found = state.load(folder, "mine", told.append)
    assert found is not None
    assert torch.equal(found[0]["model"]["weight"], PARTS["model"]["weight"])
    return int(found[1]["step"])


def test_two_generations_are_kept_and_the_newest_is_used(folder: Path, told: list[str]) -> None:
    assert [path.name for path in state.generations(folder)] == ["step-000000030", "step-000000020"]
    assert step_of(folder, told) == 30
    assert not told
    assert state.load(folder / "nowhere", "mine", told.append) is None


def damages(folder: Path, count: int) -> Iterator[tuple[Path, str, bytes]]:
    """Flip a bit, or cut, at random places of each file of the newest generation; the file is mended afterwards."""
    draw = random.Random(0)
    for path in sorted(state.generations(folder)[0].iterdir()):
        whole = path.read_bytes()
        for number in range(count):
            place = draw.randrange(len(whole.rstrip()))  # a file without its last line break says the same
            flipped = bytearray(whole)
            flipped[place] ^= 1 << draw.randrange(8)
            kind = "flip" if number % 2 else "cut"
            yield path, f"{kind} at {place}", bytes(flipped) if kind == "flip" else whole[:place]
            path.write_bytes(whole)


@pytest.mark.parametrize("count", [30, pytest.param(200, marks=pytest.mark.slow)])
def test_every_damage_is_found_named_and_survived(folder: Path, told: list[str], count: int) -> None:
    for path, what, content in damages(folder, count):
        path.write_bytes(content)
        told.clear()
        assert step_of(folder, told) == 20, (path.name, what)
        assert "step-000000030" in told[0]
        assert told[0].endswith("that of step 20 is used")


def test_a_run_that_went_on_from_the_older_generation_drops_the_damaged_one(folder: Path, told: list[str]) -> None:
    (state.generations(folder)[0] / state.TENSORS).write_bytes(b"")
    state.save(folder, PARTS, {"step": 25, "run_id": "mine"})
    assert [path.name for path in state.generations(folder)] == ["step-000000025", "step-000000020"]
    assert step_of(folder, told) == 25


def test_without_an_intact_generation_it_says_what_to_do(folder: Path, told: list[str]) -> None:
    for generation in state.generations(folder):
        (generation / state.TENSORS).unlink()
    with pytest.raises(StorageError, match=r"step-000000030.*is missing; no other is left, remove .*state to start"):
        state.load(folder, "mine", told.append)


def test_a_foreign_and_a_newer_state_are_refused(folder: Path, told: list[str]) -> None:
    with pytest.raises(ResumeError, match="is of run mine, not of yours"):
        state.load(folder, "yours", told.append)
    newest = state.generations(folder)[0]
    (newest / state.INFO).write_text(json.dumps({"format": state.FORMAT + 1, "step": 30, "run_id": "mine"}))
    (newest / "MANIFEST.json").unlink()
    write_manifest(newest)
    with pytest.raises(ResumeError, match=f"format {state.FORMAT + 1}, this thaw resumes {state.FORMAT}"):
        state.load(folder, "mine", told.append)


@pytest.mark.parametrize("call", ["mkdir", "save_file", "write_text", "write_manifest", "fsync", "rename"])
def test_a_full_disk_leaves_the_old_generations(
    call: str, folder: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    where = {
        "mkdir": (Path, "mkdir"), "save_file": (state, "save_file"), "write_text": (Path, "write_text"),
        "write_manifest": (state, "write_manifest"), "fsync": (storage.os, "fsync"), "rename": (storage.os, "rename"),
    }  # fmt: skip
    with monkeypatch.context() as patched:
        patched.setattr(*where[call], full)
        with pytest.raises(StorageError, match=r"cannot write .*step-000000040: No space left on device, free space"):
            state.save(folder, PARTS, {"step": 40, "run_id": "mine"})
    assert step_of(folder, told) == 30
    assert len(list(folder.iterdir())) == 2


FULL = """
import resource, sys
from pathlib import Path
import torch
from thaw.errors import StorageError
from thaw.train import state
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
try:
    state.save(Path(sys.argv[1]), {"model": {"weight": torch.ones(6000)}}, {"step": 40, "run_id": "mine"})
except StorageError as error:
    print(error)
"""


def test_a_disk_that_is_really_full_is_told_as_any_other(folder: Path, told: list[str]) -> None:
    """safetensors writes in Rust and raises an error of its own."""
    done = subprocess.run([sys.executable, "-c", FULL, str(folder)], capture_output=True, text=True, check=True)
    assert done.stdout == f"cannot write {folder}/step-000000040: File too large, free space or choose another folder\n"
    assert step_of(folder, told) == 30
    assert state.newest_step(folder) == 30
    assert len(list(folder.iterdir())) == 2


def test_leftovers_of_a_dead_process_are_swept(folder: Path, told: list[str]) -> None:
    host = storage.socket.gethostname() or "host"
    shutil.copytree(folder / "step-000000030", folder / f".step-000000040.new-{host}-999999999-1-0123abcd")
    assert step_of(folder, told) == 30
    assert len(list(folder.iterdir())) == 2
