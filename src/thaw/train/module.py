"""What the two Lightning modules share: one optimizer, clipping, counting, random numbers keyed by the step."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from thaw.encoder.groups import Group
from thaw.errors import DivergedError
from thaw.train import optim as optimizers
from thaw.train.config import OptimConfig
from thaw.train.schedule import rate
from thaw.train.state import restore_optimizer

_PLAIN = frozenset({"_current_fx_name", "tokens", "flops", "batch"})


@contextlib.contextmanager
def at_rest(module: nn.Module) -> Iterator[None]:
    """Let a module run without dropout inside the block, and leave every part of it as it was."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training


class Learner(pl.LightningModule):
    """A module that learns for ``steps`` optimizer steps, of which ``start`` were done before a resume.

    Dropout draws from a generator seeded by (seed, step), so a resumed run draws what an uninterrupted one would.
    ``tokens`` and ``flops`` are what all processes together have computed so far.
    """

    compiled = False  # whether the network runs as compiled code

    def __init__(
        self, groups: list[Group], optim: OptimConfig, *, seed: int, steps: int, epoch_steps: float, precision: str
    ) -> None:
        super().__init__()
        self.precision = precision
        self.parameter_groups_in_order, self.optim, self.seed = groups, optim, seed
        self.steps, self.epoch_steps = steps, epoch_steps
        self.start, self.tokens, self.flops = 0, 0, 0.0
        self.batch: Any = None  # at hand, to name it when it ends the run
        self.moments: dict[str, Tensor] | None = None
        self.losses: list[Tensor] = []  # of the micro-batches since the last recorded one

    def __setattr__(self, name: str, value: Any) -> None:
        """Set what is no part of the network the short way: Lightning does it 45 times a step, 0.1 ms by torch's."""
        if name in _PLAIN:
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    @property
    def step(self) -> int:
        """Optimizer steps done, those before a resume included."""
        return self.start + self.global_step

    def epoch(self, step: int) -> float:
        """Passes over the training data after ``step`` steps."""
        return step / self.epoch_steps

    def rate(self, step: int) -> float:
        """Learning rate of a step."""
        return rate(self.optim, step, self.steps)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the one optimizer over all groups."""
        optimizer = optimizers.build(self.parameter_groups_in_order, self.optim, self.precision)
        if self.moments is not None:
            restore_optimizer(optimizer, self.moments)
        return optimizer

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Key the random numbers of this micro-batch.

        Those of a step are keyed alike where dropout draws by row of the step's batch; else each has a key of its own.
        """
        self.batch = batch
        micro = batch_idx % self.trainer.accumulate_grad_batches
        on_cpu = self.device.type == "cpu"
        own = 0 if on_cpu and not self.compiled else micro + self.global_rank * 7_919_000_009
        seed = (self.seed * 1_000_003 + self.step * 131 + own) % 2**63
        if on_cpu:  # manual_seed asks devices that are not here, 0.4 ms a step
            torch.default_generator.manual_seed(seed)
        else:
            torch.manual_seed(seed)

    def configure_gradient_clipping(
        self, optimizer: Any, gradient_clip_val: float | None = None, gradient_clip_algorithm: str | None = None
    ) -> None:
        """Clip the norm of all gradients; one that is not finite stops the run before the update."""
        parameters = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        norm = torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        self.must_be_finite("the gradient's norm", norm)
        if float(norm) + 1e-6 > self.optim.clip:  # else torch would multiply every gradient by 1
            torch.nn.utils.clip_grads_with_norm_(parameters, self.optim.clip, norm)

    def must_be_finite(self, what: str, value: Tensor) -> None:
        """Stop before the update when a loss or gradient is not finite."""
        if not torch.isfinite(value):
            found = float(value.detach())
            where = f"at step {self.step} ({self.batch.name})" if self.batch is not None else f"at step {self.step}"
            raise DivergedError(f"{what} is {found} {where}, lower optim.lr={self.optim.lr}")
