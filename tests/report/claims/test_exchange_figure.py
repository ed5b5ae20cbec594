"""Where every exchange rate is beyond the measured sizes there is a sentence and no figure."""

import pytest

from report.claims.made_up import run, study
from thaw.report.claims.labels import exchange
from thaw.report.claims.rule import Rule
from thaw.report.claims.sides import sides
from thaw.report.figures.exchange import beyond
from thaw.report.page.content import gather
from thaw.report.page.document import page


def made(gain: dict[int, float]):
    runs = []
    for seed, shift in enumerate((0.01, -0.01, 0.005), 1):
        for n, score in ((50, 0.4), (150, 0.5), (500, 0.6)):
            runs += [run("scratch", n, seed, score + shift), run("full", n, seed, score + gain[n] + shift / 2)]
    return study(*runs)


def rates(gain: dict[int, float]):
    one = sides(made(gain)[1], Rule())
    return exchange(one, "trec", one.transfer)


@pytest.mark.parametrize(
    ("gain", "sentence"),
    [
        ({50: 0.3, 150: 0.3, 500: 0.3},
         "What a label with transfer is worth on trec is more than can be measured: scratch never gets there with up to"
         " 500 labels."),
        ({50: -0.3, 150: -0.3, 500: -0.3},
         "What a label with transfer is worth on trec is less than can be measured: scratch is better with 50 labels"
         " already."),
        ({50: -0.3, 150: -0.3, 500: 0.3},
         "What a label with transfer is worth on trec is never between 50 and 500 labels of scratch, so it can not be"
         " measured."),
        ({50: 0.05, 150: 0.3, 500: 0.3}, ""),
    ],
)  # fmt: skip
def test_one_sentence_stands_for_the_figure(gain, sentence):
    assert beyond(rates(gain)) == sentence


def test_the_page_has_the_sentence_where_it_has_no_figure():
    without, _ = made({50: 0.3, 150: 0.3, 500: 0.3})
    content = gather(without)
    assert "exchange" not in {plot.key for plot in content.plots}
    text = page(content)
    assert text.count("more than can be measured: scratch never gets there with up to 500 labels.") == 1
    assert 'data-key="exchange"' not in text
    within, _ = made({50: 0.05, 150: 0.05, 500: 0.05})
    assert 'data-key="exchange"' in page(gather(within))
    assert "can be measured" not in page(gather(within))
