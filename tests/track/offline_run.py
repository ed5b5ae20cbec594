"""Read what W&B wrote to disk, without a server (wandb 0.31: LevelDB framing around protobuf records)."""

import json
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_BLOCK, _HEADER, _FULL, _FIRST, _LAST = 32768, 7, 1, 2, 4


@dataclass
class OfflineRun:
    """One ``run-ID.wandb`` file."""

    id: str = ""
    name: str = ""
    group: str = ""
    job_type: str = ""
    notes: str = ""
    commit: str = ""
    tags: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    axes: dict[str, str] = field(default_factory=dict)
    artifacts: list[tuple[str, str, str, bool]] = field(default_factory=list)  # type, name, metadata, used
    contents: list[list[str]] = field(default_factory=list)  # of the artifacts: names of files to be sent
    exit_code: int | None = None


def offline_runs(folder: Path) -> list[OfflineRun]:
    """Return the runs of a run folder, oldest first; W&B writes their ends shortly after ``finish`` returns."""
    until = time.monotonic() + 5
    while True:
        runs = [_read(path) for path in sorted((folder / "wandb").glob("*run-*/run-*.wandb"))]
        if time.monotonic() > until or all(run.exit_code is not None for run in runs):
            return runs
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    """Return the child processes of a process, whichever of its threads started them."""
    listed = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(one) for found in listed for one in found]


def _read(path: Path) -> OfflineRun:
    run = OfflineRun()
    for record in _records(path.read_bytes()):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run.id, run.name, run.group = record.run.run_id, record.run.display_name, record.run.run_group
            run.job_type, run.tags = record.run.job_type, list(record.run.tags)
            run.notes, run.commit = record.run.notes, record.run.git.commit
            run.config.update({item.key: json.loads(item.value_json) for item in record.run.config.update})
        elif kind == "history":
            run.history.append({_key(item): json.loads(item.value_json) for item in record.history.item})
        elif kind == "summary":
            run.summary.update({_key(item): json.loads(item.value_json) for item in record.summary.update})
        elif kind == "metric":
            run.axes[record.metric.name or record.metric.glob_name] = record.metric.step_metric
        elif kind == "artifact":
            made = record.artifact
            run.artifacts.append((made.type, made.name, made.metadata, made.use_after_commit))
            run.contents.append(sorted(one.path for one in made.manifest.contents if not one.ref))
        elif kind == "exit":
            run.exit_code = record.exit.exit_code
    return run


def _key(item: Any) -> str:
    return ".".join(item.nested_key) or item.key


def _records(data: bytes) -> Iterator[Any]:
    from wandb.proto import wandb_internal_pb2

    position, parts = _HEADER, b""
    while position + _HEADER <= len(data):
        left = _BLOCK - position % _BLOCK
        if left < _HEADER:
            position += left
            continue
        crc, size, kind = struct.unpack_from("<IHB", data, position)
        body = data[position + _HEADER : position + _HEADER + size]
        if len(body) < size or zlib.crc32(body, zlib.crc32(bytes([kind]))) != crc:
            return
        position += _HEADER + size
        parts = body if kind in (_FULL, _FIRST) else parts + body
        if kind in (_FULL, _LAST):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(parts)
            yield record
