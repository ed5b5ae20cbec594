"""Real W&B runs, offline on disk and online on the loopback interface."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from offline_run import children, offline_runs

from loopback import KEY, LoopbackWandb
from thaw.errors import ConfigError
from thaw.track.config import WandbConfig
from thaw.track.mirror import Mirror

OFFLINE = WandbConfig(mode="offline", tags=["mine"])
SETTINGS = {"task": {"name": "trec"}, "seed": 1, "num_tokens": 5, "hub_token": "canary"}


def _job(folder: Path, config: WandbConfig = OFFLINE, steps: range = range(5), resumed: bool = False) -> Mirror:
    (folder / "checkpoint").mkdir(parents=True, exist_ok=True)
    (folder / "checkpoint" / "config.json").write_text("{}")
    mirror = Mirror(
        config, folder, run_id="abc", name="trec-full-s1", group="study", job_type="transfer", tags=["trec", "mine"],
        settings=SETTINGS, resumed=resumed,
    )  # fmt: skip
    with mirror:
        for step in steps:
            mirror.log({"step": step, "seconds": step / 2, "tokens": 10 * step, "train/loss": 1.0, "dev/x": None})
        mirror.artifact("encoder abc", "model", {"sha256": "123"}, [folder / "checkpoint", folder / "gone"])
        mirror.artifact("tokenizer", "tokenizer", {"sha256": "456"}, used=True)
        mirror.summary({"dev": 0.5, "test": None, "strategy": "full"})
    return mirror


def test_an_offline_run_has_everything(tmp_path: Path) -> None:
    mirror = _job(tmp_path)
    (run,) = offline_runs(tmp_path)
    assert mirror.mode == "offline"
    assert run.id.startswith("abc-")
    assert (run.name, run.group, run.job_type) == ("trec-full-s1", "study", "transfer")
    assert run.tags == ["mine", "trec"]
    config = {key: value for key, value in run.config.items() if key != "_wandb"}
    assert config == SETTINGS | {"hub_token": "[redacted]"}
    assert [row["trainer/step"] for row in run.history] == list(range(5))
    assert {"seconds", "tokens", "train/loss"} <= set(run.history[-1])
    assert "dev/x" not in run.history[-1]
    assert run.axes["*"] == "trainer/step"
    assert (run.summary["dev"], run.summary["strategy"]) == (0.5, "full")
    assert run.artifacts == [
        ("model", "encoder-abc", '{"sha256":"123"}', False),
        ("tokenizer", "tokenizer", '{"sha256":"456"}', True),
    ]
    assert run.exit_code == 0


def test_each_job_is_its_own_run_and_a_failed_one_is_failed(tmp_path: Path) -> None:
    _job(tmp_path / "a")
    with pytest.raises(ValueError, match="bad"), Mirror(OFFLINE, tmp_path / "b", run_id="b", name="b"):
        raise ValueError("bad")
    with pytest.raises(KeyboardInterrupt), Mirror(OFFLINE, tmp_path / "c", run_id="c", name="c"):
        raise KeyboardInterrupt
    _job(tmp_path / "d")
    runs = [offline_runs(tmp_path / name) for name in "abcd"]
    assert [len(one) for one in runs] == [1, 1, 1, 1]
    assert [one[0].exit_code for one in runs] == [0, 1, 255, 0]
    assert [len(one[0].history) for one in runs] == [5, 0, 0, 5]
    assert len({one[0].id for one in runs}) == 4


def test_the_process_is_left_as_it_was(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    os.environ["WANDB_RUN_GROUP"] = "kept"
    try:
        before = dict(os.environ), sys.exit, sys.excepthook, signal.getsignal(signal.SIGINT), random.getstate()
        _job(tmp_path)
        after = dict(os.environ), sys.exit, sys.excepthook, signal.getsignal(signal.SIGINT), random.getstate()
    finally:
        del os.environ["WANDB_RUN_GROUP"]
    assert before == after
    assert sys.modules["wandb"].run is None
    assert tuple(capfd.readouterr()) == ("", "")


@pytest.mark.parametrize("online", [False, True], ids=["offline", "online"])
def test_a_side_process_that_died_between_two_jobs_is_replaced(
    online: bool, tmp_path: Path, request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]
) -> None:
    server = request.getfixturevalue("server") if online else None
    config = WandbConfig(mode="auto") if online else OFFLINE
    _job(tmp_path / "a", config)
    for child in children(os.getpid()):
        if "wandb-core" in Path(f"/proc/{child}/cmdline").read_text():
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    mirror = _job(tmp_path / "b", config)
    assert mirror.mode == ("online" if online else "offline")
    assert capfd.readouterr().err == ""
    if server is None:
        assert [len(run.history) for run in offline_runs(tmp_path / "b")] == [5]
    else:
        assert [len(server.history(name)) for name in server.runs] == [5, 5]


def test_all_files_lie_in_the_run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "elsewhere"
    place.mkdir()
    monkeypatch.chdir(place)
    _job(tmp_path / "run")
    assert list(place.iterdir()) == []
    assert [path for path in Path.home().rglob("*") if path.is_file()] == []
    assert len(list((tmp_path / "run" / "wandb" / "data").rglob("tmp*"))) == 2  # the two lineage files
    assert not list((tmp_path / "run" / "wandb").glob("latest-run"))


def test_an_online_run_arrives(tmp_path: Path, server: LoopbackWandb) -> None:
    mirror = _job(tmp_path, WandbConfig(mode="auto"))
    ((name, run),) = server.runs.items()
    assert mirror.mode == "online"
    assert mirror.url == f"{server.url}/loopback/thaw/runs/{name}"
    assert [row["trainer/step"] for row in server.history(name)] == list(range(5))
    assert (run["displayName"], run["groupName"], run["jobType"]) == ("trec-full-s1", "study", "transfer")
    assert run["tags"] == ["trec", "mine"]
    assert run["config"]["task"]["value"] == {"name": "trec"}
    assert run["summary"]["dev"] == 0.5
    assert run["exit"] == 0
    known = {"id": name, "mode": "online", "url": mirror.url, "group": "study", "entity": "loopback", "project": "thaw"}
    assert json.loads((tmp_path / "wandb" / "mirror.json").read_text()) == known


def test_a_failed_online_run_is_failed(tmp_path: Path, server: LoopbackWandb) -> None:
    with pytest.raises(ValueError, match="bad"), Mirror(WandbConfig(), tmp_path, run_id="a", name="a"):
        raise ValueError("bad")
    assert [run["exit"] for run in server.runs.values()] == [1]


def test_a_resumed_run_continues_and_a_new_try_does_not(tmp_path: Path, server: LoopbackWandb) -> None:
    _job(tmp_path, WandbConfig(), range(3))
    _job(tmp_path, WandbConfig(), range(3, 6), resumed=True)
    _job(tmp_path, WandbConfig(), range(2))
    histories = [[row["trainer/step"] for row in server.history(name)] for name in server.runs]
    assert histories == [[0, 1, 2, 3, 4, 5], [0, 1]]


def test_an_offline_run_can_be_uploaded_later(tmp_path: Path, server: LoopbackWandb) -> None:
    _job(tmp_path)
    (folder,) = (tmp_path / "wandb").glob("offline-run-*")
    synced = subprocess.run(
        [sys.executable, "-m", "wandb", "sync", str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert synced.returncode == 0, synced.stderr
    (name,) = server.runs
    wished = [{key: value for key, value in row.items() if key[0] != "_"} for row in offline_runs(tmp_path)[0].history]
    assert [{key: row[key] for key in row if key[0] != "_"} for row in server.history(name)] == wished


def test_the_same_file_of_settings_names_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from thaw.track import reach

    assert reach.server() == reach.DEFAULT_URL
    (tmp_path / "settings").write_text("[default]\nbase_url = http://127.0.0.1:9/\n")
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path))
    assert reach.server() == "http://127.0.0.1:9"
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:7")
    assert reach.server() == "http://127.0.0.1:7"


def test_a_project_name_that_the_server_refuses() -> None:
    with pytest.raises(ConfigError, match=r"bad name: wandb\.project=a/b"):
        WandbConfig(project="a/b")


def test_no_secret_is_written_or_sent(
    tmp_path: Path,
    server: LoopbackWandb,
    script: Callable[..., "subprocess.Popen[str]"],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ten canaries: in the environment, the config, a URL, the git remote, the command line, netrc and an error."""
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("HF_TOKEN", "canary1-environment")
    monkeypatch.setenv("MY_PASSWORD", "canary2-environment")
    (Path.home() / ".netrc").write_text("machine example.invalid login me password canary3-netrc\n")
    (Path.home() / ".netrc").chmod(0o600)
    program = """
import subprocess, sys
from thaw.track.config import WandbConfig
from thaw.track.folder import RunFolder
from thaw.track.mirror import Mirror
subprocess.run(["git", "init", "-q"], check=True)
subprocess.run(["git", "remote", "add", "origin", "https://me:canary4-git@example.invalid/x.git"], check=True)
settings = {
    "corpus": {"paths": ["https://me:canary5-url@example.invalid/a.txt"], "api_key": "canary6-config"},
    "overrides": ["hub.token=canary7-override"], "secret": {"deep": ["canary8-deep"]}, "note": "canary1-environment",
    "num_tokens": 5, "cls_token": "[CLS]", "tokenizer": "unigram", "budget": "50M tokens", "text_key": "body",
}
with RunFolder(sys.argv[1]) as folder:
    folder.write_config(settings)
    folder.status("running")
    folder.write_lineage({"corpus": "https://me:canary5-url@example.invalid/a.txt"})
    config = WandbConfig(tags=["canary2-environment"])
    with Mirror(config, sys.argv[1], run_id="a", name="a", settings=settings) as mirror:
        mirror.log({"step": 1})
        mirror.artifact("corpus", "dataset", settings, ["https://me:canary5-url@example.invalid/a.txt"])
        mirror.summary({"checkpoint": "https://me:canary5-url@example.invalid/a.txt"})
    raise ValueError("cannot read https://me:canary9-error@example.invalid/a.txt")
"""
    _, err = script(program, str(tmp_path / "run"), "--token", "canary10-argv").communicate(timeout=60)
    assert "ValueError" in err
    assert len(server.runs) == 1
    written = b"\n".join(path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file())
    for name, data in (("run folder", written), ("sent", b"\n".join(server.received))):
        found = [word for word in (f"canary{i}-" for i in range(1, 11)) if word.encode() in data]
        assert (found, KEY.encode() in data) == ([], False), name
        for kept in (b"[CLS]", b"unigram", b"50M tokens", b"body"):
            assert kept in data, name
