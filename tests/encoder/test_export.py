"""An exported model gives transformers' classes the numbers our head gives."""

import pytest
import torch

from thaw.cli import export as command
from thaw.encoder import checkpoint as checkpoints
from thaw.encoder import hub
from thaw.encoder.export import export
from thaw.errors import ConfigError
from thaw.task.head_config import HeadConfig
from thaw.task.heads import build_head
from thaw.task.task import Kind

transformers = pytest.importorskip("transformers")


@pytest.fixture
def transferred(bert_folder, tmp_path, spread):
    """Write a checkpoint with the head of a kind; return its folder and a function from a batch to its logits."""

    def make(kind: str, labels: list[str] | None = None, **settings):
        read = hub.read(bert_folder)
        config = HeadConfig(pooling="cls")
        head = build_head(Kind[kind], len(labels or []), 32, 2, config).eval()
        spread(head)
        if kind == "score":
            head.set_scale(2.5, 1.5)
        encoder = read.encoder().eval()
        read.head_state = head.state_dict()
        named = {"kind": kind, "model": config.model, "layers": config.layers, "pooling": config.pooling}
        read.head_config = {**named, "labels": labels, **settings}
        folder = tmp_path / f"transferred_{kind}"
        checkpoints.write(folder, read, "")
        return folder, lambda ids, valid, segments: head(encoder(ids, valid, segments), valid)

    return make


def run(name: str, folder, batch):
    """Load the folder by transformers' class, nothing missing and nothing left over, and run it."""
    model, told = getattr(transformers, name).from_pretrained(folder, output_loading_info=True)
    assert not any(told.values()), told
    ids, valid, segments = batch
    return model.config, model.eval()(ids, attention_mask=valid.long(), token_type_ids=segments)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["classes", "score"])
def test_one_output_a_text(transferred, batch, tmp_path, kind, capsys):
    folder, ours = transferred(kind, ["b", "a", "c"])
    assert command.main([str(folder), str(tmp_path / "out")]) == 0
    assert "BertForSequenceClassification" in capsys.readouterr().out
    config, theirs = run("AutoModelForSequenceClassification", tmp_path / "out", batch)
    logits = theirs.logits if kind == "classes" else theirs.logits.squeeze(-1)
    torch.testing.assert_close(logits, ours(*batch), atol=1e-5, rtol=1e-5)
    assert config.id2label == ({0: "b", 1: "a", 2: "c"} if kind == "classes" else {0: "score"})


@torch.no_grad()
def test_tags(transferred, batch, tmp_path):
    folder, ours = transferred("tags", ["O", "B-X", "I-X", "B-Y", "I-Y"])
    assert export(folder, tmp_path / "out") == "BertForTokenClassification"
    config, theirs = run("AutoModelForTokenClassification", tmp_path / "out", batch)
    valid = batch[1]
    torch.testing.assert_close(theirs.logits[valid], ours(*batch)[valid], atol=1e-5, rtol=1e-5)
    assert config.id2label[3] == "B-Y"


@torch.no_grad()
def test_spans(transferred, batch, tmp_path):
    folder, ours = transferred("span")
    assert export(folder, tmp_path / "out") == "BertForQuestionAnswering"
    _, theirs = run("AutoModelForQuestionAnswering", tmp_path / "out", batch)
    both = torch.stack([theirs.start_logits, theirs.end_logits], -1)
    valid = batch[1]
    torch.testing.assert_close(both[valid], ours(*batch)[valid], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pooling": "mean"}, "pooling=mean.*only knows pooling=cls"),
        ({"model": "mlp"}, "model=mlp"),
        ({"layers": "scalar_mix"}, "layers=scalar_mix"),
        ({"kind": "words"}, "'words' can not be exported"),
    ],
)
def test_a_head_without_a_place_in_bert_is_refused(transferred, tmp_path, settings, message):
    folder, _ = transferred("classes", ["a", "b"])
    read = checkpoints.load(folder)
    read.head_config |= settings
    checkpoints.write(folder, read, "")
    with pytest.raises(ConfigError, match=message):
        export(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_to_export_and_nothing_to_overwrite(transferred, bert_folder, tmp_path):
    hub.import_folder(bert_folder, tmp_path / "plain")
    with pytest.raises(ConfigError, match="no task head"):
        export(tmp_path / "plain", tmp_path / "out")
    folder, _ = transferred("tags", ["O", "X"])
    with pytest.raises(ConfigError, match="not an empty folder"):
        export(folder, tmp_path / "plain")
