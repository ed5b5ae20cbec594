"""A task's examples, read and encoded once in a process, however many runs of a sweep use them."""

import dataclasses
import json
from functools import lru_cache
from pathlib import Path

from thaw.config import TransferConfig
from thaw.errors import DataError
from thaw.fields import as_dict
from thaw.job.identity import replaced, task_content, transfer_id
from thaw.task.encode import Encoded, encode
from thaw.task.example import Splits
from thaw.task.read import read
from thaw.task.task import DataConfig, Kind, TaskConfig
from thaw.text.tokenizer import Tokenizer

KEPT = 4  # tasks in memory


def splits(config: TransferConfig) -> Splits:
    """Return the splits of a run's task."""
    return _splits(_key(config.task, config.data), task_content(config), config.cache.folder)


def unchanged(config: TransferConfig, run_id: str) -> None:
    """Raise DataError where a run's inputs are no longer those that named it: someone has replaced a file meanwhile.

    Called when all has been read, so that what was read is what the run id says, or the run does not begin.
    """
    if transfer_id(config) != run_id:
        _splits.cache_clear()  # what was read may lie there under the old content
        what = replaced(config, run_id) or "an input"
        raise DataError(f"{what} was changed after run {run_id} was named by it: give the same command again")


def encoded_test(config: TransferConfig, found: Splits, tokenizer: Tokenizer) -> Encoded:
    """Return the test split as ids; it is the same for all runs of a task with one tokenizer."""
    key = (_key(config.task, config.data), task_content(config), tokenizer.fingerprint)
    if key not in _tests:
        while len(_tests) >= KEPT:
            _tests.pop(next(iter(_tests)))
        _tests[key] = encode(found.test, config.task, tokenizer, found.labels)
    return _tests[key]


_tests: dict[tuple[str, str, str], Encoded] = {}


def _key(task: TaskConfig, data: DataConfig) -> str:
    return json.dumps([as_dict(task), data.dev_share, data.duplicates])


@lru_cache(maxsize=KEPT)
def _splits(key: str, content: str, cache: str) -> Splits:
    task, dev_share, duplicates = json.loads(key)
    config = TaskConfig(**{**task, "kind": Kind[task["kind"]]})
    data = dataclasses.replace(DataConfig(), dev_share=dev_share, duplicates=duplicates)
    return read(config, data, Path(cache) / "duplicates")
