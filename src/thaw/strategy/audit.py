"""The freeze audit: what the plan declared is what was observed, else the run fails.

Checked before and after every change of the plan, at evaluations and at the end: requires_grad, gradients, eval mode,
optimizer membership. What is frozen keeps its bits until it is thawed, also when it is frozen again.
"""

from dataclasses import replace

import torch

from thaw.errors import ThawError
from thaw.strategy.apply import ApplyPlan


class AuditError(ThawError):
    """Declared and observed freezing differ: a fault of the software, never of the data."""


class Audit:
    """Follows a run's parameter groups from their first to their last step."""

    def __init__(self, apply: ApplyPlan, optimizer: torch.optim.Optimizer) -> None:
        self.apply = apply
        members = [id(parameter) for group in optimizer.param_groups for parameter in group["params"]]
        ours = [id(parameter) for group in apply.groups for _, parameter in group.named_parameters()]
        if sorted(members) != sorted(ours):
            raise AuditError(f"audit: the optimizer holds {len(members)} parameters, the plan covers {len(ours)}")
        self.start = {
            f"{group.name}.{name}": parameter.detach().to("cpu", copy=True)
            for group in apply.groups
            for name, parameter in group.named_parameters()
        }
        self.held = dict(self.start)  # what each parameter must be while it is frozen
        self.moved: set[str] = set()  # parameters that were ever allowed to learn
        apply.watch = self.observe

    def restore(self, start: dict[str, torch.Tensor], moved: set[str]) -> None:
        """Go on with the audit of an interrupted run: its first weights, and what has learnt since."""
        self.start, self.moved = start, moved
        self.held = {key: value for key, value in start.items() if key not in moved}

    def observe(self) -> None:
        """Compare modules with the plan in force; raise AuditError where they differ."""
        factors = self.apply.factors
        assert factors is not None
        for group, factor in zip(self.apply.groups, factors, strict=True):
            learns = factor is not None
            for name, parameter in group.named_parameters():
                key, expected = f"{group.name}.{name}", learns and self.apply.selected(group, name)
                if parameter.requires_grad != expected:
                    raise AuditError(f"audit: {key} requires_grad is {parameter.requires_grad}, declared {expected}")
                if not expected and parameter.grad is not None:
                    raise AuditError(f"audit: {key} is frozen but has a gradient")
                if expected:
                    self.moved.add(key)
                    self.held.pop(key, None)
                elif key not in self.held:
                    self.held[key] = parameter.detach().to("cpu", copy=True)
                elif not torch.equal(parameter.detach().cpu(), self.held[key]):
                    since = "frozen again" if key in self.moved else "never thawed"
                    raise AuditError(f"audit: {key} was {since} but its weights changed")
            if any(module.training != learns for part in group.modules for module in part.modules()):
                raise AuditError(f"audit: {group.name} is in {'eval' if learns else 'train'} mode, declared otherwise")

    def drift(self) -> dict[str, float]:
        """Return ``|w - w0| / |w0|`` of each group (0 for groups that never learned)."""
        result = {}
        for group in self.apply.groups:
            moved = norm = 0.0
            for name, parameter in group.named_parameters():
                first = self.start[f"{group.name}.{name}"].double()
                moved += float((parameter.detach().cpu().double() - first).square().sum())
                norm += float(first.square().sum())
            result[group.name] = (moved / norm) ** 0.5 if norm else 0.0
        return result

    def verdict(self) -> str:
        """Return ``passed`` where something was frozen and held, ``not_applicable`` where all learned from step 0."""
        self.observe()
        return "passed" if self.ever_frozen else "not_applicable"

    @property
    def ever_frozen(self) -> bool:
        """Whether the plan freezes anything at its start."""
        first = self.apply.strategy.plan
        assert first is not None
        factors = first(self.apply.config, self.apply.names, replace(self.apply.progress, step=0, stage=0))
        return None in factors or bool(self.apply.strategy.only)
