"""A loss or gradient that is not finite stops a run before the update and names step and batch; nothing is lost."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from language import transfer
from safetensors.torch import load_file

from thaw import run
from thaw.errors import DivergedError
from thaw.task.task import Kind
from thaw.train.config import TrainerConfig
from thaw.train.transfer import TransferModule

STEPS = 12
EACH_STEP = TrainerConfig(threads=1, progress=False, checkpoint_minutes=1e-6)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("step", [0, 1, 6, STEPS - 1])
@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_it_stops_before_the_update(
    what: str, step: int, value: float, tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    checkpoint = Path(pretrained["folder"]) / "checkpoint"
    config = transfer(Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, "full", steps=STEPS, trainer=EACH_STEP)
    folder = run.run_folder(config)
    original = TransferModule.outputs

    def spoilt(self: Any, batch: Any, features: Any = None) -> torch.Tensor:
        logits = original(self, batch, features)
        if not self.training or self.step != step:
            return logits
        if what == "loss":
            return logits * value
        logits.register_hook(lambda gradient: gradient * value)
        return logits

    with monkeypatch.context() as patched:
        patched.setattr(TransferModule, "outputs", spoilt)
        with pytest.raises(
            DivergedError, match=rf"at step {step} \(examples \d+, .* of the train set\), lower"
        ) as caught:
            run.transfer(config)
    assert caught.value.exit_code == 4
    status = json.loads((folder / "status.json").read_text())
    assert (status["state"], status["error"]) == ("failed", str(caught.value))
    saved = list(folder.glob("state/*/state.safetensors"))
    assert len(saved) == min(step, 2)
    assert all(tensor.isfinite().all() for path in saved for tensor in load_file(path).values())
    assert run.transfer(config)["steps"] == STEPS  # the fault was passing: the same command goes on
