"""Tables, the summary, the data frame."""

import re
from pathlib import Path

import pytest

from thaw.report import load
from thaw.report.collect import read
from thaw.report.page import write
from thaw.report.tables.table import Table, latex, latex_text, markdown


@pytest.fixture(scope="module")
def written(study_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(read(study_folder), tmp_path_factory.mktemp("tables"), title="T", pictures=False).parent


def test_summary_has_verdicts_notes_and_tables(written: Path) -> None:
    text = (written / "summary.md").read_text("utf-8")
    assert "Does transfer save training time? supported." in text
    assert "## Before you read on" in text
    assert "| full" in text
    assert "<script>" not in text
    assert "Cost ledger" in text


def test_doses_stand_in_a_table_by_tokens_and_train_size(written: Path) -> None:
    text = (written / "summary.md").read_text("utf-8")
    (head,) = [line for line in text.splitlines() if line.endswith("tokens | Spearman |")]
    amounts = head.split(" | ")[1:-1]
    rows = text[text.index(head) :].partition("\n\n")[0].splitlines()[2:]
    assert len(amounts) == 2
    assert rows
    assert all(len(row.split(" | ")) == 4 and " labels |" in row for row in rows)


def test_latex_tables_balance_and_escape(written: Path) -> None:
    names = {path.name for path in (written / "tables").iterdir()}
    assert {"scores-topics.tex", "differences-topics.tex", "exchange-topics.tex", "costs.tex"} <= names
    for path in (written / "tables").iterdir():
        text = path.read_text("utf-8")
        assert text.count("{") - text.count("\\{") == text.count("}") - text.count("\\}")
        assert text.count("\\begin{") == text.count("\\end{")
        columns = text.split("\\begin{tabular}{")[1].split("}")[0]
        rows = [line for line in text.splitlines() if line.endswith("\\\\")]
        assert all(line.count(" & ") == len(columns) - 1 for line in rows)


def test_names_are_text_in_every_format() -> None:
    name = "a_b & c% <i> \\x | $5 {1}"
    table = Table(name="t/1", title=name, caption="", columns=("strategy", "50"), rows=((name, "1"),))
    assert re.fullmatch(r"t-1-[0-9a-f]{8}", table.file_name)
    assert latex_text(name) == r"a\_b \& c\% \textless{}i\textgreater{} \textbackslash{}x \textbar{} \$5 \{1\}"
    assert r"a\_b \& c\%" in latex(table)
    row = markdown(table).splitlines()[4]
    assert row.replace("\\|", "").count("|") == 3
    assert "<i>" not in row


@pytest.mark.parametrize("first", ["[2pt] name", "*", " [x]"])
def test_a_row_that_begins_like_an_argument_of_latex_is_none(first: str) -> None:
    rows = (("plain", "1"), (first, "2"))
    text = latex(Table(name="t", title="t", caption="", columns=("strategy", "50"), rows=rows))
    assert text.count("\n{}") == 1
    assert "\n[" not in text


def test_load_gives_a_line_a_run(study_folder: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = load(study_folder)
    study = read(study_folder)
    assert isinstance(frame, pandas.DataFrame)
    assert len(frame) == len(study.runs)
    assert {"task", "strategy", "test", "state", "arm", "config.optim.lr"} <= set(frame.columns)
    mean = frame[(frame.task == "trec") & (frame.train_size == 50)].groupby("arm").test.mean()
    assert mean["scratch"] < mean.max()
    assert frame.state.value_counts()["failed"] == 1
