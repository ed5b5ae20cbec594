"""Runs in processes that can be killed: forked from a server that has imported torch, so that one starts in no time."""

import json
import multiprocessing
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from thaw import run
from thaw.config import PretrainConfig, TransferConfig
from thaw.track.folder import RunFolder

TIMES = ("seconds", "cpu_seconds")
COSTS = ("train_seconds", "eval_seconds", "cpu_seconds", "peak_rss_bytes", "host_gflops")

server = multiprocessing.get_context("forkserver")
server.set_forkserver_preload(["thaw.job.pretrain", "thaw.job.transfer", "thaw.job.control"])

Config = PretrainConfig | TransferConfig


def do(config: Config) -> None:
    """Run a config to its end: what a killed process was about."""
    (run.pretrain if isinstance(config, PretrainConfig) else run.transfer)(config)  # type: ignore[operator]


def start(function: Callable[..., None], *arguments: Any) -> Any:
    """Start a process of the server."""
    process = server.Process(target=function, args=arguments)
    process.start()
    return process


def finish(config: Config) -> tuple[Path, float]:
    """Run a config to its end in a process; return its folder and the seconds it took."""
    begun = time.monotonic()
    process = start(do, config)
    process.join()
    assert process.exitcode == 0
    return run.run_folder(config), time.monotonic() - begun


def kill_after(config: Config, seconds: float) -> bool:
    """Run a config and kill it -9 after some seconds; return whether it still ran."""
    process = start(do, config)
    process.join(seconds)
    running = process.exitcode is None
    process.kill()
    process.join()
    return running


def bits(folder: Path) -> dict[str, Any]:
    """Return all that a run leaves, times and costs apart: weights and predictions as bytes, events, the row."""
    found = RunFolder(folder)
    row = found.result()
    assert row is not None
    files = sorted([*folder.rglob("*.safetensors"), *folder.glob("predictions*")])
    return {
        "state": found.state(),
        "files": {str(path.relative_to(folder)): path.read_bytes() for path in files},
        "events": [{key: value for key, value in event.items() if key not in TIMES} for event in found.events()],
        "row": {key: value for key, value in row.items() if key not in COSTS},
        "lineage": json.loads((folder / "lineage.json").read_text()),
        "left": sorted(path.name for path in folder.rglob(".*") if path.name != ".lock") + _states(folder),
    }


def _states(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "state").glob("*"))


def forget(root: Path) -> None:
    """Remove what a trial left, caches too."""
    shutil.rmtree(root, ignore_errors=True)
