"""Planted secrets: after real runs, offline and online, they stand in no file and in nothing that was sent.

Searched are all bytes of the working folder but for what was planted there, unpacked where they are packed, of W&B's
traffic, and of what the commands printed.
"""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hostile import WORDS

from loopback import KEY
from loopback_api import LoopbackApi
from thaw.cli.main import main
from thaw.errors import ConfigError
from thaw.track.config import WandbConfig
from thaw.track.redact import REDACTED, redact

pytestmark = pytest.mark.slow  # real commands, half a minute each

CANARIES = {
    "environment": "canary01environment",
    "environment in the config": "canary02interpolated",
    "proxy": "canary03proxy",
    "netrc": "canary04netrc",
    "git remote": "canary05remote",
    "git header": "canary06header",
    "server": "canary07server",
    "path with user-info": "canary08userinfo",
    "tag as an assignment": "canary09assigned",
    "tag as a bearer": "canary10bearer",
    "name of a task": "canary11name",
    "hub": "canary12hub",
    "argument": "canary13argument",
    "query": "canary14query",
    "label": "hf_canary15canary15canary15",
}
PLANTED = "https:"  # the folder of a path that looks like a URL: https://me:...@host/task
GIT = """[remote "origin"]
\turl = https://me:{remote}@example.invalid/x.git
[http]
\textraheader = Authorization: Basic {header}
"""


def found(data: bytes) -> list[str]:
    """Return the names of the canaries in some bytes."""
    return [name for name, word in CANARIES.items() if word.encode() in data] + ["key"] * (KEY.encode() in data)


def unpacked(path: Path) -> bytes:
    """Return the bytes of a file and of what is packed in it."""
    data = path.read_bytes()
    return data + gzip.decompress(data) if path.suffix == ".gz" else data


def written(place: Path) -> dict[str, list[str]]:
    """Return file -> canaries in it or in its name, of every file under a folder that was not planted."""
    files = [path for path in sorted(place.rglob("*")) if not path.is_dir()]
    names = {path: path.relative_to(place) for path in files}
    own = {path: name for path, name in names.items() if name.parts[0] not in (".git", PLANTED)}
    hits = {str(name): found(unpacked(path) + str(name).encode()) for path, name in own.items()}
    return {name: one for name, one in hits.items() if one}


@dataclass
class Runs:
    """What real runs with planted secrets left."""

    place: Path
    server: LoopbackApi
    printed: str
    codes: list[int]


def plant(place: Path, home: Path, url: str) -> dict[str, str]:
    """Put secrets into files of a working folder and of the user's home; return an environment with others."""
    task = place / PLANTED / f"me:{CANARIES['path with user-info']}@host" / "task"
    task.mkdir(parents=True)
    for split in ("train", "dev", "test"):
        rows = [{"text": f"{split} {i} {WORDS[i % 10]}", "label": "ab"[i % 2]} for i in range(20)]
        (task / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    broken = task.with_name("broken")
    broken.mkdir()
    (broken / "train.jsonl").write_text("no JSON\n")
    subprocess.run(["git", "init", "-q"], cwd=place, check=True)
    with (place / ".git" / "config").open("a") as file:
        file.write(GIT.format(remote=CANARIES["git remote"], header=CANARIES["git header"]))
    (home / ".netrc").write_text(f"machine example.invalid login me password {CANARIES['netrc']}\n")
    (home / ".netrc").chmod(0o600)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    return environment | {
        "HOME": str(home),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "HF_TOKEN": CANARIES["environment"],
        "MY_PASSWORD": CANARIES["environment in the config"],
        "HTTPS_PROXY": f"http://me:{CANARIES['proxy']}@127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
        "HF_ENDPOINT": f"https://me:{CANARIES['hub']}@127.0.0.1:9",
        "WANDB_BASE_URL": url.replace("://", f"://me:{CANARIES['server']}@"),
        "WANDB_API_KEY": KEY,
    }


def words() -> list[str]:
    """Return the words of a transfer whose config and command line hold secrets."""
    tags = [f"api_key={CANARIES['tag as an assignment']}", f"Bearer {CANARIES['tag as a bearer']}", "$"]
    tags += [f"--token {CANARIES['argument']}", f"https://h/x?sig=1&token={CANARIES['query']}", CANARIES["label"]]
    quoted = json.dumps(tags).replace('"$"', "'${oc.env:MY_PASSWORD}'")
    path = f"https://me:{CANARIES['path with user-info']}@host/task"
    more = [
        "task=files",
        f"task.path='{path}'",
        "task.kind=classes",
        f"task.name='password={CANARIES['name of a task']}'",
    ]
    return ["transfer", *more, f"wandb.tags={quoted}", "trainer.progress=false", "trainer.threads=1"]


@pytest.fixture(scope="module")
def runs(_made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """A sweep of controls offline, a network online and kept, a run that fails, a report that is sent."""
    place, home = tmp_path_factory.mktemp("place"), tmp_path_factory.mktemp("home")
    with LoopbackApi() as server:
        environment = plant(place, home, server.url)
        network = [f"checkpoint={_made}", "strategy=full", "steps=2", "task.max_length=32", "keep=true", "name=s"]
        failing = [word.replace("host/task", "host/broken") for word in words()]
        commands = [
            [*words(), "-m", "strategy=majority,tfidf", "name=s", "wandb=offline"],
            [*words(), *network, "wandb=online"],
            [*failing, "strategy=majority", "name=s", "wandb=online"],
            ["report", "runs/s", "--out", "report", "--wandb", "--no-pictures"],
        ]
        printed, codes = "", []
        for command in commands:
            line = [sys.executable, "-c", "import sys; from thaw.cli.main import main; sys.exit(main())", *command]
            done = subprocess.run(line, cwd=place, env=environment, capture_output=True, text=True, timeout=900)
            printed += done.stdout + done.stderr
            codes.append(done.returncode)
        yield Runs(place, server, printed, codes)


def test_the_runs_were_real(runs: Runs) -> None:
    assert runs.codes == [0, 0, 3, 0], runs.printed
    states = [json.loads(path.read_text())["state"] for path in (runs.place / "runs/s").glob("*/status.json")]
    assert sorted(states) == ["failed", "finished", "finished", "finished"]
    assert len(runs.server.runs) >= 2  # more where a busy machine was too slow for W&B and it began anew
    assert runs.server.received
    assert list((runs.place / "runs/s").glob("*/checkpoint/model.safetensors"))


def test_no_secret_is_written(runs: Runs) -> None:
    hits = written(runs.place)
    assert not hits, json.dumps(hits, indent=1)


def test_no_secret_is_sent(runs: Runs) -> None:
    assert found(b"\n".join([*runs.server.received, *runs.server.files.values()])) == []


def test_no_secret_is_printed(runs: Runs) -> None:
    assert found(runs.printed.encode()) in ([], ["name of a task"])  # the lines of a sweep say what it runs


def test_the_search_would_find_them(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "a").write_text(" ".join(CANARIES.values()))
    (tmp_path / "b.gz").write_bytes(gzip.compress(KEY.encode()))
    assert written(tmp_path) == {"a": list(CANARIES), "b.gz": ["key"]}
    assert found((runs.place / ".git" / "config").read_bytes()) == ["git remote", "git header"]


def test_what_is_no_secret_is_written(runs: Runs) -> None:
    for path in (runs.place / "runs/s").glob("*/config.yaml"):
        config = yaml.safe_load(path.read_text())
        assert (
            config["task"]["path"] == f"https://{REDACTED}@host/{'broken' if 'broken' in path.read_text() else 'task'}"
        )
        assert config["task"]["name"] == f"password={REDACTED}"
        hidden = [key for key, value in leaves(config) if REDACTED in str(value)]
        assert hidden == ["task.name", "task.path", "wandb.tags"]


def leaves(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted keys with their values."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def test_a_run_without_secrets_has_nothing_redacted(
    easy: list[str], kept: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "another-value-that-is-secret")
    columns = ["task.text=text", "task.tokens=cls_token", "task.tags=num_tokens", "task.text_a=text_key"]
    assert main([*easy, f"checkpoint={kept}", "strategy=full", "wandb=offline", "keep=true", *columns]) == 0
    for path in (place / "runs").rglob("*"):
        assert path.is_dir() or REDACTED.encode() not in unpacked(path), path


@pytest.mark.parametrize("name", ["${oc.env:HF_TOKEN}", "api_key=canary", "x/token=canary"])
def test_a_secret_is_no_name_of_a_folder(
    name: str, easy: list[str], refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "canary-environment")
    line = refused(2, *easy, "strategy=majority", f"name='{name}'")
    assert "name holds a secret" in line
    assert "canary" not in line


@pytest.mark.parametrize("key", ["project", "entity"])
def test_a_secret_is_no_project(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "canary-environment")
    with pytest.raises(ConfigError, match=rf"wandb\.{key} holds a secret") as caught:
        WandbConfig(**{key: "canary-environment"})
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "https://me:pa@ss@host/x",  # the last @ ends the user-info
        "https:/me:pass@host/x",  # as a path is written
        "//me:pass@host/x",
        "https://host/x?X-Amz-Signature=pass&a=1",
        "https://host/x#access_token=pass",
        "{'api_key': 'pass'}",
        '{"password": "pass"}',
        "Authorization: Basic bWU6cGFzcw==",
        "cookie=pass",
    ],
)
def test_secrets_inside_a_text(text: str) -> None:
    shown = redact(text)
    assert "pass" not in shown.replace("password", "")
    assert "bWU6" not in shown
    assert REDACTED in shown


@pytest.mark.parametrize(
    "text",
    [
        "https://host/a@b",
        "https://host/x?email=a@b",
        "a/me:x@y",
        "mean of tokens: 5",
        "label: word",
        "{'text_key': 'body', 'cls_token': '[CLS]'}",
        "token_accuracy=0.5",
        "C:/a@b",
        "tokenizer: unigram",
    ],
)
def test_ordinary_texts(text: str) -> None:
    assert redact(text) == text
