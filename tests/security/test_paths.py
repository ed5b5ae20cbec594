"""Names and links that lead out of the folder they belong in: refused in one line, or the file lands inside.

The folder `outside` (conftest) must stay as it is, and nothing may appear beside the working folder.
"""

import gzip
import json
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hostile import Call, refusal

from loopback_api import LoopbackApi
from thaw.cli.main import main
from thaw.errors import StorageError
from thaw.track.config import WandbConfig
from thaw.track.folder import RunFolder
from thaw.track.mirror import Mirror

Control = Callable[..., Path]
LONG = "x" * 5000
OUT = "../../../outside/x"


@pytest.fixture(autouse=True)
def _nothing_beside(place: Path) -> Iterator[None]:
    before = {path.name for path in place.parent.iterdir()}
    yield
    assert {path.name for path in place.parent.iterdir()} <= before | {"place"}  # of wandb_server


def short(value: object) -> str:
    return repr(value)[:24]


NAMES = [
    "../x",
    "/abs",
    "a/../b",
    "a/..",
    "..",
    ".",
    ".hidden",
    "a//b",
    "a/",
    "~/x",
    "a\\..\\b",
    "a\nb",
    "a\0b",
    LONG,
    "-x",
]


@pytest.mark.parametrize("name", NAMES, ids=short)
def test_the_name_of_a_run(name: str, control: Control) -> None:
    refusal(lambda: control(name=name))
    assert not Path("runs").exists()


@pytest.mark.parametrize("name", ["a.", "a...", "CON", "lr=1e-3", "ü", "a/b/c"])
def test_odd_names_stay_inside(name: str, control: Control) -> None:
    assert control(name=name).parent == Path("runs", name)


@pytest.mark.parametrize(
    "name", ["../evil", "evil/../../evil", "ABS/evil", "..", "evil\\..", "~", LONG, "a,b", ""], ids=short
)
@pytest.mark.parametrize("command", [["transfer", "study=NAME"], ["study", "NAME"]], ids=["word", "command"])
def test_the_name_of_a_study(name: str, command: list[str], place: Path, refused: Call) -> None:
    text = "title: T\nquestion: Q\nstages: [transfer strategy=majority]\nreport: [runs]\n"
    for folder in (place / "evil", place / "experiments" / "evil"):
        folder.mkdir(parents=True)
        for file in ("study.yaml", "stages.yaml"):
            (folder / file).write_text(text)
    refused(2, *(word.replace("NAME", name.replace("ABS", str(place))) for word in command))


@pytest.mark.parametrize("save_at", ["../x", "/abs", "1M/../../x", "1M\\..", ".", "1M\0", "0x10", LONG], ids=short)
def test_the_name_of_an_intermediate_checkpoint(save_at: str) -> None:
    from thaw.config import PretrainConfig
    from thaw.encoder.config import EncoderConfig
    from thaw.text.corpus import CorpusConfig
    from thaw.text.tokenizer import TokenizerConfig

    parts = {"corpus": CorpusConfig(paths=["a"]), "tokenizer": TokenizerConfig(), "encoder": EncoderConfig()}
    refusal(lambda: PretrainConfig(**parts, save_at=[save_at]))


SOURCES = ["nowhere", "../outside", "/proc/self", "task/../../outside", "a\0b", "/dev/zero"]


@pytest.mark.parametrize("path", SOURCES, ids=short)
def test_a_source_that_is_none(path: str, task: Path) -> None:
    from thaw.encoder import hub
    from thaw.task.read import read
    from thaw.task.task import DataConfig, Kind, TaskConfig
    from thaw.text.corpus import CorpusConfig, documents
    from thaw.text.tokenizer import Tokenizer

    refusal(lambda: hub.read(path))
    refusal(lambda: hub.import_folder(path, "out"))
    refusal(lambda: read(TaskConfig(name="x", kind=Kind.classes, path=path), DataConfig()))
    refusal(lambda: Tokenizer.load(Path(path)))
    if path not in ("../outside", "task/../../outside"):  # a corpus may lie anywhere
        refusal(lambda: list(documents(CorpusConfig(paths=[path]))))


PLACES = [
    "wandb:",
    "wandb:a",
    "wandb:/a/b",
    "wandb:../..",
    "wandb:a/..",
    "wandb:./a",
    "wandb:a//b",
    "wandb:a/ ",
    "wandb: /b",
]
PLACES += ["wandb:../../outside/x", "wandb:a/../../outside", "wandb:a/b\0c", "wandb:a\\..\\/..", f"wandb:{LONG}/x"]


@pytest.mark.parametrize("address", PLACES, ids=short)
def test_a_place_in_wandb(address: str, wandb_server: LoopbackApi, place: Path) -> None:
    from thaw.report.collect import read

    refusal(lambda: read(address))
    assert not [path for path in place.rglob("*") if path.is_file()]


@pytest.mark.parametrize("word", ["../outside/secret.txt", LONG, "/proc/x", "task/train.jsonl/x"], ids=short)
def test_out_where_nothing_can_be_written(word: str, control: Control, kept: Path) -> None:
    from thaw.encoder.export import export
    from thaw.report.collect import read
    from thaw.report.page import write

    control()
    refusal(lambda: write(read("runs"), word, pictures=False))
    refusal(lambda: export(kept, word))


COLUMNS = ["run_id", "name", "task", "strategy", "encoder", "metric", "checkpoint", "pretrain_run"]


@pytest.mark.parametrize("value", [OUT, "/abs/x", "..", "a\\..\\b", "a\0b", LONG, "", {"a": OUT}, [OUT], 5], ids=short)
def test_a_row_of_a_run_that_someone_sent(value: object, control: Control) -> None:
    from thaw.report.collect import read
    from thaw.report.page import write

    folder = control()
    row = json.loads((folder / "result.json").read_text())
    (folder / "result.json").write_text(json.dumps(row | dict.fromkeys(COLUMNS, value)))
    status = json.loads((folder / "status.json").read_text())
    status.pop("sha256", None)
    (folder / "status.json").write_text(json.dumps(status))
    write(read("runs"), "report", pictures=isinstance(value, str))
    assert {path.name for path in Path().iterdir()} <= {"runs", "report", "task", ".cache"}


@pytest.mark.parametrize("split", [OUT, "../../near", "ABS", "..", "", "a\0b"], ids=short)
def test_a_lineage_that_leads_to_other_texts(split: str, control: Control, place: Path) -> None:
    from thaw.report.collect import read
    from thaw.report.examples import _texts

    folder = control()
    (place / "near.jsonl.gz").write_bytes(gzip.compress(b'{"text": "neighbour"}\n' * 20))
    (place / "runs" / "near.jsonl.gz").write_bytes(gzip.compress(b'{"text": "neighbour"}\n' * 20))
    lineage = json.loads((folder / "lineage.json").read_text())
    (folder / "lineage.json").write_text(json.dumps(lineage | {"split": split.replace("ABS", str(place / "near"))}))
    status = json.loads((folder / "status.json").read_text())
    status.pop("sha256", None)
    (folder / "status.json").write_text(json.dumps(status))
    (run,) = read("runs").runs
    assert _texts(run) == []


LINKS = [".lock", "metrics.jsonl", "status.json", "config.yaml", "result.json", "lineage.json", "predictions.jsonl.gz"]
LINKS += ["checkpoint", "checkpoints", "state"]


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("to", ["file", "folder", "nothing", "itself"])
def test_a_link_in_a_run_folder(name: str, to: str, outside: Path) -> None:
    folder = Path("runs/single/x")
    folder.mkdir(parents=True)
    target = {"file": outside / "secret.txt", "folder": outside, "nothing": outside / "new", "itself": folder / name}[
        to
    ]
    (folder / name).symlink_to(target)
    assert "is a link" in refusal(lambda: RunFolder(folder).open())


@pytest.mark.slow
@pytest.mark.parametrize("to", ["../../../../outside", "../../../../outside/new", "wandb"])
def test_a_link_for_the_folder_of_wandb(to: str, outside: Path) -> None:
    folder = Path("runs/single/x")
    folder.mkdir(parents=True)
    (folder / "wandb").symlink_to(to)
    with RunFolder(folder), Mirror(WandbConfig(mode="offline"), folder, run_id="abc", name="n") as mirror:
        mirror.log({"step": 1})
    assert mirror.mode == "offline"
    assert list((folder / "wandb-beside" / "wandb").glob("offline-run-*/run-*.wandb"))


def test_a_lock_that_becomes_a_link_empties_nothing(outside: Path) -> None:
    from thaw.track.lock import Lock

    Path("lock").symlink_to(outside / "secret.txt")
    with pytest.raises(StorageError, match="cannot write lock"):
        Lock(Path("lock")).acquire(Path())


def test_a_run_with_a_link_is_refused_by_the_command(control: Control, easy: list[str], refused: Call) -> None:
    folder = control()
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / ".lock").symlink_to("../../../../outside/secret.txt")
    refusal(control)


def test_a_loop_of_links_among_runs(control: Control, place: Path) -> None:
    from thaw.report.collect import read

    control()
    for link in ("runs/loop", "runs/single/loop"):
        Path(link).symlink_to(place / "runs", target_is_directory=True)
    assert len(read("runs").runs) == 1


WANDB_IDS = ["../../../outside", "x/../../../../outside", "*", "**", "/abs", "", "a b", "..", {"id": 1}, 5]


@pytest.mark.parametrize("identity", WANDB_IDS, ids=short)
def test_the_wandb_id_of_a_run_that_someone_sent(
    identity: object, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    folder = place / "run"
    for name in ("run-1-x", "offline-run-1-y", "kept"):
        (folder / "wandb" / name).mkdir(parents=True)
    (folder / "wandb" / "mirror.json").write_text(json.dumps({"id": identity}))
    with Mirror(WandbConfig(mode="offline"), folder, run_id="abc", name="n", resumed=True) as mirror:
        mirror.log({"step": 1})
    assert len(list((folder / "wandb").glob("offline-run-*-abc-*/run-abc-*.wandb"))) == 1
    assert all((folder / "wandb" / name).is_dir() for name in ("run-1-x", "offline-run-1-y", "kept"))


PIDS = ["../../outside/x", "self", "1/../self", [1], {"a": 1}, -1, 2**70, True, None, 1.5, "1"]


@pytest.mark.parametrize("pid", PIDS, ids=short)
def test_the_process_of_a_run_that_someone_sent(pid: object, place: Path) -> None:
    folder = Path("runs/single/x")
    folder.mkdir(parents=True)
    about = {"state": "running", "pid": pid, "host": socket.gethostname() or "host", "process": None}
    (folder / "status.json").write_text(json.dumps(about))
    assert RunFolder(folder).state() == "interrupted"


def test_a_page_of_all_that(control: Control) -> None:
    control(name="s")
    assert main(["report", "runs", "--out", "report", "--no-pictures"]) == 0
    assert {path.name for path in Path().iterdir()} <= {"runs", "report", "task", ".cache"}
