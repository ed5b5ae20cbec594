"""Pretraining end to end: it learns, records, resumes, continues; its folder loads with transformers alone."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from language import pretraining

from thaw import run
from thaw.encoder import checkpoint, counts
from thaw.encoder.counts import piece_vectors
from thaw.errors import ConfigError, DataError, DivergedError
from thaw.job import blocks
from thaw.job.identity import corpus_content
from thaw.text.ids import TokenFile
from thaw.text.tokenizer import TokenizerConfig
from thaw.track.folder import RunFolder
from thaw.train import loop
from thaw.train.config import OptimConfig, PretrainDataConfig, TrainerConfig

CLOCKS = ("seconds", "cpu_seconds")


def events(folder: Path) -> list[dict[str, Any]]:
    return [{k: v for k, v in event.items() if k not in CLOCKS} for event in RunFolder(folder).events()]


def test_it_learns_and_leaves_a_complete_run(pretrained: dict[str, Any]) -> None:
    folder = pretrained["folder"]
    scores = [event for event in events(folder) if "dev/loss" in event]
    assert scores[-1]["dev/loss"] < 0.8 * scores[0]["dev/loss"]
    assert scores[-1]["dev/accuracy"] > scores[0]["dev/accuracy"]
    assert scores[0]["dev/bits_per_byte"] > pretrained["dev"] == scores[-1]["dev/bits_per_byte"]
    assert pretrained["tokens"] == 60 * 8 * 32
    assert json.loads((folder / "status.json").read_text())["state"] == "finished"
    lineage = json.loads((folder / "checkpoint/lineage.json").read_text())
    assert lineage["run_id"] == pretrained["run_id"]
    assert lineage["steps"] == 60


def test_a_checkpoint_loads_with_transformers_alone(pretrained: dict[str, Any]) -> None:
    code = (
        "import sys, torch; from transformers import AutoModel, AutoTokenizer, AutoModelForMaskedLM\n"
        "t = AutoTokenizer.from_pretrained(sys.argv[1]); m = AutoModelForMaskedLM.from_pretrained(sys.argv[1]).eval()\n"
        "b = t(['the wave of Anna', 'a cow'], padding=True, return_tensors='pt')\n"
        "h = m(**b, output_hidden_states=True).hidden_states[-1]\n"
        "print([round(float(x), 4) for x in h[1, 0, :4]], b['input_ids'].tolist()); assert 'thaw' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(pretrained["folder"] / "checkpoint")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = checkpoint.load(pretrained["folder"] / "checkpoint")
    ids = [[2, *found.tokenizer.encode(text).tolist(), 3] for text in ("the wave of Anna", "a cow")]
    length = max(map(len, ids))
    padded = torch.tensor([row + [0] * (length - len(row)) for row in ids])
    hidden = found.encoder(dropout=0.0).eval()(padded, padded != 0)[-1].detach()
    shown = [round(float(x), 4) for x in hidden[1, 0, :4]]
    values, tokens = done.stdout.strip().split("] [[")
    assert json.loads("[[" + tokens) == padded.tolist()
    assert json.loads(values + "]") == pytest.approx(shown, abs=2e-4)


def test_intermediate_checkpoints_are_encoders(pretrained: dict[str, Any]) -> None:
    folder = pretrained["folder"] / "checkpoints"
    first, later = checkpoint.load(folder / "0"), checkpoint.load(folder / "5k")
    assert (first.lineage["tokens"], later.lineage["tokens"]) == (0, 20 * 8 * 32)
    assert not torch.equal(first.encoder().word_weight, later.encoder().word_weight)


def test_a_finished_run_is_read_back(corpus_file: Path, home: Path, pretrained: dict[str, Any]) -> None:
    before = (pretrained["folder"] / "metrics.jsonl").stat().st_mtime_ns
    row = run.pretrain(pretraining(corpus_file, home, save_at=["0", "5k"]))
    assert row["run_id"] == pretrained["run_id"]
    assert (pretrained["folder"] / "metrics.jsonl").stat().st_mtime_ns == before


@pytest.mark.parametrize("vectors", ["random", "counts"])
def test_resuming_gives_the_bits_of_an_uninterrupted_run(
    vectors: str, corpus_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pretraining(corpus_file, tmp_path / "a", budget="20", piece_vectors=vectors)
    run.pretrain(whole)
    config = pretraining(corpus_file, tmp_path / "b", budget="20", piece_vectors=vectors)
    original = loop.Loop.on_train_batch_end

    def stop_at_seven(self: Any, trainer: Any, module: Any, *rest: Any) -> None:
        self.stop.number = 15 if module.step == 7 else 0
        original(self, trainer, module, *rest)

    monkeypatch.setattr(loop.Loop, "on_train_batch_end", stop_at_seven)
    with pytest.raises(SystemExit) as stopped:
        run.pretrain(config)
    assert stopped.value.code == 143
    assert RunFolder(run.run_folder(config)).state() == "interrupted"
    monkeypatch.undo()
    run.pretrain(config)
    one, two = (run.run_folder(each) for each in (whole, config))
    assert (one / "checkpoint/model.safetensors").read_bytes() == (two / "checkpoint/model.safetensors").read_bytes()
    assert events(one) == events(two)
    assert "dev/word_bits_per_byte" in events(two)[-1]


def test_piece_vectors_start_from_counts(corpus_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[np.ndarray] = []

    def spied(file: Any, documents: np.ndarray, *rest: int) -> tuple[np.ndarray, np.ndarray]:
        asked.append(documents)
        return piece_vectors(file, documents, *rest)

    monkeypatch.setattr(counts, "piece_vectors", spied)
    config = pretraining(corpus_file, tmp_path, piece_vectors="counts", budget="2", save_at=["0"])
    run.pretrain(config)
    folder = run.run_folder(config)
    first = checkpoint.load(folder / "checkpoints/0")
    [documents] = asked
    assert len(documents) < 800  # those held out are not looked at
    file = TokenFile.open(next((tmp_path / "cache/tokens").iterdir()))
    vocab_size, width = first.encoder().word_weight.shape
    vectors, seen = piece_vectors(file, documents, vocab_size, width, config.seed)
    weight = first.encoder().word_weight.detach().numpy()
    assert np.array_equal(weight[seen], vectors[seen] * np.float32(0.02))
    assert 0.01 < weight[~seen].std() < 0.03  # random, as without counts
    assert RunFolder(folder).events()[0]["seconds"] > 0  # the counting is on the clock


def test_continuing_on_new_text_starts_from_the_weights(
    corpus_file: Path, tmp_path: Path, pretrained: dict[str, Any]
) -> None:
    config = pretraining(
        corpus_file, tmp_path, checkpoint=str(pretrained["folder"] / "checkpoint"), budget="10", name="more"
    )
    row = run.pretrain(config)
    scores = [event["dev/loss"] for event in events(run.run_folder(config)) if "dev/loss" in event]
    first = next(event["dev/loss"] for event in events(pretrained["folder"]) if "dev/loss" in event)
    assert scores[0] < 0.8 * first
    assert row["tokens"] == 10 * 8 * 32
    lineage = json.loads((run.run_folder(config) / "checkpoint/lineage.json").read_text())
    assert lineage["ancestors"] == [pretrained["run_id"]]
    assert lineage["tokens"] == pretrained["tokens"] + row["tokens"]


def test_accumulation_gives_the_loss_of_the_whole_batch(corpus_file: Path, tmp_path: Path) -> None:
    losses = []
    for accumulate in (1, 4):
        trainer = TrainerConfig(threads=1, progress=False, accumulate=accumulate)
        config = pretraining(corpus_file, tmp_path, budget="10", trainer=trainer, name=f"a{accumulate}")
        run.pretrain(config)
        losses.append([e["dev/loss"] for e in events(run.run_folder(config)) if "dev/loss" in e])
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)


def test_a_time_budget_becomes_steps_once(corpus_file: Path, tmp_path: Path) -> None:
    config = pretraining(corpus_file, tmp_path, budget="2s")
    row = run.pretrain(config)
    kept = json.loads((run.run_folder(config) / "steps.json").read_text())
    assert row["steps"] == kept["steps"] >= 20


def test_muon_learns_as_well(corpus_file: Path, tmp_path: Path, pretrained: dict[str, Any]) -> None:
    row = run.pretrain(pretraining(corpus_file, tmp_path, optim=OptimConfig(name="muon", lr=3e-3), name="muon"))
    assert row["dev"] < pretrained["dev"] * 1.1


def test_checkpoints_due_at_one_step_are_all_kept_and_missed_ones_told(
    corpus_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = pretraining(corpus_file, tmp_path, budget="2", save_at=["1", "200", "1M"])
    run.pretrain(config)
    kept = sorted(path.name for path in (run.run_folder(config) / "checkpoints").iterdir())
    assert kept == ["1", "200"]
    assert "note: save_at=1M is not reached, budget=2 ends at 512 tokens" in capsys.readouterr().err


def test_tokens_are_those_that_are_no_padding(corpus_file: Path, tmp_path: Path) -> None:
    data = PretrainDataConfig(length=32, batch_size=8, max_held_out=3000, packing="documents")
    config = pretraining(corpus_file, tmp_path, data=data, budget="5k tokens")
    row = run.pretrain(config)
    assert row["tokens"] == events(run.run_folder(config))[-1]["tokens"]
    assert row["tokens"] == pytest.approx(5000, rel=0.1)
    assert row["tokens"] < row["steps"] * 8 * 32


def test_what_was_read_is_in_the_lineage(pretrained: dict[str, Any]) -> None:
    read = json.loads((pretrained["folder"] / "lineage.json").read_text())["read"]
    assert (read["documents"], read["excluded"], read["cut"], read["empty"]) == (800, 0, 0, 0)


def test_held_out_documents_do_not_depend_on_the_tokenizer(corpus_file: Path, tmp_path: Path) -> None:
    held = []
    for size in (300, 325):
        config = pretraining(corpus_file, tmp_path, tokenizer=TokenizerConfig(vocab_size=size))
        made = blocks.own_tokenizer(config)
        _, validation = blocks.blocks(config, made, corpus_content(config))
        held.append((validation.source.blocks.documents.tolist(), validation.text_bytes))
    assert held[0] == held[1]


def test_devices_that_are_not_here_are_refused_first(corpus_file: Path, tmp_path: Path) -> None:
    config = pretraining(corpus_file, tmp_path, trainer=TrainerConfig(accelerator="tpu", devices=8))
    with pytest.raises(ConfigError, match=r"trainer\.accelerator=tpu trainer\.devices=8: none found"):
        run.pretrain(config)
    assert not (tmp_path / "cache").exists()


def test_divergence_stops_the_run(corpus_file: Path, tmp_path: Path) -> None:
    config = pretraining(corpus_file, tmp_path, optim=OptimConfig(lr=1e30, warmup=0.0), name="nan")
    with pytest.raises(DivergedError, match=r"at step \d+ \(blocks \d+, .*\), lower optim.lr"):
        run.pretrain(config)
    status = json.loads((run.run_folder(config) / "status.json").read_text())
    assert status["state"] == "failed"
    assert "lower optim.lr" in status["error"]


def test_too_little_text_is_refused(corpus_file: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one batch needs 4000"):
        run.pretrain(pretraining(corpus_file, tmp_path, data=PretrainDataConfig(length=32, batch_size=4000)))
    one = tmp_path / "one.txt"
    one.write_text(corpus_file.read_text())  # no blank line: one document
    from thaw.text.corpus import CorpusConfig

    with pytest.raises(DataError, match="1 document, 2 are the least"):
        run.pretrain(pretraining(corpus_file, tmp_path, corpus=CorpusConfig(paths=[str(one)])))
