import pytest
from hard_strings import HARD
from hypothesis import given, settings
from hypothesis import strategies as st

from thaw.text.normalise import NORMALISER, digest, normalise

HOSTILE = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(" \t\n[]<>MASKCL0x41´\u200b▁é"))
).map(lambda text: text.replace("Q", "[MASK]").replace("Z", "<0x41>"))


@pytest.mark.parametrize("text", HARD)
def test_short_cut_equals_the_rules_on_hard_strings(text: str) -> None:
    assert normalise(text) == NORMALISER.normalize_str(text)


@settings(max_examples=500, deadline=None)
@given(HOSTILE)
def test_short_cut_equals_the_rules(text: str) -> None:
    assert normalise(text) == NORMALISER.normalize_str(text)


@settings(max_examples=300, deadline=None)
@given(HOSTILE)
def test_words_are_trimmed_and_no_special_piece_is_left(text: str) -> None:
    clean = normalise(text)
    assert clean == " ".join(clean.split())
    assert not any(piece in clean for piece in ("[MASK]", "[CLS]", "<0x41>", "▁", "\0"))


def test_digest_ignores_case_space_and_compatibility_forms_only() -> None:
    assert digest("The ﬁrst\n Day ") == digest("the first day")
    assert digest("the first day") != digest("the first days")
