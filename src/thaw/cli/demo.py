"""``thaw demo``: the whole chain on real text from PyPI packages: pretrain, transfer in all ways, compare.

Its two studies lie in experiments/demo/; a second call goes on where the first stopped.
"""

import importlib.util
import os
import time
from pathlib import Path

from thaw.cli import sweep
from thaw.cli.report import Parser

STAGES = (
    ("1/3  pretrain a tiny encoder on summaries of Wikipedia articles", "pretrain", "demo/pretrain"),
    ("2/3  transfer it to the topics task, in every way and with every control", "transfer", "demo"),
)


def workers() -> list[str]:
    """Return the overrides that run a sweep in one process a core, where the launcher is installed."""
    cores = os.cpu_count() or 1
    if cores < 2 or importlib.util.find_spec("hydra_plugins.hydra_joblib_launcher") is None:
        return []
    return ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={min(cores, 8)}"]


def main(argv: list[str]) -> int:
    """Run the demo; return the exit code."""
    parser = Parser(prog="thaw demo", description="The whole chain on real text, about twelve minutes.")
    parser.add_argument("--out", default="report/demo", help="folder of the page (report/demo)")
    given = parser.parse_args(argv)
    begun = time.monotonic()
    for title, command, study in STAGES:
        print(f"\n== {title}   (study={study})", flush=True)
        code = sweep.main(command, [f"study={study}", *(workers() if command == "transfer" else [])])
        if code:
            return code
    print("\n== 3/3  compare", flush=True)
    from thaw.cli.report import main as report

    question = "Does transfer help on the topics task (11 classes), with 50, 150 and 500 labels?"
    code = report(["runs/demo", "--out", given.out, "--title", "The demo of Thaw", "--question", question])
    minutes = (time.monotonic() - begun) / 60
    print(f"\nThe demo took {minutes:.1f} minutes. Open {Path(given.out, 'index.html')} in a browser.")
    print("Next: thaw runs runs/demo   lists every run; README.md shows how to bring your own text and task.")
    return code
