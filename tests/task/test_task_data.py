"""The catalogue's tasks read from real files (marker data)."""

from pathlib import Path

import pytest
import yaml

from thaw.task.batches import collate, eval_batches
from thaw.task.encode import encode
from thaw.task.metrics import Metrics
from thaw.task.read import read
from thaw.task.subset import choose
from thaw.task.task import DataConfig, Kind, TaskConfig

CATALOGUE = Path(__file__).parents[2] / "conf" / "task"
FOLDERS = {
    "trec": ("trec", 6),
    "sst2": ("sst2", 2),
    "sst5": ("sst5", 5),
    "banking77": ("banking77", 77),
    "snips": ("snips", 7),
    "imdb": ("imdb_small", 2),
    "cola": ("cola", 2),
    "mrpc": ("mrpc", 2),
    "rte": ("rte", 2),
    "stsb": ("stsb", None),
    "conll2003": ("conll2003_ner", 9),
    "wnut17": ("wnut17_ner", 13),
    "ud_ewt": ("ud_ewt_pos", 17),
    "squad": ("squad_small", None),
}


def catalogue(name, path):
    fields = yaml.safe_load((CATALOGUE / f"{name}.yaml").read_text())
    del fields["defaults"]
    return TaskConfig(**{**fields, "kind": Kind[fields["kind"]], "path": str(path)})


@pytest.mark.data
@pytest.mark.parametrize("name", FOLDERS)
def test_real_files_are_read_encoded_and_scored(shared_data, tokenizer, name):
    folder, labels = FOLDERS[name]
    task = catalogue(name, shared_data / folder)
    splits = read(task, DataConfig())
    assert (None if splits.labels is None else len(splits.labels)) == labels
    train, dev = choose(splits, DataConfig(train_size="200"), task.kind, 1)
    assert len(train) == len(dev) == 200
    examples = [splits.train[index] for index in train]
    encoded = encode(examples, task, tokenizer, splits.labels)
    assert max(encoded.lengths) <= task.max_length
    assert sum(len(batch.index) for batch in eval_batches(encoded)) == len(encoded)
    assert collate(encoded, [0, 1]).labels is not None
    truth = [{"prediction": e.answers[0][0] if e.answers else e.target} for e in examples]
    metrics = Metrics(task, splits.labels)
    metrics.update(examples, truth)
    assert metrics.compute()[task.metric] == pytest.approx(1.0)


@pytest.mark.data
def test_every_answer_of_squad_is_cut_out_of_its_window(shared_data, tokenizer):
    task = catalogue("squad", shared_data / "squad_small")
    examples = read(task, DataConfig()).dev
    encoded = encode(examples, task, tokenizer, None)
    right = set()
    for item in encoded.items:
        answer = examples[item.example].answers[0][0]
        start, end = item.label
        if start:
            cut = examples[item.example].context[item.offsets[start, 0] : item.offsets[end, 1]]
            assert answer in cut
            right.add(item.example)
    assert len(right) > 0.99 * len(examples)
