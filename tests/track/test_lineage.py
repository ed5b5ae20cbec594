import os
from pathlib import Path

from thaw.track.lineage import lineage, sha256_files


def test_ancestors_are_continued() -> None:
    first = lineage("aaa", tokenizer="t", corpus="c")
    second = lineage("bbb", corpus="d", parent=first)
    third = lineage("ccc", checkpoint="k", split="s", subset="u", parent=second)
    assert first["parent_run"] is None
    assert third["parent_run"] == "bbb"
    assert third["ancestors"] == ["aaa", "bbb"]
    assert (third["checkpoint"], third["split"], third["subset"]) == ("k", "s", "u")
    assert list(first) == list(third)


def test_an_imported_parent_has_no_run() -> None:
    assert lineage("a", parent={"source": "elsewhere"})["parent_run"] is None


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "corpus.txt"
    path.write_text("one")
    before = sha256_files([path])
    assert sha256_files([path]) == before
    path.write_text("two")
    os.utime(path, ns=(0, 0))
    assert sha256_files([path]) != before
