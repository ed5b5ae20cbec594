"""What tells that a run's files are damaged although they can be read: a line that is gone, a word for a number.

Every number has bounds and every count is one: a folder may come from anyone, and what it says goes into sums, axes and
file names of all the others.

A finished run's ``status.json`` holds the SHA-256 of its other files, so any later change is told. Older runs and
copies of W&B runs have none: there the result must hold every column, each of its type, and agree with the config. What
is damaged is left out whole and counted, never mended: a number that may not be the run's is worth less than none.
"""

import hashlib
import math
import os
from collections.abc import Collection, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from thaw.errors import ConfigError
from thaw.fields import check
from thaw.report.claims.rule import Rule, rule_of
from thaw.track import bounded
from thaw.track.folder import SUMMED
from thaw.track.row import COLUMNS
from thaw.track.row import KINDS as WRITTEN

FLAGS = ("collapsed",)
WORDS = ("run_id", "name", "kind", "task", "strategy", "encoder", "checkpoint", "metric", "pretrain_run",
         "frozen_audit", "host", "torch", "precision", "thaw_version", "device", "source", "positive")  # fmt: skip
SIZES = ("train_size",)  # a number, or "all" before the run knows it
# Numbers that may be undefined or below 0; all others are counts and times.
SCORES = ("dev", "test", "lr", "floor", "floor_test", "word_bits_per_byte", "host_gflops")
KINDS = (*WRITTEN, "tokenizer")
LARGEST = 1e30  # of any number: FLOPs of the largest training known are 1e27
LONGEST = 10_000  # letters of a name
# Columns whose value the config has too; of a pretraining only the seed.
SHARED = {"seed": "seed", "task": "task.name", "strategy": "strategy.name", "metric": "task.metric", "lr": "optim.lr"}
NOT_FINITE = ("NaN", "Infinity", "-Infinity")  # as W&B spells them
_NO_NUMBERS = (str, list, dict)
CLOCKS = ("seconds", "cpu_seconds", "tokens", "flops", "epoch")


def changed(
    folder: Path, status: Mapping[str, Any], files: Mapping[str, bytes | None], without: Collection[str] = ()
) -> list[str]:
    """Return the files of a finished run that are not as the run left them, as far as its status knows.

    ``files`` are those that were read already, None where there is none; those of ``without`` are not looked at.
    """
    if "sha256" not in status:
        return []
    known = status["sha256"]
    if not isinstance(known, dict):
        raise ValueError("status.json: sha256 is not a mapping")
    if strange := [name for name in known if os.path.basename(name) != name]:  # it may lead anywhere
        raise ValueError(f"status.json: sha256 of {strange[0][:40]!r}, which is no file of a run")
    names = [name for name in sorted({*SUMMED, *known}) if name not in without]
    sums = {name: _sum(folder, name, files) for name in names}
    return [name for name, found in sums.items() if found != known.get(name, "")]


def _sum(folder: Path, name: str, files: Mapping[str, bytes | None]) -> str | None:
    """Return the SHA-256 of a file, empty if there is none, None if it is something else."""
    if name in files:
        content = files[name]
        return "" if content is None else hashlib.sha256(content).hexdigest()
    try:
        return hashlib.sha256(bounded.content(os.path.join(folder, name))).hexdigest()
    except FileNotFoundError:
        return ""
    except (ValueError, NotADirectoryError):
        return None


def check_result(result: Mapping[str, Any]) -> None:
    """Raise ValueError when a column is missing: a run writes all of them, an older version all up to its last one."""
    if result.keys() >= COLUMNS.keys():
        return
    names = list(COLUMNS)
    last = max((names.index(name) for name in result if name in COLUMNS), default=0)
    if missing := [name for name in names[: last + 1] if name not in result]:
        raise ValueError(f"result.json lacks {', '.join(missing[:3])}")


def check_row(row: Mapping[str, Any], where: str) -> None:
    """Raise ValueError when a column is not of its type, or a number is none that such a column has."""
    for name, value in row.items():
        if value is not None and not _fits(name, value):
            raise ValueError(f"{where}: {name} is {str(value)[:40]!r}, of type {type(value).__name__}")
        if is_number(value) and not (name in SCORES or value >= 0):
            raise ValueError(f"{where}: {name} is {value}, a count or a time is never less than 0")
    if row["kind"] not in KINDS:
        raise ValueError(f"{where}: kind is {row['kind']}")
    if row["kind"] in ("transfer", "control"):
        if not isinstance(row["seed"], int):
            raise ValueError(f"{where}: seed is {row['seed']}, no number")
        if row["train_size"] != "all" and not (is_number(row["train_size"]) and row["train_size"] >= 1):
            raise ValueError(f"{where}: train_size is {row['train_size']}, no number of labels")


def _fits(name: str, value: Any) -> bool:
    if name in FLAGS:
        return isinstance(value, bool)
    if name in WORDS:
        return isinstance(value, str) and len(value) <= LONGEST
    return (is_number(value) and is_bounded(value)) or (name in SIZES and value == "all")


def finite(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result with None for scores that are not finite, which are undefined ones; ValueError for a count."""
    made = dict(result)
    for name, value in result.items():
        if isinstance(value, float) and not math.isfinite(value):
            if name not in SCORES:
                raise ValueError(f"result.json: {name} is {value}, which is no number")
            made[name] = None
    return made


def is_bounded(value: float) -> bool:
    """Return whether a number is one that sums, axes and files can hold."""
    return -LARGEST <= value <= LARGEST


def is_number(value: Any) -> bool:
    """Return whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_config(config: Mapping[str, Any]) -> None:
    """Raise ValueError when a setting is a number beyond all bounds, or a rule of verdicts is none."""
    for key, value in config.items():
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, int) and not is_bounded(one):
                raise ValueError(f"config.yaml: {key} is a number of {int(one.bit_length() * 0.30103) + 1} digits")
        if isinstance(value, list):
            bounded.check_depth(value, f"config.yaml: {key}")
    if any(key.startswith("verdict.") for key in config):
        _check_rule(config)


def _check_rule(config: Mapping[str, Any]) -> None:
    rule, default = rule_of([dict(config)])[0], Rule()
    for field in fields(rule):
        value, kind = getattr(rule, field.name), type(getattr(default, field.name))
        numbers = is_number(value) if kind in (int, float) else isinstance(value, kind)
        if not numbers or (kind is list and not all(map(is_number, value))):
            raise ValueError(f"config.yaml: verdict.{field.name} is {str(value)[:40]!r}")
    try:
        check(rule)
    except ConfigError as error:
        raise ValueError(f"config.yaml: verdict.*: {error}") from error


def check_agreement(config: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    """Raise ValueError when config and result of one run say different things."""
    shared = SHARED if result.get("kind") in ("transfer", "control") else {"seed": "seed"}
    for column, key in shared.items():
        value = result.get(column)
        if value is not None and config.get(key) != value:
            raise ValueError(f"config.yaml and result.json differ: {key} is {config.get(key)}, {column} is {value}")


def check_lineage(lineage: Mapping[str, Any]) -> None:
    """Raise ValueError when what the report reads of a lineage is not of its type, or nested without end."""
    bounded.check_depth(lineage, "lineage.json")
    for name in ("split", "subset", "tokenizer"):
        if not isinstance(lineage.get(name), str | None):
            raise ValueError(f"lineage.json: {name} is no text")
    found = lineage.get("contamination")
    if found and not (isinstance(found, dict) and all(is_number(found.get(name)) for name in ("found", "searched"))):
        raise ValueError("lineage.json: contamination has no counts")


def sound(event: Any) -> dict[str, Any] | None:
    """Return an event of ``metrics.jsonl`` with None for numbers that are not finite; None when it is damaged."""
    if not isinstance(event, dict):
        return None
    made = {}
    for key, value in event.items():
        if isinstance(value, _NO_NUMBERS):
            if value not in NOT_FINITE:
                return None
            value = None
        elif value is not None and not is_bounded(value):
            return None
        made[key] = value
    whole = is_number(made.get("step")) and all(made.get(name) is None or is_number(made[name]) for name in CLOCKS)
    return made if whole else None
