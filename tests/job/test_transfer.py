"""Every strategy on every kind of label, end to end; fairness, resume, controls, keeping and predicting."""

import dataclasses
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from language import METRIC, transfer

from thaw import run
from thaw.errors import ConfigError, DivergedError
from thaw.fields import as_dict
from thaw.job import costs, resolve
from thaw.job.resolve import chosen
from thaw.report.collect import read
from thaw.report.figures.curves import curves
from thaw.strategy.plan import STRATEGIES
from thaw.task.task import DataConfig, Kind
from thaw.track.config import WandbConfig
from thaw.track.folder import RunFolder
from thaw.track.row import COLUMNS
from thaw.train import loop
from thaw.train.config import OptimConfig, TrainerConfig

NETWORKS = [name for name, strategy in STRATEGIES.items() if strategy.plan]
SETTINGS: dict[str, dict[str, Any]] = {"top_k": {"k": 1}, "feature_based": {"hidden": 16}}


@pytest.fixture(scope="module")
def checkpoint(pretrained: dict[str, Any]) -> Path:
    return pretrained["folder"] / "checkpoint"


CLOCKS = ("seconds", "cpu_seconds")


def events(folder: Path) -> list[dict[str, Any]]:
    return [{k: v for k, v in event.items() if k not in CLOCKS} for event in RunFolder(folder).events()]


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("strategy", NETWORKS)
def test_every_strategy_on_every_kind(
    strategy: str, kind: Kind, tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path
) -> None:
    config = transfer(
        kind, tasks[kind], checkpoint, tmp_path, strategy, settings=SETTINGS.get(strategy, {}), steps=6, eval_every=3
    )
    row = run.transfer(config)
    assert list(row) == list(COLUMNS)
    assert row["metric"] == METRIC[kind]
    assert row["kind"] == ("control" if strategy == "frozen_random" else "transfer")
    assert row["frozen_audit"] == ("not_applicable" if strategy in ("full", "scratch") else "passed")
    assert 0 < row["trainable_parameters"] <= row["total_parameters"]
    assert (row["checkpoint"] is None) == (not STRATEGIES[strategy].pretrained)
    assert row["flops"] > 0
    folder = run.run_folder(config)
    with gzip.open(folder / "predictions.jsonl.gz", "rt") as lines:
        assert sum(1 for _ in lines) == 40


@pytest.mark.parametrize("strategy", [name for name in NETWORKS if name != "frozen_random"])
def test_every_strategy_learns(strategy: str, tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path) -> None:
    slow = strategy in ("frozen", "gradual_unfreeze", "lp_ft", "bias_only")
    config = transfer(
        Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, strategy,
        settings={"dropout": 0.0, **SETTINGS.get(strategy, {})}, optim=OptimConfig(lr=2e-2 if slow else 5e-3),
        steps=80, eval_every=40,
    )  # fmt: skip
    row = run.transfer(config)
    assert row["test"] > 0.6  # three topics: chance is 0.33
    assert row["collapsed"] is False


def test_a_seed_gives_every_strategy_the_same_subset_and_head(
    tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path
) -> None:
    from thaw.job.record import record
    from thaw.job.transfer import Transfer
    from thaw.train.interrupt import Stop

    made = []
    for number, strategy in enumerate(("scratch", "frozen", "full")):
        config = transfer(Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, strategy)
        with record(tmp_path / str(number), as_dict(config), config.wandb) as rec:
            made.append(Transfer(config, rec, Stop()))
    one = made[0]
    for other in made[1:]:
        assert other.train_indices == one.train_indices
        assert [other.batches.order.batch(step) for step in range(9)] == [
            one.batches.order.batch(step) for step in range(9)
        ]
        for a, b in zip(one.module.head.state_dict().values(), other.module.head.state_dict().values(), strict=True):
            assert a.equal(b)


def test_the_same_command_gives_the_same_bits_alone_and_after_another(
    tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path
) -> None:
    def files(root: Path) -> list[Any]:
        config = transfer(Kind.tags, tasks[Kind.tags], checkpoint, root, "full", steps=8, eval_every=4)
        run.transfer(config)
        return [(run.run_folder(config) / "predictions.jsonl.gz").read_bytes(), events(run.run_folder(config))]

    alone = files(tmp_path / "a")
    run.transfer(transfer(Kind.classes, tasks[Kind.classes], checkpoint, tmp_path / "b", "scratch", seed=7, steps=3))
    assert files(tmp_path / "b") == alone


@pytest.mark.parametrize(("strategy", "stop_at"), [("gradual_unfreeze", 5), ("gradual_unfreeze", 9), ("full", 7)])
def test_resuming_across_an_unfreezing_gives_the_same_bits(
    strategy: str,
    stop_at: int,
    tasks: dict[Kind, Path],
    checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = {"every": 3} if strategy == "gradual_unfreeze" else {}
    fields = {"settings": settings, "steps": 14, "eval_every": 4}
    whole = transfer(Kind.classes, tasks[Kind.classes], checkpoint, tmp_path / "a", strategy, **fields)
    run.transfer(whole)
    config = transfer(Kind.classes, tasks[Kind.classes], checkpoint, tmp_path / "b", strategy, **fields)
    original = loop.Loop.on_train_batch_end

    def stop(self: Any, trainer: Any, module: Any, *rest: Any) -> None:
        self.stop.number = 15 if module.step == stop_at else 0
        original(self, trainer, module, *rest)

    monkeypatch.setattr(loop.Loop, "on_train_batch_end", stop)
    with pytest.raises(SystemExit):
        run.transfer(config)
    monkeypatch.undo()
    row, expected = run.transfer(config), RunFolder(run.run_folder(whole)).result()
    assert expected is not None
    one, two = run.run_folder(whole), run.run_folder(config)
    assert events(one) == events(two)
    assert (one / "predictions.jsonl.gz").read_bytes() == (two / "predictions.jsonl.gz").read_bytes()
    assert row["frozen_audit"] == expected["frozen_audit"]
    assert row["test"] == expected["test"]


def test_an_unscored_test_set_is_not_read_for_predictions(
    tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path
) -> None:
    config = transfer(Kind.tags, tasks[Kind.tags], checkpoint, tmp_path, "full", steps=4, eval_every=2, test=False)
    row = run.transfer(config)
    assert row["test"] is None
    assert row["dev"] is not None
    assert not (run.run_folder(config) / "predictions.jsonl.gz").exists()
    assert not any(name.startswith("test/") for event in events(run.run_folder(config)) for name in event)


def test_plateaus_open_layers_when_dev_stops_improving(
    tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path
) -> None:
    config = transfer(
        Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, "gradual_unfreeze",
        settings={"unfreeze": "plateau", "every": 1}, optim=OptimConfig(lr=1e-6), steps=10, eval_every=1,
    )  # fmt: skip
    run.transfer(config)
    drift = next(event for event in events(run.run_folder(config)) if "drift/head" in event)
    assert all(drift[f"drift/{name}"] > 0 for name in ("embeddings", "layer.0", "layer.1", "head"))
    plan = (run.run_folder(config) / "plan.txt").read_text("utf-8").splitlines()[2:]
    begins = [int(line.split()[0]) for line in plan]
    assert begins[0] == 0
    assert begins == sorted(set(begins))  # when each layer began to learn, which no plan knows beforehand


def test_looks_at_the_beginning_tell_when_and_choose_nothing(
    tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path
) -> None:
    """Patience of one look would be used up at step 1, and chance on 60 dev texts would choose among early weights."""
    kind = Kind.classes
    waiting = transfer(
        kind, tasks[kind], checkpoint, tmp_path, "gradual_unfreeze", optim=OptimConfig(lr=1e-6), steps=24, eval_every=5,
        settings={"unfreeze": "plateau", "every": 1},
    )  # fmt: skip
    run.transfer(waiting)
    plan = (run.run_folder(waiting) / "plan.txt").read_text("utf-8").splitlines()[2:]
    assert [int(line.split()[0]) for line in plan] == [0, 5, 10, 15]
    fast = transfer(kind, tasks[kind], checkpoint, tmp_path, "full", steps=80, eval_every=40)
    row = run.transfer(fast)
    dev = {event["step"]: event["dev/accuracy"] for event in events(run.run_folder(fast)) if "dev/accuracy" in event}
    assert list(dev) == [0, 1, 2, 4, 8, 16, 32, 40, 80]
    assert max(dev[16], dev[32]) >= 0.9  # so the first regular look is not the first good one
    assert row["best_step"] == max((0, 40, 80), key=lambda step: dev[step])
    assert row["dev"] == dev[row["best_step"]]


def test_flops_and_tokens_go_up_with_the_plan_and_end_as_the_row_says(
    tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path
) -> None:
    """Trust 19: spread evenly over the steps, the FLOPs of a plan that thaws would be the same at each."""
    config = transfer(
        Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, "lp_ft", settings={"probe": 0.5}, steps=20,
        eval_every=10,
    )  # fmt: skip
    row = run.transfer(config)
    known = {event["step"]: event for event in events(run.run_folder(config))}
    assert known[0]["flops"] == known[0]["tokens"] == 0
    probing, thawed = (
        (known[last]["flops"] - known[first]["flops"]) / (known[last]["tokens"] - known[first]["tokens"])
        for first, last in ((0, 10), (10, 20))
    )
    assert 2.5 * probing < thawed < 3 * probing
    assert (known[20]["flops"], known[20]["tokens"]) == (row["flops"], row["tokens"])
    (drawn,) = curves(read(run.run_folder(config).parent).runs)
    assert {"train/loss", "dev/accuracy"} <= drawn["metrics"].keys()
    assert not {"flops", "tokens"} & drawn["metrics"].keys()  # they are places on an axis, no scores


def test_a_chain_of_transfers_carries_the_costs_of_all_it_comes_from(
    tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path
) -> None:
    """House B5, rows A5: the second transfer was booked as if its encoder had cost nothing."""
    columns = {"seconds": "train_seconds", "cpu_seconds": "cpu_seconds", "tokens": "tokens", "flops": "flops"}
    rows, start = [pretrained], pretrained["folder"] / "checkpoint"
    for kind in (Kind.classes, Kind.tags, Kind.score):
        config = transfer(kind, tasks[kind], start, tmp_path, "full", steps=3, keep=True)
        rows.append(run.transfer(config))
        start = run.run_folder(config) / "checkpoint"
        for key, column in columns.items():
            before = sum(row[column] for row in rows[:-1])
            assert rows[-1][f"pretrain_{key}"] == pytest.approx(before, abs=0.01)
        assert rows[-1]["pretrain_run"] == rows[-2]["run_id"]
    lineage = json.loads((start / "lineage.json").read_text("utf-8"))
    assert lineage["ancestors"] == [row["run_id"] for row in rows[:-1]]
    assert lineage["tokens"] == sum(row["tokens"] for row in rows)
    assert lineage["own"]["tokens"] == rows[-1]["tokens"]
    assert costs.spent_by(rows[-1]) == pytest.approx(lineage["own"], abs=1e-3)
    old = {key: value for key, value in lineage.items() if key != "cpu_seconds"}  # as written before they were kept
    assert costs.costs(lineage["own"], old)["cpu_seconds"] is None
    assert costs.costs(lineage["own"], old)["tokens"] == lineage["tokens"] + rows[-1]["tokens"]
    for unknown in ({"run_id": "kept before costs were"}, {"run_id": "a", "parent_run": "b", **dict.fromkeys(columns)}):
        child = costs.costs(lineage["own"], unknown)
        assert {child[key] for key in columns} == {None}  # not free, and neither is what comes from it
        grandchild = costs.costs(lineage["own"], {"run_id": "child", "parent_run": "kept", **child})
        assert {grandchild[key] for key in columns} == {None}
    for free in ({}, {"kind": "import", "source": "bert", "tokenizer": "x"}):
        assert costs.costs(lineage["own"], free) == {"own": lineage["own"], **lineage["own"]}
    scratch = transfer(Kind.classes, tasks[Kind.classes], start, tmp_path, "scratch", steps=3)
    assert {run.transfer(scratch)[f"pretrain_{key}"] for key in columns} == {None}


def test_accumulation_and_batch_are_one_computation(tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path) -> None:
    scores = []
    for accumulate in (1, 2, 3):
        config = transfer(
            Kind.score, tasks[Kind.score], checkpoint, tmp_path, "full", settings={"dropout": 0.3},
            trainer=TrainerConfig(threads=1, progress=False, accumulate=accumulate), steps=6, eval_every=3,
            name=f"a{accumulate}",
        )  # fmt: skip
        run.transfer(config)
        scores.append([e["dev/pearson"] for e in events(run.run_folder(config)) if "dev/pearson" in e])
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)
    assert scores[0] == pytest.approx(scores[2], abs=1e-3)


@pytest.mark.parametrize(
    ("strategy", "kind"), [("tfidf", Kind.classes), ("tfidf", Kind.score), ("majority", Kind.tags)]
)
def test_controls_give_a_row(strategy: str, kind: Kind, tasks: dict[Kind, Path], tmp_path: Path) -> None:
    row = run.transfer(transfer(kind, tasks[kind], None, tmp_path, strategy))
    assert row["kind"] == "control"
    assert row["lr"] is None
    assert row["threads"] == 1
    assert row["cpu_seconds"] <= 1.05 * row["train_seconds"] + 0.02  # of that one thread
    assert row["host_gflops"] > 0
    if strategy == "tfidf":
        assert row["test"] > 0.5


def test_one_control_serves_all_learning_rates(tasks: dict[Kind, Path], tmp_path: Path) -> None:
    configs = [
        transfer(Kind.classes, tasks[Kind.classes], None, tmp_path, "tfidf", optim=OptimConfig(lr=lr))
        for lr in (1e-3, 1e-2)
    ]
    assert run.run_identity(configs[0]) == run.run_identity(configs[1])


def test_scratch_takes_the_shape_but_not_the_weights_into_its_id(
    tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path
) -> None:
    folder = pretrained["folder"]
    paths = [folder / "checkpoint", folder / "checkpoints/5k"]

    def ids(strategy: str) -> set[str]:
        return {
            run.run_identity(transfer(Kind.classes, tasks[Kind.classes], path, tmp_path, strategy)) for path in paths
        }

    assert len(ids("scratch")) == len(ids("frozen_random")) == 1
    assert len(ids("full")) == 2


def test_a_checkpoint_by_the_name_of_its_pretraining(
    tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path
) -> None:
    exact = transfer(Kind.classes, tasks[Kind.classes], pretrained["folder"] / "checkpoint", tmp_path, "full")
    named = dataclasses.replace(exact, checkpoint=str(pretrained["folder"]))
    assert run.run_identity(exact) == run.run_identity(named)


def test_a_tuned_rate_is_the_best_on_dev_with_equal_trials(
    tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path
) -> None:
    rates = (1e-5, 1e-2)
    for lr in rates:
        config = transfer(
            Kind.classes,
            tasks[Kind.classes],
            checkpoint,
            tmp_path,
            "full",
            optim=OptimConfig(lr=lr),
            seed=0,
            steps=40,
            name="tune",
        )
        run.transfer(config)
    folder = str(tmp_path / "runs/tune")
    assert chosen(folder, "classes", "full", "60") == 1e-2
    final = dataclasses.replace(config, tuned=folder, name="final", optim=OptimConfig(lr=0.5), seed=1)
    assert run.transfer(final)["lr"] == 1e-2
    with pytest.raises(ConfigError, match="has no finished run of task=classes strategy=frozen"):
        chosen(folder, "classes", "frozen", "60")
    run.transfer(dataclasses.replace(config, seed=5))
    resolve._rows.cache_clear()
    with pytest.raises(ConfigError, match="different seeds"):
        chosen(folder, "classes", "full", "60")


def test_a_rate_that_failed_is_not_chosen_and_blocks_no_choice(
    tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = transfer(
        Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, "full", steps=10, eval_every=5, name="tune"
    )
    for lr, seed in [(1e-3, 1), (1e-3, 2), (3e-3, 1), (3e-3, 2), (1e30, 1)]:
        config = dataclasses.replace(base, optim=OptimConfig(lr=lr), seed=seed)
        if lr > 1:
            with pytest.raises(DivergedError):
                run.transfer(config)
        else:
            run.transfer(config)
    folder = tmp_path / "runs/tune"
    assert chosen(str(folder), "classes", "full", "60") in (1e-3, 3e-3)
    assert "note: runs of classes full with optim.lr=1e+30 failed in" in capsys.readouterr().err
    for status in folder.glob("*/status.json"):
        status.write_text(status.read_text().replace('"failed"', '"interrupted"'))
    resolve._rows.cache_clear()  # one that goes on later is not left out: there is no choice yet
    path = next(path for path in folder.glob("*/config.yaml") if "lr: 0.001" in path.read_text())
    path.with_name("result.json").unlink()
    with pytest.raises(ConfigError, match="different seeds"):
        chosen(str(folder), "classes", "full", "60")


def test_the_size_that_was_asked_for_names_a_trial(tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path) -> None:
    run.transfer(transfer(Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, "full", steps=4, name="tune"))
    (path,) = (tmp_path / "runs/tune").glob("*/config.yaml")
    path.write_text(path.read_text().replace("train_size: '60'", "train_size: all"))
    assert resolve._trial(path.parent)["asked"] == "all"


def test_a_record_of_rates_replaces_the_rate(tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "rates.yaml").write_text("classes: {full: 3e-4}\n")
    config = transfer(
        Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, "full", tuned=str(tmp_path / "rates.yaml")
    )
    plain = dataclasses.replace(config, tuned=None, optim=OptimConfig(lr=3e-4))
    assert run.run_identity(config) == run.run_identity(plain)
    with pytest.raises(ConfigError, match="has no rate for task=classes strategy=frozen"):
        chosen(str(tmp_path / "rates.yaml"), "classes", "frozen", "60")


@pytest.mark.parametrize("kind", Kind)
def test_a_kept_model_predicts_what_the_run_predicted(
    kind: Kind, tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from thaw.cli.main import main

    config = transfer(kind, tasks[kind], checkpoint, tmp_path, "full", keep=True, steps=10, eval_every=5)
    run.transfer(config)
    folder = run.run_folder(config)
    file = next(tasks[kind].glob("test.*"))
    assert main(["predict", str(folder / "checkpoint"), str(file)]) == 0
    answers = [json.loads(line)["prediction"] for line in capsys.readouterr().out.splitlines()]
    assert answers == [one["prediction"] for one in RunFolder(folder).predictions()]


def test_a_kept_model_is_an_artifact_of_its_run(tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path) -> None:
    for keep in (False, True):
        config = transfer(
            Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, "full", steps=4, keep=keep, name=f"keep-{keep}",
            wandb=WandbConfig(mode="offline"),
        )  # fmt: skip
        run.transfer(config)
        folder = run.run_folder(config)
        (recorded,) = folder.glob("wandb/offline-run-*/run-*.wandb")
        assert (f"model-{folder.name}".encode() in recorded.read_bytes()) == keep


def test_a_model_of_single_texts_is_not_asked_about_pairs(
    tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from thaw.cli.main import main

    config = transfer(Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, "full", keep=True, steps=4)
    run.transfer(config)
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"text_a": "one", "text_b": "two"}\n')
    assert main(["predict", str(run.run_folder(config) / "checkpoint"), str(file)]) == 3
    assert "pairs.jsonl has pairs of texts, the model in" in capsys.readouterr().err


def test_more_labels_than_there_are(tasks: dict[Kind, Path], checkpoint: Path, tmp_path: Path) -> None:
    config = transfer(
        Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, "full", data=DataConfig(train_size="5000")
    )
    with pytest.raises(ConfigError, match=r"data\.train_size=5000: 5000 examples are asked for"):
        run.transfer(config)
