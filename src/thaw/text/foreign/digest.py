"""What names a foreign tokenizer beyond its main file: added tokens, special pieces and line ends said elsewhere.

Runs that were named by tokenizer.json, or by vocab.txt with tokenizer_config.json, keep their names where those files
say it all. Where they do not, such a run read another tokenizer than AutoTokenizer does, and must not be taken for one.
"""

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

from thaw.errors import ThawError
from thaw.text.foreign import files as folder_files
from thaw.text.foreign import tokens
from thaw.text.foreign.files import SETTINGS, VOCABULARY, Files


def beyond(folder: Path) -> str:
    """Return a SHA-256 of what the folder's tokenizer is beyond its main file, empty where that says it all.

    A folder that can not be read has none: whoever reads it says what is wrong.
    """
    places = [folder / name for name in (*folder_files.NAMES, "config.json")]
    stats = [(place.name, *_stat(place)) for place in places]
    return _beyond(folder.absolute(), tuple(stats))


@functools.lru_cache(maxsize=256)
def _beyond(folder: Path, stats: tuple[Any, ...]) -> str:
    try:
        files = folder_files.read(folder)
        found = {} if files.ours else _elsewhere(files)
    except (ThawError, OSError):
        return ""
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest() if found else ""


def _elsewhere(files: Files) -> dict[str, Any]:
    found: dict[str, Any] = {}
    special = tokens.roles(files)
    listed = [token for where, token, _ in tokens.numbered(files) if where == folder_files.TWIN]
    before = [vars(token) for token in listed if not token.special and token.content not in special]
    added = [vars(token) for token in tokens.matched(files)]
    if _sorted(before) != _sorted(added):
        found["added"] = added
    if special != tokens.roles(Files(files.folder, {SETTINGS: files.raw.get(SETTINGS, b"{}")}, "", "")):
        found["special"] = special
    if files.twin is None and _other_lines(files):
        found["lines"] = "LF"
    return found


def _other_lines(files: Files) -> bool:
    """Say whether vocab.txt has pieces that Python ends a line at, or two that differ by a blank at the end."""
    pieces = set(files.lines)
    if files.raw[VOCABULARY].decode("utf-8").splitlines() != files.lines:
        return True
    return any(line != line.rstrip() and line.rstrip() in pieces for line in files.lines)


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: str(row["content"]))


def _stat(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_size, found.st_mtime_ns, found.st_ino)
