"""The columns of ``result.json``: one flat row a run, the data model of every table and figure."""

from typing import Any

from thaw.errors import ConfigError, nearest
from thaw.track.plain import plain

KINDS = ("pretrain", "transfer", "control")
FROZEN_AUDITS = ("passed", "not_applicable")

COLUMNS: dict[str, str] = {
    "run_id": "hash of the identity fields",
    "name": "the study, parent folder of the run",
    "kind": "pretrain | transfer | control",
    "task": "name in the catalogue",
    "strategy": "name of the strategy or control",
    "encoder": "name of the architecture",
    "checkpoint": "sha256 of the encoder transferred from",
    "train_size": "labelled training examples used",
    "seed": "seed of the run",
    "lr": "peak learning rate",
    "metric": "name of the metric in dev and test",
    "dev": "best dev score at the regular looks, every eval_every steps, a fraction",
    "test": "test score of the best-dev weights, a fraction, scored once",
    "best_step": "optimizer step of the best dev score",
    "steps": "optimizer steps done",
    "train_seconds": "wall seconds of training, evaluation apart",
    "eval_seconds": "wall seconds of evaluation",
    "cpu_seconds": "process CPU seconds of training, all threads",
    "tokens": "training tokens computed, padding included",
    "flops": "analytic training FLOPs",
    "peak_rss_bytes": "largest resident memory of the process",
    "trainable_parameters": "parameters that learned at any step",
    "total_parameters": "parameters of encoder and head",
    "pretrain_run": "run id of the training that made the encoder transferred from",
    "pretrain_seconds": "training seconds of the encoder transferred from and of all its ancestors",
    "pretrain_flops": "training FLOPs of the encoder transferred from and of all its ancestors",
    "frozen_audit": "passed | not_applicable",
    "collapsed": "final dev score not above the majority class",
    "threads": "CPU threads of the run",
    "host": "machine",
    "torch": "version of torch",
    "precision": "number format of training",
    "thaw_version": "version of thaw",
    "pretrain_tokens": "training tokens of the encoder transferred from and of all its ancestors",
    "host_gflops": "float32 speed of one core at the run's start, to tell machines and their load apart",
    "floor": "dev score of the majority answer; 0 for spans",
    "floor_test": "test score of the majority answer, where the test set is scored; 0 for spans",
    "device": "cpu, or the name of the GPU",
    "results": "results epoch of the code (thaw.track.epoch)",
    "source": "sha256 of the package's source and configs, 12 digits",
    "positive": "label counted as positive by f1, null where f1 does not apply",
    "pretrain_cpu_seconds": "CPU seconds of training of the encoder transferred from and of all its ancestors",
    "word_bits_per_byte": "bits per raw byte of held-out words (PLL-word-l2r), comparable across tokenizers",
}


def row(**values: Any) -> dict[str, Any]:
    """Return ``values`` as a row with every column, in order, None where a column does not apply.

    A metric that is not a finite number (a correlation of constant predictions) is None too. An unknown column or a
    value that is not a scalar raises ConfigError.
    """
    for name in values:
        if name not in COLUMNS:
            raise ConfigError(f"unknown column of result.json: {name}{nearest(name, COLUMNS)}")
    result = {name: plain(values.get(name)) for name in COLUMNS}
    for name, value in result.items():
        if isinstance(value, dict | list):
            raise ConfigError(f"not a scalar: column {name} of result.json holds a {type(value).__name__}")
    for name, words in {"kind": KINDS, "frozen_audit": FROZEN_AUDITS}.items():
        if result[name] is not None and result[name] not in words:
            raise ConfigError(f"bad value in result.json: {name}={result[name]}{nearest(str(result[name]), words)}")
    return result
