"""Lists of records in .json, and the shapes in which data sets flatten SQuAD's answers."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from task_files import make_task, write_rows, write_squad

from thaw.errors import DataError
from thaw.task.read import fingerprint, read, read_examples
from thaw.task.task import DataConfig

PLACES = [(f"In {1900 + n} Ann moved to Rome.", f"Where did Ann move in {1900 + n}?", "Rome") for n in range(20)]


def rows(**answers: Any) -> list[dict[str, Any]]:
    """Return a row for each question; a value of ``answers`` makes its cell of the answer's text and place."""
    return [
        {"question": asked, "context": context, "id": f"q{number}", "title": f"title {number}"}
        | {name: make(answer, context.index(answer)) for name, make in answers.items()}
        for number, (context, asked, answer) in enumerate(PLACES, 1)
    ]


SHAPES: dict[str, list[dict[str, Any]]] = {
    "lists": rows(answers=lambda text, start: {"text": [text], "answer_start": [start]}),
    "objects": rows(answers=lambda text, start: [{"text": text, "answer_start": start}]),
    "columns": rows(answer_text=lambda text, _: text, answer_start=lambda _, start: start),
    "columns of floats": rows(answer=lambda text, _: text, answer_start=lambda _, start: float(start)),
}


@pytest.fixture
def nested(tmp_path: Path) -> str:
    articles = {f"title {n}": [(context, [(asked, answer)])] for n, (context, asked, answer) in enumerate(PLACES, 1)}
    return fingerprint(read(make_task("span", write_squad(tmp_path / "nested.json", articles)), DataConfig()))


@pytest.mark.parametrize("form", ["jsonl", "json", "data", "lines in .json"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_read_as_squads_own(tmp_path: Path, nested: str, shape: str, form: str) -> None:
    path = tmp_path / ("x.jsonl" if form == "jsonl" else "x.json")
    if "l" in form:
        write_rows(path, SHAPES[shape])
    else:
        path.write_text(json.dumps({"data": SHAPES[shape]} if form == "data" else SHAPES[shape], indent=1))
    assert fingerprint(read(make_task("span", path), DataConfig())) == nested


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_read_from_csv(tmp_path: Path, nested: str, shape: str) -> None:
    pd.DataFrame(SHAPES[shape]).to_csv(tmp_path / "x.csv", index=False)  # as Python shows them
    assert fingerprint(read(make_task("span", tmp_path / "x.csv"), DataConfig())) == nested
    texts = [
        {name: json.dumps(cell) if name == "answers" else cell for name, cell in row.items()} for row in SHAPES[shape]
    ]
    pd.DataFrame(texts).to_csv(tmp_path / "y.csv", index=False)
    assert fingerprint(read(make_task("span", tmp_path / "y.csv"), DataConfig())) == nested


@pytest.mark.parametrize(
    ("answers", "match"),
    [
        ([{"text": "Rome"}], "an answer without 'answer_start'"),
        ([{"answer_start": 3}], "an answer without 'text'"),
        (["Rome"], "answers without their places"),
        ({"text": ["Rome"]}, "answers without 'answer_start'"),
        ("{'text': array(['Rome'], dtype=object)}", "answers written as text that can not be read"),
        ([], "a question without answer"),
        (None, "a question without answer"),
        ({"text": [], "answer_start": []}, "a question without answer"),
        ([{"text": "Rome", "answer_start": -4}], "not in the context at answer_start"),
        ([{"text": "Rome", "answer_start": "22"}], "answers that are no texts with their places"),
        (7, "answers that are no texts with their places"),
    ],
)
def test_another_shape_is_refused_for_what_it_is_at_its_question(tmp_path: Path, answers: Any, match: str) -> None:
    bad = [{**row, "answers": answers} if n == 2 else row for n, row in enumerate(SHAPES["objects"])]
    (tmp_path / "x.json").write_text(json.dumps(bad))
    with pytest.raises(DataError, match=rf"{match}.*x\.json: record 3;"):
        read(make_task("span", tmp_path / "x.json"), DataConfig())
    questions = [{key: row[key] for key in ("question", "answers")} for row in bad]
    paragraphs = [{"context": row["context"], "qas": [question]} for row, question in zip(bad, questions, strict=True)]
    (tmp_path / "y.json").write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}, indent=1))
    with pytest.raises(DataError, match=rf"{match}.*y\.json: question 3;"):
        read(make_task("span", tmp_path / "y.json"), DataConfig())


@pytest.mark.parametrize(("text", "start"), [("Rome", None), ("Rome", "x"), (3, 4), ("Rome", 1.5)])
def test_a_single_answer_without_a_place_is_refused(tmp_path: Path, text: Any, start: Any) -> None:
    bad = [{**SHAPES["columns"][0], "answer_text": text, "answer_start": start}]
    with pytest.raises(DataError, match=r"an answer that is no text with its place.*line 1"):
        read(make_task("span", write_rows(tmp_path / "x.jsonl", bad)), DataConfig())


@pytest.mark.parametrize("wrapped", [False, True])
def test_records_of_any_kind_are_read_from_json(tmp_path: Path, wrapped: bool) -> None:
    records = [{"text": f"t {n}", "label": n % 2} for n in range(40)]
    (tmp_path / "x.json").write_text(json.dumps({"data": records} if wrapped else records, indent=2))
    found = read(make_task("classes", tmp_path / "x.json"), DataConfig())
    assert found.labels == ["0", "1"]
    assert len(found.train) + len(found.dev) + len(found.test) == 40
    assert len(read_examples(str(tmp_path / "x.json"), make_task("classes"))[0]) == 40
    records[4]["label"] = None  # type: ignore[assignment]
    (tmp_path / "x.json").write_text(json.dumps(records, indent=2))
    with pytest.raises(DataError, match=r"no label.*x\.json: record 5;"):
        read(make_task("classes", tmp_path / "x.json"), DataConfig())


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ('[{"text": "a"}, ["a"], 3]', r"not a JSON object.*records 2, 3; write \["),
        ('{"text": "a", "label": "b"}', "an object with the keys text, label and no list under 'data'"),
        ('{"text": {"0": "a"}, "label": {"0": "b"}}', "a table by columns.*orient='records'"),
        ('{"text": ["a", "b"], "label": ["c", "d"]}', "a table by columns.*orient='records'"),
        ('{"train": [{"text": "a"}], "test": [{"text": "b"}]}', "an object with the keys train, test and no list"),
        ("[]", "the list is empty"),
        ("3", "it is 3"),
        ('[\n{"text": "a",}\n]', "not JSON.*line 2 column"),
        ('{"text": "a"}\n{"text": \n', "not a JSON object.*line 2"),
        ("[" * 100_000, "not JSON that can be read"),
        ('{"columns": ["text"], "data": [["a"]]}', "not SQuAD JSON"),
    ],
)
def test_other_json_is_refused_for_what_it_is(tmp_path: Path, content: str, match: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(DataError, match=match) as refused:
        read(make_task("classes", tmp_path / "x.json"), DataConfig())
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400
