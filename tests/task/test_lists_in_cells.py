"""Lists in the cells of a table, and tags that are numbers: the words and tags that the author had."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from task_files import make_task, write_rows

from thaw.errors import ConfigError, DataError
from thaw.task.read import read, read_examples
from thaw.task.task import DataConfig
from thaw.text import written_lists

SENTENCES = [(["the", "dog's", "[", "end", "]", f"w{n}"], ["DET", "N", "P", "N", "P", "X"]) for n in range(20)]
NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
WRITERS = {
    "Python": str,
    "JSON": json.dumps,
    "numpy": lambda words: str(np.array(words)),
    "numpy objects": lambda words: str(np.array(words, dtype=object)),
    "tuple": lambda words: str(tuple(words)),
    "Python, blanks inside": lambda words: f"[ {str(words)[1:-1]} ]",
    "JSON, a line each": lambda words: json.dumps(words, indent=2),
    "JSON, blanks inside": lambda words: f"[ {json.dumps(words)[1:-1]} ]",
    "tuple, blanks inside": lambda words: f"( {str(tuple(words))[1:-1]} )",
}


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
@pytest.mark.parametrize("writer", WRITERS)
def test_lists_are_read_as_lists(tmp_path: Path, writer: str, suffix: str) -> None:
    write = WRITERS[writer]
    cells = [{"tokens": write(words), "tags": write(tags)} for words, tags in SENTENCES]
    path = tmp_path / f"x{suffix}"
    pd.DataFrame(cells).to_csv(path, index=False, sep="," if suffix == ".csv" else "\t")
    found = read(make_task("tags", path, metric="token_accuracy"), DataConfig())
    assert sorted(found.labels) == ["DET", "N", "P", "X"]
    read_back = [(one.tokens, one.tags) for split in (found.train, found.dev, found.test) for one in split]
    assert sorted(read_back) == sorted(SENTENCES)
    assert sorted(one.tokens for one in read_examples(str(path), make_task("tags"))[0]) == sorted(
        w for w, _ in SENTENCES
    )


def test_words_in_brackets_are_words(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    texts = [
        *("[ laughs ]", "[1]", '("Hello there")', "( 'tis )", "[ ' ]"),
        *("( Reuters , 1996 )", "( 12 , 7 )", "[ 12 , 7 ]", "[ 12 7 ]", "[1] [2]", "[1-2]", "[10.1.2]", "(1,000)"),
        *(
            '[ " Hello " ]',
            "[ '' ]",
            '[ " , " ]',
            "{ a , b }",
            "( 1 , 2 ) and ( 3 , 4 )",
            "[ ... ]",
            "[,]",
            "{ }",
            "( )",
        ),
        *("[CLS] 1, 2 [SEP]", "[ 'tis the season ' ]", "f(x)", "[1][2]", "[ sic ]", "{x}", "[Hello, he said]"),
    ]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(
            [("tokens", "tags")] + [(text, " ".join("X" for _ in text.split())) for text in texts]
        )
    found = read_examples(str(path), make_task("tags"))[0]
    assert [example.tokens for example in found] == [text.split() for text in texts]


@pytest.mark.parametrize(
    "cell",
    [
        "['a' 'b' ... 'y' 'z']",  # numpy cuts long arrays
        "['a', ['b']]",
        "['a', 1]",
        "['a', None, 'c']",
        "[np.str_('a'), np.str_('b')]",
        "array(['a', 'b'], dtype=object)",
        "['a''b']",
        "[b'the', b'dog']",
        "[b'the' b'dog']",
        "(b'the', b'dog')",
        "[None, 'a']",
        "[null, 'a']",
        "[['a', 'b']]",
        "[ ['a', 'b'] ]",
        "{'a', 'b'}",
        "{'a': 1, 'b': 2}",
        "frozenset({'a', 'b'})",
        "{the,dog}",
        '{"the end",dog}',
        "[12, 7]",
        "[12 7]",
        "[1.0, 0.0]",
        "[1. 0.]",
        "(1, 0)",
        "[np.int64(1), np.int64(0)]",
        "[tensor(1), tensor(0)]",
        "tensor([1, 0], device='cuda:0')",
        "array([1, 0])",
        "[True, False]",
        "[ True False]",
    ],
)
def test_a_list_that_can_not_be_read_is_named(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "x.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("tokens", "tags"), ("a b", "X Y"), (cell, "X Y")])
    with pytest.raises(DataError, match=r"a list written as text that can not be read.*line 3; write the cell as JSON"):
        read(make_task("tags", path, metric="token_accuracy"), DataConfig())


def test_an_empty_list_is_no_list_of_words(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("tokens,tags\n[],[]\n")
    with pytest.raises(DataError, match=r"no list of words.*line 2"):
        read(make_task("tags", tmp_path / "x.csv"), DataConfig())


def test_texts_that_are_lists_are_told(tmp_path: Path) -> None:
    rows = [{"text": str(words), "label": n % 2} for n, (words, _) in enumerate(SENTENCES)]
    pd.DataFrame(rows).to_csv(tmp_path / "x.csv", index=False)
    (note,) = read(make_task("classes", tmp_path / "x.csv"), DataConfig()).report["reading"]
    assert "column 'text' holds lists written as text" in note


@pytest.mark.parametrize(
    "cell",
    ["[True, False]", "[0.5, 1.0]", "[nan, 1.0]", "[None, 'X']", "array([1, 0])", "[b'O', b'X']", "{1, 0}", "{O,X}"],
)
def test_tags_written_as_no_list_of_words_or_numbers_are_named(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "x.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("tokens", "tags"), *((f"a w{n}", cell) for n in range(20))])
    with pytest.raises(DataError, match=r"a list written as text that can not be read.*lines 2, 3, 4"):
        read(make_task("tags", path, metric="token_accuracy"), DataConfig())


@pytest.mark.parametrize("cell", [r"['the', '\ud83d dog']", r'["the", "\ud83d dog"]', r'[ "the", "\ud83d dog" ]'])
def test_half_a_character_in_a_list_is_replaced(cell: str) -> None:
    assert written_lists.strings(cell) == ["the", "\ufffd dog"]
    assert written_lists.strings(r'["\ud83d\ude00"]') == ["\U0001f600"]


@settings(max_examples=150)
@given(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=5))
def test_what_python_and_json_write_is_read_back(words: list[str]) -> None:
    for cell in (str(words), json.dumps(words), json.dumps(words, ensure_ascii=False)):
        assert written_lists.is_list(cell)
        assert written_lists.strings(cell) == words


def write_tags(path: Path, rows: list[Any]) -> Path:
    return write_rows(
        path, [{"tokens": [f"w{n}"] + ["a"] * (len(tags) - 1), "tags": tags} for n, tags in enumerate(rows)]
    )


@pytest.mark.parametrize("rows", [[[1, 2, 0], [0, 3, 4]] * 20, [[1.0, 2.0, 0.0], [0.0, 3.0, 4.0]] * 20])
def test_numbers_are_the_declared_names(tmp_path: Path, rows: list[Any]) -> None:
    path = write_tags(tmp_path / "x.jsonl", rows)
    found = read(make_task("tags", path, labels=NAMES), DataConfig())
    assert found.labels == NAMES
    assert {tuple(one.tags) for one in found.train} == {("B-PER", "I-PER", "O"), ("O", "B-LOC", "I-LOC")}


@pytest.mark.parametrize(
    "cell",
    [
        *("1 2 0", '"[1, 2, 0]"', "[1 2 0]", '"[1.0, 2.0, 0.0]"', "[1. 2. 0.]", '"[ 1, 2, 0 ]"'),
        '"[np.int64(1), np.int64(2), np.int64(0)]"',
    ],
)
def test_numbers_in_a_cell_are_the_declared_names(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text("tokens,tags\n" + "".join(f"a b w{n},{cell}\n" for n in range(20)))
    assert read(make_task("tags", path, labels=NAMES), DataConfig()).train[0].tags == ["B-PER", "I-PER", "O"]


def test_declared_numbers_are_words(tmp_path: Path) -> None:
    path = write_tags(tmp_path / "x.jsonl", [[1, 2], [2, 2]] * 20)
    found = read(make_task("tags", path, labels=[1, 2], metric="token_accuracy"), DataConfig())
    assert {tuple(one.tags) for one in found.train} == {("1", "2"), ("2", "2")}


def test_digits_without_names_stay_the_words_they_were(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("tokens,tags\n" + "".join(f"a b w{n},1 2 0\n" for n in range(20)))
    found = read(make_task("tags", tmp_path / "x.csv", metric="token_accuracy"), DataConfig())
    assert sorted(found.labels) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("tags", "labels", "match"),
    [
        ([1, 0], None, r"numbers without names.*lines 1, 2, 3.*order of their numbers, from 0: task\.labels=\["),
        ([5, 0], NAMES, r"a tag that is no number from 0 to 4.*lines 1, 2, 3; task\.labels names 5 tags, 0 is O"),
        ([-100, 0], NAMES, r"a tag that is no number from 0 to 4.*lines 1, 2, 3"),
        ([True, False], NAMES, r"no list of tags.*lines 1, 2, 3"),
        ([1, "O"], NAMES, r"no list of tags.*lines 1, 2, 3"),
        ([0.5, 1], NAMES, r"no list of tags.*lines 1, 2, 3"),
    ],
)
def test_numbers_that_name_no_tag_are_refused(tmp_path: Path, tags: list[Any], labels: Any, match: str) -> None:
    path = write_tags(tmp_path / "x.jsonl", [tags] * 3)
    with pytest.raises((DataError, ConfigError), match=match):
        read(make_task("tags", path, labels=labels), DataConfig())
