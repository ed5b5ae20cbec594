"""PLL-word-l2r: the number of transformers and masks set by hand; what must not matter does not."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from thaw.encoder import checkpoint
from thaw.encoder.config import EncoderConfig
from thaw.encoder.model import Encoder
from thaw.objective.mlm import MLMHead
from thaw.text import tokenizer as tokenizers
from thaw.text.passages import Passages
from thaw.text.tokenizer import Tokenizer, TokenizerConfig
from thaw.train.config import OptimConfig
from thaw.train.likelihood import WordLikelihood
from thaw.train.pretrain import PretrainModule

SHAPE = EncoderConfig(name="test", layers=2, hidden=32, heads=2, intermediate=48, max_positions=64)
SYLLABLES = "ka mi to ra su ne lo vi pa du".split()
TEXTS = ("Kamito rasu-nelo vi, padu!", "ﬁne Ⅷ ½", "to kamikamikami", "ra", "日本 toné  su")


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    draw = np.random.default_rng(0)
    words = ["".join(draw.choice(SYLLABLES, draw.integers(1, 5))) for _ in range(3000)]
    return tokenizers.train([" ".join(words[i : i + 20]) for i in range(0, 3000, 20)], TokenizerConfig(vocab_size=300))


@pytest.fixture(scope="module")
def module(tokenizer: Tokenizer) -> PretrainModule:
    """A random encoder with dropout whose predictions differ from piece to piece."""
    encoder = Encoder(SHAPE, tokenizer.vocab_size)
    head = MLMHead(SHAPE, tokenizer.vocab_size, encoder.word_weight)
    made = PretrainModule(encoder, head, OptimConfig(), seed=1, steps=1, epoch_steps=1)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in made.parameters():
            weight += 0.3 * torch.randn(weight.shape, generator=generator) if weight.dim() > 1 else 0.1
    return made


def words_of(tokenizer: Tokenizer, text: str, ids: list[int]) -> list[list[int]]:
    """The places of each word's pieces in the ids of a whole text: a piece that begins with the border begins one."""
    words: list[list[int]] = []
    for place, piece in enumerate(tokenizer.pieces(ids)):
        if piece.startswith("▁"):
            words.append([])
        words[-1].append(place)
    return words


def test_transformers_and_masks_by_hand_give_the_same_number(
    tokenizer: Tokenizer, module: PretrainModule, tmp_path: Path
) -> None:
    transformers = pytest.importorskip("transformers")
    folder = tmp_path / "checkpoint"
    checkpoint.save(folder, encoder=module.encoder, tokenizer=tokenizer, mlm_head=module.head, lineage={}, card="")
    theirs = transformers.AutoModelForMaskedLM.from_pretrained(folder).eval()
    their_tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    total, several = 0.0, 0
    for text in TEXTS:
        ids = their_tokenizer(text)["input_ids"]
        for word in words_of(tokenizer, text, ids[1:-1]):
            several += len(word) > 1
            for number, place in enumerate(word):
                inputs = torch.tensor([ids])
                for right in word[number:]:
                    inputs[0, right + 1] = their_tokenizer.mask_token_id
                with torch.no_grad():
                    scores = theirs(input_ids=inputs).logits[0, place + 1].log_softmax(-1)
                total += float(scores[ids[place + 1]])
    assert several > 5
    raw = sum(len(text.encode("utf-8")) for text in TEXTS)
    measured = WordLikelihood(Passages(TEXTS), tokenizer, 64)(module)
    assert measured["dev/word_bits_per_byte"] == pytest.approx(-total / math.log(2) / raw, abs=1e-4)
    assert measured["dev/word_bits_per_byte"] > 2  # so that 1e-4 is small


def test_a_word_is_scored_without_its_right_part(tokenizer: Tokenizer, module: PretrainModule) -> None:
    made = WordLikelihood(Passages(("kamito rasu",)), tokenizer, 64)
    (window,) = made.windows
    inputs, _, positions, targets = made.masked([(0, place) for place in range(len(window.ids))])
    first = int(window.ends[0])
    assert first > 1
    assert targets.tolist() == window.ids.tolist()
    for place in range(first):
        expected = [tokenizer.cls_id, *window.ids, tokenizer.sep_id]
        expected[place + 1 : first + 1] = [tokenizer.mask_id] * (first - place)
        assert inputs[place].tolist() == expected
        assert int(positions[place]) == place * inputs.shape[1] + place + 1


@pytest.mark.parametrize(
    "change",
    [
        lambda texts, tokenizer: WordLikelihood(Passages(texts), tokenizer, 64, batch_tokens=1),  # a row a batch
        lambda texts, tokenizer: WordLikelihood(Passages(texts), tokenizer, 64, batch_tokens=10**9),  # all padded
        lambda texts, tokenizer: WordLikelihood(Passages(texts[::-1]), tokenizer, 64),
    ],
)
def test_batches_padding_and_order_do_not_matter(
    change: Callable[..., WordLikelihood], tokenizer: Tokenizer, module: PretrainModule
) -> None:
    plain = WordLikelihood(Passages(TEXTS), tokenizer, 64)(module)
    assert change(TEXTS, tokenizer)(module) == pytest.approx(plain, rel=1e-6)
    assert WordLikelihood(Passages(TEXTS), tokenizer, 64)(module) == plain  # to the bit


def test_what_is_longer_than_a_block_is_cut_between_words(tokenizer: Tokenizer, module: PretrainModule) -> None:
    texts = ("kamito rasu nelo " * 6, "kamito" * 20)
    made = WordLikelihood(Passages(texts), tokenizer, 16)
    assert max(len(window.ids) for window in made.windows) <= 14
    for number, text in enumerate(texts):
        ids = [piece for window in made.windows if window.passage == number for piece in window.ids.tolist()]
        assert ids == tokenizer.encode(text).tolist()
    for window in made.windows:
        assert window.passage == 1 or tokenizer.word_start[window.ids[0]]
        assert window.ends[-1] == len(window.ids)
    assert all(scores.max() < 0 for scores in made.scores(module))


def test_the_module_is_left_as_it_was(tokenizer: Tokenizer, module: PretrainModule) -> None:
    module.train()
    module.encoder.layers[0].eval()  # a frozen layer
    before = {name: part.training for name, part in module.named_modules()}
    WordLikelihood(Passages(TEXTS), tokenizer, 64)(module)
    assert {name: part.training for name, part in module.named_modules()} == before


def test_uniform_predictions_cost_the_logarithm_of_the_vocabulary(tokenizer: Tokenizer) -> None:
    encoder = Encoder(SHAPE, tokenizer.vocab_size)
    head = MLMHead(SHAPE, tokenizer.vocab_size, encoder.word_weight)
    with torch.no_grad():
        encoder.word_weight.zero_()
    even = PretrainModule(encoder, head, OptimConfig(), seed=1, steps=1, epoch_steps=1)
    measured = WordLikelihood(Passages(TEXTS), tokenizer, 64)(even)
    sizes = np.array([len(text.encode()) for text in TEXTS])
    bits = np.array([len(tokenizer.encode(text)) for text in TEXTS]) * math.log2(tokenizer.vocab_size)
    rate = bits.sum() / sizes.sum()
    assert measured["dev/word_bits_per_byte"] == pytest.approx(rate, rel=1e-5)
    error = math.sqrt(((bits - rate * sizes) ** 2).sum() * 5 / 4) / sizes.sum()
    assert measured["dev/word_bits_error"] == pytest.approx(error, rel=1e-5)
    counts = [len(tokenizer.encode(word)) for text in TEXTS for word in text.split()]
    shares = [counts.count(count) / len(counts) for count in counts]
    assert measured["dev/word_count_bits"] == pytest.approx(-np.log2(shares).sum() / sizes.sum())
