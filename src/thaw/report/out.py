"""The folder that a report is written to, which may hold files of other people: a paper, a thesis, notes.

Decisions: what a report wrote is known by content: a manifest in the folder has the SHA-256 of every file. A file that
is as it was written may be replaced, and goes when the next report has none of its name. All else is foreign, a file
of ours that someone has changed too: it stays, and where a report needs its name the report is refused before anything
is written, unless it is forced. The manifest knows the new files before they are written, so that a report that was
killed halfway is no stranger to the next one. A folder without a manifest (reports of before 2026-12-01) is known by
what its files say of themselves: they are replaced, but nothing is removed.
"""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from thaw.errors import ConfigError
from thaw.storage import discard, write_bytes, write_text

MANIFEST = ".thaw-report.json"
FIXED = ("index.html", "report.json", "runs.csv", "summary.md")  # of every report of a study
BEFORE = "before"  # the part of a manifest that has the files of reports that had none: they may be replaced, no more
SHOWN = 4  # files that an error names
Parts = dict[str, dict[str, list[str]]]  # part of a report -> file -> the SHA-256 that it may have

_HEAD = 1 << 16  # bytes
_SUMMARIES = (b"\nWritten by thaw ", b"or Welch's where runs do not pair", b"- Nothing to compare: no task")
_FROM_BEFORE: dict[str, Callable[[bytes], bool]] = {  # by name: whether a report without a manifest wrote it
    "index.html": lambda data: b"<footer>Written by thaw " in data,
    "*.json": lambda data: re.search(rb'"(thaw_version|place|displayName)":', data[:_HEAD]) is not None,
    "runs.csv": lambda data: data.startswith(b"run_id,name,kind,task,"),
    "summary.md": lambda data: any(mark in data for mark in _SUMMARIES),
    "stamp.js": lambda data: data.startswith(b"thawStamp("),
    "tables/*.tex": lambda data: rb"; needs \usepackage{booktabs}" in data.partition(b"\n")[0],
    "figures/*.svg": lambda data: re.search(rb"<!-- [0-9a-f]{64} -->\s*<title>", data[:_HEAD]) is not None,
    "figures/*.png": lambda data: b"Software\0\0\0\0\0thaw" in data[:_HEAD],
}


class Out:
    """A folder to write the parts of a report to; ``force`` overwrites foreign files."""

    def __init__(self, folder: Path | str, *, force: bool = False) -> None:
        self.folder, self.force = Path(folder), force

    def refuse(self, names: Iterable[str]) -> None:
        """Raise ConfigError where a file of one of these names, paths below the folder, is not a report's."""
        if self.force:
            return
        parts = self._known()
        if foreign := [name for name in names if self._is_foreign(name, parts)]:
            more = f" and {len(foreign) - SHOWN} more" if len(foreign) > SHOWN else ""
            raise ConfigError(
                f"{self.folder} has files of its own, which no report wrote or which were changed since:"
                f" {', '.join(foreign[:SHOWN])}{more}; --out takes another folder, --force overwrites them"
            )

    def stands(self, name: str) -> bool:
        """Return whether a file is there and is as a report wrote it."""
        return self._is_known(name, self._known())

    def write(self, part: str, files: Mapping[str, str | bytes | None]) -> None:
        """Write a part of a report, in place of what the part was before; None is a file that stands as it is.

        ConfigError where a foreign file is in the way.
        """
        self.refuse(files)
        parts = self._known()
        contents = {name: _bytes(data) for name, data in files.items() if data is not None}
        before, now = parts.get(part, {}), {name: [_sha256(data)] for name, data in contents.items()}
        now |= {name: sorted(_digests(name, parts)) for name in files.keys() - contents.keys()}
        either = {name: [*before.get(name, []), *now.get(name, [])] for name in {**before, **now}}
        self._note(parts | {part: either})
        for name, data in contents.items():
            write_bytes(self.folder / name, data)
        parts[BEFORE] = {name: known for name, known in parts.get(BEFORE, {}).items() if name not in files}
        others = {name for other, known in parts.items() if other != part for name in known}
        for name in before.keys() - now.keys() - others:
            if self._is_known(name, parts) and self._is_inside(name):
                discard(self.folder / name)
        self._note(parts | {part: now})

    def _note(self, parts: Parts) -> None:
        parts = {part: known for part, known in parts.items() if known}
        content = {"format": 1, "written by": "thaw report", "files": parts}
        write_text(self.folder / MANIFEST, json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    def _known(self) -> Parts:
        """Return what earlier reports wrote here; without a manifest, what says of itself that one did."""
        try:
            files = json.loads((self.folder / MANIFEST).read_text("utf-8"))["files"]
            return {
                str(part): {name: [str(one) for one in digests] for name, digests in known.items() if _is_below(name)}
                for part, known in files.items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            with contextlib.suppress(OSError):  # a folder that no system could hold: writing says so
                return {BEFORE: dict(self._recognised())}
            return {}

    def _recognised(self) -> Iterator[tuple[str, list[str]]]:
        for pattern, is_ours in _FROM_BEFORE.items():
            for path in self.folder.glob(pattern):
                data = _content(path)
                if data is not None and is_ours(data):
                    yield path.relative_to(self.folder).as_posix(), [_sha256(data)]

    def _is_foreign(self, name: str, parts: Parts) -> bool:
        path = self.folder / name
        above = [self.folder / parent for parent in PurePosixPath(name).parents][:-1]
        if any(os.path.lexists(folder) and not os.path.isdir(folder) for folder in above):
            return True
        return os.path.lexists(path) and not self._is_known(name, parts)

    def _is_known(self, name: str, parts: Parts) -> bool:
        """Return whether a file is one of those that a report wrote, with the content that it wrote."""
        digests = _digests(name, parts)
        data = _content(self.folder / name) if digests else None
        return data is not None and _sha256(data) in digests

    def _is_inside(self, name: str) -> bool:
        """Return whether no link on the way to a file leads out of the folder."""
        parent = Path(os.path.realpath((self.folder / name).parent))
        return parent.is_relative_to(os.path.realpath(self.folder))


def _digests(name: str, parts: Parts) -> set[str]:
    return {digest for known in parts.values() for digest in known.get(name, [])}


def _is_below(name: str) -> bool:
    """Return whether a name of a manifest, which anyone may have written, is a path below its folder."""
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\0" not in name


def _content(path: Path) -> bytes | None:
    """Return what a regular file holds, None where it is a link, a folder or can not be read."""
    try:
        return None if path.is_symlink() or not path.is_file() else path.read_bytes()
    except OSError:
        return None


def _bytes(data: str | bytes) -> bytes:
    return data if isinstance(data, bytes) else data.encode("utf-8", "replace")  # half a character in a name


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
