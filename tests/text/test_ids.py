import os
import random
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from alive import left, started, until
from thaw.errors import DataError, StorageError
from thaw.text.corpus import Tally
from thaw.text.ids import TokenFile, tokenise
from thaw.text.normalise import normalise
from thaw.text.tokenizer import Tokenizer


def test_ids_offsets_and_bytes(
    unigram: Tokenizer, texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thaw.text.ids.BATCH", 1000)
    file = tokenise(iter([*texts[:3], "\u200b", *texts[3:]]), unigram, tmp_path, "key")  # one without pieces: left out
    assert len(file) == len(texts)
    assert file.ids.dtype == np.uint16
    assert file.tokens == file.offsets[-1] == sum(len(unigram.encode(text)) for text in texts)
    for number in (0, 3, 57, 199):
        assert (
            file.ids[file.offsets[number] : file.offsets[number + 1]].tolist() == unigram.encode(texts[number]).tolist()
        )
        assert file.bytes[number] == len(normalise(texts[number]).encode())
    assert isinstance(file.ids, np.memmap)


def test_built_once(unigram: Tokenizer, texts: list[str], tmp_path: Path) -> None:
    def never() -> object:
        raise AssertionError("read again")
        yield

    first = tokenise(texts, unigram, tmp_path, "key")
    again = tokenise(never(), unigram, tmp_path, "key")
    assert (again.ids == first.ids).all()
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_processes_write_the_same_bytes(
    unigram: Tokenizer, texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thaw.text.ids.BATCH", 1000)
    for processes in (1, 2):
        tokenise(["\u200b", *texts], unigram, tmp_path, str(processes), Tally(), processes)
    for name in ("ids.bin", "offsets.bin", "bytes.bin", "meta.json"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name


def test_an_error_of_the_text_ends_the_processes(unigram: Tokenizer, texts: list[str], tmp_path: Path) -> None:
    def broken() -> object:
        yield from texts
        raise DataError("no text")

    with pytest.raises(DataError, match="no text"):
        tokenise(broken(), unigram, tmp_path, "key", processes=2)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_build_leaves_nothing(unigram: Tokenizer, texts: list[str], tmp_path: Path) -> None:
    def broken() -> object:
        yield from texts
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tokenise(broken(), unigram, tmp_path, "key")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["ids.bin", "offsets.bin", "bytes.bin", "meta.json"])
def test_damaged_files_are_noticed_and_built_again(
    name: str, unigram: Tokenizer, texts: list[str], tmp_path: Path
) -> None:
    whole = tokenise(texts, unigram, tmp_path, "key").ids.tolist()
    path = tmp_path / "key" / name
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(StorageError, match=r"damaged token file .*delete that folder"):
        TokenFile.open(tmp_path / "key")
    assert tokenise(texts, unigram, tmp_path, "key").ids.tolist() == whole


@pytest.mark.parametrize("places", [10, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["ids.bin", "offsets.bin", "bytes.bin", "meta.json"])
def test_a_flipped_bit_is_found_named_and_built_again(
    name: str, places: int, unigram: Tokenizer, texts: list[str], tmp_path: Path
) -> None:
    tokenise(texts, unigram, tmp_path, "key")
    path, draw, told = tmp_path / "key" / name, random.Random(6), []
    whole = path.read_bytes()
    for _ in range(places):
        damaged = bytearray(whole)
        damaged[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        path.unlink()  # another file, whatever the clock says
        path.write_bytes(damaged)
        tokenise(texts, unigram, tmp_path, "key", tell=told.append)
        assert path.read_bytes() == whole
    assert len(told) == places
    assert all(line.startswith("damaged token file") and line.endswith("built again") for line in told)
    if name != "meta.json":
        assert all(f"({name} is not as it was written)" in line for line in told)


@pytest.mark.parametrize("room", ["in a temporary folder", "in memory"])
def test_a_cache_that_can_not_be_written_is_gone_without(
    room: str, unigram: Tokenizer, texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, notes, tally = tokenise(texts, unigram, tmp_path / "cache", "key"), list[str](), Tally()
    (tmp_path / "none").write_text("a file")
    (tmp_path / "temporary").mkdir()
    place = tmp_path / ("temporary" if room == "in a temporary folder" else "none")
    monkeypatch.setattr("tempfile.tempdir", str(place))
    found = tokenise(texts, unigram, tmp_path / "none", "key", tally, tell=notes.append)
    assert all((getattr(found, part) == getattr(whole, part)).all() for part in ("ids", "offsets", "bytes"))
    assert found.meta["documents"] == whole.meta["documents"]
    assert isinstance(found.ids, np.memmap) == (room == "in a temporary folder")
    assert not list((tmp_path / "temporary").iterdir())  # the files have no name any more
    found.forget()
    assert (found.ids == whole.ids).all()
    (note,) = notes
    assert note.startswith(f"the ids of the corpus are not kept: cannot write {tmp_path}/none/key: ")
    assert note.endswith(f"this run has them {room}")


def test_memory_takes_no_corpus_without_end(
    unigram: Tokenizer, texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "none").write_text("a file")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    monkeypatch.setattr("thaw.text.ids.MOST_IN_MEMORY", 1000)
    with pytest.raises(StorageError, match=r"no room for the ids of the corpus, .*: free space or set cache\.folder"):
        tokenise(texts, unigram, tmp_path / "none", "key")


def test_documents_that_can_be_read_once_alone_are_not_lost_in_silence(
    unigram: Tokenizer, texts: list[str], tmp_path: Path
) -> None:
    (tmp_path / "none").write_text("a file")
    with pytest.raises(StorageError, match="cannot write"):
        tokenise(iter(texts), unigram, tmp_path / "none", "key")


def test_nothing_to_encode(unigram: Tokenizer, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no document of the corpus has any piece"):
        tokenise(["\u200b"], unigram, tmp_path, "key")


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs /proc")
def test_what_was_read_can_be_given_back(unigram: Tokenizer, texts: list[str], tmp_path: Path) -> None:
    file = tokenise(texts * 40, unigram, tmp_path, "key")
    before = file.ids.copy()
    assert resident(tmp_path / "key" / "ids.bin") >= file.ids.nbytes // 1024 > 100
    file.forget()
    assert resident(tmp_path / "key" / "ids.bin") == 0
    assert (file.ids == before).all()
    assert (np.diff(file.offsets) > 0).all()


def resident(path: Path) -> int:
    """Return the kilobytes of a mapped file that count as memory of this process."""
    found, inside = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split()[0]:  # the line that begins a mapping
            inside = line.endswith(str(path))
        elif inside and line.startswith("Rss:"):
            found += int(line.split()[1])
    return found


@pytest.mark.slow
def test_processes_that_encode_end_with_their_parent(unigram: Tokenizer, tmp_path: Path) -> None:
    """They waited for more to encode for good: what they wait at is open in each of them."""
    unigram.save(tmp_path / "tokenizer")
    code = (
        "import itertools, pathlib; from thaw.text.ids import tokenise; from thaw.text.corpus import Tally\n"
        "from thaw.text.tokenizer import Tokenizer\n"
        "if __name__ == '__main__':\n"
        f"    root = pathlib.Path({str(tmp_path)!r}); unigram = Tokenizer.load(root / 'tokenizer')\n"
        "    tokenise(itertools.repeat('a cold day ' * 99), unigram, root, 'key', Tally(), 2)\n"
    )
    (tmp_path / "encode.py").write_text(code)
    with started([sys.executable, "encode.py"], tmp_path) as process:
        until(lambda: len(left(process.pid)) >= 3, process)
        until(lambda: any(path.stat().st_size for path in tmp_path.rglob("ids.bin")), process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        until(lambda: not left(process.pid))
