"""A foreign tokenizer has the ids of AutoTokenizer, from whichever of its files the rules come."""

from pathlib import Path
from typing import Any

import pytest
from foreign_folder import BERT, GENERIC, PIECES, SPECIAL, Make, ids, lines, sample_texts, token, twin_json

from thaw.text.tokenizer import Tokenizer

N = len(PIECES)
NORMAL = {"special": True, "normalized": False}
MARKED = {"__type": "AddedToken", "lstrip": True, "content": "<user>", **NORMAL}
ENDS = ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\r"]


def decoder(*rows: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    """Return an added_tokens_decoder."""
    return {"added_tokens_decoder": {str(number): value for number, value in rows}}


def listed(*rows: tuple[int, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": number, **value} for number, value in rows]


VOCABULARIES = {
    "as it is": lines(PIECES),
    "no last line end": lines(PIECES)[:-1],
    "CR LF": lines(PIECES).replace("\n", "\r\n"),
    "pieces that end a line elsewhere": lines([*PIECES[:5], *ENDS, *PIECES[5:]]),
    "a piece twice": lines([*PIECES, "film", "the"]),
    "empty lines": lines([*PIECES[:7], "", "", *PIECES[7:]]),
    "blanks at the end": lines([*PIECES, "was ", "bad\u3000", "good\u00a0", " a"]),
}
SETTINGS: dict[str, dict[str, Any]] = {
    "no class": {},
    "cased": {**BERT, "do_lower_case": False},
    "accents kept": {**BERT, "strip_accents": False},
    "cased without accents": {**BERT, "do_lower_case": False, "strip_accents": True},
    "Chinese unparted": {**BERT, "tokenize_chinese_chars": False},
    "what only a slow tokenizer reads": {**BERT, "never_split": ["covid19"], "do_basic_tokenize": False},
    "an ELECTRA class": {"tokenizer_class": "ElectraTokenizerFast"},
    "a length": {**BERT, "model_max_length": 3, "truncation_side": "left", "padding_side": "left"},
    "a special one more": {**BERT, "user_token": "<user>", "bos_token": "covid19"},
    "extra special ones": {**BERT, "additional_special_tokens": ["<user>"]},
    "extra special ones by name": {**BERT, "extra_special_tokens": {"user_token": "<user>"}},
    "as transformers 5 writes them": {**BERT, "model_specific_special_tokens": {"user_token": "<user>"}},
    "and in a key too": {**BERT, "model_specific_special_tokens": {"user_token": "<user>"}, "user_token": "<user>"},
    "with a mark": {**BERT, "user_token": MARKED, "model_specific_special_tokens": {"a_token": "covid19"}},
    "the decoder": BERT | decoder((N, token("covid19")), (N + 1, token("<user>", **NORMAL))),
    "flags": BERT
    | decoder((N, token("covid19", single_word=True)), (N + 1, token("<user>", lstrip=True, rstrip=True))),
    "one that is in the vocabulary": BERT | decoder((PIECES.index("film"), token("film"))),
    "an accent": BERT | decoder((N, token("café")), (N + 1, token("CAFÉ", normalized=False))),
}
FILES: dict[str, dict[str, Any]] = {
    "added_tokens.json": {"added_tokens.json": {"covid19": N, "<user>": N + 1}},
    "in another order": {"added_tokens.json": {"<user>": N + 1, "covid19": N}},
    "with the special pieces": {
        "added_tokens.json": {piece: number for number, piece in enumerate(SPECIAL)} | {"a b": N}
    },
    "special in the map": {"special_tokens_map.json": {"additional_special_tokens": ["<user>", "covid19"]}},
    "the map and an id": {
        "special_tokens_map.json": {"additional_special_tokens": ["<user>"]},
        "added_tokens.json": {"<user>": N},
    },
    "extra in the map and an id": {
        "special_tokens_map.json": {"extra_special_tokens": ["<user>"]},
        "added_tokens.json": {"<user>": N},
    },
    "its own in both": {
        "special_tokens_map.json": {"extra_special_tokens": {"a_token": "<user>"}, "b_token": "was bad"},
        "tokenizer_config.json": BERT | {"model_specific_special_tokens": {"c_token": "covid19"}},
    },
    "a mask with a flag": {"special_tokens_map.json": {"mask_token": token("[MASK]", lstrip=True, normalized=False)}},
    "no settings": {"tokenizer_config.json": None},
}
MORE = listed((N, token("covid19")), (N + 1, token("<user>", **NORMAL)))
TWINS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "as it is": (BERT, {}),
    "generic": (GENERIC, {}),
    "generic and cased": (GENERIC, {"normalizer": {"lowercase": False}}),
    "both cased": (BERT | {"do_lower_case": False}, {"normalizer": {"lowercase": False}}),
    "short words": (GENERIC, {"model": {"max_input_chars_per_word": 3}}),
    "blanks alone part words": (GENERIC, {"pre_tokenizer": {"type": "WhitespaceSplit"}}),
    "added there": (BERT, {"added_tokens": MORE}),
    "generic, added there": (GENERIC, {"added_tokens": MORE}),
    "added there and in the settings": (
        BERT | decoder((N, token("covid19", single_word=True)), (N + 1, token("<user>", lstrip=True))),
        {"added_tokens": MORE},
    ),
    "generic, other flags in the settings": (
        GENERIC | decoder((N, token("covid19", single_word=True))),
        {"added_tokens": MORE},
    ),
    "generic, its own in the settings": (GENERIC | {"model_specific_special_tokens": {"a_token": "<user>"}}, {}),
    "generic, more in the settings": (GENERIC | decoder((N, token("covid19"))), {}),
    "truncated": (
        GENERIC,
        {"truncation": {"type": 0, "direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0}},
    ),
}


@pytest.fixture(scope="session")
def auto() -> Any:
    """AutoTokenizer."""
    return pytest.importorskip("transformers").AutoTokenizer


def same(folder: Path, auto: Any) -> None:
    texts = [
        *sample_texts(folder),
        "the covid19 film",
        "COVID19 <USER> Covid19",
        "the <user> was bad",
        "x<user>y a b ab",
    ]
    theirs = auto.from_pretrained(folder)
    for text, found in zip(texts, ids(folder, texts), strict=True):
        assert found == theirs(text, add_special_tokens=False)["input_ids"], repr(text)


@pytest.mark.parametrize("case", VOCABULARIES)
def test_vocab_txt(case: str, make: Make, auto: Any) -> None:
    same(make({"vocab.txt": VOCABULARIES[case]}), auto)


@pytest.mark.parametrize("case", SETTINGS)
def test_settings(case: str, make: Make, auto: Any) -> None:
    same(make({"tokenizer_config.json": SETTINGS[case]}), auto)


@pytest.mark.parametrize("case", FILES)
def test_files_beside_vocab_txt(case: str, make: Make, auto: Any) -> None:
    same(make(FILES[case]), auto)


@pytest.mark.parametrize("case", TWINS)
def test_tokenizer_json(case: str, make: Make, auto: Any) -> None:
    settings, changes = TWINS[case]
    same(make({"vocab.txt": None, "tokenizer.json": twin_json(**changes), "tokenizer_config.json": settings}), auto)


@pytest.mark.parametrize("kind", ["Unigram", "BPE"])
def test_a_vocabulary_of_sentencepiece(kind: str, make: Make, auto: Any) -> None:
    pieces = [*SPECIAL, "▁", "▁the", "▁film", "f", "i", "l", "m", "s", "▁was", "th", "he", "日", "é", "▁f", "fi"]
    model: dict[str, Any] = {"type": kind, "unk_id": 1, "vocab": [[piece, -1.0 * n] for n, piece in enumerate(pieces)]}
    if kind == "BPE":
        merges = ["▁ f", "f i"]
        model = {"type": kind, "unk_token": "[UNK]", "fuse_unk": True, "byte_fallback": False, "merges": merges}
        model["vocab"] = {piece: number for number, piece in enumerate(pieces)}
    marks = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    added = listed((len(pieces), token("covid19")), (len(pieces) + 1, token("<user>", **NORMAL)))
    content = twin_json(
        normalizer={"type": "NFKC"}, pre_tokenizer=marks, model=model, added_tokens=added, decoder=marks
    )
    folder = make({"vocab.txt": None, "tokenizer.json": content, "tokenizer_config.json": GENERIC})
    same(folder, auto)
    loaded = Tokenizer.load(folder)
    assert loaded.word_start[[6, 7]].all()
    assert loaded.encode("<user>").tolist() == [len(pieces) + 1]


def test_modernbert_takes_tokenizer_json_whatever_its_class(make: Make, auto: Any) -> None:
    changes = {"vocab.txt": None, "tokenizer.json": twin_json(normalizer={"lowercase": False})}
    same(make(changes, model="modernbert"), auto)


def test_a_line_ends_at_lf_alone(make: Make) -> None:
    folder = make({"vocab.txt": lines([*PIECES[:5], *ENDS, *PIECES[5:]])})
    first = len(SPECIAL) + len(ENDS)
    assert ids(folder, ["the film was good."]) == [[first, first + 1, first + 2, first + 3, first + 4]]
    assert Tokenizer.load(folder).vocab_size == len(PIECES) + len(ENDS)


def test_added_tokens_are_one_piece_and_special_pieces_are_text(make: Make, tmp_path: Path) -> None:
    special = {"special_tokens_map.json": {"extra_special_tokens": ["<user>"]}, "added_tokens.json": {"<user>": N}}
    loaded = Tokenizer.load(make(special))
    assert loaded.encode("the <user> was").tolist() == [PIECES.index("the"), N, PIECES.index("was")]
    assert loaded.mask_id not in loaded.encode("the [MASK] was")
    assert loaded.decode([5, N, 7]) == "the <user> was"
    loaded.save(tmp_path / "copy")
    again = Tokenizer.load(tmp_path / "copy")
    assert again.fingerprint == loaded.fingerprint
    assert again.encode("x<user>y [SEP]").tolist() == loaded.encode("x<user>y [SEP]").tolist()


def test_special_pieces_of_other_names(make: Make) -> None:
    named = dict(
        zip(
            ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"),
            "<p> <u> <s> </s> <m>".split(),
            strict=True,
        )
    )
    pieces = lines([*named.values(), *PIECES[5:]])
    loaded = Tokenizer.load(make({"vocab.txt": pieces, "special_tokens_map.json": named}))
    assert loaded.special_ids == [0, 1, 2, 3, 4]
    assert loaded.encode("zzz film").tolist() == [1, 6]


def test_a_frame_of_its_own_is_told(make: Make) -> None:
    twice = {
        "type": "RobertaProcessing",
        "sep": ["[SEP]", 3],
        "cls": ["[CLS]", 2],
        "trim_offsets": True,
        "add_prefix_space": False,
    }
    folder = make(
        {"vocab.txt": None, "tokenizer.json": twin_json(post_processor=twice), "tokenizer_config.json": GENERIC}
    )
    loaded = Tokenizer.load(folder)
    assert loaded.frame() == ""
    assert "[CLS] a [SEP] [SEP] [UNK] [SEP]" in loaded.frame(pair=True)
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')
    assert Tokenizer.load(folder).frame(pair=True) == ""  # BertTokenizer does not look at it
