"""CSV and TSV: what a quotation mark means, and cells that go over line ends."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from task_files import make_task

from thaw import config as schema
from thaw.errors import DataError
from thaw.job.identity import task_content
from thaw.storage import sha256_file
from thaw.task.files import reading
from thaw.task.read import read, read_examples
from thaw.task.task import DataConfig, Kind

MARKS = [
    '"so the talk went on',  # opens a quotation that another line closes
    'and on, he said"',
    '"Yes" he said',
    '"a whole cell in quotes"',
    'he said "no" to it',
    '"',
    '""',
]
PLAIN = [f"text {n}" for n in range(20)]
HARD = ["one\ttab", "two\nlines", 'three "marks"', '"four"', "five"]


def tsv(path: Path, texts: list[str]) -> Path:
    path.write_text("text\tlabel\n" + "".join(f"{text}\t{'ab'[n % 2]}\n" for n, text in enumerate(texts)))
    return path


def written(path: Path, texts: list[str], **how: Any) -> Path:
    with path.open("w", newline="") as file:
        rows = [("text", "label"), *((text, "ab"[n % 2]) for n, text in enumerate(texts))]
        csv.writer(file, delimiter="," if path.suffix == ".csv" else "\t", **how).writerows(rows)
    return path


def all_texts(path: Path) -> list[tuple[str, int]]:
    found = read(make_task("classes", path), DataConfig(duplicates="keep"))
    both = [(one.text_a, one.line or 0) for split in (found.train, found.dev, found.test) for one in split]
    return sorted(both, key=lambda one: one[1])


def notes(path: Path) -> list[str]:
    return list(read(make_task("classes", path), DataConfig()).report["reading"])


def test_a_blank_before_a_quotation_mark_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("text,label\n" + "".join(f'text {n}, "{"ab"[n % 2]}"\n' for n in range(20)))
    assert notes(path) == [
        "x.csv: 20 rows have cells that begin with a blank and a quotation mark, which is text there (first at line 2)"
    ]


def test_every_line_of_a_tsv_is_an_example_and_marks_are_text(tmp_path: Path) -> None:
    path = tsv(tmp_path / "x.tsv", [*PLAIN, *MARKS])
    assert all_texts(path) == [(text, number) for number, text in enumerate([*PLAIN, *MARKS], 2)]
    assert notes(path) == [
        "x.tsv: 5 lines have cells that begin with a quotation mark, which is text in a .tsv (first at line 22)"
    ]
    found, told = read_examples(str(path), make_task("classes"))
    assert [one.text_a for one in found] == [*PLAIN, *MARKS]
    assert told == notes(path)


@pytest.mark.parametrize("mark", MARKS)
def test_each_kind_of_mark_alone(tmp_path: Path, mark: str) -> None:
    assert (mark, 22) in all_texts(tsv(tmp_path / "x.tsv", [*PLAIN, mark, *PLAIN]))


def test_two_marks_that_close_each_other_merge_nothing(tmp_path: Path) -> None:
    path = tsv(tmp_path / "x.tsv", [*PLAIN, *MARKS[:2]])
    rows = list(csv.reader(io.StringIO(path.read_text()), delimiter="\t", strict=True))
    assert len(rows) == 22, "as CSV it is in order too, with an example fewer"
    assert len(all_texts(path)) == 22


def test_the_ends_of_lines_may_be_windows_or_old_macintosh(tmp_path: Path) -> None:
    for name, end in (("windows", "\r\n"), ("macintosh", "\r")):
        path = tsv(tmp_path / f"{name}.tsv", [*PLAIN, *MARKS])
        path.write_bytes(path.read_bytes().replace(b"\n", end.encode()))
        assert [text for text, _ in all_texts(path)] == [*PLAIN, *MARKS]


@pytest.mark.parametrize(
    ("how", "texts"),
    [
        ({}, [*PLAIN, *HARD]),  # as pandas writes
        ({}, [*PLAIN, 'three "marks"']),
        ({}, [*PLAIN, "two\nlines"]),
        ({"quoting": csv.QUOTE_ALL}, [*PLAIN, "five"]),
        ({"quoting": csv.QUOTE_ALL}, [*PLAIN, *HARD]),
    ],
)
def test_a_tsv_that_is_certainly_csv_is_read_so_and_says_so(
    tmp_path: Path, how: dict[str, Any], texts: list[str]
) -> None:
    path = written(tmp_path / "x.tsv", texts, **how)
    assert [text for text, _ in all_texts(path)] == texts
    line = 1 if how else 22
    assert notes(path)[0] == f"x.tsv: written with the quoting of CSV (from line {line}) and read so"


def test_a_line_with_too_few_cells_is_named(tmp_path: Path) -> None:
    path = tsv(tmp_path / "x.tsv", [*PLAIN, '"so the talk\nwent on', 'he said "no"'])
    with pytest.raises(
        DataError, match=r"not 2 cells.*line 22; a \.tsv has no quoting, so take tabs and line ends out"
    ):
        all_texts(path)


def test_cells_over_line_ends_are_told_once(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", [*PLAIN, "two\nlines", "three\nlines\nlong"])
    assert notes(path) == ["x.csv: 2 rows go over line ends inside quotes (first at line 22)"]
    assert read_examples(str(path), make_task("classes"))[1] == notes(path)
    assert notes(written(tmp_path / "y.csv", PLAIN)) == []


def test_a_run_id_names_only_readings_that_were_others_before(tmp_path: Path) -> None:
    assert reading(tsv(tmp_path / "a.tsv", MARKS), Kind.classes) == "+quotes"
    assert reading(tsv(tmp_path / "b.tsv", [*PLAIN, 'he said "no" to it']), Kind.classes) == ""
    assert reading(written(tmp_path / "c.tsv", HARD), Kind.classes) == ""
    lists = written(tmp_path / "d.csv", ["['a', 'b']"])
    assert reading(lists, Kind.tags) == "+lists"
    assert reading(lists, Kind.classes) == ""
    for blanks in ('[ "a", "b" ]', "[ 'a', 'b' ]", '[\n  "a"\n]'):
        assert reading(written(tmp_path / "f.csv", [blanks]), Kind.tags) == "+lists"
    assert reading(written(tmp_path / "e.csv", ["[1] See ['also", "[ laughs ]"]), Kind.tags) == ""


def test_the_id_of_a_run_on_such_a_file_is_another(tmp_path: Path) -> None:
    before, now = tsv(tmp_path / "a.tsv", PLAIN), tsv(tmp_path / "b.tsv", MARKS)
    for path, rules in ((before, ""), (now, "+quotes")):
        task = {"name": "mine", "kind": "classes", "path": str(path)}
        config = schema.read("transfer", {"task": task, "strategy": {"name": "majority"}})
        assert task_content(config) == f"all={sha256_file(path)}{rules}"
