"""How a verdict is reached, in words: the rule as it is built, a paragraph a claim."""

from thaw.report.claims.clocks import NAMES
from thaw.report.claims.rule import Rule
from thaw.report.crossed import FEWEST_PRETRAININGS
from thaw.report.statistics import FEWEST
from thaw.report.words import listed


def rule_paragraphs(rule: Rule, rules: int) -> list[str]:
    """Return the rule in words; ``rules`` is how many of them the runs record."""
    return [_fixed(rule, rules), _words(rule), _time(rule), _accuracy(rule), _labels(rule)]


def _fixed(rule: Rule, rules: int) -> str:
    sizes = (
        f"train sizes {listed([str(size) for size in rule.sizes], len(rule.sizes))}"
        if rule.sizes
        else "all train sizes"
    )
    about = f"It is about {rule.strategy} at {sizes}, and {100 * rule.level:.4g} % is the level in force."
    if rules == 1:
        return f"The rule was fixed in the study's config before the runs. {about}"
    if rules == 0:
        return f"No run records a rule, so this one, the default, was fixed after the runs. {about}"
    return f"The runs record {rules} rules, so this one, of most runs, was fixed after them. {about}"


def _words(rule: Rule) -> str:
    share = f" It must also show on {rule.tasks:.0%} of the tasks, each by itself." if rule.tasks else ""
    return (
        "The mean effect over all tasks decides. Supported: its interval lies above none and the mean is no less than"
        f" the least effect worth the name.{share} Real but below the margin: above none, but less than that. Mixed: a"
        " task is harmed (Holm over the tasks) and others gain, or one of several pretrainings harms. Not supported:"
        " the interval leaves no effect worth the name. Inconclusive: none of these, or fewer than"
        f" {FEWEST} paired seeds. The interval holds the seeds, the test texts where there are predictions, and the"
        " choice of settings where trials are known."
        f" {FEWEST_PRETRAININGS} pretrainings or more that all tasks share are in it too; fewer are fixed, and the word"
        " is about these encoders."
    )


def _time(rule: Rule) -> str:
    clock = (
        "CPU seconds decide on a CPU and wall seconds on a GPU"
        if rule.clock == "auto"
        else f"{NAMES[rule.clock][0].upper()}{NAMES[rule.clock][1:]} decide"
    )
    return (
        "Time: how many times as fast as scratch a run comes to a dev score. That score is the majority answer's +"
        f" {rule.target:g} x (scratch's best - the majority answer's). Where scratch is not above the majority answer"
        f" or has not converged there is no word. At least {rule.faster:g} times as fast is worth the name. {clock}; a"
        " clock that was disturbed has no vote, and where one undisturbed clock says supported and another not"
        " supported the word is inconclusive. Supported asks for no fewer arrivals than scratch's. The interval holds"
        " the grid of looks at dev, since a run arrives between two of them."
    )


def _accuracy(rule: Rule) -> str:
    return (
        f"Accuracy: the test score minus scratch's with the same labels, steps and seed; {rule.margin:g} is worth the"
        " name. Supported asks that it be better than TF-IDF with a linear model too, in the mean over the tasks to"
        " which words alone apply; where TF-IDF is better in the mean the word is not supported, on one task mixed. And"
        " the gain must be worth the name with as many collapsed runs as the runs do not exclude (Wilson's interval,"
        " 90 % from one side). A run that diverged scores the majority answer."
    )


def _labels(rule: Rule) -> str:
    times = f"{rule.fewer:g} times"
    return (
        f"Labels: the test score with n labels minus scratch's with {times} as many; {rule.margin:g} is worth the"
        " name. Where scratch was not run with so many, its score is read between its train sizes, and the error of"
        " the reading is in the interval. Supported asks that transfer be better with as many labels too, that scratch"
        f" gain from {times} the labels by its own noise, and that the gain stand the collapsed runs, as for accuracy."
    )
