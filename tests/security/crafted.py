"""Files and folders as an attacker would craft them; each payload would make the canary."""

import io
import json
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import torch

from thaw.encoder.manifest import MANIFEST, write_manifest

DEEP = "[" * 100_000


class Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = str(canary)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mknod, (self.canary,)


def pickled(canary: Path) -> bytes:
    """Return a plain pickle."""
    return pickle.dumps({"state_dict": Touch(canary)})


def saved_by_torch(canary: Path) -> bytes:
    """Return what ``torch.save`` makes of it: a zip with a pickle inside."""
    file = io.BytesIO()
    torch.save({"weight": torch.ones(2), "_instantiator": Touch(canary)}, file)
    return file.getvalue()


def tensors(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    """Return a safetensors file with a header of one's own, a text or what JSON can say."""
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(kind: str, shape: list[int], start: int, end: int) -> dict[str, Any]:
    """Return the entry of one tensor in such a header."""
    return {"dtype": kind, "shape": shape, "data_offsets": [start, end]}


WEIGHTS = {
    "empty": b"",
    "length alone": struct.pack("<Q", 8),
    "huge length": tensors({}, length=2**63),
    "length past the end": tensors({}, length=2**20),
    "no JSON": tensors("\x00" * 64),
    "nested deeply": tensors(DEEP),
    "overlap": tensors({"a": tensor("F32", [2], 0, 8), "b": tensor("F32", [2], 4, 12)}, bytes(12)),
    "past the end": tensors({"a": tensor("F32", [2], 0, 8)}),
    "backwards": tensors({"a": tensor("F32", [2], 8, 0)}, bytes(8)),
    "negative": tensors({"a": tensor("F32", [2], -8, 0)}, bytes(8)),
    "overflow": tensors({"a": tensor("F32", [2**40, 2**40], 0, 8)}, bytes(8)),
    "no such type": tensors({"a": tensor("OBJECT", [1], 0, 8)}, bytes(8)),
    "an object": tensors({"a": {"_target_": "evil.Evil", "py/object": "evil.Evil"}}, bytes(8)),
    "metadata": tensors({"__metadata__": {"format": {"_target_": "evil.Evil"}}}),
}


def sentencepiece_model(pieces: list[bytes]) -> bytes:
    """Return a SentencePiece model (protocol buffers) of some pieces, the first one the unknown one."""
    made = [
        _field(1, piece) + b"\x15" + struct.pack("<f", 0) + b"\x18" + bytes([2 - bool(i)])
        for i, piece in enumerate(pieces)
    ]
    return b"".join(_field(1, one) for one in made)


def _field(number: int, content: bytes) -> bytes:
    size, digits = len(content), b""
    while size > 127:
        digits, size = digits + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + digits + bytes([size]) + content


def sign(folder: Path) -> None:
    """Write the manifest anew, as whoever crafts a checkpoint would."""
    (folder / MANIFEST).unlink(missing_ok=True)
    write_manifest(folder)


def change(path: Path, **values: Any) -> None:
    """Change keys of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
