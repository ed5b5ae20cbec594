"""A loss or gradient that is not finite stops a run before the update and names step and batch; nothing is lost."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from language import transfer
from safetensors.torch import load_file

from thaw import run
from thaw.cli.main import main
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
    assert (status["state"], status["error"]) == ("failed", f"DivergedError: {caught.value}")
    saved = list(folder.glob("state/*/state.safetensors"))
    assert len(saved) == min(step, 2)
    assert all(tensor.isfinite().all() for path in saved for tensor in load_file(path).values())
    assert run.transfer(config)["steps"] == STEPS  # the fault was passing: the same command goes on


@pytest.fixture
def words(tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The words of a transfer that diverges with optim.lr=1e30."""
    monkeypatch.chdir(tmp_path)
    checkpoint = Path(pretrained["folder"]) / "checkpoint"
    return [
        "transfer", "task=files", f"task.path={tasks[Kind.classes]}", "task.kind=classes", "task.max_length=48",
        f"checkpoint={checkpoint}", "strategy=full", "data.train_size=20", "data.batch_size=8", "steps=4",
        "eval_every=2", "trainer.threads=1", "trainer.progress=false", "wandb=disabled", "name=s",
    ]  # fmt: skip


def begun(folder: Path) -> dict[str, int]:
    """Return when each run was last begun."""
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("runs/s/*/config.yaml")}


def test_a_run_that_diverged_is_not_tried_again_without_retry(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = [*words, "optim.lr=1e30"]
    assert main(one) == 4
    first = begun(tmp_path)
    capsys.readouterr()
    assert main(one) == 4
    shown = capsys.readouterr().err
    assert shown.startswith("error: ")
    assert "--retry tries it again" in shown
    assert begun(tmp_path) == first
    assert main([*one, "--retry"]) == 4
    assert begun(tmp_path) != first


def test_a_sweep_says_how_many_diverged(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = [*words, "-m", "optim.lr=1e-3,1e30", "seed=1,2"]
    assert main(sweep) == 1
    shown = capsys.readouterr()
    assert "error: 2 of 4 runs diverged, only --retry tries them again" in shown.err
    before = begun(tmp_path)
    assert len(before) == 4
    assert main(sweep) == 1
    shown = capsys.readouterr()
    assert "4 runs, 2 finished before, 2 diverged before (--retry tries them again)" in shown.out
    assert "error: 2 of 4 runs diverged, only --retry tries them again" in shown.err
    assert begun(tmp_path) == before
    assert main([*sweep, "--dry-run"]) == 0
    assert "4 runs, 2 finished, 2 diverged, 0 to run" in capsys.readouterr().out
    assert main([*sweep, "--retry"]) == 1
    assert "4 runs, 2 finished before\n" in capsys.readouterr().out
    assert sum(begun(tmp_path)[name] != before[name] for name in before) == 2


def test_a_failure_and_a_divergence_are_two_things(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    sweep = [word for word in words if word != "data.train_size=20"]
    assert main([*sweep, "-m", "optim.lr=1e30", "data.train_size=20,5000"]) == 1
    told = "error: 1 of 2 runs failed, the same command tries them again; 1 of 2 runs diverged, only --retry tries"
    assert told in capsys.readouterr().err


def test_a_study_goes_on_after_a_divergence(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is an outcome that the page counts; the stages after it have what they need."""
    from thaw.cli import sweep

    assert sweep.main("transfer", [*words[1:], "-m", "optim.lr=1e-3,1e30", "seed=1"], settled=True) == 0
    assert "note: 1 of 2 runs diverged, only --retry tries them again" in capsys.readouterr().err
    folder = tmp_path / "experiments" / "mine"
    folder.mkdir(parents=True)
    stages = [" ".join([*words, "-m", "optim.lr=1e-3,1e30", "seed=1"]), " ".join([*words, "-m", "seed=7"])]
    plan = {"title": "t", "question": "q", "stages": stages, "report": ["runs/s"]}
    (folder / "stages.yaml").write_text(json.dumps(plan))
    assert main(["study", "mine", "hydra/launcher=basic", "--out", str(tmp_path / "page")]) == 0
    assert (tmp_path / "page" / "index.html").exists()
    assert len(begun(tmp_path)) == 3
