"""The cost ledger of a run: seconds, CPU seconds, memory and analytic FLOPs.

Decisions: evaluation is off the training clock; CPU seconds are those of the training clock, so that they stand beside
its wall seconds; FLOPs are counted from shapes, a multiply and an add as two, matrix products only.
"""

import contextlib
import resource
import socket
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_OWN = Path("/proc/self")


class Clock:
    """Training and evaluation seconds of one run, across interruptions when its state is saved and loaded."""

    def __init__(self) -> None:
        self._train = self._eval = self._cpu = 0.0
        self._since: tuple[float, float] | None = None  # wall and CPU at the last start; None while stopped
        _reset_peak()

    def start(self) -> None:
        """Let training time run."""
        if self._since is None:
            self._since = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        """Hold training time."""
        if self._since is not None:
            self._train += time.perf_counter() - self._since[0]
            self._cpu += time.process_time() - self._since[1]
            self._since = None

    def charge(self, seconds: float, cpu_seconds: float) -> None:
        """Book training time that an earlier run has spent on what this one uses too."""
        self._train += seconds
        self._cpu += cpu_seconds

    @contextlib.contextmanager
    def evaluation(self) -> Iterator[None]:
        """Book the block as evaluation; training time goes on afterwards if it ran before."""
        running, begun = self._since is not None, time.perf_counter()
        self.stop()
        try:
            yield
        finally:
            self._eval += time.perf_counter() - begun
            if running:
                self.start()

    @property
    def train_seconds(self) -> float:
        """Wall seconds of training, evaluation apart."""
        return self._train + (time.perf_counter() - self._since[0] if self._since else 0.0)

    @property
    def eval_seconds(self) -> float:
        """Wall seconds of evaluation."""
        return self._eval

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds of this process, all threads, while training time ran."""
        return self._cpu + (time.process_time() - self._since[1] if self._since else 0.0)

    def state_dict(self) -> dict[str, float]:
        """Return the seconds so far, for a checkpoint."""
        return {"train": self.train_seconds, "eval": self._eval, "cpu": self.cpu_seconds}

    def load_state_dict(self, state: dict[str, float]) -> None:
        """Take over the seconds of the run that is resumed."""
        self._train, self._eval, self._cpu = state["train"], state["eval"], state["cpu"]
        self._since = None


def peak_rss_bytes() -> int:
    """Return the largest resident memory of this process since the last Clock was made, bytes.

    Where the kernel can not reset its high-water mark (macOS) it is that of the whole process.
    """
    with contextlib.suppress(OSError):
        for line in (_OWN / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def host() -> str:
    """Return the name of this machine."""
    return socket.gethostname() or "host"


@cache
def host_gflops() -> float:
    """Return how fast one core multiplies float32 matrices now, GFLOP/s; measured once a process, in 50 ms.

    Not a benchmark: a score by which a report tells seconds of different machines, or of a busy one, apart.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    matrix = np.ones((384, 384), np.float32)
    with threadpool_limits(1):
        matrix @ matrix
        spent = []
        for _ in range(7):
            begun = time.perf_counter()
            for _ in range(5):
                matrix @ matrix
            spent.append(time.perf_counter() - begun)
    return round(5 * 2 * 384**3 / sorted(spent)[3] / 1e9, 1)


def encoder_flops(layers: int, hidden: int, intermediate: float, length: int) -> float:
    """Return the forward FLOPs per token of ``layers`` transformer blocks at sequence length ``length``.

    Per block: 8 D^2 (query, key, value, output), 4 D I (feed-forward), 4 T D (scores and weighted sum). That is the
    ``2 N + 4 L D T`` of Kaplan et al. 2020, table 1, as counted by PaLM (Chowdhery et al. 2022, appendix B) and
    nanoGPT (``estimate_mfu``); Kaplan's table counts the scores only. Known difference: no embeddings (a look-up),
    no softmax, norms and biases.
    """
    return float(layers * (_linear(hidden, intermediate) + 4 * length * hidden))


def mlm_flops(hidden: int, vocab_size: int) -> float:
    """Return the forward FLOPs of the masked-language-model head at one masked position: dense, then vocabulary."""
    return float(2 * hidden * hidden + 2 * hidden * vocab_size)


def training_flops(
    tokens: float,
    *,
    layers: int,
    hidden: int,
    intermediate: float,
    length: int,
    frozen_layers: int = 0,
    weight_gradients: bool = True,
    masked: float = 0,
    vocab_size: int = 0,
    head_flops: float = 0,
) -> float:
    """Return the training FLOPs of ``tokens`` tokens (padding included): forward once, backward twice that.

    ``frozen_layers`` blocks from the bottom are counted forward only (0 while the embeddings learn, ``layers`` when
    the whole encoder is frozen); states that come out of a cache cost nothing here: book ``encoder_flops`` once.
    ``weight_gradients=False`` leaves out the gradients of the matrices (only biases learn), those of the hidden states
    stay. ``masked`` positions pay for the masked-language-model head, ``head_flops`` is the forward of a task head
    over all tokens; both learn, so they count three times.
    """
    if not 0 <= frozen_layers <= layers:
        raise ValueError(f"frozen_layers={frozen_layers} must be between 0 and layers={layers}")
    forward = tokens * encoder_flops(layers, hidden, intermediate, length)
    learning = tokens * encoder_flops(layers - frozen_layers, hidden, intermediate, length)
    backward = 2 * learning
    if not weight_gradients:
        backward -= tokens * (layers - frozen_layers) * _linear(hidden, intermediate)
    head = masked * mlm_flops(hidden, vocab_size) if masked else 0.0
    return float(forward + backward + 3 * (head + head_flops))


def _linear(hidden: int, intermediate: float) -> float:
    return 8 * hidden * hidden + 4 * hidden * intermediate


def _reset_peak() -> None:
    """Forget the memory peak of earlier jobs of this process (Linux: proc(5), clear_refs 5)."""
    with contextlib.suppress(OSError):
        (_OWN / "clear_refs").write_text("5")
