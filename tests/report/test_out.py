"""A report is written into a folder with files of one's own: they stay, and none is overwritten without a word."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from thaw.cli.main import main
from thaw.errors import ConfigError
from thaw.report import out as outs
from thaw.report.collect import read
from thaw.report.compare.folder import write as compare
from thaw.report.out import MANIFEST, Out
from thaw.report.page import write
from thaw.report.wandb.save import FILES, SPECS

MINE = "mine\n"


@pytest.fixture
def runs(tmp_path: Path, make_run: Callable[..., Path]) -> Path:
    """A study of two strategies on one task."""
    root = tmp_path / "runs"
    for strategy, score in (("scratch", 0.5), ("full", 0.7)):
        for seed in (1, 2, 3):
            made = {"strategy": strategy, "seed": seed, "dev": score, "test": score + seed / 100}
            make_run(root, run_id=f"{strategy}{seed}", **made)
    return root


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    """A folder with files of one's own, one of them with a name that a report needs."""
    folder = tmp_path / "paper"
    (folder / "figures").mkdir(parents=True)
    for name in ("figures/scheme.png", "figures/photo.svg", "notes.md", "summary.md"):
        (folder / name).write_text(MINE)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_foreign_file_is_named_and_nothing_is_written(
    runs: Path, paper: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(paper)
    assert main(["report", str(runs), "--out", str(paper)]) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"error: {paper} has files of its own, ")
    assert "summary.md; --out takes another folder, --force overwrites them" in line
    assert "scheme.png" not in line
    assert files(paper) == before


def test_force_overwrites_what_is_in_the_way_and_nothing_else(runs: Path, paper: Path) -> None:
    assert main(["report", str(runs), "--out", str(paper), "--force"]) == 0
    assert (paper / "summary.md").read_text() != MINE
    assert all((paper / name).read_text() == MINE for name in ("figures/scheme.png", "figures/photo.svg", "notes.md"))
    assert main(["report", str(runs), "--out", str(paper)]) == 0  # summary.md is the report's now
    assert (paper / "figures/photo.svg").read_text() == MINE


def test_what_an_earlier_report_wrote_goes_with_it(runs: Path, tmp_path: Path, make_run: Any) -> None:
    for seed in (1, 2, 3):
        make_run(runs, run_id=f"other{seed}", task="trec", seed=seed, dev=0.5, test=0.4 + seed / 100)
    out = tmp_path / "out"
    write(read(runs), out)
    kept = out / "figures" / "size-trec.svg"
    mine = kept.with_name("size-mine.svg")
    mine.write_bytes(kept.read_bytes())  # a copy for a paper
    first = files(out)
    assert {"tables/scores-trec.tex", "figures/size-trec.png"} <= first.keys()
    for seed in (1, 2, 3):
        for file in (runs / f"other{seed}").iterdir():
            file.unlink()
    write(read(runs), out)
    assert not {"tables/scores-trec.tex", "figures/size-trec.png", "figures/size-trec.svg"} & files(out).keys()
    assert mine.exists()
    assert json.loads((out / MANIFEST).read_text())["files"].keys() == {"page", "pictures"}


@pytest.mark.parametrize("name", ["summary.md", "tables/scores-topics.tex", "figures/size-topics.png"])
def test_a_file_of_ours_that_someone_has_changed_is_theirs(name: str, runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(read(runs), out)
    (out / name).write_bytes((out / name).read_bytes() + b"and a remark\n")
    with pytest.raises(ConfigError, match=name):
        write(read(runs), out)
    write(read(runs), out, force=True)
    write(read(runs), out)


def test_a_changed_file_that_the_next_report_has_not_stays(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(read(runs), out, pictures=False)
    (out / "runs.csv").write_text("changed")
    compare(read(runs), read(runs), out, names=("a", "b"), pictures=False)  # a comparison has no runs.csv
    assert (out / "runs.csv").read_text() == "changed"
    assert not (out / "tables" / "scores-topics.tex").exists()


@pytest.mark.parametrize("where", ["link", "tables", "figures"])
def test_links_on_the_way(where: str, runs: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    out = tmp_path / "out"
    if where == "link":
        out.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    else:
        out.mkdir()
        (out / where).symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    for _ in range(2):
        assert write(read(runs), out).is_file()
    assert list((tmp_path / "elsewhere").iterdir())
    assert (out if where == "link" else out / where).is_symlink()


def test_a_link_in_the_place_of_a_file_is_not_written_through(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.md").write_text(MINE)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "summary.md").symlink_to(tmp_path / "thesis.md")
    with pytest.raises(ConfigError, match=r"summary\.md"):
        write(read(runs), tmp_path / "out", pictures=False)
    write(read(runs), tmp_path / "out", pictures=False, force=True)
    assert (tmp_path / "thesis.md").read_text() == MINE


def test_a_file_in_the_place_of_a_folder_is_named(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "tables").write_text(MINE)
    with pytest.raises(ConfigError, match=r"tables/scores-topics\.tex"):
        write(read(runs), tmp_path / "out", pictures=False)
    assert os.listdir(tmp_path / "out") == ["tables"]


def test_a_report_of_before_there_were_manifests_is_known_by_its_files(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for make in (
        lambda: write(read(runs), out),
        lambda: compare(read(runs), read(runs), out, names=("a", "b")),
    ):
        make()
        (out / MANIFEST).unlink()
        make()  # all of its files are recognised
        (out / MANIFEST).unlink()
    (out / "figures" / "change-topics.svg").rename(out / "figures" / "for-a-talk.svg")
    write(read(runs), out)
    assert (out / "figures" / "for-a-talk.svg").exists()  # nothing of before is removed
    (out / MANIFEST).unlink()
    (out / "index.html").write_text("<html><footer>Written by hand</footer></html>")
    (out / "summary.md").write_text("# My thesis\n")
    with pytest.raises(ConfigError, match=r"of its own, .*: index\.html, summary\.md; --out"):
        write(read(runs), out)


def test_a_report_that_was_killed_halfway_is_no_stranger_to_the_next(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, written = tmp_path / "out", outs.write_bytes
    write(read(runs), out, title="one", pictures=False)
    calls: list[Path] = []

    def killed(path: Path, data: bytes) -> None:
        calls.append(path)
        if len(calls) == 3:
            raise KeyboardInterrupt
        written(path, data)

    with monkeypatch.context() as patched:
        patched.setattr(outs, "write_bytes", killed)
        with pytest.raises(KeyboardInterrupt):
            write(read(runs), out, title="two", pictures=False)
    page = write(read(runs), out, title="three", pictures=False)
    assert "three" in page.read_text("utf-8")


@pytest.mark.parametrize("name", ["../notes.md", "/abs", "figures/../../notes.md", "linked/notes.md", ""])
def test_a_manifest_that_someone_sent_removes_nothing_outside(name: str, runs: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text(MINE)
    out = tmp_path / "out"
    out.mkdir()
    (out / "linked").symlink_to(tmp_path, target_is_directory=True)
    known = {name.replace("/abs", str(tmp_path / "notes.md")): [hashlib.sha256(MINE.encode()).hexdigest()]}
    (out / MANIFEST).write_text(json.dumps({"files": {"page": known}}))
    write(read(runs), out, pictures=False)
    assert (tmp_path / "notes.md").read_text() == MINE


@pytest.mark.parametrize("content", ["", "[", "[1]", '{"files": 3}', '{"files": {"page": [1]}}', "[" * 100_000])
def test_a_damaged_manifest_is_none(content: str, runs: Path, tmp_path: Path) -> None:
    write(read(runs), tmp_path / "out", pictures=False)
    (tmp_path / "out" / MANIFEST).write_text(content)
    assert write(read(runs), tmp_path / "out", pictures=False).is_file()


@pytest.mark.parametrize("words", [["--compare"], ["--watch"]])
def test_comparing_and_watching_refuse_too(words: list[str], runs: Path, paper: Path) -> None:
    (paper / "index.html").write_text(MINE)
    before = files(paper)
    folders = [str(runs)] * (2 if words == ["--compare"] else 1)
    assert main(["report", *folders, "--out", str(paper), *words]) == 2
    assert files(paper) == before


def test_what_is_beside_the_page_for_wandb_is_guarded(paper: Path) -> None:
    (paper / FILES[0]).write_text(MINE)
    with pytest.raises(ConfigError, match=r"wandb\.json"):
        Out(paper).write("wandb", {FILES[0]: "{}"})
    for content in ("1", "2"):
        Out(paper).write(SPECS, {FILES[1]: content})
    Out(paper).write(SPECS, {})
    assert not (paper / FILES[1]).exists()
    assert (paper / FILES[0]).read_text() == MINE


def test_a_study_refuses_before_its_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("experiments/mine")
    folder.mkdir(parents=True)
    (folder / "stages.yaml").write_text(
        "title: T\nquestion: Q\nstages: [transfer strategy=majority]\nreport: [runs/mine]\n"
    )
    Path("report/mine").mkdir(parents=True)
    Path("report/mine/report.json").write_text(MINE)
    assert main(["study", "mine"]) == 2
    assert "report/mine has files of its own" in capsys.readouterr().err
    assert not Path("runs").exists()
