"""Text of a made-up language, and one tokenizer of each kind trained on it."""

from pathlib import Path

import pytest
from made_up_text import made_up

from thaw.text import tokenizer as tokenizers
from thaw.text.tokenizer import Tokenizer, TokenizerConfig


@pytest.fixture(scope="session")
def texts() -> list[str]:
    return made_up(200)


@pytest.fixture(scope="session", params=["unigram", "bpe"])
def tokenizer(request: pytest.FixtureRequest, texts: list[str]) -> Tokenizer:
    return tokenizers.train(texts, TokenizerConfig(kind=request.param, vocab_size=600))


@pytest.fixture(scope="session")
def saved(tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save(folder)
    return folder


@pytest.fixture(scope="session")
def unigram(texts: list[str]) -> Tokenizer:
    return tokenizers.train(texts, TokenizerConfig(kind="unigram", vocab_size=600))


@pytest.fixture
def word_piece(tmp_path: Path) -> Path:
    """A BERT folder with vocab.txt alone."""
    pieces = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "un",
        "##aff",
        "##able",
        "runn",
        "##ing",
        ",",
        "mask",
        "[",
        "]",
    ]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces) + "\n", "utf-8")
    return tmp_path
