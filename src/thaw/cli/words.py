"""The words of a Hydra command: our flags, overrides, where configs are searched. No hydra here, so help is fast."""

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from thaw.config import GROUPS, check_name, conf_dir
from thaw.errors import ConfigError, nearest


@dataclass
class Words:
    """A parsed command line."""

    overrides: list[str]
    multirun: bool = False
    dry_run: bool = False
    only: int | None = None  # the number of the one combination to run
    retry: bool = False  # try runs again that diverged
    take_over: bool = False  # take locks of processes that are gone
    show_config: bool = False
    help: bool = False
    search_path: list[str] = field(default_factory=list)  # file:// URLs of further config folders


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}, see --help")


def parse(argv: list[str]) -> Words:
    """Return the parsed words; a wrong flag, folder or study raises ConfigError."""
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("-m", "--multirun", action="store_true")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--config-dir", "-cd", action="append", default=[])
    parser.add_argument("--only", type=int)
    parser.add_argument("--retry", action="store_true")
    parser.add_argument("--take-over", action="store_true")
    parser.add_argument("--cfg", choices=["job"])
    parser.add_argument("-h", "--help", action="store_true")
    flags = parser.parse_intermixed_args(argv)
    search_path = []
    for folder in flags.config_dir:
        if not Path(folder).is_dir():
            raise ConfigError(f"--config-dir {folder} is not a folder")
        search_path.append(f"file://{Path(folder).resolve()}")
    overrides = []
    for word in flags.overrides:
        key, _, value = word.partition("=")
        if key == "study":
            folder = experiments(value, "study.yaml").parents[len(Path(value).parts)]
            search_path.append(f"file://{folder}")  # not its parent: runs/ would be a group
            overrides.append(f"+{value}=study")
        elif key == "hydra.searchpath":
            search_path += value.strip("[]").split(",")
        elif key == "tasks":  # a list of choices, each with its own keys: tasks.trec.path=DIR
            overrides += [f"+task@tasks.{name.strip()}={name.strip()}" for name in value.strip("[]").split(",")]
        else:
            overrides.append(word)
    return Words(
        overrides, flags.multirun, flags.dry_run, flags.only, flags.retry, flags.take_over, flags.cfg is not None,
        flags.help, search_path,
    )  # fmt: skip


def experiments(name: str, file: str) -> Path:
    """Return ``experiments/<name>/<file>`` of the working folder, the checkout or the package, whichever has it."""
    check_name("study", name)
    if name.partition("/")[0] in (*GROUPS, "strategy"):
        raise ConfigError(f"study={name} has the name of a config group, rename its folder in experiments/")
    roots = [Path.cwd(), conf_dir().parent]
    for root in roots:
        if (path := root / "experiments" / name / file).is_file():
            return path
    folders = [root / "experiments" for root in roots]
    found = {path.parent.relative_to(one).as_posix() for one in folders for path in one.rglob(file)}
    raise ConfigError(f"unknown study '{name}'{nearest(name, found) if found else ', there is none in experiments/'}")
