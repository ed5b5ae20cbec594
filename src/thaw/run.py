"""Runs as plain functions: a typed config goes in, the result row comes out. Nothing heavy is imported before a job."""

import logging
from pathlib import Path
from typing import Any

from thaw.config import PretrainConfig, TokenizerRun, TransferConfig

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # torchmetrics imports it; it warns of a read-only HOME


def pretrain(config: PretrainConfig) -> dict[str, Any]:
    """Pretrain an encoder; return its row. A finished run is read back, an interrupted one goes on."""
    from thaw.job.pretrain import run
    from thaw.job.resolve import resolve

    return run(resolve(config))


def transfer(config: TransferConfig) -> dict[str, Any]:
    """Transfer to a task, or run a control; return its row. A finished run is read back, an interrupted one goes on."""
    from thaw.job.resolve import resolve
    from thaw.strategy.plan import STRATEGIES

    config = resolve(config)
    if STRATEGIES[config.strategy.name].plan is None:
        from thaw.job.control import run
    else:
        from thaw.job.transfer import run
    return run(config)


def tokenizer(config: TokenizerRun) -> dict[str, Any]:
    """Train a tokenizer, write it to ``config.out``, return its report of fertility and unknown rate."""
    from thaw.job.tokenizer import run

    return run(config)


def run_identity(config: PretrainConfig | TransferConfig) -> str:
    """Return the run id of a config."""
    from thaw.job.identity import pretrain_id, transfer_id
    from thaw.job.resolve import resolve

    return pretrain_id(resolve(config)) if isinstance(config, PretrainConfig) else transfer_id(resolve(config))


def run_folder(config: PretrainConfig | TransferConfig | TokenizerRun) -> Path:
    """Return the folder of a run."""
    if isinstance(config, TokenizerRun):
        from thaw.job.identity import tokenizer_folder

        return tokenizer_folder(config)
    return Path(config.runs) / config.name / run_identity(config)
