"""A test text that the encoder was pretrained on is counted, by a run and on the page."""

import json
from pathlib import Path
from typing import Any

from language import transfer, write_task

from thaw import run
from thaw.report.cells import cells
from thaw.report.collect import read
from thaw.report.notes import notes
from thaw.task.task import Kind


def test_test_texts_in_the_pretraining_text_are_counted(
    tmp_path: Path, home: Path, corpus_file: Path, pretrained: dict[str, Any]
) -> None:
    task = write_task(tmp_path / "task", Kind.classes)
    seen = [{"text": line, "label": "sea"} for line in corpus_file.read_text().splitlines()[5:8]]
    with (task / "test.jsonl").open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in seen)
    config = transfer(
        Kind.classes, task, pretrained["folder"] / "checkpoint", home, "full", name="seen", steps=2, eval_every=2
    )
    run.transfer(config)
    counts = json.loads((run.run_folder(config) / "lineage.json").read_text())["contamination"]
    assert counts["found"] == 3
    study = read(run.run_folder(config).parent)
    line = "classes: 3 test texts of "
    assert any(note.startswith(line) for note in notes(study, cells(study)))


def test_without_the_ids_of_the_corpus_it_is_said_that_nothing_was_searched(
    tmp_path: Path, tasks: dict[Kind, Path], pretrained: dict[str, Any]
) -> None:
    config = transfer(
        Kind.classes,
        tasks[Kind.classes],
        pretrained["folder"] / "checkpoint",
        tmp_path,
        "frozen",
        steps=2,
        eval_every=2,
    )
    run.transfer(config)
    assert json.loads((run.run_folder(config) / "lineage.json").read_text())["contamination"] is None
    study = read(run.run_folder(config).parent)
    assert any("were not searched in the pretraining text" in note for note in notes(study, cells(study)))
