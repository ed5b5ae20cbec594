"""What a library wrote is read back equal or refused by one of our errors, never by another one; nothing is lost."""

import contextlib
import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from task_files import make_task, write_rows

from thaw.errors import ConfigError, DataError
from thaw.task.files import read_table
from thaw.task.read import read
from thaw.task.task import DataConfig, Kind

HARD = ['"', '""', "a,b", "a\tb", "\r", "\n", "\r\n", " ", "", "\ufeff", "nan", "\0", "1.0", '"a', "a\u2028b", "\x1c"]
TEXT = st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), st.sampled_from(HARD))
WORD = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.integers(), st.floats(), st.text(max_size=8), TEXT)
JSON = st.recursive(
    LEAVES, lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=5), one, max_size=3), max_leaves=4
)
SOUND: dict[Kind, Any] = {
    Kind.classes: st.fixed_dictionaries({"text": WORD, "label": st.sampled_from(["yes", "no", 1, " 1"])}),
    Kind.score: st.fixed_dictionaries({"text_a": WORD, "text_b": WORD, "label": st.floats(0, 5)}),
    Kind.tags: st.lists(st.tuples(WORD, st.sampled_from(["O", "B-X", "I-X"])), min_size=1, max_size=4).map(
        lambda pairs: {"tokens": [word for word, _ in pairs], "tags": [tag for _, tag in pairs]}
    ),
    Kind.span: WORD.map(
        lambda word: {"question": "who?", "context": f"{word} is", "answers": {"text": [word], "answer_start": [0]}}
    ),
}
COLUMNS = ["text", "text_a", "text_b", "label", "tokens", "tags", "question", "context", "answers", "id", "title"]
ANY_ROW = st.dictionaries(st.one_of(st.sampled_from(COLUMNS), st.text(max_size=3)), JSON, max_size=6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


def read_or_refused(kind: Kind, path: Path) -> None:
    with contextlib.suppress(DataError, ConfigError):  # one line each, `thaw.cli.main` sees to that
        read(make_task(kind.name, path), DataConfig())


@settings(max_examples=300)
@given(
    st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8),
    st.sampled_from([(".csv", ","), (".tsv", "\t")]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_a_table_is_read_back(folder: Path, rows: list, form: tuple[str, str], quoting: int, end: str) -> None:
    path = folder / f"table{form[0]}"
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=form[1], quoting=quoting, lineterminator=end)
        writer.writerows([("text", "label"), *rows])
    cells = "".join(cell for row in rows for cell in row)
    unquoted = "\r" in cells and end == "\n" and quoting == csv.QUOTE_MINIMAL  # csv's own fault: it ends a line there
    try:
        table = read_table(path)
    except DataError:
        assert "\0" in cells or unquoted
    else:
        told = any("which is text in a .tsv" in note for note in table.notes)  # its lines are in order without CSV
        assert [tuple(row.values()) for _, row in table.rows] == rows or unquoted or told


def whole(value: Any) -> Any:
    """Return a JSON value as we promise to read it: NaN is a missing cell, half a character is U+FFFD."""
    if isinstance(value, str):
        return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in value)
    if isinstance(value, list):
        return [whole(one) for one in value]
    if isinstance(value, dict):
        return {whole(key): whole(one) for key, one in value.items()}
    return None if value != value else value


@settings(max_examples=100)
@given(st.lists(ANY_ROW, min_size=1, max_size=3), st.booleans())
def test_json_lines_are_read_back(folder: Path, rows: list[dict], escaped: bool) -> None:
    lines = [json.dumps(row if escaped else whole(row), ensure_ascii=escaped) for row in rows]
    (folder / "rows.jsonl").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    found = [row for _, row in read_table(folder / "rows.jsonl").rows]
    assert found == [whole(json.loads(line)) for line in lines]


@settings(max_examples=120)
@given(st.data(), st.sampled_from(Kind))
def test_any_rows_are_read_or_refused(folder: Path, data: st.DataObject, kind: Kind) -> None:
    rows = [dict(row) for row in data.draw(st.lists(SOUND[kind], min_size=1, max_size=16))]
    for row in rows[:3]:
        row |= data.draw(st.dictionaries(st.one_of(st.sampled_from([*row, "id", "title"]), TEXT), JSON, max_size=2))
    path = folder / "any.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    read_or_refused(kind, path)


@settings(max_examples=150)
@given(st.integers(0, 16), JSON)
def test_any_squad_is_read_or_refused(folder: Path, place: int, other: Any) -> None:
    places = iter(range(200))

    def some(sound: Any) -> Any:
        return other if next(places) == place else sound

    def article(number: int) -> Any:
        answer = some({"text": some("Ann"), "answer_start": some(3)})
        question = some({"id": some(str(number)), "question": some("Who?"), "answers": some([answer])})
        return some(
            {"title": some(f"t{number}"), "paragraphs": some([{"context": some("By Ann."), "qas": [question]}])}
        )

    (folder / "any.json").write_text(json.dumps(some({"data": [article(number) for number in range(12)]})), "utf-8")
    read_or_refused(Kind.span, folder / "any.json")


@settings(max_examples=200)
@given(st.binary(max_size=60), st.sampled_from([".csv", ".tsv", ".jsonl", ".json"]), st.sampled_from(Kind))
def test_any_bytes_are_read_or_refused(folder: Path, content: bytes, suffix: str, kind: Kind) -> None:
    (folder / f"bytes{suffix}").write_bytes(content)
    read_or_refused(kind, folder / f"bytes{suffix}")


@settings(max_examples=50)
@given(st.data(), st.sampled_from(Kind))
def test_no_example_is_lost(folder: Path, data: st.DataObject, kind: Kind) -> None:
    rows = data.draw(st.lists(SOUND[kind], min_size=20, max_size=40))
    task = make_task(kind.name, write_rows(folder / "sound.jsonl", rows))
    try:
        splits = read(task, DataConfig(duplicates="keep", dev_share=0.2))
    except DataError as error:
        if not re.search("too few|only the label|is not in train", str(error)):  # to cut
            raise
        return
    found = Counter(example.texts for split in (splits.train, splits.dev, splits.test) for example in split)
    texts = {
        Kind.classes: lambda row: (row["text"],),
        Kind.score: lambda row: (row["text_a"], row["text_b"]),
        Kind.tags: lambda row: (" ".join(row["tokens"]),),
        Kind.span: lambda row: (row["question"], row["context"]),
    }[kind]
    assert found == Counter(map(texts, rows))


def test_what_the_random_tables_taught(folder: Path) -> None:
    """An answer before the text, a title that is no text, a label of more digits than Python makes a number of."""
    answers = {"text": ["Ann"], "answer_start": [-5]}
    write_rows(folder / "x.jsonl", [{"question": "who?", "context": "By Ann is", "answers": answers}])
    with pytest.raises(DataError, match="an answer that is not in the context at answer_start"):
        read(make_task("span", folder / "x.jsonl"), DataConfig())
    rows = [{"text": f"t {n}", "label": "1" * 5000 if n % 2 else "2"} for n in range(40)]
    found = read(make_task("classes", write_rows(folder / "y.jsonl", rows)), DataConfig())
    assert found.labels == ["2", "1" * 5000]
