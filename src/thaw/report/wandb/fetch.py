"""Runs out of W&B: each becomes a run folder under the cache, so that everything that reads runs reads these too.

Decisions: pages of 50 runs with config and summary, then three requests a run, for its history and its predictions,
four runs at a time; what has not changed since the last time is not asked for again; a history that comes incomplete
(the server thins long ones) is read whole by W&B's slower scan.
"""

import hashlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from thaw.errors import ConfigError, StorageError, ThawError
from thaw.report.wandb.connect import connected, line
from thaw.report.wandb.copy import is_ours, write
from thaw.report.wandb.place import Place
from thaw.track.folder import PREDICTIONS
from thaw.track.mirror import IDENTITY
from thaw.track.wandb_process import within

CACHE = Path(".cache") / "thaw" / "wandb"
PAGE, WORKERS = 50, 4
MOST = 20_000  # runs
LONG_SECONDS = 120.0  # for one long history or file
FORMAT = 1  # of the copy; another one is copied again


def fetch(place: Place, cache: Path | str = CACHE) -> list[Path]:
    """Copy the runs of a place and return their folders.

    ConfigError where there is no such project, no run of ours in it or no valid key; StorageError when the server
    does not answer, or stops answering: what has arrived by then is not asked for again.
    """
    with connected() as api:
        try:
            runs = _list(api, place)
            return _copy_all(runs, Path(cache) / place.entity / place.project, place)
        except ThawError:
            raise
        except Exception as error:
            raise StorageError(
                f"W&B: reading {place} failed ({line(error)}), what has arrived is kept: the same command goes on"
            ) from error


def _list(api: Any, place: Place) -> list[Any]:
    path = f"{place.entity}/{place.project}"
    found = api.runs(path, filters=place.filters, order="+created_at", per_page=PAGE, lazy=False)
    try:
        listed = list(islice(found, MOST + 1))
    except ValueError as error:
        if "Could not find project" not in str(error):
            raise
        raise ConfigError(
            f"no such W&B project: {path}, or this key may not read it; see `wandb login` for whose it is"
        ) from error
    if len(listed) > MOST:
        raise ConfigError(f"more than {MOST:,} runs in {place}, name a study: {place}/STUDY")
    ours = [run for run in listed if is_ours(run.config)]
    if not ours:
        others = f"of {len(listed)} there none is of thaw" if listed else "there is none at all"
        raise ConfigError(f"no run in {place}: {others}, give the project and study as the page of a run names them")
    return ours


def _copy_all(runs: list[Any], root: Path, place: Place) -> list[Path]:
    stale = sum(not _is_current(run, _folder(root, run)) for run in runs)
    if stale > PAGE:
        print(f"W&B: copying {stale} of the {len(runs)} runs of {place} to {root}", file=sys.stderr, flush=True)
    pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="thaw-wandb")
    try:
        return list(pool.map(partial(_copy, root), runs))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _copy(root: Path, run: Any) -> Path:
    folder = _folder(root, run)
    if not _is_current(run, folder):
        rows = _history(run)
        if run.summaryMetrics.get("test") is not None:
            _predictions(run, folder)
        about = {"state": run.state, "created": run.createdAt, "updated": run.heartbeatAt or run.createdAt}
        write(folder, _identity(run), about, run.config, run.summaryMetrics, rows)
    return folder


def _folder(root: Path, run: Any) -> Path:
    """Return the folder of a run's copy; an id is a name of letters, digits, dashes and underscores, not a path."""
    return root / "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in str(run.id))


def _identity(run: Any) -> dict[str, Any]:
    """Return what tells whether the copy is still the W&B run: its content but for the history, whose length it has."""
    content = json.dumps([FORMAT, run.state, run.historyLineCount, run.config, run.summaryMetrics], sort_keys=True)
    place = {"entity": run.entity, "project": run.project, "group": run.group}
    return {"id": run.id, "url": run.url, **place, "content": hashlib.sha256(content.encode()).hexdigest()}


def _is_current(run: Any, folder: Path) -> bool:
    try:
        known = json.loads((folder / "wandb" / IDENTITY).read_bytes())
    except (OSError, ValueError):
        return False
    wished = _identity(run)
    return isinstance(known, dict) and all(known.get(key) == value for key, value in wished.items())


def _history(run: Any) -> list[dict[str, Any]]:
    count = run.historyLineCount or 0
    rows: list[dict[str, Any]] = run.history(samples=count, pandas=False) if count else []
    if len(rows) < count:
        whole: list[dict[str, Any]] = []
        within(LONG_SECONDS, lambda: whole.extend(run.scan_history()))
        rows = whole
    return sorted(rows, key=lambda row: row.get("_step", 0))


def _predictions(run: Any, folder: Path) -> None:
    """Download the predictions of the test set, where the run has them."""
    root = os.path.abspath(folder)  # W&B's side process may have another working folder

    def download(file: Any) -> None:
        file.download(root=root, replace=True).close()

    for file in run.files(names=[PREDICTIONS]):
        if file.name == PREDICTIONS:
            folder.mkdir(parents=True, exist_ok=True)
            within(LONG_SECONDS, partial(download, file))
