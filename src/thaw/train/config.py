"""How the weights learn, and on what. No torch here."""

from dataclasses import dataclass, replace

from thaw.errors import ConfigError
from thaw.fields import free, identity, speed
from thaw.train.budget import parse_time

RATE = 5e-4  # where neither a run nor its strategy names one


@dataclass(kw_only=True)
class OptimConfig:
    """Optimizer and learning-rate schedule."""

    name: str = identity("adamw", choices=["adamw", "muon"])
    lr: float | None = identity(None, gt=0)  # peak learning rate; None: the strategy's own, of a pretraining 5e-4
    embeddings: float = identity(1.0, gt=0)  # factor on the rate of the encoder's embeddings
    head: float = identity(1.0, gt=0)  # factor on the rate of the head
    weight_decay: float = identity(0.01, ge=0)  # not on biases, norms
    beta1: float = identity(0.9, ge=0, lt=1)
    beta2: float = identity(0.999, ge=0, lt=1)
    eps: float = identity(1e-6, gt=0)
    clip: float = identity(1.0, gt=0)  # gradient norm
    schedule: str = identity("linear", choices=["linear", "cosine", "constant", "cooldown", "slanted"])
    warmup: float = identity(0.1, ge=0, lt=1)  # share of the steps
    cooldown: float = identity(0.2, ge=0, le=1)  # share of the steps, for schedule=cooldown

    @property
    def rate(self) -> float:
        """The peak learning rate."""
        return RATE if self.lr is None else self.lr

    def settled(self, rate: float = RATE) -> "OptimConfig":
        """Return the same with ``rate`` where no learning rate is given."""
        return self if self.lr is not None else replace(self, lr=rate)


@dataclass(kw_only=True)
class TrainerConfig:
    """On what and how fast: a speed setting that is not in the run id never changes the result beyond rounding.

    Dropout's random bits are another draw, and another result, in compiled code and on any other device than a CPU.
    Where there is dropout, the run id then holds the device that is there, whether the code is compiled, and how many
    processes share a batch.
    """

    name: str = free("cpu")
    accelerator: str = speed("cpu", choices=["auto", "cpu", "gpu", "mps", "tpu"])
    devices: int = speed(1, ge=1)
    num_nodes: int = speed(1, ge=1)
    strategy: str = speed("auto", choices=["auto", "ddp"])  # ddp: several processes, each with a copy
    precision: str = identity("32-true", choices=["32-true", "bf16-mixed"])
    accumulate: int = identity(1, ge=1)  # micro-batches an optimizer step
    compile: bool = speed(False)
    threads: int = speed(0, ge=0)  # of torch, 0: all cores, or a share beside other jobs; equal bits need equal threads
    # On Linux freed memory stays with the process, whose peak then is that of all its runs.
    keep_memory: bool = speed(False)
    progress: bool = free(True)
    checkpoint_minutes: float = free(5.0, gt=0)  # time between two states for resuming
    time_limit: str | None = free(None)  # of the command, "1h30m": then it saves and ends with 143, as by SIGTERM

    def __post_init__(self) -> None:
        if self.time_limit is not None:
            parse_time(self.time_limit, "trainer.time_limit")


@dataclass(kw_only=True)
class PretrainDataConfig:
    """Blocks and batches of pretraining."""

    length: int = identity(128, ge=8)  # tokens a block
    batch_size: int = identity(32, ge=1)  # blocks an optimizer step
    packing: str = identity("stream", choices=["stream", "documents"])  # documents: none crosses into another's block
    held_out: float = identity(0.02, gt=0, lt=1)  # share of the documents kept for validation
    max_held_out: int = identity(200_000, ge=1)  # bytes of these documents, at most (one document at least)
    processes: int = speed(1, ge=1)  # that turn text into ids, each after a second of its own

    def __post_init__(self) -> None:
        if isinstance(self.length, int) and self.length % 8:
            raise ConfigError(f"data.length={self.length} must be a multiple of 8")


@dataclass(kw_only=True)
class CacheConfig:
    """What is computed once and used by many runs: tokenizers, tokenised text, features of frozen encoders."""

    folder: str = free(".cache/thaw")
    limit: float = speed(4.0, ge=0, le=1e6)  # gigabytes of features; 0: frozen layers run again at every step
