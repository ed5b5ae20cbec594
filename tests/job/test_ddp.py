"""Two processes on CPU give what one gives with the same global batch: scores, losses, costs, and one run folder."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from language import ENCODER, pretraining, transfer
from pytorch_lightning import accelerators

from thaw import build, run
from thaw.encoder.config import EncoderConfig
from thaw.errors import ConfigError
from thaw.process import cores
from thaw.task.task import Kind
from thaw.train.config import TrainerConfig


def command(root: Path, *words: str) -> list[dict[str, Any]]:
    """Run a command as a user would; return the row and events of each run."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "WANDB_MODE": "disabled"}
    common = [
        "wandb=disabled",
        "trainer.threads=1",
        "trainer.progress=false",
        f"runs={root}",
        f"cache.folder={root}/cache",
    ]
    line = [sys.executable, "-m", "thaw", *words, *common]
    done = subprocess.run(line, capture_output=True, text=True, env=environment, cwd=root, timeout=240)
    assert done.returncode == 0, done.stderr
    runs = []
    for path in sorted(root.glob("*/*/result.json")):
        events = [json.loads(line) for line in path.with_name("metrics.jsonl").read_text().splitlines()]
        runs.append({"row": json.loads(path.read_text()), "events": events, "out": done.stdout})
    return runs


def thaw(root: Path, *words: str) -> dict[str, Any]:
    """Run a command of one run."""
    (run,) = command(root, *words)
    return run


TWO = [
    "trainer=ddp",
    "trainer.accelerator=cpu",
    "trainer.devices=2",
    "trainer.precision=32-true",
    "trainer.compile=false",
]


def losses(run: dict[str, Any], name: str) -> list[float]:
    return [event[name] for event in run["events"] if name in event]


def one_and_two(root: Path, words: list[str], *parts: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run a command with one process, which has each batch as a whole, and with two that have it in ``parts``."""
    runs = []
    for name, extra in (("one", ()), ("two", (*TWO, *parts))):
        (root / name).mkdir()
        runs.append(thaw(root / name, *words, *extra))
    return runs[0], runs[1]


def check_equal(one: dict[str, Any], two: dict[str, Any]) -> None:
    """Compare all that two runs have recorded, clocks apart, and what they are charged."""
    for event, same in zip(one["events"], two["events"], strict=True):
        assert event.keys() == same.keys()
        for name in event.keys() - {"seconds", "cpu_seconds"}:
            assert event[name] == pytest.approx(same[name], rel=1e-3, abs=2e-4), (event["step"], name)
    assert [event[name] for event in one["events"] for name in ("tokens", "flops")] == [
        event[name] for event in two["events"] for name in ("tokens", "flops")
    ]
    for name in ("dev", "test", "best_step", "tokens", "flops"):
        assert one["row"][name] == pytest.approx(two["row"][name], abs=1e-9), name
    assert two["row"]["threads"] == 2 * one["row"]["threads"]


def test_pretraining_on_two_processes(corpus_file: Path, tmp_path: Path) -> None:
    words = [
        "pretrain", "corpus=files", f"corpus.paths=[{corpus_file}]", "corpus.document=line", "tokenizer.vocab_size=320",
        "encoder=tiny", "encoder.hidden=32", "encoder.intermediate=64", "encoder.dropout=0.1",
        "encoder.attention_dropout=0.1", "data.length=32", "data.batch_size=7", "budget=8",
    ]  # fmt: skip
    one, two = one_and_two(tmp_path, words)
    assert one["row"]["test"] is two["row"]["test"] is None
    one["row"]["test"] = two["row"]["test"] = 0.0
    assert one["row"].pop("dev") == pytest.approx(two["row"].pop("dev"), abs=1e-4)
    check_equal(one | {"row": one["row"] | {"dev": 0.0}}, two | {"row": two["row"] | {"dev": 0.0}})


def gradual(task: Path, checkpoint: Path) -> list[str]:
    return [
        "transfer", "task=files", f"task.path={task}", "task.kind=classes", "task.metric=accuracy",
        f"checkpoint={checkpoint}", "strategy=gradual_unfreeze", "strategy.every=2",
        "steps=10", "eval_every=4", "data.batch_size=8", "data.train_size=60", "task.max_length=32",
    ]  # fmt: skip


@pytest.mark.parametrize(("size", "accumulate"), [(8, 1), (3, 2)])
@pytest.mark.slow
def test_gradual_unfreezing_on_two_processes(
    size: int, accumulate: int, tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path
) -> None:
    """A batch of 3 in two micro-batches of two processes each makes four parts, one of which holds no text."""
    words = [*gradual(tasks[Kind.classes], pretrained["folder"]), f"data.batch_size={size}"]
    one, two = one_and_two(tmp_path, words, f"trainer.accumulate={accumulate}")
    assert next(event for event in one["events"] if "drift/head" in event)["drift/embeddings"] > 0
    assert (one["row"]["run_id"] == two["row"]["run_id"]) is (accumulate == 1)
    check_equal(one, two)


def test_a_sweep_on_two_processes(tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path) -> None:
    words = gradual(tasks[Kind.classes], pretrained["folder"])
    runs = command(tmp_path, *words, *TWO, "-m", "seed=1,2,3", "eval_every=8")
    assert sorted(run["row"]["seed"] for run in runs) == [1, 2, 3]
    assert "3 finished" in runs[0]["out"]
    assert runs[0]["out"].count("[2/3]") == 1
    again = command(tmp_path, *words, *TWO, "-m", "seed=1,2,3", "eval_every=8")
    assert "3 finished before" in again[0]["out"]


def test_processes_are_in_the_id_only_where_dropout_is_not_drawn_by_row(
    tasks: dict[Kind, Path], pretrained: dict[str, Any], corpus_file: Path, tmp_path: Path
) -> None:
    def depends(strategy: str, settings: dict[str, Any], **trainer: Any) -> bool:
        ids = [
            run.run_identity(
                transfer(
                    Kind.classes, tasks[Kind.classes], pretrained["folder"] / "checkpoint", tmp_path, strategy,
                    settings=settings, trainer=TrainerConfig(**{"devices": 1, **one, **trainer}),
                )
            )
            for one in ({}, {"devices": 2}, {"num_nodes": 2}, {"devices": 3})
        ]  # fmt: skip
        assert ids[1] == ids[2]
        assert (ids[1] == ids[3]) is (ids[0] == ids[1])
        return ids[0] != ids[1]

    assert not depends("full", {})
    assert not depends("feature_based", {"model": "mlp"})
    assert not depends("feature_based", {"model": "bilstm"})
    assert depends("full", {}, compile=True)
    assert depends("full", {}, accelerator="gpu")
    assert not depends("full", {"dropout": 0.0}, accelerator="gpu", compile=True)
    encoders = [EncoderConfig(name="test", **ENCODER, dropout=dropout) for dropout in (0.0, 0.1)]
    for encoder, expected in zip(encoders, (False, True), strict=True):
        pair = [
            pretraining(corpus_file, tmp_path, encoder=encoder, trainer=TrainerConfig(devices=devices, compile=True))
            for devices in (1, 2)
        ]
        assert (run.run_identity(pair[0]) != run.run_identity(pair[1])) is expected


class Here:
    """A device of Lightning's that is there, or is not."""

    def __init__(self, *kinds: str) -> None:
        self.kinds = kinds

    def put(self, patched: pytest.MonkeyPatch) -> None:
        for kind in ("CUDA", "MPS", "XLA"):
            here = kind in self.kinds
            patched.setattr(getattr(accelerators, f"{kind}Accelerator"), "is_available", staticmethod(lambda x=here: x))


def test_what_draws_the_dropout_names_the_run_in_one_process_too(
    tasks: dict[Kind, Path], pretrained: dict[str, Any], corpus_file: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A GPU, compiled code and a CPU draw other bits from the same seed: they were one run, of whichever came first."""

    def name(dropout: float, *here: str, **trainer: Any) -> str:
        with monkeypatch.context() as patched:
            Here(*here).put(patched)
            checkpoint = pretrained["folder"] / "checkpoint"
            return run.run_identity(
                transfer(
                    Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, "full", settings={"dropout": dropout},
                    trainer=TrainerConfig(**trainer),
                )
            )  # fmt: skip

    places: list[tuple[list[str], dict[str, Any]]] = [
        ([], {}), (["CUDA"], {"accelerator": "gpu"}), (["MPS"], {"accelerator": "gpu"}), ([], {"compile": True}),
        (["CUDA"], {"accelerator": "gpu", "compile": True}), ([], {"accelerator": "tpu"}),
    ]  # fmt: skip
    assert len({name(0.1, *here, **trainer) for here, trainer in places}) == len(places)
    assert len({name(0.0, *here, **trainer) for here, trainer in places}) == 1
    for here, asked in (([], "cpu"), (["CUDA"], "gpu"), (["MPS"], "mps"), (["XLA"], "tpu")):
        assert name(0.1, *here, accelerator="auto") == name(0.1, *here, accelerator=asked)
    assert name(0.1, accelerator="gpu") == name(0.1, "CUDA", accelerator="gpu")  # where it will run
    encoder = EncoderConfig(name="test", **ENCODER, attention_dropout=0.1)
    for parent, expected in ((None, 2), (str(pretrained["folder"] / "checkpoint"), 1)):  # there encoder.dropout counts
        configs = [
            pretraining(
                corpus_file, tmp_path, encoder=encoder, checkpoint=parent, trainer=TrainerConfig(compile=compiled)
            )
            for compiled in (False, True)
        ]
        assert len({run.run_identity(config) for config in configs}) == expected


def test_a_device_is_the_one_that_lightning_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    """accelerator=auto on a machine with MPS trained there and was recorded as a CPU."""
    Here("MPS").put(monkeypatch)
    auto, gpu = TrainerConfig(accelerator="auto"), TrainerConfig(accelerator="gpu")
    assert (build.device_name(auto), build.device_name(gpu)) == ("mps", "mps")
    with pytest.raises(ConfigError, match="no CUDA device to measure"):
        build.device(auto)
    Here().put(monkeypatch)
    assert (build.device_name(auto), build.device(auto).type) == ("cpu", "cpu")


@pytest.mark.parametrize(("given", "threads"), [("3,1", 3), (" 2 ", 2), ("0", None), ("x", None), ("", None)])
def test_the_number_of_threads_as_openmp_reads_it(
    given: str, threads: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """3,1 (for nested regions) was a ValueError, and 0 a RuntimeError of torch's."""
    before = torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    try:
        assert build.use_threads(TrainerConfig()) == (threads or cores())
        assert build.use_threads(TrainerConfig(threads=1)) == 1
    finally:
        torch.set_num_threads(before)
