"""A run folder that someone sent, to go on with: its config and its state are data, or are refused in one line."""

import json
from pathlib import Path

import crafted
import pytest
import yaml
from crafted import WEIGHTS, sign
from hostile import Call

from thaw.config import TransferConfig
from thaw.fields import as_dict
from thaw.run import run_folder
from thaw.strategy.plan import Full
from thaw.task.task import Kind, TaskConfig
from thaw.track.config import WandbConfig
from thaw.track.plain import plain
from thaw.train.config import TrainerConfig


@pytest.fixture
def begun(task: Path, kept: Path) -> Path:
    """The folder of a transfer that has stopped after its first step, as far as its files say."""
    config = TransferConfig(
        task=TaskConfig(name="files", kind=Kind.classes, path="task", max_length=32), checkpoint="kept",
        strategy=Full(), steps=2, trainer=TrainerConfig(progress=False, threads=1), wandb=WandbConfig(mode="disabled"),
    )  # fmt: skip
    folder = run_folder(config)
    (folder / "state" / "step-000000001").mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(plain(as_dict(config))))
    (folder / "status.json").write_text('{"state": "interrupted"}')
    return folder


CONFIGS = {
    "python": "name: !!python/object/apply:os.mknod [CANARY]\n",
    "a module": "name: !!python/module:evil\n",
    "a target": "task: {_target_: os.mknod, _args_: [CANARY]}\n",
    "a partial strategy": "strategy: {name: full, _partial_: true, _target_: evil.Evil}\n",
    "another strategy": "strategy: {name: evil.Evil}\n",
    "a resolver": "name: ${evil:CANARY}\n",
    "hydra": "hydra: {callbacks: {x: {_target_: evil.Evil}}}\nevil: 1\n",
    "a name that leads out": "name: ../../outside\n",
    "a list": "[]\n",
    "nested deeply": "name: " + "[" * 5000 + "]" * 5000 + "\n",
    "a name too deep": "name: " + "/".join("abcdefghijklmnopqrstuvwxyz") + "\n",
    "no text": "\x00",
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_config(case: str, begun: Path, refused: Call, canary: Path) -> None:
    path, text = begun / "config.yaml", CONFIGS[case].replace("CANARY", str(canary))
    own = yaml.safe_load(path.read_text())
    key = text.partition(":")[0]
    own.pop(key, None)
    path.write_text(text + (yaml.safe_dump(own) if text[0].isalpha() else ""))
    refused(2, "resume", str(begun))


STATES = {
    "a pickle": lambda canary: (crafted.pickled(canary), "{}"),
    "saved by torch": lambda canary: (crafted.saved_by_torch(canary), '{"format": 2}'),
    "a pickle for counters": lambda canary: (WEIGHTS["metadata"], crafted.pickled(canary).decode("latin-1")),
    "overlap": lambda canary: (WEIGHTS["overlap"], '{"format": 2, "step": 1}'),
    "huge length": lambda canary: (WEIGHTS["huge length"], '{"format": 2, "step": 1}'),
    "nested deeply": lambda canary: (WEIGHTS["nested deeply"], '{"format": 2, "step": 1}'),
    "a list": lambda canary: (WEIGHTS["metadata"], "[]"),
    "an object for a format": lambda canary: (WEIGHTS["metadata"], '{"format": {"_target_": "evil.Evil"}}'),
    "nothing of the machine": lambda canary: (WEIGHTS["metadata"], '{"format": 2, "step": 1}'),
    "a list for a machine": lambda canary: (
        WEIGHTS["metadata"],
        '{"format": 2, "step": 1, "machine": [1], "resumed": 1}',
    ),
    "counters nested deeply": lambda canary: (WEIGHTS["metadata"], "[" * 100_000),
    "of another run": lambda canary: (WEIGHTS["metadata"], '{"format": 2, "run_id": "../../outside"}'),
}


@pytest.mark.parametrize("case", STATES)
def test_a_state(case: str, begun: Path, refused: Call, canary: Path) -> None:
    generation = begun / "state" / "step-000000001"
    tensors, counters = STATES[case](canary)
    (generation / "state.safetensors").write_bytes(tensors)
    (generation / "state.json").write_text(counters, "latin-1")
    sign(generation)
    refused((5, 6), "resume", str(begun))


@pytest.mark.parametrize("name", ["../../../../outside/secret.txt", "/etc/passwd", "a\0b"])
def test_a_state_whose_manifest_leads_out(name: str, begun: Path, refused: Call) -> None:
    generation = begun / "state" / "step-000000001"
    (generation / "MANIFEST.json").write_text(json.dumps({"format": 1, "files": {name: "0" * 64}}))
    refused((5, 6), "resume", str(begun))


def test_a_state_that_is_a_link(begun: Path, outside: Path, refused: Call) -> None:
    generation = begun / "state" / "step-000000001"
    generation.rmdir()
    generation.symlink_to(outside)
    refused((5, 6), "resume", str(begun))
