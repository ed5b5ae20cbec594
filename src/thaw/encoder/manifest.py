"""What a checkpoint folder contains, by SHA-256: damage is found before anything is used. No torch here."""

import hashlib
import json
from pathlib import Path
from typing import Any

from thaw.errors import ConfigError, StorageError
from thaw.storage import recover, remembered, sha256_file

MANIFEST = "MANIFEST.json"
FORMAT = 1
CONFIG, WEIGHTS = "config.json", "model.safetensors"  # what makes an encoder the encoder it is


def write_manifest(folder: Path) -> None:
    """Write the SHA-256 of each file of ``folder``; the last file of a checkpoint to be written."""
    files = {path.name: sha256_file(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}
    (folder / MANIFEST).write_text(json.dumps({"format": FORMAT, "files": files}, indent=2) + "\n", encoding="utf-8")


def verify(folder: Path | str) -> dict[str, str]:
    """Return file name -> SHA-256 of an intact checkpoint folder.

    Raises ConfigError when it is none, StorageError naming the first file that is missing or damaged.
    """
    folder = Path(folder)
    files = _listed(folder)
    for name, digest in files.items():
        path = folder / name
        if not path.is_file():
            raise StorageError(f"damaged checkpoint: {path} is missing, restore it or use another checkpoint")
        if sha256_file(path) != digest:
            raise StorageError(
                f"damaged checkpoint: {path} is not what was saved, restore it or use another checkpoint"
            )
    return files


def fingerprint(folder: Path | str) -> str:
    """Return the SHA-256 that names an encoder by content: its config and its weights.

    Of a checkpoint folder it is read from the manifest, of any other folder it is computed from the files.
    """
    folder = Path(folder)
    recover(folder)
    if (folder / MANIFEST).is_file():
        return fingerprint_of(_listed(folder))
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise ConfigError(
                f"not a checkpoint: {folder} has no {name}, give the folder of `thaw pretrain` or a BERT one"
            )
    try:
        return fingerprint_of({name: remembered(sha256_file, folder / name) for name in (CONFIG, WEIGHTS)})
    except OSError as error:
        raise StorageError(f"checkpoint can not be read, {error.filename}: {error.strerror}") from error


def fingerprint_of(files: dict[str, str]) -> str:
    """Return the fingerprint from the SHA-256 of each file."""
    if CONFIG not in files or WEIGHTS not in files:
        raise StorageError(
            f"damaged checkpoint: {MANIFEST} does not list {CONFIG} and {WEIGHTS}, use another checkpoint"
        )
    return hashlib.sha256(f"{files[CONFIG]} {files[WEIGHTS]}".encode()).hexdigest()


def read_json(path: Path, damaged: type[Exception] = StorageError) -> Any:
    """Return the content of a JSON file; ``damaged`` is raised, in one line, when it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise damaged(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise damaged(
            f"damaged file: {path} is not JSON ({type(error).__name__}), restore it or use another"
        ) from error


def _listed(folder: Path) -> dict[str, str]:
    recover(folder)
    if not folder.is_dir():
        raise ConfigError(f"no such checkpoint: {folder} is not a folder")
    if not (folder / MANIFEST).is_file():
        raise ConfigError(f"not a checkpoint: {folder} has no {MANIFEST}, bring a BERT folder in with `thaw import`")
    content = read_json(folder / MANIFEST)
    files = content.get("files") if isinstance(content, dict) else None
    if not isinstance(files, dict) or not files or not all(isinstance(value, str) for value in files.values()):
        raise StorageError(f"damaged checkpoint: {folder / MANIFEST} lists no files, use another checkpoint")
    if content.get("format") != FORMAT:
        raise ConfigError(
            f"{folder / MANIFEST} has format {content.get('format')}, this thaw reads {FORMAT}: update thaw"
        )
    if any("/" in name or "\\" in name or name in ("", ".", "..") for name in files):
        raise StorageError(f"damaged checkpoint: {folder / MANIFEST} names files outside its folder")
    return files
