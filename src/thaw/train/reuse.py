"""When fixed states pay: the callback that lets a module learn from features where frozen layers would run again.

The rule looks at the plan alone, so that a run resumed or repeated does the same: at least half of the layers are
fixed, for at least one pass over the train items.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from thaw.strategy.apply import ApplyPlan
from thaw.strategy.plan import Factor
from thaw.task.encode import Encoded
from thaw.train.features import Features, find, fixed_depth, kept, size
from thaw.train.loop import Clock
from thaw.train.transfer import TransferModule


class Reuse(pl.Callback):
    """Keeps ``module.features`` as the plan allows; runs after `ApplyPlan`.

    ``timeline`` holds (first step, factors) of each stretch of the plan; empty where nobody knows it (plateau).
    Each stretch is charged what its features cost, whether this run computed them or an earlier one.
    """

    def __init__(
        self,
        module: TransferModule,
        plan: ApplyPlan,
        timeline: list[tuple[int, list[Factor]]],
        train: Encoded,
        *,
        batch_size: int,
        precision: str,
        folder: Path,
        limit: int,
        clock: Clock,
        tell: Callable[[str], None],
    ) -> None:
        self.module, self.plan, self.timeline, self.train = module, plan, timeline, train
        self.batch_size, self.precision, self.folder, self.limit = batch_size, precision, folder, limit
        self.clock, self.tell = clock, tell
        self.layers = module.encoder.config.layers
        self._factors: list[Factor] | None = None
        self._thawed = False  # whether any of the encoder has learnt since the start of this process
        self._other: dict[int, Features | None] = {}  # of the splits that are only evaluated, by id

    def on_train_batch_start(self, trainer: pl.Trainer, module: Any, batch: Any, batch_idx: int) -> None:
        """Look for features when the plan has changed."""
        if self.plan.factors is not self._factors:
            self._factors = self.plan.factors
            self._thawed |= fixed_depth(self.plan.factors or []) < self.layers
            self.module.features = self._for_stretch(module.step)

    def evaluated(self, encoded: Encoded) -> Features | None:
        """Return the features of a dev or test split, if the encoder is fixed from the first step to the last."""
        if self._thawed or not self.timeline or any(fixed_depth(factors) < self.layers for _, factors in self.timeline):
            return None
        if id(encoded) not in self._other:
            self._other[id(encoded)] = self._find(encoded, self.layers, "32-true")
        return self._other[id(encoded)]

    def _for_stretch(self, step: int) -> Features | None:
        ends = [first for first, _ in self.timeline[1:]] + [self.plan.progress.steps]
        for (first, factors), end in zip(self.timeline, ends, strict=False):
            if first <= step < end:
                if list(factors) != list(self.plan.factors or []):
                    return None  # the plan goes by more than the step, so nobody knows what stays fixed
                depth = fixed_depth(factors)
                if 2 * depth < self.layers or depth < 1 or (end - first) * self.batch_size < len(self.train):
                    return None
                self.clock.stop()
                found = self._find(self.train, depth, self.precision)
                if found is not None and step == first:
                    leads = self.module.global_rank == 0  # the CPU seconds of all processes are summed: once is enough
                    self.clock.charge(found.seconds, found.cpu_seconds if leads else 0.0)
                self.clock.start()
                return found
        return None

    def _find(self, encoded: Encoded, depth: int, precision: str) -> Features | None:
        encoder, head = self.module.encoder, self.module.head
        states = kept(head, depth, self.layers)
        found = find(
            encoder, head, encoded, states, precision=precision, folder=self.folder, limit=self.limit, tell=self.tell
        )
        if found is None and self.limit:
            needed = size(encoder, head, encoded, states)
            self.tell(f"{needed / 1e9:.1f} GB of features are not kept, cache.limit={self.limit / 1e9:g}")
        return found
