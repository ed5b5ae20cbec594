"""Linear heads on the last layer compute what transformers' BertFor... classes compute with the same weights."""

import pytest
import torch
from task_files import make_task

from thaw.task.batches import collate
from thaw.task.encode import encode
from thaw.task.example import Example
from thaw.task.head_config import HeadConfig
from thaw.task.heads import build_head
from thaw.task.task import Kind

transformers = pytest.importorskip("transformers")

SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 60}


@pytest.fixture
def batch(tokenizer):
    examples = [Example(tokens=["abcd"] * n, tags=["x"] * n) for n in (1, 3, 5)]
    return collate(encode(examples, make_task("tags"), tokenizer, ["x"]), [0, 1, 2])


def outputs(model, batch):
    with torch.no_grad():
        found = model(batch.ids, batch.valid.long(), batch.segments, output_hidden_states=True)
    return found, list(found.hidden_states)


@pytest.mark.parametrize("kind", ["classes", "score"])
def test_classes_and_score(batch, kind):
    torch.manual_seed(0)
    labels = 1 if kind == "score" else 4
    model = transformers.BertForSequenceClassification(transformers.BertConfig(**SIZES, num_labels=labels)).eval()
    config = HeadConfig(pooling="cls")
    assert config.exportable()
    head = build_head(Kind[kind], labels, 16, 2, config).eval()
    head.pooler.load_state_dict(model.bert.pooler.dense.state_dict())
    head.output.load_state_dict(model.classifier.state_dict())
    found, states = outputs(model, batch)
    expected = found.logits.squeeze(-1) if kind == "score" else found.logits
    torch.testing.assert_close(head(states, batch.valid), expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", ["tags", "span"])
def test_tags_and_span(batch, kind):
    torch.manual_seed(0)
    config = transformers.BertConfig(**SIZES, num_labels=5)
    head = build_head(Kind[kind], 5, 16, 2, HeadConfig()).eval()
    if kind == "tags":
        model = transformers.BertForTokenClassification(config).eval()
        head.output.load_state_dict(model.classifier.state_dict())
        found, states = outputs(model, batch)
        expected = found.logits
    else:
        config.num_labels = 2
        model = transformers.BertForQuestionAnswering(config).eval()
        head.output.load_state_dict(model.qa_outputs.state_dict())
        found, states = outputs(model, batch)
        expected = torch.stack([found.start_logits, found.end_logits], -1)
    torch.testing.assert_close(head(states, batch.valid), expected, atol=1e-6, rtol=1e-5)
