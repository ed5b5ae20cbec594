"""Measuring side by side: contestants take turns, medians are compared, a result is a table and a JSON file.

A machine's speed changes from one minute to the next, so only ratios within one interleaved run are claims.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

PACKAGES = ("torch", "pytorch-lightning", "transformers", "datasets", "tokenizers", "sentencepiece", "numpy", "wandb")
HERE = Path(__file__).resolve().parent.parent


def options(question: str) -> argparse.ArgumentParser:
    """Return the arguments every script has; a script adds its own."""
    parser = argparse.ArgumentParser(description=question)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds: make bench")
    parser.add_argument("--rounds", type=int, help="turns of every contestant (the script's own number otherwise)")
    parser.add_argument("--out", type=Path, default=HERE / "out", help="folder of the JSON result")
    parser.add_argument("--only", default="", help="contestants whose name holds this text")
    return parser


def interleaved(contestants: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Let every contestant measure itself once a round, in an order that turns; return its values."""
    names = list(contestants)
    values: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for place in range(len(names)):
            name = names[(place + turn) % len(names)]
            values[name].append(contestants[name]())
            progress(f"round {turn + 1}/{rounds}  {name}: {values[name][-1]:.4g}")
    return values


def progress(line: str) -> None:
    """Say on stderr what was just measured."""
    print(f"  {line}", file=sys.stderr, flush=True)


def clock(threads: int) -> Callable[[], float]:
    """Return what reads the time: of one thread its CPU seconds, in which what else the machine does does not count."""
    return time.process_time if threads == 1 else time.perf_counter


def median(values: Iterable[float]) -> float:
    """Return the median of some values."""
    return float(statistics.median(values))


def spread(values: list[float]) -> str:
    """Return the smallest and the largest value, for a table."""
    return f"{min(values):.4g} to {max(values):.4g}"


def seconds(command: list[str], env: dict[str, str] | None = None, cwd: Path | None = None) -> float:
    """Return the wall seconds of a command that must succeed."""
    begun = time.perf_counter()
    done = subprocess.run(command, env={**os.environ, **(env or {})}, cwd=cwd, capture_output=True, text=True)
    taken = time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(f"error: {' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return taken


def show(title: str, rows: list[dict[str, Any]]) -> None:
    """Print rows (all with the same keys) as a table."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for number, key in enumerate(rows[0]):
        table.add_column(key, justify="left" if number == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*[_cell(value) for value in row.values()])
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)


def write(arguments: argparse.Namespace, name: str, settings: dict[str, Any], **results: Any) -> Path:
    """Write a result with the host, the versions and the settings it holds for; return the file."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    path: Path = arguments.out / f"{name}{'.quick' if arguments.quick else ''}.json"
    found = {"question": name, "date": time.strftime("%Y-%m-%d %H:%M"), "quick": arguments.quick}
    found |= {"host": host(), "versions": versions(), "settings": {k: _name(v) for k, v in settings.items()}, **results}
    path.write_text(json.dumps(found, indent=1, default=str) + "\n", "utf-8")
    print(f"wrote {os.path.relpath(path)}")
    return path


def half_pays() -> bool:
    """Return whether bfloat16 contestants take part: a rule over the machine, not a timing.

    A CPU without instructions for it multiplies bfloat16 about a hundred times slower than float32.
    """
    import torch

    return torch.cuda.is_available() or bool({"avx512_bf16", "amx_bf16"} & set(host()["flags"]))


def told_half() -> bool:
    """Return `half_pays`, and say on stderr what is left out where it does not."""
    if not (pays := half_pays()):
        progress("no bfloat16 instructions here (avx512_bf16, amx_bf16 or CUDA): all contestants are float32")
    return pays


def _name(value: Any) -> Any:
    """Return a setting as a record tells it: of a file its name, wherever it lies here."""
    if isinstance(value, list | tuple):
        return [_name(one) for one in value]
    return os.path.basename(value) if isinstance(value, Path) or str(value).startswith("/") else value


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that matter."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def host() -> dict[str, Any]:
    """Return what the machine is: processor, cores, the instructions that decide about half precision."""
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else ""
    model = next((line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")), "")
    flags = next((line.split() for line in text.splitlines() if line.startswith("flags")), [])
    wanted = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
    return {
        "processor": model or platform.processor(), "cores": os.cpu_count(),
        "flags": [flag for flag in wanted if flag in flags], "system": platform.platform(terse=True),
    }  # fmt: skip
