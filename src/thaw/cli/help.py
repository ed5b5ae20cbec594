"""The help of a Hydra command: its flags, its groups with their choices, its keys. No hydra here, so it is fast."""

import dataclasses
import textwrap
import typing
from pathlib import Path
from typing import Any

from thaw import config as schema
from thaw.config import conf_dir

GROUPS = {
    "tokenizer": ("corpus", "tokenizer"),
    "pretrain": ("corpus", "tokenizer", "encoder", "objective", "optim", "trainer", "wandb"),
    "transfer": ("task", "strategy", "encoder", "tokenizer", "optim", "trainer", "wandb"),
}
PLUGINS = {"strategy": "strategies", "task": "tasks", "encoder": "encoders"}
EXAMPLES = {
    "tokenizer": "thaw tokenizer corpus=files corpus.paths=[A.txt] tokenizer.vocab_size=8000 out=my_tokenizer",
    "pretrain": "thaw pretrain corpus=files corpus.paths=[A.txt,B.txt.gz] encoder=mini budget=10m name=my_pretraining",
    "transfer": "thaw transfer -m checkpoint=CKPT task=files task.path=DIR task.kind=classes strategy=full,scratch",
}
HELP = """usage: thaw {command} [FLAGS] group=choice ... key=value ...

  {example}

flags
  -m, --multirun      run every combination of comma-separated values; finished runs are skipped
  --dry-run           show the runs, which are finished, expected hours and disk, the effects they can see;
                      start nothing
  --retry             try runs again that diverged (a loss or gradient was not finite); else they count as done
  --take-over         take the lock of a run whose process is gone where that can not be told from here (another
                      host, a disk without locks): only when you know that it is
  --only N            of a sweep run the N-th only, such as in a job array of a cluster
  --config-dir DIR    add your own groups: DIR/task/mine.yaml makes task=mine
  --cfg job           print the composed config
  --debug             show tracebacks
  study=NAME          the sweep of experiments/NAME/study.yaml
  hydra/launcher=joblib hydra.launcher.n_jobs=2    several processes; submitit_local, submitit_slurm too

groups
{groups}

keys
{keys}
"""


def text(command: str, search_path: list[str]) -> str:
    """Return the help of a command, with the choices of further config folders."""
    folders = [conf_dir(), *(Path(url.removeprefix("file://")) for url in search_path)]
    width = max(map(len, GROUPS[command]))
    groups = []
    for group in GROUPS[command]:
        names = {path.stem for folder in folders for path in (folder / group).glob("*.yaml")}
        names |= set(schema.plugins(PLUGINS[group])) if group in PLUGINS else set()
        line = ", ".join(sorted(name for name in names if not name.startswith("_")))
        groups.append(textwrap.fill(f"  {group:<{width}}  {line}", 118, subsequent_indent=" " * (width + 4)))
    keys = "\n".join(_keys(schema.TOP[command]))
    return HELP.format(command=command, example=EXAMPLES[command], groups="\n".join(groups), keys=keys).rstrip()


def _keys(config: type) -> list[str]:
    lines, nested = [], []
    for field in dataclasses.fields(config):
        kind: Any = next((part for part in typing.get_args(field.type) if part is not type(None)), field.type)
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            kinds = [one.config for one in schema.strategies().values()] if field.name == "strategy" else [kind]
            names = ", ".join(dict.fromkeys(one.name for part in kinds for one in dataclasses.fields(part)))
            indent = " " * (len(field.name) + 5)
            nested.append(textwrap.fill(f"  {field.name}.  {names}", 118, subsequent_indent=indent))
        else:
            lines.append(f"{field.name}={_default(field)}")
    return [textwrap.fill(f"  {'  '.join(lines)}", 118, subsequent_indent="  "), *nested]


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default_factory is not dataclasses.MISSING:
        return str(field.default_factory())
    if field.default is None or isinstance(field.default, bool):
        return {None: "null", True: "true", False: "false"}[field.default]
    return str(field.default)
