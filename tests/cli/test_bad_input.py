"""A user's mistake, command by command: one line on stderr, the designed exit code, no traceback."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from thaw.cli.main import main
from thaw.encoder.checkpoint import save
from thaw.encoder.config import EncoderConfig
from thaw.encoder.model import Encoder
from thaw.job.tell import TOLD, tell
from thaw.text.tokenizer import TokenizerConfig, train

WORDS = "the a sun rain wind river stone bird tree house".split()
TEXT = [
    f"{one} {two} over {three} number {i}"
    for i, (one, two, three) in enumerate(zip(WORDS, WORDS[3:] + WORDS, WORDS[6:] + WORDS, strict=False))
]
QUIET = ["wandb=disabled", "trainer.progress=false", "trainer.threads=1", "task.max_length=32"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny encoder without training."""
    folder = tmp_path_factory.mktemp("encoder") / "checkpoint"
    tokenizer = train(TEXT * 5, TokenizerConfig(vocab_size=290))
    config = EncoderConfig(name="test", layers=1, hidden=16, heads=2, intermediate=32, max_positions=64)
    save(folder, encoder=Encoder(config, tokenizer.vocab_size), tokenizer=tokenizer, lineage={}, card="")
    return folder


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run a command in an empty folder; check its code and that it said one line; return that line."""
    monkeypatch.chdir(tmp_path)

    def run(code: int, *words: str) -> str:
        found = main(list(words))
        captured = capsys.readouterr()
        lines = [line for line in captured.err.splitlines() if line.startswith("error")]
        assert found == code, captured.err
        assert len(lines) == 1, captured.err
        assert "Traceback" not in captured.err
        assert len(lines[0]) < 400
        return lines[0]

    return run


def corpus(tmp_path: Path, case: str) -> Path:
    """A corpus that can not be used, by name of its fault."""
    path = tmp_path / "corpus.txt"
    good = "\n".join(TEXT * 20)
    if case == "empty":
        path.write_text("")
    elif case == "blank":
        path.write_text(" \n\n \n")
    elif case == "three words":
        path.write_text("only three words")
    elif case == "latin-1":
        path.write_bytes((good + "\ncafé crème naïve\n").encode("latin-1"))
    elif case == "utf-16":
        path.write_text(good, encoding="utf-16")
    elif case == "binary":
        path.write_bytes(os.urandom(5000))
    elif case == "NUL":
        path.write_text(good.replace("river", "ri\0ver"))
    elif case == "gzip named txt":
        path.write_bytes(gzip.compress(good.encode()))
    elif case == "folder without text":
        path = tmp_path / "folder"
        path.mkdir()
    elif case == "missing":
        path = tmp_path / "missing.txt"
    return path


REFUSED = ["empty", "blank", "three words", "latin-1", "utf-16", "binary", "folder without text", "missing"]


@pytest.mark.parametrize("command", ["tokenizer", "pretrain"])
@pytest.mark.parametrize("case", REFUSED)
def test_corpora(command: str, case: str, say: Callable[..., str], tmp_path: Path) -> None:  # F24
    words = [command, "corpus=files", f"corpus.paths=[{corpus(tmp_path, case)}]"]
    line = say(3, *words, *(["wandb=disabled", "trainer.progress=false"] if command == "pretrain" else []))
    assert str(tmp_path) in line or "corpus" in line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["pretrain", "corpus=files"], "corpus.paths"),  # F23
        (["pretrain", "corpus=fils"], "did you mean 'files'"),
        (["pretrain", "corpus=files", "corpus.paths=[a.txt]", "optim.lr=0"], "optim.lr=0"),
        (["pretrain", "corpus=files", "corpus.paths=[a.txt]", "budget=soon"], "budget=soon"),
        (["pretrain", "corpus=files", "corpus.paths=[a.txt]", "objective.rate=1.5"], "objective.rate=1.5"),
        (["pretrain", "corpus=hub", "corpus.hub=no/such"], "no/such"),
        (["tokenizer", "corpus=files", "corpus.paths=[a.txt]", "tokenizer.vocab_size=two"], "vocab_size"),
        (["transfer", "task=trek", "checkpoint=x"], "did you mean 'trec'"),
        (["transfer", "task=trec", "strategy=frosen", "checkpoint=x"], "did you mean 'frozen'"),
        (["transfer", "task=trec", "strategy.decay=2", "strategy=frozen", "checkpoint=x"], "decay"),
        (["transfer", "task=trec", "checkpoint=nowhere"], "nowhere"),
        (["transfer", "task=trec"], "set checkpoint=FOLDER"),
        (["import", "nowhere/at-all", "out"], "nowhere"),
        (["export", "nowhere", "out"], "nowhere"),
        (["predict", "nowhere", "file.jsonl"], "nowhere"),
        (["report", "nowhere"], "nowhere"),
        (["runs", "nowhere"], "nowhere"),
        (["rnus"], "did you mean 'runs'"),
    ],
)
def test_config_and_usage(words: list[str], message: str, say: Callable[..., str]) -> None:
    assert message in say(2, *words)


TASKS = {
    "missing column": "text,lable\na,yes\nb,no\n",  # F26
    "label only in test": None,
    "empty text": "text,label\n,yes\nb,no\n",
    "one class": "text,label\na,yes\nb,yes\n",
    "empty file": "",
}


@pytest.mark.parametrize("case", TASKS)
def test_task_files(case: str, say: Callable[..., str], tmp_path: Path, checkpoint: Path) -> None:
    content = TASKS[case]
    folder = tmp_path / "task"
    folder.mkdir()
    good = "text,label\n" + "".join(f"text {i},{'yes' if i % 2 else 'no'}\n" for i in range(20))
    (folder / "train.csv").write_text(good if content is None else content)
    (folder / "test.csv").write_text("text,label\nx,maybe\n" if content is None else good.replace("text ", "test "))
    for strategy in ("full", "tfidf"):
        words = ["transfer", "task=files", f"task.path={folder}", "task.kind=classes", f"checkpoint={checkpoint}"]
        line = say(3, *words, f"strategy={strategy}", *QUIET)
        assert "csv" in line or str(folder) in line, line


def write_good_task(folder: Path) -> Path:
    folder.mkdir()
    for split in ("train", "dev", "test"):
        rows = [{"text": f"{split} {i} {WORDS[i % 10]}", "label": "ab"[i % 2]} for i in range(20)]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_a_subset_larger_than_the_data_or_smaller_than_the_classes(  # F31
    say: Callable[..., str], tmp_path: Path, checkpoint: Path
) -> None:
    folder = write_good_task(tmp_path / "task")
    words = ["transfer", "task=files", f"task.path={folder}", "task.kind=classes", f"checkpoint={checkpoint}", *QUIET]
    assert "data.train_size=500" in say(2, *words, "data.train_size=500")
    assert "data.train_size=1" in say(2, *words, "data.train_size=1")


def test_texts_longer_than_the_encoder_are_refused_or_cut_and_told(  # F29
    say: Callable[..., str], tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_good_task(tmp_path / "task")
    words = [
        "transfer",
        "task=files",
        f"task.path={folder}",
        "task.kind=classes",
        f"checkpoint={checkpoint}",
        "steps=2",
    ]
    assert "64 positions" in say(2, *words, *QUIET, "task.max_length=65")
    assert main([*words, "task.max_length=8", "wandb=disabled", "name=cut", "keep=true"]) == 0
    assert "note: files: 100.0% of examples are longer than task.max_length=8" in capsys.readouterr().err
    (kept,) = Path("runs/cut").glob("*/checkpoint")
    assert main(["predict", str(kept), str(folder / "test.jsonl")]) == 0
    assert "test.jsonl: 100.0% of examples are longer than task.max_length=8" in capsys.readouterr().err
    TOLD.clear()
    assert main([*words, "-m", "task.max_length=8", "wandb=disabled", "name=sweep", "seed=1,2"]) == 0
    assert capsys.readouterr().err.count("longer than task.max_length=8") == 1  # once, however many runs
    for note, about in (("94% are cut", "cut"), ("86% are cut", "cut"), ("2 overlap", ""), ("2 overlap", "")):
        tell(note, about)  # subsets differ in the share, not in the remedy
    assert capsys.readouterr().err == "note: 94% are cut\nnote: 2 overlap\n"


def test_a_tokenizer_that_is_not_the_models(say: Callable[..., str], tmp_path: Path, checkpoint: Path) -> None:  # F30
    import shutil

    folder = write_good_task(tmp_path / "task")
    swapped = tmp_path / "swapped"
    shutil.copytree(checkpoint, swapped)
    train(TEXT * 5, TokenizerConfig(kind="bpe", vocab_size=290)).save(swapped)
    words = ["transfer", "task=files", f"task.path={folder}", "task.kind=classes", f"checkpoint={swapped}", *QUIET]
    assert "tokenizer" in say(5, *words)


def test_damaged_weights(say: Callable[..., str], tmp_path: Path, checkpoint: Path) -> None:
    import shutil

    folder = write_good_task(tmp_path / "task")
    broken = tmp_path / "broken"
    shutil.copytree(checkpoint, broken)
    data = bytearray((broken / "model.safetensors").read_bytes())
    data[-9] ^= 1
    (broken / "model.safetensors").write_bytes(bytes(data))
    words = ["transfer", "task=files", f"task.path={folder}", "task.kind=classes", f"checkpoint={broken}", *QUIET]
    assert "model.safetensors" in say(5, *words)


def test_a_model_without_a_head_predicts_nothing(say: Callable[..., str], tmp_path: Path, checkpoint: Path) -> None:
    (tmp_path / "texts.jsonl").write_text('{"text": "a"}\n')
    assert "keep=true" in say(2, "predict", str(checkpoint), "texts.jsonl")


@pytest.fixture
def kept(tmp_path: Path, checkpoint: Path, say: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> Path:
    """A transferred model of two classes."""
    folder = write_good_task(tmp_path / "task")
    words = ["transfer", "task=files", f"task.path={folder}", "task.kind=classes", f"checkpoint={checkpoint}", *QUIET]
    assert main([*words, "steps=2", "keep=true", "name=kept"]) == 0
    capsys.readouterr()
    (found,) = (tmp_path / "runs/kept").glob("*/checkpoint")
    return found


TO_PREDICT: dict[str, tuple[str, bytes | None]] = {
    "missing": ("x.jsonl", None),  # F24
    "empty": ("x.jsonl", b""),
    "latin-1": ("x.jsonl", '{"text": "caf\xe9"}\n'.encode("latin-1")),
    "NUL": ("x.jsonl", b'{"text": "a\0b"}\n'),
    "another format": ("x.parquet", b"PAR1"),
    "not JSON": ("x.jsonl", b'{"text": \n'),  # F26
    "no text": ("x.jsonl", b'{"label": "a"}\n'),
    "a number as text": ("x.jsonl", b'{"text": 5}\n'),
    "missing column": ("x.csv", b"txt,label\na,b\n"),
    "shifted columns": ("x.csv", b"text,label\na,b,c\n"),
}


def test_files_to_predict(say: Callable[..., str], tmp_path: Path, kept: Path) -> None:
    for case, (name, content) in TO_PREDICT.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        assert name in say(3, "predict", str(kept), name), case


def test_a_damaged_model_neither_predicts_nor_exports(say: Callable[..., str], tmp_path: Path, kept: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"text": "a"}\n')
    train(TEXT * 5, TokenizerConfig(kind="bpe", vocab_size=290)).save(kept)  # F30
    assert "spiece.model is not what was saved" in say(5, "predict", str(kept), "x.jsonl")
    assert "spiece.model is not what was saved" in say(5, "export", str(kept), "out")
    assert not (tmp_path / "out").exists()


def test_tasks_of_a_fertility_report(say: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("\n\n".join(TEXT * 20))
    (tmp_path / "task").mkdir()
    (tmp_path / "task/train.csv").write_text("txt,label\na,b\n")
    words = ["tokenizer", "corpus=files", "corpus.paths=[corpus.txt]", "tokenizer.vocab_size=290", "tasks=[trec]"]
    assert "train.csv" in say(3, *words, "tasks.trec.path=task", "tasks.trec.label=label")


def test_duplicates_and_conflicts_are_counted(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:  # F27, F28
    monkeypatch.chdir(tmp_path)
    folder = write_good_task(tmp_path / "task")
    test = (folder / "test.jsonl").read_text().splitlines()
    with (folder / "train.jsonl").open("a") as file:
        file.write("\n".join(test[:3]) + "\n")
        file.write('{"text": "same text", "label": "a"}\n{"text": "same text", "label": "b"}\n')
    words = [
        "transfer",
        "task=files",
        f"task.path={folder}",
        "task.kind=classes",
        "strategy=majority",
        "wandb=disabled",
    ]
    assert main(words) == 0
    assert "files: texts of train that stand elsewhere too: 3 in test, 3 dropped" in capsys.readouterr().err
    (lineage,) = Path("runs").glob("*/*/lineage.json")
    report = json.loads(lineage.read_text())["data"]
    assert report["train"] == 22
    assert (report["duplicates"]["train_test"], report["duplicates"]["dropped"]) == (3, 3)
    assert report["conflicts"]["count"] == 1
    assert sorted(report["conflicts"]["first"][0]["labels"]) == ["a", "b"]
