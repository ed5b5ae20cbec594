"""Each strategy has a default learning rate of its own, recorded as a study; what a user says comes first."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from thaw.cli.compose import composer
from thaw.cli.words import parse
from thaw.config import TransferConfig, conf_dir
from thaw.fields import as_dict, identity_of
from thaw.job.resolve import resolve
from thaw.strategy.plan import STRATEGIES
from thaw.task.task import Kind, TaskConfig
from thaw.track.identity import run_id
from thaw.train.config import OptimConfig

NETWORKS = sorted(name for name, strategy in STRATEGIES.items() if strategy.plan is not None)
RECORD = conf_dir().parent / "experiments" / "default_rates" / "rates.yaml"


def compose(*words: str, command: str = "transfer") -> list[Any]:
    with composer(command, parse(list(words))) as made:
        return [one.config for one in made.combinations()]


TREC = ("task=trec", "checkpoint=somewhere")


@pytest.mark.parametrize("optim", ["transfer", "slanted"])
def test_every_strategy_has_the_rate_that_was_chosen_for_it(optim: str) -> None:
    recorded = yaml.safe_load(RECORD.read_text("utf-8"))
    assert sorted(recorded) == NETWORKS
    made = compose(*TREC, f"optim={optim}", "-m", f"strategy={','.join(NETWORKS)}")
    assert {one.strategy.name: one.optim.lr for one in made} == recorded
    assert len(set(recorded.values())) > 1  # one rate for all starves those that learn few parameters


def test_a_run_from_python_has_the_same_rate() -> None:
    recorded = yaml.safe_load(RECORD.read_text("utf-8"))
    task = TaskConfig(name="mine", kind=Kind.classes, path="here")
    for name in NETWORKS:
        config = TransferConfig(checkpoint="somewhere", task=task, strategy=STRATEGIES[name].config())
        assert config.optim.lr == recorded[name]
        assert dataclasses.replace(config, optim=OptimConfig(lr=0.5)).optim.lr == 0.5


def test_what_the_user_says_comes_first(tmp_path: Path) -> None:
    def rate(*words: str) -> float:
        (one,) = compose(*TREC, *words)
        return float(one.optim.lr)

    assert rate("strategy=frozen", "optim.lr=0.123") == 0.123
    assert rate("strategy=frozen", "strategy.lr=0.02") == 0.02
    assert rate("strategy=frozen", "strategy.lr=0.02", "optim.lr=0.123") == 0.123
    assert rate("strategy=frozen", "optim=cosine") == 1e-3  # an optimizer that has a rate of its own
    assert rate("strategy=tfidf") == 5e-4  # no network: never read
    record = tmp_path / "rates.yaml"
    record.write_text("trec: {frozen: 0.5}\n")
    (tuned,) = compose(*TREC, "strategy=frozen", f"tuned={record}")
    assert resolve(tuned).optim.lr == 0.5


def test_a_run_is_named_by_the_rate_that_was_used() -> None:
    def name(*words: str) -> str:
        (one,) = compose(*TREC, "strategy=frozen", *words)
        return run_id(identity_of(one))

    (own,) = compose(*TREC, "strategy=frozen")
    assert as_dict(own)["optim"]["lr"] == own.strategy.lr  # resolved: config.yaml holds the number
    assert name() == name(f"optim.lr={own.strategy.lr}") == name("strategy.lr=0.9", f"optim.lr={own.strategy.lr}")
    assert name() != name("optim.lr=0.123")
    assert name("strategy.lr=0.9") == name("optim.lr=0.9")


def test_the_rate_of_a_plug_in_without_one_is_that_of_old() -> None:
    assert {field.name for field in dataclasses.fields(STRATEGIES["tfidf"].config)} == {"name", "regularisation"}
    (one,) = compose("corpus=files", "corpus.paths=[a.txt]", "optim=transfer", command="pretrain")
    assert one.optim.lr == 5e-4
