"""``thaw study NAME [key=value ...]``: all stages of a study in order, then its page.

The stages stand in experiments/NAME/stages.yaml: a title, a question, commands, the folders of the page. An override is
given to every stage whose command knows its key, so ``corpus.paths=[...]`` reaches pretraining and ``task.path=DIR``
the transfers. Finished runs are skipped, so a second call goes on where the first stopped. ``--until-settled`` adds
seeds in rounds (rounds.py), ``--dry-run`` starts nothing (rehearsal.py).
"""

import importlib.util
import os
import shlex
import time
from pathlib import Path
from typing import Any

import yaml

from thaw import config as schema
from thaw.cli import sweep
from thaw.cli.report import FORCE, Parser
from thaw.cli.report import main as report
from thaw.cli.stages import Stage, knowing
from thaw.cli.words import experiments
from thaw.errors import ConfigError, nearest
from thaw.report.out import FIXED, Out
from thaw.track.lock import TAKE_OVER, taking_over

STAGES = "stages.yaml"
DRY_RUN = "show the runs of every stage, which are finished, what all will take and can see; start nothing"
UNTIL_SETTLED = "add seeds in rounds until every claim is settled, verdict.seeds at most; the looks are paid for"


def main(argv: list[str]) -> int:
    """Run a study; return the exit code."""
    parser = Parser(prog="thaw study", description=__doc__.split("\n", 1)[0].split(": ", 1)[1])
    parser.add_argument("name", metavar="NAME", help="folder of experiments/ that holds a stages.yaml")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="for every stage that knows the key")
    parser.add_argument("--out", help="folder of the page (report/NAME)")
    parser.add_argument("--force", action="store_true", help=FORCE)
    parser.add_argument("--retry", action="store_true", help="try runs again that diverged; else they are outcomes")
    parser.add_argument("--take-over", action="store_true", help=TAKE_OVER)
    parser.add_argument("--dry-run", action="store_true", help=DRY_RUN)
    parser.add_argument("--until-settled", action="store_true", help=UNTIL_SETTLED)
    flags = parser.parse_intermixed_args(argv)
    if flags.dry_run:
        from thaw.cli import rehearsal

        return rehearsal.show(planned(flags.name, flags.overrides, flags.retry)[1], flags.until_settled)
    out = flags.out or f"report/{flags.name}"
    with taking_over(flags.take_over):
        return run(
            flags.name, flags.overrides, out, until_settled=flags.until_settled, retry=flags.retry, force=flags.force
        )


def run(
    name: str, overrides: list[str], out: str, *, until_settled: bool = False, retry: bool = False, force: bool = False
) -> int:
    """Run the stages of a study and write its page; stop at the first stage that fails, but not for diverged runs."""
    begun = time.monotonic()
    plan, stages = planned(name, overrides, retry)
    Out(out, force=force).refuse(FIXED)  # now, and not after hours of runs
    count = len(stages) + 1
    if until_settled:
        from thaw.cli import rounds

        code = rounds.run(stages, plan["report"], launched, count)
    else:
        code = _once(stages, count)
    if code:
        return code
    print(f"\n== {count}/{count}  report", flush=True)
    texts = ["--title", plan["title"], "--question", plan["question"], *(["--force"] if force else [])]
    code = report([*plan["report"], "--out", out, *texts])
    minutes = (time.monotonic() - begun) / 60
    print(f"\nAll of it took {minutes:.1f} minutes. Open {Path(out, 'index.html')} in a browser.")
    return code


def planned(name: str, overrides: list[str], retry: bool = False) -> tuple[dict[str, Any], list[Stage]]:
    """Return the plan of a study and its stages with the overrides of the command line."""
    flags = ["--retry"] if retry else []
    plan = read(experiments(name, STAGES))
    commands = [shlex.split(stage) for stage in plan["stages"]]
    knowers = {word: knowing(word, {command for command, *_ in commands}) for word in overrides}
    return plan, [
        Stage(number, command, words, [*(word for word, names in knowers.items() if command in names), *flags])
        for number, (command, *words) in enumerate(commands, 1)
    ]


def _once(stages: list[Stage], count: int) -> int:
    """Run each stage as it stands; return the exit code of the first that fails, else 0."""
    for stage in stages:
        print(stage.headline(count), flush=True)
        code = sweep.main(stage.command, [*stage.words, *launched(stage), *stage.more], settled=True)
        if code:
            return code
    return 0


def launched(stage: Stage) -> list[str]:
    """Return the words that run a stage in one process a core, where it is a sweep and the user names no launcher."""
    if stage.command == "pretrain" or any(word.startswith("hydra") for word in stage.more):
        return []
    return _workers()


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


def _workers() -> list[str]:
    """Return the overrides that run a sweep in one process a core, where the launcher is installed."""
    cores = os.cpu_count() or 1
    if cores < 2 or importlib.util.find_spec("hydra_plugins.hydra_joblib_launcher") is None:
        return []
    return ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={min(cores, 8)}"]
