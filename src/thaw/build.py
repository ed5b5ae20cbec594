"""Config -> objects, by plain constructor calls: the only place where a config field becomes an argument."""

import contextlib
import ctypes
import logging
import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.strategies import DDPStrategy

from thaw.encoder import bert, hub, modern
from thaw.encoder import checkpoint as checkpoints
from thaw.encoder.config import EncoderConfig
from thaw.encoder.model import Encoder
from thaw.errors import ConfigError, StorageError
from thaw.hold import hold
from thaw.process import cores
from thaw.text import corpus
from thaw.text import tokenizer as tokenizers
from thaw.text.corpus import CorpusConfig
from thaw.text.tokenizer import Tokenizer, TokenizerConfig
from thaw.track.identity import run_id
from thaw.train.config import TrainerConfig
from thaw.train.interrupt import Stop
from thaw.train.launch import Place, Strategy
from thaw.train.world import world

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # malloc.h


def tokenizer(
    config: TokenizerConfig, text: CorpusConfig | None, fields: dict[str, Any], cache: Path,
    tell: Callable[[str], None] = lambda note: None,
) -> Tokenizer:  # fmt: skip
    """Return the tokenizer at ``config.path``, else one trained on the corpus, trained once and then kept in ``cache``.

    ``fields`` are the identity fields of the tokenizer's config and the corpus' content. A cache that can not be
    written is told of, no more.
    """
    if config.path:
        return Tokenizer.load(Path(config.path))
    if text is None:
        raise ConfigError("no tokenizer: give tokenizer.path=FOLDER (a checkpoint will do) or checkpoint=FOLDER")
    folder = cache / "tokenizer" / run_id(fields)
    held = hold(folder / "tokenizer.json")
    if not os.path.exists(folder / "tokenizer.json"):  # Path.exists raises where it may not look
        trained = tokenizers.train(corpus.documents(text), config)
        try:
            trained.save(folder)
        except StorageError as error:
            tell(f"the tokenizer is not kept: {error}; the run goes on with it in memory")
            return trained
    found = Tokenizer.load(folder)
    if held:
        held.release()
    return found


def encoder(config: EncoderConfig, vocab_size: int, seed: int, dropout: float | None = None) -> Encoder:
    """Return an encoder with random weights drawn from ``seed``."""
    network = Encoder(config, vocab_size)
    network.reset(seed)
    if dropout is not None:
        set_dropout(network, dropout)
    return network


def set_dropout(network: Encoder, dropout: float) -> None:
    """Give every dropout of an encoder one rate."""
    for part in network.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = dropout
        if isinstance(part, bert.Layer | modern.Layer):
            part.attention_dropout = dropout


def checkpoint(path: str) -> checkpoints.Checkpoint:
    """Return the checkpoint at ``path``: one of ours, or any BERT-family folder that `thaw import` could read."""
    return hub.read(Path(path))


def quiet() -> None:
    """Silence what Lightning and torch say that a user can do nothing about."""
    for name in ("pytorch_lightning", "lightning_fabric", "pytorch_lightning.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"pytorch_lightning|lightning_fabric|torchmetrics")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def trainer(
    config: TrainerConfig, steps: int, callbacks: Sequence[pl.Callback], find_unused: bool, stop: Stop | None = None
) -> pl.Trainer:
    """Return a Lightning trainer for ``steps`` optimizer steps; all it does beside the loop is in ``callbacks``.

    Its processes are those of `world`, and ``stop`` alone listens to signals in them.
    """
    quiet()
    place = Place(world(config))
    strategy: str | DDPStrategy = config.strategy
    if strategy == "ddp" or (place.world.size > 1 and config.accelerator != "tpu"):
        settings = {"find_unused_parameters": find_unused} if strategy == "ddp" else {}
        strategy = Strategy(place, stop or Stop(), **settings)
    made = pl.Trainer(
        accelerator=config.accelerator,
        devices=config.devices,
        num_nodes=config.num_nodes,
        plugins=[] if isinstance(strategy, DDPStrategy) else [place],
        strategy=strategy,
        precision=config.precision,  # type: ignore[arg-type]
        accumulate_grad_batches=config.accumulate,
        max_steps=steps,
        max_epochs=-1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        callbacks=list(callbacks),
    )
    # Lightning's handler of SIGTERM asks the other processes something wherever it stands: none would ever answer.
    made._signal_connector.register_signal_handlers = _no_handlers  # type: ignore[method-assign]
    return made


def _no_handlers() -> None:
    """Leave the signals as they are."""


def leave_process_group() -> None:
    """End the group of processes of a run, so that the next run of this process makes its own."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def require(config: TrainerConfig) -> None:
    """Refuse devices that are not here, before any data is read."""
    from pytorch_lightning.accelerators import CUDAAccelerator, MPSAccelerator, XLAAccelerator

    known: dict[str, list[type[pl.accelerators.Accelerator]]] = {
        "gpu": [CUDAAccelerator, MPSAccelerator],
        "mps": [MPSAccelerator],
        "tpu": [XLAAccelerator],
    }
    if config.accelerator not in known:
        return
    here = [kind for kind in known[config.accelerator] if kind.is_available()]
    count = here[0].auto_device_count() if here else 0
    if count < config.devices:
        found = f"{count} found" if count else "none found"
        raise ConfigError(
            f"trainer.accelerator={config.accelerator} trainer.devices={config.devices}: {found} on this machine, lower"
            " trainer.devices or set trainer=cpu"
        )


def accelerator(config: TrainerConfig) -> str:
    """Return the kind of device a run trains on: cpu, cuda, mps or tpu; Lightning's choice where the config leaves it.

    Of ``gpu`` on a machine that has none it is cuda, as where it will run.
    """
    from pytorch_lightning.accelerators import CUDAAccelerator, MPSAccelerator, XLAAccelerator

    present: dict[str, type[pl.accelerators.Accelerator]] = {
        "tpu": XLAAccelerator,
        "mps": MPSAccelerator,
        "cuda": CUDAAccelerator,
    }  # in Lightning's order
    asked = {"auto": ["tpu", "mps", "cuda"], "gpu": ["mps", "cuda"]}.get(config.accelerator)
    if asked is None:
        return config.accelerator
    here = [kind for kind in asked if present[kind].is_available()]
    return here[0] if here else {"auto": "cpu", "gpu": "cuda"}[config.accelerator]


def device(config: TrainerConfig) -> torch.device:
    """Return the device a run's first process will train on; ConfigError where only Lightning could tell."""
    kind = accelerator(config)
    if kind == "cpu" or (kind == "cuda" and torch.cuda.is_available()):
        return torch.device(kind)
    raise ConfigError(f"no CUDA device to measure trainer.accelerator={config.accelerator} on, give steps or tokens")


def device_name(config: TrainerConfig) -> str:
    """Return what a run trains on: ``cpu`` or the name of the GPU; of another accelerator its kind."""
    kind = accelerator(config)
    return torch.cuda.get_device_name() if kind == "cuda" and torch.cuda.is_available() else kind


def keep_memory() -> None:
    """Let glibc keep freed memory: it would give large tensors back to the kernel and fault them in at every step.

    The process stays as large as its largest moment. Where there is no glibc nothing happens.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)


def use_threads(config: TrainerConfig) -> int:
    """Set torch's threads for this run and return their number; 0 means all cores this process may use."""
    if config.keep_memory:
        keep_memory()
    wished = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()  # the rest is for nested regions
    threads = config.threads or (int(wished) if wished.isdecimal() else 0) or cores()
    torch.set_num_threads(threads)
    return threads
