"""What lies on disk beside results: caches, training states, checkpoints on the way; which of it may go. No torch here.

Decisions: what can not be made again for sure is only looked at where nothing names it: results, metrics, predictions
and final checkpoints never, a checkpoint on the way when its run is finished, no run came from it, no study names it
and a month has passed. A cache may go when no living process uses it and no unfinished run goes on with it. What was
used less than a minute ago is in use: a process may be between two files of it.
"""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from thaw import hold
from thaw.config import conf_dir
from thaw.encoder.manifest import CONFIG as WEIGHED
from thaw.encoder.manifest import fingerprint
from thaw.errors import StorageError, ThawError
from thaw.job.again import AGAIN
from thaw.job.identity import tokens_key
from thaw.storage import discard, leftovers, sha256_file
from thaw.track.folder import BEST, CHECKPOINT, CONFIG, LINEAGE, STATE, RunFolder
from thaw.track.settings import read_settings
from thaw.track.tree import run_folders

# Folder of the cache -> what it holds, and the file that whoever uses it holds.
CACHES = {
    "tokens": ("tokenised text", "meta.json"),
    "tokenizer": ("tokenizer", "tokenizer.json"),
    "features": ("features", "features.safetensors"),
}
NEVER = {
    "contamination": "counts of test texts in pretraining text",
    "duplicates": "counts of texts that are nearly the same",
    "wandb": "copies of runs from W&B",
}
HALF, ON_THE_WAY, TRAINING_STATE = "left half written", "checkpoint on the way", "training state"
UNSCORED = "weights to score a test set"
BESIDE_RESULT = "run again, beside its result"
MINUTE, DAY = 60.0, 86_400.0
OLD = {ON_THE_WAY: 30 * DAY}  # seconds since it was last used, unless told otherwise
_KEY = re.compile(r"[0-9a-f]{10,64}")  # the name of a cache, so that no other folder is ever meant
_WORD = re.compile(r"(?:\$\{[^}]*\}|[^\s,'\"\[\]{}=])+")


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing on disk."""

    what: str
    path: Path
    bytes: int
    used: float  # seconds since 1970
    stays: str = ""  # why; empty: it may go
    mark: str = ""  # its file that whoever uses it holds
    run: Path | None = None  # whose it is


@dataclass
class Needs:
    """What runs and studies go on with or came from."""

    parents: set[str] = field(default_factory=set)  # fingerprints of checkpoints
    words: set[str] = field(default_factory=set)  # paths of checkpoints as configs and studies spell them
    open: dict[str, str] = field(default_factory=dict)  # name of tokenised text or sha256 of a tokenizer -> a run
    unknown: str = ""  # a run that can not be read


def listed(roots: Sequence[Path], cache: Path, older: float | None = None) -> list[Item]:
    """Return all there is in ``cache`` and in the runs under ``roots``, but for results; what may go has no ``stays``.

    ``older`` are the seconds for which a thing must not have been used.
    """
    runs = {folder: _config(folder) for root in roots for folder in run_folders(root)}
    needs = _needs(runs)
    found = [*_cached(cache, needs), *(one for folder in runs for one in _of_run(folder, needs)), *_final(roots)]
    return [one if one.stays else replace(one, stays=_young(one, older)) for one in found]


def remove(item: Item) -> bool:
    """Remove a thing unless it is in use; return whether it is gone. StorageError where that fails."""
    owner = RunFolder(item.run) if item.run else None
    if owner:
        try:
            owner.open()
        except StorageError:  # another process runs it
            return False
    try:
        if item.mark:
            return hold.remove(item.path, item.mark)
        discard(item.path)
        return True
    finally:
        if owner:
            owner.close()


def _final(roots: Iterable[Path]) -> Iterator[Item]:
    for root in roots:
        found = [folder / CHECKPOINT for folder in run_folders(root) if (folder / CHECKPOINT).is_dir()]
        if found:
            size, used = sum(map(_bytes, found)), max(map(_used, found))
            yield Item(what=f"final checkpoints, {len(found)}", path=root, bytes=size, used=used, stays="results")


def _cached(cache: Path, needs: Needs) -> Iterator[Item]:
    for name, (what, mark) in CACHES.items():
        for path in sorted((cache / name).glob("*")):
            if _is_folder(path) and _KEY.fullmatch(path.name):
                stays = "in use" if hold.is_held(path / mark) else ""
                known = path.name if name == "tokens" else _digest(path / mark) if name == "tokenizer" else ""
                if not stays and known in needs.open:
                    stays = f"{needs.open[known]} goes on with it"
                yield _item(what, path, stays=stays, mark=mark)
        for path in leftovers(cache / name):
            yield _item(HALF, path)
    for name, what in NEVER.items():
        if (cache / name).is_dir():
            yield _item(what, cache / name, stays="not made again for sure")


def _of_run(folder: Path, needs: Needs) -> Iterator[Item]:
    state = RunFolder(folder).state()
    running = "" if state == "finished" else f"{state}, the same command goes on from it"
    if _is_folder(folder / STATE):
        yield _item(TRAINING_STATE, folder / STATE, stays=running, run=folder)
    if (folder / BEST).is_file():
        yield _item(UNSCORED, folder / BEST, stays=running, run=folder)
    if _is_folder(folder / AGAIN):
        yield _item(BESIDE_RESULT, folder / AGAIN, stays="the same command goes on from it", run=folder)
    for path in sorted((folder / "checkpoints").glob("[!.]*")):
        if _is_folder(path):
            stays = running or _named(path, needs)
            if not stays and hold.is_held(path / WEIGHED):
                stays = "in use"
            yield _item(ON_THE_WAY, path, stays=stays, mark=WEIGHED, run=folder)
    for place in (folder, folder / "checkpoints"):
        for path in leftovers(place):
            yield _item(HALF, path, stays=running if state == "running" else "", run=folder)


def _named(path: Path, needs: Needs) -> str:
    """Return why a checkpoint on the way is needed, empty if nobody came from it."""
    run, study = path.parents[1], path.parents[2]
    ends = (f"{study.name}/{path.name}", f"{study.name}/{run.name}/checkpoints/{path.name}")
    for word in needs.words:
        parts = word.rstrip("/").split("/")
        if any(fnmatchcase(end, "/".join(parts[-end.count("/") - 1 :])) for end in ends):
            return f"named as {word}"
    try:
        return "a run came from it" if fingerprint(path) in needs.parents else needs.unknown
    except ThawError as error:
        return f"can not be read: {error}"


def _needs(runs: dict[Path, dict[str, Any] | None]) -> Needs:
    """Return what all runs beside these need too: those of the studies next to them."""
    roots = {
        folder.parent.parent for folder, config in runs.items() if (config or {}).get("name") == folder.parent.name
    }
    around = {folder: None for root in roots for folder in run_folders(root)}
    all_runs = {folder: _config(folder) for folder in around if folder not in runs} | runs
    needs = Needs()
    for folder, config in all_runs.items():
        if config is None:
            needs.unknown = f"{folder / CONFIG} is damaged, what it came from is not known"
            continue
        lineage, word = RunFolder(folder).read(LINEAGE) or {}, config.get("checkpoint")
        needs.words |= {str(word)} if word else set()
        needs.parents |= {str(lineage["checkpoint"]).partition(":")[0]} if lineage.get("checkpoint") else set()
        if "objective.name" in config and (state := RunFolder(folder).state()) != "finished":
            corpus, tokenizer = lineage.get("corpus"), lineage.get("tokenizer")
            key = tokens_key(corpus, tokenizer, lineage.get("results")) if corpus and tokenizer else ""
            keys = [key, str(tokenizer)] if key else []
            needs.open |= dict.fromkeys(keys, f"{folder} ({state})")
    for root in (Path.cwd(), conf_dir().parent):
        for file in (root / "experiments").rglob("*.yaml"):
            words = _WORD.findall(file.read_text("utf-8", errors="replace"))
            needs.words |= {re.sub(r"\$\{[^}]*\}", "*", word) for word in words if "/" in word}
    return needs


def _config(folder: Path) -> dict[str, Any] | None:
    """Return the config of a run, empty if it has none, None if it is damaged."""
    if not (folder / CONFIG).exists():
        return {}
    try:
        return read_settings(folder / CONFIG)
    except (OSError, ValueError, yaml.YAMLError):
        return None


def _young(item: Item, older: float | None) -> str:
    """Return that a thing was used lately, empty if it was not."""
    age, wanted = time.time() - item.used, max(MINUTE, OLD.get(item.what, 0.0) if older is None else older)
    return "" if age > wanted else f"used less than {span(wanted)} ago"


def span(seconds: float) -> str:
    """Return a time in one unit: ``3 d``, ``5 h``, ``12 min``."""
    if seconds >= DAY:
        return f"{seconds / DAY:.0f} d"
    return f"{seconds / 3600:.0f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"


def _is_folder(path: Path) -> bool:
    """Return whether a path is a folder itself: what a link leads to belongs to someone else."""
    return path.is_dir() and not path.is_symlink()


def _item(what: str, path: Path, **given: Any) -> Item:
    return Item(what=what, path=path, bytes=_bytes(path), used=_used(path), **given)


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()


def _bytes(path: Path) -> int:
    total = 0
    for file in [path] if path.is_file() else path.rglob("*"):
        try:
            total += file.lstat().st_size if not file.is_dir() else 0
        except OSError:
            continue  # gone meanwhile
    return total


def _digest(file: Path) -> str:
    try:
        return sha256_file(file)
    except OSError:
        return ""
