"""``thaw runs --prune``: what it says, when it removes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from thaw.cli import prune
from thaw.cli.main import main
from thaw.hold import Hold, hold


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder: a cache of 2 MB and a finished run with a training state, not used for years."""
    monkeypatch.chdir(tmp_path)
    tokens, run = Path(".cache/thaw/tokens/0123456789"), Path("runs/study/abc")
    (run / "state").mkdir(parents=True)
    tokens.mkdir(parents=True)
    (tokens / "meta.json").write_text("{}")
    (tokens / "ids.bin").write_bytes(bytes(2_000_000))
    (run / "state" / "state.json").write_text("{}")
    (run / "status.json").write_text(json.dumps({"state": "finished"}))
    (run / "result.json").write_text("{}")
    for path in (tokens, run / "state"):
        os.utime(path, (1e9, 1e9))
    return tmp_path


def test_it_lists_and_removes_nothing_unasked(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--prune"]) == 0
    shown = capsys.readouterr().out
    assert "tokenised text" in shown
    assert ".cache/thaw/tokens/0123456789" in shown
    assert "2 (2.0 MB) may go, 0 (0 bytes) stay" in shown
    assert "nothing was removed: --yes removes what may go" in shown
    assert Path(".cache/thaw/tokens/0123456789/ids.bin").exists()
    assert Path("runs/study/abc/state").exists()


def test_it_removes_when_told_and_says_what(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "runs/study", "--prune", "--yes"]) == 0
    shown = capsys.readouterr().out
    assert "removed tokenised text .cache/thaw/tokens/0123456789 (2.0 MB)" in shown
    assert "removed training state runs/study/abc/state (2 bytes)" in shown
    assert "2 (2.0 MB) removed" in shown
    assert sorted(path.name for path in Path("runs/study/abc").iterdir()) == [".lock", "result.json", "status.json"]
    assert list(Path(".cache/thaw/tokens").iterdir()) == []
    assert main(["runs", "--prune", "--yes"]) == 0
    assert "0 (0 bytes) may go, 0 (0 bytes) stay" in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "gone"), [("y", True), ("", False), ("no", False)])
def test_a_terminal_is_asked(place: Path, monkeypatch: pytest.MonkeyPatch, answer: str, gone: bool) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    assert main(["runs", "--prune"]) == 0
    assert Path("runs/study/abc/state").exists() != gone


def test_age_and_cache_are_given(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path(".cache/thaw").rename("elsewhere")
    os.utime("elsewhere/tokens/0123456789")
    assert main(["runs", "--prune", "--older", "1h", "--cache", "elsewhere", "--yes"]) == 0
    shown = capsys.readouterr().out
    assert "used less than 1 h ago" in shown
    assert "1 (2 bytes) removed" in shown
    assert Path("elsewhere/tokens/0123456789").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--prune", "--older", "soon"], "--older soon is not an age, write it like 30d, 12h or 45m"),
        (["nowhere", "--prune"], "no such folder of runs: nowhere"),
        (["wandb:team/project", "--prune"], "--prune looks at folders of this machine"),
        (["--yes"], "--yes, --older and --cache belong to --prune"),
        (["--older", "3d"], "--yes, --older and --cache belong to --prune"),
    ],
)
def test_a_mistake_is_one_line(place: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
    assert main(["runs", *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_a_failing_disk_is_one_line(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("os.rename", full)
    assert main(["runs", "--prune", "--yes"]) == 5
    assert "cannot remove" in capsys.readouterr().err


def test_it_imports_no_torch(place: Path) -> None:
    code = (
        "import sys\nfrom thaw.cli.main import main\nassert main(['runs', '--prune', '--yes']) == 0\n"
        "assert not {'hydra', 'omegaconf', 'torch', 'pytorch_lightning'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (2_500_000, "2.5 MB"), (10**12, "1000.0 GB")],
)
def test_sizes(count: int, shown: str) -> None:
    assert prune.size(count) == shown


def test_what_is_taken_into_use_before_the_answer_stays(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[Hold | None] = []

    def answer(question: str) -> str:
        held.append(hold(".cache/thaw/tokens/0123456789/meta.json"))
        return "yes"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", answer)
    assert main(["runs", "--prune"]) == 0
    shown = capsys.readouterr().out
    assert "in use, stays: tokenised text" in shown
    assert "1 (2 bytes) removed" in shown
