import dataclasses
from pathlib import Path

import pytest
import yaml

from thaw.task.task import METRICS, Kind, TaskConfig

FILES = sorted((Path(__file__).parents[2] / "conf" / "task").glob("*.yaml"))
GLUE = {"cola", "sst2", "mrpc", "stsb", "qqp", "mnli", "qnli", "rte", "wnli"}
OTHERS = {"squad", "trec", "sst5", "ag_news", "imdb", "banking77", "conll2003", "wnut17", "ud_ewt"}


def test_the_catalogue_is_complete():
    assert {path.stem for path in FILES} >= GLUE | OTHERS | {"files", "topics", "bbc_news"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_entry_is_a_task_with_a_source(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 25
    assert text.startswith("# ")
    fields = yaml.safe_load(text)
    assert fields.pop("defaults") == ["_schema", "_self_"]
    assert set(fields) <= {field.name for field in dataclasses.fields(TaskConfig)}
    assert fields["name"] == path.stem
    if path.stem == "files":
        return
    task = TaskConfig(**{**fields, "kind": Kind[fields["kind"]]})
    assert task.metric in METRICS[task.kind]
    assert (task.hub is None) != (task.package is None)
