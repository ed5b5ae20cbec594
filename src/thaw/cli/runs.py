"""``thaw runs FOLDER``: list the runs under a folder, their state and scores; ``--prune`` what they leave on disk.

``--wandb`` records in W&B what it has no record of.
"""

from typing import TYPE_CHECKING, Any

from thaw.cli.report import Parser
from thaw.errors import ConfigError
from thaw.report.words import number
from thaw.track.redact import shown

if TYPE_CHECKING:
    from thaw.report.run import Run

FOLDERS = "folder of runs, or runs in W&B: wandb:ENTITY/PROJECT or wandb:ENTITY/PROJECT/STUDY (default: runs)"
PRUNE = "list caches, training states and checkpoints on the way with sizes, and what may go; --yes removes it"
WANDB = "record in W&B, from its folder, each run that has no record there and was to have one"
COLUMNS = (
    *("run_id", "state", "kind", "task", "strategy", "train_size", "seed", "lr", "dev", "test", "train_seconds"),
    "wandb",
)
SHOWN = {"train_seconds": "seconds"}  # the head of a column where it is not its name


def main(argv: list[str]) -> int:
    """Print one line a run; return the exit code."""
    from thaw.report.collect import STATES

    parser = Parser(prog="thaw runs", description=__doc__.splitlines()[0].replace("`", ""))
    parser.add_argument("folders", nargs="*", metavar="FOLDER", help=FOLDERS)
    parser.add_argument("--state", choices=STATES, help="only runs in this state")
    parser.add_argument("--sort", choices=COLUMNS, help="sort by this column")
    parser.add_argument("--summary", action="store_true", help="the table of means and intervals instead")
    parser.add_argument("--wandb", action="store_true", help=WANDB)
    parser.add_argument("--prune", action="store_true", help=PRUNE)
    parser.add_argument("--yes", action="store_true", help="with --prune: remove what may go without asking")
    parser.add_argument(
        "--older", metavar="AGE", help="with --prune: only what was not used for AGE, such as 30d or 12h"
    )
    parser.add_argument("--cache", metavar="FOLDER", help="with --prune: the cache (default: .cache/thaw)")
    arguments = parser.parse_args(argv)
    if arguments.prune:
        from thaw.cli.prune import prune

        return prune(arguments.folders, arguments.cache, arguments.older, arguments.yes)
    if arguments.yes or arguments.older or arguments.cache:
        raise ConfigError("--yes, --older and --cache belong to --prune, see: thaw runs --help")
    if arguments.wandb:
        from thaw.cli.recorded import record

        return record(arguments.folders)
    from rich.text import Text

    from thaw.report.collect import read
    from thaw.report.lines import show
    from thaw.report.odd import made_of
    from thaw.report.summary import counts, summary, terminal

    study, console = read(*(arguments.folders or ["runs"]), events=False), terminal()
    if arguments.summary:
        console.print(made_of(study, summary))
        return 0
    runs = [run for run in study.runs if arguments.state in (None, run.state)]
    lines: list[dict[str, Any]] = [{**run.row, "state": run.state, "wandb": run.wandb} for run in runs]
    if arguments.sort:
        lines.sort(key=lambda line: _sort_key(line[arguments.sort]))
    heads = [SHOWN.get(name, name) for name in COLUMNS]
    show(console, heads, [[_shown(line[name]) for name in COLUMNS] for line in lines])
    for text in [*counts(study), *_without_record(study.runs, arguments.folders)]:
        console.print(Text(text))
    return 0


def _without_record(runs: "list[Run]", folders: list[str]) -> list[str]:
    """Return the line that says how many runs ended without the W&B record they were to have, if any did."""
    wished = ("auto", "online", "offline")
    lost = [r for r in runs if r.wandb == "none" and r.state != "running" and r.config.get("wandb.mode") in wished]
    words = f"{number(len(lost), 'run')} without a W&B record: thaw runs --wandb {' '.join(folders or ['runs'])}"
    return [words] if lost else []


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else shown(str(value))


def _sort_key(value: Any) -> tuple[int, float, str]:
    """Numbers by value, then words, then what is missing."""
    if isinstance(value, int | float):
        return (0, float(value), "")
    return (1, 0.0, str(value)) if value is not None else (2, 0.0, "")
