"""The command as typed and the commit of its user's repository: in the lineage and in W&B, without secrets."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from offline_run import offline_runs

from thaw.cli.main import main
from thaw.track import repository
from thaw.track.command import command, typed

WORDS = ["task=files", "task.kind=classes", "strategy=majority", "wandb=offline", "wandb.notes=two words"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["runs", "a b"], "thaw runs 'a b'"),
        (["transfer", "-m", "optim.lr=1e-3,1e-4"], "thaw transfer -m optim.lr=1e-3,1e-4"),
        (["x", "+hub.token=s3cret and more"], "thaw x '+hub.token=[redacted]'"),
        (["x", "--api-key", "s3cret", "y"], "thaw x --api-key '[redacted]' y"),
        (
            ["x", "+hub={token:s3cret,cls_token:[CLS],name:n}"],
            "thaw x '+hub={token:[redacted],cls_token:[CLS],name:n}'",
        ),
        (["x", "env_set={MY_PASSWORD:'a,s3cret'}"], "thaw x 'env_set={MY_PASSWORD:[redacted]}'"),
        (["x", 'env_set={"HF_TOKEN": "a}s3cret", B: c}'], "thaw x 'env_set={\"HF_TOKEN\": [redacted], B: c}'"),
        (["x", "env_set={PASSWORD: [a,s3cret],B:c}"], "thaw x 'env_set={PASSWORD: [redacted],B:c}'"),
        (["x", "env_set={PASSWORD: {a: s3cret}}"], "thaw x 'env_set={PASSWORD: [redacted]}'"),
        (["x", r"env_set={PASSWORD: a\,s3cret}"], "thaw x 'env_set={PASSWORD: [redacted]}'"),
        (["x", "env_set.TEXT_ANALYTICS_KEY=s3cret"], "thaw x 'env_set.TEXT_ANALYTICS_KEY=[redacted]'"),
        (["x", "corpus.paths=[https://me:s3cret@h/a.txt]"], "thaw x 'corpus.paths=[https://[redacted]@h/a.txt]'"),
        (["x", "num_tokens=5", "text_key=body"], "thaw x num_tokens=5 text_key=body"),
        (["x", "\x1b[2J"], "thaw x '\ufffd[2J'"),
    ],
)
def test_as_typed_without_secrets(words: list[str], line: str) -> None:
    with typed(words):
        assert command() == line
        assert "s3cret" not in os.environ["THAW_COMMAND"]
    assert "THAW_COMMAND" not in os.environ


def git(*words: str) -> None:
    name = ["-c", "user.name=a", "-c", "user.email=a@example.invalid"]
    subprocess.run(["git", *name, *words], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one file, which is the working folder."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    git("init", "-q")
    Path("my.yaml").write_text("a: 1\n")
    git("add", "my.yaml")
    git("commit", "-qm", "first")
    return folder


def dirty() -> object:
    repository._repository.cache_clear()
    found = repository.repository()
    return None if found is None else found["dirty"]


def test_a_repository_is_dirty_where_a_tracked_file_differs(checkout: Path) -> None:
    assert dirty() is False
    os.utime("my.yaml", (1, 1))
    Path("runs").mkdir()
    Path("runs/new").write_text("x")
    assert dirty() is False  # touched, and a file beside it
    Path("my.yaml").write_text("a: 2\n")
    assert dirty() is True
    git("add", "my.yaml")
    assert dirty() is True
    git("commit", "-qm", "second")
    assert dirty() is False
    Path("my.yaml").unlink()
    assert dirty() is True


def test_nothing_that_a_repository_names_is_run(checkout: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    Path("hook").write_text(f"#!/bin/sh\ntouch {canary}\ncat\n")
    Path("hook").chmod(0o755)
    Path(".gitattributes").write_text("* filter=evil diff=evil\n")
    for name in ("core.fsmonitor", "filter.evil.clean", "filter.evil.process", "diff.evil.textconv", "core.pager"):
        git("config", name, str(checkout / "hook"))
    Path("my.yaml").write_text("a: 2\n")
    canary.unlink(missing_ok=True)
    assert dirty() is True
    assert not canary.exists()


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert dirty() is None


def test_a_run_says_by_what_it_was_started(checkout: Path, task_folder: Path) -> None:
    repository._repository.cache_clear()
    words = ["transfer", *WORDS, f"task.path={task_folder}"]
    assert main(words) == 0
    (folder,) = Path("runs/single").glob("[!.]*")
    lineage = json.loads((folder / "lineage.json").read_text())
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    assert lineage["command"] == f"thaw {' '.join(words[:-2])} 'wandb.notes=two words' {words[-1]}"
    assert lineage["repository"] == {"commit": head, "dirty": False}
    (run,) = offline_runs(folder)
    assert run.summary["lineage"]["command"] == lineage["command"]
    assert run.summary["lineage"]["repository"] == lineage["repository"]
    assert (run.commit, run.notes) == (head, "two words")
