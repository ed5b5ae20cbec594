import json
from pathlib import Path

import pytest
from task_files import make_task, write_rows, write_squad

from thaw.errors import ConfigError, DataError
from thaw.task.duplicates import near_duplicates, overlap
from thaw.task.example import Example
from thaw.task.read import fingerprint, read, read_examples
from thaw.task.task import DataConfig, Kind, TaskConfig

ROWS = [{"text": f"text number {n}", "label": "yes" if n % 3 else "no"} for n in range(60)]


def folder(tmp_path, train=ROWS[:40], dev=ROWS[40:50], test=ROWS[50:]):
    for name, rows in (("train", train), ("dev", dev), ("test", test)):
        if rows is not None:
            write_rows(tmp_path / f"{name}.jsonl", rows)
    return tmp_path


def test_files_of_every_format_give_the_same_data(tmp_path):
    plain = folder(tmp_path / "jsonl")
    for suffix, delimiter in (("csv", ","), ("tsv", "\t")):
        other = tmp_path / suffix
        other.mkdir()
        for split in ("train", "dev", "test"):
            lines = [f"text{delimiter}label"]
            lines += [
                delimiter.join(json.loads(line).values())
                for line in (plain / f"{split}.jsonl").read_text().splitlines()
            ]
            (other / f"{split}.{suffix}").write_text("\ufeff" + "\r\n".join(lines) + "\r\n")
    prints = {
        fingerprint(read(make_task("classes", tmp_path / kind), DataConfig())) for kind in ("jsonl", "csv", "tsv")
    }
    assert len(prints) == 1


def test_the_fingerprint_knows_every_label(tmp_path):
    first = fingerprint(read(make_task("classes", folder(tmp_path)), DataConfig()))
    changed = [*ROWS[:39], {**ROWS[39], "label": "yes" if ROWS[39]["label"] == "no" else "no"}]
    assert fingerprint(read(make_task("classes", folder(tmp_path, train=changed)), DataConfig())) != first


def test_without_dev_a_stratified_part_of_train_is_cut_off_the_same_for_all_runs(tmp_path):
    task = make_task("classes", folder(tmp_path, dev=None))
    splits = read(task, DataConfig(dev_share=0.2))
    assert len(splits.dev) == 8
    assert len(splits.train) == 32
    assert sum(example.label == "no" for example in splits.dev) in (2, 3)
    again = read(make_task("classes", folder(tmp_path, train=ROWS[:40][::-1], dev=None)), DataConfig(dev_share=0.2))
    assert {example.text_a for example in again.dev} == {example.text_a for example in splits.dev}
    assert "cut off train" in splits.report["notes"][0]


def test_without_test_the_dev_file_is_the_test(tmp_path):
    splits = read(make_task("classes", folder(tmp_path, test=None)), DataConfig())
    assert [example.text_a for example in splits.test] == [row["text"] for row in ROWS[40:50]]
    assert len(splits.dev) == 4


def test_one_file_is_split_and_copies_of_a_text_stay_together(tmp_path):
    path = write_rows(tmp_path / "all.jsonl", [row for row in ROWS for _ in range(2)])
    splits = read(make_task("classes", path), DataConfig(dev_share=0.2))
    assert (len(splits.test), len(splits.dev), len(splits.train)) == (24, 20, 76)
    assert splits.report["duplicates"]["dropped"] == 0


def test_a_class_of_one_example_stays_in_train(tmp_path):
    path = write_rows(tmp_path / "all.jsonl", [*ROWS, {"text": "alone", "label": "rare"}])
    splits = read(make_task("classes", path), DataConfig(dev_share=0.4))
    assert "rare" in {example.label for example in splits.train}
    assert splits.labels == ["no", "rare", "yes"]


def test_catalogue_columns_and_canonical_columns_are_both_found(tmp_path):
    rows = [{"sentence1": f"a {n}", "sentence2": f"b {n}", "label": n % 2} for n in range(20)]
    task = make_task("classes", write_rows(tmp_path / "x.jsonl", rows), text_a="sentence1", text_b="sentence2")
    assert read(task, DataConfig()).train[0].text_b is not None
    rows = [{"text_a": f"a {n}", "text_b": f"b {n}", "label": n % 2} for n in range(20)]
    task = make_task("classes", write_rows(tmp_path / "y.jsonl", rows), text_a="sentence1", text_b="sentence2")
    splits = read(task, DataConfig())
    assert splits.train[0].text_b is not None
    assert splits.labels == ["0", "1"]


def test_numbers_and_words_of_one_label_are_one_label(tmp_path):
    rows = [{"text": f"t {n}", "label": label} for n, label in enumerate([1, "1", " 1", 1.0, 2, "2 "] * 10)]
    assert read(make_task("classes", write_rows(tmp_path / "x.jsonl", rows)), DataConfig()).labels == ["1", "2"]


def test_labels_that_are_numbers_are_ordered_by_value(tmp_path):
    rows = [{"text": f"t {n}", "label": n % 12} for n in range(48)]
    labels = read(make_task("classes", write_rows(tmp_path / "x.jsonl", rows)), DataConfig()).labels
    assert labels == [str(n) for n in range(12)]


def test_declared_labels_keep_their_order_and_allow_a_class_unseen_in_train(tmp_path):
    test = [*ROWS[50:], {"text": "new", "label": "maybe"}]
    with pytest.raises(DataError, match=r"label 'maybe' is not in train.*line 11"):
        read(make_task("classes", folder(tmp_path, test=test)), DataConfig())
    task = make_task("classes", tmp_path, labels=["yes", "no", "maybe"])
    assert read(task, DataConfig()).labels == ["yes", "no", "maybe"]


@pytest.mark.parametrize("planted", [1, 10, 40])
def test_texts_that_stand_in_two_splits_are_counted_and_dropped_from_train(tmp_path, planted):
    doubles = [{"text": "  " + row["text"].upper(), "label": row["label"]} for row in ROWS[50:] * 4][:planted]
    doubles = [{**row, "text": row["text"] if n < 10 else row["text"] + " "} for n, row in enumerate(doubles)]
    path = folder(tmp_path, train=ROWS[:40] + doubles)
    splits = read(make_task("classes", path), DataConfig())
    assert splits.report["duplicates"]["train_test"] == planted
    assert splits.report["duplicates"]["dropped"] == planted
    assert len(splits.train) == 40
    kept = read(make_task("classes", path), DataConfig(duplicates="keep"))
    assert len(kept.train) == 40 + planted


def test_near_duplicates_across_splits_are_counted_and_stay(tmp_path):
    long = [" ".join(f"w{n}" for n in range(start, start + 40)) for start in range(0, 4000, 40)]
    rows = [{"text": text, "label": "yes" if n % 2 else "no"} for n, text in enumerate(long)]
    near = [{**row, "text": row["text"] + " and one more sentence."} for row in rows[60:80]]
    path = folder(tmp_path, train=rows[:50] + near, dev=rows[50:60], test=rows[60:])
    splits = read(make_task("classes", path), DataConfig())
    assert splits.report["duplicates"] | {"near_train_dev": 0, "near_train_test": 20} == splits.report["duplicates"]
    assert len(splits.train) == 70
    assert overlap(splits.report["duplicates"]) == "texts of train that stand elsewhere too: 20 nearly in test"
    assert overlap({"train_dev": 0, "train_test": 2, "dropped": 2}).endswith("too: 2 in test, 2 dropped")
    assert overlap({"train_dev": 0, "train_test": 0, "dropped": 0}) == ""
    assert overlap({"dev_test": 3}) == "3 texts of dev stand in test too: what dev chooses has seen them"


def test_near_duplicates_of_very_long_splits_are_not_counted(monkeypatch):
    monkeypatch.setattr("thaw.task.duplicates.MOST_CHARACTERS", 10)
    some = [Example(text_a="one two three four")]
    assert near_duplicates(some, {"test": some}) == {"near_train_test": None}


def test_counts_of_near_duplicates_are_kept_by_content(tmp_path: Path) -> None:
    long = "one two three four five six seven eight nine ten eleven twelve"
    train, test = [Example(text_a=long, label="a")], [Example(text_a=f"{long} thirteen", label="a")]
    counts = near_duplicates(train, {"test": test}, tmp_path)
    (kept,) = tmp_path.iterdir()
    assert counts == {"near_train_test": 1}
    assert kept.read_text() == "1\n"
    kept.write_text("7\n")
    assert near_duplicates(train, {"test": test}, tmp_path) == {"near_train_test": 7}, "it was not looked up"
    kept.write_text("half a fi")
    assert near_duplicates(train, {"test": test}, tmp_path) == {"near_train_test": 1}, "damage is counted again"
    assert near_duplicates(train * 2, {"test": test}, tmp_path) == {"near_train_test": 2}, "other texts"


def test_one_text_with_two_labels_is_counted_and_shown(tmp_path):
    rows = [*ROWS, {"text": "Text  number 1", "label": "no"}]
    report = read(make_task("classes", write_rows(tmp_path / "x.jsonl", rows)), DataConfig()).report
    assert report["conflicts"]["count"] in (0, 1)  # 0 when the cut took the text out of train
    path = folder(tmp_path / "d", train=[*ROWS[:40], {"text": "Text  number 1", "label": "no"}])
    found = read(make_task("classes", path), DataConfig()).report["conflicts"]
    assert found["count"] == 1
    assert found["first"][0]["lines"] == [2, 41]


def test_tags_are_ordered_by_frequency_and_entity_types_complete(tmp_path):
    rows = [{"tokens": ["a", "b", f"c{n}"], "tags": ["O", "O", "B-PER" if n % 2 else "B-LOC"]} for n in range(30)]
    splits = read(make_task("tags", write_rows(tmp_path / "x.jsonl", rows)), DataConfig())
    assert splits.labels[0] == "O"
    assert sorted(splits.labels) == ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"]


def test_tags_in_csv_are_separated_by_spaces(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("tokens,tags\n" + "".join(f"go to w{n},VERB ADP NOUN\n" for n in range(20)))
    assert read(make_task("tags", path, metric="token_accuracy"), DataConfig()).train[0].tokens[:2] == ["go", "to"]


def test_squad_is_cut_by_article(tmp_path):
    articles = {
        f"title {n}": [
            (f"In {1900 + n} it was built by Ann{n}.", [(f"Who built {n}?", f"Ann{n}"), (f"When {n}?", f"{1900 + n}")])
        ]
        for n in range(20)
    }
    splits = read(make_task("span", write_squad(tmp_path / "all.json", articles)), DataConfig())
    groups = [{example.group for example in split} for split in (splits.train, splits.dev, splits.test)]
    assert all(groups)
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert splits.test[0].answers[0][0] in splits.test[0].context


def test_a_file_to_predict_needs_no_labels(tmp_path):
    path = write_rows(tmp_path / "x.jsonl", [{"text": "hello"}, {"text": "you"}])
    assert [example.label for example in read_examples(str(path), make_task("classes"))[0]] == [None, None]


def test_a_package_is_read(tmp_path):
    pytest.importorskip("thaw.text.demo_text")
    try:
        splits = read(TaskConfig(name="topics", kind=Kind.classes, package="vital_topics"), DataConfig())
    except ConfigError as error:
        pytest.skip(str(error))
    assert len(splits.labels) == 11


def test_no_source_names_the_remedy():
    with pytest.raises(ConfigError, match=r"give files with task\.path=DIR"):
        read(make_task("classes"), DataConfig())


def test_the_metric_follows_from_the_kind_and_must_fit_it(tmp_path):
    assert make_task("classes").metric == "accuracy"
    assert make_task("tags").metric == "entity_f1"
    with pytest.raises(ConfigError, match=r"task\.metric=pearson is none of task\.kind=classes, valid: accuracy"):
        make_task("classes", metric="pearson")
    with pytest.raises(ConfigError, match=r"task\.stride=93 must be less than 93"):
        make_task("span", max_length=128, stride=93)
    path = write_rows(tmp_path / "x.jsonl", [{"tokens": ["a", f"b{n}"], "tags": ["X", "Y"]} for n in range(20)])
    with pytest.raises(ConfigError, match=r"task\.metric=entity_f1 needs.*use task\.metric=token_accuracy"):
        read(make_task("tags", path), DataConfig())
