"""Files that someone else may have written, read with limits: regular files alone, of a bounded size, packed ones too.

A run folder is a folder of files that people send each other. A pipe in it would be read for ever, a device too, and a
packed file of a megabyte may hold a gigabyte.
"""

import gzip
import io
import json
import os
import stat
import zlib
from pathlib import Path
from typing import Any

MOST = 1 << 28  # bytes of a file, and of what a packed one holds
DEEPEST = 64  # levels of nested JSON or YAML; what runs write has at most 8


def content(path: Path | str, most: int | None = None) -> bytes:
    """Return what a file holds; OSError where it can not be read, ValueError where it is no regular file or too large.

    FileNotFoundError where there is none. ``most`` is `MOST` unless told otherwise.
    """
    most = MOST if most is None else most
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # else a pipe is waited for
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise ValueError(f"{os.path.basename(path)} is no regular file")
        if about.st_size > most:
            raise ValueError(f"{os.path.basename(path)} has more than {most // (1 << 20)} MB")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(most)  # it may grow meanwhile
    finally:
        os.close(descriptor)


def unpacked(path: Path | str, most: int | None = None) -> bytes:
    """Return what a gzipped file holds; errors as of `content`, ValueError where it is damaged or holds too much."""
    most = MOST if most is None else most
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content(path, most))) as file:
            data = file.read(most + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{os.path.basename(path)} is damaged: {error}") from error
    if len(data) > most:
        raise ValueError(f"{os.path.basename(path)} holds more than {most // (1 << 20)} MB")
    return data


def rows(path: Path | str, most: int | None = None) -> list[Any]:
    """Return the JSON values of a gzipped file, one a line; errors as of `unpacked`, ValueError for what is no JSON."""
    try:
        return [json.loads(line) for line in unpacked(path, most).splitlines()]
    except RecursionError as error:
        raise ValueError(f"{os.path.basename(path)} is nested too deeply") from error


def check_depth(value: Any, where: str, deepest: int = DEEPEST) -> None:
    """Raise ValueError where a plain value is nested deeper than ``deepest`` levels."""
    level = [value]
    for _ in range(deepest):
        inner = [one for one in level if isinstance(one, dict | list)]
        if not inner:
            return
        level = [item for one in inner for item in (one.values() if isinstance(one, dict) else one)]
    raise ValueError(f"{where} is nested deeper than {deepest} levels")
