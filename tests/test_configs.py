"""Every config composes, is typed and is built; every field has a role; the grammar of budgets."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from thaw import build, fields
from thaw import config as schema
from thaw.cli.compose import Combination, composer
from thaw.cli.words import parse
from thaw.config import conf_dir
from thaw.encoder.config import EncoderConfig
from thaw.encoder.groups import groups
from thaw.encoder.model import Encoder
from thaw.errors import ConfigError
from thaw.strategy.plan import STRATEGIES
from thaw.text.masking import mask
from thaw.train import optim
from thaw.train.schedule import rate

ENOUGH = {
    "tokenizer": ["corpus=files", "corpus.paths=[a.txt]"],
    "pretrain": ["corpus=files", "corpus.paths=[a.txt]"],
    "transfer": ["task=trec", "checkpoint=somewhere"],
}
NEEDED = {  # keys that a choice asks for
    "task=files": ["task.path=DIR", "task.kind=classes", "task.metric=accuracy"],
    "corpus=files": ["corpus.paths=[a.txt]"],
    "corpus=hub": ["corpus.hub=org/name"],
    "tokenizer=folder": ["tokenizer.path=DIR"],
}
GROUPS = sorted({path.parent.name for path in conf_dir().glob("*/*.yaml")})


def compose(command: str, *words: str) -> list[Combination]:
    with composer(command, parse([*ENOUGH[command], *words])) as made:
        return made.combinations()


def command_of(group: str) -> str:
    return "transfer" if group in ("task", "strategy") else "pretrain"


@pytest.mark.parametrize("group", GROUPS)
def test_every_choice_composes(group: str) -> None:
    words = [f"{group}={path.stem}" for path in sorted((conf_dir() / group).glob("*.yaml"))]
    plain = [word for word in words if word not in NEEDED]
    swept = f"{group}={','.join(word.partition('=')[2] for word in plain)}"
    found = compose(command_of(group), "-m", swept)
    for word in [word for word in words if word in NEEDED]:
        found += compose(command_of(group), word, *NEEDED[word])
    assert len(found) == len(words)
    assert all(dataclasses.is_dataclass(getattr(one.config, group)) for one in found)


def of_every_choice(group: str) -> list[Any]:
    words = ",".join(path.stem for path in sorted((conf_dir() / group).glob("*.yaml")))
    return [one.config for one in compose("pretrain", "-m", f"{group}={words}")]


def test_every_encoder_is_built() -> None:
    for config in of_every_choice("encoder"):
        with torch.device("meta"):
            network = Encoder(config.encoder, 8000)
        assert len(network.layers) == config.encoder.layers
        assert network.word_weight.shape == (8000, config.encoder.hidden)


def test_every_optimizer_is_built() -> None:
    parts = groups(Encoder(EncoderConfig(layers=1, hidden=16, heads=2, intermediate=32), 20), torch.nn.Linear(16, 3))
    for config in of_every_choice("optim"):
        assert len(optim.build(parts, config.optim).param_groups) >= len(parts)
        assert 0 < rate(config.optim, 5, 100) <= config.optim.lr


def test_every_objective_masks() -> None:
    ids, valid = np.full((2, 64), 9), np.ones((2, 64), dtype=bool)
    for config in of_every_choice("objective"):
        objective = config.objective
        _, positions, targets = mask(
            ids, valid, rate=objective.rate, mask_share=objective.mask_share, random_share=objective.random_share,
            unit=objective.unit, mean_span=objective.mean_span, seed=0, epoch=0, blocks=np.arange(2),
            word_start=np.ones(20, dtype=bool), mask_id=4, special_ids=[0, 1, 2, 3, 4], vocab_size=20,
        )  # fmt: skip
        assert len(positions) == len(targets) > 0


def test_every_trainer_is_built_or_says_what_is_not_here() -> None:
    for config in of_every_choice("trainer"):
        if config.trainer.accelerator == "cpu" or torch.cuda.device_count() >= config.trainer.devices:
            build.require(config.trainer)
            assert build.trainer(config.trainer, 1, [], find_unused=False).max_steps == 1
        else:
            with pytest.raises(ConfigError, match=r"trainer\.accelerator=gpu .* found on this machine"):
                build.require(config.trainer)


@pytest.mark.parametrize("path", sorted(conf_dir().rglob("*.yaml")), ids=lambda path: str(path.relative_to(conf_dir())))
def test_yaml_is_short_and_says_its_purpose(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert any(line.startswith("# ") for line in lines[:2])
    assert len(lines) <= 25
    assert "_target_" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", sorted(schema.TOP))
def test_every_command_composes_with_defaults(command: str) -> None:
    (one,) = compose(command)
    assert type(one.config) is schema.TOP[command]
    assert set(fields.roles(one.config).values()) <= {"identity", "speed", "free"}


def test_every_strategy_has_a_choice_of_its_type() -> None:
    found = compose("transfer", "-m", f"strategy={','.join(STRATEGIES)}")
    for one, (name, strategy) in zip(found, STRATEGIES.items(), strict=True):
        assert type(one.config.strategy) is strategy.config
        assert one.config.strategy.name == name


def test_tasks_of_a_tokenizer_run_have_keys_of_their_own() -> None:
    (one,) = compose("tokenizer", "tasks=[trec,stsb]", "tasks.trec.path=DIR")
    assert {name: task.path for name, task in one.config.tasks.items()} == {"trec": "DIR", "stsb": None}


def test_identity_leaves_out_what_does_not_change_the_result() -> None:
    (one,) = compose("transfer", "task.path=A", "trainer.threads=1", "wandb=disabled", "name=a", "runs=x")
    (two,) = compose("transfer", "task.path=B", "trainer.threads=2", "wandb=offline", "name=b", "runs=y")
    (three,) = compose("transfer", "optim.lr=0.1")
    assert fields.identity_of(one.config) == fields.identity_of(two.config) != fields.identity_of(three.config)


def test_a_config_built_in_python_is_the_composed_one() -> None:
    (one,) = compose("transfer", "strategy=top_k", "strategy.k=1")
    assert schema.read("transfer", fields.as_dict(one.config)) == one.config
    with pytest.raises(ConfigError, match=r"steps=-1 must be at least 1"):
        dataclasses.replace(one.config, steps=-1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2000", ("steps", 2000)),
        ("2k steps", ("steps", 2000)),
        ("50M tokens", ("tokens", 50e6)),
        ("1.5M tokens", ("tokens", 1.5e6)),
        ("10m", ("seconds", 600)),
        ("1h30m", ("seconds", 5400)),
        ("90s", ("seconds", 90)),
    ],
)
def test_budget(text: str, expected: tuple[str, float]) -> None:
    assert schema.parse_budget(text) == expected


@pytest.mark.parametrize("text", ["", "ten", "10x", "m10", "0", "-5", "0s", "5 M", "1e3 parsecs"])
def test_no_budget(text: str) -> None:
    with pytest.raises(ConfigError, match=r"budget="):
        schema.parse_budget(text)


def test_groups_of_the_help_are_those_of_the_config() -> None:
    from thaw.cli.help import GROUPS

    for command, listed in GROUPS.items():
        names: set[Any] = {field.name for field in dataclasses.fields(schema.TOP[command])}
        assert set(listed) <= names
