"""The one callback that applies a plan: requires_grad, gradients, eval mode and learning rates.

Frozen means: ``requires_grad`` off, gradient None (so no momentum, no decay), eval mode (no dropout). The plan is read
again before every step and after every evaluation or restore; it is a function of the progress, so nothing is stored.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytorch_lightning as pl
import torch

from thaw.encoder.groups import Group
from thaw.strategy.plan import Factor, Progress, Strategy


class ApplyPlan(pl.Callback):
    """Keeps a module's parameter groups as the strategy's plan says they should be.

    ``rate(step)`` is the learning rate of the schedule; each group gets it times its factor. Optimizer groups carry
    the ``index`` of their parameter group. ``progress`` is advanced by the training loop's steps.
    """

    def __init__(
        self,
        strategy: Strategy,
        config: Any,
        groups: Sequence[Group],
        rate: Callable[[int], float],
        progress: Progress,
    ) -> None:
        self.strategy, self.config, self.groups, self.rate = strategy, config, list(groups), rate
        self.names = [group.name for group in self.groups]
        self.progress = progress
        self.factors: list[Factor] | None = None
        self.watch: Callable[[], None] = lambda: None  # called before and after the plan changes: the audit
        self.advanced: list[int] = []  # steps at which a stage ended (unfreeze=plateau)

    def on_train_batch_start(self, trainer: pl.Trainer, module: Any, batch: Any, batch_idx: int) -> None:
        """Apply the plan of the step that is about to run."""
        self.progress = replace(self.progress, step=module.step)
        self.apply(trainer.optimizers[0])

    def apply(self, optimizer: torch.optim.Optimizer) -> None:
        """Make modules and optimizer match the plan of the current progress."""
        assert self.strategy.plan is not None
        factors = self.strategy.plan(self.config, self.names, self.progress)
        if factors != self.factors:
            if self.factors is not None:
                self.watch()
            for group, factor in zip(self.groups, factors, strict=True):
                self.set_learning(group, factor is not None)
            self.factors = factors
            self.watch()
        rate = self.rate(self.progress.step)
        for part in optimizer.param_groups:
            part["lr"] = rate * (factors[part["index"]] or 0.0) * part.get("scale", 1.0)

    def advance_stage(self) -> None:
        """Tell the plan that the dev score has stopped improving once more."""
        self.set_stages([*self.advanced, self.progress.step + 1])

    def set_stages(self, advanced: list[int]) -> None:
        """Put the plan behind the stages that ended at these steps, after an evaluation or a restore."""
        self.advanced = advanced
        self.progress = replace(self.progress, stage=len(advanced))

    def set_learning(self, group: Group, learns: bool) -> None:
        """Freeze or thaw one group."""
        for name, parameter in group.named_parameters():
            parameter.requires_grad_(learns and self.selected(group, name))
            if not parameter.requires_grad:
                parameter.grad = None
        for module in group.modules:
            module.train(learns)

    def selected(self, group: Group, name: str) -> bool:
        """Whether a parameter of a group that learns does learn (``bias_only`` selects among the encoder's)."""
        return group.name == "head" or name.endswith(self.strategy.only)
