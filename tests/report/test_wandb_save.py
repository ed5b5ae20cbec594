"""Workspace and report in W&B: saved on a real server on the loopback interface, or written where there is none."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mirrored import Make, mirror, write_small_study

from loopback_api import LoopbackApi
from thaw.cli.main import main
from thaw.report.collect import read
from thaw.report.page.content import gather
from thaw.report.wandb.figures import chart
from thaw.report.wandb.save import publish
from thaw.report.wandb.target import target
from thaw.report.wandb.workspace import plain_name

pytest.importorskip("wandb_workspaces")


def _report(folder: Path, out: Path, *words: str) -> int:
    return main(["report", str(folder), "--out", str(out), "--wandb", "--no-pictures", *words])


def _publish(folder: Path, out: Path, title: str | None = None) -> bool:
    """Do what ``--wandb`` does after the page is written."""
    study = read(folder)
    return publish(study, target(study), out, title=title)


def _values(content: Any, key: str) -> Iterator[Any]:
    """Give all values of a key, anywhere in nested content."""
    if isinstance(content, dict):
        if key in content:
            yield content[key]
        for value in content.values():
            yield from _values(value, key)
    elif isinstance(content, list):
        for value in content:
            yield from _values(value, key)


def _place(request: bytes) -> str:
    """Return where an uploaded file lies in its run: ``PUT /upload/RUN/PLACE``."""
    return request.split(b" ", 1)[0].decode().split("/", 3)[3]


def _grids(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [block["metadata"] for block in spec["blocks"] if block["type"] == "panel-grid"]


def test_saved_where_the_runs_are(
    wandb_server: LoopbackApi, tmp_path: Path, make_run: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = write_small_study(tmp_path / "runs" / "my_study", make_run)
    for folder in folders:
        mirror(folder, error=RuntimeError("no space") if "bad" in folder.name else None)
    out = tmp_path / "out"
    assert _report(tmp_path / "runs", out) == 0
    told = capsys.readouterr()
    assert told.err == ""
    page, line = told.out.splitlines()
    assert page.startswith(f"{out}/index.html")
    assert line.startswith(f"W&B: report {wandb_server.url}/loopback/thaw/reports/my_study--view2  workspace ")
    (drawn,) = [name for name, run in wandb_server.runs.items() if run.get("jobType") == "report"]
    assert not list(out.glob("wandb_*.json"))
    workspace, report = wandb_server.views.values()
    assert (workspace["type"], workspace["displayName"]) == ("project-view", "my_study: topics")
    assert (report["type"], report["displayName"]) == ("runs", "my_study")
    assert {(view["entityName"], view["projectName"]) for view in (workspace, report)} == {("loopback", "thaw")}
    assert wandb_server.unknown == []

    spec = json.loads(report["spec"])
    scores, curves = [grid for grid in _grids(spec) if grid["runSets"][0]["name"] != "figures"]
    ids = {name.rpartition("-")[0]: name for name in wandb_server.runs}
    for grid in (scores, curves):
        assert [(one["name"], one["project"]["name"]) for one in grid["runSets"]] == [
            ("scratch", "thaw"),
            ("full", "thaw"),
        ]
        asked = [one["filters"]["filters"][0] for one in grid["runSets"]]
        assert {(one["key"]["section"], one["key"]["name"], one["op"]) for one in asked} == {("run", "name", "IN")}
        shown = [[ids[f"{number:010x}"] for number in pair] for pair in ((0, 1), (2, 3))]
        assert [one["value"] for one in asked] == shown  # not the failed one
    assert set(scores["customRunColors"].values()) == {"#8a8a8a", "#0072B2"}
    pictures = [grid for grid in _grids(spec) if grid["runSets"][0]["name"] == "figures"]
    assert {grid["runSets"][0]["filters"]["filters"][0]["value"][0] for grid in pictures} == {drawn}
    keys = {key for grid in pictures for (key,) in _values(grid, "mediaKeys")}
    logged = {key: value for key, value in wandb_server.history(drawn)[-1].items() if key.startswith("figures/")}
    assert keys == logged.keys() > {"figures/size-topics", "figures/verdict-accuracy"}
    assert {value["_type"] for value in logged.values()} == {"plotly-file"}
    sent = [one for one in wandb_server.received if b".plotly.json {" in one]
    assert {value["path"] for value in logged.values()} == {
        one.split(b" ")[0].decode().split("/", 3)[3] for one in sent
    }
    assert not [one for one in sent if b'"@' in one]
    texts = [block["content"] for block in spec["blocks"] if block["type"] == "markdown-block"]
    assert any("| full | 0.773" in text for text in texts)
    assert any("+0.250" in text for text in texts)
    items = " ".join(_values(spec, "text"))
    assert "1 run failed: no score" in items
    assert any("| Does transfer improve accuracy? | inconclusive |" in text for text in texts)
    assert len(read("wandb:loopback/thaw").runs) == 5  # the figures' run is none of the study


def test_the_panels_show_what_the_runs_have(wandb_server: LoopbackApi, tmp_path: Path, make_run: Make) -> None:
    folders = write_small_study(tmp_path / "runs" / "my_study", make_run)
    for folder in folders[:4]:
        mirror(folder)
    assert _publish(tmp_path / "runs", tmp_path / "out")
    run = wandb_server.runs[next(iter(wandb_server.runs))]
    logged = {key for row in run["history"].values() for key in row}
    for view in wandb_server.views.values():
        spec = json.loads(view["spec"])
        kinds = set(_values(spec, "viewType"))
        assert kinds >= {"Scatter Plot", "Run History Line Plot", "Bar Chart"}
        for config in _values(spec, "config"):
            if isinstance(config, dict) and "metrics" in config:
                assert set(config["metrics"]) <= logged | run["summary"].keys()
                assert config.get("xAxis", "seconds") in logged
            for axis in ("xAxis", "yAxis") if isinstance(config, dict) and "metrics" not in config else ():
                section, _, name = config.get(axis, "summary:test").partition(":")
                assert section == "summary"
                assert isinstance(run["summary"][name], int | float)
        for grouping in _values(spec, "grouping"):
            for key in grouping:
                value: Any = run["config"]
                for part in key["name"].split("."):
                    value = value[part]
                assert key["section"] == "config"
                assert isinstance(value, str)
    groups = {one["groupName"] for one in wandb_server.runs.values() if one.get("jobType") != "report"}
    workspace = json.loads(next(iter(wandb_server.views.values()))["spec"])
    (asked,) = workspace["section"]["runSets"][0]["filters"]["filters"]
    assert (asked["key"], asked["value"]) == ({"section": "run", "name": "group"}, sorted(groups))


def test_a_report_keeps_its_address(
    wandb_server: LoopbackApi, tmp_path: Path, make_run: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror(make_run(tmp_path / "runs" / "s", run_id="a" * 10, test=0.5))
    assert _publish(tmp_path / "runs", tmp_path / "out")
    first = capsys.readouterr().out
    assert _publish(tmp_path / "runs", tmp_path / "out", "s")
    assert capsys.readouterr().out == first
    assert (len(wandb_server.views), len(wandb_server.runs)) == (2, 2)  # a workspace, a report; the run, its figures
    wandb_server.refused = "runs"
    assert not _publish(tmp_path / "runs", tmp_path / "new")
    assert "injected" in capsys.readouterr().err
    wandb_server.refused = None
    assert _publish(tmp_path / "runs", tmp_path / "new")
    assert (
        len(wandb_server.views) == 4
    )  # of the new folder: its workspace, saved before the report failed, and the report
    capsys.readouterr()
    wandb_server.views.clear()  # deleted by hand
    assert _publish(tmp_path / "runs", tmp_path / "out")
    assert len(wandb_server.views) == 2
    assert capsys.readouterr().err == ""


def test_runs_read_from_wandb_are_reported_there(wandb_server: LoopbackApi, tmp_path: Path, make_run: Make) -> None:
    mirror(make_run(tmp_path / "elsewhere" / "s", run_id="a" * 10, test=0.5), project="shared")
    assert main(["report", "wandb:loopback/shared", "--out", str(tmp_path / "out"), "--wandb"]) == 0
    assert {(view["entityName"], view["projectName"]) for view in wandb_server.views.values()} == {
        ("loopback", "shared")
    }


@pytest.mark.parametrize("mode", [None, "offline"])
def test_without_a_key_the_specs_are_written(
    mode: str | None,
    tmp_path: Path,
    make_run: Make,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for task in ("topics", "trec"):
        mirror(
            make_run(tmp_path / "runs" / "it's a <study>", run_id=task, task=task, test=0.5), "offline", project="mine"
        )
    if mode:
        monkeypatch.setenv("WANDB_MODE", mode)
    out = tmp_path / "out"
    assert _report(tmp_path / "runs", out) == 0
    told = capsys.readouterr()
    reason = f"WANDB_MODE={mode}" if mode else "no API key (run `wandb login` or set WANDB_API_KEY)"
    paths = f"{out}/wandb_workspace.json, {out}/wandb_report.json"
    assert told.err == ""
    assert told.out.splitlines()[1] == f"W&B: not saved ({reason}); what would be sent: {paths}"
    views = json.loads((out / "wandb_workspace.json").read_text())["views"]
    assert [view["displayName"] for view in views] == ["it's a study: topics", "it's a study: trec"]
    assert all(
        f"it's a <study>/{task}-n50" in str(view["spec"]) for task, view in zip(("topics", "trec"), views, strict=True)
    )
    report = json.loads((out / "wandb_report.json").read_text())
    assert (report["entityName"], report["projectName"], report["type"]) == (None, "mine", "runs")
    assert len(_grids(report["spec"])) == 2


@pytest.mark.parametrize(
    ("mode", "patience", "words"),
    [
        ("error", None, "127.0.0.1 answers HTTP 500"),
        ("refuse", None, "127.0.0.1 refuses the API key"),
        ("ok", 6, "injected; the same command tries again"),
    ],
)
def test_an_outage_leaves_the_page(
    mode: str, patience: int | None, words: str, wandb_server: LoopbackApi, tmp_path: Path, make_run: Make,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    mirror(make_run(tmp_path / "runs" / "s", run_id="a" * 10, test=0.5))
    wandb_server.operations.clear()
    wandb_server.mode, wandb_server.patience = mode, patience
    assert _report(tmp_path / "runs", tmp_path / "out") == 0
    told = capsys.readouterr()
    assert told.err.startswith("W&B: not saved (")
    assert words in told.err
    assert told.err.count("\n") == 1
    assert {"index.html", "wandb_workspace.json", "wandb_report.json"} <= {
        path.name for path in (tmp_path / "out").iterdir()
    }


def test_runs_that_are_not_uploaded_yet(
    wandb_server: LoopbackApi, tmp_path: Path, make_run: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror(make_run(tmp_path / "runs" / "s", run_id="a" * 10, test=0.5), "offline")
    assert not _publish(tmp_path / "runs", tmp_path / "out")
    assert "there are no runs in loopback/thaw yet, upload them: wandb sync" in capsys.readouterr().err
    assert wandb_server.views == {}


def test_several_projects(tmp_path: Path, make_run: Make, capsys: pytest.CaptureFixture[str]) -> None:
    for project in ("one", "two"):
        mirror(make_run(tmp_path / "runs" / project, run_id="a" * 10, test=0.5), "offline", project=project)
    assert _report(tmp_path / "runs", tmp_path / "out") == 2
    wished = "error: runs of several W&B projects (one, two), name the one to save to: --wandb-project ENTITY/PROJECT\n"
    assert capsys.readouterr().err == wished
    assert _report(tmp_path / "runs", tmp_path / "out", "--wandb-project", "team/both") == 0
    report = json.loads((tmp_path / "out" / "wandb_report.json").read_text())
    assert (report["entityName"], report["projectName"]) == ("team", "both")
    assert _report(tmp_path / "runs", tmp_path / "out", "--wandb-project", "a/b/c") == 2


def test_without_the_package(
    tmp_path: Path, make_run: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(tmp_path / "runs" / "s", run_id="a" * 10, test=0.5)
    monkeypatch.setitem(sys.modules, "wandb_workspaces", None)
    assert _report(tmp_path / "runs", tmp_path / "out") == 2
    wished = "error: --wandb needs the package wandb-workspaces, install it: pip install 'thaw-nlp[reports]'\n"
    assert capsys.readouterr().err == wished
    assert not (tmp_path / "out").exists()
    assert main(["report", str(tmp_path / "runs"), "--out", str(tmp_path / "out")]) == 0


def test_wandb_is_imported_only_when_used(tmp_path: Path, make_run: Make) -> None:
    make_run(tmp_path / "runs" / "s", run_id="a" * 10, test=0.5)
    code = (
        "import sys\nfrom thaw.cli.main import main\nassert main(sys.argv[1:]) == 0\n"
        "assert not {'torch', 'wandb', 'wandb_workspaces'} & set(sys.modules)\n"
    )
    words = ["report", str(tmp_path / "runs"), "--out", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_names_that_wandb_takes() -> None:
    assert plain_name("a <b> + c €") == "a b  c"
    assert plain_name("<>") == "runs"
    assert len(plain_name("x" * 500)) == 128


def test_a_chart_names_each_strategy_once(study_folder: Path) -> None:
    for plot in gather(read(study_folder)).plots:
        made = chart(plot)
        named = {trace.name for trace in made.data if trace.name}
        shown = [trace.name for trace in made.data if trace.showlegend]
        assert len(shown) == len(set(shown))
        if plot.key in ("size", "seconds", "survival", "profile"):
            assert set(shown) == named
        assert '"@' not in made.to_json()
