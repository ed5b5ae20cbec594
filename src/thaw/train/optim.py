"""Parameter groups -> one optimizer that holds all of them from the first step.

Decisions taken here:
* One optimizer group for each (encoder group, decay or not); a strategy only scales learning rates.
* Biases and norms (one-dimensional parameters) do not decay.
* ``muon`` keeps its own code: torch's always casts to bfloat16, which CPUs without hardware for it compute 100 times
  slower; ours does so only where the run computes in bfloat16 anyway.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from thaw.encoder.groups import Group
from thaw.train.config import OptimConfig

FUSED = {"query_key_value": 3, "up_and_gate": 2}  # matrices of several parts, each of which Muon makes orthogonal


def parameter_groups(groups: Sequence[Group], config: OptimConfig) -> list[dict[str, Any]]:
    """Return torch optimizer groups, each with ``index`` (of the encoder group), ``scale`` (on the learning rate) and
    ``orthogonal`` (for Muon: the parts in which a matrix is made orthogonal, 0: it is not)."""
    result: list[dict[str, Any]] = []
    for index, group in enumerate(groups):
        kinds: dict[tuple[bool, int], list[nn.Parameter]] = {}
        for name, parameter in group.named_parameters():
            decays = parameter.ndim > 1
            orthogonal = config.name == "muon" and decays and group.name.startswith("layer.") and "norm" not in name
            parts = FUSED.get(name.split(".")[-2], 1) if orthogonal else 0
            kinds.setdefault((decays, parts), []).append(parameter)
        scale = {"embeddings": config.embeddings, "head": config.head}.get(group.name, 1.0)
        for (decays, parts), parameters in kinds.items():
            part = {"params": parameters, "index": index, "orthogonal": parts, "lr": config.rate * scale}
            result.append(part | {"weight_decay": config.weight_decay if decays else 0.0, "scale": scale})
    return result


def build(groups: Sequence[Group], config: OptimConfig, precision: str = "32-true") -> torch.optim.Optimizer:
    """Return the optimizer of a run over all its parameters; ``precision`` is the trainer's."""
    parameters, betas = parameter_groups(groups, config), (config.beta1, config.beta2)
    if config.name == "muon":
        half = precision == "bf16-mixed"
        return Muon(parameters, lr=config.rate, betas=betas, eps=config.eps, dtype=torch.bfloat16 if half else None)
    devices = {parameter.device.type for group in parameters for parameter in group["params"]}
    return AdamW(parameters, lr=config.rate, betas=betas, eps=config.eps, fused=devices <= {"cpu", "cuda"})


class AdamW(torch.optim.AdamW):
    """torch's, but for the time it spends on groups without a gradient: most of them while an encoder is frozen."""

    def step(self, closure=None):  # type: ignore[no-untyped-def]
        """Update all parameters that have a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        groups = self.param_groups
        self.param_groups = [group for group in groups if any(one.grad is not None for one in group["params"])]
        try:
            super().step()
        finally:
            self.param_groups = groups
        return loss


def orthogonalise(matrix: Tensor, steps: int = 5) -> Tensor:
    """Return the nearest semi-orthogonal matrix (R, C) by Newton-Schulz iteration (Jordan et al. 2024, Muon)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.size(-2) > matrix.size(-1)
    x = matrix.mT if tall else matrix
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    result: Tensor = x.mT if tall else x
    return result


class Muon(torch.optim.Optimizer):
    """Muon for hidden matrices, AdamW for everything else, in one optimizer (Jordan et al. 2024).

    An update of a matrix has the root mean square of AdamW's (Liu et al. 2025, section 2.2), so both share one ``lr``.
    A fused query-key-value weight is orthogonalised in its three parts.
    """

    def __init__(
        self, parameters: list[dict[str, Any]], lr: float, betas: tuple[float, float], eps: float,
        dtype: torch.dtype | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parameters, {"lr": lr, "betas": betas, "eps": eps, "momentum": 0.95})
        self.dtype = dtype  # of the orthogonalisation, None: the gradient's

    @torch.no_grad()
    def step(self, closure=None):  # type: ignore[no-untyped-def]
        """Update all parameters that have a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        directions: list[tuple[Tensor, Tensor, float]] = []  # (parameter, what to orthogonalise, learning rate)
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    if group["orthogonal"]:
                        directions.append((parameter, self._direction(parameter, parameter.grad, group), group["lr"]))
                    else:
                        self._adam(parameter, parameter.grad, group)
        self._muon(directions)
        return loss

    def _direction(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        """Return the gradient with Nesterov momentum, (parts, R, C): a fused query-key-value weight has three parts."""
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        momentum = state["momentum"].lerp_(gradient, 1 - group["momentum"])
        direction = gradient.lerp(momentum, group["momentum"])
        return torch.stack(direction.chunk(group["orthogonal"]))

    def _muon(self, directions: list[tuple[Tensor, Tensor, float]]) -> None:
        """Step along orthogonal directions; those of one shape are computed together, which is faster."""
        shapes = {tuple(sorted(direction.shape[1:])) for _, direction, _ in directions}
        for shape in sorted(shapes):
            same = [one for one in directions if tuple(sorted(one[1].shape[1:])) == shape]
            flat = [d if d.shape[1] <= d.shape[2] else d.mT for _, d, _ in same]
            parts = torch.split(orthogonalise(torch.cat(flat).to(self.dtype)), [len(d) for d in flat])
            for (parameter, direction, lr), part in zip(same, parts, strict=True):
                update = part if part.shape == direction.shape else part.mT
                parameter.add_(update.reshape(parameter.shape).to(parameter.dtype), alpha=-lr * 0.2 * shape[-1] ** 0.5)

    def _adam(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state, (beta1, beta2) = self.state[parameter], group["betas"]
        if not state:
            state.update(step=torch.zeros(()), mean=torch.zeros_like(parameter), square=torch.zeros_like(parameter))
        state["step"] += 1
        mean = state["mean"].lerp_(gradient, 1 - beta1)
        square = state["square"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        count = int(state["step"])
        divisor = (square / (1 - beta2**count)).sqrt_().add_(group["eps"])
        parameter.addcdiv_(mean, divisor, value=-group["lr"] / (1 - beta1**count))
