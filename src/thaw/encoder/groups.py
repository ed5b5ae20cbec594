"""The ordered parts of a model that a strategy trains or freezes: embeddings, each layer from below, the head."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

from thaw.encoder.model import Encoder


@dataclass(frozen=True)
class Group:
    """A named part of a model; what two parts share belongs to the first that has it."""

    name: str
    modules: list[nn.Module]
    shared: frozenset[int] = frozenset()  # id() of the parameters that an earlier group owns

    def named_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield the name within the group and the parameter, each parameter once."""
        seen = set(self.shared)
        for position, module in enumerate(self.modules):
            prefix = f"{position}." if len(self.modules) > 1 else ""
            for name, parameter in module.named_parameters():
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    yield prefix + name, parameter

    def parameters(self) -> list[nn.Parameter]:
        """Return the group's parameters, each once, tied ones of earlier groups left out."""
        return [parameter for _, parameter in self.named_parameters()]


def groups(encoder: Encoder, head: nn.Module | None = None) -> list[Group]:
    """Return the groups ``embeddings``, ``layer.0`` … ``layer.{L-1}`` and, with a head, ``head``.

    Together they hold every parameter exactly once. Source of the order: Howard and Ruder 2018, section 3.2.
    """
    parts: list[tuple[str, nn.Module]] = [("embeddings", encoder.embeddings)]
    parts += [(f"layer.{number}", layer) for number, layer in enumerate(encoder.layers)]
    parts += [("head", head)] if head is not None else []
    found: list[Group] = []
    owned: set[int] = set()
    for name, module in parts:
        group = Group(name, [module], frozenset(owned))
        owned |= {id(parameter) for parameter in group.parameters()}
        found.append(group)
    _check(found, [encoder] if head is None else [encoder, head])
    return found


def _check(found: list[Group], modules: list[nn.Module]) -> None:
    grouped = [id(parameter) for group in found for parameter in group.parameters()]
    everything = {id(parameter): name for module in modules for name, parameter in module.named_parameters()}
    assert len(grouped) == len(set(grouped)), "a parameter stands in two groups"
    missing = sorted(name for key, name in everything.items() if key not in set(grouped))
    assert not missing, f"parameters in no group: {missing}"
    assert len(grouped) == len(everything), "a group holds a parameter of another model"
