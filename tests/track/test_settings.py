"""Reading configs in pieces reads what YAML says."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from thaw.track.settings import flat, read_settings

TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Z", "Cc")), max_size=20)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS)
KEYS = st.one_of(st.from_regex(r"[a-z_]{1,6}", fullmatch=True), TEXTS)
VALUES = st.recursive(SCALARS, lambda one: st.lists(one, max_size=3) | st.dictionaries(KEYS, one, max_size=3))


def read(text: str, folder: Path) -> dict[str, Any]:
    path = folder / "config.yaml"
    path.write_text(text, "utf-8", newline="")
    return read_settings(path)


@settings(deadline=None)
@given(config=st.dictionaries(KEYS, VALUES, min_size=1, max_size=5), style=st.sampled_from([None, False, True]))
def test_what_was_written_is_read(
    config: dict[str, Any], style: bool | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True, default_flow_style=style)
    text = text.replace("\r\n", "\n")
    assert read(text, tmp_path_factory.mktemp("made")) == flat(yaml.safe_load(text))


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb:\n  c: [1, 2]\n  d: {}\ne:\n- 1\n- x: 2\nf:\n",
        "a: '*one'\nb: 2 * 3\n",
        "a: {x: 1}\na: {y: 2}\n",  # a key that stands twice
        "# made by hand\na: 1\n\nb: 2\n",
        "---\na: 1\n...\n",
        "a: |\n  b: 1\n  c\nd: 'x\n  e: y'\n",
        "a: >-\n\n  folded\n\n  twice\nb: 1",
        "'a b': 1\na-b: 2\n1: 3\n",
        "a: 1\r\nb:\r\n  c: 2\r\n",
        " a: 1\n b: 2\n",
        "a: x\u2028b: y\n",
        "{a: 1,\nb: 2}\n",
    ],
)
def test_hand_written_files_are_read_as_yaml_reads_them(text: str, tmp_path: Path) -> None:
    assert read(text, tmp_path) == flat(yaml.safe_load(text))


@pytest.mark.parametrize("text", ["a: [\n", "a: 1\n b: 2\n", " a: 1\nb: 2\n", "a: 1\nb: ]\n", "a: 'x\nb: 1\n"])
def test_what_yaml_refuses_is_refused(text: str, tmp_path: Path) -> None:
    for refused in (yaml.safe_load, lambda text: read(text, tmp_path)):
        with pytest.raises(yaml.YAMLError):
            refused(text)


@pytest.mark.parametrize(
    "text", ["a: &one {x: 1}\nb: *one\n", "a: &one\n  x: 1\nb:\n  <<: *one\n", "a: *one\n", "a: [&b 1, *b]\n"]
)
def test_what_refers_to_parts_of_itself_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="refers to parts of itself"):
        read(text, tmp_path)


@pytest.mark.parametrize("text", ["", "word\n", "- a: 1\n", "null\n"])
def test_what_is_no_mapping_is_told(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"config\.yaml is not a mapping"):
        read(text, tmp_path)


def test_runs_do_not_share_what_may_be_changed(tmp_path: Path) -> None:
    first, second = (read("a: [1, 2]\nb: {c: [3]}\n", tmp_path) for _ in range(2))
    first["a"].append(3)
    assert second == {"a": [1, 2], "b.c": [3]}
