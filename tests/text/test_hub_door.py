"""A hub that does not answer: asked once, briefly, for data sets, tokenizers and encoders alike, with one remedy."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from thaw.encoder.hub import import_folder, read
from thaw.errors import ConfigError
from thaw.task.hub import read_hub
from thaw.task.task import Kind, TaskConfig
from thaw.text import hub
from thaw.text.corpus import CorpusConfig, documents

datasets = pytest.importorskip("datasets")
huggingface_hub = pytest.importorskip("huggingface_hub")


class Silent:
    """Takes connections and never says anything, as a firewall does; it counts them."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        self.taken: list[socket.socket] = []
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                self.taken.append(self.server.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        self.server.close()
        for one in self.taken:
            one.close()


@pytest.fixture(autouse=True)
def _online(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The libraries may ask the network; nothing is known of the hub, and the cache is empty."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(hub, "_answers", {})
    monkeypatch.setattr(hub, "SECONDS", 0.3)
    for name in (
        "http_proxy",
        "https_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "no_proxy",
        "NO_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Silent]:
    made = Silent()
    monkeypatch.setenv("HF_ENDPOINT", made.url)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", made.url)
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", made.url)
    yield made
    made.close()


def ask(tmp_path: Path) -> list[str]:
    """Ask for a corpus, two splits of a task and an encoder with its tokenizer; return what is said."""
    task = TaskConfig(name="trec", kind=Kind.classes, hub="nobody/nothing")
    asked = [
        lambda: list(documents(CorpusConfig(hub="nobody/nothing"))),
        lambda: read_hub(task, "train"),
        lambda: read_hub(task, "test"),
        lambda: import_folder("nobody/nothing", tmp_path / "out"),
    ]
    said = []
    for one in asked:
        with pytest.raises(ConfigError) as error:
            one()
        said.append(str(error.value))
    return said


def test_one_door(silent: Silent, tmp_path: Path) -> None:
    said = ask(tmp_path)
    assert len(silent.taken) == 1  # one request for all of them, and none of the libraries'
    for line in said:
        assert f"{silent.url} does not answer, no network; " in line
        assert hub.REMEDY in line
        assert "\n" not in line
    assert "corpus.paths=" in said[0]
    assert "task.path=" in said[1]
    assert "config.json" in said[3]
    assert not huggingface_hub.constants.HF_HUB_OFFLINE  # as it was


def test_a_name_that_is_never_resolved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answered = threading.Event()
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: answered.wait(30) and [])
    assert hub.reachable() is False
    answered.set()


def test_a_dead_proxy(silent: Silent, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("http_proxy", silent.url)
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    assert all("http://hub.invalid does not answer, no network; " in line for line in ask(tmp_path))
    assert len(silent.taken) == 1


class _Nothing(BaseHTTPRequestHandler):
    """A hub that answers and has nothing."""

    def _say(self) -> None:
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = do_POST = _say

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_hub_that_answers_is_asked_by_its_libraries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Nothing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(hub, "SECONDS", 5.0)
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
        assert hub.reachable()
        server.shutdown()


def test_told_to_stay_offline_it_is_not_asked(silent: Silent, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    for line in ask(tmp_path):
        assert "HF_HUB_OFFLINE is set" in line
        assert hub.REMEDY in line
    assert silent.taken == []


def test_a_folder_needs_no_network(silent: Silent, tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    lines = [f'{{"text": "the river {number} runs over stones"}}\n' for number in range(100)]
    (tmp_path / "text" / "train.jsonl").write_text("".join(lines))
    assert len(list(documents(CorpusConfig(hub=str(tmp_path / "text"))))) == 100
    assert silent.taken == []


def test_a_name_on_the_hub_where_a_folder_is_wanted() -> None:
    with pytest.raises(ConfigError, match=r"not a folder; a name on the hub\? thaw import google/bert-tiny FOLDER"):
        read(Path("google/bert-tiny"))
