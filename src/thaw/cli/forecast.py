"""``--dry-run``: the runs, which are finished, what the others will take. Starts nothing.

The estimate of a run: its budget where that is a time; else what finished runs of its kind took, those in the same
folder or, where there are none, in any folder of runs; else unknown. A kind is what makes a step last as long: a
network's strategy, shape, task and batches; a control's task and labels. Runs of another kind never stand in.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from thaw.cli.jobs import Job, title
from thaw.config import PretrainConfig, TransferConfig, strategies
from thaw.errors import ThawError
from thaw.fields import as_dict
from thaw.report.words import number
from thaw.train.budget import parse_budget
from thaw.train.evaluations import evaluation_steps

_SCALE = 10  # times more steps, or fewer, than a run had: beyond it, what a run does once would count as a step's
_SHAPE = ("model_type", "num_hidden_layers", "hidden_size", "intermediate_size", "vocab_size")  # of a config.json
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where there is one: ten times as fast
Kind = tuple[Any, ...]


def show(command: str, jobs: Sequence[Job]) -> None:
    """Print one line a run and the estimate."""
    width = len(str(len(jobs)))
    for job in jobs:
        state = "finished" if job.row is not None else "diverged" if job.diverged else state_of(job.folder)
        print(f"[{job.number:>{width}}/{len(jobs)}] {state:<11} {job.folder}  {title(job.config)}")
    pending = [job for job in jobs if job.pending]
    lost = sum(job.diverged is not None for job in jobs)
    done = f"{len(jobs) - len(pending) - lost} finished" + (f", {lost} diverged" if lost else "")
    print(f"{number(len(jobs), 'run')}, {done}, {len(pending)} to run; {_estimate(jobs, pending)}")


def expected(jobs: Sequence[Job]) -> str:
    """Return what the runs that are not finished will take, in words."""
    return _estimate(jobs, [job for job in jobs if job.pending])


def state_of(folder: Path) -> str:
    """Return ``to run`` or how an earlier try ended."""
    from thaw.track.folder import RunFolder

    state = RunFolder(folder).state()
    return "to run" if state == "absent" else state


@dataclass(frozen=True)
class Measured:
    """What a finished run took."""

    kind: Kind
    steps: int  # optimizer steps, 0: a control has none
    looks: int  # scorings of dev
    train_seconds: float
    eval_seconds: float
    size: float  # bytes


def _estimate(jobs: Sequence[Job], pending: Sequence[Job]) -> str:
    if not pending:
        return "expected: nothing"
    near = _measured(path for root in {job.folder.parent for job in jobs} for path in root.glob("*/result.json"))
    expected = [_expected(job.config, near) for job in pending]
    if None in expected:
        far = _measured(Path(getattr(pending[0].config, "runs", "runs")).rglob("result.json"))
        expected = [one or _expected(job.config, far) for one, job in zip(expected, pending, strict=True)]
    known = [one for one in expected if one is not None]
    if not known:
        return "expected hours and disk: unknown, no run of these kinds is finished"
    hours, sizes = sum(seconds for seconds, _ in known) / 3600, [size for _, size in known]
    disk = "disk unknown" if None in sizes else f"{sum(size or 0.0 for size in sizes) / 1e6:.1f} MB of disk"
    if len(known) == len(pending):
        return f"expected: {hours:.2f} hours in one process, {disk}"
    rest = f"unknown for {len(pending) - len(known)}, no run of their kind is finished"
    return f"expected: {hours:.2f} hours in one process, {disk} for {len(known)} of them; {rest}"


def _expected(config: Any, measured: Sequence[Measured]) -> tuple[float, float | None] | None:
    """Return the seconds and bytes (None: unknown) that a run will take, None where no run of its kind is finished."""
    unit, amount = parse_budget(config.budget) if hasattr(config, "budget") else ("", 0.0)
    own = kind(as_dict(_resolved(config)))
    alike = [one for one in measured if one.kind == own and own is not None]
    size = _mean([one.size for one in alike])
    if unit == "seconds":
        return amount, size
    steps = int(getattr(config, "steps", None) or (amount if unit == "steps" else 0))
    if own is None or own[0] == "control":
        return (seconds, size) if (seconds := _mean([one.train_seconds + one.eval_seconds for one in alike])) else None
    alike = [one for one in alike if one.steps and steps and 1 / _SCALE <= steps / one.steps <= _SCALE]
    if not alike:
        return None
    looks = len(evaluation_steps(steps, config.eval_every)) if isinstance(config, TransferConfig) else 1
    training = _mean([one.train_seconds / one.steps for one in alike]) or 0.0
    scoring = _mean([one.eval_seconds / one.looks for one in alike]) or 0.0
    return training * steps + scoring * looks, size


def kind(fields: Mapping[str, Any]) -> Kind | None:
    """Return what the seconds of a run's step follow from, by its config; None where its encoder can not be looked at.

    A task counts by its name and longest text, since the lengths of texts not yet read are not known.
    """
    if "objective" in fields:
        network = _shape(fields)
        data = fields["data"]
        return network and ("pretrain", network, data["length"], data["batch_size"], *_machine(fields))
    if "task" not in fields:
        return None
    strategy, task = fields["strategy"]["name"], fields["task"]
    if strategy in strategies() and strategies()[strategy].plan is None:
        return ("control", strategy, task["name"], str(fields["data"]["train_size"]))
    network = _shape(fields)
    work = strategy, task["name"], task["max_length"], fields["data"]["batch_size"]
    return network and ("transfer", network, *work, *_machine(fields))


def _machine(fields: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(
        fields["trainer"][key] for key in ("accelerator", "devices", "num_nodes", "precision", "compile", "accumulate")
    )


def _shape(fields: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Return the shape of the network of a run: that of its checkpoint, else the one of its config."""
    if fields.get("checkpoint"):
        try:
            values = json.loads((Path(fields["checkpoint"]) / "config.json").read_text("utf-8"))
            return tuple(values[key] for key in _SHAPE)
        except (OSError, ValueError, KeyError, TypeError):
            return None
    encoder = fields["encoder"] or {}
    return tuple(encoder.get(key) for key in ("dialect", "layers", "hidden", "intermediate"))


def _resolved(config: Any) -> Any:
    """Return the config with its checkpoint's folder, as a finished run has it."""
    from thaw.job.resolve import resolve

    try:
        if isinstance(config, TransferConfig):
            return resolve(config)
        return resolve(config) if isinstance(config, PretrainConfig) else config
    except ThawError:
        return config


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _measured(paths: Iterable[Path]) -> list[Measured]:
    """Return what the finished runs took whose results lie at ``paths``."""
    from thaw.job.finished import finished

    result = []
    for path in paths:
        row = finished(path.parent)
        try:
            fields = yaml.load(path.with_name("config.yaml").read_text("utf-8"), _Loader)  # noqa: S506  a safe one
            own = kind(fields)
            transfer = own is not None and own[0] == "transfer"
            looks = len(evaluation_steps(int(fields["steps"]), int(fields["eval_every"]))) if transfer else 1
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, yaml.YAMLError):
            continue
        if row is not None and own is not None and row.get("train_seconds") is not None:
            size = sum(file.stat().st_size for file in path.parent.rglob("*") if file.is_file())
            took = row["train_seconds"], row.get("eval_seconds") or 0.0, float(size)
            result.append(Measured(own, row.get("steps") or 0, looks, *took))
    return result
