"""Bad task files: each is refused in one line that names the file, the first offending lines and the remedy."""

import json
from pathlib import Path

import pytest
from task_files import make_task, write_rows

from thaw.errors import DataError
from thaw.task.files import split_files
from thaw.task.read import read
from thaw.task.task import DataConfig

GOOD = "text,label\n" + "".join(f"good text {n},{'yes' if n % 2 else 'no'}\n" for n in range(20))
MANY = "text,label\n" + "".join(f"text {n},label {n}\n" for n in range(100_000))

CSV = {
    "missing column": ("text,lable\na,yes\n", r"no column 'label'.*did you mean 'lable'\?"),
    "header absent": ("good text,yes\nother text,no\n", r"no column 'text'.*first line"),
    "shifted columns": (GOOD + "a, b,yes\nc,no\nd,e,no\n", r"not 2 cells.*lines 22, 24;"),
    "unescaped quotes": (GOOD + '"he said "hi" there",yes\n', r"broken quoting.*line 22"),
    "quote without end": (GOOD + '"and so on,yes\n', r"broken quoting.*line 22"),
    "missing label": (GOOD + "a,\nb,NaN\nc,nan\nd, \n", r"no label.*lines 22, 25;"),
    "missing number": ("text,label\na,1\nb,0\nc,\nd,NaN\ne,nan\n", r"no label.*lines 4, 5, 6;"),
    "empty text": (GOOD + ",yes\n  ,no\n", r"empty text.*lines 22, 23"),
    "only one class": ("text,label\n" + "a,yes\nb,yes\n" * 10, r"only the label 'yes'"),
    "wrong delimiter": (GOOD.replace(",", ";"), r"wrong delimiter.*';'"),
    "tabs in csv": (GOOD.replace(",", "\t"), r"wrong delimiter.*\\t"),
    "duplicate ids": ("id,text,label\n1,a,yes\n2,b,no\n1,c,yes\n", r"an id that stood before.*line 4"),
    "a label each": (MANY, r"100000 distinct labels in 100000.*is column 'label' the label\?"),
    "column named twice": ("text,label,text\na,yes,b\n", r"column named twice.*text"),
    "empty": ("", r"empty task file"),
    "blank": (" \n\n", r"empty task file"),
    "only a header": ("text,label\n", r"no column|no labelled example"),
    "latin-1": ((GOOD + "caf\xe9,yes\n").encode("latin-1"), r"not UTF-8.*byte \d+.*iconv"),
    "UTF-16": (GOOD.encode("utf-16"), r"not a text file|not UTF-8"),
    "NUL": ((GOOD + "a\0b,yes\n").encode(), r"NUL at byte"),
    "too few to cut": ("text,label\na,yes\nb,no\n", r"too few"),
}
JSONL = {
    "not JSON": ('{"text": "a", "label": "yes"}\n{"text": \n', r"not a JSON object.*line 2"),
    "not an object": ('["a", "yes"]\n', r"not a JSON object.*line 1"),
    "null label": ('{"text": "a", "label": null}\n{"text": "b", "label": NaN}\n', r"no label.*lines 1, 2"),
    "label left out": ('{"text": "a", "label": "x"}\n{"text": "b"}\n', r"no label.*line 2"),
    "number as text": ('{"text": 5, "label": "x"}\n', r"a text that is not a string.*line 1"),
    "nested too deep": ("[" * 200_000 + "]" * 200_000 + "\n", r"not a JSON object.*line 1"),
    "list as label": ('{"text": "a", "label": ["x"]}\n', r"multi-label.*line 1"),
}
TAGS = {
    "more tags than tokens": ('{"tokens": ["a"], "tags": ["O", "O"]}\n', r"not as many tags as tokens.*line 1"),
    "tokens as numbers": ('{"tokens": [1], "tags": ["O"]}\n', r"no list of words.*line 1"),
    "no tags": ('{"tokens": ["a"], "tags": []}\n', r"no list of tags.*line 1"),
}


ANSWERS = {
    "place as a string": ({"text": ["Ann"], "answer_start": ["0"]}, "answers that are no texts with their places"),
    "text as a number": ({"text": [3], "answer_start": [0]}, "answers that are no texts with their places"),
    "more texts than places": ({"text": ["Ann", "Ann"], "answer_start": [0]}, "answers that are no texts with their"),
    "no lists": ({"text": "Ann", "answer_start": 3}, "answers that are no texts with their places"),
    "wrong place": ({"text": ["Ann"], "answer_start": [1]}, "an answer that is not in the context"),
}


def refused(kind, path, match):
    with pytest.raises(DataError, match=match) as caught:
        read(make_task(kind, path), DataConfig())
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("case", CSV)
def test_bad_csv(tmp_path, case):
    content, match = CSV[case]
    path = tmp_path / "all.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    refused("classes", path, match)


@pytest.mark.parametrize("case", JSONL)
def test_bad_jsonl(tmp_path, case):
    content, match = JSONL[case]
    (tmp_path / "all.jsonl").write_text(content)
    refused("classes", tmp_path / "all.jsonl", match)


@pytest.mark.parametrize("case", TAGS)
def test_bad_tags(tmp_path, case):
    content, match = TAGS[case]
    (tmp_path / "all.jsonl").write_text(content)
    refused("tags", tmp_path / "all.jsonl", match)


def test_a_label_only_in_dev_or_test(tmp_path):
    for split, more in (("train", ""), ("dev", "a,perhaps\n"), ("test", "")):
        (tmp_path / f"{split}.csv").write_text(GOOD + more)
    refused("classes", tmp_path, r"label 'perhaps' is not in train.*dev: line 22; .*task.labels")


def test_a_label_outside_the_declared_ones(tmp_path):
    (tmp_path / "all.csv").write_text(GOOD)
    with pytest.raises(DataError, match=r"label 'no' is not in task.labels, did you mean 'not'\?"):
        read(make_task("classes", tmp_path / "all.csv", labels=["yes", "not"]), DataConfig())


def test_scores_that_are_no_numbers(tmp_path):
    (tmp_path / "all.csv").write_text("text,label\na,1.5\nb,high\nc,inf\nd,\ne,nan\n")
    refused("score", tmp_path / "all.csv", r"not a finite number.*lines 3, 4, 5 and 1 more")
    (tmp_path / "all.csv").write_text("text,label\na,1.5\nb,1_000\nc,2_5\n")
    refused("score", tmp_path / "all.csv", r"not a finite number.*lines 3, 4; ")


def test_folders_without_train_with_two_or_missing(tmp_path):
    refused("classes", tmp_path / "nowhere", r"no such file or folder")
    (tmp_path / "test.csv").write_text(GOOD)
    refused("classes", tmp_path, r"no train\.jsonl.*it holds test\.csv")
    (tmp_path / "train.csv").write_text(GOOD)
    (tmp_path / "train.jsonl").write_text("{}")
    refused("classes", tmp_path, r"more than one file for the split train")


def test_pairs_in_train_and_single_texts_in_test(tmp_path):
    (tmp_path / "train.csv").write_text("text_a,text_b,label\n" + "a,b,x\nc,d,y\n" * 9)
    (tmp_path / "test.csv").write_text("text,label\na,x\n")
    refused("classes", tmp_path, r"splits differ.*train has pairs, test has single texts")


def squad(**changes):
    question = {"id": "1", "question": "Who?", "answers": [{"text": "Ann", "answer_start": 3}], **changes}
    return {"data": [{"title": "t", "paragraphs": [{"context": "By Ann.", "qas": [question]}]}]}


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ([], "not SQuAD JSON"),
        ({"data": [{}]}, r"not SQuAD JSON.*paragraphs"),
        ({"data": []}, "no questions"),
        ({"columns": ["text"], "index": [0], "data": [["a"]]}, r"columns apart \(pandas' orient='split'\)"),
        ({"data": [["a"]]}, "not SQuAD JSON, .*: data, paragraphs or qas is no list of objects"),
        ({"data": [{"paragraphs": "a"}]}, "not SQuAD JSON, .*: data, paragraphs or qas is no list of objects"),
        (squad(answers=[]), r"a question without answer.*SQuAD 2\.0"),
        (squad(answers=[{"text": "Bob", "answer_start": 3}]), r"not in the context at answer_start.*question 1"),
        (squad(question=""), "empty question or context"),
    ],
)
def test_bad_squad(tmp_path, content, match):
    (tmp_path / "all.json").write_text(json.dumps(content))
    refused("span", tmp_path / "all.json", match)


def test_long_cells_and_newlines_inside_quotes_are_read(tmp_path):
    (tmp_path / "all.csv").write_text(GOOD + '"one\ntwo ""quoted""",yes\n' + "x" * 200_000 + ",no\n")
    splits = read(make_task("classes", tmp_path / "all.csv"), DataConfig())
    texts = {example.text_a: example.line for split in (splits.train, splits.dev, splits.test) for example in split}
    assert texts['one\ntwo "quoted"'] == 22
    assert texts["x" * 200_000] == 24


@pytest.mark.parametrize("case", ANSWERS)
def test_bad_answers(tmp_path, case):
    answers, match = ANSWERS[case]
    row = {"question": "who?", "context": "Ann is here", "answers": answers}
    (tmp_path / "all.jsonl").write_text(json.dumps(row) + "\n")
    refused("span", tmp_path / "all.jsonl", match)


def test_a_score_beyond_all_numbers(tmp_path):
    (tmp_path / "all.jsonl").write_text('{"text_a": "a", "text_b": "b", "label": 1' + "0" * 400 + "}\n")
    refused("score", tmp_path / "all.jsonl", r"a label that is not a finite number.*line 1")


def test_a_path_that_is_neither_file_nor_folder():
    refused("classes", "/dev/null", "no such file or folder, task.path=/dev/null")
    with pytest.raises(DataError, match=r"task\.path=/dev/null is neither a regular file nor a folder"):
        split_files(Path("/dev/null"))


@pytest.mark.parametrize("before", ["", "\n", "\n\n  \n", "\r\n"])
def test_an_object_a_line_in_a_json_file_after_blank_lines(tmp_path, before):
    rows = [f'{{"text": "text {n}", "label": {n % 2}}}\n' for n in range(20)]
    (tmp_path / "all.json").write_bytes((before + "".join(rows)).encode())
    found = read(make_task("classes", tmp_path / "all.json"), DataConfig())
    assert min(one.line for one in (*found.train, *found.dev, *found.test)) == before.count("\n") + 1


def test_half_a_character_is_replaced(tmp_path):
    rows = [f'{{"text": "half \\ud83d of {n}", "label": "{n % 2}"}}\n' for n in range(20)]
    (tmp_path / "all.jsonl").write_text("".join(rows))
    found = read(make_task("classes", tmp_path / "all.jsonl"), DataConfig())
    assert {example.text_a[:7] for example in found.train} == {"half \ufffd "}


def few(folder, kind):
    """Write 150 classes once each in every split, or the tags of 66 types of entities in 200 sentences."""
    for split in ("train", "dev", "test"):
        rows = [{"text": f"{split} {n}", "label": f"c{n}"} for n in range(150)]
        if kind == "tags":
            tags = [["O", f"B-T{n % 66}", f"I-T{n % 66}"] for n in range(200)]
            rows = [{"tokens": [f"{split}{n}", "b", "c"], "tags": some} for n, some in enumerate(tags)]
        write_rows(folder / f"{split}.jsonl", rows)
    return folder


def test_declared_classes_may_occur_once_each(tmp_path):
    path = few(tmp_path / "task", "classes")
    labels = [f"c{n}" for n in range(150)]
    assert read(make_task("classes", path, labels=labels), DataConfig()).labels == labels
    with pytest.raises(
        DataError, match=r"150 distinct labels in 150 train examples, .* the label\? If so, declare all"
    ):
        read(make_task("classes", path), DataConfig())


def test_tags_are_counted_against_words(tmp_path):
    found = read(make_task("tags", few(tmp_path / "task", "tags")), DataConfig())
    assert len(found.labels) == 133
    rows = [{"tokens": ["a", f"b{n}"], "tags": ["O", f"x{n}"]} for n in range(200)]
    with pytest.raises(DataError, match=r"distinct labels in \d+ train words, .*is column 'tags' the label\?"):
        read(make_task("tags", write_rows(tmp_path / "x.jsonl", rows), metric="token_accuracy"), DataConfig())
