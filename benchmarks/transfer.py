"""How fast does a transfer train, against what one would run instead?

1,000 labels, batches of 32, the same encoder: Thaw (its own job, in this process) and Hugging Face `Trainer` as
run_glue.py sets it up (default: float32, padded to 128), with dynamic padding, and at its best (batches of like length
too; bfloat16 on both sides where that pays: `bench.measure.half_pays`). Seconds a step in steady state: the first steps
and all evaluation are left out; one thread is timed by its CPU clock. Contestants take turns; ratios are those of
medians. Gradual unfreezing is measured over its whole schedule, against the rival's full fine-tuning; the frozen
encoder over ten epochs on cached features, the computing of which is charged, against the rival's frozen run. FLOPs:
padded tokens x layers x (8 D^2 + 4 D I + 4 T D), three times where a layer learns.
"""

import argparse
import collections
import functools
import shutil
import time
import types
from typing import Any

import torch
from bench import glue, hf, measure
from bench.turns import Contestant

from thaw.job.network import Network
from thaw.task.batches import TrainOrder
from thaw.task.encode import encode
from thaw.track import cost
from thaw.track.cost import encoder_flops

LABELS, BATCH, EPOCHS, WARM = 1000, 32, 10, 10
PRECISIONS = {"float32": list[str]()} | ({"bfloat16": ["trainer.precision=bf16-mixed"]} if measure.half_pays() else {})
FAST = list(PRECISIONS)[-1]


class Thaw:
    """Thaw's transfers of one task: seconds a step by what is trained and how."""

    def __init__(self, arguments: argparse.Namespace, task: str) -> None:
        self.given = [
            *glue.overrides(arguments, task), f"data.train_size={LABELS}", "eval_every=100000", "test=false",
            "wandb=disabled", "trainer.progress=false", f"trainer.threads={arguments.threads}", f"runs={glue.WORK}",
            "name=transfer", f"cache.folder={glue.WORK}/cache",
        ]  # fmt: skip
        self.config = glue.config([*self.given, "strategy=full"])
        self.epoch = self.network("full").batches.order.steps_per_epoch
        self.rows: dict[str, dict[str, Any]] = {}
        self.now = measure.clock(arguments.threads)
        cost.time = types.SimpleNamespace(perf_counter=self.now, process_time=time.process_time)  # the clock of runs

    def network(self, strategy: str, *more: str) -> Network:
        """Return what a transfer trains."""
        return Network(glue.config([*self.given, f"strategy={strategy}", *more]))

    def full(self, name: str, more: list[str], epochs: int) -> float:
        """Return seconds a step of full fine-tuning, over whole epochs after the first steps."""
        steps = WARM + epochs * self.epoch
        row, events = glue.transfer([*self.given, "strategy=full", *more, f"steps={steps}"])
        taken = events[-1]["seconds"] - next(event["seconds"] for event in events if event["step"] == WARM)
        seconds = taken / (steps - WARM)
        self.rows[name] = row | {"warm_up": row["train_seconds"] - steps * seconds}
        return float(seconds)

    def whole(self, name: str, more: list[str], epochs: int) -> float:
        """Return seconds a step over a whole run, what its features cost included."""
        row, _ = glue.transfer([*self.given, *more, f"steps={epochs * self.epoch}"])
        self.rows[name] = row
        return float(row["train_seconds"] / row["steps"])

    def first(self, more: list[str]) -> tuple[float, float]:
        """Return seconds of a frozen run that computes its features, and of a later one but for reading them."""
        shutil.rmtree(glue.WORK / "cache" / "features", ignore_errors=True)
        words = [*self.given, "strategy=frozen", *more, f"steps={EPOCHS * self.epoch}"]
        (first, _), (_, events) = glue.transfer(words), glue.transfer(words)
        steps = EPOCHS * self.epoch
        return first["train_seconds"], (events[-1]["seconds"] - events[0]["seconds"]) * steps / (steps - WARM)

    def split(self, more: list[str], steps: int) -> dict[str, float]:
        """Return the milliseconds of a step's parts in a bare loop over the same module."""
        network = self.network("full", *more)
        module, half = network.module.train(), bool(more)
        optimizer = module.configure_optimizers()
        taken: collections.Counter[str] = collections.Counter()
        for step in range(WARM + steps):
            if step == WARM:
                taken.clear()
            marks = [self.now()]
            (batch,) = network.batches.step(step)
            marks.append(self.now())
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                loss = module.head.loss(module.outputs(batch), batch)
            marks.append(self.now())
            loss.backward()
            marks.append(self.now())
            module.configure_gradient_clipping(optimizer)
            marks.append(self.now())
            optimizer.step()
            optimizer.zero_grad()
            marks.append(self.now())
            names = ("collate", "forward", "backward", "clip", "optimizer")
            taken.update({name: b - a for name, a, b in zip(names, marks, marks[1:], strict=False)})
        return {name: 1000 * seconds / steps for name, seconds in taken.items()}


def rival(**job: Any) -> Any:
    """Return what measures the rival's seconds a step, with the places of one, in a process without our allocator."""
    return lambda setting, frozen, steps: _timed(hf.train(hf.Job(setting=setting, frozen=frozen, steps=steps, **job)))


def _timed(found: dict[str, float]) -> tuple[float, float]:
    return found["seconds_per_step"], found["places_per_step"]


def padding(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the share of places that are padding in Thaw's training batches, over three epochs."""
    table = []
    for task in glue.names(arguments, ["trec", "sst2", "conll2003"]):
        for size in ("1000", "all"):
            found = glue.config([*glue.overrides(arguments, task), f"data.train_size={size}", "strategy=full"])
            network = Network(found)
            lengths = encode(network.train_examples, found.task, network.tokenizer, network.found.labels).lengths
            order = TrainOrder(lengths, BATCH, 1)
            batches = [order.batch(step) for step in range(3 * order.steps_per_epoch)]
            places = sum(len(batch) * int(lengths[batch].max()) for batch in batches)
            share = 1 - sum(int(lengths[batch].sum()) for batch in batches) / places
            table.append({"task": task, "labels": size, "mean length": float(lengths.mean()), "padding": share})
    return table


def main() -> None:
    """Measure, print, write."""
    parser = measure.options(__doc__ or "")
    glue.add(parser)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="full fine-tuning with trainer.compile=true as well")
    arguments = parser.parse_args()
    measure.told_half()
    rounds, epochs = arguments.rounds or (1 if arguments.quick else 3), 1
    results: dict[str, Any] = {"padding": padding(arguments)}
    measure.show("share of padding in batches of 32", results["padding"])
    settings = vars(arguments) | {"labels": LABELS, "batch": BATCH, "warm": WARM, "frozen_epochs": EPOCHS}
    for task in glue.names(arguments, ["trec"] if arguments.quick else ["trec", "sst2"]):
        results[task] = measured(arguments, task, rounds, epochs)
        measure.write(arguments, "transfer", settings, **results)


def measured(arguments: argparse.Namespace, task: str, rounds: int, epochs: int) -> dict[str, Any]:
    """Return all figures of one task."""
    thaw, seen = Thaw(arguments, task), dict[str, float]()  # places of the rival's steps
    thaw.full("warm", [], 1)
    contestants: dict[str, Any] = {}
    precisions = {FAST: PRECISIONS[FAST]} if arguments.quick else PRECISIONS
    for name, more in precisions.items():
        ulmfit = ["strategy=gradual_unfreeze", "strategy.unfreeze=epochs", *more]
        contestants |= {
            f"full {name}": lambda n=name, m=more: thaw.full(f"full {n}", m, epochs),
            f"gradual {name}": lambda n=name, m=more: thaw.whole(
                f"gradual {n}", ["strategy=gradual_unfreeze", *m], max(3, epochs)
            ),
            f"frozen {name}": lambda n=name, m=more: thaw.whole(f"frozen {n}", ["strategy=frozen", *m], EPOCHS),
        }
        if name == FAST and not arguments.quick:
            contestants[f"gradual, a layer an epoch {name}"] = lambda n=name, m=ulmfit: thaw.whole(
                f"gradual, a layer an epoch {n}", m, 6
            )
        if arguments.compile:
            compiled = [*more, "trainer.compile=true"]
            contestants[f"full {name} compiled"] = lambda n=name, m=compiled: thaw.full(f"full {n} compiled", m, epochs)
    splits, labels = glue.rows(thaw.config)
    fixed = {"checkpoint": thaw.config.checkpoint, "splits": splits, "labels": labels, "half": measure.half_pays()}
    fixed["length"] = thaw.config.task.max_length
    other = Contestant(rival, **fixed, batch_size=BATCH, threads=arguments.threads)

    def ask(setting: str, kind: str) -> float:
        steps = 8 if setting == "default" else thaw.epoch  # of 128 places all steps are alike
        seconds = other(setting, kind == "frozen", hf.WARM + steps)
        seen[f"{kind} {setting}"] = other.notes[-1][0]
        return seconds

    for setting in hf.SETTINGS:
        for kind in ("full", "frozen"):
            contestants[f"rival {kind} {setting}"] = functools.partial(ask, setting, kind)
    kept = {name: call for name, call in contestants.items() if arguments.only in name}
    values = measure.interleaved(kept, rounds)
    other.close()
    medians = {name: measure.median(found) for name, found in values.items()}
    shape = thaw.network("full").module.encoder.config
    table = []
    for name in (name for name in kept if not name.startswith("rival")):
        kind, row = "frozen" if name.startswith("frozen") else "full", thaw.rows[name]
        table.append(
            {"Thaw": name, "ms a step": 1000 * medians[name], "GFLOP a step": row["flops"] / row["steps"] / 1e9}
        )
        for setting in hf.SETTINGS:
            theirs = medians.get(f"rival {kind} {setting}")
            table[-1][f"/ {setting}"] = theirs / medians[name] if theirs else None
    rivals = []
    for name, places in seen.items():
        forward = places * encoder_flops(shape.layers, shape.hidden, shape.feed_forward, round(places / BATCH)) / 1e9
        flops = forward * (1 if name.startswith("frozen") else 3)
        rivals.append(
            {
                "rival": name,
                "ms a step": 1000 * medians[f"rival {name}"],
                "places a step": places,
                "GFLOP a step": flops,
            }
        )
    measure.show(f"{task}: Thaw, and how many times as long the rival takes", table)
    if rivals:
        measure.show(f"{task}: the rival", rivals)
    parts, shared = [], []
    for name, more in precisions.items():
        split = thaw.split(more, thaw.epoch)
        whole = 1000 * medians.get(f"full {name}", float("nan"))
        parts.append({"ms a step": name, **split, "Lightning and records": whole - sum(split.values()), "whole": whole})
        first, later = thaw.first(more)
        shared.append({"frozen, ten epochs": name, "first run, s": first, "a later run, s": later})
    measure.show(f"{task}: where a step of full fine-tuning goes", parts)
    measure.show(f"{task}: features computed, and found", shared)
    warm = {name: row["warm_up"] for name, row in thaw.rows.items() if "warm_up" in row}
    return {"values": values, "table": table, "rivals": rivals, "split": parts, "shared": shared, "warm_up_s": warm}


if __name__ == "__main__":
    main()
