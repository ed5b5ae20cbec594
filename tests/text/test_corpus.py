import gzip
import json
import tracemalloc
from pathlib import Path

import pytest
from made_up_text import made_up

from thaw.errors import ConfigError, DataError
from thaw.text import files
from thaw.text.corpus import CorpusConfig, Documents, Tally, documents, fingerprint


def test_documents_can_be_read_again_and_are_counted_once(texts: list[str], tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("\n\n".join(texts) + "\n", "utf-8")
    found = Documents(CorpusConfig(paths=[str(tmp_path / "text.txt")]))
    next(iter(found))
    assert [list(found), list(found)] == [texts, texts]
    assert found.tally.documents == len(texts)


@pytest.fixture
def config(texts: list[str], tmp_path: Path) -> CorpusConfig:
    (tmp_path / "text.txt").write_text("\n\n".join(texts) + "\n", "utf-8")
    return CorpusConfig(paths=[str(tmp_path / "text.txt")])


def write_all(folder: Path, texts: list[str]) -> dict[str, Path]:
    """The same documents in each format."""
    plain = "\n\n".join(texts) + "\n"
    rows = "".join(json.dumps({"text": text, "id": number}) + "\n" for number, text in enumerate(texts))
    contents = {
        "a.txt": plain.encode(),
        "b.txt.gz": gzip.compress(plain.encode()),
        "c.jsonl": rows.encode(),
        "d.jsonl.gz": gzip.compress(rows.encode()),
        "crlf.txt": plain.replace("\n", "\r\n").encode(),
        "cr.txt": plain.replace("\n", "\r").encode(),
        "bom.txt": b"\xef\xbb\xbf" + plain.encode(),
        "spaces.txt": b"\n \n" + plain.replace("\n\n", "\n \t\n\n").encode(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in contents}


def test_every_format_gives_the_same_documents(texts: list[str], tmp_path: Path) -> None:
    for path in write_all(tmp_path, texts).values():
        assert list(documents(CorpusConfig(paths=[str(path)]))) == texts, path


def test_chunk_borders_do_not_show(texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = write_all(tmp_path, texts[:20])
    for size in (1, 2, 3, 7, 1000):
        monkeypatch.setattr(files, "CHUNK", size)
        for name in ("a.txt", "b.txt.gz", "crlf.txt", "bom.txt"):
            assert list(documents(CorpusConfig(paths=[str(paths[name])]))) == texts[:20], (size, name)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1", "utf-32"])
def test_other_encodings_when_named(encoding: str, texts: list[str], tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes("\n\n".join(texts).encode(encoding))
    assert list(documents(CorpusConfig(paths=[str(tmp_path / "x.txt")], encoding=encoding))) == texts


def test_folders_globs_and_repeats(texts: list[str], tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name, some in (("1.txt", texts[:50]), ("deep/2.txt", texts[50:100])):
        (tmp_path / name).write_text("\n\n".join(some), "utf-8")
    (tmp_path / "README.md").write_text("Not part of the corpus.")
    (tmp_path / "meta.json").write_text("{}")
    (tmp_path / "loop").symlink_to(tmp_path)
    whole = list(documents(CorpusConfig(paths=[str(tmp_path)])))
    assert whole == texts[:100]
    assert list(documents(CorpusConfig(paths=[f"{tmp_path}/**/*.txt", str(tmp_path / "1.txt")]))).count(texts[0]) == 1


def test_one_document_a_line_and_a_limit(config: CorpusConfig, texts: list[str]) -> None:
    lines = "\n".join(texts).split("\n")
    config.document = "line"
    assert list(documents(config)) == lines
    config.max_documents = 7
    tally = Tally()
    assert list(documents(config, tally)) == lines[:7]
    assert (tally.documents, tally.characters) == (7, sum(map(len, lines[:7])))


def test_text_key(texts: list[str], tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("".join(json.dumps({"body": text}) + "\n" for text in texts))
    assert list(documents(CorpusConfig(paths=[str(tmp_path / "x.jsonl")], text_key="body"))) == texts
    with pytest.raises(DataError, match=r"x.jsonl:1 has no key 'bodi', did you mean 'body'"):
        list(documents(CorpusConfig(paths=[str(tmp_path / "x.jsonl")], text_key="bodi")))


def test_long_documents_are_cut_at_spaces_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(f"word{number}" for number in range(5000))
    for ending, name in (("", "line.txt"), ("\n", "paragraphs.txt"), ("", "rows.jsonl")):
        body = text.replace(" ", "\n") if ending else text
        (tmp_path / name).write_text(json.dumps({"text": body}) if name.endswith("jsonl") else body)
        monkeypatch.setattr(files, "MAX_CHARACTERS", 1000)
        found = list(documents(CorpusConfig(paths=[str(tmp_path / name)])))
        assert max(map(len, found)) <= 1001
        assert len(found) > 30
        assert " ".join(found).split() == text.split()


def test_half_characters_in_json_are_replaced(texts: list[str], tmp_path: Path) -> None:
    rows = [json.dumps({"text": text}) for text in texts]
    (tmp_path / "x.jsonl").write_text('{"text": "half \\ud83d emoji"}\n' + "\n".join(rows))
    first = next(documents(CorpusConfig(paths=[str(tmp_path / "x.jsonl")])))
    assert first.encode().decode() == first


def test_fingerprint_follows_content_not_place(config: CorpusConfig, texts: list[str], tmp_path: Path) -> None:
    before = fingerprint(config)
    other = tmp_path / "elsewhere" / "name.txt.gz"
    other.parent.mkdir()
    other.write_bytes(gzip.compress(Path(config.paths[0]).read_bytes()))
    assert fingerprint(CorpusConfig(paths=[str(other)])) == before
    assert fingerprint(CorpusConfig(paths=config.paths, document="line")) != before
    assert fingerprint(CorpusConfig(paths=config.paths, max_documents=3)) != before
    with Path(config.paths[0]).open("a") as file:
        file.write("x")
    changed = fingerprint(config)
    assert changed != before
    held = tmp_path / "held.txt"
    held.write_text(texts[3].split("\n")[0])
    assert fingerprint(CorpusConfig(paths=config.paths, exclude=[str(held)])) != changed


@pytest.mark.parametrize("form", ["txt", "jsonl", "tokens.jsonl", "csv", "tsv", "json"])
def test_held_out_texts_are_kept_out(form: str, config: CorpusConfig, texts: list[str], tmp_path: Path) -> None:
    paragraph, whole = texts[3].split("\n")[1], texts[8].replace("\n", " ").upper()
    rows = {
        "txt": f"{paragraph}\n{whole}\n",
        "jsonl": "".join(json.dumps({"text_a": text, "label": "x"}) + "\n" for text in (paragraph, whole)),
        "tokens.jsonl": "".join(json.dumps({"tokens": text.split(), "tags": []}) + "\n" for text in (paragraph, whole)),
        "csv": f'text,label\n"{paragraph}",x\n"{whole}",y\n',
        "tsv": f"text\tlabel\n{paragraph}\tx\n{whole}\ty\n",
        "json": json.dumps({"data": [{"paragraphs": [{"context": paragraph, "qas": []}, {"context": whole}]}]}),
    }
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / f"test.{form}").write_text(rows[form], "utf-8")
    (folder / f"train.{form}").write_text(rows[form].replace(paragraph, texts[0].replace("\n", " ")), "utf-8")
    config.exclude = [str(folder)]  # of a folder: dev and test
    tally = Tally()
    assert list(documents(config, tally)) == [text for number, text in enumerate(texts) if number not in (3, 8)]
    assert tally.excluded == 2


def test_streaming_memory_does_not_grow(tmp_path: Path) -> None:
    block = "\n\n".join(made_up(500)) + "\n\n"
    peaks = []
    for copies in (8, 40):
        path = tmp_path / f"{copies}.txt"
        with path.open("w", encoding="utf-8") as file:
            for _ in range(copies * 4):
                file.write(block)
        tracemalloc.start()
        count = sum(1 for _ in documents(CorpusConfig(paths=[str(path)])))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert count == copies * 4 * 500
    assert path.stat().st_size > 20e6
    assert peaks[1] < 1.1 * peaks[0], peaks


def test_hugging_face_data_set_from_a_folder(texts: list[str], tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "train.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    config = CorpusConfig(hub=str(tmp_path / "set"))
    assert list(documents(config)) == texts
    assert fingerprint(config) == fingerprint(CorpusConfig(hub=str(tmp_path / "set")))
    with pytest.raises(DataError, match="no key 'txt', did you mean 'text'"):
        list(documents(CorpusConfig(hub=str(tmp_path / "set"), text_key="txt")))


def test_hub_out_of_reach_is_one_line() -> None:
    pytest.importorskip("datasets")
    with pytest.raises(
        ConfigError, match=r"corpus.hub=nobody/nothing can not be loaded: .* or give corpus.paths"
    ) as caught:
        list(documents(CorpusConfig(hub="nobody/nothing")))
    assert "\n" not in str(caught.value)


def test_no_source() -> None:
    with pytest.raises(ConfigError, match=r"no corpus given: set corpus\.paths"):
        list(documents(CorpusConfig()))
