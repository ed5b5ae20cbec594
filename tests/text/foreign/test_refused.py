"""What is not honoured of a foreign tokenizer is refused in one line that names it; nothing crashes or hangs here."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from foreign_folder import BERT, GENERIC, PIECES, SPECIAL, Make, lines, token, twin_json

from thaw.errors import ConfigError, DataError, StorageError, ThawError
from thaw.text.foreign import probe as probes
from thaw.text.foreign.bounds import explosive
from thaw.text.tokenizer import Tokenizer

N = len(PIECES)


def decoder(*rows: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    return {**BERT, "added_tokens_decoder": {str(number): value for number, value in rows}}


def alone(settings: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the files of a folder whose vocabulary is in tokenizer.json."""
    return {"vocab.txt": None, "tokenizer.json": twin_json(**changes), "tokenizer_config.json": settings}


COVID = [{"id": N, **token("covid19")}]
CONTRADICTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "an id that is not the next": (
        {"added_tokens.json": {"covid19": N + 4}},
        rf"added_tokens.json gives .*'covid19' the id {N + 4}.* it {N}",
    ),
    "an id of another piece": (
        {"added_tokens.json": {"film": N}},
        rf"added_tokens.json gives .*'film' the id {N}, vocab.txt leaves it 6",
    ),
    "an id of a special piece": (
        {"tokenizer_config.json": decoder((9, token("[MASK]", special=True)))},
        r"tokenizer_config.json gives .*'\[MASK\]' the id 9",
    ),
    "after a piece that is there twice": (
        {"vocab.txt": lines([*PIECES, "film"]), "added_tokens.json": {"covid19": N + 1}},
        rf"'covid19' the id {N + 1}",
    ),
    "without an id after a piece that is there twice": (
        {"vocab.txt": lines([*PIECES, "film"]), "special_tokens_map.json": {"additional_special_tokens": ["covid19"]}},
        rf"'covid19' gets the id {N}, that of 'film'",
    ),
    "overlooked by the decoder": (
        {"tokenizer_config.json": decoder((N, token("covid19"))), "added_tokens.json": {"covid19": N, "<user>": N + 1}},
        "added_tokens.json has the added token '<user>'.*added_tokens_decoder of tokenizer_config.json",
    ),
    "overlooked in the map": (
        {
            "tokenizer_config.json": decoder((N, token("covid19"))),
            "special_tokens_map.json": {"additional_special_tokens": ["<u>"]},
        },
        "special_tokens_map.json has the added token '<u>'",
    ),
    "own ones that transformers reads over": (
        {"tokenizer_config.json": {**BERT, "model_specific_special_tokens": {"a_token": "<u>"}, "b_token": "<user>"}},
        "tokenizer_config.json has the added token '<u>'",
    ),
    "overlooked in tokenizer.json": (
        alone(decoder(), added_tokens=COVID),
        "tokenizer.json has the added token 'covid19'",
    ),
    "two masks": (
        {
            "tokenizer_config.json": {**BERT, "mask_token": "[MASK]"},
            "special_tokens_map.json": {"mask_token": "<mask>"},
        },
        r"tokenizer_config.json has mask_token='\[MASK\]', special_tokens_map.json has '<mask>'",
    ),
    "two cases": (
        alone(BERT | {"do_lower_case": True}, normalizer={"lowercase": False}),
        "tokenizer.json has lowercase=False, tokenizer_config.json has do_lower_case=True",
    ),
    "a case by default": (
        alone(BERT, normalizer={"lowercase": False}),
        "BertTokenizer has True without do_lower_case in tokenizer_config.json",
    ),
    "accents": (alone(BERT, normalizer={"strip_accents": False}), "tokenizer.json has strip_accents=False"),
    "a normaliser of its own": (alone(BERT, normalizer={"type": "NFKC"}), "tokenizer.json has normalizer='NFKC'"),
    "words parted otherwise": (
        alone(BERT, pre_tokenizer={"type": "WhitespaceSplit"}),
        "pre_tokenizer='WhitespaceSplit'",
    ),
    "longer words": (alone(BERT, model={"max_input_chars_per_word": 200}), "max_input_chars_per_word=200"),
    "another unknown piece": (alone(GENERIC | {"unk_token": "<unk>"}), r"'\[UNK\]' for what .* unk_token='<unk>'"),
    "two vocabularies": (
        {"tokenizer.json": twin_json(), "vocab.txt": lines([*PIECES[:7], *reversed(PIECES[7:])])},
        "vocab.txt has the piece 'film' under|vocab.txt has the piece .* under the id 7, tokenizer.json has",
    ),
    "a flag that is a word": (
        {"tokenizer_config.json": {**BERT, "do_lower_case": "false"}},
        "do_lower_case='false', expected true",
    ),
    "split special pieces": (
        {"tokenizer_config.json": {**BERT, "split_special_tokens": True}},
        "split_special_tokens=true",
    ),
    "pieces at random": (
        alone(GENERIC, model={"type": "BPE", "vocab": {"a": 0}, "merges": [], "dropout": 0.1}),
        "dropout=0.1",
    ),
    "files by version": (
        alone(GENERIC | {"fast_tokenizer_files": ["tokenizer.json", "tokenizer.4.0.json"]}),
        "fast_tokenizer_files",
    ),
    "code": (
        {"tokenizer_config.json": {"auto_map": {"AutoTokenizer": ["tok.Tok", None]}}},
        "code of its own in auto_map",
    ),
    "settings that are a list": ({"tokenizer_config.json": []}, "tokenizer_config.json is no JSON object"),
    "a special piece that is a word": (
        {"special_tokens_map.json": {"mask_token": "film"}},
        "it has mask_token='film', which stands in ordinary texts",
    ),
    "two added tokens of one form": (
        {"added_tokens.json": {"CAFÉS": N, "cafés": N + 1}},
        "'CAFÉS' and 'cafés' are both 'cafes' when normalised",
    ),
    "no unknown piece": ({"vocab.txt": lines([*SPECIAL[:1], *PIECES[2:]])}, r"no piece \[UNK\]"),
    "no mask": ({"vocab.txt": lines([piece for piece in PIECES if piece != "[MASK]"])}, r"no piece \[MASK\]"),
    "no UTF-8": ({"vocab.txt": lines(PIECES).encode() + b"\xff\n"}, "vocab.txt is not UTF-8"),
}
CLASSES = ["BertJapaneseTokenizer", "RobertaTokenizerFast", "MPNetTokenizer", "CanineTokenizer", "NoSuchTokenizer"]


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_contradictions(case: str, make: Make) -> None:
    changes, message = CONTRADICTIONS[case]
    with pytest.raises(ThawError, match=message) as caught:
        Tokenizer.load(make(changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_of_other_rules(name: str, make: Make) -> None:
    folder = make({"tokenizer_config.json": {"tokenizer_class": name}})
    with pytest.raises(
        DataError, match=f"vocab.txt is not all that tokenizer_class='{name.removesuffix('Fast')}' reads"
    ):
        Tokenizer.load(folder)
    (folder / "tokenizer.json").write_text(json.dumps(twin_json()))
    with pytest.raises(DataError, match="bring it in with `thaw import`"):
        Tokenizer.load(folder)


def test_a_class_that_config_json_names(make: Make) -> None:
    with pytest.raises(DataError, match="tokenizer_class='BertJapaneseTokenizer'"):
        Tokenizer.load(make({"tokenizer_config.json": None}, tokenizer_class="BertJapaneseTokenizer"))


def test_vocab_txt_is_not_what_modernbert_reads(make: Make) -> None:
    with pytest.raises(DataError, match=r"model_type='modernbert' reads, and tokenizer.json is missing"):
        Tokenizer.load(make(model="modernbert"))


@pytest.mark.parametrize("names", [["vocab.json", "merges.txt"], ["spiece.model"], ["sentencepiece.bpe.model"]])
def test_other_vocabularies_are_named(names: list[str], make: Make) -> None:
    folder = make({"vocab.txt": None, **dict.fromkeys(names, "{}")})
    with pytest.raises(ConfigError, match=f"{' and '.join(names)} there are not read: write it as tokenizer.json"):
        Tokenizer.load(folder)


def test_a_model_that_counts_more_than_vocab_txt(make: Make) -> None:
    with pytest.raises(DataError, match=r"both vocab.txt and tokenizer.model, of which AutoTokenizer reads the latter"):
        Tokenizer.load(make({"tokenizer.model": "x"}))


def test_byte_level_pieces(make: Make) -> None:
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    model = {
        "type": "BPE",
        "vocab": {"▁a": 0, "b": 1, **{piece: n + 2 for n, piece in enumerate(SPECIAL)}},
        "merges": [],
    }
    with pytest.raises(DataError, match="byte-level pieces, which mark no word borders"):
        Tokenizer.load(make(alone(GENERIC, pre_tokenizer=level, model=model), model="modernbert"))


LONG = "x" * 1001
BEYOND: dict[str, tuple[dict[str, Any], str]] = {
    "a piece": ({"vocab.txt": lines([*PIECES, LONG])}, "has 1001 characters, at most 1000"),
    "a piece of Unigram": (
        alone(GENERIC, model={"type": "Unigram", "unk_id": 1, "vocab": [[p, 0.0] for p in [*SPECIAL, "▁" + LONG]]}),
        "1002 characters",
    ),
    "an added token": ({"added_tokens.json": {LONG: N}}, "has 1001 characters"),
    "words": (
        alone(GENERIC, model={"max_input_chars_per_word": 10**9}),
        "max_input_chars_per_word=1000000000, at most",
    ),
    "rules": (
        alone(GENERIC, normalizer={"type": "Sequence", "normalizers": [{"type": "Lowercase"}] * 101}),
        "has 102 rules, at most 100",
    ),
    "a rule": (alone(GENERIC, normalizer={"type": "Prepend", "prepend": LONG}), "a rule of 1001 characters"),
    "a pattern": (
        alone(GENERIC, normalizer={"type": "Replace", "pattern": {"Regex": "(a+)+$"}, "content": ""}),
        r"the pattern '\(a\+\)\+\$'",
    ),
}


@pytest.mark.parametrize("case", BEYOND)
def test_bounds(case: str, make: Make) -> None:
    changes, message = BEYOND[case]
    with pytest.raises(DataError, match=message):
        Tokenizer.load(make(changes))


def replace(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}


PART = {"behavior": "Isolated", "invert": False}
FATAL: dict[str, dict[str, Any]] = {
    "a panic": {"pre_tokenizer": {"type": "FixedLength", "length": 0}},
    "a table out of bounds": {
        "normalizer": {"type": "Precompiled", "precompiled_charsmap": "CAAAAP////8AAAAAYWJjAA=="}
    },
    "a power of the length": {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "a*a*a*a*$"}, **PART}},
}


@pytest.mark.parametrize("case", FATAL)
def test_what_the_library_fails_on(case: str, make: Make) -> None:
    with pytest.raises((DataError, StorageError), match=r"the tokenizers library|damaged tokenizer") as caught:
        Tokenizer.load(make(alone(GENERIC, **FATAL[case])))
    assert "\n" not in str(caught.value)


def test_an_unknown_piece_that_the_model_lacks(make: Make) -> None:
    content = twin_json(model={"vocab": {piece: n for n, piece in enumerate(p for p in PIECES if p != "[UNK]")}})
    content["added_tokens"] = [{"id": N - 1, **token("[UNK]", special=True, normalized=False)}]
    with pytest.raises(StorageError, match=r"the tokenizers library fails on it .*Missing \[UNK\] token"):
        Tokenizer.load(make({"vocab.txt": None, "tokenizer.json": content, "tokenizer_config.json": GENERIC}))


def test_what_takes_all_memory(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "BYTES", 1 << 27)
    doubled = {"type": "Sequence", "normalizers": [replace({"String": "a"}, "aa")] * 40}
    with pytest.raises((DataError, StorageError), match="the tokenizers library"):
        Tokenizer.load(make(alone(GENERIC, normalizer=doubled)))


def test_what_takes_all_time(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "SECONDS", 1)
    doubled = {"type": "Sequence", "normalizers": [replace({"String": "a"}, "aa")] * 18}
    with pytest.raises((DataError, StorageError), match="more than 1 s of a processor"):
        Tokenizer.load(make(alone(GENERIC, normalizer=doubled)))


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(?:a|aa)*b", r"(\w\d?)+", r"(a)\1", "((a*)){2,}", "([)]+)*", "(x(y|z)w)+"]
)
def test_patterns_without_a_bound(pattern: str) -> None:
    assert explosive(pattern)


@pytest.mark.parametrize(
    "pattern",
    [" {2,}", r"\s+", "[(+)]+", r"\(a+\)+", "^ | $", r"\[(?=(?:PAD|UNK)\])", "(ab)+", r"[^\w\s]|\p{L}+", r"\\1"],
)
def test_patterns_with_one(pattern: str) -> None:
    assert not explosive(pattern)


def test_a_module_beside_the_user_is_not_imported(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tokenizers.py").write_text("raise SystemExit(7)\n")
    monkeypatch.chdir(tmp_path)
    assert Tokenizer.load(make({"added_tokens.json": {"beside": N}})).vocab_size == N + 1


def test_a_comparison_has_texts_with_what_autotokenizer_alone_adds(make: Make, tmp_path: Path) -> None:
    """A class may add tokens that no file names: here they stand in the copy that AutoTokenizer reads."""
    pytest.importorskip("transformers")
    folder = make({})
    copy = shutil.copytree(folder, tmp_path / "copy")
    words = [sys.executable, "-m", "thaw.text.foreign.child", str(folder), "60", str(4 << 30), str(copy)]
    first = subprocess.run(words, capture_output=True, text=True, check=True)
    assert json.loads(first.stdout.splitlines()[-1])["wrong"] is None
    (copy / "tokenizer_config.json").write_text(json.dumps({**BERT, "image_token": "<user>"}))
    second = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "<user>" in json.loads(second.stdout.splitlines()[-1])["wrong"]
