"""Held-out texts of tables: a .tsv has no quoting, lists in cells are sentences, JSON may stand a line an object."""

import csv
import json
from pathlib import Path

import pytest

from thaw.text import tabs
from thaw.text.corpus import CorpusConfig, Tally, documents

TEXTS = [
    f"the {word} walked home over hill number {n} in rain" for n, word in enumerate("dog cat cow hen fox".split() * 6)
]
HELD = ['"so the talk', '"a whole line in marks"', '"Yes" he said', 'and "no" she said, said he"']


def excluded(tmp_path: Path, name: str, content: str) -> int:
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n\n".join([*TEXTS, *HELD]), "utf-8")
    (tmp_path / name).write_text(content, "utf-8")
    tally = Tally()
    kept = list(documents(CorpusConfig(paths=[str(corpus)], exclude=[str(tmp_path / name)]), tally))
    assert len(kept) + tally.excluded == len(TEXTS) + len(HELD)
    return tally.excluded


def test_marks_in_a_tsv_are_text(tmp_path: Path) -> None:
    assert excluded(tmp_path, "test.tsv", "text\tlabel\n" + "".join(f"{text}\tx\n" for text in HELD)) == 4


def test_a_tsv_with_the_quoting_of_csv(tmp_path: Path) -> None:
    with (tmp_path / "written.tsv").open("w", newline="") as file:
        csv.writer(file, delimiter="\t").writerows([("text", "label"), *((text, "x") for text in HELD)])
    content = (tmp_path / "written.tsv").read_text()
    assert tabs.is_csv(content)
    assert excluded(tmp_path, "test.tsv", content) == 4


@pytest.mark.parametrize("write", [str, json.dumps])
def test_a_list_of_words_in_a_cell_is_a_sentence(tmp_path: Path, write: type[str]) -> None:
    with (tmp_path / "written.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("tokens", "tags"), *((write(text.split()), "x") for text in TEXTS[:5])])
    assert excluded(tmp_path, "test.csv", (tmp_path / "written.csv").read_text()) == 5


def test_a_json_file_with_an_object_a_line(tmp_path: Path) -> None:
    assert excluded(tmp_path, "test.json", "".join(json.dumps({"text": text}) + "\n" for text in TEXTS[:5])) == 5


def test_cells_of_a_tsv_are_its_lines_at_the_tabs() -> None:
    assert tabs.rows('a\t"b\r\nc"\t\rd') == [["a", '"b'], ['c"', ""], ["d"]]
