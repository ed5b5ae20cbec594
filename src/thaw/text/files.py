"""One text file, decoded in pieces, with a policy for every kind of bad input.

Refused with the byte offset: bytes that the encoding forbids, NUL, more than 1 % control or replacement characters
(binary, or text that lost its characters before). Refused with the remedy: UTF-16, gzip under another name, what is no
regular file. Handled: byte order marks are dropped, CR and CRLF end lines, a line of any length is cut at white space.
"""

import codecs
import difflib
import glob
import gzip
import hashlib
import io
import itertools
import os
import re
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from thaw.errors import ConfigError, DataError
from thaw.storage import remembered

TEXT_SUFFIXES = (".txt", ".text", ".md", "")
JSON_SUFFIXES = (".jsonl", ".ndjson")
IN_FOLDER = re.compile(r"[^.].*\.(txt|text|jsonl|ndjson)(\.gz)?")  # READMEs and tables are no corpus
CHUNK = 1 << 20  # bytes read at once
MAX_CHARACTERS = 1_000_000  # longer documents and lines are cut at white space: memory stays bounded
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")


def suffix(path: Path) -> str:
    """Return the suffix that says the format: ``.jsonl`` of ``a.jsonl.gz``."""
    name = path.name.lower().removesuffix(".gz")
    return os.path.splitext(name)[1]


def find(pattern: str, wanted: re.Pattern[str] = IN_FOLDER) -> list[Path]:
    """Return the files of a path, a glob or a folder (recursive), sorted by name; DataError where there is none.

    Of a folder only the files whose names match ``wanted`` are taken.
    """
    path = Path(pattern).expanduser()
    try:
        if path.is_dir():
            found = sorted(
                Path(root) / name
                for root, _, names in os.walk(path)  # does not follow symbolic links: no loops
                for name in names
                if wanted.fullmatch(name.lower())
            )
            if not found:
                raise DataError(f"no text in folder {path}: no file name matches {wanted.pattern}")
            return found
        if path.exists() or path.is_symlink():
            return [path]
    except (OSError, ValueError) as error:
        raise DataError(f"can not read {pattern[:100]!r}: {_reason(error)}") from error
    if glob.has_magic(pattern):
        found = sorted(Path(name) for name in glob.glob(str(path), recursive=True) if not os.path.isdir(name))
        if not found:
            raise DataError(f"no file matches {pattern} (in {Path.cwd()})")
        return found
    siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, siblings, 1)
    hint = f", did you mean {path.parent / close[0]}?" if close else f" (relative to {Path.cwd()})"
    raise DataError(f"no such file or folder: {pattern}{hint}")


def links_out(pattern: str, wanted: re.Pattern[str] = IN_FOLDER) -> list[Path]:
    """Return the links in a folder (or of a glob, below its first folder) that lead out of it, sorted by name.

    Those to files that `find` takes are read like others, those to folders are not followed.
    """
    path = Path(pattern).expanduser()
    if path.is_dir():
        root, found = path, list[Path]()
        for at, folders, names in os.walk(path):
            taken = [name for name in names if wanted.fullmatch(name.lower())]
            found += [Path(at, name) for name in (*folders, *taken)]
    elif glob.has_magic(pattern):
        root = Path(*itertools.takewhile(lambda part: not glob.has_magic(part), path.parts))
        found = [Path(name) for name in glob.glob(str(path), recursive=True)]
    else:
        return []
    inside = os.path.realpath(root)
    return sorted(one for one in found if one.is_symlink() and not Path(os.path.realpath(one)).is_relative_to(inside))


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error))[:100]


def open_bytes(path: Path) -> BinaryIO:
    """Open a regular file for reading, unpacked if its name ends with .gz; DataError for anything else."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a FIFO or device would block or never end
            raise DataError(f"{path} is not a regular file, give text files or folders of them")
        with path.open("rb") as file:
            magic = file.read(2)
        packed = magic == b"\x1f\x8b"
        if packed and not path.name.lower().endswith(".gz"):
            raise DataError(f"{path} is gzip data under another name, rename it to {path.name}.gz")
        if path.name.lower().endswith(".gz") and not packed:
            raise DataError(f"{path} is not gzip data, rename it without .gz or pack it again")
        return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]
    except OSError as error:
        raise DataError(f"can not read {path}: {_reason(error)}") from error


def chunks(path: Path) -> Iterator[bytes]:
    """Yield the (unpacked) bytes of a file; DataError where it can not be read to its end."""
    with open_bytes(path) as file:
        while True:
            try:
                chunk = file.read(CHUNK)
            except (OSError, EOFError, zlib.error) as error:
                raise DataError(f"can not read {path} to its end: {_reason(error)}") from error
            if not chunk:
                return
            yield chunk


def sha256(path: Path) -> str:
    """Return the sha256 of a file's (unpacked) bytes; a file is read again only when its size or time changed."""
    open_bytes(path).close()  # what can not be read is refused in one place
    return remembered(_sha256, path)


def _sha256(path: Path) -> str:
    state = hashlib.sha256()
    for chunk in chunks(path):
        state.update(chunk)
    return state.hexdigest()


def check_encoding(encoding: str) -> None:
    """Raise ConfigError for a name that is no text encoding."""
    try:
        "a".encode(encoding)
        codecs.getincrementaldecoder(encoding)
    except (LookupError, ValueError) as error:
        names = ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "gb18030", "shift_jis"]
        raise ConfigError(
            f"corpus.encoding={encoding} is no text encoding, for instance: {', '.join(names)}"
        ) from error


def characters(path: Path, encoding: str) -> Iterator[str]:
    """Yield the text of a file in pieces, line ends as ``\\n``; DataError with the byte offset of what is no text."""
    check_encoding(encoding)
    decoder = codecs.getincrementaldecoder("utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding)()
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    offset = 0
    for chunk in chunks(path):
        if offset == 0:
            _refuse_wide(path, chunk, encoding)
        buffered = len(decoder.getstate()[0])
        try:
            text = decoder.decode(chunk)
        except UnicodeError as error:
            at = offset - buffered + getattr(error, "start", 0)
            raise DataError(_not_text(path, encoding, at)) from error
        _refuse_binary(path, text, offset - buffered, encoding)
        yield newlines.decode(text)
        offset += len(chunk)
    try:
        yield newlines.decode(decoder.decode(b"", final=True), final=True)
    except UnicodeError as error:
        raise DataError(_not_text(path, encoding, offset)) from error


def _not_text(path: Path, encoding: str, offset: int) -> str:
    remedy = "convert it or give its encoding, for instance corpus.encoding=latin-1"
    return f"{path} is not {encoding} text at byte {offset}: {remedy}"


def _refuse_wide(path: Path, chunk: bytes, encoding: str) -> None:
    if chunk[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) and not encoding.lower().startswith(
        ("utf-16", "utf-32")
    ):
        wide = "utf-32" if chunk[:4] == codecs.BOM_UTF32_LE else "utf-16"
        raise DataError(f"{path} is {wide.upper()} text (byte order mark at byte 0): give corpus.encoding={wide}")


def _refuse_binary(path: Path, text: str, offset: int, encoding: str) -> None:
    if (index := text.find("\0")) >= 0:
        at = offset + len(text[:index].encode(encoding, "replace"))
        raise DataError(f"{path} has a NUL at byte {at}: it is binary, or needs corpus.encoding=utf-16-le")
    if len(text) < 100:
        return
    lost = text.count("\ufffd") / len(text)
    controls = len(_CONTROLS.findall(text)) / len(text)
    for share, what in ((lost, "replacement characters (U+FFFD)"), (controls, "control characters")):
        if share > 0.01:
            where = f"bytes {offset} to {offset + len(text.encode(encoding, 'replace'))}"
            raise DataError(f"{path} is not clean text: {share:.0%} {what} in {where}, give the original text")


def lines(path: Path, encoding: str, limit: int = MAX_CHARACTERS) -> Iterator[str]:
    """Yield the lines of a file without their ends; a line over ``limit`` characters is cut at white space."""
    pending = ""
    for text in characters(path, encoding):
        *whole, pending = (pending + text).split("\n")
        for line in whole:
            yield from cut(line, limit)
        if len(pending) > limit:
            *whole, pending = cut(pending, limit)
            yield from whole
    if pending:
        yield from cut(pending, limit)


def cut(text: str, limit: int) -> list[str]:
    """Cut a text into pieces of at most ``limit`` characters, at the last white space where there is one."""
    pieces = []
    while len(text) > limit:
        at = max(text.rfind(" ", limit // 2, limit), text.rfind("\n", limit // 2, limit)) + 1 or limit
        pieces.append(text[:at])
        text = text[at:]
    return [*pieces, text]
