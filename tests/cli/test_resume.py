"""`thaw resume`: the run of a folder goes on; what would make it another run is refused, or forked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from thaw.cli.main import main
from thaw.encoder.manifest import write_manifest
from thaw.job import resume
from thaw.job.source import source
from thaw.text import corpus, tokenizer
from thaw.text.corpus import CorpusConfig
from thaw.text.tokenizer import TokenizerConfig
from thaw.track.epoch import RESULTS
from thaw.track.folder import RunFolder
from thaw.train import loop

TEXT = "\n\n".join(f"The river {i} runs over warm stones under a bright sky in the cold night." for i in range(99))
TINY = ["encoder=tiny", "encoder.hidden=32", "encoder.intermediate=64", "encoder.layers=1", "tokenizer=folder"]
Say = Callable[..., str]


@pytest.fixture
def words(task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command of a run, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text(TEXT)
    documents = corpus.documents(CorpusConfig(paths=["text.txt"]))
    tokenizer.train(documents, TokenizerConfig(vocab_size=300)).save(tmp_path / "tokenizer")
    task = ["task=files", f"task.path={task_folder}", "task.kind=classes", "strategy=scratch", "steps=12"]
    rest = ["eval_every=4", "wandb=disabled", "trainer.threads=1", "trainer.progress=false", "tokenizer.path=tokenizer"]
    return ["transfer", *task, *TINY, *rest]


@pytest.fixture
def stopped(words: list[str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run that SIGTERM stopped at step 7."""
    original = loop.Loop.on_train_batch_end

    def stop_at_seven(self: Any, trainer: Any, module: Any, *rest: Any) -> None:
        self.stop.number = 15 if module.step == 7 else 0
        original(self, trainer, module, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(loop.Loop, "on_train_batch_end", stop_at_seven)
        assert main([*words, "name=s"]) == 143
    (folder,) = Path("runs/s").glob("[!.]*")
    return folder


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a command, check its code, return what it said of it."""

    def run(code: int, *words: str) -> str:
        capsys.readouterr()
        assert main(list(words)) == code
        said = capsys.readouterr().err
        assert "Traceback" not in said
        assert not code or said.count("\n") == 1
        return said

    return run


def test_it_ends_as_a_whole_run(words: list[str], stopped: Path, say: Say) -> None:
    assert not say(0, "resume", str(stopped))
    assert main([*words, "name=whole"]) == 0
    whole = Path("runs/whole", stopped.name)
    assert [event["step"] for event in RunFolder(stopped).events()] == [e["step"] for e in RunFolder(whole).events()]
    assert (stopped / "predictions.jsonl.gz").read_bytes() == (whole / "predictions.jsonl.gz").read_bytes()
    assert not (stopped / "state").exists()
    assert not say(0, "resume", str(stopped))  # finished: its result is shown again


def test_what_makes_another_run_is_refused_with_the_difference(stopped: Path, say: Say) -> None:
    said = say(6, "resume", str(stopped), "optim.lr=0.1", "seed=9", "wandb.project=other")
    assert "optim.lr 0.002 -> 0.1" in said
    assert "seed 1 -> 9" in said
    assert "wandb" not in said
    assert "--fork" in said
    assert RunFolder(stopped).state() == "interrupted"


def test_a_speed_setting_may_differ_and_is_noted(stopped: Path, say: Say) -> None:
    try:
        said = say(0, "resume", str(stopped), "trainer.threads=2")
    finally:
        torch.set_num_threads(1)
    assert "goes on at step 7 with threads 1 -> 2: equal beyond rounding, not to the bit" in said
    lineage = json.loads((stopped / "lineage.json").read_text())
    assert lineage["resumed"] == [{"step": 7, "changed": {"threads": [1, 2]}}]


def test_other_data_under_the_same_name_are_refused(stopped: Path, task_folder: Path, say: Say) -> None:
    with (task_folder / "train.jsonl").open("a") as file:
        file.write('{"text": "one more warm day", "label": "good"}\n')
    assert f"the content of task.path={task_folder}" in say(6, "resume", str(stopped))


def test_a_fork_is_a_run_of_its_own_that_links_to_its_parent(stopped: Path, say: Say) -> None:
    assert not say(0, "resume", str(stopped), "optim.lr=0.1", "--fork")
    (fork,) = (folder for folder in Path("runs/s").glob("[!.]*") if folder.name != stopped.name)
    assert json.loads((fork / "lineage.json").read_text())["forked_from"] == stopped.name
    assert RunFolder(fork).state() == "finished"
    assert RunFolder(stopped).state() == "interrupted"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["optim.lrr=1"], "unknown key 'optim.lrr', did you mean 'optim.lr'?"),
        (["optim.lr=0"], "out of range: optim.lr=0"),
        (["strategy=full"], "another choice of a group is another run"),
        (["seed"], "'seed' is not key=value"),
        (["wandb.project=x", "--fork"], "nothing to fork"),
    ],
)
def test_bad_usage(more: list[str], message: str, stopped: Path, say: Say) -> None:
    assert message in say(2, "resume", str(stopped), *more)


def test_no_run(tmp_path: Path, say: Say) -> None:
    assert "not a run: " in say(2, "resume", str(tmp_path))


def edit(path: Path, **changes: Any) -> None:
    """Change keys of a JSON file; None takes one out."""
    values = json.loads(path.read_text("utf-8")) | changes
    path.write_text(json.dumps({key: value for key, value in values.items() if value is not None}), "utf-8")


@pytest.mark.parametrize(
    ("epoch", "shown"), [(None, "results epoch 1"), (1, "results epoch 1"), (99, "results epoch 99")]
)
def test_a_run_of_another_results_epoch_is_told(epoch: int | None, shown: str, stopped: Path, say: Say) -> None:
    """The content of its checkpoint was blamed, of which every byte was the same."""
    old = stopped.with_name("0123456789")  # as its id was then
    stopped.rename(old)
    edit(old / "lineage.json", results=epoch)
    said = say(6, "resume", str(old))
    assert f"it is of {shown}, this code computes epoch {RESULTS}" in said
    assert ("Matthews of constant predictions is 0" in said) is (epoch != 99)
    assert "the content of" not in said
    assert not say(0, "resume", str(old), "--fork")


def test_what_draws_the_dropout_is_told_where_it_names_another_run(stopped: Path, say: Say) -> None:
    said = say(6, "resume", str(stopped), "trainer.compile=true")
    assert "trainer.compile False -> True; --fork" in said


def test_other_code_that_goes_on_is_told_and_kept(stopped: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "source", lambda: "c0de00c0de00")
    said = say(0, "resume", str(stopped))
    assert f"source {source()} -> c0de00c0de00: other code, whose results may differ" in said
    lineage = json.loads((stopped / "lineage.json").read_text())
    assert lineage["resumed"] == [{"step": 7, "changed": {"source": [source(), "c0de00c0de00"]}}]


def test_a_state_of_before_has_the_source_of_its_lineage(stopped: Path, say: Say) -> None:
    for info in stopped.glob("state/*/state.json"):
        values = json.loads(info.read_text())
        del values["machine"]["source"]
        info.write_text(json.dumps(values))
        write_manifest(info.parent)
    edit(stopped / "lineage.json", source="0ld0ld0ld0ld")
    assert f"source 0ld0ld0ld0ld -> {source()}" in say(0, "resume", str(stopped))
