"""What a run is: the identity fields of its config, its inputs by content, nothing that does not apply. No torch.

Decisions: a strategy that starts from random weights takes only the shape and the tokenizer of a checkpoint; a control
without a network takes neither, no optimizer and no length of texts; so one control serves a whole sweep over learning
rates. The results epoch is part of every id (`thaw.track.epoch`). Whether the test set is scored (``test``) and which
checkpoints on the way are kept (``save_at``) change no weight and no score, so they are no part of it. What draws the
bits of dropout changes every weight, so it is part of it wherever it is not what a CPU does by default.
"""

import functools
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import Any

from thaw.config import PretrainConfig, TokenizerRun, TransferConfig
from thaw.encoder.manifest import fingerprint
from thaw.errors import ConfigError, DataError
from thaw.fields import identity_of
from thaw.hold import Hold, hold
from thaw.storage import sha256_file
from thaw.strategy.plan import STRATEGIES
from thaw.task.files import reading, split_files
from thaw.text import corpus
from thaw.text.foreign.digest import beyond
from thaw.track.epoch import RESULTS
from thaw.track.identity import run_id
from thaw.track.lineage import sha256_files
from thaw.train.config import TrainerConfig

TOKENIZER_FILES = ("tokenizer.json", "vocab.txt")


def pretrain_id(config: PretrainConfig) -> str:
    """Return the run id of a pretraining."""
    return _named(config, pretrain_identity(config))


def pretrain_identity(config: PretrainConfig) -> dict[str, Any]:
    """Return all that names a pretraining: identity fields, inputs by content, what draws its dropout."""
    fields = identity_of(config)
    fields["corpus"]["content"] = corpus_content(config)
    fields["tokenizer"] = tokenizer_content(config.tokenizer, fields["tokenizer"])
    if config.checkpoint:
        fields["checkpoint"] = checkpoint_content(config.checkpoint)
        fields["dropout"] = config.encoder.dropout  # all that counts of it here
        del fields["encoder"], fields["tokenizer"]
    return {"kind": "pretrain", "results": RESULTS, **fields, **dropout_bits(config)}


def transfer_id(config: TransferConfig) -> str:
    """Return the run id of a transfer or control run."""
    return _named(config, transfer_identity(config))


def transfer_identity(config: TransferConfig) -> dict[str, Any]:
    """Return all that names a transfer or a control: identity fields, inputs by content, what draws its dropout."""
    fields, strategy = identity_of(config), STRATEGIES[config.strategy.name]
    fields["task"]["content"] = task_content(config)
    if plugin := _plugin(config.strategy.name):
        fields["plugin"] = plugin
    if strategy.plan is None:
        counts = {
            "task": {key: value for key, value in fields["task"].items() if key not in ("max_length", "stride")},
            "data": {key: value for key, value in fields["data"].items() if key != "batch_size"},
            "strategy": fields["strategy"],
            "seed": config.seed,
        }
        if plugin := fields.get("plugin"):
            counts["plugin"] = plugin
        return {"kind": "control", "results": RESULTS, **counts}
    if config.checkpoint:
        content = checkpoint_content if strategy.pretrained else shape_content
        fields["checkpoint"] = content(config.checkpoint)
        fields.pop("encoder", None)
        fields.pop("tokenizer", None)
    elif config.tokenizer is not None:
        fields["tokenizer"] = tokenizer_content(config.tokenizer, fields["tokenizer"])
    return {"kind": "transfer", "results": RESULTS, **fields, **dropout_bits(config)}


def dropout_bits(config: PretrainConfig | TransferConfig) -> dict[str, Any]:
    """Return what names the random bits of a run's dropout; empty where there is none or a CPU draws it by row.

    A CPU draws them by row of the step's batch, the same for any number of processes. Compiled code and every other
    device draw them by a kernel of their own, each process for its own rows.
    """
    if isinstance(config, TransferConfig):
        drops = getattr(config.strategy, "dropout", 0.0) > 0
    else:  # the encoder of a checkpoint takes one rate for both
        drops = config.encoder.dropout > 0 or (config.encoder.attention_dropout > 0 and not config.checkpoint)
    if not drops:
        return {}
    kernel = _dropout_kernel(config.trainer)
    processes = config.trainer.devices * config.trainer.num_nodes
    return {} if kernel == "row" else {"dropout_by": kernel, "processes": processes}


def _dropout_kernel(trainer: TrainerConfig) -> str:
    """Return what draws the bits of dropout: ``row`` on a CPU, else ``fused`` with the device and whether compiled."""
    device = "cpu"
    if trainer.accelerator != "cpu":
        from thaw import build  # torch, which the ids of most runs do without

        device = build.accelerator(trainer)
    words = ["fused", device, *(["compiled"] if trainer.compile else [])]
    return "row" if words == ["fused", "cpu"] else " ".join(words)


def _named(config: PretrainConfig | TransferConfig, fields: dict[str, Any]) -> str:
    """Return the run id, and remember for `replaced` by which inputs it was named."""
    name = run_id(fields)
    _INPUTS[name] = _inputs(config, fields)
    return name


_INPUTS: dict[str, dict[str, str]] = {}  # run id -> its inputs: what a person calls one -> its content


def _inputs(config: PretrainConfig | TransferConfig, fields: dict[str, Any]) -> dict[str, str]:
    contents: dict[str, str] = {}
    if isinstance(config, TransferConfig):
        contents[f"task.path={config.task.path}" if config.task.path else "the task"] = fields["task"]["content"]
    else:
        contents[f"corpus={config.corpus.name}"] = fields["corpus"]["content"]
    if "checkpoint" in fields:
        contents[f"checkpoint={config.checkpoint}"] = fields["checkpoint"]
    if config.tokenizer is not None and config.tokenizer.path and "tokenizer" in fields:
        contents[f"tokenizer.path={config.tokenizer.path}"] = fields["tokenizer"]
    return contents


def replaced(config: PretrainConfig | TransferConfig, name: str) -> str:
    """Return the inputs whose content is another than when this process named the run ``name``; "" where it named none.

    Of a task's folder the files are named. ``config`` is resolved (`thaw.job.resolve`).
    """
    if name not in _INPUTS:
        return ""
    before, changed = _INPUTS[name], []
    fields = pretrain_identity(config) if isinstance(config, PretrainConfig) else transfer_identity(config)
    for what, content in _inputs(config, fields).items():
        if content != before.get(what):
            changed += _files(config, before.get(what, ""), content) if what.startswith("task.path=") else [what]
    return ", ".join(changed)


def _files(config: Any, before: str, now: str) -> list[str]:
    """Return the files of a task whose digests differ between two of its contents."""
    root = Path(config.task.path).expanduser()
    files = {"all": root} if root.is_file() else split_files(root)
    parts = set(before.split(":")) ^ set(now.split(":"))
    return [str(files.get(split, root)) for split in sorted({part.partition("=")[0] for part in parts})]


@functools.cache  # reading the metadata of all packages takes 3 ms
def _plugin(name: str) -> str | None:
    """Return package and version of a strategy that another package adds: its code is part of what the run is."""
    found = [entry.dist for entry in entry_points(group="thaw.strategies") if entry.name == name and entry.dist]
    return f"{found[0].name} {found[0].version}" if found else None


def checkpoint_content(path: str) -> str:
    """Return the sha256 of a checkpoint's weights and config, with that of its tokenizer."""
    digest = f"{fingerprint(path)}:{_tokenizer_digest(path)}"
    _held(path)
    return digest


def shape_content(path: str) -> str:
    """Return the sha256 of a checkpoint's config and tokenizer; its weights do not enter."""
    folder = Path(path)
    fingerprint(folder)
    digest = f"{sha256_file(folder / 'config.json')}:{_tokenizer_digest(path)}"
    _held(path)
    return digest


@functools.lru_cache(maxsize=64)
def _held(path: str) -> Hold | None:
    """Hold a checkpoint as long as this process lives: a sweep names its runs hours before the last one reads it."""
    return hold(Path(path) / "config.json", note=False)


def _tokenizer_digest(path: str) -> str:
    for name in TOKENIZER_FILES:
        file = Path(path) / name
        if file.is_file():  # a vocabulary is read by the settings beside it
            settings = Path(path) / "tokenizer_config.json" if name == "vocab.txt" else file
            files = [file, settings] if settings.is_file() else [file]
            return ":".join(filter(None, [*sha256_files(dict.fromkeys(files)).values(), beyond(Path(path))]))
    raise ConfigError(f"no tokenizer in {path}: expected {' or '.join(TOKENIZER_FILES)} there")


def tokenizer_content(config: Any, fields: dict[str, Any]) -> Any:
    """Return what names a tokenizer: the digest of an existing one, else how it is trained."""
    return _tokenizer_digest(config.path) if config.path else fields


def tokenizer_fields(config: TokenizerRun | PretrainConfig) -> dict[str, Any]:
    """Return what names a trained tokenizer: its settings and the text it is trained on."""
    content = tokenizer_content(config.tokenizer, identity_of(config.tokenizer))
    return {"results": RESULTS, "tokenizer": content, "corpus": corpus_content(config)}


def tokenizer_folder(config: TokenizerRun) -> Path:
    """Return where ``thaw tokenizer`` writes."""
    return Path(config.out or Path(config.runs, config.name, f"tokenizer-{run_id(tokenizer_fields(config))}"))


def tokens_key(corpus: str, tokenizer: str, results: int | None = RESULTS) -> str:
    """Return the name of the ids of a corpus (sha256 of its text) by a tokenizer (its fingerprint) in the cache.

    ``results`` is the epoch of the pretraining that they are of; None: one before 2026-11-28.
    """
    epoch = {} if results is None else {"results": results}
    return run_id({**epoch, "corpus": corpus, "tokenizer": tokenizer})


def corpus_content(config: TokenizerRun | PretrainConfig) -> str:
    """Return the sha256 of the text of a corpus."""
    return corpus.fingerprint(config.corpus)


def task_content(config: TransferConfig) -> str:
    """Return the sha256 of a task's files, or what names its data on the hub or in a package."""
    task = config.task
    if task.path:
        root = Path(task.path).expanduser()
        if not root.exists():
            raise DataError(f"task.path={task.path} does not exist, give a folder with train/dev/test files")
        files = {"all": root} if root.is_file() else split_files(root)
        try:
            digests = sha256_files(files.values())
        except OSError as error:
            raise DataError(
                f"task file can not be read, {error.filename}: {error.strerror}; check task.path"
            ) from error
        return ":".join(
            f"{split}={digests[str(path)]}{reading(path, task.kind)}" for split, path in sorted(files.items())
        )
    if task.package:
        return f"package {task.package} {_package_version(task.package)}"
    return f"hub {task.hub} {task.hub_config} {task.hub_revision}"


@functools.cache
def _package_version(name: str) -> str:
    from thaw.text.demo_text import PACKAGES

    try:
        return version(PACKAGES[name].distribution)
    except (KeyError, PackageNotFoundError, TypeError):
        return "absent"


__all__ = ["checkpoint_content", "pretrain_id", "transfer_id"]
