"""The same command twice, in another order, in another launcher: the same bytes, times apart."""

import gzip
import hashlib
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from thaw.text import tokenizer as tokenizers
from thaw.text.tokenizer import TokenizerConfig

# What depends on the clock, and on what else the machine did.
TIMES = ("seconds", "cpu_seconds", "train_seconds", "eval_seconds", "peak_rss_bytes", "host_gflops")
RUNS = 6


@pytest.fixture
def sweep(task_folder: Path, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Run a sweep in a folder of its own and return what it wrote."""
    draw = random.Random(0)
    words = ["".join(draw.choice("aeioukstmn") for _ in range(draw.randint(2, 7))) for _ in range(600)]
    texts = [" ".join(draw.choices(words, k=12)) for _ in range(200)]
    tokenizers.train(texts, TokenizerConfig(kind="unigram", vocab_size=300)).save(tmp_path / "tokenizer")

    def start(place: str, *more: str, seeds: str = "1,2", strategies: str = "majority,tfidf,scratch") -> dict[str, Any]:
        (tmp_path / place).mkdir()
        command = [
            *(sys.executable, "-m", "thaw", "transfer", "-m", "name=s", "wandb=disabled", "keep=true"),
            *("task=files", f"task.path={task_folder}", "task.kind=classes", f"strategy={strategies}", f"seed={seeds}"),
            *("encoder=tiny", "tokenizer=folder", f"tokenizer.path={tmp_path / 'tokenizer'}", "data.train_size=20"),
            *("steps=6", "eval_every=3", "trainer.threads=1", "trainer.progress=false", *more),
        ]
        done = subprocess.run(
            command, cwd=tmp_path / place, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        root = tmp_path / place / "runs" / "s"
        return {str(path.relative_to(root)): content(path) for path in sorted(root.rglob("*")) if counts(path)}

    return start


def counts(path: Path) -> bool:
    return path.is_file() and path.name not in ("status.json", ".lock", ".sweep.json")


def content(path: Path) -> Any:
    """The bytes of a file; of the files that hold times the rest of them."""
    if path.name == "metrics.jsonl":
        return [timeless(json.loads(line)) for line in path.read_text().splitlines()]
    if path.name == "result.json":
        return timeless(json.loads(path.read_text()))
    if path.name == "lineage.json" and path.parent.name != "checkpoint":  # the command as typed stands there
        return {key: value for key, value in json.loads(path.read_text()).items() if key != "command"}
    if path.parent.name == "checkpoint" and path.name == "lineage.json":  # what the weights have cost stands there
        lineage = timeless(json.loads(path.read_text()))
        return lineage | {"own": timeless(lineage["own"])}
    if path.name == "MANIFEST.json":
        return path.read_text().replace(hashlib.sha256(path.with_name("lineage.json").read_bytes()).hexdigest(), "")
    return gzip.decompress(path.read_bytes()) if path.name.startswith("predictions") else path.read_bytes()


def timeless(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in TIMES}


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []


def test_twice_and_in_another_order(sweep: Callable[..., dict[str, Any]]) -> None:
    first = sweep("a")
    assert sum(name.endswith("result.json") for name in first) == RUNS
    assert sum(name.endswith("model.safetensors") for name in first) == 2
    for row in (row for name, row in first.items() if name.endswith("result.json")):
        assert row["host"]
        assert row["threads"] > 0
        assert row["thaw_version"]
        assert (row["torch"] is None) == (row["strategy"] in ("majority", "tfidf"))
    same(first, sweep("b", seeds="2,1", strategies="scratch,tfidf,majority"))


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_in_another_launcher(launcher: str, sweep: Callable[..., dict[str, Any]]) -> None:
    more = ["hydra.launcher.n_jobs=2"] if launcher == "joblib" else []
    same(sweep("a"), sweep("b", f"hydra/launcher={launcher}", *more))


@pytest.mark.slow
def test_a_single_run_gives_what_it_gives_in_a_sweep(sweep: Callable[..., dict[str, Any]]) -> None:
    whole, alone = sweep("a"), sweep("b", "--only", "4")  # scratch with seed 2
    assert "model.safetensors" in " ".join(alone)
    same(alone, {name: whole[name] for name in alone})
