"""A small encoder and its folder, weights that show mistakes, and a padded batch of pairs."""

import json

import pytest
import torch
from safetensors.torch import save_file

from thaw.encoder.bert_config import to_bert_config
from thaw.encoder.config import EncoderConfig
from thaw.encoder.model import Encoder
from thaw.encoder.names import to_bert

VOCAB = 60


@pytest.fixture
def small():
    """Config of a small encoder, with changes."""

    def make(**changes) -> EncoderConfig:
        sizes = {"layers": 2, "hidden": 32, "heads": 4, "intermediate": 48, "max_positions": 24, **changes}
        return EncoderConfig(name="test", **sizes)

    return make


@pytest.fixture
def spread():
    """Give a module's weights values large enough that a mistake shows, norms included."""

    def change(module: torch.nn.Module) -> None:
        generator = torch.Generator().manual_seed(7)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(torch.empty(parameter.shape).normal_(0, 0.2, generator=generator))

    return change


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, valid and segments, each (3, 20): lengths 20, 11 and 3."""
    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(5, VOCAB, (3, 20), generator=generator)
    valid = torch.arange(20)[None] < torch.tensor([20, 11, 3])[:, None]
    segments = (torch.arange(20)[None] >= torch.tensor([9, 6, 2])[:, None]).long() * valid
    return ids * valid, valid, segments


@pytest.fixture
def bert_folder(tmp_path, small, spread):
    """A BERT-family folder as others write it: config.json, model.safetensors, vocab.txt."""
    encoder = Encoder(small(), VOCAB)
    spread(encoder)
    folder = tmp_path / "bert"
    folder.mkdir()
    letters = [chr(97 + number) for number in range(26)]
    pieces = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *letters,
        *(f"##{letter}" for letter in letters),
        ".",
        "?",
        ",",
    ]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    config = to_bert_config(small(), VOCAB, 0, "BertModel")
    del config["thaw"]
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    save_file(to_bert(encoder.state_dict()), folder / "model.safetensors", metadata={"format": "pt"})
    return folder
