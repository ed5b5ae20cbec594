"""`thaw tokenizer` as a job: its folder is named by what it is, and nothing else's folder is written over."""

import json
from pathlib import Path

import pytest

from thaw import run
from thaw.config import TokenizerRun
from thaw.errors import ConfigError
from thaw.text.corpus import CorpusConfig
from thaw.text.tokenizer import Tokenizer, TokenizerConfig
from thaw.train.config import CacheConfig


def config(text: Path, root: Path, out: Path | None = None, vocab_size: int = 300) -> TokenizerRun:
    return TokenizerRun(
        corpus=CorpusConfig(paths=[str(text)], document="line"),
        tokenizer=TokenizerConfig(vocab_size=vocab_size),
        out=None if out is None else str(out),
        runs=str(root / "runs"),
        cache=CacheConfig(folder=str(root / "cache")),
    )


def test_the_folder_follows_from_text_and_settings(corpus_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text(corpus_file.read_text()[:-40])
    folders = {
        run.run_folder(config(text, tmp_path, vocab_size=n)) for text in (corpus_file, other) for n in (300, 310)
    }
    assert len(folders) == 4
    row = run.tokenizer(config(corpus_file, tmp_path))
    assert Path(row["out"]) in folders
    assert Tokenizer.load(Path(row["out"])).fingerprint == row["fingerprint"]
    assert json.loads((Path(row["out"]) / "fertility.json").read_text()) == row["fertility"]


def test_a_folder_of_something_else_is_refused(corpus_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run.tokenizer(config(corpus_file, tmp_path, out))
    before = run.tokenizer(config(corpus_file, tmp_path, out))  # a second time is fine
    (out / "model.safetensors").write_text("x")
    with pytest.raises(ConfigError, match=r"holds model\.safetensors, which is not a tokenizer"):
        run.tokenizer(config(corpus_file, tmp_path, out, vocab_size=320))
    assert Tokenizer.load(out).fingerprint == before["fingerprint"]
