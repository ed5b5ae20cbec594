"""Passages: raw text, chosen without regard to the tokenizer."""

from pathlib import Path

import numpy as np
import pytest
from hard_strings import HARD

from thaw.text import passages, tokenizer
from thaw.text.corpus import Tally
from thaw.text.ids import tokenise
from thaw.text.passages import Passages, read, sample, to_read, words_of
from thaw.text.tokenizer import Tokenizer, TokenizerConfig


def test_bytes_are_those_of_the_raw_text() -> None:
    assert Passages(("ﬁne Ⅷ ½",)).bytes == 12  # "fine VIII 1⁄2" after NFKC: 15
    assert Passages(("e\u0301\u200b  x", "日")).bytes == 2 + 1 + 3 + 2 + 1 - 1 + 1 + 3 - 1 + 1
    assert Passages(("a", "b")).sha256 != Passages(("ab",)).sha256


def test_passages_are_short_whole_words_and_the_same_every_time(texts: list[str]) -> None:
    made = sample(texts)
    assert made == sample(texts)
    assert len(made.texts) == passages.PASSAGES == len(set(made.texts))
    words = {word for text in texts for word in text.split()}
    for text in made.texts:
        assert passages.CHARACTERS // 2 <= len(text) <= passages.CHARACTERS
        assert set(text.split()) <= words
    assert sample(["short", "texts", " "]).texts in {("short", "texts"), ("texts", "short")}


def test_text_without_spaces_is_cut_all_the_same() -> None:
    made = sample(["日" * 10 * passages.CHARACTERS])
    assert [len(text) for text in made.texts] == 10 * [passages.CHARACTERS]


def test_the_raw_text_of_documents_is_found_again(texts: list[str], unigram: Tokenizer, tmp_path: Path) -> None:
    corpus = ["\u200b", *texts[:5], "ﬁne Ⅷ ½ [MASK] kami", " \u200b ", *texts[5:]]  # two leave no ids
    file = tokenise(corpus, unigram, tmp_path, "key", Tally())
    kept = [text for text in corpus if text.strip(" \u200b")]
    assert len(file) == len(kept)
    numbers = np.array([5, 0, len(kept) - 1, 3])
    assert read(iter(corpus), file, unigram, numbers) == [kept[number] for number in numbers]
    assert read(iter([*texts[1:5], *corpus]), file, unigram, numbers) is None
    assert read(iter(corpus[:4]), file, unigram, numbers) is None


def test_nothing_is_read_behind_the_last_document(texts: list[str], unigram: Tokenizer, tmp_path: Path) -> None:
    file = tokenise(texts, unigram, tmp_path, "key")
    stream = iter(texts)
    assert read(stream, file, unigram, np.array([1, 3])) == [texts[1], texts[3]]
    assert next(stream) == texts[4]


def test_few_documents_are_read_however_many_are_held_out(
    texts: list[str], unigram: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tokenise(texts, unigram, tmp_path, "key")
    held_out = np.arange(0, 200, 2)
    monkeypatch.setattr(passages, "MOST_READ", 2000)
    chosen = to_read(file, held_out)
    assert set(chosen.tolist()) < set(held_out.tolist())
    assert 1000 < file.bytes[chosen].sum() <= 2000
    monkeypatch.setattr(passages, "MOST_READ", 1)
    assert len(to_read(file, held_out)) == 1


def test_tokenizers_draw_the_same_passages(texts: list[str], tmp_path: Path) -> None:
    found = []
    for size in (400, 800):
        made = tokenizer.train(texts, TokenizerConfig(vocab_size=size))
        file = tokenise(texts, made, tmp_path, str(size))
        documents = read(texts, file, made, to_read(file, np.arange(150, 200)))
        assert documents is not None
        found.append(sample(documents))
    assert found[0] == found[1]


def test_words_have_the_pieces_that_they_have_in_the_text(tokenizer: Tokenizer, word_piece: Path) -> None:
    berts = [text for text in HARD if "\x85" not in text]  # which BERT drops: a space for us
    for one, hard in ((tokenizer, HARD), (Tokenizer.load(word_piece), berts)):
        for text in (*hard, "Unaffable, running[mask]running.", "  un \u200b able"):
            words = [piece for ids in one.encode_batch(words_of(text)) for piece in ids.tolist()]
            assert words == one.encode(text).tolist(), text


def test_words_that_lose_characters_are_counted(word_piece: Path, unigram: Tokenizer) -> None:
    lowering = Tokenizer.load(word_piece)
    text = Passages(("Running runn Unaffable unaffable zebra , [",))
    assert lowering.encode("Running").tolist() == lowering.encode("running").tolist()
    about = text.about(lowering)
    assert (about["passages"], about["words"], about["lost_words"]) == (1, 7, 3)  # two capitals, one [UNK]
    assert about["bytes"] == len(text.texts[0])
    assert text.about(unigram)["lost_words"] == 0  # bytes stand for what has no piece
