"""The cost ledger of a run: seconds, CPU seconds, memory and analytic FLOPs.

Decisions: evaluation is off the training clock; CPU seconds are those of the training clock, so that they stand beside
its wall seconds; FLOPs are counted from shapes, a multiply and an add as two, matrix products only.
"""

import contextlib
import resource
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

_OWN = Path("/proc/self")
_SIDE, _MEASURED = 384, 0.04  # rows of the matrix that tells a core's speed, seconds over which it is multiplied


class Clock:
    """Training and evaluation seconds of one run, across interruptions when its state is saved and loaded."""

    def __init__(self) -> None:
        self._train = self._eval = self._cpu = self._elsewhere = 0.0
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

    def gather(self, total: Callable[[float], float]) -> None:
        """Take the CPU seconds of the run's other processes in: ``total`` sums a number over all processes."""
        own = self._own_cpu_seconds()
        self._elsewhere = total(own) - own

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
        """CPU seconds, all threads, while training time ran: of this process, of the others up to the last `gather`."""
        return self._own_cpu_seconds() + self._elsewhere

    def _own_cpu_seconds(self) -> float:
        return self._cpu + (time.process_time() - self._since[1] if self._since else 0.0)

    def state_dict(self) -> dict[str, float]:
        """Return the seconds so far, for a checkpoint."""
        return {"train": self.train_seconds, "eval": self._eval, "cpu": self.cpu_seconds}

    def load_state_dict(self, state: dict[str, float], leads: bool = True) -> None:
        """Take over the seconds of the run that is resumed; of several processes the one that ``leads`` has the CPU's.

        They are those of all processes and would else be summed once more.
        """
        self._train, self._eval, self._cpu = state["train"], state["eval"], state["cpu"] if leads else 0.0
        self._elsewhere, self._since = 0.0, None


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


def host_gflops() -> float:
    """Return how fast one core multiplies float32 matrices now, GFLOP/s by the wall clock; it takes 40 ms.

    Not a benchmark: a score by which a report tells seconds of different machines, or of a busy one, apart. It is the
    mean over the whole time, since a median of short products would hide that half of the time went to another program.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    matrix, products = np.ones((_SIDE, _SIDE), np.float32), 0
    with threadpool_limits(1, user_api="blas"):
        matrix @ matrix
        begun = now = time.perf_counter()
        while now - begun < _MEASURED:
            matrix @ matrix
            products, now = products + 1, time.perf_counter()
    return round(products * 2 * _SIDE**3 / (now - begun) / 1e9, 1)


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
    learns: Sequence[bool] | None = None,
    weight_gradients: bool = True,
    norm_first: bool = False,
    masked: float = 0,
    vocab_size: int = 0,
) -> float:
    """Return the training FLOPs of ``tokens`` tokens (padding included): forward once, backward as far as it goes.

    ``learns`` says of the embeddings and of each layer, from below, whether anything in it learns; None: all do. The
    backward pass has the gradients of a layer's matrices where it learns, and those of its states where it or
    anything below it does. The input of the lowest layer that learns needs none, so its first product (query, key and
    value, 6 D^2) has no gradient of its states, unless a norm that learns stands before it: ``norm_first`` says that of
    every layer but the first. ``weight_gradients=False`` leaves out those of the matrices (only biases learn).
    ``masked`` positions pay for the masked-language-model head, forward and backward.

    States that come out of a cache are counted as if every step had computed them: the count is one of the method,
    which follows from what the run is; what a cache saves is seen in the seconds.
    """
    learns = [True] * (layers + 1) if learns is None else learns
    if len(learns) != layers + 1:
        raise ValueError(f"learns={learns} must say it of the embeddings and of layers={layers}")
    linear, attention = _linear(hidden, intermediate), 4 * length * hidden
    total = layers * (linear + attention)
    for number in range(1, layers + 1):
        below = any(learns[:number])
        if below or learns[number]:
            wanted = below or (norm_first and number > 1)  # the gradient of the layer's first product's input
            total += linear + 2 * attention - (0 if wanted else 6 * hidden * hidden)
        if learns[number] and weight_gradients:
            total += linear
    head = masked * mlm_flops(hidden, vocab_size) if masked else 0.0
    return float(tokens * total + 3 * head)


def _linear(hidden: int, intermediate: float) -> float:
    return 8 * hidden * hidden + 4 * hidden * intermediate


def _reset_peak() -> None:
    """Forget the memory peak of earlier jobs of this process (Linux: proc(5), clear_refs 5)."""
    with contextlib.suppress(OSError):
        (_OWN / "clear_refs").write_text("5")
