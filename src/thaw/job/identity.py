"""What a run is: the identity fields of its config, its inputs by content, nothing that does not apply. No torch.

Decisions: a strategy that starts from random weights takes only the shape and the tokenizer of a checkpoint; a control
without a network takes neither, no optimizer and no length of texts; so one control serves a whole sweep over learning
rates. The results epoch is part of every id (`thaw.track.epoch`). Whether the test set is scored (``test``) and which
checkpoints on the way are kept (``save_at``) change no weight and no score, so they are no part of it.
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
from thaw.task.files import split_files
from thaw.text import corpus
from thaw.track.epoch import RESULTS
from thaw.track.identity import run_id
from thaw.track.lineage import sha256_files
from thaw.train.config import TrainerConfig

TOKENIZER_FILES = ("tokenizer.json", "vocab.txt")


def pretrain_id(config: PretrainConfig) -> str:
    """Return the run id of a pretraining."""
    fields = identity_of(config)
    fields["corpus"]["content"] = corpus_content(config)
    fields["tokenizer"] = tokenizer_content(config.tokenizer, fields["tokenizer"])
    if config.checkpoint:
        fields["checkpoint"] = checkpoint_content(config.checkpoint)
        fields["dropout"] = config.encoder.dropout  # all that counts of it here
        del fields["encoder"], fields["tokenizer"]
    drops = config.encoder.dropout > 0 or config.encoder.attention_dropout > 0
    processes = _processes(config.trainer, drops, by_row=True)
    return run_id({"kind": "pretrain", "results": RESULTS, **fields, **processes})


def transfer_id(config: TransferConfig) -> str:
    """Return the run id of a transfer or control run."""
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
        return run_id({"kind": "control", "results": RESULTS, **counts})
    if config.checkpoint:
        content = checkpoint_content if strategy.pretrained else shape_content
        fields["checkpoint"] = content(config.checkpoint)
        fields.pop("encoder", None)
        fields.pop("tokenizer", None)
    elif config.tokenizer is not None:
        fields["tokenizer"] = tokenizer_content(config.tokenizer, fields["tokenizer"])
    drops, lstm = getattr(config.strategy, "dropout", 0.0) > 0, getattr(config.strategy, "model", "") == "bilstm"
    processes = _processes(config.trainer, drops, by_row=not lstm)
    return run_id({"kind": "transfer", "results": RESULTS, **fields, **processes})


def _processes(trainer: TrainerConfig, drops: bool, by_row: bool) -> dict[str, int]:
    """Return the number of processes where a result depends on it: where dropout is not drawn by row of the batch.

    That is so in compiled code, on devices other than a CPU, and between the layers of an LSTM.
    """
    processes = trainer.devices * trainer.num_nodes
    by_row = by_row and trainer.accelerator == "cpu" and not trainer.compile
    return {"processes": processes} if processes > 1 and drops and not by_row else {}


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
            return ":".join(sha256_files(dict.fromkeys(files)).values())
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
        return ":".join(f"{split}={digests[str(path)]}" for split, path in sorted(files.items()))
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
