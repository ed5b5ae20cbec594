"""Pretrainings in a report: masked bits are not compared across tokenizers, bits of whole words are."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from thaw.report.collect import Study, read
from thaw.report.page.folder import write
from thaw.report.pretrainings import measure_name, pretraining_notes
from thaw.report.summary import summary
from thaw.report.tables.pretrainings import pretraining_tables

Make = Callable[..., Path]


@pytest.fixture
def pretraining(tmp_path: Path, make_run: Make) -> Callable[..., Path]:
    """The function that writes a finished pretraining by a tokenizer, scored on a text."""

    def make(run_id: str, tokenizer: str, text: str | None, lost: int = 0, **columns: Any) -> Path:
        scored = {"dev/word_bits_per_byte": 2.5, "dev/word_bits_error": 0.0625, "dev/word_count_bits": 0.25}
        events = [
            {"step": step, "seconds": 1.0 * step, "tokens": step * 10, "dev/bits_per_byte": 2.0, "dev/loss": 3.0}
            for step in (1, 2)
        ]
        events[-1] |= scored if text else {}
        given = {"kind": "pretrain", "task": None, "strategy": None, "train_size": None, "metric": "bits_per_byte"}
        given |= {"dev": 2.0, "word_bits_per_byte": 2.5 if text else None, "encoder": "mini", "tokens": 20}
        made = {"tokenizer__kind": "unigram", "tokenizer__vocab_size": 400}
        folder = make_run(tmp_path / "runs", run_id=run_id, events=events, **given, **made, **columns)
        about = {"sha256": text * 64, "words": 100, "lost_words": lost} if text else None
        (folder / "lineage.json").write_text(json.dumps({"tokenizer": tokenizer * 64, "passages": about}))
        return folder

    return make


def terminal(study: Study) -> str:
    console = Console(width=300, highlight=False, file=io.StringIO())
    with console.capture() as shown:
        console.print(summary(study))
    return shown.get()


def test_one_tokenizer_needs_no_note(pretraining: Make, tmp_path: Path) -> None:
    pretraining("p1", "a", "e")
    pretraining("p2", "a", "e", seed=2)
    assert pretraining_notes(read(tmp_path / "runs")) == []


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ("ee", "word_bits_per_byte does, up to the bits that the number of masks may give away."),
        ("ef", "nor does word_bits_per_byte: it was taken of 2 different texts."),
        (["e", None], "word_bits_per_byte does, which 1 of the runs have not."),
        ([None, None], "word_bits_per_byte would, which these runs have not."),
    ],
)
def test_several_tokenizers_are_told(texts: Any, words: str, pretraining: Make, tmp_path: Path) -> None:
    for number, text in enumerate(texts):
        pretraining(f"p{number}", "ab"[number], text)
    study = read(tmp_path / "runs")
    (note,) = pretraining_notes(study)
    assert note.startswith("2 pretrainings have 2 tokenizers: their bits_per_byte do not compare across them")
    assert note.endswith(words)
    assert note in terminal(study)
    page = write(study, tmp_path / "out", pictures=False)
    assert note in page.read_text("utf-8")
    assert note in json.loads((page.parent / "report.json").read_text("utf-8"))["notes"]


def test_a_tokenizer_that_drops_characters_is_told(pretraining: Make, tmp_path: Path) -> None:
    pretraining("p1", "a", "e")
    pretraining("p2", "b", "e", lost=17)
    _, note = pretraining_notes(read(tmp_path / "runs"))
    assert "tokenizer unigram 400 bbbbbbbb drops characters (capitals, unknown ones) of 17 of 100 words" in note


def test_both_measures_are_called_what_they_are(pretraining: Make, tmp_path: Path) -> None:
    pretraining("p1", "a", "e")
    study = read(tmp_path / "runs")
    masked, words = (
        "masked bits per normalised byte (one tokenizer)",
        "bits per raw byte of whole words (any tokenizer)",
    )
    assert (measure_name("bits_per_byte"), measure_name("dev/word_bits_per_byte")) == (masked, words)
    assert f"pretrained p1: {masked} 2.000, {words} 2.500, finished" in terminal(study)
    (table,) = pretraining_tables(study)
    assert table.rows == (("p1", "mini", "unigram 400 aaaaaaaa", "20", "2.000", "2.500", "0.062", "0.250", "eeeeeeee"),)
    page = write(study, tmp_path / "out", pictures=False)
    for file in ("index.html", "summary.md", "tables/pretrainings.tex"):
        text = (page.parent / file).read_text("utf-8")
        assert masked in text, file
        assert words in text, file


def test_run_folders_without_the_measure_stay_readable(pretraining: Make, tmp_path: Path) -> None:
    folder = pretraining("p1", "a", None)
    row = json.loads((folder / "result.json").read_text())
    del row["word_bits_per_byte"]
    (folder / "result.json").write_text(json.dumps(row))
    (folder / "lineage.json").write_text(json.dumps({"tokenizer": "a" * 64, "passages": ["no mapping"]}))
    study = read(tmp_path / "runs")
    assert not study.unreadable
    assert pretraining_tables(study)[0].rows[0][4:] == ("2.000", "–", "–", "–", "–")
    assert "whole words" not in terminal(study)
