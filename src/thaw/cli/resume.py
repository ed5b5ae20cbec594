"""``thaw resume RUN [key=value ...]``: go on with an interrupted run from its folder alone.

The same command that began a run continues it too; this one needs no memory of it. A run is what its identity fields
and inputs are: settings of speed may change (with a note), where and how it is shown too; all else is refused with the
difference. ``--fork`` starts that other run instead, with a link to this one in its lineage.
"""

import dataclasses
from pathlib import Path
from typing import Any

import yaml

from thaw import config as schema
from thaw import fields
from thaw.cli.devices import placed
from thaw.cli.interrupt import time_limit
from thaw.cli.report import Parser
from thaw.errors import ConfigError, ResumeError, StorageError
from thaw.job.again import place
from thaw.track.epoch import HISTORY, RESULTS
from thaw.track.folder import CONFIG, LINEAGE, RunFolder
from thaw.track.lock import TAKE_OVER, taking_over

DROPOUT = ("accelerator", "compile", "devices", "num_nodes")  # of trainer: what draws the bits of dropout
INPUTS = ("task.path", "task.hub", "checkpoint", "corpus.paths", "corpus.hub", "tokenizer.path")


def main(argv: list[str]) -> int:
    """Go on with a run; return the exit code."""
    parser = Parser(prog="thaw resume", description=__doc__.split("\n", 1)[0].split(": ", 1)[1])
    parser.add_argument("run", metavar="RUN", help="its folder: runs/NAME/ID")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="settings that differ from now on")
    parser.add_argument("--fork", action="store_true", help="where they make another run: start it, linked to this one")
    parser.add_argument("--take-over", action="store_true", help=TAKE_OVER)
    given = parser.parse_args(argv)
    with taking_over(given.take_over):
        return run(Path(given.run), given.overrides, given.fork)


def run(folder: Path, overrides: list[str], fork: bool) -> int:
    """Go on with the run of a folder, or start the one that the overrides make of it."""
    from thaw.run import run_folder, run_identity

    command, kept = recorded(folder)
    before, now = typed(command, kept, []), typed(command, kept, overrides)
    leads = placed([now], sweep=False, only=None)
    folder = folder.resolve()
    above = len(Path(now.name).parts)
    if above >= len(folder.parents):
        raise ConfigError(f"not a run: {folder} does not lie in a study {now.name}, give runs/NAME/ID")
    now.runs = before.runs = str(folder.parents[above])
    identity = run_identity(now)
    if identity != folder.name:
        if not fork:
            what = older(folder) or difference(before, now) or f"{contents(now, folder)} is not what it was"
            raise ResumeError(f"another run than {folder}: {what}; --fork starts it, linked to this one")
        now.forked = folder.name
    elif fork:
        raise ConfigError(f"nothing to fork: the result of {folder} would be the same, leave out --fork")
    from thaw.cli.worker import outcome, verb
    from thaw.job.finished import complaint

    with time_limit(now.trainer.time_limit):
        row = verb(command)(now)
    if leads:
        print(f"{outcome(row)}, {run_folder(now)}")
        if lost := complaint(Path(run_folder(now))):
            raise StorageError(lost)
    return 0


def recorded(folder: Path) -> tuple[str, dict[str, Any]]:
    """Return the command and the config that a run folder holds; of one that runs beside its result, what it does."""
    folder = beside if ((beside := place(folder)) / CONFIG).is_file() else folder
    try:
        values = yaml.safe_load((folder / CONFIG).read_text("utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ConfigError(
            f"not a run: {folder} has no readable {CONFIG}, give runs/NAME/ID (thaw runs lists them)"
        ) from error
    if not isinstance(values, dict) or not {"corpus", "task"} & values.keys():
        raise ConfigError(f"not a run: {folder / CONFIG} is no config of a pretraining or a transfer")
    values.pop("tuned", None)  # its rate stands there
    return ("pretrain" if "corpus" in values else "transfer"), values


def typed(command: str, values: dict[str, Any], overrides: list[str]) -> Any:
    """Return the typed config of a record with overrides; a choice of a group is none, it would be another run."""
    from omegaconf import OmegaConf

    from thaw.cli.explain import explain

    raw = OmegaConf.create(values)
    for word in overrides:
        key, sign, _ = word.partition("=")
        if not sign or isinstance(values.get(key), dict):
            raise ConfigError(f"'{word}' is not key=value of one setting (another choice of a group is another run)")
    try:
        raw.merge_with_dotlist(overrides)
        return schema.read(command, raw)
    except Exception as error:
        raise ConfigError(explain(error, command, lambda group: [])) from error


def older(folder: Path) -> str:
    """Return that a run's results are of another epoch than this code's, as words; "" where they are of the same."""
    recorded = RunFolder(folder).read(LINEAGE)
    epoch = RESULTS if recorded is None else recorded.get("results", 1)  # ids of the first had none
    if epoch == RESULTS:
        return ""
    since = "; ".join(HISTORY[number] for number in sorted(HISTORY) if isinstance(epoch, int) and number > epoch)
    return f"it is of results epoch {epoch}, this code computes epoch {RESULTS}" + (f" ({since})" if since else "")


def difference(before: Any, now: Any) -> str:
    """Return what differs of the fields that name a run, "optim.lr 0.001 -> 0.01, seed 1 -> 2".

    These are the identity fields and, where dropout depends on them, those of speed that say what draws it.
    """
    from thaw.job.identity import dropout_bits

    old, new = flat(fields.identity_of(before)), flat(fields.identity_of(now))
    pairs = {key: (old.get(key), new.get(key)) for key in [*old, *(key for key in new if key not in old)]}
    pairs["checkpoint"] = (before.checkpoint, now.checkpoint)
    if dropout_bits(before) != dropout_bits(now):
        for key in DROPOUT:
            pairs[f"trainer.{key}"] = (getattr(before.trainer, key), getattr(now.trainer, key))
    return ", ".join(f"{key} {was} -> {is_now}" for key, (was, is_now) in pairs.items() if was != is_now)


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values by dotted name."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def contents(config: Any, folder: Path) -> str:
    """Return as words what, beside its fields, may make a run another one: its inputs, the device, the code."""
    from thaw.job.identity import dropout_bits
    from thaw.job.source import source

    values = flat(dataclasses.asdict(config))
    named = ", ".join(f"{key}={values[key]}" for key in INPUTS if values.get(key))
    parts = [f"the content of {named}"] if named else []
    if config.trainer.accelerator in ("auto", "gpu") and dropout_bits(config):
        parts.append(f"the device that trainer.accelerator={config.trainer.accelerator} takes")
    recorded = (RunFolder(folder).read(LINEAGE) or {}).get("source")
    if recorded not in (None, source()):
        parts.append("the code that names it")
    return " or ".join(parts) or "what names it"
