import csv
import json
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

from thaw.cli import report, runs
from thaw.errors import ConfigError, StorageError
from thaw.report.collect import read
from thaw.report.figures.curves import curves
from thaw.report.page import write


@pytest.fixture(scope="module")
def written(study_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(
        read(study_folder), tmp_path_factory.mktemp("report"), question="Is <b>this</b> escaped?", pictures=False
    )


class Elements(HTMLParser):
    """Collects the start tags and the addresses they name."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_every_name_is_escaped_and_nothing_is_fetched(written: Path) -> None:
    page = written.read_text("utf-8")
    elements = Elements()
    elements.feed(page)
    assert elements.tags.count("script") == 3  # data, plotly, page.js: none of the runs' own
    assert "b" not in elements.tags
    assert set(elements.addresses) == {"data:,", "#runs"}
    assert page.count("plotly.js v") == 1
    assert len(page) < 6_000_000


def test_data_beside_the_page(written: Path, study_folder: Path) -> None:
    study = read(study_folder)
    data = json.loads((written.parent / "report.json").read_text("utf-8"))
    assert len(data["runs"]) == len(study.runs)
    assert len(data["unreadable"]) == 1
    assert [one["claim"] for one in data["verdicts"]] == ["time", "accuracy", "labels"]
    assert data["verdicts"][0]["word"] == "supported"
    assert data["exchange"][0]["labels"] == 50
    assert {one["stage"] for one in data["costs"]} == {"pretrain", "tune", "train", "evaluate"}
    cell = next(
        one for one in data["cells"] if (one["task"], one["strategy"], one["train_size"]) == ("topics", "full", 50)
    )
    assert cell["test"]["n"] == 3
    assert cell["trials"] >= 3
    assert cell["difference"]["low"] > 0
    with open(written.parent / "runs.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(study.runs)
    assert {line["state"] for line in lines} == {"finished", "failed", "interrupted"}


def test_the_page_is_the_same_when_written_again(written: Path, study_folder: Path, tmp_path: Path) -> None:
    again = write(read(study_folder), tmp_path, question="Is <b>this</b> escaped?", pictures=False)
    assert again.read_bytes() == written.read_bytes()


def test_data_in_the_page_is_strict_json(written: Path) -> None:
    pattern = r'<script type="application/json" id="data">(.*?)</script>'
    match = re.search(pattern, written.read_text("utf-8"), re.DOTALL)
    assert match is not None
    data = json.loads(match[1], parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert set(data["metric"]) == {"topics", "trec"}
    assert len({arm["colour"] for arm in data["arms"] if arm["shown"]}) == sum(arm["shown"] for arm in data["arms"])


def test_curves_are_thinned_and_keep_their_ends(study_folder: Path) -> None:
    run = max(read(study_folder).runs, key=lambda run: len(run.events))
    (made,) = curves([run], budget=60)
    points = made["metrics"]["train/loss"]
    assert len(points["y"]) <= 30
    assert [made["step"][points["at"][i]] for i in (0, -1)] == [run.events[0]["step"], run.events[-1]["step"]]


def test_command_lines(study_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report.main([str(study_folder), "--out", str(tmp_path / "out"), "--title", "T", "--no-pictures"]) == 0
    assert "1 unreadable left out" in capsys.readouterr().out
    assert runs.main([str(study_folder), "--state", "failed"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("failed") >= 2
    assert "loss is not finite" in shown
    assert runs.main([str(study_folder), "--summary"]) == 0
    shown = capsys.readouterr().out
    assert "gradual_unfreeze" in shown
    assert "chosen on dev of 3" in shown
    with pytest.raises(ConfigError, match="no such folder"):
        report.main([str(tmp_path / "absent")])
    with pytest.raises(ConfigError, match="unrecognized arguments"):
        runs.main(["--nonsense"])
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        report.main([str(study_folder), "--out", str(tmp_path / "file"), "--no-pictures"])


def test_only_pretraining_runs(tmp_path: Path, make_run) -> None:  # type: ignore[no-untyped-def]
    events = [{"step": step, "seconds": 1.0 * step, "tokens": step, "dev/bits_per_byte": 2.0} for step in (1, 2)]
    make_run(tmp_path / "runs", run_id="p", kind="pretrain", task=None, strategy=None, events=events)
    page = write(read(tmp_path / "runs"), tmp_path / "out").read_text("utf-8")
    assert "Saves training time" not in page
    assert 'id="plot-pretrains"' in page
    assert 'id="plot-size"' not in page


def test_help_is_quick_and_without_torch() -> None:
    for command in ("report", "runs"):
        code = f"import sys; from thaw.cli import {command}\ntry: {command}.main(['--help'])\nexcept SystemExit: pass\n"
        code += "assert not {'torch', 'plotly', 'scipy', 'hydra'} & set(sys.modules)"
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        assert time.perf_counter() - started < 3  # 0.1 s alone; room for a busy machine


def test_report_imports_no_torch(tmp_path: Path, make_run) -> None:  # type: ignore[no-untyped-def]
    study_folder = tmp_path / "runs"
    for strategy in ("scratch", "full"):
        for seed in (1, 2):
            made = {"strategy": strategy, "seed": seed, "dev": 0.5, "test": 0.5}
            make_run(study_folder, run_id=f"{strategy}{seed}", **made)
    code = "import sys; from thaw.cli import report; report.main(sys.argv[1:])\nassert 'torch' not in sys.modules"
    command = [sys.executable, "-c", code, str(study_folder), "--out", str(tmp_path / "out")]
    subprocess.run(command, check=True, capture_output=True)
