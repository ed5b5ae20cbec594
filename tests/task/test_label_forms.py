"""One form of a label everywhere: numbers, letters and words agree where they mean the same, and nowhere else."""

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from task_files import make_task, write_rows

from thaw.errors import ConfigError, DataError
from thaw.task.labels import canonical, near, ordered
from thaw.task.read import read
from thaw.task.task import DataConfig

ONE = [1, 1.0, "1", " 1 ", "1.0"]
COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"


def csv_file(path: Path, cells: list[str]) -> Path:
    path.write_text("text,label\n" + "".join(f"t {n},{cell}\n" for n, cell in enumerate(cells)), "utf-8")
    return path


def labelled(path: Path, values: list[Any], **fields: Any) -> Any:
    rows = [{"text": f"t {n}", "label": value} for n, value in enumerate(values)]
    return read(make_task("classes", write_rows(path, rows), **fields), DataConfig())


@pytest.mark.parametrize("value", ONE)
@pytest.mark.parametrize("declared", [None, *ONE])
def test_one_is_one_however_it_is_written_and_declared(tmp_path: Path, value: Any, declared: Any) -> None:
    labels = None if declared is None else [declared, "0"]
    found = labelled(tmp_path / "x.jsonl", [value, 0] * 20, labels=labels)
    assert found.labels == (["0", "1"] if labels is None else ["1", "0"])
    assert found.report["reading"] == []


def test_what_pandas_makes_of_whole_numbers_agrees_with_the_numbers(tmp_path: Path) -> None:
    (tmp_path / "task").mkdir()
    csv_file(tmp_path / "task/train.csv", ["1.0", "0.0"] * 20)
    write_rows(tmp_path / "task/test.jsonl", [{"text": f"u {n}", "label": n % 2} for n in range(10)])
    found = read(make_task("classes", tmp_path / "task", metric="f1", positive="1.0"), DataConfig())
    assert found.labels == ["0", "1"]
    assert found.report["positive"] == "1"


@pytest.mark.parametrize("declared", [None, [COMPOSED, "tea"], [DECOMPOSED, "tea"]])
def test_both_forms_of_a_letter_are_one(tmp_path: Path, declared: list[str] | None) -> None:
    found = labelled(tmp_path / "x.jsonl", [COMPOSED, DECOMPOSED, "tea"] * 20, labels=declared)
    assert found.labels == [COMPOSED, "tea"]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_words_that_look_like_no_label_are_labels(tmp_path: Path, kind: str) -> None:
    words = ["nan", "eng", "false", "null"] * 12
    if kind == "csv":
        found = read(make_task("classes", csv_file(tmp_path / "x.csv", words)), DataConfig())
    else:
        found = labelled(tmp_path / "x.jsonl", words)
    assert found.labels == ["eng", "false", "nan", "null"]
    assert found.report["reading"] == [
        "'nan' (12), 'null' (12) is read as a label: take such rows out where they have none"
    ]


def test_declared_words_are_meant(tmp_path: Path) -> None:
    found = labelled(tmp_path / "x.jsonl", ["nan", "Nan", "eng"] * 12, labels=["nan", "Nan", "eng"])
    assert found.report["reading"] == []


def test_nan_among_numbers_is_a_number_that_is_missing(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "x.csv", ["1.0", "0.0", "nan", "NaN"] * 9)
    with pytest.raises(DataError, match=r"no label.*lines 4, 5, 8 and 15 more"):
        read(make_task("classes", path), DataConfig())
    assert read(make_task("classes", path, labels=[0, 1, "nan", "NaN"]), DataConfig()).labels == [
        "0",
        "1",
        "nan",
        "NaN",
    ]


@pytest.mark.parametrize(
    ("train", "dev", "test"),
    [(["nan", "en"], ["nan", "en"], ["nan"]), (["nan", "1", "en"], ["nan", "1"], ["nan", "1", "en"])],
)
def test_whether_nan_is_a_word_is_decided_over_all_splits(
    tmp_path: Path, train: list[str], dev: list[str], test: list[str]
) -> None:
    for split, words in {"train": train, "dev": dev, "test": test}.items():
        rows = [{"text": f"{split} {n}", "label": words[n % len(words)]} for n in range(18)]
        write_rows(tmp_path / "task" / f"{split}.jsonl", rows)
    found = read(make_task("classes", tmp_path / "task"), DataConfig())
    assert found.labels == sorted(train)
    assert found.report["labels"]["test"]["nan"] == 18 // len(test)


def test_nan_is_a_number_that_is_missing_where_all_splits_have_numbers(tmp_path: Path) -> None:
    for split, words in {"train": [0, 1], "dev": [0, 1], "test": ["nan"]}.items():
        rows = [{"text": f"{split} {n}", "label": words[n % len(words)]} for n in range(18)]
        write_rows(tmp_path / "task" / f"{split}.jsonl", rows)
    with pytest.raises(DataError, match=r"no label, .*test\.jsonl: lines 1, 2, 3"):
        read(make_task("classes", tmp_path / "task"), DataConfig())


@pytest.mark.parametrize("value", [None, float("nan"), "", "  ", "\u200b", "\ufeff \u00ad"])
def test_null_and_an_empty_text_are_no_label(tmp_path: Path, value: Any) -> None:
    with pytest.raises(DataError, match=r"no label.*lines 1, 3, 5"):
        labelled(tmp_path / "x.jsonl", [value, "eng"] * 20)


def test_booleans_are_the_words_of_json(tmp_path: Path) -> None:
    assert labelled(tmp_path / "x.jsonl", [True, "false"] * 20, labels=[False, True]).labels == ["false", "true"]


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (["10", "9", "-1", "2.5", "+3"], ["-1", "2.5", "+3", "9", "10"]),
        (["1e10", "1e3", "1e9", "5"], ["5", "1e3", "1e9", "1e10"]),
        ([".5", "-.5", "0"], ["-.5", "0", ".5"]),
        (["b", "10", "1e3", "9"], ["9", "10", "1e3", "b"]),  # among words 1e3 is a word
    ],
)
def test_numbers_are_ordered_by_value(labels: list[str], order: list[str]) -> None:
    assert ordered(labels) == order


def test_small_numbers_of_json_are_in_order(tmp_path: Path) -> None:
    assert labelled(tmp_path / "x.jsonl", [1e-7, 0.5, 2e-7] * 20).labels == ["1e-07", "2e-07", "0.5"]


def test_what_one_does_not_see_is_shown_by_its_number(tmp_path: Path) -> None:
    (note,) = labelled(tmp_path / "x.jsonl", ["pos", "pos\u200b", "neg"] * 9).report["reading"]
    assert note.endswith(r"'pos' (9), 'pos\u200b' (9)")


def test_labels_that_are_nearly_equal_are_told(tmp_path: Path) -> None:
    values = ["Pos", "pos", "neg", "New York", "NewYork", "01", "1", "x", "X"] * 9
    found = labelled(tmp_path / "x.jsonl", values)
    assert len(found.labels) == 9
    (note,) = found.report["reading"]
    assert note.startswith("labels that are nearly equal, and are told apart: ")
    assert "'Pos' (9), 'pos' (9)" in note
    assert "'01' (9), '1' (9)" in note
    assert note.endswith(" and 1 more")
    assert near(["a", "b", "-1", "1"]) == []


@pytest.mark.parametrize(
    "other",
    [
        *("pos\u200b-1", "\ufeffpos-1", "po\u00ads-1", "pos\u20111", "pos\u20131", "pos\u22121", "pos\u200d-1"),
        *('"pos-1"', "'pos-1'", "\u201cpos-1\u201d", "\u00abpos-1\u00bb", "\uff30os-1", " pos -1"),
    ],
)
def test_what_one_does_not_see_makes_labels_nearly_equal(tmp_path: Path, other: str) -> None:
    (note,) = labelled(tmp_path / "x.jsonl", ["pos-1", other, "neg"] * 9).report["reading"]
    assert note.startswith("labels that are nearly equal, and are told apart: ")
    assert near(['"', "''", "-", "--", "1", "-1", "\u22121"]) == [["-1", "\u22121"]]


@pytest.mark.parametrize("value", [["a", "b"], ["a"], [], [1, 0]])
def test_several_labels_are_called_so(tmp_path: Path, value: list[Any]) -> None:
    with pytest.raises(DataError, match=r"multi-label\), which is not supported yet.*line 1; give one label"):
        labelled(tmp_path / "x.jsonl", [value, *["a", "b"] * 20])


@pytest.mark.parametrize(
    "cell",
    [
        *("\"['a', 'b']\"", "['a' 'b']", '"[""a"", ""b""]"', '"[1, 0]"', "[0 1]"),
        *('"[1.0, 2.0]"', "[0. 1. 0.]", '"[np.int64(1), np.int64(2)]"', "[np.int64(1)]", "\"[b'a', b'b']\""),
        *("\"{'a', 'b'}\"", '"[ ""a"", ""b"" ]"', "\" ['a', 'b']\"", '"[True, False]"', '"(1, 2)"', '"array([1, 0])"'),
    ],
)
def test_several_labels_in_a_cell_are_called_so(tmp_path: Path, cell: str) -> None:
    with pytest.raises(DataError, match=r"multi-label\), which is not supported yet.*line 2;"):
        read(make_task("classes", csv_file(tmp_path / "x.csv", [cell, *["a", "b"] * 20])), DataConfig())


@pytest.mark.parametrize("word", ["[1]", "(1,000)", "(0, 10]", "[0, 10)", "( a , b )", "[PAD]", "{x}", "f(1)"])
def test_brackets_alone_make_no_label_several(tmp_path: Path, word: str) -> None:
    assert labelled(tmp_path / "x.jsonl", [word, "b"] * 20).labels == sorted([word, "b"])


def test_an_object_as_a_label_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"an object as a label.*line 1"):
        labelled(tmp_path / "x.jsonl", [{"a": 1}, *["a", "b"] * 20])


@pytest.mark.parametrize("labels", [[1, "1.0"], [COMPOSED, DECOMPOSED], [True, "true"]])
def test_one_label_declared_in_two_forms_is_refused(labels: list[Any]) -> None:
    with pytest.raises(ConfigError, match=r"task\.labels names a label twice"):
        make_task("classes", labels=labels)


@pytest.mark.parametrize("label", [" ", "\u200b"])
def test_an_empty_label_can_not_be_declared(label: str) -> None:
    with pytest.raises(ConfigError, match=r"task\.labels names an empty label"):
        make_task("classes", labels=["a", label])


@pytest.mark.parametrize(
    ("kind", "declared", "whole"),
    [("classes", False, False), pytest.param("classes", True, True, marks=pytest.mark.slow), ("tags", False, False)],
)
def test_a_hundred_thousand_labels_are_refused(tmp_path: Path, kind: str, declared: bool, whole: bool) -> None:
    count = 100_000
    rows: Any = (
        {"text": "t", "label": n % count} if kind == "classes" else {"tokens": ["a", "b"], "tags": [f"x{n}", "O"]}
        for n in range(count * 2 if kind == "classes" else count)
    )
    (tmp_path / "task").mkdir()
    path = write_rows(tmp_path / ("all.jsonl" if whole else "task/train.jsonl"), list(rows))
    labels = [str(n) if kind == "classes" else f"x{n}" for n in range(count)] if declared else None
    with pytest.raises(
        DataError, match=r"10000\d distinct labels in .*0000 train (examples|words)|100000 distinct labels"
    ):
        read(make_task(kind, path if whole else path.parent, labels=labels), DataConfig())


def test_a_hundred_thousand_declared_labels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="100000 labels are declared"):
        labelled(tmp_path / "x.jsonl", [0, 1] * 20, labels=list(range(100_000)))


@given(st.one_of(st.text(max_size=8), st.integers(), st.floats(), st.booleans(), st.sampled_from(ONE)))
def test_the_form_of_a_label_has_itself_as_form(value: Any) -> None:
    word = canonical(value)
    assert word is None or (canonical(word) == word and unicodedata.is_normalized("NFC", word))
