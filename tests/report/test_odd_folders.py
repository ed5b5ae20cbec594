"""One odd run folder among good ones: the page is written without it, and says which it was and why."""

import csv
import gzip
import html
import json
import math
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from thaw.cli.main import main
from thaw.report.claims.influence import influence
from thaw.report.collect import Study, read
from thaw.report.odd import made_of
from thaw.report.page import write
from thaw.report.page.record import runs_csv
from thaw.track import bounded
from thaw.track.folder import RunFolder
from thaw.track.settings import settings

Make = Callable[..., Path]
EVIL = "\x1b]0;evil\x07\u202egnp.exe\u2066"
HALF = f"{EVIL}\ud800"  # half a character, which YAML has not


@pytest.fixture
def good(tmp_path: Path, make_run: Make) -> Path:
    """A study of scratch and full with three seeds each."""
    root = tmp_path / "runs"
    for strategy, score in (("scratch", 0.5), ("full", 0.7)):
        for seed in (1, 2, 3):
            events = [{"step": 10 * i, "seconds": 1.0 * i, "dev/accuracy": score - 0.1 / i} for i in (1, 2, 3)]
            make_run(
                root, run_id=f"{strategy}{seed}", strategy=strategy, seed=seed, dev=score, test=score + seed / 100,
                steps=30, train_seconds=3.0, events=events,
            )  # fmt: skip
    return root


def spoil(folder: Path, **changed: Any) -> Path:
    """Change columns of a run's row, given as they are spelled in JSON."""
    text = (folder / "result.json").read_text()
    for name, spelling in changed.items():
        text, count = re.subn(rf'"{name}": [^,}}]+', lambda _, name=name, to=spelling: f'"{name}": {to}', text)
        assert count == 1
    (folder / "result.json").write_text(text)
    return folder


NUMBERS = {
    "an infinite count": ("train_seconds", "1e999", "train_seconds is inf"),
    "a count that is no number": ("train_size", "NaN", "train_size is nan"),
    "a seed that is none": ("seed", "null", "seed is None"),
    "a count below none": ("tokens", "-7", "tokens is -7, a count or a time is never less than 0"),
    "an integer of 5000 digits": ("flops", "9" * 5000, "result.json"),
    "an integer of 400 digits": ("tokens", "9" * 400, "a number of 400 digits"),
    "no label at all": ("train_size", "0", "train_size is 0, no number of labels"),
    "a score beyond all bounds": ("test", "1e300", "test is '1e+300'"),
    "a true number": ("steps", "true", "steps is 'True', of type bool"),
    "a kind of its own": ("kind", '"magic"', "kind is magic"),
    "an endless name": ("encoder", json.dumps("x" * 100_000), "encoder is 'xxx"),
}


def odd(root: Path, make_run: Make, names: Iterable[str]) -> dict[str, Path]:
    """Write a run for each name, none of them damaged yet."""
    return {
        name: make_run(root, run_id=f"odd {name}", seed=100 + seed, dev=0.7, test=0.7, steps=30, train_seconds=3.0)
        for seed, name in enumerate(names)
    }


def told(root: Path, out: Path) -> dict[str, str]:
    """Read a study, write its page, return the reasons of what was left out by the name of its folder."""
    found = read(root)
    page = write(found, out, pictures=False).read_text("utf-8")
    reasons = {one.folder.name.removeprefix("odd "): one.reason for one in found.unreadable}
    assert f"{len(reasons)} run folders could not be read" in page
    assert all(html.escape(one.place) in page for one in found.unreadable)
    assert len(found.runs) >= 6
    return reasons


def test_numbers_have_bounds(good: Path, tmp_path: Path, make_run: Make) -> None:
    for what, folder in odd(good, make_run, NUMBERS).items():
        spoil(folder, **{NUMBERS[what][0]: NUMBERS[what][1]})
    reasons = told(good, tmp_path / "out")
    assert reasons.keys() == NUMBERS.keys()
    for what, (_, _, reason) in NUMBERS.items():
        assert reason in reasons[what], what


def test_a_score_that_is_undefined_is_no_damage(good: Path) -> None:
    spoil(good / "full2", test="NaN", dev="1e999")
    (run,) = [run for run in read(good).runs if run.folder.name == "full2"]
    assert (run["test"], run["dev"], run.state) == (None, None, "finished")


CONFIGS = {
    "nested in lists": ("x: " + "[" * 200_000, "nested deeper than 64"),
    "nested in items": ("x:\n  " + "- " * 200_000 + "x\n", "nested deeper than 64"),
    "nested in keys": ("".join(f"{' ' * i}k:\n" for i in range(3000)), "nested deeper than 64"),
    "a number in sixteens": (f"x: 0x{'f' * 5000}\n", "x is a number of 6021 digits"),
    "a number in sixties": ("x: " + ":".join(["59"] * 3000) + "\n", "x is a number of"),
    "a date": ("x: 2026-11-28\n", "cannot be written as JSON: date"),
    "bytes": ("x: !!binary aGVsbG8=\n", "cannot be written as JSON: bytes"),
    "a rule of words": ("verdict: {margin: x}\n", "verdict.margin is 'x'"),
    "a rule of sizes that are none": ("verdict: {sizes: [a, b]}\n", "verdict.sizes is"),
    "a rule out of bounds": ("verdict: {level: 7}\n", "level=7 must be less than 1"),
}


def test_a_config_that_no_run_writes(good: Path, tmp_path: Path, make_run: Make) -> None:
    for what, folder in odd(good, make_run, CONFIGS).items():
        with (folder / "config.yaml").open("a") as file:
            file.write(CONFIGS[what][0])
    reasons = told(good, tmp_path / "out")
    assert reasons.keys() == CONFIGS.keys()
    for what, (_, reason) in CONFIGS.items():
        assert reason in reasons[what], what


def test_settings_that_are_nested_within_reason_are_read() -> None:
    deep = "x: " + "{a: " * 30 + "1" + "}" * 30 + "\n" + "y:\n" + "".join(f"- [{i}]\n" for i in range(200))
    found = settings(deep.encode(), "config.yaml")
    assert found["x" + ".a" * 30] == 1
    assert found["y"][199] == [199]


LINEAGES = {
    "nested": json.dumps({"data": None}).replace("null", "[" * 500 + "]" * 500),
    "nested without end": '{"data": ' + "[" * 100_000,
    "a number of 3000 digits": f'{{"data": {{"dev": {"9" * 3000}}}}}',
    "no object": "[1]",
    "half a letter": b'{"split": "\xff"}',
}


def test_a_lineage_that_no_run_writes(good: Path, tmp_path: Path, make_run: Make) -> None:
    for what, folder in odd(good, make_run, LINEAGES).items():
        content = LINEAGES[what]
        (folder / "lineage.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert told(good, tmp_path / "out").keys() == LINEAGES.keys()


def test_what_is_no_file_is_not_waited_for(good: Path, tmp_path: Path, make_run: Make) -> None:
    names = ("status.json", "result.json", "config.yaml", "metrics.jsonl", "plan.txt")
    places = [f"{kind} {name}" for name in names for kind in ("pipe", "device", "folder")]
    for what, folder in odd(good, make_run, places).items():
        kind, name = what.split()
        path = folder / name
        path.unlink()
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "device":
            path.symlink_to("/dev/zero")
        else:
            path.mkdir()
    assert told(good, tmp_path / "out").keys() == {what for what in places if "plan.txt" not in what}


@pytest.mark.parametrize("name", ["/dev/zero", "../full1/result.json", "a/b"])
def test_checksums_of_other_files_are_not_looked_at(name: str, good: Path) -> None:
    path = good / "full2" / "status.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"sha256": {name: "0" * 64}}))
    (odd,) = read(good).unreadable
    assert "which is no file of a run" in odd.reason


def packed(content: bytes, times: int) -> bytes:
    """Return a gzipped file that holds ``content`` so often, made without ever holding it."""
    return gzip.compress(content * 1000, 9) * (times // 1000)


BOMBS = {
    "a bomb": packed(b'{"label":"a","prediction":"a","credit":[1,1]}\n', 60_000),
    "cut": gzip.compress(b'{"label":"a","prediction":"a"}\n' * 1000)[:40],
    "garbled": gzip.compress(os.urandom(5000))[:1000] + b"\0" * 4000,
    "nested": gzip.compress(b'{"label":' + b"[" * 100_000),
    "no gzip": b"PK",
    "a number of 400 digits": gzip.compress(b'{"label": %s, "prediction": 1}\n' % (b"9" * 400) * 3),
    "a class for each text": gzip.compress(b"".join(b'{"label":"%d","prediction":"x"}\n' % i for i in range(20_000))),
}


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_predictions_are_unpacked_with_a_limit(
    metric: str, tmp_path: Path, make_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "MOST", 2 << 20)
    for strategy in ("scratch", "full"):
        for seed, content in enumerate(BOMBS.values()):
            made = {"strategy": strategy, "seed": seed, "metric": metric, "dev": 0.5, "test": 0.5 + seed / 100}
            folder = make_run(tmp_path / "runs", run_id=f"{strategy}{seed}", **made)
            (folder / "predictions.jsonl.gz").write_bytes(content)
    found = read(tmp_path / "runs")
    assert (len(found.runs), found.unreadable) == (2 * len(BOMBS), [])
    write(found, tmp_path / "out", pictures=False)
    whole = [list(BOMBS)[run["seed"]] for run in found.runs if influence(run) is not None]
    assert set(whole) <= {"a number of 400 digits"}


def test_the_limits(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(packed(b"x" * 1000, 2000))
    with pytest.raises(ValueError, match=r"a\.gz holds more than 1 MB"):
        bounded.unpacked(tmp_path / "a.gz", 1 << 20)
    assert len(bounded.unpacked(tmp_path / "a.gz", 2 << 20)) == 2_000_000
    (tmp_path / "b").write_bytes(b"x" * 3_000_000)
    with pytest.raises(ValueError, match="b has more than 1 MB"):
        bounded.content(tmp_path / "b", 1 << 20)


def hostile(folder: Path) -> None:
    """Put words into a run that a terminal, a spreadsheet or a page would obey."""
    config = folder / "config.yaml"
    config.write_text(
        config.read_text().replace("name: topics", f"name: {json.dumps('=' + EVIL)}") + f"{json.dumps(EVIL)}: 1\n"
    )
    spoil(folder, task=json.dumps("=" + EVIL), encoder=json.dumps(HALF), host=json.dumps(f"-cmd|'/C evil'!A0{HALF}"))
    (folder / "lineage.json").write_text(
        json.dumps({"strategy": {"name": "full", "says": HALF, "colour": 'red"><script>evil()</script>'}})
    )
    status = json.loads((folder / "status.json").read_text())
    (folder / "status.json").write_text(json.dumps(status | {"error": f"@{HALF}", "updated": EVIL}))


def test_what_a_folder_says_is_text_everywhere(good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile(good / "full2")
    os.rename(good / "full1", os.fsencode(good) + b"/+\xff\x1b[31m")
    assert main(["report", str(good), "--out", str(tmp_path / "out")]) == 0
    assert main(["runs", str(good)]) == 0
    assert main(["runs", str(good), "--summary"]) == 0
    shown = capsys.readouterr()
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file() and path.suffix != ".png"]
    files = [path.read_bytes().decode("utf-8") for path in written]
    for text in (shown.out, shown.err, *files):
        assert not set(EVIL) & set(text) - set("evilgnp.x0];")
        assert "\x1b" not in text
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "<script>evil" not in page
    assert 'red">' not in page
    with open(tmp_path / "out" / "runs.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert not [value for row in rows for value in row.values() if value[:1] in "=+@" and value]
    assert {row["host"][:5] for row in rows} == {"here", "'-cmd"}


def test_a_lineage_of_another_strategy_is_not_believed(good: Path, tmp_path: Path) -> None:
    """The page had no colour for it and was not written."""
    (good / "full2" / "lineage.json").write_text(json.dumps({"strategy": {"name": "magic", "says": "all of magic"}}))
    found = read(good)
    assert "all of magic" not in write(found, tmp_path / "out", pictures=False).read_text("utf-8")
    assert (len(found.runs), found.unreadable) == (6, [])


def test_numbers_below_zero_stay_numbers_in_a_spreadsheet(good: Path) -> None:
    spoil(good / "full2", test="-0.25")
    rows = list(csv.DictReader(runs_csv(read(good)).splitlines()))
    assert sorted(float(row["test"]) for row in rows)[0] == -0.25


def test_an_oddity_that_nobody_thought_of_costs_its_own_run_alone(good: Path) -> None:
    def make(study: Study) -> list[str]:
        """Fail as a sum over all runs would, for a value of two of them."""
        return [math.log10(run["test"]) and run.folder.name for run in study.runs]

    study = read(good)
    rows = [replace(run, row=run.row | {"test": 0.0}) if run["seed"] == 2 else run for run in study.runs]
    spoilt = replace(study, runs=rows)
    told: list[Study] = []
    made = made_of(spoilt, lambda some: (told.append(some), make(some))[1])
    assert sorted(made) == ["full1", "full3", "scratch1", "scratch3"]
    assert {one.folder.name for one in told[-1].unreadable} == {"full2", "scratch2"}
    assert told[-1].unreadable[0].reason.startswith("no report can be made with it: ValueError: ")


def test_a_fault_of_the_report_itself_is_raised_as_it_is(good: Path) -> None:
    def broken(study: Study) -> None:
        raise KeyError("a fault of ours")

    with pytest.raises(KeyError, match="a fault of ours"):
        made_of(read(good), broken)


def test_so_is_one_that_every_run_meets(good: Path) -> None:
    """A page of no run at all was written, with exit code 0."""

    def broken(study: Study) -> list[float]:
        return [run["test"] / 0 for run in study.runs]

    with pytest.raises(ZeroDivisionError):
        made_of(read(good), broken)
    alone = replace(read(good), runs=read(good).runs[:1])
    with pytest.raises(ZeroDivisionError):
        made_of(alone, broken)


def test_what_the_product_reads_of_its_own_folders_has_the_same_limits(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    (tmp_path / "status.json").write_text('{"state": ' + "[" * 100_000)
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"step": ' + "[" * 100_000 + "}\n")
    os.mkfifo(tmp_path / "result.json")
    assert folder.read("status.json") is None
    assert folder.result() is None
    assert folder.events() == [{"step": 1}]
