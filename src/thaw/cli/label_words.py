"""Declared labels as the words they are written in, before YAML and Hydra read other things in them.

``[false, no, 1e3, 01, null]`` names five labels. On the command line Hydra makes a boolean, a text, a float, a text and
nothing of them, and refuses letters beyond ASCII. In a config file YAML makes two equal booleans, a float, an integer
and nothing. So a word of ``task.labels`` or ``task.positive`` that would not stay a word is put in quotes on the
command line, and in config files it is read from the text of the file. ``task.positive=null`` is no label, it takes a
choice back.

Private parts of Hydra are used: its sources of config files are a table by scheme.
"""

import re
from pathlib import Path
from typing import Any

import yaml
from hydra._internal.core_plugins.file_config_source import FileConfigSource as HydraFileConfigSource
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, ListConfig

_KEY = re.compile(r"\+{0,2}(?:task|tasks\.[^.=]+)\.(labels|positive)")
_TOKEN = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\\.|[\[\](){},:=]|[^\s'"\\\[\](){},:=]+|\s+|.""", re.DOTALL)
_NO_WORD = re.compile(r"true|false|null|[+-]?(?:nan|inf|(?=[._]*\d)[\d_.]+(?:e[+-]?[\d_]+)?)", re.IGNORECASE)
_PLAIN = re.compile(r"-?(?:0|[1-9]\d*)")  # what Hydra reads as a number stays the word it was


def quoted(override: str) -> str:
    """Return an override of ``task.labels`` or ``task.positive`` with quotes around words that Hydra would change."""
    key, sign, value = override.partition("=")
    match = _KEY.fullmatch(key)
    if match is None or not sign:
        return override
    tokens: list[str] = _TOKEN.findall(value)
    words = [token for token in tokens if not token.isspace()]
    depth, place = 0, -1
    for number, token in enumerate(tokens):
        if token.isspace():
            continue
        place += 1
        depth += (token == "[") - (token == "]")
        before = words[place - 1] if place else ","
        after = words[place + 1] if place + 1 < len(words) else ","
        alone = before in ("[", "(", ",") and after in ("]", ")", ",")
        chosen = depth > 0 if match[1] == "labels" else token.lower() != "null"
        changes = _NO_WORD.fullmatch(token) and not _PLAIN.fullmatch(token)
        if alone and chosen and token[0] not in "'\"" and (changes or not token.isascii()):
            tokens[number] = f"'{token}'"
    return f"{key}={''.join(tokens)}"


class FileConfigSource(HydraFileConfigSource):
    """Hydra's reader of config files, with declared labels as they are written; Hydra knows sources by their names."""

    def load_config(self, config_path: str) -> ConfigResult:
        """Return a config file as Hydra does."""
        result = super().load_config(config_path)
        text = Path(self.path, self._normalize_file_name(config_path)).read_text("utf-8")
        if "labels" in text or "positive" in text:
            _restore(yaml.compose(text, yaml.SafeLoader), result.config)
        return result


def install() -> None:
    """Let Hydra read config files by `FileConfigSource`, in this process and in those that a launcher starts."""
    Plugins.instance()  # registers its own
    SourcesRegistry.instance().types["file"] = FileConfigSource


def _restore(node: Any, config: Any) -> None:
    """Put the words of a YAML mapping's labels into the config that was made of it."""
    if not isinstance(node, yaml.MappingNode) or not isinstance(config, DictConfig):
        return
    for key_node, value in node.value:
        key = key_node.value
        if not isinstance(key, str) or key not in config:
            continue
        name = key.rpartition(".")[2]
        if name == "labels" and isinstance(value, yaml.SequenceNode):
            if all(isinstance(one, yaml.ScalarNode) for one in value.value):
                config[key] = ListConfig([one.value for one in value.value])
        elif name == "positive" and isinstance(value, yaml.ScalarNode) and not value.tag.endswith(":null"):
            config[key] = value.value
        else:
            _restore(value, config._get_node(key))
