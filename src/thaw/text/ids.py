"""A corpus as ids on disk: tokenised once, memory-mapped ever after.

A folder holds ``ids.bin`` (uint16 or uint32), ``offsets.bin`` (int64, documents + 1), ``bytes.bin`` (int64: UTF-8 bytes
of each document after our normalisation, whatever the tokenizer; not the raw ones) and ``meta.json``. It is built
beside its final name and renamed, so that a killed run leaves no half of it. Several processes write the same bytes as
one: batches are encoded elsewhere, read and written here in their order. Where the cache can not be written the same
files lie in a temporary folder for as long as they are mapped, and where that has no room either, in memory.
"""

import collections
import concurrent.futures
import contextlib
import io
import json
import mmap
import multiprocessing
import os
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from thaw.errors import DataError, StorageError
from thaw.hold import Hold, hold
from thaw.storage import atomic_folder, crc32_file, remembered, told
from thaw.text.corpus import Tally
from thaw.text.tokenizer import Tokenizer

FILES = ("ids.bin", "offsets.bin", "bytes.bin")
MOST_IN_MEMORY = 1 << 30  # bytes of ids, where no disk takes them
BATCH = 1 << 17  # characters encoded at once: their words stay in the processor's cache
Encoded = tuple[np.ndarray, np.ndarray, np.ndarray]  # of a batch, as `Tokenizer.encode_flat` gives it


@dataclass(frozen=True)
class TokenFile:
    """Ids of documents, one after the other; document i is ``ids[offsets[i]:offsets[i + 1]]``."""

    ids: np.ndarray  # (tokens,) uint16 or uint32, on disk
    offsets: np.ndarray  # (documents + 1,) int64, on disk
    bytes: np.ndarray  # (documents,) int64, on disk
    meta: dict[str, Any]
    held: Hold | None = None  # so that nobody removes the files while they are mapped

    def __len__(self) -> int:
        return len(self.bytes)

    @property
    def tokens(self) -> int:
        """The number of ids of all documents."""
        return len(self.ids)

    def forget(self) -> None:
        """Give back the pages that were read: they would count as memory of this process until all of the file does.

        The system keeps them as long as it has room; what is read again is mapped again.
        """
        for part in (self.ids, self.offsets, self.bytes):
            mapped = getattr(part, "_mmap", None)
            if mapped is not None and hasattr(mapped, "madvise"):  # not on Windows
                mapped.madvise(mmap.MADV_DONTNEED)

    @classmethod
    def open(cls, folder: Path) -> "TokenFile":
        """Map a folder of ``tokenise``; StorageError where its files are not as they were written.

        Their checksums are looked at once a process (4 GB/s).
        """
        folder = Path(folder)
        held = hold(folder / "meta.json")
        try:
            meta = json.loads((folder / "meta.json").read_text("utf-8"))
            _verify(folder, meta)
            documents, tokens = int(meta["documents"]), int(meta["tokens"])
            ids = np.memmap(folder / "ids.bin", dtype=np.dtype(meta["dtype"]), mode="r")
            offsets = np.memmap(folder / "offsets.bin", dtype=np.int64, mode="r")
            sizes = np.memmap(folder / "bytes.bin", dtype=np.int64, mode="r")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StorageError(
                f"damaged token file {folder} ({error}), delete that folder to build it again"
            ) from error
        if (len(ids), len(offsets), len(sizes), offsets[-1]) != (tokens, documents + 1, documents, tokens):
            raise StorageError(f"damaged token file {folder} (sizes differ), delete that folder to build it again")
        return cls(ids, offsets, sizes, meta, held)


def _verify(folder: Path, meta: dict[str, Any]) -> None:
    """Raise ValueError with the first file whose checksum is another."""
    sums = meta["crc32"]
    for name, wanted in sums.items():
        if name in FILES and remembered(crc32_file, folder / name) != wanted:
            raise ValueError(f"{name} is not as it was written")
    if set(sums) != {*FILES, "meta"} or sums["meta"] != _own_sum(meta):
        raise ValueError("meta.json is not as it was written")


def _own_sum(meta: dict[str, Any]) -> str:
    rest = {key: value for key, value in meta.items() if key != "crc32"}
    return f"{zlib.crc32(json.dumps(rest).encode()):08x}"


def tokenise(
    documents: Iterable[str], tokenizer: Tokenizer, folder: Path, key: str, tally: Tally | None = None,
    processes: int = 1, tell: Callable[[str], None] = lambda note: None,
) -> TokenFile:  # fmt: skip
    """Return the ids of the documents, from ``folder/key`` if they lie there; documents without pieces are left out.

    ``tally`` is what ``documents`` counts in; it is kept in the meta data with the number of those left out.
    ``key`` must change with the documents and with the tokenizer: a hash of both fingerprints. What is damaged is told
    and built again. Where ``folder`` can not be written that is told, and the ids are kept for this process alone, if
    ``documents`` can be read again.
    """
    target = Path(folder) / key
    if os.path.exists(target):  # Path.exists raises where it may not look
        try:
            return TokenFile.open(target)
        except StorageError as error:
            tell(f"{str(error).partition(', delete')[0]}: built again")
    try:
        with atomic_folder(target) as temporary:
            _write(documents, tokenizer, temporary, tally, processes)
    except StorageError as error:
        if iter(documents) is documents:  # some of them are gone
            raise
        found = _for_this_process(documents, tokenizer, tally, processes)
        where = "a temporary folder" if isinstance(found.ids, np.memmap) else "memory"
        tell(f"the ids of the corpus are not kept: {error}; this run has them in {where}")
        return found
    return TokenFile.open(target)


def _for_this_process(
    documents: Iterable[str], tokenizer: Tokenizer, tally: Tally | None, processes: int
) -> TokenFile:  # fmt: skip
    """Return the ids in files that have no name any more, in memory where the temporary folder has no room."""
    with contextlib.suppress(OSError, StorageError), tempfile.TemporaryDirectory(prefix="thaw-") as name:
        with told(name):
            _write(documents, tokenizer, Path(name), tally, processes)
        found = TokenFile.open(Path(name))
        return TokenFile(found.ids, found.offsets, found.bytes, found.meta)  # mapped: they need no name to be read
    files = {name: _Memory() for name in FILES}
    meta = _fill(documents, tokenizer, files, tally, processes)
    ids, offsets, sizes = (file.getbuffer() for file in files.values())
    return TokenFile(
        np.frombuffer(ids, np.dtype(meta["dtype"])), np.frombuffer(offsets, np.int64), np.frombuffer(sizes, np.int64),
        meta,
    )  # fmt: skip


class _Memory(io.BytesIO):
    """A file in memory that does not grow without end."""

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > MOST_IN_MEMORY:
            where = f"neither in the cache nor in {tempfile.gettempdir()}"
            raise StorageError(f"no room for the ids of the corpus, {where}: free space or set cache.folder")
        return super().write(data)


def _batches(documents: Iterable[str]) -> Iterator[list[str]]:
    batch, size = [], 0
    for document in documents:
        batch.append(document)
        size += len(document)
        if size > BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _encoded(documents: Iterable[str], tokenizer: Tokenizer, processes: int) -> Iterator[Encoded]:
    """Yield the encoded batches in their order; few are under way at once, so that memory stays bounded."""
    if processes == 1:
        yield from map(tokenizer.encode_flat, _batches(documents))
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy torch's threads
    with concurrent.futures.ProcessPoolExecutor(processes, context, _Worker.start, (tokenizer,)) as pool:
        waiting: collections.deque[concurrent.futures.Future[Encoded]] = collections.deque()
        for batch in _batches(documents):
            waiting.append(pool.submit(_Worker.encode, batch))
            if len(waiting) > 4 * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class _Worker:
    """What a process that encodes remembers."""

    tokenizer: Tokenizer

    @classmethod
    def start(cls, tokenizer: Tokenizer) -> None:
        cls.tokenizer = tokenizer
        threading.Thread(target=cls.end_with_parent, daemon=True).start()

    @staticmethod
    def end_with_parent() -> None:
        """End this process when its parent has died: it would wait for more to encode for good."""
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    @classmethod
    def encode(cls, batch: list[str]) -> Encoded:
        return cls.tokenizer.encode_flat(batch)


def _write(documents: Iterable[str], tokenizer: Tokenizer, folder: Path, tally: Tally | None, processes: int) -> None:
    with contextlib.ExitStack() as stack:
        files = {name: stack.enter_context((folder / name).open("wb")) for name in FILES}
        meta = _fill(documents, tokenizer, files, tally, processes)
    meta["crc32"] = {name: crc32_file(folder / name) for name in FILES} | {"meta": _own_sum(meta)}
    (folder / "meta.json").write_text(json.dumps(meta), "utf-8")


def _fill(
    documents: Iterable[str], tokenizer: Tokenizer, files: Mapping[str, BinaryIO], tally: Tally | None, processes: int
) -> dict[str, Any]:
    """Write ids, offsets and sizes of the documents to open files; return what is said of them."""
    dtype = np.dtype(np.uint16 if tokenizer.vocab_size <= 1 << 16 else np.uint32)
    written = tokens = empty = 0
    ids_file, offsets_file, bytes_file = (files[name] for name in FILES)
    offsets_file.write(np.zeros(1, np.int64).tobytes())
    for found, lengths, sizes in _encoded(documents, tokenizer, processes):
        kept = lengths > 0  # what has no pieces leaves nothing among the ids
        empty += len(kept) - int(kept.sum())
        ids_file.write(found.astype(dtype).tobytes())
        offsets_file.write((tokens + np.cumsum(lengths[kept])).tobytes())
        bytes_file.write(sizes[kept].tobytes())
        tokens += len(found)
        written += int(kept.sum())
    if not written:
        raise DataError("no document of the corpus has any piece in this tokenizer, give text it was made for")
    meta: dict[str, Any] = {"documents": written, "tokens": tokens, "dtype": dtype.name}
    return meta | {"tokenizer": tokenizer.fingerprint, "read": {**(vars(tally) if tally else {}), "empty": empty}}
