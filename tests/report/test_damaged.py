"""A store of runs of which a tenth is damaged: what is left out is counted, what is shown is what the runs wrote."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from report.conftest import write_run
from thaw.report.collect import Run, Study, read
from thaw.report.page import write
from thaw.report.page.content import gather
from thaw.report.page.record import as_json, report
from thaw.track.folder import RunFolder

FILES = ("config.yaml", "status.json", "metrics.jsonl", "result.json", "lineage.json", "plan.txt")
GARBAGE = ["#", "\x00", '"', "}", "{", ":", "- ", "é", "\ufffd", " ", "null", "[1]", "1e999", "-7", "true", '"nan"']


def events(score: float) -> list[dict[str, Any]]:
    return [
        {"step": step, "epoch": step / 10, "seconds": step / 4, "tokens": 7 * step, "train/loss": 2 / step}
        | ({"dev/accuracy": score * step / 50, "dev/loss": 1 / step} if step % 10 == 0 else {})
        for step in range(1, 51)
    ]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of four arms, two sizes, five seeds, as a version before this one left it: without checksums."""
    root = tmp_path_factory.mktemp("store") / "study"
    for strategy, gain in (("scratch", 0.0), ("full", 0.2), ("frozen", 0.1), ("tfidf", 0.05)):
        for size in (50, 100):
            for seed in range(1, 6):
                test = 0.5 + gain + size / 1000 + seed / 997
                folder = write_run(
                    root, run_id=f"{strategy}{size}s{seed}", kind="control" if strategy == "tfidf" else "transfer",
                    strategy=strategy, train_size=size, seed=seed, test=test, dev=test + 0.01, train_seconds=12.5,
                    lr=None if strategy == "tfidf" else 1e-3, steps=0 if strategy == "tfidf" else 50, optim__clip=1.0,
                    events=events(test), checkpoint="f00d" if strategy in ("full", "frozen") else None,
                )  # fmt: skip
                lineage = {"split": "s0", "subset": f"{size}-{seed}", "data": {"duplicates": {"train_test": 2}}}
                lineage["contamination"] = {"found": 1, "searched": 40}
                (folder / "lineage.json").write_text(json.dumps(lineage, indent=2))
                row = json.loads((folder / "result.json").read_text())
                (folder / "result.json").write_text(json.dumps(row, indent=2))
    return root


@pytest.fixture(scope="module")
def summed(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as runs leave it now: with checksums."""
    root = Path(shutil.copytree(store, tmp_path_factory.mktemp("summed") / "study"))
    for folder in root.iterdir():
        with RunFolder(folder) as one:
            one.status("finished")
    return root


def damage(root: Path, draw: random.Random) -> int:
    """Garble, cut, empty or delete files of four runs of ten; return how many runs it hit."""
    hit = 0
    for folder in sorted(root.iterdir()):
        before = [(folder / name).read_bytes() if (folder / name).exists() else b"" for name in FILES]
        if draw.random() < 0.4:
            for name in draw.sample(FILES, draw.randint(1, 2)):
                _damage_file(folder / name, draw)
        hit += before != [(folder / name).read_bytes() if (folder / name).exists() else b"" for name in FILES]
    return hit


def _damage_file(path: Path, draw: random.Random) -> None:
    if not path.exists():
        return
    kind = draw.choice(["delete", "truncate", "empty", "lines", "lines", "lines", "lines", "lines"])
    text = path.read_text("utf-8")
    if kind == "delete":
        path.unlink()
    elif kind == "truncate":
        path.write_text(text[: draw.randrange(len(text) + 1)], "utf-8")
    elif kind == "empty":
        path.write_text("")
    else:
        lines = text.splitlines(keepends=True)
        for number in draw.sample(range(len(lines)), max(1, len(lines) // 10)):
            lines[number] = "" if draw.random() < 0.4 else _garbled(lines[number], draw)
        path.write_text("".join(lines), "utf-8")


def _garbled(line: str, draw: random.Random) -> str:
    if draw.random() < 0.3 and ":" in line:  # a value of another type, in a line that still parses
        end = ",\n" if line.endswith(",\n") else "\n"
        return line.split(":", 1)[0] + ": " + draw.choice(["null", "[1]", '"word"', "true", "{}", "-7", "1e999"]) + end
    places = sorted(draw.sample(range(len(line) + 1), min(3, len(line))), reverse=True)
    for place in places:
        line = line[:place] + draw.choice(GARBAGE) + line[place + draw.randint(0, 2) :]
    return line


def rows(study: Study) -> dict[str, Run]:
    return {str(run.folder.name): run for run in study.runs}


def counted(study: Study, content: dict[str, Any]) -> int:
    """How many runs the page says are not among the scores, or whose curves it left out."""
    told = len(content["unreadable"]) + sum(run.state != "finished" for run in study.runs)
    return told + sum(run.damaged_lines > 0 for run in study.runs)


@pytest.mark.parametrize("seed", range(12))
def test_with_checksums_every_damage_is_told_and_every_number_is_the_runs(
    seed: int, summed: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(summed, tmp_path / "study"))
    hit = damage(root, random.Random(seed))
    sound, study = rows(read(summed)), read(root)
    content = report(gather(study))
    assert len(study.runs) + len(study.unreadable) == len(sound)
    for name, run in rows(study).items():
        if run.state == "finished":
            assert run.row == sound[name].row
            assert run.events in (sound[name].events, [])
            assert run.config == sound[name].config
    lost_plans = sum((root / name / "plan.txt").exists() != (summed / name / "plan.txt").exists() for name in sound)
    assert counted(study, content) + lost_plans + 2 >= hit > 0  # 2: plan.txt is no source of numbers and has no sum
    notes = " ".join(content["notes"])
    assert ("could not be read" in notes) == bool(study.unreadable)
    assert ("left out of the curves" in notes) == any(run.damaged_lines for run in study.runs)


@pytest.mark.parametrize("seed", range(24))
def test_without_checksums_nothing_breaks_and_no_score_is_made_up(seed: int, store: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(store, tmp_path / "study"))
    damage(root, random.Random(1000 + seed))
    sound, study = rows(read(store)), read(root)
    content = report(gather(study))
    as_json(content)
    assert len(study.runs) + len(study.unreadable) == len(sound)
    scores = {run["test"] for run in sound.values()} | {None}
    garbled = {-7, -7.0}  # a number for a number: without a checksum nobody can tell
    assert {run["test"] for run in study.runs} <= scores | garbled
    for cell in content["cells"]:
        assert cell["test"] is None or cell["test"]["n"] == len(cell["runs"])


def test_the_page_of_a_damaged_store_says_what_is_missing(summed: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(summed, tmp_path / "study"))
    text = (root / "full50s1" / "result.json").read_text()
    (root / "full50s1" / "result.json").write_text(text.replace('"test": 0.7', '"test": 0.9'))  # one digit
    lines = (root / "full50s2" / "metrics.jsonl").read_text().splitlines(keepends=True)
    (root / "full50s2" / "metrics.jsonl").write_text("".join(lines[:20] + lines[25:]))  # whole lines
    (root / "full50s3" / "config.yaml").unlink()
    (root / "full50s4" / "status.json").unlink()
    study = read(root)
    page = write(study, tmp_path / "report", pictures=False).read_text("utf-8")
    reasons = {one.folder.name: one.reason for one in study.unreadable}
    assert reasons == {
        "full50s1": "result.json not as the run left it",
        "full50s3": "config.yaml not as the run left it",
        "full50s4": "no status.json",
    }
    assert "3 run folders could not be read and are left out; listed below." in page
    assert "45 damaged lines of metrics.jsonl are left out of the curves." in page
    (cell,) = [one for one in report(gather(study))["cells"] if (one["arm"], one["train_size"]) == ("full", 50)]
    assert cell["test"]["n"] == 2


def test_a_store_of_which_nothing_is_left(summed: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(summed, tmp_path / "study"))
    for path in root.rglob("*.*"):
        if path.is_file():
            path.write_bytes(b"\x00\xff")
    study = read(root)
    assert (len(study.runs), len(study.unreadable)) == (0, 40)
    page = write(study, tmp_path / "report", pictures=False).read_text("utf-8")
    assert "40 run folders could not be read" in page
