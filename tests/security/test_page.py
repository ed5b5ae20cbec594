"""A study whose every word is hostile: the page has the elements of a harmless one, the other files stay text."""

import csv
import json
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from thaw.cli.main import main

EVIL = "</script></title></style><script>evil()</script><img src=x onerror=evil()><a href='javascript:evil()'>x</a>"
MORE = [
    EVIL,
    "\"onmouseover='evil()'",
    "${evil}",
    "]]><svg/onload=evil()>",
    "\x1b]0;evil\x07\x1b[31m",
    "=cmd|' /C evil'!A0",
]
COLUMNS = ["run_id", "name", "task", "strategy", "encoder", "metric", "checkpoint", "host", "torch", "precision"]


class Elements(HTMLParser):
    """Counts elements with their attributes, without values that texts may be in."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        self.addresses: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found[f"{tag} {' '.join(sorted(name for name, _ in attributes))}"] += 1
        self.addresses |= {value or "" for name, value in attributes if name in ("src", "href", "action", "data")}


def elements(path: Path) -> Elements:
    found = Elements()
    found.feed(path.read_text("utf-8"))
    return found


@pytest.fixture
def studies(easy: list[str], place: Path) -> tuple[Path, Path]:
    """A study of two controls with two seeds and a failed run, and the same with a hostile word wherever one fits."""
    words = [*easy, "-m", "strategy=majority,tfidf", "seed=1,2"]
    assert main([*words, "name=good"]) == 0
    assert main([*easy, "strategy=majority", "data.train_size=1000", "name=good"]) == 2
    for place_of, path in enumerate(sorted(Path("runs/good").iterdir())):
        bad = Path("runs", MORE[1].replace("/", ""), f"{place_of} {MORE[place_of % 2].replace('/', '')}")
        bad.mkdir(parents=True)
        for file in path.iterdir():
            if file.name in ("config.yaml", "status.json", "metrics.jsonl", "predictions.jsonl.gz", "lineage.json"):
                (bad / file.name).write_bytes(file.read_bytes())
        if (path / "result.json").exists():
            row = json.loads((path / "result.json").read_text())
            names = {name: f"{row[name]}{MORE[i % len(MORE)]}" for i, name in enumerate(COLUMNS)}
            (bad / "result.json").write_text(json.dumps(row | names))
        else:
            status = json.loads((path / "status.json").read_text())
            (bad / "status.json").write_text(json.dumps(status | {"error": " ".join(MORE)}))
        with (bad / "config.yaml").open("a") as file:
            file.write(
                json.dumps({EVIL: MORE[place_of % len(MORE)], "x": {EVIL: place_of}})[1:-1].replace("\\/", "/") + "\n"
            )
    return Path("runs/good"), bad.parent


@pytest.mark.parametrize("flags", [[], ["--title", EVIL, "--question", EVIL]], ids=["plain", "titled"])
def test_the_page(flags: list[str], studies: tuple[Path, Path]) -> None:
    good, bad = studies
    assert main(["report", str(good), "--out", "good", "--no-pictures"]) == 0
    assert main(["report", str(bad), "--out", "bad", "--no-pictures", *flags]) == 0
    expected, found = elements(Path("good/index.html")), elements(Path("bad/index.html"))
    assert found.addresses == expected.addresses
    assert not [name for name in found.found if name not in expected.found and "td" not in name]
    assert found.found["script "] == expected.found["script "]
    for name in ("summary.md", "index.html"):
        assert "<script>evil" not in Path("bad", name).read_text("utf-8").replace("\\u003c", "")
        assert "<img" not in Path("bad", name).read_text("utf-8")
    with open("bad/runs.csv", newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 5


def test_pictures(studies: tuple[Path, Path]) -> None:
    assert main(["report", str(studies[1]), "--out", "bad"]) == 0
    for path in Path("bad/figures").glob("*.svg"):
        text = path.read_text("utf-8")
        assert "<script" not in text
        assert "<img" not in text
        assert "onerror" not in {name for tag in elements(path).found for name in tag.split()[1:]}


def test_the_terminal_gets_no_control_characters(
    studies: tuple[Path, Path], capsys: pytest.CaptureFixture[str], easy: list[str]
) -> None:
    for words in (["report", str(studies[1]), "--no-pictures"], ["report", "\x1b[31mx"], [*easy, "strategy=\x1b[31mx"]):
        main(words)
        shown = capsys.readouterr()
        assert "\x1b" not in shown.out + shown.err
