"""Schemes of entity tags become BIO, with the entities that seqeval 1.2.2 finds under the scheme.

schemes_by_seqeval.json holds random sentences of each scheme with what seqeval's strict mode made of them
(``Entities([tags], IOBES or BILOU or IOB1, suffix)``, 2026-11-28); seqeval itself is not needed here.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from task_files import make_task, write_rows

from thaw.errors import ConfigError, DataError
from thaw.task.entities import entities
from thaw.task.read import read
from thaw.task.schemes import scheme
from thaw.task.task import DataConfig, are_entity_tags

BY_SEQEVAL = json.loads((Path(__file__).parent / "schemes_by_seqeval.json").read_text())
OTHER_MARKS = {"BMES": {"I": "M"}, "BMEWO": {"I": "M", "S": "W"}}
BIO = ["O B-PER I-PER O B-LOC", "B-LOC B-LOC O I-PER O", "O O B-PER B-PER I-PER"]


def sentences(texts: list[str]) -> list[list[str]]:
    return [text.split() for text in texts]


@pytest.mark.parametrize("name", BY_SEQEVAL)
def test_entities_are_those_of_seqeval(name: str) -> None:
    tagged = sentences([text for text, _ in BY_SEQEVAL[name]])
    found = scheme(tagged)
    assert found is not None
    assert found.name == {"BIOES after": "BIOES with the mark after the type"}.get(name, name)
    for tags, (_, wanted) in zip(tagged, BY_SEQEVAL[name], strict=True):
        converted = found.bio(tags)
        assert entities(converted) == [tuple(one) for one in wanted]
        assert all(converted[start].startswith("B-") for _, start, _ in wanted)
        assert not found.breaks(tags)
    assert scheme([found.bio(tags) for tags in tagged]) is None, "what was converted is BIO"


@pytest.mark.parametrize("name", OTHER_MARKS)
@pytest.mark.parametrize("small", [False, True])
def test_other_letters_for_the_same_marks(name: str, small: bool) -> None:
    tagged = sentences([text for text, _ in BY_SEQEVAL["BIOES"]])
    bioes = scheme(tagged)
    assert bioes is not None
    letters = OTHER_MARKS[name]

    def other(tag: str) -> str:
        mark, dash, kind = tag.partition("-")
        return f"{letters.get(mark, mark)}{dash}{kind}".lower() if small else f"{letters.get(mark, mark)}{dash}{kind}"

    spelled = [[other(tag) for tag in tags] for tags in tagged]
    found = scheme(spelled)
    assert found is not None
    assert found.name == name + (" in small letters" if small else "")
    want = [[tag if not small or tag == "O" else tag[:2] + tag[2:].lower() for tag in bioes.bio(one)] for one in tagged]
    assert [found.bio(tags) for tags in spelled] == want


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (["o b-PER i-PER o b-LOC", "b-LOC b-LOC o i-PER o"], "BIO in small letters"),
        (["O PER-B PER-I O LOC-B", "LOC-B LOC-B O PER-I O"], "BIO with the mark after the type"),
        (["O B_PER I_PER O B_LOC", "B_LOC B_LOC O I_PER O"], "BIO with an underscore"),
        (["o B-PER I-PER o B-LOC", "B-LOC B-LOC o I-PER o"], "BIO with a small o"),
        (["O B-PER I-per O B-LOC", "B-LOC B-LOC O I-PER O"], "BIO with types in several cases"),
    ],
)
def test_spellings_of_bio(texts: list[str], name: str) -> None:
    found = scheme(sentences(texts))
    assert found is not None
    assert found.name == name
    assert [found.bio(tags) for tags in sentences(texts)] == sentences(BIO[:2])


def test_bio_stays_as_it_is() -> None:
    assert scheme(sentences(BIO)) is None, "an entity that begins with I is a slip where others begin with B"
    assert scheme(sentences(["O X Y", "NOUN O"])) is None
    assert scheme(sentences(["B-PER E-PER"])) is None, "without O it is no set of entity tags"


def test_a_sentence_that_breaks_its_scheme_is_counted_and_read_as_conlleval_does() -> None:
    tagged = sentences(["O I-PER E-PER O", "S-PER I-PER O O", "B-PER O O O", "B-PER I-LOC O O", "B-PER E-PER I-PER O"])
    found = scheme(tagged)
    assert found is not None
    assert all(found.breaks(tags) for tags in tagged)
    assert [" ".join(found.bio(tags)) for tags in tagged] == [
        "O B-PER I-PER O",
        "B-PER B-PER O O",
        "B-PER O O O",
        "B-PER B-LOC O O",
        "B-PER I-PER B-PER O",
    ]


def task_file(path: Path, texts: list[str]) -> Path:
    rows = [
        {"tokens": [f"w{number}-{place}-{n}" for place, _ in enumerate(tags)], "tags": tags}
        for n in range(10)
        for number, tags in enumerate(sentences(texts))
    ]
    return write_rows(path, rows)


@pytest.mark.parametrize("declared", [False, True])
@pytest.mark.parametrize("name", BY_SEQEVAL)
def test_a_task_is_converted_and_says_so(tmp_path: Path, name: str, declared: bool) -> None:
    texts = [text for text, _ in BY_SEQEVAL[name]]
    labels = sorted({tag for text in texts for tag in text.split()}) if declared else None
    found = read(make_task("tags", task_file(tmp_path / "x.jsonl", texts), labels=labels), DataConfig())
    assert are_entity_tags(found.labels or [])
    assert sorted(found.labels or []) == ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"]
    (note,) = found.report["reading"]
    assert note.startswith("tags are ")
    assert note.endswith(", read as BIO")


def test_slips_are_told(tmp_path: Path) -> None:
    path = task_file(tmp_path / "x.jsonl", ["S-PER O", "I-PER E-PER", "O O"])
    (note,) = read(make_task("tags", path), DataConfig()).report["reading"]
    assert note == "tags are BIOES, read as BIO (10 of 30 sentences have an entity without its begin or its end)"


def test_numbers_with_names_of_a_scheme(tmp_path: Path) -> None:
    rows = [{"tokens": ["a", "b", f"c{n}"], "tags": [1, 2, 0]} for n in range(20)]
    task = make_task("tags", write_rows(tmp_path / "x.jsonl", rows), labels=["O", "B-PER", "E-PER", "S-PER"])
    found = read(task, DataConfig())
    assert found.labels == ["O", "B-PER", "I-PER"]
    assert found.train[0].tags == ["B-PER", "I-PER", "O"]


def test_another_metric_leaves_the_tags_alone(tmp_path: Path) -> None:
    path = task_file(tmp_path / "x.jsonl", [text for text, _ in BY_SEQEVAL["BIOES"]])
    found = read(make_task("tags", path, metric="token_accuracy"), DataConfig())
    assert {"E-PER", "S-LOC"} <= set(found.labels or [])
    assert found.report["reading"] == []


@pytest.mark.parametrize(
    "texts",
    [
        ["L-B L-I O M-B M-I", "O L-B M-B M-I O"],
        ["l-b l-i o m-b m-i"],
        ["L_B L_I O"],
        ["S-B S-I O"],
        ["L-I M-I O"],
        ["B-B I-B O B-I I-I"],
    ],
)
def test_tags_whose_mark_may_stand_on_either_side_are_asked_about(tmp_path: Path, texts: list[str]) -> None:
    path = task_file(tmp_path / "x.jsonl", texts)
    with pytest.raises(DataError, match=r"the tag '..?.' can have its mark first or last, .*more than one letter"):
        read(make_task("tags", path), DataConfig())
    assert read(make_task("tags", path, metric="token_accuracy"), DataConfig()).labels


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (["B-I I-I L-I O U-I"], "BILOU"),
        (["B-B E-B O S-B"], "BIOES"),
        (["X-B X-I O M-B"], "BIO with the mark after the type"),
    ],
)
def test_types_of_one_letter_where_the_mark_is_certain(tmp_path: Path, texts: list[str], name: str) -> None:
    found = read(make_task("tags", task_file(tmp_path / "x.jsonl", texts)), DataConfig())
    assert found.report["reading"] == [f"tags are {name}, read as BIO"]


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        (["B I O", "O B I"], r"has 'B', 'I', of no scheme"),
        (["B-X I-X", "B-X X"], "has 'X', of no"),
        (["B-X I-X"], "no O"),
    ],
)
def test_tags_of_no_scheme_are_named(tmp_path: Path, texts: list[str], shown: Any) -> None:
    with pytest.raises(ConfigError, match=f"entity_f1 needs tags O.*{shown}.*use task.metric=token_accuracy"):
        read(make_task("tags", task_file(tmp_path / "x.jsonl", texts)), DataConfig())
