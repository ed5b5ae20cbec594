"""What the tests here share: small texts, what a folder holds, and a refusal as it should be."""

from collections.abc import Callable
from pathlib import Path

import pytest

from thaw.cli.main import one_line
from thaw.errors import ThawError

WORDS = "the a sun rain wind river stone bird tree house".split()
TEXT = [f"{one} {two} over {three} number {i}" for i, one in enumerate(WORDS) for two in WORDS for three in WORDS[:3]]
SECRET = "the neighbour's secret"
QUIET = ["wandb=disabled", "trainer.progress=false", "trainer.threads=1"]
Call = Callable[..., str]


def files(folder: Path) -> dict[str, bytes]:
    """Return every file under a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def refusal(call: Callable[[], object], codes: tuple[int, ...] = (2, 3, 5)) -> str:
    """Return what a call says that must refuse: one line of one of our errors, nothing of the secret in it."""
    with pytest.raises(ThawError) as caught:
        call()
    line = one_line(caught.value)
    assert caught.value.exit_code in codes, line
    assert SECRET not in line
    assert len(line) <= 600
    return line
