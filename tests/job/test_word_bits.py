"""Bits per raw byte of whole words: measured after the last step, on the same raw text for every tokenizer."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from language import pretraining

from thaw import run
from thaw.encoder import checkpoint
from thaw.job import blocks
from thaw.job.identity import corpus_content, tokens_key
from thaw.job.passages import passages
from thaw.text.corpus import CorpusConfig
from thaw.text.tokenizer import TokenizerConfig
from thaw.track.folder import RunFolder
from thaw.train.likelihood import WordLikelihood
from thaw.train.pretrain import PretrainModule

KEY = "dev/word_bits_per_byte"


def test_it_is_measured_once_after_the_last_step(pretrained: dict[str, Any]) -> None:
    folder = pretrained["folder"]
    measured = [event for event in RunFolder(folder).events() if KEY in event]
    assert [event["step"] for event in measured] == [60]
    assert pretrained["word_bits_per_byte"] == measured[0][KEY] > 0
    final = json.loads((folder / "checkpoint/lineage.json").read_text())
    assert final["held_out"] == {"step": 60} | {key: measured[0][key] for key in measured[0] if key[:4] == "dev/"}
    assert json.loads((folder / "checkpoints/5k/lineage.json").read_text())["held_out"] is None  # not scored there
    card = (folder / "checkpoint/README.md").read_text()
    assert f"{measured[0][KEY]:.3f} bits per raw byte of whole words" in card
    assert f"{measured[0]['dev/bits_per_byte']:.3f} masked bits per normalised byte" in card
    assert final["passages"]["sha256"] in card
    assert "bits per" not in (folder / "checkpoints/5k/README.md").read_text()


def test_the_saved_encoder_has_the_score(pretrained: dict[str, Any], corpus_file: Path, home: Path) -> None:
    config = pretraining(corpus_file, home)
    found = checkpoint.load(pretrained["folder"] / "checkpoint")
    sha = corpus_content(config)
    _, validation = blocks.blocks(config, found.tokenizer, sha)
    text = passages(config, found.tokenizer, sha, validation.source.blocks)
    assert text is not None
    encoder = found.encoder(dropout=0.0)
    module = module_of(encoder, found, config)
    assert WordLikelihood(text, found.tokenizer, 32)(module)[KEY] == pytest.approx(
        pretrained["word_bits_per_byte"], rel=1e-6
    )


def module_of(encoder: Any, found: checkpoint.Checkpoint, config: Any) -> PretrainModule:
    from thaw.objective.mlm import MLMHead

    head = MLMHead(encoder.config, encoder.vocab_size, encoder.word_weight)
    assert found.mlm_state is not None
    head.restore(found.mlm_state)
    return PretrainModule(encoder, head, config.optim, seed=1, steps=1, epoch_steps=1)


def test_two_tokenizers_are_scored_on_the_same_held_out_text(tmp_path: Path) -> None:
    lines = [f"ﬁne Ⅷ ½ line {number} of the “tide” and the harbour number {number % 7}" for number in range(400)]
    corpus = tmp_path / "text.txt"
    corpus.write_text("\u200b\n" + "\n".join(lines) + "\n", "utf-8")  # the first line has no pieces
    found = []
    for size in (330, 350):
        config = pretraining(corpus, tmp_path, tokenizer=TokenizerConfig(vocab_size=size), budget="2")
        run.pretrain(config)
        lineage = json.loads((run.run_folder(config) / "lineage.json").read_text())
        tokenizer, sha = blocks.own_tokenizer(config), lineage["corpus"]
        train, validation = blocks.blocks(config, tokenizer, sha)
        text = passages(config, tokenizer, sha, validation.source.blocks)
        assert text is not None
        trained_on = {lines[number] for number in train.blocks.documents}
        assert set(text.texts) <= set(lines) - trained_on
        about = lineage["passages"]
        assert about["bytes"] == sum(len(one.encode()) for one in text.texts)
        assert about["lost_words"] == 0
        found.append((lineage["tokenizer"], about))
    assert found[0][0] != found[1][0]
    assert found[0][1] == found[1][1]


def test_the_passages_are_kept_and_read_again_when_damaged(corpus_file: Path, tmp_path: Path) -> None:
    config = pretraining(corpus_file, tmp_path)
    tokenizer, sha = blocks.own_tokenizer(config), corpus_content(config)
    held_out = blocks.blocks(config, tokenizer, sha)[1].source.blocks
    first = passages(config, tokenizer, sha, held_out)
    (kept,) = (tmp_path / "cache/tokens").glob("*/passages-*.json")
    lost = pretraining(tmp_path / "absent.txt", tmp_path)  # nothing is streamed again
    assert passages(lost, tokenizer, sha, held_out) == first
    whole = kept.read_text()
    for damaged in ("", "[]", "{}", whole[:-9], whole.replace("the ", "The ", 1)):
        kept.write_text(damaged)
        assert passages(config, tokenizer, sha, held_out) == first
        assert kept.read_text() == whole


def test_ids_of_another_text_are_told_and_not_scored(
    corpus_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.txt"
    other.write_text("\n".join(reversed(corpus_file.read_text().splitlines())) + "\n")
    config = pretraining(corpus_file, tmp_path, budget="2")
    tokenizer = blocks.own_tokenizer(config)
    tokenizer.save(tmp_path / "tokenizer")
    blocks.blocks(config, tokenizer, corpus_content(config))
    made = pretraining(
        other, tmp_path, budget="2", tokenizer=TokenizerConfig(name="folder", path=str(tmp_path / "tokenizer")),
        corpus=CorpusConfig(paths=[str(other)], document="line"),
    )  # fmt: skip
    (ids,) = (tmp_path / "cache/tokens").iterdir()
    shutil.copytree(ids, ids.parent / tokens_key(corpus_content(made), tokenizer.fingerprint))
    row = run.pretrain(made)
    assert row["word_bits_per_byte"] is None
    assert "are not those of the corpus' text: no word_bits_per_byte" in capsys.readouterr().err
    assert KEY not in RunFolder(run.run_folder(made)).events()[-1]
