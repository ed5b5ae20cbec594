"""Twenty and more corpora that are none: each is refused in one line, or handled by the policy that its name states."""

import gzip
import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from made_up_text import made_up

from thaw.errors import ConfigError, DataError, ThawError
from thaw.text.corpus import CorpusConfig, documents

GOOD = "\n\n".join(made_up(50))
NOISE = random.Random(0).randbytes(100_000)
LATIN = GOOD.replace("é", "é café").encode("latin-1")


def put(name: str, content: bytes) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        (folder / name).write_bytes(content)
        return name

    return make


def fifo(folder: Path) -> str:
    os.mkfifo(folder / "pipe.txt")
    return "pipe.txt"


def loop(folder: Path) -> str:
    (folder / "a.txt").symlink_to(folder / "b.txt")
    (folder / "b.txt").symlink_to(folder / "a.txt")
    return "a.txt"


def empty_folder(folder: Path) -> str:
    (folder / "none").mkdir()
    return "none"


def typo(folder: Path) -> str:
    put("corpus.txt", GOOD.encode())(folder)
    return "corpsu.txt"


REFUSED = {
    "missing": (lambda folder: "nothing.txt", "no such file or folder"),
    "misspelt": (typo, "did you mean .*corpus.txt"),
    "glob of nothing": (lambda folder: "*.text", "no file matches"),
    "empty": (put("x.txt", b""), "no text in corpus"),
    "blank": (put("x.txt", b" \n\t\n \r\n" * 100), "no text in corpus"),
    "empty gzip": (put("x.txt.gz", gzip.compress(b"")), "no text in corpus"),
    "empty JSONL": (put("x.jsonl", b"\n\n"), "no text in corpus"),
    "empty folder": (empty_folder, "no text in folder"),
    "unreadable": (lambda folder: "/proc/self/mem", "can not read /proc/self/mem"),
    "binary": (put("x.txt", NOISE), r"x.txt is not utf-8 text at byte \d+"),
    "binary as latin-1": (put("x.txt", NOISE.replace(b"\0", b"")), "x.txt is not clean text: 1.% control characters"),
    "gzip named txt": (put("x.txt", gzip.compress(GOOD.encode())), "rename it to x.txt.gz"),
    "txt named gzip": (put("x.txt.gz", GOOD.encode()), "is not gzip data"),
    "gzip cut short": (put("x.txt.gz", gzip.compress(GOOD.encode())[:-2000]), "can not read .* to its end"),
    "gzip damaged": (
        put("x.txt.gz", gzip.compress(GOOD.encode())[:200] + b"\xff" * 2000),
        "can not read .* to its end",
    ),
    "latin-1": (put("x.txt", LATIN), rf"not utf-8 text at byte {LATIN.index(0xE9)}: .* corpus.encoding=latin-1"),
    "utf-16": (put("x.txt", GOOD.encode("utf-16")), r"UTF-16 text .* give corpus.encoding=utf-16"),
    "utf-32": (put("x.txt", GOOD.encode("utf-32")), r"UTF-32 text .* give corpus.encoding=utf-32"),
    "utf-16 without mark": (
        put("x.txt", "kami to ".encode("utf-16-le") * 500),
        "NUL at byte 1: .* corpus.encoding=utf-16-le",
    ),
    "NUL": (put("x.txt", GOOD.encode()[:1000] + b"\0" + GOOD.encode()[1000:]), "NUL at byte 1000"),
    "NUL after other letters": (put("x.txt", "é".encode() * 1000 + b"\0" + GOOD.encode()), "NUL at byte 2000"),
    "cut inside a character": (put("x.txt", GOOD.encode() + "é".encode()[:1]), r"not utf-8 text at byte \d+"),
    "characters lost before": (put("x.txt", GOOD.replace("a", "\ufffd").encode()), "replacement characters"),
    "three words": (put("x.txt", b"only three words"), "only 3 words, 3 different: at least 100 words"),
    "one word": (put("x.txt", b"again\n\n" * 5000), "only 1 different words: at least"),
    "symlink loop": (loop, "can not read .*a.txt"),
    "FIFO": (fifo, "is not a regular file"),
    "device": (lambda folder: "/dev/zero", "is not a regular file"),
    "NUL in the name": (lambda folder: "a\0b.txt", "can not read|no such file"),
    "name too long": (lambda folder: "x" * 5000, "can not read .*too long"),
    "other format": (put("x.pdf", b"%PDF-1.7"), "x.pdf has no known format"),
    "JSONL cut short": (put("x.jsonl", b'{"text": "a b c"}\n{"text": "a'), "x.jsonl:2 is not JSON"),
    "JSONL of lists": (put("x.jsonl", b'["a"]\n'), "x.jsonl:1 is a JSON list, expected an object"),
    "JSONL of numbers": (put("x.jsonl", b'{"text": 3}\n'), "x.jsonl:1 has no text under 'text' but 3"),
    "JSONL nested deeply": (put("x.jsonl", b"[" * 200_000), "x.jsonl:1 is not JSON"),
    "JSON of one object": (put("x.jsonl", json.dumps({"text": GOOD}, indent=2).encode()), "x.jsonl:1 is not JSON"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_line(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, message = REFUSED[case]
    monkeypatch.chdir(tmp_path)
    encoding = "latin-1" if case == "binary as latin-1" else "utf-8"
    with pytest.raises(DataError, match=message) as caught:
        list(documents(CorpusConfig(paths=[make(tmp_path)], encoding=encoding)))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value).replace(str(tmp_path), "")) < 300
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("encoding", ["utf-9", "base64", ""])
def test_no_encoding(encoding: str, tmp_path: Path) -> None:
    put("x.txt", GOOD.encode())(tmp_path)
    with pytest.raises(ConfigError, match="is no text encoding"):
        list(documents(CorpusConfig(paths=[str(tmp_path / "x.txt")], encoding=encoding)))


def test_one_bad_file_among_good_ones_is_named(tmp_path: Path) -> None:
    for number in range(3):
        put(f"{number}.txt", GOOD.encode())(tmp_path)
    put("1.txt", LATIN)(tmp_path)
    with pytest.raises(ThawError, match=r"1\.txt is not utf-8 text"):
        list(documents(CorpusConfig(paths=[str(tmp_path)])))


def test_handled_by_policy(tmp_path: Path) -> None:
    """A stray control character or BOM inside text is left to normalisation; an empty file among others is no error."""
    put("a.txt", b"")(tmp_path)
    put("b.txt", GOOD.replace("a", "a\x07", 3).encode())(tmp_path)
    assert len(list(documents(CorpusConfig(paths=[str(tmp_path)])))) == 50
