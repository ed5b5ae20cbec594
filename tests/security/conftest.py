"""A working folder beside one that must stay as it is, a canary, a module that must not be imported, a tiny encoder."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hostile import QUIET, SECRET, TEXT, WORDS, Call, files

from thaw.cli.main import main


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A folder that nothing may change, with a file that nothing may read out."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.txt").write_text(SECRET + "\n")
    before = files(folder)
    yield folder
    assert files(folder) == before


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file that a payload would make when it runs; the module ``evil`` would make it when it is imported."""
    path = tmp_path / "canary"
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "evil.py").write_text(f"import pathlib\npathlib.Path({str(path)!r}).touch()\nEvil = object\n")
    monkeypatch.syspath_prepend(str(modules))
    yield path
    assert not path.exists()
    assert "evil" not in sys.modules


@pytest.fixture
def place(tmp_path: Path, outside: Path, canary: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def refused(place: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command; check that it said one line and gave a designed exit code; return the line."""

    def call(codes: int | tuple[int, ...], *words: str) -> str:
        found = main(list(words))
        shown = capsys.readouterr()
        lines = [line for line in shown.err.splitlines() if line.startswith("error")]
        assert found in (codes if isinstance(codes, tuple) else (codes,)), shown.err
        assert len(lines) == 1, shown.err
        assert "Traceback" not in shown.err
        assert SECRET not in shown.err + shown.out
        assert len(lines[0]) <= 600 + len("error: ")
        return lines[0]

    return call


@pytest.fixture
def task(place: Path) -> Path:
    """A small task of two classes, in the working folder."""
    folder = place / "task"
    folder.mkdir()
    for split in ("train", "dev", "test"):
        rows = [f'{{"text": "{split} {i} {WORDS[i % 10]}", "label": "{"ab"[i % 2]}"}}\n' for i in range(20)]
        (folder / f"{split}.jsonl").write_text("".join(rows))
    return folder


@pytest.fixture
def easy(task: Path) -> list[str]:
    """The words of a transfer to that task."""
    return ["transfer", "task=files", "task.path=task", "task.kind=classes", "task.max_length=32", "steps=2", *QUIET]


@pytest.fixture
def control(task: Path) -> Callable[..., Path]:
    """Run a control on that task, as the command does but without Hydra; return its run folder."""
    from thaw import run
    from thaw.config import TransferConfig, strategies
    from thaw.task.task import Kind, TaskConfig
    from thaw.track.config import WandbConfig

    def call(strategy: str = "majority", name: str = "single", **more: object) -> Path:
        config = TransferConfig(
            name=name, task=TaskConfig(name="files", kind=Kind.classes, path="task"),
            strategy=strategies()[strategy].config(name=strategy), **({"wandb": WandbConfig(mode="disabled")} | more),
        )  # fmt: skip
        run.transfer(config)
        return run.run_folder(config)

    return call


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from thaw.encoder.checkpoint import save
    from thaw.encoder.config import EncoderConfig
    from thaw.encoder.model import Encoder
    from thaw.task.head_config import HeadConfig
    from thaw.task.heads import build_head
    from thaw.task.task import Kind
    from thaw.text.tokenizer import TokenizerConfig, train

    folder = tmp_path_factory.mktemp("made") / "checkpoint"
    tokenizer = train(TEXT, TokenizerConfig(vocab_size=290))
    shape = EncoderConfig(name="tiny", layers=1, hidden=16, heads=2, intermediate=32, max_positions=64)
    head = HeadConfig(pooling="cls")
    named = {"kind": "classes", "labels": ["a", "b"], "task": {"name": "files", "kind": "classes", "max_length": 32}}
    save(
        folder,
        encoder=Encoder(shape, tokenizer.vocab_size),
        tokenizer=tokenizer,
        head_state=build_head(Kind.classes, 2, 16, 1, head).state_dict(),
        head_config=named | vars(head),
        lineage={"run_id": "0123456789"},
        card="# tiny\n",
    )
    return folder


@pytest.fixture
def kept(_made: Path, place: Path) -> Path:
    """A checkpoint of ours with a head of two classes, in the working folder."""
    return Path(shutil.copytree(_made, place / "kept"))


@pytest.fixture
def foreign(_made: Path, place: Path) -> Path:
    """A folder of the BERT family as others send it: no manifest."""
    folder = Path(shutil.copytree(_made, place / "foreign"))
    for name in ("MANIFEST.json", "lineage.json", "README.md", "head.json", "head.safetensors"):
        (folder / name).unlink()
    return folder
