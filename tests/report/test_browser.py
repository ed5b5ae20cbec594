"""The page in a real browser: it draws, sorts, filters, fits narrow screens, and says nothing on the console."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from thaw.report.collect import read
from thaw.report.page import write
from thaw.report.progress import progress
from thaw.report.watch import STAMP

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
ARGUMENTS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
ALL_SHOWN = "n => document.querySelectorAll('#run-table tbody tr:not([hidden])').length === n"

pytest.importorskip("playwright", reason="python playwright is not installed")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(study_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(read(study_folder), tmp_path_factory.mktemp("browser"), pictures=False).as_uri()


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Any]:
    pages, said, asked = [], [], []

    def refuse(dialog: Any) -> None:
        said.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def open_page(width: int = 1280, scheme: str = "light") -> Any:
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", refuse)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.wait_for_selector("html[data-ready]")
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert said == []  # no error, and no alert: a run's name is text
    assert {url.partition(":")[0] for url in asked} <= {"file", "data", "blob"}


def shown(page: Any) -> int:
    return int(page.locator("#run-table tbody tr:not([hidden])").count())


def column(page: Any, number: int) -> list[str]:
    return list(page.locator(f"#run-table tbody tr:not([hidden]) td:nth-child({number})").all_inner_texts())


def traces(page: Any, plot: str) -> int:
    return int(page.locator(f"#plot-{plot} .scatterlayer .trace").count())


def test_verdicts_come_first(open_page: Any) -> None:
    page = open_page()
    cards = page.locator(".card")
    assert cards.count() == 3
    assert cards.locator("h2").all_inner_texts() == ["Saves training time", "Improves accuracy", "Needs fewer labels"]
    words = {"✓ supported", "✗ not supported", "? inconclusive", "≈ real but below the margin", "± mixed"}
    assert set(page.locator(".word").all_inner_texts()) <= words
    assert traces(page, "verdict-time") == 2
    box = cards.first.bounding_box()
    assert box["y"] + box["height"] < 900  # on the first screen
    page.click("summary:has-text('What the strategies are')")
    assert "the same network from random weights" in page.locator(".terms").inner_text()


def test_figures_and_task_choice(open_page: Any) -> None:
    page = open_page()
    assert page.locator(".js-plotly-plot:visible").count() == page.locator(".plot:visible").count() >= 16
    assert traces(page, "size") == 18  # six strategies: points, curve, band
    assert page.locator("h3:visible", has_text="topics").count() == 1
    assert page.locator("figure[data-key=dose]:visible").count() == 1
    assert page.locator("figure[data-key=surface] svg text", has_text="+0.").count() >= 1  # numbers in its cells
    page.select_option("#task", "trec")
    assert page.locator("figure[data-key=dose]:visible").count() == 0  # no doses of that task, no empty frame
    assert page.locator("h3:visible", has_text="topics").count() == 0
    assert "trec" in page.locator("div[data-task]:visible").inner_text()
    page.select_option("#seconds-choice", label="1000 labels, wall seconds")
    page.select_option("#survival-choice", "200")
    assert "Kaplan-Meier" in page.locator("figure[data-key=survival] figcaption").inner_text()
    page.select_option("#curve-metric", "train/loss")
    page.select_option("#curve-x", "tokens")
    assert "training tokens" in page.locator("#plot-curves").inner_html()
    assert "train/loss of 36 single runs" in page.locator("#caption-curves").inner_text()


def test_a_strategy_is_switched_off_on_all_figures(open_page: Any) -> None:
    page = open_page()
    before = {name: traces(page, name) for name in ("size", "seconds", "seeds", "survival", "profile")}
    chip = page.locator(".legend button", has_text="gradual_unfreeze").first
    chip.focus()
    page.keyboard.press("Enter")
    assert page.locator('.legend button[aria-pressed="false"]').count() == 1
    assert all(traces(page, name) < count for name, count in before.items())
    page.keyboard.press("Enter")  # the focus stays
    assert {name: traces(page, name) for name in before} == before


def test_examples_side_by_side(open_page: Any) -> None:
    page = open_page()
    rows = page.locator("#example-table tbody tr")
    assert rows.count() > 0
    assert "<script>alert('text')</script> number" in rows.first.inner_text()
    assert "<i>news</i>" in page.locator("#example-table").inner_text()
    page.select_option("#example-kind", "left")
    assert (
        rows.locator("td:nth-child(3).right").count() == rows.locator("td:nth-child(4).wrong").count() == rows.count()
    )
    page.select_option("#example-left", label="tfidf")
    assert page.locator("#example-table th").nth(2).inner_text() == "tfidf"
    assert "only tfidf on" in page.locator("#example-count").inner_text()


def test_grouping(open_page: Any) -> None:
    page = open_page()
    everything = shown(page)
    page.select_option("#group-by", label="strategy")
    groups = page.locator("#run-table tr.group")
    assert groups.count() == 7  # six strategies and the pretraining
    assert page.locator("#run-table tbody tr:not(.group):not([hidden])").count() == 0
    assert groups.first.inner_text().startswith("▸ scratch")
    first = groups.locator("button").first
    first.focus()
    page.keyboard.press("Enter")
    opened = page.locator("#run-table tbody tr:not(.group):not([hidden])")
    label = page.locator("#run-table tr.group button[aria-expanded=true]").get_attribute("aria-label")
    assert label == f"strategy {opened.locator('td:nth-child(5)').first.inner_text()}: {opened.count()} runs"
    tests = [float(text) for text in opened.locator("td:nth-child(10)").all_inner_texts() if text != "–"]
    told = page.locator("#run-table tr.group:has(button[aria-expanded=true]) td:nth-child(10)").inner_text()
    assert float(told.split()[0]) == pytest.approx(sum(tests) / len(tests), abs=1e-3)
    page.select_option("#group-by", label="setting optim.lr")
    page.select_option("#group-then", label="task")
    assert "setting optim.lr" not in groups.first.inner_text()
    assert "optim.lr" in groups.first.inner_text()
    page.check("#expand")
    assert page.locator("#run-table tbody tr:not(.group):not([hidden])").count() == everything
    page.get_by_label("filter strategy", exact=True).fill("=full")
    assert all("full" in text for text in opened.locator("td:nth-child(5)").all_inner_texts())
    page.select_option("#group-by", "")
    assert page.locator("#run-table tr.group").count() == 0


def test_a_watched_page_reloads_itself_and_keeps_what_was_chosen(
    browser: Any, study_folder: Path, tmp_path: Path
) -> None:
    study = read(study_folder)
    file = write(study, tmp_path, live=progress(study), pictures=False)
    stamp = tmp_path / STAMP
    stamp.write_text('thawStamp("1");')
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]")
    page.select_option("#task", "trec")
    page.wait_for_function("firstStamp === '1'")
    page.evaluate("window.old = true")
    stamp.write_text('thawStamp("2");')
    page.wait_for_function("!window.old && document.documentElement.dataset.ready", timeout=20_000)
    assert page.locator("#task").input_value() == "trec"
    page.close()


def test_filters(open_page: Any) -> None:
    page = open_page()
    everything = shown(page)
    for name, query, number, check in (
        ("strategy", "=full", 5, lambda text: text == "full"),
        ("strategy", "!scratch", 5, lambda text: "scratch" not in text),
        ("test", ">0.7", 10, lambda text: float(text) > 0.7),
        ("train_size", "<=50", 6, lambda text: text == "50"),
        ("task", "TREC", 4, lambda text: text == "trec"),
    ):
        page.get_by_label(f"filter {name}", exact=True).fill(query)
        assert 0 < shown(page) < everything
        assert all(check(text) for text in column(page, number))
        assert page.locator("#run-count").inner_text() == f"{shown(page)} of {everything} runs"
        page.locator("#clear").press("Enter")  # a mouse's click was lost at times on a busy machine
        page.wait_for_function(ALL_SHOWN, arg=everything)
    page.get_by_label("filter strategy", exact=True).fill("=frozen")
    page.wait_for_function("document.getElementById('caption-curves').textContent.includes('9 single runs')")
    page.click("#clear")  # by mouse, now that the figures have followed
    page.wait_for_function(ALL_SHOWN, arg=everything)
    page.get_by_label("filter strategy", exact=True).fill("no such strategy")
    assert shown(page) == 0


def test_sorting(open_page: Any) -> None:
    page = open_page()
    header = page.locator("#run-table thead th").nth(9)
    button = header.locator("button")
    button.focus()
    page.keyboard.press("Enter")
    values = [float(text) for text in column(page, 10) if text != "–"]
    assert values == sorted(values)
    assert header.get_attribute("aria-sort") == "ascending"
    button.click()
    texts = column(page, 10)
    values = [float(text) for text in texts if text != "–"]
    assert values == sorted(values, reverse=True)
    assert header.get_attribute("aria-sort") == "descending"
    assert texts[-1] == "–"  # missing values last in both directions


def test_settings_as_columns(open_page: Any) -> None:
    page = open_page()
    before = page.locator("#run-table thead th").count()
    page.check("#config-columns")
    assert page.locator("#run-table thead th").count() > before
    page.get_by_label("filter strategy.note", exact=True).fill("<script>")
    assert shown(page) == 1
    assert "</script><script>alert('label')" in page.locator("#run-table tbody tr:not([hidden])").inner_text()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_it_fits_and_follows_the_scheme(open_page: Any, width: int, scheme: str) -> None:
    page = open_page(width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    channels = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (sum(channels) < 200) == (scheme == "dark")
    page.click("#theme")
    assert page.evaluate("document.documentElement.dataset.theme") != scheme
