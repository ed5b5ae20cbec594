"""Every figure is one that plotly accepts, keeps to the range of its metric, and is drawn by matplotlib as it is."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from thaw.report.arms import Arm
from thaw.report.cells import cells
from thaw.report.collect import read
from thaw.report.figures import Plot, Style
from thaw.report.figures.plot import bounds, figure
from thaw.report.figures.seconds import by_cost
from thaw.report.figures.surface import _ink
from thaw.report.out import Out
from thaw.report.page.content import Content, gather
from thaw.report.page.folder import _training
from thaw.report.picture.save import drawn as pictures
from thaw.report.plan import read_plan

FAMILIES = {"verdict-time", "verdict-accuracy", "verdict-labels", "size", "exchange", "seconds", "survival"}
FAMILIES |= {
    "breakeven",
    "pareto",
    "dose",
    "surface",
    "seeds",
    "timeline",
    "profile",
    "iqm",
    "better",
    "tuning",
    "cost",
    "against",
}


@pytest.fixture(scope="module")
def content(study_folder: Path) -> Content:
    return gather(read(study_folder))


def themed(value: Any) -> Any:
    """The words for colours of the theme as colours."""
    if isinstance(value, dict):
        return {key: themed(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [themed(one) for one in value]
    return "#123456" if isinstance(value, str) and value.startswith("@") else value


def test_every_family_is_there_and_plotly_accepts_it(content: Content) -> None:
    from plotly import graph_objects

    assert {plot.key for plot in content.plots} == FAMILIES
    for plot in content.plots:
        graph_objects.Figure(themed(plot.figure))  # raises on an unknown name or value
        json.dumps(plot.figure, allow_nan=False)
        assert plot.caption
        assert "  " not in plot.caption


def test_captions_say_n_and_the_kind_of_interval(content: Content) -> None:
    for plot in content.plots:
        if plot.key in ("size", "seconds", "exchange", "dose", "iqm", "breakeven") or plot.key.startswith("verdict"):
            assert re.search(r"n = \d", plot.caption), plot.key
            assert re.search(r"interval", plot.caption), plot.key
        if plot.key in ("surface", "seeds", "profile", "better", "survival", "tuning", "cost"):
            assert re.search(r"\d", plot.caption), plot.key


def test_axes_have_titles(content: Content) -> None:
    for plot in content.plots:
        x, y = (plot.figure["layout"][name] for name in ("xaxis", "yaxis"))
        assert x["title"]["text"], plot.key
        assert y.get("ticktext") or y["title"]["text"], plot.key


def test_a_band_ends_where_the_metric_does(tmp_path: Path, make_run: Any) -> None:
    for seed, score in ((1, 0.9), (2, 1.0), (3, 0.95)):
        events = [{"step": 10 * i, "seconds": 1.0 * i, "dev/accuracy": score - 0.2 / i} for i in (1, 2, 3)]
        make_run(tmp_path / "runs", run_id=str(seed), seed=seed, dev=score, test=score, steps=30, events=events)
    for seed, score in ((1, 0.0), (2, 0.1), (3, 0.0)):
        events = [{"step": 10 * i, "seconds": 1.0 * i, "dev/accuracy": score} for i in (1, 2, 3)]
        made = {"strategy": "scratch", "dev": score, "test": score, "steps": 30, "events": events}
        make_run(tmp_path / "runs", run_id=f"s{seed}", seed=seed, **made)
    found = cells(read(tmp_path / "runs"))
    (plot,) = by_cost(found, Style.of(cell.arm for cell in found))
    values = [y for trace in plot.figure["data"] for y in trace["y"]]
    assert max(values) <= 1
    assert min(values) >= 0
    assert bounds("matthews") == (-1, 1)


def test_strip_plot_has_every_seed_and_marks_failed_and_collapsed(content: Content) -> None:
    plot = next(plot for plot in content.plots if plot.key == "seeds" and plot.task == "topics")
    shown = sum(len(trace["x"]) for trace in plot.figure["data"] if trace["mode"] == "markers")
    scored = sum(len(cell.runs) for cell in content.main if cell.task == "topics")
    assert shown == scored + 1  # and the one that failed
    lost = [trace for trace in plot.figure["data"] if trace.get("marker", {}).get("symbol") == "x-thin"]
    assert len(lost) == 1
    assert "failed" in lost[0]["text"][0]


def test_the_timeline_is_the_recorded_plan(content: Content) -> None:
    plot = next(plot for plot in content.plots if plot.key == "timeline")
    bars = [trace for trace in plot.figure["data"] if trace["name"] == "gradual_unfreeze"]
    starts = sorted(start for trace in bars for start, text in zip(trace["base"], trace["hovertext"], strict=True)
                    if "of the learning rate" in text)  # fmt: skip
    assert starts == [0, 38, 76, 114]


def test_a_plan_that_can_not_be_read_is_none(tmp_path: Path) -> None:
    assert read_plan(tmp_path) is None
    for text in ("", "from step a b\n", "plan\nfrom step a b\n0 x1\n", "plan\nfrom step a\nzero x1\n"):
        (tmp_path / "plan.txt").write_text(text)
        assert read_plan(tmp_path) is None


def test_lesser_doses_stand_in_the_dose_figure_alone(content: Content) -> None:
    lesser = {cell.arm for cell in content.cells} - {cell.arm for cell in content.main}
    assert len(lesser) == 1
    names = {
        trace["name"]
        for plot in content.plots
        if plot.key not in ("dose", "surface", "cost")
        for trace in plot.figure["data"]
    }
    assert not names & {arm.label for arm in lesser}
    dose = next(plot for plot in content.plots if plot.key == "dose")
    assert [len(trace["x"]) for trace in dose.figure["data"]] == [2]


def test_the_surface_is_the_gain_over_scratch_by_tokens_and_labels(content: Content) -> None:
    (plot,) = [plot for plot in content.plots if plot.key == "surface"]
    (cells,) = plot.figure["data"]
    assert (plot.task, plot.choice) == ("topics", "full")
    assert plot.figure["layout"]["xaxis"]["ticktext"] == ["2.5 M", "10 M"]
    assert plot.figure["layout"]["yaxis"]["ticktext"] == ["200", "1000"]
    main = {cell.arm for cell in content.main}
    gains = {(c.arm in main, c.train_size): c.difference for c in content.cells
             if (c.task, c.arm.strategy) == ("topics", "full")}  # fmt: skip
    expected = [gains[whole, size] for size in (200, 1000) for whole in (False, True)]
    told = ["" if one.low > 0 or one.high < 0 else " ·" for one in expected]
    assert cells["text"] == [f"{one.mean:+.3f}{mark}" for one, mark in zip(expected, told, strict=True)]
    assert cells["marker"]["color"][2] == "@quiet"  # less than scratch
    assert "@quiet" not in cells["marker"]["color"][:2]
    shades = cells["marker"]["opacity"]
    by_size = sorted(zip([abs(one.mean) for one in expected], shades, strict=True))
    assert sorted(shades) == [shade for _, shade in by_size]
    assert max(shades) == 1


def test_a_text_is_told_from_the_cell_it_stands_on() -> None:
    assert _ink("#0072B2") == "#ffffff"  # full
    assert _ink("#56B4E9") == "#1b1f24"  # frozen
    assert _ink("@quiet") == "@paper"


def test_the_figure_of_accuracy_has_both_halves_of_its_verdict(content: Content) -> None:
    plot = next(plot for plot in content.plots if plot.key == "verdict-accuracy")
    verdict = next(one for one in content.analysis.verdicts if one.claim == "accuracy")
    assert plot.figure["layout"]["yaxis"]["ticktext"][-1] == "over TF-IDF"
    assert "TF-IDF: the tasks that it can do" in plot.caption
    assert plot.figure["data"][-1]["x"] == [pytest.approx(verdict.controls["tfidf"].mean, abs=1e-4)]


def test_pictures_have_text_and_caption_and_are_drawn_once(tmp_path: Path) -> None:
    name = "<script>alert(1)</script> $x_1$ 名"
    trace = {"type": "scatter", "x": [1, 10], "y": [0.1, 0.2], "mode": "lines+markers", "name": name}
    bar = {"type": "bar", "orientation": "h", "x": [1], "y": [0], "base": [0], "name": "other", "text": ["x1"]}
    drawn = figure([trace, bar], {"type": "log", "title": "seconds"}, {"title": "score"})
    plot = Plot(key="one", task="t/1", title="Title", caption="n = 3 & more", figure=drawn)
    out = Out(tmp_path)
    files = pictures([plot], out)
    out.write("pictures", files)
    svg, png = (tmp_path / name for name in files)
    text = svg.read_text("utf-8")
    assert re.fullmatch(r"one-t-1-[0-9a-f]{8}\.svg", svg.name)
    assert "<desc>n = 3 &amp; more</desc>" in text
    assert "<script" not in text
    assert ">seconds</text>" in text  # vector text
    assert png.read_bytes().startswith(b"\x89PNG")
    assert "n = 3 & more" in png.read_bytes().decode("latin-1")
    assert pictures([plot], out) == dict.fromkeys(files)
    png.write_bytes(b"changed")
    assert None not in pictures([plot], out).values()


def test_a_style_gives_each_checkpoint_of_a_strategy_a_line() -> None:
    arms = [Arm(strategy="full", source=source, label=f"full · {source}") for source in ("a", "b")]
    style = Style.of(arms, last={arms[0]})
    assert style.dashes == {"full · a": "dash", "full · b": "solid"}
    assert style.colour(arms[0]) == style.colour(arms[1])


def test_the_curves_that_the_page_draws_itself_are_pictures_too(content: Content) -> None:
    made = {(plot.key, plot.task): plot for plot in _training(content)}
    assert set(made) == {("curves", "topics"), ("curves", "trec"), ("pretraining", "")}
    plot = made["curves", "trec"]
    assert len(plot.figure["data"]) <= 100
    assert f"{len(plot.figure['data'])} of " in plot.caption
    assert max(len(trace["x"]) for trace in made["pretraining", ""].figure["data"]) <= 30


def test_the_trials_of_a_control_are_no_training_curve(tmp_path: Path, make_run: Any) -> None:
    for strategy, steps, seed in (("scratch", 30, 1), ("tfidf", 0, 1)):
        events = [{"step": i, "seconds": 1.0 * i, "dev/accuracy": 0.5 + i / 100} for i in range(4)]
        made = {"strategy": strategy, "kind": "control" if steps == 0 else "transfer"}
        make_run(tmp_path / "runs", run_id=strategy, seed=seed, dev=0.5, test=0.5, steps=steps, events=events, **made)
    found = gather(read(tmp_path / "runs"))
    (plot,) = [plot for plot in _training(found) if plot.key == "curves"]
    assert [trace["name"] for trace in plot.figure["data"]] == ["scratch"]
    shown = [plot for plot in found.plots if plot.key == "seconds"]
    assert all(
        trace["mode"] == "markers" for plot in shown for trace in plot.figure["data"] if trace["name"] == "tfidf"
    )
