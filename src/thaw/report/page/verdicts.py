"""The first screen: three verdicts as cards, what was compared, how a verdict is reached."""

from collections.abc import Sequence
from html import escape

from thaw.report.arms import Arm
from thaw.report.claims.analysis import Analysis
from thaw.report.claims.judge import INCONCLUSIVE, MIXED, NOT_SUPPORTED, SMALL, SUPPORTED
from thaw.report.claims.time_words import ratio_with
from thaw.report.claims.verdict import Verdict
from thaw.report.figures import Plot, Style
from thaw.report.page.rule import rule_paragraphs
from thaw.report.page.table import table
from thaw.report.strategy import BASELINE, described
from thaw.report.words import listed, number

MARKS = {SUPPORTED: ("yes", "✓"), NOT_SUPPORTED: ("no", "✗"), INCONCLUSIVE: ("open", "?"), SMALL: ("open", "≈"),
         MIXED: ("open", "±")}  # fmt: skip
CLAIMS = {"time": "Saves training time", "accuracy": "Improves accuracy", "labels": "Needs fewer labels"}


def cards(analysis: Analysis, plots: Sequence[Plot], style: Style) -> str:
    """Return the verdicts, empty for a study without transfer runs."""
    if not analysis.sides.cells:
        return ""
    figures = {plot.key: plot for plot in plots}
    shown = "".join(_card(one, figures.get(f"verdict-{one.claim}")) for one in analysis.verdicts)
    return f"""
<section aria-label="Verdicts" id="verdicts">
<p class="lead">{escape(compared(analysis))}</p>
<div class="cards">{shown}</div></section>"""


def compared(analysis: Analysis) -> str:
    """Return one sentence for someone who knows nothing: what is compared, on what."""
    sides = analysis.sides
    tasks = len(sides.tasks)
    where = f"{number(tasks, 'task')} ({listed(sides.tasks)})"
    if sides.transfer is None:
        return f"Runs on {where}; none of them uses pretrained weights."
    what = sides.transfer.what.says
    sizes = sorted({size for task in sides.tasks for size in sides.sizes(task, sides.transfer)})
    labels = f"{sizes[0]} to {sizes[-1]} labels" if len(sizes) > 1 else f"{sizes[0]} labels" if sizes else "all labels"
    seeds = sorted({cell.test.n for cell in sides.cells.values() if cell.test and cell.arm == sides.transfer})
    n = (
        number(seeds[0], "seed")
        if len(seeds) == 1
        else f"{seeds[0]} to {seeds[-1]} seeds"
        if seeds
        else "no scored seed"
    )
    return (
        f"Transfer ({sides.transfer.label}: {what}) against scratch ({described(BASELINE).says}), "
        f"on {where}, with {labels} and {n}; the same seed gives both the same examples."
    )


def _card(verdict: Verdict, plot: Plot | None) -> str:
    name, mark = MARKS[verdict.word]
    frame = ""
    if plot is not None:
        key = escape(plot.key)
        frame = f"""<figure data-key="{key}"><label hidden><select id="{key}-choice"></select></label>
<div class="plot" id="plot-{key}" role="img" aria-label="{escape(plot.title)}"></div>
<figcaption></figcaption></figure>"""
    return f"""
<article class="card {name}" aria-labelledby="h-{verdict.claim}">
<h2 id="h-{verdict.claim}">{CLAIMS[verdict.claim]}</h2>
<p class="word"><span aria-hidden="true">{mark}</span> {escape(verdict.word)}</p>
<p class="sentence">{escape(verdict.sentence)}</p>
{frame or "<div></div>"}
<p class="settle">{escape(verdict.settle)}</p>
<div>{_clocks(verdict)}{_more(verdict)}</div>
</article>"""


def _more(verdict: Verdict) -> str:
    """Return what a card holds beside its sentence: runs that collapsed, pairing by text, the parts of the error."""
    judgement = verdict.judgement
    lines = [f"{judgement.collapse.text[0].upper()}{judgement.collapse.text[1:]}."] if judgement.collapse else []
    lines += [verdict.by_text] if verdict.by_text else []
    shown = "".join(f"<p>{escape(line)}</p>" for line in lines)
    rows = component_rows(verdict) if verdict.claim != "time" else []
    cells = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="number">{value}</td></tr>' for name, value in rows
    )
    parts = (
        f"<p>Standard deviation of one run's effect, mean over tasks:</p>{table(('from', 'is'), cells)}" if rows else ""
    )
    if not shown and not parts:
        return ""
    return f"<details><summary>How sure, and where the error is from</summary>{shown}{parts}</details>"


def component_rows(verdict: Verdict) -> list[tuple[str, str]]:
    """Return the variance components of a verdict as (cause, standard deviation or why there is none)."""
    parts = verdict.judgement.components
    if parts is None:
        return []
    few = "one pretraining: not known"
    return [
        ("seed: subset, order, head, dropout", _deviation(parts.seed)),
        ("pretraining", few if parts.pretraining is None else _deviation(parts.pretraining)),
        ("test texts, for all runs alike", _deviation(parts.texts)),
        ("rest: texts and seeds together", _deviation(parts.residual)),
        ("choice of settings", _deviation(parts.tuning)),
        *(
            [("reading scratch between its train sizes", _deviation(parts.reading))]
            if parts.reading is not None
            else []
        ),
    ]


def _deviation(value: float | None) -> str:
    return "not known" if value is None else f"{value:.4f}"


def _clocks(verdict: Verdict) -> str:
    """Return what each clock says of time as a small table, empty for the other claims."""
    if not verdict.clocks:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escape(clock.name)}{" (decides)" if clock.decides else ""}</th>'
        f"<td>{escape(ratio_with(clock.ratio, clock.bound))}</td><td>{escape(clock.word)}"
        f"{escape(f', no vote: {clock.disturbed}') if clock.disturbed else ''}</td></tr>"
        for clock in verdict.clocks
    )
    head = '<tr><th scope="col">by</th><th scope="col">as fast as scratch</th><th scope="col">word</th></tr>'
    return f"""
<details class="clocks"><summary>By every clock</summary><table><thead>{head}</thead>
<tbody>{rows}</tbody></table></details>"""


def reading(analysis: Analysis, style: Style) -> str:
    """Return what the words mean: the strategies and the rule, closed until asked for."""
    if not style.arms:
        return ""
    terms = "".join(_term(arm, style) for arm in _one_each(style.arms))
    rule = "".join(f"<p>{escape(line)}</p>" for line in rule_paragraphs(analysis.rule, analysis.rules))
    return f"""
<details class="reading"><summary>What the strategies are, and how a verdict is reached</summary>
<dl class="terms">{terms}</dl>
{rule}
</details>"""


def _one_each(arms: Sequence[Arm]) -> list[Arm]:
    first: dict[str, Arm] = {}
    for arm in arms:
        first.setdefault(arm.strategy, arm)
    return list(first.values())


def _term(arm: Arm, style: Style) -> str:
    swatch = f'<span class="swatch" style="background:{style.colour(arm)}"></span>'
    return f"<div><dt>{swatch}{escape(arm.strategy)}</dt><dd>{escape(arm.what.says)}</dd></div>"
