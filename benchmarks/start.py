"""How long until something happens: the help, the first training step, the skipping of what is finished?

Commands are timed from outside, process start to process end, and take turns with the imports; `-X importtime` tells
which of them load torch. The first step: `thaw transfer` has scored dev and begins to train when the first line of its
metrics.jsonl appears, which is watched every 5 ms; the rival is run_glue.py's course of action (`bench/hf.py`: imports,
`datasets.map`, `Trainer`), to its callback on_step_begin, without scoring dev before. Both learn from the same 500
texts with the same mini encoder. Skipping: the same sweep of finished runs (controls) at two sizes; the slope is what
one more run costs, against `--cfg job` on the same words, which composes and checks and does no more.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import glue, hf, inputs, measure

THAW = [sys.executable, "-m", "thaw"]


def main() -> None:
    """Measure, print, write."""
    parser = measure.options(__doc__.splitlines()[0])
    glue.add(parser)
    arguments = parser.parse_args()
    rounds = arguments.rounds or (1 if arguments.quick else 5)
    sizes = (8, 24) if arguments.quick else (48, 200)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        skipped = skip(arguments, folder, sizes, rounds)
        results = {"skip": skipped, "commands": commands(folder, rounds), "first": first(arguments, folder, rounds)}
    task = glue.names(arguments, ["trec"])[0]
    measure.write(arguments, "start", {"rounds": rounds, "task": task, "finished runs": sizes}, **results)


def commands(folder: Path, rounds: int) -> dict[str, Any]:
    """Time what must answer without torch, and the imports."""
    asked = {
        "thaw --help": ["--help"],
        "thaw transfer --help": ["transfer", "--help"],
        "thaw transfer, a mistake": ["transfer", "task=nowhere"],
        "thaw runs": ["runs", str(folder / "runs")],
        "thaw report": ["report", str(folder / "runs"), "--out", str(folder / "report")],
    }
    lines = {name: [*THAW, *words] for name, words in asked.items()}
    lines |= {f"import {name}": [sys.executable, "-c", f"import {name}"] for name in ("torch", "pytorch_lightning")}
    found = measure.interleaved({name: timed(line, folder) for name, line in lines.items()}, rounds)
    rows = [
        {
            "command": name,
            "seconds": measure.median(found[name]),
            "range": measure.spread(found[name]),
            "loads torch": "yes" if name.startswith("import") or loads_torch(line, folder) else "no",
            "target": "< 0.5 s" if name == "thaw --help" else "",
        }
        for name, line in lines.items()
    ]
    measure.show("Commands", rows)
    return {"rows": rows, "all": found}


def timed(line: list[str], folder: Path) -> Callable[[], float]:
    """Return what times a command, which may fail."""

    def once() -> float:
        begun = time.perf_counter()
        subprocess.run(line, cwd=folder, capture_output=True)
        return time.perf_counter() - begun

    return once


def loads_torch(line: list[str], folder: Path) -> bool:
    """Return whether a Python command imports torch."""
    told = subprocess.run([line[0], "-X", "importtime", *line[1:]], cwd=folder, capture_output=True, text=True).stderr
    return any(row.rpartition("|")[2].strip() == "torch" for row in told.splitlines())


def first(arguments: Any, folder: Path, rounds: int) -> dict[str, Any]:
    """Time both ways to the first training step."""
    task = glue.names(arguments, ["trec"])[0]
    given = [*glue.overrides(arguments, task), "strategy=full", "data.train_size=500", "wandb=disabled"]
    splits, labels = glue.rows(glue.config(given))
    job = hf.Job(
        checkpoint=str(glue.checkpoint(arguments)), splits=splits, labels=labels, half=False, steps=hf.WARM + 1
    )
    rival = [sys.executable, *hf.write(job, folder / "job.json")]
    seeds = iter(range(1000))

    def ours() -> float:
        runs = folder / "first" / str(next(seeds))
        begun = time.perf_counter()
        words = [*THAW, "transfer", *given, "steps=1", "test=false", f"runs={runs}", f"cache.folder={folder}/cache"]
        process = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while not any(path.stat().st_size for path in runs.glob("*/*/metrics.jsonl")):
            if process.poll() is not None:
                raise SystemExit(f"error: {' '.join(words)} ended before its first step:\n{process.communicate()[1]}")
            time.sleep(0.005)
        taken = time.perf_counter() - begun
        process.communicate()
        return taken

    def theirs() -> float:
        begun = time.time()
        done = subprocess.run(rival, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"error: {' '.join(rival)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
        return float(json.loads(done.stdout.splitlines()[-1])["began"] - begun)

    ours()  # fills the caches
    found = measure.interleaved({"thaw transfer": ours, "run_glue.py": theirs}, rounds)
    rows = [
        {"to the first training step": name, "seconds": measure.median(all_), "range": measure.spread(all_)}
        for name, all_ in found.items()
    ]
    measure.show(f"First step on {task}, mini encoder (target: 7 s)", rows)
    return {"rows": rows, "all": found}


def skip(arguments: Any, folder: Path, sizes: tuple[int, int], rounds: int) -> dict[str, Any]:
    """Time sweeps of finished runs, and of runs only named, at two sizes."""
    inputs.write_task(folder / "task")
    task = ["transfer", "task=files", f"task.path={folder}/task", "task.kind=classes", "wandb=disabled", "name=skip"]
    control = [*task, "strategy=majority", "data.train_size=20"]
    named = [*task, f"checkpoint={glue.checkpoint(arguments)}", "strategy=full,frozen"]
    measure.seconds([*THAW, *control, "-m", f"seed={seeds(sizes[1])}"], cwd=folder)
    lines = {
        "finished, a control": [*control, "-m"],
        "composed only, a control": [*control, "-m", "--cfg", "job"],
        "named, from a checkpoint": [*named, "-m", "--dry-run"],
        "composed only, from a checkpoint": [*named, "-m", "--cfg", "job"],
    }

    def one(words: list[str], size: int) -> Callable[[], float]:
        count = size // 2 if "strategy=full,frozen" in words else size
        return timed([*THAW, *words, f"seed={seeds(count)}"], folder)

    contestants = {f"{name}: {size}": one(words, size) for name, words in lines.items() for size in sizes}
    found = measure.interleaved(contestants, rounds)
    medians = {name: [measure.median(found[f"{name}: {size}"]) for size in sizes] for name in lines}
    slopes = {name: 1000 * (many - few) / (sizes[1] - sizes[0]) for name, (few, many) in medians.items()}
    composing = [slopes[name] for name in lines if name.startswith("composed") for _ in range(2)]
    rows = [
        {
            "a sweep of runs": name,
            **{f"{size} runs, s": value for size, value in zip(sizes, medians[name], strict=True)},
            "ms a run": slopes[name],
            "beyond composing": slopes[name] - base,
        }
        for (name, base) in zip(lines, composing, strict=True)
    ]
    measure.show("Skipping (target: < 20 ms a run beyond composing)", rows)
    return {"rows": rows, "all": found}


def seeds(count: int) -> str:
    """Return the seeds 1 to ``count`` as a sweep takes them."""
    return ",".join(map(str, range(1, count + 1)))


if __name__ == "__main__":
    main()
