"""Runs keep their names where the main file says all of a tokenizer, and get others where it does not."""

from typing import Any

import pytest
from foreign_folder import BERT, GENERIC, PIECES, SPECIAL, Make, lines, token, twin_json

from thaw.job.identity import _tokenizer_digest
from thaw.storage import sha256_file
from thaw.text.foreign.digest import beyond

N = len(PIECES)
SAME: dict[str, dict[str, Any]] = {
    "vocab.txt": {},
    "the special pieces in each file": {
        "special_tokens_map.json": {"mask_token": "[MASK]", "cls_token": token("[CLS]")},
        "added_tokens.json": {piece: number for number, piece in enumerate(SPECIAL)},
    },
    "tokenizer.json": {"vocab.txt": None, "tokenizer.json": twin_json(added_tokens=[{"id": N, **token("covid19")}])},
    "tokenizer.json and the same beside it": {
        "tokenizer.json": twin_json(added_tokens=[{"id": N, **token("covid19")}]), "vocab.txt": None,
        "tokenizer_config.json": {**GENERIC, "added_tokens_decoder": {str(N): token("covid19")}},
        "added_tokens.json": {"covid19": N},
    },
    "nothing to read": {"vocab.txt": None, "tokenizer.json": "{}"},
}  # fmt: skip
OTHER: dict[str, dict[str, Any]] = {
    "added_tokens.json": {"added_tokens.json": {"covid19": N}},
    "the decoder": {"tokenizer_config.json": {**BERT, "added_tokens_decoder": {str(N): token("covid19")}}},
    "a special one in tokenizer.json": {
        "vocab.txt": None, "tokenizer.json": twin_json(added_tokens=[{"id": N, **token("<user>", special=True)}]),
    },
    "other special pieces": {"special_tokens_map.json": {"mask_token": "[M]"}, "vocab.txt": lines([*PIECES, "[M]"])},
    "lines": {"vocab.txt": lines([*PIECES, "\u2028", "x"])},
}  # fmt: skip


@pytest.mark.parametrize("case", SAME)
def test_what_the_main_file_says_names_no_run_again(case: str, make: Make) -> None:
    folder = make(SAME[case])
    assert beyond(folder) == ""
    names = ("tokenizer.json",) if (folder / "tokenizer.json").is_file() else ("vocab.txt", "tokenizer_config.json")
    assert _tokenizer_digest(str(folder)) == ":".join(sha256_file(folder / name) for name in names)


@pytest.mark.parametrize("case", OTHER)
def test_what_it_does_not_say_names_another_run(case: str, make: Make) -> None:
    folder = make(OTHER[case])
    found = beyond(folder)
    assert len(found) == 64
    assert _tokenizer_digest(str(folder)).endswith(f":{found}")
    (folder / "added_tokens.json").write_text(f'{{"covid20": {N + 1}}}')
    assert beyond(folder) != found or "added_tokens_decoder" in (folder / "tokenizer_config.json").read_text()
