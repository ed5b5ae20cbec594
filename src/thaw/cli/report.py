"""``thaw report FOLDER ... --out report/``: the comparison page of the runs under some folders."""

import argparse
import signal
import time
from typing import Any, NoReturn

from thaw.errors import ConfigError

FOLDERS = "folder of runs, such as runs/my_study, or runs in W&B: wandb:ENTITY/PROJECT or wandb:ENTITY/PROJECT/STUDY"
WANDB = "also save a workspace and a report in W&B; without a key or network what would be sent is written to --out"
WATCH = "write the page again whenever a run changes, until Ctrl-C; the open page reloads itself"
FORCE = "overwrite files in --out that no report wrote, or that were changed since"
COMPARE = "two folders as two studies: what changed in their configs, which differences in score are real"


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line with the program's exit code."""

    def error(self, message: str) -> NoReturn:
        """Raise ConfigError instead of printing the usage."""
        raise ConfigError(f"{message}, see: {self.prog} --help")


def main(argv: list[str]) -> int:
    """Write the page and what stands beside it; return the exit code."""
    parser = Parser(prog="thaw report", description=__doc__.splitlines()[0].replace("`", ""))
    parser.add_argument("folders", nargs="+", metavar="FOLDER", help=FOLDERS)
    parser.add_argument("--out", default="report", help="folder to write to (default: report/)")
    parser.add_argument("--force", action="store_true", help=FORCE)
    parser.add_argument("--title", help="headline of the page (default: the name of the study)")
    parser.add_argument("--question", help="the question the study asks, below the headline")
    parser.add_argument("--wandb", action="store_true", help=WANDB)
    parser.add_argument(
        "--wandb-project", metavar="ENTITY/PROJECT", help="where --wandb saves (default: as the runs say)"
    )
    parser.add_argument("--no-pictures", action="store_true", help="leave out figures/*.svg and *.png")
    parser.add_argument("--watch", action="store_true", help=WATCH)
    parser.add_argument("--compare", action="store_true", help=COMPARE)
    arguments = parser.parse_args(argv)
    texts: dict[str, Any] = {"title": arguments.title, "question": arguments.question, "force": arguments.force}
    if arguments.watch:
        from thaw.report.watch import watch

        signal.signal(signal.SIGINT, signal.default_int_handler)  # Ctrl-C ends a watch, it interrupts nothing
        watch(arguments.folders, arguments.out, **texts)
        return 0
    if arguments.compare:
        return _compare(arguments.folders, arguments.out, texts | {"pictures": not arguments.no_pictures})
    from thaw.report.collect import read
    from thaw.report.out import Out
    from thaw.report.page import write
    from thaw.report.wandb.save import FILES, publish, require
    from thaw.report.wandb.target import target
    from thaw.report.words import number

    if arguments.wandb:
        require()
        Out(arguments.out, force=arguments.force).refuse(FILES)
    started = time.perf_counter()
    study = read(*arguments.folders)
    to = target(study, arguments.wandb_project) if arguments.wandb else None
    page = write(study, arguments.out, **texts, pictures=not arguments.no_pictures)
    seconds = time.perf_counter() - started
    left_out = f", {len(study.unreadable)} unreadable left out" if study.unreadable else ""
    beside = "report.json, runs.csv, summary.md, tables/" + ("" if arguments.no_pictures else ", figures/")
    print(f"{page}  ({number(len(study.runs), 'run')}{left_out}, {seconds:.1f} s; beside it: {beside})")
    if to is not None:
        publish(study, to, arguments.out, **texts)
    return 0


def _compare(folders: list[str], out: str, texts: dict[str, Any]) -> int:
    if len(folders) != 2:
        raise ConfigError(f"--compare takes two folders, not {len(folders)}: thaw report A B --compare")
    from thaw.report.collect import read
    from thaw.report.compare.folder import write

    page = write(read(folders[0]), read(folders[1]), out, names=(folders[0], folders[1]), **texts)
    print(f"{page}  ({folders[1]} against {folders[0]}; beside it: report.json, summary.md)")
    return 0
