import subprocess
from collections.abc import Callable

import pytest

from thaw.errors import ConfigError
from thaw.track.identity import run_id

IDENTITY = {"task": "trec", "optim": {"lr": 1e-3, "steps": 300}, "layers": [1, 2], "checkpoint": None}


def test_the_id_is_fixed_for_good() -> None:
    """A change here makes every finished run unknown: it is a breaking change."""
    assert run_id(IDENTITY) == "98eef24d61"


def test_writing_the_same_thing_differently_is_the_same_run() -> None:
    same = {"checkpoint": None, "layers": (1.0, 2), "optim": {"steps": 300.0, "lr": 0.001}, "task": "trec"}
    assert run_id(same) == run_id(IDENTITY)


@pytest.mark.parametrize(
    "change",
    [{"task": "sst2"}, {"optim": {"lr": 1.0000001e-3, "steps": 300}}, {"layers": [2, 1]}, {"checkpoint": ""}, {"x": 0}],
)
def test_another_thing_is_another_run(change: dict[str, object]) -> None:
    assert run_id(IDENTITY | change) != run_id(IDENTITY)


def test_true_is_not_one() -> None:
    assert run_id({"a": True}) != run_id({"a": 1})


def test_what_is_not_a_number_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"not a finite number: optim\.lr=nan"):
        run_id({"optim": {"lr": float("nan")}})


def test_another_process_gives_the_same_id(script: Callable[..., "subprocess.Popen[str]"]) -> None:
    program = f"from thaw.track.identity import run_id; print(run_id({IDENTITY!r}))"
    assert script(program).communicate(timeout=60)[0].strip() == run_id(IDENTITY)
