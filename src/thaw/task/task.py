"""What a task is: labelled data, the kind of its labels, its metrics. No torch here."""

from collections import Counter
from dataclasses import dataclass
from enum import Enum

from thaw.errors import ConfigError, nearest
from thaw.fields import free, identity
from thaw.task.labels import declared, is_value


class Kind(Enum):
    """The kind of label a task has; the head and the metrics follow from it."""

    classes = "classes"  # one of several labels for a text or a pair of texts
    score = "score"  # a number for a text or a pair of texts
    tags = "tags"  # a label for each word
    span = "span"  # the answer to a question as a span of the context


METRICS = {
    Kind.classes: ("accuracy", "macro_f1", "matthews", "f1"),  # f1: of the positive label, two classes only
    Kind.score: ("pearson", "spearman"),
    Kind.tags: ("entity_f1", "token_accuracy"),
    Kind.span: ("f1", "exact_match"),
}


@dataclass(kw_only=True)
class TaskConfig:
    """A task as data: about fifteen lines of YAML in ``conf/task/``."""

    name: str = identity()
    kind: Kind = identity()
    metric: str = identity("")  # the one that chooses and reports, of METRICS[kind]; empty: the first of them
    labels: list[str] | None = identity(None)  # the declared label set, in order; None: read from train
    positive: str | None = identity(
        None, new=True
    )  # the label that f1 is of, two classes; None: the last of the labels
    path: str | None = free(None)  # a folder with train/dev/test files, or one file that is split; by content in the id
    hub: str | None = identity(None)  # name of a Hugging Face data set
    hub_config: str | None = identity(None)
    hub_revision: str | None = identity(None)  # branch or commit; refs/convert/parquet where the data set is a script
    train_split: str = identity("train")  # names of splits on the hub
    dev_split: str | None = identity("validation")  # None: cut off from train
    test_split: str = identity("test")
    package: str | None = identity(None)  # name of a reader of text inside an installed package (the demo)
    text: str = identity("text")  # column names, in files and on the hub
    text_a: str = identity("text_a")
    text_b: str = identity("text_b")
    label: str = identity("label")
    tokens: str = identity("tokens")
    tags: str = identity("tags")
    max_length: int = identity(128, ge=8)  # pieces with [CLS] and [SEP]; longer texts are truncated (span: windows)
    stride: int = identity(64, ge=1)  # span: pieces that neighbouring windows share

    def __post_init__(self) -> None:
        if isinstance(self.kind, Kind) and not self.metric:
            self.metric = METRICS[self.kind][0]
        if isinstance(self.kind, Kind) and self.metric != "???" and self.metric not in METRICS[self.kind]:
            valid = ", ".join(METRICS[self.kind])
            raise ConfigError(f"task.metric={self.metric} is none of task.kind={self.kind.name}, valid: {valid}")
        if self.kind is Kind.span and isinstance(self.stride, int) and self.stride >= self.context_room:
            raise ConfigError(
                f"task.stride={self.stride} must be less than {self.context_room}, the context pieces that surely fit a"
                f" window of task.max_length={self.max_length}"
            )
        if isinstance(self.labels, list):
            if not all(map(is_value, self.labels)):
                raise ConfigError("task.labels must be a list of words, it holds a mapping or a list")
            self.labels = [declared(label) for label in self.labels]
            if "" in self.labels:
                raise ConfigError("task.labels names an empty label, take it out")
            twice = [label for label, count in Counter(self.labels).items() if count > 1]
            if twice:
                raise ConfigError(f"task.labels names a label twice, {twice[0]!r}: each must stand there once")
        if self.positive is not None and self.positive != "???":
            self.positive = declared(self.positive)

    @property
    def origin(self) -> str:
        """Where its data come from, in the words of a message."""
        if self.path:
            return f"task.path={self.path}"
        return f"task.package={self.package}" if self.package else str(self.hub)

    @property
    def question_room(self) -> int:
        """Pieces a question may have in a window (span); 64 as in BERT's run_squad.py, fewer in short windows."""
        return min(64, self.max_length // 4)

    @property
    def context_room(self) -> int:
        """Pieces of context that fit a window beside the longest question and three special pieces (span)."""
        return self.max_length - self.question_room - 3


def are_entity_tags(labels: list[str]) -> bool:
    """Whether a label set is BIO: "O", and the rest B- or I- with a type."""
    return "O" in labels and all(map(_is_bio, labels))


def _is_bio(tag: str) -> bool:
    return tag == "O" or (tag[:2] in ("B-", "I-") and len(tag) > 2)


def positive_label(task: TaskConfig, labels: list[str] | None) -> str | None:
    """Return the label whose F1 is the metric ``f1``: task.positive, else the last; None where f1 has no meaning."""
    if task.kind is not Kind.classes or labels is None or len(labels) != 2:
        return None
    return task.positive if task.positive is not None else labels[-1]


def check_metric(task: TaskConfig, labels: list[str] | None) -> None:
    """Raise ConfigError when the labels do not allow the metric: f1 is for two classes, entity_f1 for BIO tags."""
    if task.metric == "f1" and task.kind is Kind.classes and len(labels or []) != 2:
        raise ConfigError(
            f"task.metric=f1 is for two classes (it is of the positive one), {task.name} has {len(labels or [])};"
            " use macro_f1"
        )
    if task.positive is not None:
        if task.kind is not Kind.classes or len(labels or []) != 2:
            about = f"{len(labels or [])} labels" if task.kind is Kind.classes else f"task.kind={task.kind.name}"
            raise ConfigError(
                f"task.positive={task.positive} is for two classes, {task.name} has {about}; leave it out"
            )
        if task.positive not in (labels or []):
            hint = nearest(task.positive, labels or [])
            raise ConfigError(f"task.positive={task.positive} is no label of {task.name}{hint}")
    if task.metric == "entity_f1" and not are_entity_tags(labels or []):
        others = [tag for tag in labels or [] if not _is_bio(tag)]
        shown = ", ".join(repr(tag[:20]) for tag in others[:3]) + (", ..." if len(others) > 3 else "")
        raise ConfigError(
            f"task.metric=entity_f1 needs tags O, B- and I-, {task.name} has {shown if others else 'no O'}, of no"
            " scheme that is known (BIO, IOB1, BIOES, BILOU, BMES); use task.metric=token_accuracy"
        )


@dataclass(kw_only=True)
class DataConfig:
    """How much of a task's data is used, and in what batches."""

    train_size: str = identity("all")  # labels to learn from: a number or "all"
    dev_size: str = identity("match")  # labels to choose by: "match" (no more than train), "all" or a number
    dev_share: float = identity(0.1, gt=0, lt=1)  # of train, where a task has no dev split
    batch_size: int = identity(16, ge=1)  # examples an optimizer step
    duplicates: str = identity("drop", choices=["drop", "keep"])  # train texts that also stand in dev or test

    def __post_init__(self) -> None:
        for key, words in (("train_size", ("all",)), ("dev_size", ("match", "all"))):
            value = str(getattr(self, key))
            if value not in words and not (value.isdecimal() and int(value) > 0):
                raise ConfigError(f"data.{key}={value} must be a positive number or one of: {', '.join(words)}")
