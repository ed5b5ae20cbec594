"""Strategies as data: which parameter groups learn, when, and how fast. Pure, printable, no torch.

Decisions taken here:
* Groups are ordered from the input to the output: ``embeddings, layer.0 … layer.L-1, head``.
* A plan gives each group a factor on the learning rate; ``None`` is frozen.
* A plan is a function of the progress alone, so a resumed run can not re-freeze anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from thaw.errors import ConfigError
from thaw.fields import free, identity
from thaw.task.task import Kind

Factor = float | None


@dataclass(frozen=True)
class Progress:
    """Where training stands; a plan may look at nothing else."""

    step: int  # optimizer steps done
    steps: int  # optimizer steps in all
    epoch_steps: int = 1  # optimizer steps a pass over the train subset takes
    stage: int = 0  # times the dev score has stopped improving so far (unfreeze=plateau)


@dataclass(kw_only=True)
class StrategyConfig:
    """What every strategy has: its name; a network also has a head."""

    name: str = identity()


@dataclass(kw_only=True)
class NetworkConfig(StrategyConfig):
    """A strategy that trains a network: encoder and head.

    ``lr`` is what ``optim.lr`` becomes where neither that nor ``tuned`` is given, chosen by dev over several tasks
    (experiments/default_rates); a run is named by ``optim.lr``, which holds the rate that was used.
    """

    lr: float = free(5e-4, gt=0)  # of optim.lr, where neither that nor tuned= is given
    pooling: str = identity("mean", choices=["mean", "cls", "concat"])  # of the states of a text, for classes and score
    dropout: float = identity(0.1, ge=0, lt=1)  # in the head and in the parts of the encoder that learn


@dataclass(kw_only=True)
class Scratch(NetworkConfig):
    """The same network from random weights: what transfer must beat."""

    name: str = identity("scratch")
    lr: float = free(2e-3, gt=0)


@dataclass(kw_only=True)
class Full(NetworkConfig):
    """All parameters learn from the start (Devlin et al. 2019)."""

    name: str = identity("full")
    lr: float = free(2e-3, gt=0)
    decay: float = identity(1.0, ge=1)  # each layer learns this many times slower than the one above it


@dataclass(kw_only=True)
class Frozen(NetworkConfig):
    """The encoder is fixed, a new head learns."""

    name: str = identity("frozen")
    lr: float = free(3e-2, gt=0)


@dataclass(kw_only=True)
class FrozenRandom(NetworkConfig):
    """Control: ``frozen`` on an encoder with random weights; what the head learns without any transfer."""

    name: str = identity("frozen_random")
    lr: float = free(3e-2, gt=0)


@dataclass(kw_only=True)
class FeatureBased(NetworkConfig):
    """The states of the fixed encoder feed a different model (ELMo, Peters et al. 2018; BERT, section 5.3)."""

    name: str = identity("feature_based")
    lr: float = free(1e-2, gt=0)
    model: str = identity("bilstm", choices=["linear", "mlp", "bilstm"])
    layers: str = identity("concat_last4", choices=["last", "concat_last4", "scalar_mix", "embeddings"])
    hidden: int = identity(64, ge=1)  # width of the model, a direction


@dataclass(kw_only=True)
class GradualUnfreeze(NetworkConfig):
    """The head learns first, then one more layer from the top at a time (ULMFiT, Howard & Ruder 2018, section 3.3)."""

    name: str = identity("gradual_unfreeze")
    lr: float = free(1e-2, gt=0)
    unfreeze: str = identity("steps", choices=["steps", "epochs", "plateau"])  # what opens the next layer
    every: int = identity(
        0, ge=0
    )  # steps, epochs or evaluations without gain a layer; 0: one epoch or evaluation, or half of the steps for all
    decay: float = identity(2.6, ge=1)  # each layer learns this many times slower than the one above it


@dataclass(kw_only=True)
class LinearProbeThenFull(NetworkConfig):
    """The head learns alone, then all parameters do (LP-FT, Kumar et al. 2022)."""

    name: str = identity("lp_ft")
    lr: float = free(1e-2, gt=0)
    probe: float = identity(0.3, gt=0, lt=1)  # share of the steps for the head alone
    rate: float = identity(0.3, gt=0, le=1)  # factor on the learning rate after that


@dataclass(kw_only=True)
class TopK(NetworkConfig):
    """The top k layers and the head learn (Lee et al. 2019, What would Elsa do?)."""

    name: str = identity("top_k")
    lr: float = free(2e-3, gt=0)
    k: int = identity(2, ge=0)  # layers


@dataclass(kw_only=True)
class BiasOnly(NetworkConfig):
    """Of the encoder only the biases learn (BitFit, Ben Zaken et al. 2022)."""

    name: str = identity("bias_only")
    lr: float = free(3e-2, gt=0)


@dataclass(kw_only=True)
class Tfidf(StrategyConfig):
    """Control: word and bigram counts, inverse document frequency, logistic (or ridge) regression."""

    name: str = identity("tfidf")
    regularisation: list[float] = identity([0.1, 1.0, 10.0, 100.0], gt=0)  # C; the best on dev is taken


@dataclass(kw_only=True)
class Majority(StrategyConfig):
    """Control: always the most frequent answer of the train subset."""

    name: str = identity("majority")


def everything(config: Any, groups: Sequence[str], progress: Progress) -> list[Factor]:
    """All groups learn, each layer ``decay`` times slower than the one above."""
    top = len(groups) - 1
    return [1.0 / getattr(config, "decay", 1.0) ** (top - i) for i in range(len(groups))]


def head_only(config: Any, groups: Sequence[str], progress: Progress) -> list[Factor]:
    """The head learns, the encoder is frozen."""
    return [None] * (len(groups) - 1) + [1.0]


def gradual(config: GradualUnfreeze, groups: Sequence[str], progress: Progress) -> list[Factor]:
    """The head, then downwards one more group a stage; embeddings come last."""
    top = len(groups) - 1
    if config.unfreeze == "plateau":
        stage = progress.stage
    else:
        every = (config.every or 1) * progress.epoch_steps if config.unfreeze == "epochs" else config.every
        stage = progress.step // (every or max(1, progress.steps // (2 * len(groups))))
    return [1.0 / config.decay ** (top - i) if i >= top - stage else None for i in range(len(groups))]


def probe_then_full(config: LinearProbeThenFull, groups: Sequence[str], progress: Progress) -> list[Factor]:
    """The head alone for ``probe`` of the steps, then everything at ``rate``."""
    if progress.step < config.probe * progress.steps:
        return head_only(config, groups, progress)
    return [config.rate] * len(groups)


def top_layers(config: TopK, groups: Sequence[str], progress: Progress) -> list[Factor]:
    """The top ``k`` layers and the head."""
    if config.k > len(groups) - 2:
        raise ConfigError(f"strategy.k={config.k} must be at most the encoder's {len(groups) - 2} layers")
    lowest = len(groups) - 1 - config.k
    return [1.0 if i >= lowest else None for i in range(len(groups))]


@dataclass(frozen=True)
class Strategy:
    """A strategy's row in the table: its config, its plan, and what it starts from."""

    config: type[StrategyConfig]
    plan: Callable[[Any, Sequence[str], Progress], list[Factor]] | None  # None: a control without a network
    pretrained: bool = True  # starts from the checkpoint's weights, so it needs one
    only: str = ""  # the encoder's parameters that learn: those whose name ends so
    control: bool = False
    kinds: frozenset[Kind] = frozenset(Kind)  # of labels that it has an answer for
    says: str = ""  # what it is, in one sentence, for a reader who knows no strategy by name
    colour: str | None = None  # "#rrggbb" in figures; None: the report takes a spare one

    def record(self, name: str) -> dict[str, Any]:
        """Return what a run's lineage holds of its strategy, so that a report need not know strategies by name."""
        network = self.plan is not None
        return {
            "name": name, "says": self.says, "pretrained": self.pretrained and network, "network": network,
            "control": self.control or not network, "colour": self.colour,
        }  # fmt: skip


STRATEGIES: dict[str, Strategy] = {
    "scratch": Strategy(
        Scratch, everything, pretrained=False,
        says="the same network from random weights", colour="#8a8a8a",
    ),
    "feature_based": Strategy(
        FeatureBased, head_only,
        says="the pretrained encoder is fixed and feeds another model", colour="#009E73",
    ),
    "frozen": Strategy(
        Frozen, head_only,
        says="the pretrained encoder is fixed, only a new head learns", colour="#56B4E9",
    ),
    "gradual_unfreeze": Strategy(
        GradualUnfreeze, gradual,
        says="from pretrained weights, the head learns first, then one more layer at a time", colour="#D55E00",
    ),
    "full": Strategy(
        Full, everything,
        says="from pretrained weights, everything learns", colour="#0072B2",
    ),
    "lp_ft": Strategy(
        LinearProbeThenFull, probe_then_full,
        says="from pretrained weights, the head learns first, then everything", colour="#CC79A7",
    ),
    "top_k": Strategy(
        TopK, top_layers,
        says="from pretrained weights, only the top layers and the head learn", colour="#E69F00",
    ),
    "bias_only": Strategy(
        BiasOnly, everything, only="bias",
        says="from pretrained weights, only biases and the head learn", colour="#C9B500",
    ),
    "frozen_random": Strategy(
        FrozenRandom, head_only, pretrained=False, control=True,
        says="control: an encoder with random weights is fixed, only a head learns", colour="#7fa8bf",
    ),
    "tfidf": Strategy(
        Tfidf, None, pretrained=False, control=True, kinds=frozenset({Kind.classes, Kind.score}),
        says="control: counts of words and a linear model, no network", colour="#a0785a",
    ),
    "majority": Strategy(
        Majority, None, pretrained=False, control=True, kinds=frozenset(Kind) - {Kind.span},
        says="control: always the most frequent answer", colour="#a8a8a8",
    ),
}  # fmt: skip


def timeline(
    strategy: Strategy, config: Any, groups: Sequence[str], steps: int, epoch_steps: int = 1
) -> list[tuple[int, list[Factor]]]:
    """Return ``(first step, factors)`` for each stretch of steps with the same plan (plateau stages as if at once)."""
    assert strategy.plan is not None
    if getattr(config, "unfreeze", "") == "plateau":
        return [(0, strategy.plan(config, groups, Progress(0, steps, epoch_steps, s))) for s in range(len(groups))]
    rows: list[tuple[int, list[Factor]]] = []
    for step in range(steps):
        factors = strategy.plan(config, groups, Progress(step, steps, epoch_steps))
        if not rows or rows[-1][1] != factors:
            rows.append((step, factors))
    return rows
