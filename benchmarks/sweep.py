"""How long does a whole sweep take, against a process a run of what one would use instead?

The grid: 4 strategies x 4 train sizes x 3 seeds on one task, the same optimizer steps and batch in all runs, start-up,
evaluation and record included, W&B offline. Thaw as one `thaw transfer -m` with Hydra's joblib launcher, two workers of
one thread, against run_glue.py-style processes of Hugging Face `Trainer`, two threads, one after another. Of the rival
one process is timed for each of full and frozen at 1,000 labels, and counted for every run of the grid like it
(in gradual unfreezing it fine-tunes fully, as a user would); the same is done for Thaw with one process a run. Then:
how workers and threads share the cores, what one more frozen run costs, whether a run of a sweep is the run alone.
"""

import argparse
import itertools
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from bench import glue, hf, measure

from thaw import run

STRATEGIES = ["feature_based", "frozen", "gradual_unfreeze", "full"]
SIZES, SEEDS, BATCH = [100, 500, 1000, 4000], [1, 2, 3], 32
TIMED = [1000]  # sizes at which processes are timed
PRECISION = "bfloat16" if measure.half_pays() else "float32"
HALF = ["trainer.precision=bf16-mixed"] * measure.half_pays()
SPLITS = {"1 worker, 2 threads": (1, 2), "2 workers, 1 thread each": (2, 1), "2 workers, 2 threads each": (2, 2)}


class Sweeps:
    """Thaw's sweeps of one task, each in a folder of runs and with a cache of its own."""

    def __init__(self, arguments: argparse.Namespace, task: str, steps: int) -> None:
        scored = steps if arguments.quick else steps // 2  # steps between two scorings of dev
        self.given = [
            *glue.overrides(arguments, task), f"steps={steps}", f"eval_every={scored}", "wandb=offline",
            "trainer.progress=false",
        ]  # fmt: skip

    def words(self, name: str, *more: str) -> list[str]:
        """Return a transfer's words, its runs in the folder ``name``."""
        folder = glue.WORK / "sweeps" / name
        return [*self.given, f"runs={folder}", "name=grid", f"cache.folder={folder}/cache", *more]

    def seconds(self, name: str, *more: str) -> float:
        """Return the wall seconds of one command, nothing computed before."""
        shutil.rmtree(glue.WORK / "sweeps" / name, ignore_errors=True)
        taken = measure.seconds([sys.executable, "-m", "thaw", "transfer", *self.words(name, *more)])
        measure.progress(f"{name}: {taken:.1f} s")
        return taken

    def sweep(self, name: str, workers: int, threads: int, *more: str) -> float:
        """Return the wall seconds of one sweep."""
        launcher = ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={workers}"] if workers > 1 else []
        return self.seconds(name, "-m", *launcher, f"trainer.threads={threads}", *more)


def grid(strategies: list[str], sizes: list[int], seeds: list[int]) -> list[str]:
    """Return the words of the grid."""
    size, seed = ",".join(map(str, sizes)), ",".join(map(str, seeds))
    return [f"strategy={','.join(strategies)}", f"data.train_size={size}", f"seed={seed}"]


def rivals(settings: list[str], sweeps: Sweeps, sizes: list[int], steps: int) -> dict[str, dict[str, float]]:
    """Return the seconds of the rival's process by setting, kind and size."""
    found: dict[str, dict[str, float]] = {}
    for setting, size, frozen in itertools.product(settings, sizes, [False, True]):
        config = glue.config([*sweeps.words("rival"), f"data.train_size={size}", "strategy=full"])
        splits, labels = glue.rows(config, test=True)
        job = hf.Job(
            checkpoint=config.checkpoint or "", splits=splits, labels=labels, half=measure.half_pays(),
            setting=setting, frozen=frozen, steps=steps, batch_size=BATCH, length=config.task.max_length,
        )  # fmt: skip
        name = f"{'frozen' if frozen else 'full'} {size}"
        taken = measure.seconds([sys.executable, *hf.write(job, glue.WORK / "job.json")])
        found.setdefault(setting, {})[name] = taken
        measure.progress(f"rival {setting} {name}: {taken:.1f} s")
    return found


def alone(sweeps: Sweeps, strategies: list[str], sizes: list[int]) -> dict[str, float]:
    """Return the seconds of Thaw's runs in a process each, two threads, by strategy and size."""
    return {
        f"{strategy} {size}": sweeps.seconds(
            "alone", f"strategy={strategy}", f"data.train_size={size}", "trainer.threads=2", *HALF
        )
        for strategy, size in itertools.product(strategies, sizes)
    }


def one_more(sweeps: Sweeps, runs: int) -> dict[str, float]:
    """Return what one more frozen run of 1,000 labels costs a sweep: sweeps of two and of many rates, the slope."""
    rates = [f"{0.0001 * (number + 1):.4f}" for number in range(runs)]
    words = ["strategy=frozen", "data.train_size=1000", *HALF]
    few = sweeps.sweep("few", 1, 2, *words, f"optim.lr={','.join(rates[:2])}")
    many = sweeps.sweep("many", 1, 2, *words, f"optim.lr={','.join(rates)}")
    return {"two runs, s": few, f"{runs} runs, s": many, "one more, s": (many - few) / (runs - 2)}


def equal(sweeps: Sweeps, folder: str, size: int, strategies: list[str]) -> dict[str, bool]:
    """Return whether runs of the grid are bit for bit those made alone with as many threads."""
    found = {}
    for strategy in strategies:
        words = [f"strategy={strategy}", f"data.train_size={size}", "seed=1", "trainer.threads=1", *HALF]
        sweeps.seconds("alone", *words)
        both = [run.run_folder(glue.config(sweeps.words(name, *words))) for name in (folder, "alone")]
        found[strategy] = _outcome(both[0]) == _outcome(both[1])
    return found


def _outcome(folder: Path) -> tuple[Any, ...]:
    row = json.loads((folder / "result.json").read_text())
    return row["dev"], row["test"], row["best_step"], (folder / "predictions.jsonl.gz").read_bytes()


def main() -> None:
    """Measure, print, write."""
    parser = measure.options(__doc__ or "")
    glue.add(parser)
    parser.add_argument("--steps", type=int, help="optimizer steps of a run")
    arguments = parser.parse_args()
    measure.told_half()
    quick = arguments.quick
    steps = arguments.steps or (10 if quick else 60)
    strategies = STRATEGIES[1::2] if quick else STRATEGIES  # frozen and full
    sizes, seeds, settings = ([500], [1, 2], ["best"]) if quick else (SIZES, SEEDS, ["default", "best"])
    (task,) = glue.names(arguments, ["trec"])
    sweeps = Sweeps(arguments, task, steps)
    glue.WORK.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    ours = {PRECISION: sweeps.sweep("grid", 2, 1, *grid(strategies, sizes, seeds), *HALF)}
    timed = sizes if quick else TIMED
    theirs, singles = rivals(settings, sweeps, timed, steps), alone(sweeps, strategies, timed)
    kinds = {strategy: "full" if strategy in ("full", "gradual_unfreeze") else "frozen" for strategy in strategies}
    runs = len(strategies) * len(sizes) * len(seeds)
    each = runs // len(strategies) / len(timed)  # runs of a strategy that one timed process stands for
    totals = {
        f"Trainer {setting}, a process a run": each * sum(found[f"{kinds[s]} {n}"] for s in strategies for n in timed)
        for setting, found in theirs.items()
    }
    totals["Thaw, a process a run"] = each * sum(singles.values())
    table = [{"grid": f"Thaw, one sweep, {name}", "s": taken, "rival / Thaw": 1.0} for name, taken in ours.items()]
    table += [{"grid": name, "s": taken, "rival / Thaw": taken / ours[PRECISION]} for name, taken in totals.items()]
    measure.show(f"{task}: {runs} runs of {steps} steps", table)
    part = grid(STRATEGIES, [500], [1, 2])
    split = {name: sweeps.sweep("split", *of, *part, *HALF) for name, of in SPLITS.items() if not quick}
    if split:
        measure.show("how the cores are shared", [{"sweep": name, "s": taken} for name, taken in split.items()])
    marginal = one_more(sweeps, 6 if quick else 22)
    measure.show("one more frozen run on kept features, W&B offline", [marginal])
    same = equal(sweeps, "grid", sizes[0], ["frozen"] if quick else STRATEGIES)
    measure.show("a run of the sweep is bit for bit the run alone", [same])
    measure.write(
        arguments, "sweep", vars(arguments) | {"steps": steps, "batch": BATCH, "runs": runs}, table=table, ours=ours,
        rival=theirs, alone=singles, split=split, one_more=marginal, equal=same, seconds=time.perf_counter() - begun,
    )  # fmt: skip


if __name__ == "__main__":
    main()
