"""A task of texts and classes, a mini encoder, and Thaw's transfers in this process: what transfer and sweep share."""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench import inputs
from bench.measure import HERE
from thaw import run
from thaw.cli import words
from thaw.cli.compose import composer
from thaw.config import TransferConfig
from thaw.job import data
from thaw.task.subset import choose

LENGTH, QUICK_LENGTH = 128, 32  # pieces; the first is run_glue.py's max_seq_length
WORK = HERE / "out" / "work"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that replace the demo's task and encoder."""
    inputs.add(parser)
    parser.add_argument("--tasks", type=Path, help="folder with trec/ and sst2/ (the demo's topics otherwise)")
    parser.add_argument("--checkpoint", type=Path, help="a mini encoder (one that has hardly learnt otherwise)")


def names(arguments: argparse.Namespace, wanted: list[str]) -> list[str]:
    """Return the tasks to measure: those wanted that are there, or the demo's."""
    if arguments.tasks is None:
        return ["topics"]
    return [name for name in wanted if (arguments.tasks / name).is_dir()]


def checkpoint(arguments: argparse.Namespace) -> Path:
    """Return a checkpoint of ``encoder=mini``; its weights do not matter for speed, so one step will do."""
    if arguments.checkpoint:
        return Path(arguments.checkpoint).resolve()
    found = list((WORK / "encoder").glob("*/checkpoint"))
    if not found:
        command = [sys.executable, "-m", "thaw", "pretrain", *inputs.overrides(arguments), "encoder=mini", "budget=1"]
        command += ["data.batch_size=8", "data.max_held_out=20000", "trainer.threads=1"]
        command += [f"runs={WORK}", "name=encoder", f"cache.folder={WORK}/cache", "wandb=disabled"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found = list((WORK / "encoder").glob("*/checkpoint"))
    return found[0]


def overrides(arguments: argparse.Namespace, task: str) -> list[str]:
    """Return what every transfer of a task is given, as words for `thaw`; the quick mode cuts the demo's long texts."""
    path = [] if arguments.tasks is None else [f"task.path={(arguments.tasks / task).resolve()}"]
    length = QUICK_LENGTH if arguments.quick else LENGTH
    words = [f"checkpoint={checkpoint(arguments)}", f"task={task}", *path]
    return [*words, "data.batch_size=32", f"task.max_length={length}"]


def config(given: list[str]) -> TransferConfig:
    """Return the typed config of one transfer."""
    with composer("transfer", words.parse(given)) as compose:
        found: TransferConfig = compose.combinations()[0].config
        return found


def transfer(given: list[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run a transfer anew in this process; return its row and its recorded losses."""
    found = config(given)
    folder = run.run_folder(found)
    shutil.rmtree(folder, ignore_errors=True)
    row = run.transfer(found)
    events = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return row, [event for event in events if "train/loss" in event]


def rows(found: TransferConfig, test: bool = False) -> tuple[dict[str, list[dict[str, Any]]], int]:
    """Return the texts a run learns from (and is scored on) as the rival takes them, and the number of classes."""
    splits = data.splits(found)
    train, dev = choose(splits, found.data, found.task.kind, found.seed)
    parts = {"train": [splits.train[i] for i in train]}
    if test:
        parts |= {"dev": [splits.dev[i] for i in dev], "test": splits.test}
    labels = splits.labels or []
    return {
        name: [{"text": one.text_a, "label": labels.index(str(one.label))} for one in part]
        for name, part in parts.items()
    }, len(labels)
