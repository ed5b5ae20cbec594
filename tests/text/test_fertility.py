from thaw.text import tokenizer as tokenizers
from thaw.text.fertility import fertility
from thaw.text.tokenizer import Tokenizer, TokenizerConfig


def test_counts_by_hand(unigram: Tokenizer) -> None:
    texts = ["kami tore", "日", ""]
    ids = [unigram.encode(text) for text in texts]
    found = fertility(unigram, texts, max_length=len(ids[0]) + 1)
    pieces = sum(map(len, ids))
    assert (found["texts"], found["words"], found["pieces"], found["bytes"]) == (3, 3, pieces, 9 + 3)
    assert found["pieces_per_word"] == pieces / 3
    assert found["unknown_rate"] == 0
    assert found["byte_rate"] == 3 / pieces
    over = [len(some) - (len(ids[0]) - 1) for some in ids]  # one piece of the first text does not fit
    assert found["lost"] == sum(one for one in over if one > 0)
    assert found["truncated_share"] == sum(one > 0 for one in over) / 3


def test_unknown_without_byte_fallback(texts: list[str]) -> None:
    plain = tokenizers.train(texts, TokenizerConfig(vocab_size=300, byte_fallback=False))
    assert fertility(plain, ["kami 日"])["unknown"] == 1
    assert fertility(plain, [])["pieces_per_word"] is None
