"""A study whose every word is hostile: the page has the elements of a harmless one, the other files stay text."""

import csv
import json
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from thaw.cli.main import main

pytestmark = pytest.mark.slow  # real commands, half a minute each

EVIL = "</script></title></style><script>evil()</script><img src=x onerror=evil()><a href='javascript:evil()'>x</a>"
MORE = [
    EVIL,
    "\"onmouseover='evil()'",
    "${evil}",
    "]]><svg/onload=evil()>",
    "\x1b]0;evil\x07\x1b[31m",
    "=cmd|' /C evil'!A0",
]
COLUMNS = ["run_id", "name", "encoder", "checkpoint", "host", "torch", "precision", "thaw_version"]


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


def spoil(folder: Path, to: Path, number: int) -> None:
    """Copy a run with a hostile word wherever one fits, config and result agreeing."""
    to.mkdir(parents=True)
    for file in folder.glob("*.*"):
        (to / file.name).write_bytes(file.read_bytes())
    config = yaml.safe_load((folder / "config.yaml").read_text())
    task, strategy = f"files{MORE[0]}", config["strategy"]["name"] + MORE[1]
    config["task"]["name"], config["strategy"]["name"] = task, strategy
    config |= {EVIL: MORE[number % len(MORE)], "x": {EVIL: number}}
    (to / "config.yaml").write_text(yaml.safe_dump(config))
    status = json.loads((folder / "status.json").read_text())
    status.pop("sha256", None)
    (to / "status.json").write_text(json.dumps(status | {"error": " ".join(MORE)}))
    if (folder / "result.json").exists():
        row = json.loads((folder / "result.json").read_text()) | {"task": task, "strategy": strategy}
        row |= {name: MORE[(i + number) % len(MORE)] for i, name in enumerate(COLUMNS)}
        (to / "result.json").write_text(json.dumps(row))


@pytest.fixture
def studies(control: Callable[..., Path]) -> tuple[Path, Path]:
    """A study of two controls with two seeds and a failed run, and the same with hostile words."""
    from thaw.errors import ThawError
    from thaw.task.task import DataConfig

    good, bad = Path("runs/good"), Path("runs", MORE[1].replace("/", ""))
    for number, (strategy, seed) in enumerate([("majority", 1), ("majority", 2), ("tfidf", 1), ("tfidf", 2)]):
        spoil(control(strategy, "good", seed=seed), bad / f"{number}{MORE[number].replace('/', '')}", number)
    with pytest.raises(ThawError):
        control("majority", "good", data=DataConfig(train_size="1000"))
    (failed,) = (path.parent for path in good.glob("*/status.json") if not (path.parent / "result.json").exists())
    spoil(failed, bad / f"4{MORE[4].replace('/', '')}", 4)
    return good, bad


@pytest.mark.parametrize("flags", [[], ["--title", EVIL, "--question", EVIL]], ids=["plain", "titled"])
def test_the_page(flags: list[str], studies: tuple[Path, Path]) -> None:
    good, bad = studies
    assert main(["report", str(good), "--out", "good", "--no-pictures"]) == 0
    assert main(["report", str(bad), "--out", "bad", "--no-pictures", *flags]) == 0
    expected, found = elements(Path("good/index.html")), elements(Path("bad/index.html"))
    assert found.addresses == expected.addresses
    more = {"td class", "tr ", "code ", "span class", "p class id role", "wbr "}
    assert set(found.found) <= set(expected.found) | more
    assert found.found["script "] == expected.found["script "]
    for name in ("summary.md", "index.html"):
        assert "<script>evil" not in Path("bad", name).read_text("utf-8").replace("\\u003c", "")
        assert "<img" not in Path("bad", name).read_text("utf-8")
    with open("bad/runs.csv", newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 5


def test_pictures(studies: tuple[Path, Path]) -> None:
    assert main(["report", str(studies[1]), "--out", "bad"]) == 0
    assert list(Path("bad/figures").glob("*.png"))
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
