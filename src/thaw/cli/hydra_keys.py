"""What a config file may say to Hydra: the mode of a sweep and its parameters, nothing that runs code.

Of what stands under ``hydra`` Hydra makes objects (callbacks, launchers, logging handlers) and the environment of jobs.
A study or a folder of configs may be someone else's, so the rest of ``hydra`` is taken from the command line alone. All
other keys are typed and never made into objects.
"""

from typing import Any

from omegaconf import DictConfig, OmegaConf

from thaw.errors import ConfigError

ALLOWED = ("mode", "sweeper.params")
TOLD = ("runtime", "overrides", "job.name", "job.config_name", "job.override_dirname", "searchpath")  # by Hydra itself


def refuse(config: DictConfig, alone: DictConfig) -> None:
    """Raise ConfigError for a key of ``config`` that its command line ``alone`` does not give."""
    found, expected = _leaves(config), _leaves(alone)
    for key in sorted(found.keys() | expected.keys()):
        if found.get(key, _NONE) != expected.get(key, _NONE):
            files = f"config files may set {' and '.join(f'hydra.{name}' for name in ALLOWED)} only"
            raise ConfigError(f"a config file sets hydra.{key}, but {files}: give it on the command line")


_NONE = object()


def _leaves(config: DictConfig) -> dict[str, Any]:
    values = OmegaConf.to_container(config.hydra, resolve=False, enum_to_str=True)
    found: dict[str, Any] = {}
    _flatten(values, "", found)
    ours = (*ALLOWED, *TOLD)
    return {key: value for key, value in found.items() if not any(f"{key}.".startswith(f"{one}.") for one in ours)}


def _flatten(value: Any, key: str, found: dict[str, Any]) -> None:
    if isinstance(value, dict) and value:
        for name, one in value.items():
            _flatten(one, f"{key}.{name}".lstrip("."), found)
    else:
        found[key] = value
