"""What all tests share: no network, no W&B account, one thread, and where real data may be found."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from loopback import KEY
from loopback_api import LoopbackApi
from thaw.job.tell import TOLD
from thaw.track import reach

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"):
    os.environ[name] = "1"

settings.register_profile("same", derandomize=True, deadline=None)  # the same examples every time, on any machine
settings.load_profile("same")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give each test a home of its own without W&B keys."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    TOLD.clear()  # a note is told once in a process, and all tests share one


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data sets: the folder THAW_DATA, else a `data` folder beside the checkout; the test is skipped without."""
    given = os.environ.get("THAW_DATA")
    for folder in [Path(given)] if given else sorted(REPOSITORY.parent.glob("*/data")):
        if (folder / "trec").is_dir():
            return folder
    pytest.skip("needs real data, set THAW_DATA=FOLDER")


@pytest.fixture
def task_folder(tmp_path: Path) -> Path:
    """A task of two easy classes: train, dev and test files of 40, 20 and 20 lines."""
    folder = tmp_path / "task"
    folder.mkdir()
    for split, count in (("train", 40), ("dev", 20), ("test", 20)):
        rows = [
            f'{{"text": "{split} {i} a {word} day", "label": "{label}"}}\n'
            for i in range(count // 2)
            for word, label in (("sunny warm bright", "good"), ("rainy cold dark", "bad"))
        ]
        (folder / f"{split}.jsonl").write_text("".join(rows), encoding="utf-8")
    return folder


@pytest.fixture
def wandb_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopbackApi]:
    """A W&B server that is up, a key for it, and an empty folder to work in."""
    monkeypatch.setattr(reach, "_outages", {})
    monkeypatch.setattr(reach, "_told", set())
    (tmp_path / "place").mkdir()
    monkeypatch.chdir(tmp_path / "place")
    with LoopbackApi() as running:
        monkeypatch.setenv("WANDB_BASE_URL", running.url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        yield running
