"""What may go from disk goes, and nothing else: not what is in use, not what a run or a study needs, no result."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from language import pretraining, transfer

from thaw import run
from thaw.encoder.manifest import fingerprint
from thaw.job.disk import Item, listed, remove
from thaw.task.task import Kind
from thaw.track.folder import RunFolder
from thaw.train.features import Features, _write

DAY = 86_400.0
USERS = {
    "tokens": "from thaw.text.ids import TokenFile; used = TokenFile.open(sys.argv[1])",
    "features": "from thaw.train.features import read; used = read(Path(sys.argv[1]))",
    "run": "from thaw.track.folder import RunFolder; used = RunFolder(sys.argv[1]).open()",
    "checkpoint": "from thaw.job.identity import checkpoint_content; used = checkpoint_content(sys.argv[1])",
}


class World:
    """A finished pretraining with its cache, last used forty days ago."""

    def __init__(self, root: Path, run_id: str) -> None:
        self.root, self.cache = root, root / "cache"
        self.run = root / "runs" / "pretraining" / run_id
        self.state(40)

    def state(self, days: float) -> None:
        """Have everything been used so long ago."""
        then = time.time() - days * DAY
        for path in [self.root, *self.root.rglob("*")]:
            os.utime(path, (then, then))

    def found(self, older: float | None = None) -> dict[str, Item]:
        """Return what there is by the name of its folder."""
        return {one.path.name: one for one in listed([self.root / "runs"], self.cache, older)}

    def stays(self, name: str) -> str:
        return self.found()[name].stays

    def going(self, older: float | None = None) -> set[str]:
        return {name for name, one in self.found(older).items() if not one.stays}

    def only(self, folder: str) -> Path:
        """Return the one entry of a folder of the cache."""
        (path,) = (self.cache / folder).iterdir()
        return path


@pytest.fixture
def world(home: Path, pretrained: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A copy of the session's pretraining, in a working folder without studies."""
    for name in ("runs/pretraining", "cache/tokens", "cache/tokenizer"):
        shutil.copytree(home / name, tmp_path / "world" / name)
    monkeypatch.chdir(tmp_path)
    return World(tmp_path / "world", pretrained["run_id"])


@contextmanager
def used(kind: str, path: Path) -> Iterator[None]:
    """Another process that uses something."""
    program = f"import sys\nfrom pathlib import Path\n{USERS[kind]}\nprint('ready', flush=True)\nsys.stdin.read()"
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
        process.kill()


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def write_transfer(world: World, **config: Any) -> Path:
    """Write the folder of a finished transfer, in a study of its own."""
    folder = world.root / "runs" / "study" / "transfer1"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump({"name": "study", "strategy": {"name": "full"}, **config}))
    (folder / "status.json").write_text(json.dumps({"state": "finished"}))
    return folder


def end(world: World, state: str) -> None:
    """Let the pretraining have ended in another way, with a state to go on from."""
    status = json.loads((world.run / "status.json").read_text())
    (world.run / "status.json").write_text(json.dumps({**status, "state": state}))
    (world.run / "state" / "step-000000040").mkdir(parents=True)
    (world.run / "state" / "step-000000040" / "state.json").write_text("{}")


def test_caches_and_checkpoints_on_the_way_go_and_results_stay(world: World) -> None:
    before, items = files(world.run), world.found()
    tokens, tokenizer = world.only("tokens"), world.only("tokenizer")
    assert {tokens.name, tokenizer.name, "0", "5k"} == world.going()
    assert items[tokens.name].bytes == sum(path.stat().st_size for path in tokens.iterdir())
    assert items["runs"].stays == "results"
    assert all(remove(one) for one in items.values() if not one.stays)
    assert not tokens.exists()
    assert not tokenizer.exists()
    kept = {name: content for name, content in before.items() if not name.startswith("checkpoints/")}
    assert {"checkpoint/model.safetensors", "result.json", "metrics.jsonl", "lineage.json"} <= set(kept)
    assert {name: content for name, content in files(world.run).items() if name != ".lock"} == {
        name: content for name, content in kept.items() if name != ".lock"
    }


def test_what_was_pruned_is_made_again_alike(world: World, corpus_file: Path) -> None:
    before = {name: files(world.only(name)) for name in ("tokens", "tokenizer")}
    for one in world.found().values():
        assert one.stays or remove(one)
    again = pretraining(corpus_file, world.root, save_at=["0", "5k"], seed=2)
    run.pretrain(again)
    assert before == {name: files(world.only(name)) for name in ("tokens", "tokenizer")}


@pytest.mark.parametrize(("days", "old", "gone"), [(20, None, 2), (20, 0.0, 4), (20, 30 * DAY, 0), (0, 0.0, 0)])
def test_age_decides(world: World, days: float, old: float | None, gone: int) -> None:
    world.state(days)
    assert len(world.going(old)) == gone


@pytest.mark.parametrize("state", ["interrupted", "failed"])
def test_an_unfinished_pretraining_keeps_what_it_goes_on_with(world: World, state: str) -> None:
    end(world, state)
    world.state(400)
    assert world.going() == set()
    assert world.stays("state") == f"{state}, the same command goes on from it"
    for name in ("tokens", "tokenizer"):
        assert world.stays(world.only(name).name) == f"{world.run} ({state}) goes on with it"


def test_the_state_of_a_finished_run_goes(world: World) -> None:
    end(world, "finished")
    world.state(1)
    assert remove(world.found()["state"])
    assert not (world.run / "state").exists()
    assert RunFolder(world.run).state() == "finished"


@pytest.mark.parametrize("kind", ["tokens", "features"])
def test_a_cache_stays_while_another_process_uses_it(world: World, kind: str) -> None:
    if kind == "features":
        _write(world.cache / "features" / ("ab" * 12), Features({2: torch.ones(3, 4)}, torch.tensor([0, 3]), 1, 1))
        world.state(40)
    path = world.only(kind)
    free = world.found()[path.name]
    assert not free.stays
    with used(kind, path):
        assert world.stays(path.name) == "in use"
        assert not remove(free)  # it was free when it was listed
        assert path.exists()
    assert world.stays(path.name) == "used less than 1 min ago"  # using it was noted
    assert remove(free)
    assert not path.exists()


def test_a_sweep_holds_the_checkpoint_that_its_last_run_will_read(world: World) -> None:
    path = world.run / "checkpoints" / "5k"
    free = world.found()["5k"]
    with used("checkpoint", path):
        assert world.stays("5k") == "in use"
        assert not remove(free)
    assert remove(free)


def test_a_run_folder_with_an_owner_is_left_alone(world: World) -> None:
    end(world, "finished")
    world.state(40)
    found = world.found()
    with used("run", world.run):
        assert not any(remove(found[name]) for name in ("state", "5k"))
    assert all(remove(found[name]) for name in ("state", "5k"))


def test_a_checkpoint_that_a_run_came_from_stays(world: World) -> None:
    folder = write_transfer(world, checkpoint="moved/elsewhere")
    content = fingerprint(world.run / "checkpoints" / "5k")
    (folder / "lineage.json").write_text(json.dumps({"checkpoint": content}))
    assert world.stays("5k") == "a run came from it"
    assert not world.stays("0")
    (folder / "lineage.json").write_text(json.dumps({"checkpoint": f"{content}:of its tokenizer"}))
    assert world.stays("5k") == "a run came from it"


def test_runs_beside_the_folder_that_is_pruned_count(world: World) -> None:
    write_transfer(world, checkpoint="runs/pretraining/5k")
    (one,) = [one for one in listed([world.run.parent], world.cache) if one.path.name == "5k"]
    assert one.stays == "named as runs/pretraining/5k"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("checkpoint: runs/pretraining/0,runs/pretraining/5k", {"0", "5k"}),
        ("hydra:\n  sweeper:\n    params:\n      checkpoint: runs/pretraining/5k\n", {"5k"}),
        ("stages:\n  - transfer study=dose 'checkpoint=runs/pretraining/5k' seed=1\n", {"5k"}),
        ("checkpoint: runs/${name}ing/5k\n", {"5k"}),
        ("checkpoint: runs/my_${name}/5k\n", set()),
        ("checkpoint: runs/${name}/5k\n", {"5k"}),
        ("checkpoint: runs/pretraining\n", set()),
        ("checkpoint: runs/other/5k\n", set()),
    ],
)
def test_a_checkpoint_that_a_study_names_stays(world: World, text: str, named: set[str]) -> None:
    study = Path("experiments") / "mine" / "study.yaml"
    study.parent.mkdir(parents=True)
    study.write_text(text)
    assert {"0", "5k"} - world.going() == named


def test_where_a_run_can_not_be_read_its_parents_are_not_known(world: World) -> None:
    folder = write_transfer(world)
    (folder / "config.yaml").write_text("a: [")
    assert world.stays("5k") == f"{folder / 'config.yaml'} is damaged, what it came from is not known"
    assert not world.stays(world.only("tokens").name)


def test_only_what_dead_processes_left_half_written_goes(world: World) -> None:
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    ends = f"{os.uname().nodename}-{{}}-1-0123abcd"
    for pid in (dead.pid, os.getppid()):
        (world.cache / "tokens" / f".0123456789.new-{ends.format(pid)}").mkdir()
        (world.run / f".state.new-{ends.format(pid)}").mkdir()
        (world.run / f".result.json.old-{ends.format(pid)}").write_text("{}")
        (world.run / f".gone.old-{ends.format(pid)}").mkdir()  # put back by whoever looks for it
    world.state(1)
    going = {one for one in world.found().values() if one.what == "left half written" and not one.stays}
    assert {one.path.name.partition("-")[0] for one in going} == {".0123456789.new", ".state.new", ".result.json.old"}
    assert all(f"-{dead.pid}-" in one.path.name and remove(one) for one in going)
    assert not any(one.path.exists() for one in going)


def test_folders_that_are_none_of_ours_are_not_looked_at(world: World) -> None:
    for name in ("tokens/my_notes", "tokens/0123456789", "models/0123456789", "wandb/team/project/abc"):
        (world.cache / name).mkdir(parents=True)
    shutil.rmtree(world.cache / "tokens" / "0123456789")
    for link in (world.cache / "tokens" / "0123456789", world.run / "state", world.run / "checkpoints" / "linked"):
        os.symlink(world.root, link)
    world.state(400)
    found = world.found()
    assert not {"my_notes", "0123456789", "models", "state", "linked"} & set(found)
    assert found["wandb"].stays == "not made again for sure"


def test_a_transfer_from_what_is_left_is_as_before(
    world: World, tasks: dict[Kind, Path], tmp_path: Path, pretrained: dict[str, Any]
) -> None:
    rows = []
    for place, root in ((pretrained["folder"], tmp_path / "a"), (world.run, tmp_path / "b")):
        if place == world.run:
            for one in world.found().values():
                assert one.stays or remove(one)
        rows.append(
            run.transfer(transfer(Kind.classes, tasks[Kind.classes], place / "checkpoint", root, "full", steps=4))
        )
    assert rows[0]["run_id"] == rows[1]["run_id"]
    assert rows[0]["test"] == rows[1]["test"]
