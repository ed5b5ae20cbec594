"""Command-line words -> every combination composed by Hydra, typed and checked, before anything runs.

Decisions taken here:
* We drive Hydra's config loader and launchers, not `hydra.main`: its sweeper composes twice, checks values only when a
  job starts, prints several lines per mistake and exits 0 on SIGTERM.
* A composition depends on the group choices (110 ms each); values are applied to a copy (3 ms), as Hydra does it.
* Private parts of Hydra are used, so hydra-core is pinned below 1.4.
"""

import copy
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import hydra
from hydra import compose, initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, env_override
from hydra.experimental.callback import Callback
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, RunMode, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from thaw import config as schema
from thaw.cli import checkpoints, hydra_keys, label_words
from thaw.cli.explain import explain
from thaw.cli.words import Words
from thaw.config import conf_dir
from thaw.errors import ConfigError, NotApplicable, ThawError
from thaw.report.words import number
from thaw.track import wandb_variables

CONFIG_NAME = {"tokenizer": "tokenize", "pretrain": "pretrain", "transfer": "transfer"}


@dataclass(frozen=True)
class Combination:
    """One run of a command: its overrides, as typed, as shown."""

    overrides: list[str]
    config: Any
    yaml: str  # as composed, for ``--cfg``; else empty: a composed config takes 0.3 MB


class _Forget(Callback):
    """Drops from what a job returns its two configs, which a launcher would keep (and send) until the sweep ends."""

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        job_return.cfg = job_return.hydra_cfg = None


@contextmanager
def composer(command: str, words: Words) -> Iterator["Composer"]:
    """Give a Composer while Hydra is set up for the words of one command."""
    schema.register()
    label_words.install()
    version = {"version_base": "1.3"} if hydra.__version__.startswith("1.3") else {}  # 1.4 says it has gone
    with initialize_config_dir(str(conf_dir()), job_name="thaw", **version):
        made = Composer(command, words)
        with env_override(made.environment):
            yield made


class Composer:
    """Composes the combinations of one command line; use inside `composer`."""

    def __init__(self, command: str, words: Words) -> None:
        self.command = command
        self.name = CONFIG_NAME[command]
        self.shown = words.show_config
        self.hydra = GlobalHydra.instance().hydra
        assert self.hydra is not None
        self.loader = cast(ConfigLoaderImpl, self.hydra.config_loader)
        self.search_path = [f"hydra.searchpath=[{','.join(words.search_path)}]"] if words.search_path else []
        _, self.repository = self.loader._parse_overrides_and_create_caching_repo(self.name, self.search_path)
        self._bases: dict[tuple[str, ...], DictConfig] = {}
        self._alone: dict[tuple[str, ...], DictConfig] = {}  # what words for Hydra give without any other word
        self._choices: dict[str, list[str]] = {}
        overrides = self._parse(words.overrides)
        hydra_keys.check(overrides)
        if not (words.multirun or words.search_path or any(o.key_or_group == "hydra.mode" for o in overrides)):
            hydra_keys.check_launcher(overrides)  # a launcher's keys are not known before it is chosen
        kept = [o for o in overrides if self._is_group(o) and not o.is_sweep_override()]
        fixed = [str(o.input_line) for o in overrides if o.is_hydra_override() or o in kept]
        try:
            top = self._compose(fixed, RunMode.MULTIRUN)
            hydra_words = tuple(str(o.input_line) for o in overrides if o.is_hydra_override())
            self._refuse(top, hydra_words)
        except Exception as error:
            raise ConfigError(explain(error, command, self.choices)) from error
        self.multirun = words.multirun or top.hydra.mode == RunMode.MULTIRUN
        if not self.multirun and any(o.is_sweep_override() for o in overrides):
            swept = next(o.input_line for o in overrides if o.is_sweep_override())
            raise ConfigError(f"'{swept}' has several values, add -m to run them all")
        if not self.multirun:
            hydra_keys.check_launcher(overrides)
        elif words.only is None and wandb_variables.agent_run():
            raise ConfigError("wandb agent has one run a command: leave out -m (--only N runs one of several)")
        alone = not self.multirun or words.only is not None  # else the launcher sets it for each job
        self.environment: dict[str, str] = dict(top.hydra.job.env_set) if alone else {}
        given = {o.key_or_group for o in overrides}
        params = self._parse([f"{key}={value}" for key, value in (top.hydra.sweeper.get("params") or {}).items()])
        if told := [str(o.input_line) for o in params if o.is_hydra_override()]:
            raise ConfigError(f"hydra.sweeper.params sets {told[0]}: give it on the command line")
        all_words = [o for o in params if o.key_or_group not in given and self.multirun] + overrides
        self.overrides = list({o.get_key_element(): o for o in all_words}.values())  # of one key twice, the last counts

    def combinations(self) -> list[Combination]:
        """Return every combination, checked; the first bad one raises ConfigError.

        In a sweep, a strategy that does not apply to a task is left out, with a note.
        """
        task = [o for o in self.overrides if not o.is_hydra_override()]
        try:
            lists = [part for batch in BasicSweeper.split_arguments(task, None) for part in batch]
        except Exception as error:
            raise ConfigError(explain(error, self.command, self.choices)) from error
        swept = [o.is_sweep_override() for o in task]
        found, left_out = [], list[str]()
        for words in lists:
            try:
                found.append(self._combination(list(words), swept))
            except NotApplicable as error:
                if not self.multirun:
                    raise
                left_out.append(str(error).partition(" (in ")[0])
        if not found:
            raise ConfigError(f"no run is left: {left_out[0]}")
        for note, times in Counter(left_out).items():
            print(f"note: {number(times, 'run')} left out: {note.partition(', leave')[0]}", file=sys.stderr)
        return found

    def launcher(self, function: TaskFunction) -> Launcher:
        """Return Hydra's launcher for a sweep's jobs; each calls ``function`` with its composed config."""
        swept = tuple(f"{o.key_or_group}." for o in self.overrides if o.is_sweep_override())
        kept = [o for o in self.overrides if not str(o.key_or_group).startswith(swept)]
        # the values of a swept group wait for the jobs: it has no choice here
        config = self._compose([str(o.input_line) for o in kept], RunMode.MULTIRUN)
        HydraConfig.instance().set_config(config)
        callbacks = Callbacks(config)
        callbacks.callbacks.insert(0, _Forget())  # the end of a job is told in reverse: a user's own still see all
        context = HydraContext(config_loader=self.loader, callbacks=callbacks)
        return Plugins.instance().instantiate_launcher(hydra_context=context, task_function=function, config=config)

    def choices(self, group: str) -> list[str]:
        """Return the names a config group offers, schemas apart."""
        if group not in self._choices:
            names = self.repository.get_group_options(group, ObjectType.CONFIG)
            self._choices[group] = [name for name in names if not name.startswith("_")]
        return self._choices[group]

    def _combination(self, words: list[str], swept: list[bool]) -> Combination:
        varied = [word for word, one_of_many in zip(words, swept, strict=True) if one_of_many]
        where = f" (in {' '.join(varied)})" if varied else ""
        try:
            overrides = self._parse(words)
            groups = tuple(str(o.input_line) for o in overrides if self._is_group(o))
            if groups not in self._bases:
                base = compose(self.name, [*self.search_path, *groups], return_hydra_config=True)
                self._refuse(base, ())
                with open_dict(base):
                    del base["hydra"]
                hydra_keys.check_interpolation("", OmegaConf.to_container(base, resolve=False))
                self._bases[groups] = base
            raw = copy.deepcopy(self._bases[groups])
            values = [o for o in overrides if not self._is_group(o)]
            for override in values:
                hydra_keys.check_interpolation(str(override.key_or_group), override.value())
            for group in {str(o.key_or_group).partition(".")[0] for o in values if "." in str(o.key_or_group)}:
                if group in raw and raw[group] is None:
                    valid = ", ".join(self.choices(group))
                    raise ConfigError(f"{group} is null, choose one first: {group}=..., valid: {valid}")
            ConfigLoaderImpl._apply_overrides_to_config(values, raw)
            config = schema.read(self.command, raw)
            if self.command != "tokenizer" and config.wandb.mode != "disabled":
                config.wandb.settled()  # a variable of W&B that is no name is told before anything runs
            return Combination(words, config, OmegaConf.to_yaml(raw, resolve=True) if self.shown else "")
        except ThawError as error:
            raise type(error)(f"{error}{where}") from error
        except Exception as error:
            raise ConfigError(explain(error, self.command, self.choices) + where) from error

    def _compose(self, words: list[str], mode: RunMode) -> DictConfig:
        assert self.hydra is not None
        config: DictConfig = self.hydra.compose_config(self.name, [*self.search_path, *words], mode, from_shell=False)
        with open_dict(config.hydra.job):
            config.hydra.job.name = "thaw"
        return config

    def _refuse(self, config: DictConfig, hydra_words: tuple[str, ...]) -> None:
        """Raise ConfigError when a config file of the user's sets what only the command line may."""
        if not self.search_path:
            return
        if hydra_words not in self._alone:
            assert self.hydra is not None
            words = [*self.search_path, *hydra_words]
            self._alone[hydra_words] = self.hydra.compose_config("run_folder", words, RunMode.RUN, from_shell=False)
        hydra_keys.refuse(config, self._alone[hydra_words])

    def _is_group(self, override: Override) -> bool:
        if override.package is not None:
            return True
        if "." in override.key_or_group:
            return False
        is_value = not override.is_sweep_override() and isinstance(override.value(), dict)
        return not is_value and self.repository.group_exists(override.key_or_group)

    def _parse(self, words: list[str]) -> list[Override]:
        parser = OverridesParser.create(config_loader=self.loader)
        result: list[Override] = []
        for word in words:
            try:
                result += parser.parse_overrides([label_words.quoted(word)])
                if self._is_group(result[-1]) and result[-1].value() is None:  # Hydra has no group=null
                    result[-1:] = parser.parse_overrides([f"~{result[-1].key_or_group}"])
                fixed = result[-1].key_or_group == "checkpoint" and not result[-1].is_sweep_override()
                if fixed and (folders := checkpoints.several(result[-1].value())):
                    result[-1:] = parser.parse_overrides([checkpoints.word(folders)])
                assert result[-1].key_or_group
            except ThawError:
                raise
            except Exception as error:
                remedy = "quote values with special signs"
                raise ConfigError(f"'{word}' is not key=value or group=choice, {remedy}") from error
        return result
