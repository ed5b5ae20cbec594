"""What a run's id is made of, what its row and lineage say of code and data, and files that change meanwhile."""

import dataclasses
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from language import pretraining, transfer

from thaw import fields, run
from thaw.cli.worker import _still
from thaw.errors import DataError, DivergedError, StorageError
from thaw.job import data, identity, pretrain, source
from thaw.report.strategy import RECORDED_BEFORE
from thaw.strategy.plan import STRATEGIES
from thaw.task.subset import choose
from thaw.task.task import DataConfig, Kind
from thaw.track.folder import RunFolder
from thaw.track.identity import run_id
from thaw.train import loop
from thaw.train.config import OptimConfig


@dataclass(kw_only=True)
class Inner:
    rate: float = fields.identity(0.1)


@dataclass(kw_only=True)
class InnerNow(Inner):
    shape: str = fields.identity("flat", new=True)


@dataclass(kw_only=True)
class Mixing:
    how: str = fields.identity("none")


@dataclass(kw_only=True)
class Outer:
    inner: Inner = fields.identity(Inner)
    parts: list[Inner] = fields.identity([])


@dataclass(kw_only=True)
class OuterNow:
    inner: InnerNow = fields.identity(InnerNow)
    parts: list[InnerNow] = fields.identity([])
    mixing: Mixing = fields.identity(Mixing, new=True)
    layers: list[int] = fields.identity([1, 2], new=True)
    tag: str | None = fields.identity(None, new=True)


def test_a_field_added_later_renames_no_run() -> None:
    before, now = Outer(parts=[Inner(rate=1)]), OuterNow(parts=[InnerNow(rate=1)])
    assert fields.identity_of(now) == fields.identity_of(before)
    assert run_id(fields.identity_of(now)) == run_id(fields.identity_of(before))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"inner": InnerNow(shape="round")}, ("inner", {"rate": 0.1, "shape": "round"})),
        ({"parts": [InnerNow(shape="round")]}, ("parts", [{"rate": 0.1, "shape": "round"}])),
        ({"mixing": Mixing(how="equal")}, ("mixing", {"how": "equal"})),
        ({"layers": [1]}, ("layers", [1])),
        ({"tag": ""}, ("tag", "")),
    ],
)
def test_with_another_value_it_does(change: dict[str, Any], where: tuple[str, Any]) -> None:
    found = fields.identity_of(OuterNow(**change))
    assert found[where[0]] == where[1]
    assert run_id(found) != run_id(fields.identity_of(OuterNow()))


def test_a_new_epoch_renames_every_run(
    corpus_file: Path,
    tasks: dict[Kind, Path],
    pretrained: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checkpoint = pretrained["folder"] / "checkpoint"
    configs = [pretraining(corpus_file, tmp_path)]
    configs += [transfer(Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, name) for name in ("full", "tfidf")]
    before = [run.run_identity(config) for config in configs]
    monkeypatch.setattr(identity, "RESULTS", identity.RESULTS + 1)
    assert not set(before) & {run.run_identity(config) for config in configs}


def test_what_changes_no_number_is_not_in_the_id(
    corpus_file: Path, tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path
) -> None:
    def ids(config: Any, **changes: Any) -> set[str]:
        return {run.run_identity(config), run.run_identity(dataclasses.replace(config, **changes))}

    checkpoint = pretrained["folder"] / "checkpoint"
    assert len(ids(pretraining(corpus_file, tmp_path), save_at=["1k"])) == 1
    for strategy in ("full", "tfidf", "majority"):
        config = transfer(Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, strategy)
        assert len(ids(config, test=False, keep_best=0.0)) == 1
        longer = dataclasses.replace(config.task, max_length=64)
        assert len(ids(config, task=longer)) == (2 if strategy == "full" else 1)
        assert len(ids(config, task=dataclasses.replace(config.task, metric="matthews"))) == 2


def test_a_positive_label_names_another_run_only_where_it_is_given(tasks: dict[Kind, Path], tmp_path: Path) -> None:
    config = transfer(Kind.classes, tasks[Kind.classes], None, tmp_path, "tfidf")
    assert "positive" not in fields.identity_of(config)["task"]
    chosen = dataclasses.replace(config, task=dataclasses.replace(config.task, positive="sea"))
    assert fields.identity_of(chosen)["task"]["positive"] == "sea"


def test_a_pretraining_keeps_checkpoints_asked_for_later(
    corpus_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = pretraining(corpus_file, tmp_path, budget="4")
    first = run.pretrain(config)
    asked = dataclasses.replace(config, save_at=["0", "1G"])
    row = run.pretrain(asked)
    folder = run.run_folder(config)
    assert row["checkpoint"] == first["checkpoint"]
    assert (folder / "checkpoints" / "0" / "config.json").exists()
    said = "is finished without save_at=[0,1G]: it trains again to keep them, its result stays until then"
    assert said in capsys.readouterr().err
    shutil.rmtree(folder / "checkpoints")  # pruned: it was asked for before, and that is enough
    before = (folder / "result.json").stat().st_mtime_ns
    assert run.pretrain(asked) == row
    assert (folder / "result.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("strategy", "kind"),
    [(name, kind) for name in ("full", "tfidf", "majority") for kind in sorted(STRATEGIES[name].kinds, key=str)],
)
def test_a_row_says_what_code_and_floor_it_has(
    strategy: str, kind: Kind, tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path
) -> None:
    checkpoint = pretrained["folder"] / "checkpoint" if strategy == "full" else None
    config = transfer(kind, tasks[kind], checkpoint, tmp_path, strategy, steps=2)
    row = run.transfer(config)
    lineage = RunFolder(run.run_folder(config)).read("lineage.json") or {}
    shared = ("floor", "floor_test", "results", "source")
    assert {name: row[name] for name in shared} == {name: lineage[name] for name in shared}
    assert (row["results"], row["source"], row["device"]) == (identity.RESULTS, source.source(), "cpu")
    splits = data.splits(config)
    if kind is Kind.classes:
        chosen, dev = choose(splits, config.data, kind, config.seed)
        answers = [splits.train[i].label for i in chosen]
        answer = max(dict.fromkeys(answers), key=answers.count)
        rights = [splits.dev[i].label == answer for i in dev], [one.label == answer for one in splits.test]
        assert (row["floor"], row["floor_test"]) == pytest.approx([sum(some) / len(some) for some in rights], abs=1e-6)
    elif kind in (Kind.score, Kind.span):
        assert (row["floor"], row["floor_test"]) == (0.0, 0.0)
    if strategy == "majority":
        assert (row["dev"], row["test"]) == (row["floor"], row["floor_test"])
    if kind in (Kind.classes, Kind.tags):
        assert sum(lineage["data"]["labels"]["train"].values()) == (
            len(splits.train) if kind is Kind.classes else sum(len(one.tags or []) for one in splits.train)
        )


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_lineage_says_what_the_strategy_is(name: str) -> None:
    """The report then tells controls and transfers apart without knowing any by name."""
    recorded = STRATEGIES[name].record(name)
    assert list(recorded) == ["name", "says", "pretrained", "network", "control", "colour"]
    assert recorded["says"] == RECORDED_BEFORE[name].says
    assert recorded["control"] == (name in ("frozen_random", "tfidf", "majority"))
    assert recorded["network"] == (name not in ("tfidf", "majority"))
    assert recorded["pretrained"] == (name not in ("scratch", "frozen_random", "tfidf", "majority"))
    assert len({strategy.colour for strategy in STRATEGIES.values()}) == len(STRATEGIES)


def test_a_diverged_run_has_its_floor_and_its_strategy(
    tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path
) -> None:
    checkpoint = pretrained["folder"] / "checkpoint"
    config = transfer(
        Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, "full", steps=20, optim=OptimConfig(lr=1e30)
    )
    with pytest.raises(DivergedError):
        run.transfer(config)
    folder = RunFolder(run.run_folder(config))
    lineage, status = folder.read("lineage.json") or {}, folder.read("status.json") or {}
    assert (status["state"], status["error"].partition(":")[0]) == ("failed", "DivergedError")
    control = run.transfer(transfer(Kind.classes, tasks[Kind.classes], None, tmp_path, "majority"))
    assert (lineage["floor"], lineage["floor_test"]) == (control["dev"], control["test"])
    assert lineage["strategy"] == STRATEGIES["full"].record("full")
    assert (lineage["results"], lineage["source"]) == (identity.RESULTS, source.source())


def test_the_source_is_that_of_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copies = {"thaw": Path(source.thaw.__file__).parent, "conf": source.conf_dir()}
    for name, folder in copies.items():
        shutil.copytree(folder, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(source.thaw, "__file__", str(tmp_path / "thaw" / "__init__.py"))
    monkeypatch.setattr(source, "conf_dir", lambda: tmp_path / "conf")
    digest = source.source.__wrapped__
    assert digest() == source.source()  # where it lies does not matter
    assert len(digest()) == 12
    for file in ("thaw/task/metrics.py", "conf/optim/transfer.yaml"):
        before = digest()
        (tmp_path / file).write_text((tmp_path / file).read_text() + "\n")
        assert digest() != before


@pytest.mark.parametrize("strategy", ["full", "tfidf"])
def test_a_file_that_changes_while_it_is_read_stops_the_run(
    strategy: str, tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The id was made of the old file, the examples are of the new one: no row may say both."""
    folder = tmp_path / "task"
    shutil.copytree(tasks[Kind.classes], folder)
    checkpoint = pretrained["folder"] / "checkpoint" if strategy == "full" else None
    config = transfer(Kind.classes, folder, checkpoint, tmp_path, strategy, steps=2, data=DataConfig(train_size="20"))
    old, original = run.run_folder(config), data.read

    def read(*arguments: Any) -> Any:
        rows = (folder / "test.jsonl").read_text().splitlines()
        (folder / "test.jsonl").write_text("\n".join(rows[:30]) + "\n")
        return original(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(data, "read", read)
        with pytest.raises(DataError, match=rf"test\.jsonl was changed after run {old.name} was named by it"):
            run.transfer(config)
    assert not (old / "result.json").exists()
    row = run.transfer(config)  # the same command: another run, of the new file
    assert row["run_id"] != old.name
    predictions = RunFolder(run.run_folder(config)).predictions()
    assert len(predictions) == 30
    assert json.loads((run.run_folder(config) / "lineage.json").read_text())["data"]["test"] == 30


def test_a_checkpoint_on_the_way_that_lies_behind_is_told(
    corpus_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = pretraining(corpus_file, tmp_path, budget="6")
    original = loop.Loop.on_train_batch_end

    def stop(self: Any, trainer: Any, module: Any, *rest: Any) -> None:
        self.stop.number = 15 if module.step == 3 else 0
        original(self, trainer, module, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(loop.Loop, "on_train_batch_end", stop)
        with pytest.raises(SystemExit):
            run.pretrain(config)
    run.pretrain(dataclasses.replace(config, save_at=["0", "1300"]))
    assert "save_at=[0] lies before step 3, where the run goes on: not kept" in capsys.readouterr().err
    assert (run.run_folder(config) / "checkpoints" / "1300").exists()


@pytest.mark.parametrize("what", ["checkpoint", "train.jsonl and test.jsonl", "both"])
def test_the_input_that_was_replaced_is_blamed(
    what: str, tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path
) -> None:
    """The newest file of the task was, whatever had been replaced."""
    task, checkpoint = tmp_path / "task", tmp_path / "checkpoint"
    shutil.copytree(tasks[Kind.classes], task)
    shutil.copytree(pretrained["folder"] / "checkpoint", checkpoint)
    config = transfer(Kind.classes, task, checkpoint, tmp_path, "full")
    name = run.run_identity(config)
    data.unchanged(config, name)
    blamed = []
    if what != "checkpoint":
        for file in (task / "test.jsonl", task / "train.jsonl"):
            file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
            blamed.append(str(file))
    if what != "train.jsonl and test.jsonl":
        shutil.rmtree(checkpoint)
        shutil.copytree(pretrained["folder"] / "checkpoints" / "0", checkpoint)
        blamed.append(f"checkpoint={checkpoint}")
    with pytest.raises(DataError) as error:
        data.unchanged(config, name)
    assert str(error.value).startswith(f"{', '.join(blamed)} was changed after run {name} was named by it: give")
    with pytest.raises(DataError, match=r"^an input was changed after run 0123456789 was named"):
        data.unchanged(config, "0123456789")


def test_a_sweep_says_which_input_was_replaced(corpus_file: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    shutil.copy(corpus_file, text)
    config = pretraining(text, tmp_path)
    folder = run.run_folder(config)
    _still(config, str(folder))
    text.write_text(text.read_text()[:-100])
    said = (
        f"corpus={config.corpus.name} was changed after the sweep had named run {folder.name} by it: give the command"
    )
    with pytest.raises(DataError, match=said):
        _still(config, str(folder))
    with pytest.raises(
        DataError, match="an input, or the device it runs on, was changed after the sweep had named run"
    ):
        _still(config, str(folder.with_name("0123456789")))


def test_a_pretraining_that_can_not_begin_again_keeps_its_result(
    corpus_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = pretraining(corpus_file, tmp_path, budget="4")
    row = run.pretrain(config)
    folder = RunFolder(run.run_folder(config))

    def full(*_: Any) -> Any:
        raise StorageError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(pretrain, "blocks", full)
        with pytest.raises(StorageError):
            run.pretrain(dataclasses.replace(config, save_at=["0"]))
    assert (folder.state(), folder.result()) == ("finished", row)
    run.pretrain(dataclasses.replace(config, save_at=["0"]))  # it was asked for, but not kept: so it is due still
    assert (folder.path / "checkpoints" / "0" / "config.json").exists()
