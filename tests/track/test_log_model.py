"""With ``wandb.log_model`` the files of a kept checkpoint are sent; without it only what it came from."""

from pathlib import Path

import pytest
from offline_run import offline_runs
from test_sync import sync

from loopback import LoopbackWandb
from thaw.track.config import WandbConfig
from thaw.track.mirror import Mirror

FILES = {"config.json": b'{"hidden_size": 8}', "model.safetensors": bytes(range(256)) * 64, "lineage.json": b"{}"}


def _record(folder: Path, **config: object) -> None:
    checkpoint = folder / "checkpoint"
    checkpoint.mkdir(parents=True)
    for name, content in FILES.items():
        (checkpoint / name).write_bytes(content)
    with Mirror(WandbConfig(**config), folder, run_id="a", name="a") as mirror:  # type: ignore[arg-type]
        mirror.log({"step": 1})
        mirror.artifact("encoder-parent", "encoder", {"run_id": "parent"}, [checkpoint], used=True)
        mirror.artifact("model-a", "model", {"run_id": "a"}, [checkpoint])
    assert mirror.recorded == config["mode"]


def test_online(tmp_path: Path, server: LoopbackWandb) -> None:
    server.takes_artifacts = True
    _record(tmp_path, mode="online", log_model=True)
    (number,) = [place for place, made in enumerate(server.artifacts, 1) if made["artifactCollectionName"] == "model-a"]
    prefix = f"/artifact/{number}/"
    got = {path.removeprefix(prefix): data for path, data in server.files.items() if path.startswith(prefix)}
    assert {name: got.get(name) for name in FILES} == FILES
    assert server.artifacts[number - 1]["state"] == "COMMITTED"


def test_offline_and_uploaded_later(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    _record(tmp_path, mode="offline", log_model=True)
    (run,) = offline_runs(tmp_path)
    used, made = run.contents
    assert used == ["lineage.json"]  # what went in is not sent
    assert made == sorted(FILES)
    server: LoopbackWandb = request.getfixturevalue("server")
    server.takes_artifacts = True
    sync(tmp_path)
    assert FILES["model.safetensors"] in server.files.values()


def test_by_default_the_lineage_alone(tmp_path: Path) -> None:
    _record(tmp_path, mode="offline")
    (run,) = offline_runs(tmp_path)
    assert run.contents == [["lineage.json"]] * 2
