"""What a transfer trains, from its config: the task's subset as ids, the encoder it starts from, a new head."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from thaw import build
from thaw.config import TransferConfig, strategies
from thaw.encoder.model import Encoder
from thaw.errors import ConfigError
from thaw.fields import as_dict, identity_of
from thaw.job import data
from thaw.job.contamination import contamination
from thaw.job.identity import tokenizer_content
from thaw.job.tell import tell
from thaw.strategy.plan import NetworkConfig
from thaw.task.encode import Encoded, encode
from thaw.task.example import pairs
from thaw.task.head_config import HeadConfig
from thaw.task.heads import Head, build_head
from thaw.task.subset import choose
from thaw.task.task import Kind
from thaw.text.tokenizer import Tokenizer
from thaw.track.redact import redact
from thaw.train.transfer import TrainBatches, TransferModule


class Network:
    """The data and the module of one transfer; nothing has been trained yet."""

    def __init__(self, config: TransferConfig) -> None:
        assert isinstance(config.strategy, NetworkConfig)
        self.config, self.settings = config, config.strategy
        self.strategy = strategies()[config.strategy.name]
        build.require(config.trainer)
        self.threads = build.use_threads(config.trainer)
        self.parent = build.checkpoint(config.checkpoint) if config.checkpoint else None
        self.tokenizer = self.parent.tokenizer if self.parent else self.given_tokenizer()
        encoder = self.encoder()
        if config.task.max_length > encoder.config.max_positions:
            most = encoder.config.max_positions
            raise ConfigError(f"task.max_length={config.task.max_length} is more than the encoder's {most} positions")
        self.found = data.splits(config)
        self.train_indices, self.dev_indices = choose(self.found, config.data, config.task.kind, config.seed)
        self.train_examples = [self.found.train[i] for i in self.train_indices]
        self.dev_examples = [self.found.dev[i] for i in self.dev_indices]
        self.refuse_other_pairs()
        self.train, self.dev = (self.encode(part) for part in (self.train_examples, self.dev_examples))
        self.batches = TrainBatches(self.train, config.data.batch_size, config.seed)
        self.module = TransferModule(
            encoder, self.head(encoder), config.optim, seed=config.seed, steps=config.steps,
            epoch_steps=self.batches.order.steps_per_epoch, compile=config.trainer.compile,
            precision=config.trainer.precision,
        )  # fmt: skip

    def given_tokenizer(self) -> Tokenizer:
        """Return the tokenizer of a run without a checkpoint."""
        config = self.config.tokenizer
        assert config is not None
        fields = {"tokenizer": tokenizer_content(config, identity_of(config))}
        return build.tokenizer(config, None, fields, Path(self.config.cache.folder), tell)

    def encoder(self) -> Encoder:
        """Return the encoder the strategy starts from."""
        config, dropout = self.config, self.settings.dropout
        if self.strategy.pretrained:
            assert self.parent is not None
            return self.parent.encoder(dropout=dropout)
        shape = self.parent.encoder_config if self.parent else config.encoder
        size = self.parent.vocab_size if self.parent else self.tokenizer.vocab_size
        assert shape is not None
        return build.encoder(shape, size, config.seed, dropout)

    def refuse_other_pairs(self) -> None:
        """Raise ConfigError for a task of two texts where the imported encoder learnt them in another form."""
        learnt = self.parent.lineage.get("frame_of_pairs") if self.parent and self.strategy.pretrained else None
        if learnt and (self.config.task.kind is Kind.span or pairs(self.train_examples)):
            raise ConfigError(f"checkpoint={self.config.checkpoint} can not read two texts as it learnt to: {learnt}")

    def head_config(self) -> HeadConfig:
        """Return the head the strategy asks for; a plain linear one unless it says otherwise."""
        names = {"model", "layers", "hidden", "pooling", "dropout"}
        return HeadConfig(**{key: value for key, value in vars(self.settings).items() if key in names})

    def head(self, encoder: Encoder) -> Head:
        """Return a new head, the same for every strategy with this seed."""
        task, labels = self.config.task, self.found.labels or []
        torch.manual_seed(self.config.seed)
        head = build_head(task.kind, len(labels), encoder.config.hidden, encoder.config.layers, self.head_config())
        if task.kind is Kind.score:
            scores = torch.tensor([float(example.label or 0.0) for example in self.train_examples])
            head.set_scale(float(scores.mean()), float(scores.std(unbiased=False)))
        return head

    def encode(self, examples: list[Any]) -> Encoded:
        """Return examples as ids."""
        return encode(examples, self.config.task, self.tokenizer, self.found.labels)

    def contamination(self) -> dict[str, Any] | None:
        """Return how many test texts stand in the pretraining text, None where that is not known."""
        if self.parent is None or not self.strategy.pretrained or not self.config.test:
            return None
        corpus, results = (self.parent.lineage.get(name) for name in ("corpus", "results"))
        return contamination(Path(self.config.cache.folder), corpus, self.tokenizer, self.found, results)

    def weights(self) -> dict[str, Tensor]:
        """Return a copy of all weights."""
        return {name: value.detach().clone() for name, value in self.module.state_dict().items()}

    def kept_head(self) -> dict[str, Any]:
        """Return what a kept checkpoint says of its head: kind, labels, whether texts come in pairs, task, shape."""
        task = self.config.task
        about = {"kind": task.kind.name, "labels": self.found.labels, "pairs": pairs(self.train_examples)}
        return about | {"task": redact(as_dict(task)), **vars(self.head_config())}
