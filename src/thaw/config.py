"""The table of contents of a run: every config, and the bridge from Hydra's composed dictionary to typed dataclasses.

Decisions taken here:
* Roles are declared beside the fields (`thaw.fields`, which also reads them).
* All checks of values run in `__post_init__` of the three top-level configs, so a config built in Python is checked
  like one from the command line.
* Hydra and OmegaConf are imported where they are used, so `import thaw.config` is cheap and a run needs neither.
* Other packages add choices by the entry points thaw.strategies (a Strategy), thaw.tasks (a TaskConfig) and
  thaw.encoders (an EncoderConfig).
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from thaw import fields
from thaw.encoder.config import EncoderConfig
from thaw.errors import ConfigError, NotApplicable, nearest
from thaw.objective.config import ObjectiveConfig
from thaw.report.claims.rule import Rule
from thaw.strategy.plan import STRATEGIES, Strategy, StrategyConfig
from thaw.task.labels import declare
from thaw.task.task import DataConfig, TaskConfig
from thaw.text.corpus import CorpusConfig
from thaw.text.tokenizer import TokenizerConfig
from thaw.track.config import WandbConfig
from thaw.track.redact import redact
from thaw.train.budget import parse_budget, parse_count
from thaw.train.config import RATE, CacheConfig, OptimConfig, PretrainDataConfig, TrainerConfig

_NAME = re.compile(r"\w[\w.+=-]*(/\w[\w.+=-]*)*")


@dataclass(kw_only=True)
class TokenizerRun:
    """``thaw tokenizer``: train a tokenizer, report its fertility."""

    name: str = fields.free("single")
    corpus: CorpusConfig = fields.identity()
    tokenizer: TokenizerConfig = fields.identity()
    tasks: dict[str, TaskConfig] = fields.free({})  # name -> task whose texts join the fertility report
    out: str | None = fields.free(None)  # the tokenizer's folder; None: inside the run folder
    runs: str = fields.free("runs")  # root of all run folders
    cache: CacheConfig = fields.free(CacheConfig)
    debug: bool = fields.free(False)  # show tracebacks

    def __post_init__(self) -> None:
        _check(self)
        _check_corpus(self.corpus)


@dataclass(kw_only=True)
class PretrainConfig:
    """``thaw pretrain``: learn from unlabelled text."""

    name: str = fields.free("single")  # the study or sweep this run belongs to
    seed: int = fields.identity(1, ge=0)
    checkpoint: str | None = fields.free(None)  # folder to continue from; by content in the id
    corpus: CorpusConfig = fields.identity()
    tokenizer: TokenizerConfig = fields.identity()
    encoder: EncoderConfig = fields.identity()
    objective: ObjectiveConfig = fields.identity(ObjectiveConfig)
    optim: OptimConfig = fields.identity(OptimConfig)
    data: PretrainDataConfig = fields.identity(PretrainDataConfig)
    piece_vectors: str = fields.identity("random", choices=["random", "counts"])  # what they start from; counts: PPMI
    budget: str = fields.identity("10m")  # optimizer steps "2000", tokens "50M tokens" or time "1h30m"
    save_at: list[str] = fields.free([])  # tokens seen when a checkpoint is kept: "0", "1M"
    eval_every: str = fields.free("auto")  # "auto" (ten times), or like budget: "500", "1M tokens", "2m"
    trainer: TrainerConfig = fields.identity(TrainerConfig)
    wandb: WandbConfig = fields.free(WandbConfig)
    forked: str | None = fields.free(None)  # the run this one was forked from: thaw resume --fork
    runs: str = fields.free("runs")  # root of all run folders
    cache: CacheConfig = fields.free(CacheConfig)
    debug: bool = fields.free(False)  # show tracebacks

    def __post_init__(self) -> None:
        self.optim = self.optim.settled()
        _check(self)
        _check_corpus(self.corpus)
        if self.piece_vectors != "random" and self.checkpoint is not None:
            raise ConfigError(f"piece_vectors={self.piece_vectors} are for a new encoder, drop it or checkpoint=…")
        whole, _ = parse_budget(self.budget, "budget")
        if whole == "seconds" and self.trainer.num_nodes > 1:
            raise ConfigError(
                f"budget={self.budget} is a time, which machines would measure apart: give steps or tokens"
            )
        if self.eval_every != "auto" and parse_budget(self.eval_every, "eval_every")[0] == "seconds" != whole:
            raise ConfigError(f"eval_every={self.eval_every} is a time, budget={self.budget} is not")
        for tokens in self.save_at:
            parse_count(tokens, "save_at")
        parts = self.trainer.accumulate * self.trainer.devices * self.trainer.num_nodes
        if self.data.batch_size < parts:
            raise ConfigError(
                f"data.batch_size={self.data.batch_size} must be at least {parts}, one block a micro-batch"
            )
        if self.data.length > self.encoder.max_positions and self.checkpoint is None:
            raise ConfigError(
                f"data.length={self.data.length} is longer than encoder.max_positions={self.encoder.max_positions}"
            )


@dataclass(kw_only=True)
class TransferConfig:
    """``thaw transfer``: learn a task, from a checkpoint or without."""

    name: str = fields.free("single")  # the study or sweep this run belongs to
    seed: int = fields.identity(1, ge=0)
    checkpoint: str | None = fields.free(None)  # folder to transfer from; by content in the id
    task: TaskConfig = fields.identity()
    data: DataConfig = fields.identity(DataConfig)
    strategy: StrategyConfig = fields.identity()
    encoder: EncoderConfig | None = fields.identity(None)  # without a checkpoint only
    tokenizer: TokenizerConfig | None = fields.identity(None)  # without a checkpoint only
    optim: OptimConfig = fields.identity(OptimConfig)
    tuned: str | None = fields.free(None)  # sweep over optim.lr, or a record of rates: replaces optim.lr
    steps: int = fields.identity(300, ge=1)  # optimizer steps, the same at every train size
    eval_every: int = fields.identity(50, ge=1)  # steps between two scorings of dev that choose
    verdict: Rule = fields.free(Rule)  # what the report may call support, fixed before the runs
    test: bool = fields.free(True)  # score the test set at the end; false for runs that choose a setting on dev
    keep: bool = fields.free(False)  # keep the best-dev weights as a checkpoint
    keep_best: float = fields.free(32.0, ge=0)  # MB of weights that test=false leaves, to score the test set later
    trainer: TrainerConfig = fields.identity(TrainerConfig)
    wandb: WandbConfig = fields.free(WandbConfig)
    forked: str | None = fields.free(None)  # the run this one was forked from: thaw resume --fork
    runs: str = fields.free("runs")  # root of all run folders
    cache: CacheConfig = fields.free(CacheConfig)
    debug: bool = fields.free(False)  # show tracebacks

    def __post_init__(self) -> None:
        self.optim = self.optim.settled(getattr(self.strategy, "lr", RATE))
        _check(self)
        if not (self.task.path or self.task.hub or self.task.package):
            raise ConfigError(f"task={self.task.name} has no data, set task.path=DIR or FILE")
        strategy = strategies().get(self.strategy.name)
        if strategy is None:
            raise ConfigError(f"unknown strategy.name={self.strategy.name}{nearest(self.strategy.name, strategies())}")
        if self.verdict.strategy not in strategies():
            hint = nearest(self.verdict.strategy, strategies())
            raise ConfigError(f"unknown verdict.strategy={self.verdict.strategy}{hint}")
        if self.task.kind not in strategy.kinds:
            kind = self.task.kind.name
            raise NotApplicable(f"strategy={self.strategy.name} does not apply to task.kind={kind}, leave it out there")
        if self.checkpoint is not None and (self.encoder is not None or self.tokenizer is not None):
            given = "encoder" if self.encoder is not None else "tokenizer"
            raise ConfigError(f"{given}=… is for runs without a checkpoint, drop it or checkpoint={self.checkpoint}")
        if self.checkpoint is None and strategy.plan is not None:
            if strategy.pretrained:
                raise ConfigError(f"strategy={self.strategy.name} starts from a checkpoint, set checkpoint=FOLDER")
            if self.encoder is None or self.tokenizer is None or not self.tokenizer.path:
                raise ConfigError(
                    f"strategy={self.strategy.name} needs an architecture, set checkpoint=FOLDER (its weights are not"
                    " used) or encoder=mini tokenizer=unigram tokenizer.path=FOLDER"
                )


TOP = {"tokenizer": TokenizerRun, "pretrain": PretrainConfig, "transfer": TransferConfig}
GROUPS: dict[str, type] = {
    "task": TaskConfig,
    "corpus": CorpusConfig,
    "tokenizer": TokenizerConfig,
    "encoder": EncoderConfig,
    "objective": ObjectiveConfig,
    "optim": OptimConfig,
    "trainer": TrainerConfig,
    "wandb": WandbConfig,
}


@cache
def plugins(group: str) -> dict[str, Any]:
    """Return what installed packages offer under the entry point ``thaw.<group>``, by name."""
    found: dict[str, Any] = {}
    for entry in entry_points(group=f"thaw.{group}"):
        try:
            found[entry.name] = entry.load()
        except Exception as error:
            where = f"the entry point thaw.{group} {entry.name} = {entry.value}"
            reason = str(error).partition("\n")[0]
            raise ConfigError(f"{where} can not be loaded: {type(error).__name__}: {reason}") from error
        if group == "strategies" and entry.name in STRATEGIES:  # the cache keeps a second call from seeing its own
            raise ConfigError(f"the entry point thaw.strategies {entry.name} hides a built-in strategy, rename it")
    return found


def strategies() -> dict[str, Strategy]:
    """Return all strategies by name; those of plug-ins join the built-in table the first time."""
    STRATEGIES.update(plugins("strategies"))
    return STRATEGIES


def register() -> None:
    """Store every schema, and the choices of plug-ins, where Hydra finds them."""
    from hydra.core.config_store import ConfigStore

    store = ConfigStore.instance().store
    for command, top in TOP.items():
        store(name=f"_{command}", node=top)
    for group, schema in GROUPS.items():
        store(group=group, name="_schema", node=schema)
    for name, strategy in strategies().items():
        store(group="strategy/_schema", name=name, node=strategy.config, package="strategy")
        if name in plugins("strategies"):
            store(group="strategy", name=name, node=strategy.config)
    for group in ("task", "encoder"):
        for name, node in plugins(f"{group}s").items():
            store(group=group, name=name, node=node)


def conf_dir() -> Path:
    """Return the folder of config groups: inside an installed wheel, or of the checkout."""
    package = Path(__file__).resolve().parent
    for folder in (package / "conf", package.parents[1] / "conf"):
        if (folder / "transfer.yaml").is_file():
            return folder
    raise ConfigError(f"the config folder conf/ is not beside {package}, install thaw-nlp again")


def read(command: str, raw: Any) -> Any:
    """Return the typed config of a command from a composed DictConfig or a plain nested dictionary.

    Unknown keys and wrong types raise OmegaConf's errors (`cli.compose` explains them), bad values raise ConfigError.
    """
    from omegaconf import DictConfig, OmegaConf

    schema = OmegaConf.structured(TOP[command])
    composed = raw if isinstance(raw, DictConfig) else OmegaConf.create(raw)
    values = OmegaConf.to_container(composed, resolve=True, enum_to_str=True)
    assert isinstance(values, dict)
    values.pop("hydra", None)
    declare(values)
    if command == "transfer" and isinstance(values.get("strategy"), dict):
        name = str(values["strategy"].get("name"))
        if name not in strategies():
            raise ConfigError(f"unknown strategy.name={name}{nearest(name, strategies())}")
        schema.strategy = OmegaConf.structured(strategies()[name].config)
    schema.merge_with(values)  # in place: the schema is new, OmegaConf.merge would copy it first
    return OmegaConf.to_object(schema)


def check_name(key: str, value: str) -> None:
    """Raise ConfigError for what is no name of a folder, or would lead out of the one it belongs in."""
    if not _NAME.fullmatch(value) or len(value) > 200:
        shown = value if len(value) < 100 else f"{value[:99]}…"
        raise ConfigError(f"{key}={shown} must be a folder name: letters, digits, . _ - + = and / between parts")


def _check(config: Any) -> None:
    fields.check(config)
    if redact(config.name) != config.name:
        raise ConfigError("name holds a secret, which a folder would show: give another")
    check_name("name", config.name)


def _check_corpus(corpus: CorpusConfig) -> None:
    if not (corpus.paths or corpus.hub or corpus.package):
        remedy = "set corpus.paths=[FILE,...], corpus.hub or corpus.package"
        raise ConfigError(f"corpus={corpus.name} has no text, {remedy}")
