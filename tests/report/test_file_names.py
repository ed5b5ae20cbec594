"""Two tasks never share a file, whatever letters their names have, and no name is too long for a file."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from thaw.report.collect import read
from thaw.report.figures.plot import Plot
from thaw.report.file_names import LONGEST, file_name
from thaw.report.page import write
from thaw.report.tables.table import Table, latex
from thaw.report.wandb.figures import FOLDER

ALIKE = ["a b", "a-b", "a/b", "a_b", "A-b", "a--b", "-a-b", "ａ-b", "a\u0301", "á", "情感分类", "主题分类", ""]
ALIKE += ["é" * 300, "x" * 300, "x" * 301]


@pytest.mark.parametrize("name", ["trec", "sst2", "sst-2", "sst_2", "vital_topics"])
def test_a_usual_name_stays_as_it_is(name: str) -> None:
    assert file_name("size", name) == f"size-{name}"


def test_names_that_look_alike_have_files_of_their_own() -> None:
    names = [file_name("scores", name) for name in ALIKE]
    assert len({name.casefold() for name in names}) == len(ALIKE)
    assert all(name.isascii() and len(name) <= LONGEST for name in names)


TEXTS = st.text(max_size=80) | st.sampled_from(ALIKE)


@given(TEXTS, TEXTS)
@example("a b", "a-b-" + file_name("x", "a b").rpartition("-")[2])  # the name that another one was given
def test_other_names_are_other_files(one: str, other: str) -> None:
    if one != other:
        assert file_name("x", one).casefold() != file_name("x", other).casefold()
        assert file_name("x", "y", one) != file_name("x", "y", other)


def test_a_task_and_its_choice_do_not_run_together() -> None:
    figures: list[dict[str, Any]] = [{"task": "a-b", "choice": "c"}, {"task": "a", "choice": "b-c"}]
    names = [Plot(key="dose", title="", caption="", figure={}, **one).name for one in figures]
    assert len(set(names)) == 2


def test_labels_of_latex_are_told_apart() -> None:
    tables = [Table(name=f"scores-{name}", title="t", caption="", columns=("a",), rows=()) for name in ("情感", "主题")]
    labels = [line for one in tables for line in latex(one).splitlines() if line.startswith(r"\label")]
    assert len(set(labels)) == 2
    assert all(label.isascii() for label in labels)


@pytest.mark.parametrize("pictures", [False, True])
def test_every_task_has_its_own_tables_and_pictures(pictures: bool, tmp_path: Path, make_run: Any) -> None:
    names = ["情感分类", "主题分类", "a b", "a/b", "x" * 300]
    for place, task in enumerate(names):
        for seed in (1, 2):
            score = 0.5 + place / 10 + seed / 100
            make_run(tmp_path / "runs", run_id=f"{place}{seed}", task=task, seed=seed, dev=score, test=score)
    out = write(read(tmp_path / "runs"), tmp_path / "out", pictures=pictures).parent
    assert len(list((out / "tables").glob("scores-*.tex"))) == len(names)
    shown = [line for line in (out / "summary.md").read_text("utf-8").splitlines() if line.startswith("![")]
    files = [line.rpartition("(")[2].rstrip(")") for line in shown]
    assert len(files) == len(set(files)) == len([one for one in files if (out / one).is_file()])
    assert bool(files) == pictures
    if pictures:
        assert len([one for one in files if one.startswith(f"{FOLDER}size-")]) == len(names)
    assert len(json.loads((out / "report.json").read_text("utf-8"))["cells"]) == len(names)
