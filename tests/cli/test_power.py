"""What a design can see, told before its first run: which cells pair, from which spread, how large the effect."""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from thaw.cli import power
from thaw.config import TransferConfig
from thaw.report.claims.rule import Rule
from thaw.report.claims.spreads import spread
from thaw.report.power import detectable
from thaw.strategy.plan import STRATEGIES
from thaw.task.task import DataConfig, Kind, TaskConfig


def design(
    root: Path, tasks: dict[str, Kind], sizes: tuple[str, ...], seeds: int, rule: Rule, **more: Any
) -> list[TransferConfig]:
    """Return the runs of scratch and full at every size and seed."""
    return [
        TransferConfig(
            task=TaskConfig(name=name, kind=kind, path="t"), strategy=STRATEGIES[strategy].config(), checkpoint="c",
            data=DataConfig(train_size=size), seed=seed, runs=str(root), name="s", verdict=rule, **more,
        )
        for name, kind in tasks.items()
        for size in sizes
        for strategy in ("scratch", "full")
        for seed in range(1, seeds + 1)
    ]  # fmt: skip


def told(configs: list[TransferConfig], capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    power.show(configs)
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    return dict(lines)


def test_the_effect_seen_follows_from_the_recorded_spreads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rule = Rule(seeds=5, sizes=[100, 400])
    runs = design(tmp_path, {"a": Kind.classes, "b": Kind.tags}, ("100", "200", "400", "800"), 5, rule)
    lines = told(runs, capsys)
    own = [spread("accuracy", metric, size) for metric in ("accuracy", "entity_f1") for size in (100, 400)]
    deviation = math.sqrt(sum(one.deviation**2 for one in own)) / 4  # mean of two sizes, then of two tasks
    least = detectable(deviation, 5, least=0.01)
    assert least is not None
    assert lines["accuracy"].startswith(f"{100 * least:+.1f} points or more; spread from ")
    assert "recorded in demo, eight_tasks, three_claims" in lines["accuracy"]
    assert lines["time"].partition(" ")[0] == f"{math.exp(_time(5)):.3g}"


def _time(seeds: int) -> float:
    own = [spread("time", metric, size) for metric in ("accuracy", "entity_f1") for size in (100, 400)]
    deviation = math.sqrt(sum(one.deviation**2 for one in own)) / 4
    return detectable(deviation, seeds, least=math.log(1.1)) or 0.0


def test_more_seeds_and_tasks_see_smaller_effects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def points(tasks: int, seeds: int) -> float:
        names = {f"t{i}": Kind.classes for i in range(tasks)}
        lines = told(design(tmp_path, names, ("100", "200"), seeds, Rule()), capsys)
        return float(lines["accuracy"].partition(" ")[0])

    assert points(1, 3) > points(1, 5) > points(1, 10) > points(4, 10)


def test_what_can_not_be_judged_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one_size = told(design(tmp_path, {"a": Kind.classes}, ("100",), 5, Rule()), capsys)
    assert one_size["labels"] == "nothing: no train size has scratch runs at 2 times as many labels"
    power.show(design(tmp_path, {"a": Kind.classes}, ("100", "200"), 5, Rule(seeds=8)))
    shown = capsys.readouterr().out
    assert "With 5 seeds no pattern of arrivals reaches the level by an exact paired test" in shown
    assert "never under 0.0625, the rule asks for 0.05; 6 seeds could" in shown
    assert "The rule plans verdict.seeds=8, these runs have 5 seeds." in shown
    power.show(design(tmp_path, {"a": Kind.classes}, ("100", "200"), 6, Rule()))
    shown = capsys.readouterr().out
    assert "no pattern of arrivals" not in shown
    assert "give verdict.seeds=6 before the first run" in shown
    power.show(design(tmp_path, {"a": Kind.classes}, ("100",), 2, Rule()))
    assert "nothing: under 3 seeds no claim is tested" in capsys.readouterr().out


def test_nothing_is_told_where_nothing_is_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = design(tmp_path, {"a": Kind.classes}, ("100",), 3, Rule())
    power.show([run for run in runs if run.strategy.name == "full"])
    power.show(design(tmp_path, {"a": Kind.classes}, ("100",), 3, Rule(), test=False))
    power.show(design(tmp_path, {"a": Kind.classes}, ("100",), 3, Rule(strategy="frozen")))
    assert capsys.readouterr().out == ""


def test_it_needs_no_torch() -> None:
    """A dry run is quick: torch alone takes seconds."""
    code = "import thaw.cli.power, thaw.cli.rehearsal, thaw.cli.rounds, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
