"""What Hydra may be told: on the command line what Thaw follows, in a file the mode of a sweep and its parameters.

Thaw drives Hydra's composition and its launchers, and neither its sweepers nor its folders, logs and callbacks. What is
said of those and would have no effect is refused with what to say instead; `FOLLOWED` and `REMEDIES` hold every key of
``hydra``. Callbacks are refused too: they are objects that a config names by ``_target_``, which is code from config.
So is ``${hydra:…}``: a run is named by what it is, not by its number in a sweep or by the folder it was started in.

Of what stands under ``hydra`` in a file Hydra makes objects (launchers, logging handlers) and the environment of jobs.
A study or a folder of configs may be someone else's, so all but `ALLOWED` is taken from the command line alone. All
other keys are typed and never made into objects.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from thaw.errors import ConfigError

ALLOWED = ("mode", "sweeper.params")
TOLD = ("runtime", "overrides", "job.name", "job.config_name", "job.override_dirname", "searchpath")  # by Hydra itself
FOLLOWED = ("mode", "sweeper.params", "launcher", "job.env_set", "job.env_copy")
FOLDERS = "a run lies in runs/NAME/ID, set runs=… or name=…"
HYDRAS = "Hydra sets it"
REMEDIES = {
    "run": FOLDERS,
    "sweep": FOLDERS,
    "output": FOLDERS,
    "output_subdir": "config.yaml in the run folder has the config, lineage.json the command",
    "job.chdir": "paths are those of the folder that the command is given in",
    "job.name": "submitit's jobs are named by hydra.launcher.name=…",
    "job.config_name": HYDRAS,
    "job.override_dirname": FOLDERS,
    "job.config": FOLDERS,
    "job.id": HYDRAS,
    "job.num": HYDRAS,
    "runtime": HYDRAS,
    "overrides": HYDRAS,
    "searchpath": "give hydra.searchpath=[FOLDER,...] without a sign before it, or --config-dir FOLDER",
    "sweeper": "-m runs the grid of the values given; to tune, sweep optim.lr with test=false, then tuned=runs/NAME",
    "callbacks": "Thaw makes no object that a config names; a run is followed by status.json in its folder",
    "verbose": "--debug shows tracebacks",
    "job_logging": "a run logs into its folder only",
    "hydra_logging": "a run logs into its folder only",
    "help": "see thaw COMMAND --help",
    "hydra_help": "see thaw COMMAND --help",
    "aliases": "write the key itself",  # hydra-core 1.4
    "env": "set variables before the command",
}
_AS_IT_IS: dict[str, tuple[Any, ...]] = {  # values that ask for what is done anyway
    "job.chdir": (False,),
    "output_subdir": (None,),
    "verbose": (False,),
    "sweeper": ("basic",),
    "sweeper.max_batch_size": (None,),
    "job_logging": ("none", "disabled"),
    "hydra_logging": ("none", "disabled"),
    "help": ("default",),
    "hydra_help": ("default",),
    "output": ("default",),
    "env": ("default",),
    "callbacks": (None, {}),
}
_INTERPOLATION = re.compile(r"(?<!\\)\$\{\s*hydra(_\w+)?\s*[:.]")
_NONE = object()


def check(overrides: Iterable[Override]) -> None:
    """Raise ConfigError for the first word that tells Hydra what Thaw does not follow."""
    for override in overrides:
        word = str(override.input_line)
        inside = str(override.package or "").partition(".")[0] == "hydra"
        if override.key_or_group != "hydra" and not override.is_hydra_override():
            if inside:
                raise ConfigError(f"'{word}' is not followed: nothing else belongs below hydra")
            continue
        if override.is_delete():
            raise ConfigError(f"'{word}' is not followed: what Hydra needs is not deleted")
        value = None if override.is_sweep_override() else override.value()
        for key, told in _told(override.key_or_group.replace("/", ".").partition(".")[2], value):
            _check(key, told, word)


def check_launcher(overrides: Iterable[Override]) -> None:
    """Raise ConfigError for a word about the launcher of a command that launches nothing: a single run."""
    for override in overrides:
        named = override.key_or_group == "hydra/launcher"
        if not (named and override.value() == "basic") and re.match(r"hydra[./]launcher\b", override.key_or_group):
            raise ConfigError(f"'{override.input_line}' is for sweeps, add -m or leave it out")


def check_interpolation(where: str, value: Any) -> None:
    """Raise ConfigError where a value, or one in it, refers to Hydra's own settings."""
    for key, text in _told(where, value):
        if isinstance(text, str) and _INTERPOLATION.search(text):
            remedy = "write the value, or refer to another key: ${task.name}"
            raise ConfigError(f"{key}: ${{hydra:…}} is not followed, a run is named by what it is: {remedy}")
        for one in text if isinstance(text, list) else ():
            check_interpolation(key, one)


def _check(key: str, value: Any, word: str) -> None:
    if any(value == same and type(value) is type(same) for same in _AS_IT_IS.get(key, ())):
        return
    if "_target_" in key:
        raise ConfigError(f"'{word}' is not followed: a config names no code, choose a launcher by hydra/launcher=NAME")
    if _below(key, FOLLOWED):
        return
    known = [name for name in REMEDIES if _below(key, (name,))]
    if not known:
        followed = ", ".join(f"hydra.{name}" for name in (*FOLLOWED, "searchpath"))
        raise ConfigError(f"'{word}' is not followed, of hydra Thaw follows {followed}")
    raise ConfigError(f"'{word}' is not followed: {REMEDIES[max(known, key=len)]}")


def _below(key: str, names: Iterable[str]) -> bool:
    return any(f"{key}.".startswith(f"{name}.") for name in names)


def _told(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the dotted keys of a value with what they hold; an empty mapping is a value."""
    if isinstance(value, dict) and value:
        for name, one in value.items():
            yield from _told(f"{key}.{name}".lstrip("."), one)
    else:
        yield key, value


def refuse(config: DictConfig, alone: DictConfig) -> None:
    """Raise ConfigError for a key of ``config`` that its command line ``alone`` does not give."""
    found, expected = _leaves(config), _leaves(alone)
    for key in sorted(found.keys() | expected.keys()):
        if found.get(key, _NONE) != expected.get(key, _NONE):
            files = f"config files may set {' and '.join(f'hydra.{name}' for name in ALLOWED)} only"
            remedy = "" if _below(key, REMEDIES) and not _below(key, FOLLOWED) else ": give it on the command line"
            raise ConfigError(f"a config file sets hydra.{key}, but {files}{remedy}")


def _leaves(config: DictConfig) -> dict[str, Any]:
    values = OmegaConf.to_container(config.hydra, resolve=False, enum_to_str=True)
    return {key: value for key, value in _told("", values) if not _below(key, (*ALLOWED, *TOLD))}
