"""Does a sweep of a thousand runs take more memory, or more seconds a run, at its end than at its beginning?

And how long do `thaw runs` and `thaw report` look at five thousand run folders?

Runs that do next to nothing (a control; a new head on cached features for two steps), so that what the sweep itself
does is what is measured. The memory of the process that was started is read from /proc four times a second; a run ends
when its line is printed. First: a hundred runs after a tenth of all as warm-up; last: the last hundred (a quarter of
the runs where there are fewer than 400). With the basic launcher that process runs everything itself; with joblib's two
workers it only hands out and collects.

The folders are made up (`bench/folders.py`), in the files of real runs. Commands are timed from outside, process start
to process end, by the clock and by the CPU (of all threads), and take turns. --only folders leaves the sweeps out.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import folders, glue, inputs, measure, picture

TWO_WORKERS = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "trainer.threads=1"]
HEAD = ["strategy=frozen", "steps=2", "eval_every=2", "test=false", "data.batch_size=8"]
SWEEPS = {
    "controls, basic": ["strategy=majority"],
    "controls, joblib": ["strategy=majority", *TWO_WORKERS],
    "heads, basic": HEAD,
    "heads, joblib": [*HEAD, *TWO_WORKERS],
}
LOOKS = {
    "thaw runs": "runs {root}",
    "thaw runs --summary": "runs {root} --summary",
    "thaw runs --prune": "runs {root} --prune",
    "thaw report --no-pictures": "report {root} --out {out} --no-pictures",
    "thaw report": "report {root} --out {out}",
}
TARGETS = {"thaw runs": "< 3 s", "thaw report": "< 60 s"}


@dataclass
class Watched:
    """A sweep as seen from outside: (seconds since its start, value)."""

    ends: list[float] = field(default_factory=list)  # of each run
    memory: list[tuple[float, float]] = field(default_factory=list)  # resident MB of the parent


def main() -> None:
    """Measure, print, write."""
    parser = measure.options(__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, help="runs in a sweep (1,000; 12 with --quick, without joblib)")
    parser.add_argument("--folders", type=int, help="run folders to list and report (5,000; 300 with --quick)")
    glue.add(parser)
    arguments = parser.parse_args()
    runs = arguments.runs or (12 if arguments.quick else 1000)
    rows, curves = [], {}
    looked: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        if arguments.only in "folders":
            looked = look(arguments, folder)
        inputs.write_task(folder / "task")
        for name, words in SWEEPS.items():
            if arguments.only in name and not (arguments.quick and "joblib" in name):
                seen = watch(given(arguments, folder, name, words, runs), folder)
                rows.append(row(name, seen, runs))
                curves[name] = seen
                measure.progress(f"{name}: {seen.ends[-1]:.0f} s")
    seen_all = {name: vars(seen) for name, seen in curves.items()}
    path = measure.write(arguments, "many", {"runs": runs}, rows=rows, seen=seen_all, folders=looked)
    if rows:
        measure.show(f"{runs} runs in one sweep (target: memory of the parent within 5 %)", rows)
        memory = {name: thinned(seen.memory) for name, seen in curves.items()}
        picture.lines(path.with_suffix(".svg"), "Memory of a sweep", "seconds", "MB", memory, log=False, dots=False)


def look(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Time the commands that read a folder of runs."""
    count = arguments.folders or (300 if arguments.quick else 5000)
    root = folders.write(folder / "runs" / "many", count)
    measure.progress(
        f"{count} run folders of {sum(one.stat().st_size for one in root.rglob('*')) / count / 1e3:.0f} kB"
    )
    out = str(folder / "report")
    words = {name: line.format(root=root, out=out).split() for name, line in LOOKS.items()}
    cpu: dict[str, list[float]] = {name: [] for name in words}

    def turn(name: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken = measure.seconds([sys.executable, "-m", "thaw", *words[name]], cwd=folder)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu[name].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return taken

    rounds = arguments.rounds or (1 if arguments.quick else 3)
    found = measure.interleaved({name: lambda name=name: turn(name) for name in words}, rounds)
    rows = [
        {
            "command": name,
            "seconds": measure.median(found[name]),
            "range": measure.spread(found[name]),
            "CPU s": measure.median(cpu[name]),
            "target": TARGETS.get(name, ""),
        }
        for name in words
    ]
    measure.show(f"{count} run folders", rows)
    return {"count": count, "rows": rows, "all": found, "cpu": cpu}


def given(arguments: argparse.Namespace, folder: Path, name: str, words: list[str], runs: int) -> list[str]:
    """Return the command of one sweep."""
    seeds = ",".join(map(str, range(1, runs + 1)))
    task = ["task=files", f"task.path={folder}/task", "task.kind=classes", "data.train_size=20", "wandb=disabled"]
    checkpoint = [f"checkpoint={glue.checkpoint(arguments)}"] * ("majority" not in words[0])
    place = [f"name={name.replace(', ', '-')}", f"cache.folder={folder}/cache"]
    return [sys.executable, "-m", "thaw", "transfer", "-m", *task, *checkpoint, *words, *place, f"seed={seeds}"]


def watch(command: list[str], folder: Path) -> Watched:
    """Run a sweep and look on."""
    seen, begun = Watched(), time.monotonic()
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    errors: list[str] = []
    reader = threading.Thread(target=lambda: errors.extend(process.stderr), daemon=True)
    sampler = threading.Thread(target=sample, args=(process, seen, begun), daemon=True)
    reader.start()
    sampler.start()
    for line in process.stdout or ():
        if line.startswith("[") and " … " in line:
            if "failed" in line:
                raise SystemExit(f"error: {line}")
            seen.ends.append(time.monotonic() - begun)
    if process.wait():
        raise SystemExit(f"error: the sweep ended with {process.returncode}:\n{''.join(errors)[-2000:]}")
    sampler.join()
    return seen


def sample(process: Any, seen: Watched, begun: float) -> None:
    """Note the resident memory of a process until it ends."""
    while process.poll() is None:
        try:
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        except OSError:
            return
        kilobytes = [int(line.split()[1]) for line in lines if line.startswith("VmRSS:")]
        seen.memory += [(time.monotonic() - begun, one * 1024 / 1e6) for one in kilobytes]
        time.sleep(0.25)


def row(name: str, seen: Watched, runs: int) -> dict[str, Any]:
    """Return what the first and the last runs took, after a tenth of them."""
    warm, part = runs // 10, 100 if runs >= 400 else runs // 4
    first, last = (seen.ends[warm], seen.ends[warm + part]), (seen.ends[-part - 1], seen.ends[-1])
    seconds = [1000 * (end - start) / part for start, end in (first, last)]
    memory = [measure.median(value for at, value in seen.memory if start <= at <= end) for start, end in (first, last)]
    return {
        "sweep": name,
        "s in all": seen.ends[-1],
        "s before the first": seen.ends[0],
        "ms a run, first": seconds[0],
        "last": seconds[1],
        "last / first": seconds[1] / seconds[0],
        "MB, first": memory[0],
        "MB, last": memory[1],
        "growth": f"{memory[1] / memory[0] - 1:+.1%}",
    }


def thinned(points: list[tuple[float, float]], most: int = 200) -> list[tuple[float, float]]:
    """Return at most about ``most`` of some points."""
    return points[:: max(1, len(points) // most)]


if __name__ == "__main__":
    main()
