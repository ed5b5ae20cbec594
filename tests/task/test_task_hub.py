"""Hub data sets, from local folders of parquet files: what load_dataset makes of a name it makes of them too."""

import pytest
from task_files import make_task

from thaw.errors import ConfigError, DataError
from thaw.task.read import read
from thaw.task.task import DataConfig
from thaw.text import hub

datasets = pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()


def save(folder, columns, features, **splits):
    for split, rows in splits.items():
        data = datasets.Dataset.from_list([dict(zip(columns, row, strict=True)) for row in rows], features=features)
        (folder / "data").mkdir(parents=True, exist_ok=True)
        data.to_parquet(folder / "data" / f"{split}-00000-of-00001.parquet")
    return str(folder)


def test_class_numbers_get_their_names_and_hidden_labels_are_left_out(tmp_path):
    features = datasets.Features(
        {
            "sentence1": datasets.Value("string"),
            "sentence2": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["not_same", "same"]),
        }
    )
    rows = [(f"a {n}", f"b {n}", n % 2) for n in range(40)]
    name = save(
        tmp_path / "pairs",
        list(features),
        features,
        train=[*rows, ("c", "", 1), ("d", "e", -1)],
        validation=rows[:5],
        test=[("f", "g", -1)],
    )
    columns = {"text_a": "sentence1", "text_b": "sentence2", "hub": name}
    splits = read(make_task("classes", test_split="validation", dev_split=None, **columns), DataConfig())
    assert splits.labels == ["not_same", "same"]
    assert splits.train[0].label in splits.labels
    assert splits.report["notes"][0] == "train: 2 rows without text or label left out"
    with pytest.raises(DataError, match=r"no labelled example.*set task.test_split"):
        read(make_task("classes", **columns), DataConfig())


def test_tags_get_their_names(tmp_path):
    features = datasets.Features(
        {
            "tokens": datasets.List(datasets.Value("string")),
            "ner_tags": datasets.List(datasets.ClassLabel(names=["O", "B-X", "I-X"])),
        }
    )
    rows = [(["a", f"b{n}"], [1, 0]) for n in range(20)]
    name = save(tmp_path / "tags", list(features), features, train=rows, validation=rows[:3], test=rows[:3])
    splits = read(make_task("tags", hub=name, tags="ner_tags"), DataConfig(duplicates="keep"))
    assert splits.labels == ["O", "B-X", "I-X"]
    assert splits.train[0].tags == ["B-X", "O"]


def test_squad_rows(tmp_path):
    answers = {"text": ["Ann"], "answer_start": [3]}
    rows = [(f"t{n}", f"By Ann {n}.", "Who?", answers, str(n)) for n in range(30)]
    name = save(tmp_path / "squad", ["title", "context", "question", "answers", "id"], None, train=rows, test=rows[:2])
    splits = read(make_task("span", hub=name, dev_split=None), DataConfig())
    assert splits.train[0].answers == [("Ann", 3)]
    assert splits.train[0].group


def test_without_network_one_line_names_the_remedy(monkeypatch):
    monkeypatch.setattr(hub, "reachable", lambda: False)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    huggingface_hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(ConfigError, match=r"task.hub=nobody/nothing split train.*no network; .*task.path=DIR"):
        read(make_task("classes", hub="nobody/nothing"), DataConfig())


def test_an_unknown_split_is_named(tmp_path):
    rows = [(f"a {n}", str(n % 2)) for n in range(4)]
    name = save(tmp_path / "d", ["text", "label"], None, train=rows)
    with pytest.raises(ConfigError, match="split dev_matched can not be read"):
        read(make_task("classes", hub=name, test_split="dev_matched"), DataConfig())
