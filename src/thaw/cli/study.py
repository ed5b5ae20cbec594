"""``thaw study NAME [key=value ...]``: all stages of a study in order, then its page.

The stages stand in experiments/NAME/stages.yaml: a title, a question, commands, the folders of the page. An override is
given to every stage whose command knows its key, so ``corpus.paths=[...]`` reaches pretraining and ``task.path=DIR``
the transfers. Finished runs are skipped, so a second call goes on where the first stopped.
"""

import dataclasses
import importlib.util
import os
import shlex
import time
from pathlib import Path
from typing import Any

import yaml

from thaw import config as schema
from thaw.cli import sweep
from thaw.cli.report import Parser
from thaw.cli.report import main as report
from thaw.cli.words import experiments
from thaw.errors import ConfigError, nearest

STAGES = "stages.yaml"


def main(argv: list[str]) -> int:
    """Run a study; return the exit code."""
    parser = Parser(prog="thaw study", description=__doc__.split("\n", 1)[0].split(": ", 1)[1])
    parser.add_argument("name", metavar="NAME", help="folder of experiments/ that holds a stages.yaml")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="for every stage that knows the key")
    parser.add_argument("--out", help="folder of the page (report/NAME)")
    parser.add_argument("--retry", action="store_true", help="try runs again that diverged; else they are outcomes")
    given = parser.parse_args(argv)
    return run(given.name, given.overrides, given.out or f"report/{given.name}", given.retry)


def run(name: str, overrides: list[str], out: str, retry: bool = False) -> int:
    """Run the stages of a study and write its page; stop at the first stage that fails, but not for diverged runs."""
    begun = time.monotonic()
    plan = read(experiments(name, STAGES))
    stages = [shlex.split(stage) for stage in plan["stages"]]
    given = {word: _commands(word, {command for command, *_ in stages}) for word in overrides}
    for number, (command, *words) in enumerate(stages, 1):
        print(f"\n== {number}/{len(stages) + 1}  {command} {' '.join(words)}", flush=True)
        more = [word for word, commands in given.items() if command in commands]
        launched = command == "pretrain" or any(word.startswith("hydra") for word in more)
        more += ["--retry"] if retry else []
        code = sweep.main(command, [*words, *([] if launched else _workers()), *more], settled=True)
        if code:
            return code
    print(f"\n== {len(stages) + 1}/{len(stages) + 1}  report", flush=True)
    code = report([*plan["report"], "--out", out, "--title", plan["title"], "--question", plan["question"]])
    minutes = (time.monotonic() - begun) / 60
    print(f"\nAll of it took {minutes:.1f} minutes. Open {Path(out, 'index.html')} in a browser.")
    return code


def read(path: Path) -> dict[str, Any]:
    """Return the plan of a study; ConfigError where a part is missing or a command is none of ours.

    A plan may be someone else's, so its stages may neither set what Hydra runs nor take configs from elsewhere.
    """
    try:
        plan = yaml.safe_load(path.read_text("utf-8"))
        found = {key: plan[key] for key in ("title", "question", "stages", "report")}
        stages = [shlex.split(stage) for stage in found["stages"]]
        commands = [stage[0] for stage in stages]
    except (yaml.YAMLError, KeyError, ValueError, TypeError, IndexError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"{path} needs title, question, stages and report: {reason}") from error
    for command in commands:
        if command not in schema.TOP:
            raise ConfigError(f"unknown stage '{command}' in {path}{nearest(command, schema.TOP)}")
    for word in (word for stage in stages for word in stage[1:]):
        if word.lstrip("+~").startswith("hydra") or (word.startswith("-") and word not in ("-m", "--multirun")):
            raise ConfigError(f"a stage may not say {word}, {path}: give it to thaw study on the command line")
    texts = all(isinstance(found[key], str) for key in ("title", "question"))
    folders = isinstance(found["report"], list) and all(isinstance(one, str) for one in found["report"])
    if not (texts and folders and stages) or any(one.startswith("-") for one in found["report"]):
        raise ConfigError(f"{path} needs a title, a question, a list of stages and a list of folders to report")
    return found


def _commands(word: str, used: set[str]) -> set[str]:
    """Return the commands of a study that know the key of an override."""
    root = word.lstrip("+~").partition("=")[0].partition(".")[0].partition("@")[0]
    if root in ("hydra", "hydra/launcher"):
        return used
    known = {command: {field.name for field in dataclasses.fields(schema.TOP[command])} for command in used}
    found = {command for command, names in known.items() if root in names}
    if not found or "=" not in word:
        names = set().union(*known.values())
        raise ConfigError(f"no stage knows {word}{nearest(root, names)}, give key=value as to thaw transfer")
    return found


def _workers() -> list[str]:
    """Return the overrides that run a sweep in one process a core, where the launcher is installed."""
    cores = os.cpu_count() or 1
    if cores < 2 or importlib.util.find_spec("hydra_plugins.hydra_joblib_launcher") is None:
        return []
    return ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={min(cores, 8)}"]
