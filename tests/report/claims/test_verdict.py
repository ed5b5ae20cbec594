"""The words follow from the rule, and say what is missing where there is nothing to judge."""

import pytest

from report.claims.made_up import compared, run, study
from thaw.report.claims.analysis import analyse
from thaw.report.claims.rule import Rule, rule_of
from thaw.report.claims.verdicts import verdicts
from thaw.report.differences import MACHINE
from thaw.report.page.content import gather
from thaw.report.page.document import _data
from thaw.report.page.listings import difference_tables
from thaw.report.page.record import report

NOISE = (0.004, -0.004, 0.001, -0.002, 0.001)


def runs(tasks=("trec",), gain=0.1, words=0.05, sizes=(100, 200), seeds=5, **more):
    made = []
    for task in tasks:
        for size in sizes:
            for seed, shift in enumerate(NOISE[:seeds], 1):
                base = 0.5 + 0.02 * (size > 100)
                made += [
                    run("scratch", size, seed, base, task=task),
                    run(
                        "full",
                        size,
                        seed,
                        base + (gain[task] if isinstance(gain, dict) else gain) + shift,
                        task=task,
                        **more,
                    ),
                ]
                if words is not None:
                    made.append(run("tfidf", size, seed, base + words, task=task))
    return made


def accuracy(*members, rule=None):
    return verdicts(compared(*members, rule=rule))[1]


def test_a_clear_gain_is_supported_with_its_sentence():
    found = accuracy(*runs())
    assert found.word == "supported"
    assert (
        found.sentence
        == "full scores +0.100 [+0.096, +0.104] against scratch, and +0.050 [+0.046, +0.054] against TF-IDF."
    )
    assert found.settle.startswith("5 seeds find effects above +0.0")


def test_words_alone_that_do_better_decide():
    assert accuracy(*runs(words=0.2)).word == "not supported"
    undecided = accuracy(*runs(words=0.1))
    assert undecided.word == "inconclusive"
    assert "undecided" in undecided.sentence
    assert undecided.settle.startswith("Against TF-IDF a gain of +0.000 needs more than 1,000 seeds.")


def test_without_words_alone_nothing_is_supported():
    found = accuracy(*runs(words=None))
    assert found.word == "inconclusive"
    assert found.settle.startswith("Run strategy=tfidf with the same seeds.")
    pairs = runs(words=None)
    for one in pairs:
        one.row["metric"] = "f1"  # of classes: words apply, whatever the metric's name
        one.config["task.kind"] = "classes"
    assert accuracy(*pairs).word == "inconclusive"
    for one in pairs:
        one.config["task.kind"] = "tags"
    assert accuracy(*pairs).word == "supported"


def test_where_more_labels_hurt_scratch_nothing_is_said_of_fewer():
    made = []
    for seed, shift in enumerate(NOISE, 1):
        for size, score in ((50, 0.6), (100, 0.5), (200, 0.4)):  # the same learner twice, worse with more labels
            made += [run("scratch", size, seed, score), run("full", size, seed, score + shift)]
    found = verdicts(compared(*made))[2]
    assert found.word == "inconclusive"
    assert found.why == "scratch does not gain from labels here (-0.100 [-0.100, -0.100] from n to 2 times n)"


def test_one_task_of_three_is_not_enough():
    gain = {"trec": 0.1, "sst2": 0.0, "mrpc": 0.0}
    found = accuracy(*runs(tasks=tuple(gain), gain=gain, words=-0.1))
    assert found.word == "inconclusive"
    assert "1 of 3 tasks" in found.sentence


def test_no_gain_worth_the_name_is_not_supported():
    found = accuracy(*runs(gain=0.001))
    assert found.word == "not supported"
    assert accuracy(*runs(gain=0.001), rule=Rule(margin=0.0)).word == "inconclusive"


def test_one_seed_judges_nothing():
    found = accuracy(*runs(seeds=1))
    assert found.word == "inconclusive"
    assert found.sentence == "Nothing to judge: fewer than two seeds pair."


def test_tasks_that_share_one_seed_judge_nothing():
    made = runs(tasks=("sst2", "trec"))
    kept = [one for one in made if one["seed"] in ((1, 2, 3) if one["task"] == "trec" else (3, 4, 5))]
    assert accuracy(*kept).sentence == "Nothing to judge: fewer than two seeds pair."


def test_what_is_missing_is_named():
    sides = compared(*[one for one in runs() if one["strategy"] != "scratch"])
    assert [one.settle for one in verdicts(sides)] == ["Run strategy=scratch with the same seeds."] * 3
    only = compared(*[one for one in runs() if one["strategy"] == "scratch"])
    assert verdicts(only)[0].settle == "Run strategy=full from a checkpoint."


def test_the_rule_is_that_of_the_runs():
    rule, count = rule_of(
        [{"verdict.margin": 0.02, "verdict.sizes": [100]}, {"verdict.margin": 0.02, "verdict.sizes": [100]}, {}]
    )
    assert (rule.margin, rule.sizes, rule.strategy, count) == (0.02, [100], "full", 1)
    assert rule_of([{}])[1] == 0


def test_guards_fire():
    made = runs()
    analysis = analyse(*study(*made))
    assert "No run records a verdict rule: the default one is used, fixed after the runs were made." in analysis.guards
    ruled = {"verdict.strategy": "lp_ft", "verdict.sizes": [999], "tuned": "runs/elsewhere"}
    for one in made:
        one.config.update(ruled)
        one.row.update({"host_gflops": 30.0, "lr": 1e-3 if one["strategy"] != "tfidf" else None})
    made[0].row["host_gflops"] = 70.0
    told = " ".join(analyse(*study(*made)).guards)
    for words in (
        "lp_ft, which was not run",
        "sizes 999 were not run",
        "20 runs were chosen in runs/elsewhere",
        "30 to 70 GFLOP/s",
    ):
        assert words in told


def test_runs_of_other_machines_and_versions_are_marked():
    made = runs()
    networks = [one for one in made if one["strategy"] != "tfidf"]
    for one in made:
        one.row.update({"torch": None if one["strategy"] == "tfidf" else "2.9.0", "thaw_version": "0.1.0"})
        one.row["threads"] = 2 if one["strategy"] == "tfidf" else 1  # a control always takes all threads
    assert not any(noun in " ".join(analyse(*study(*made)).guards) for noun, _ in MACHINE.values())
    for one, (column, value) in zip(
        networks, {"host": "there", "threads": 4, "torch": "2.8.0", "thaw_version": "0.2.0"}.items(), strict=False
    ):
        one.row[column] = value
    found = study(*made)
    told = analyse(*found).guards
    assert "2 hosts (here in 19 runs, there in 1 run): their seconds are not comparable." in told
    assert "2 thread counts (1 in 19 runs, 4 in 1 run): their seconds are not comparable." in told
    assert "2 versions of torch (2.9.0 in 19 runs, 2.8.0 in 1 run): scores may differ by that alone." in told
    assert "2 versions of thaw (0.1.0 in 19 runs, 0.2.0 in 1 run): scores may differ by that alone." in told
    table = difference_tables(found[0])
    assert all(f'<th scope="row">{column}</th>' in table for column in MACHINE)
    content = gather(found[0])
    assert report(content)["machines"]["host"] == {"here": 29, "there": 1}
    runs_of_page = _data(content)["runs"]
    assert set(MACHINE) <= set(runs_of_page["config_keys"])
    place = runs_of_page["config_keys"].index("torch")
    assert sorted({one[place] for one in runs_of_page["config"]}) == ["2.8.0", "2.9.0", "–"]


def test_other_arms_are_better_worse_equal_or_undecided():
    shifts = {
        "frozen": (-0.1, NOISE),
        "lp_ft": (0.0, [one / 10 for one in NOISE]),
        "top_k": (0.0, (0.1, -0.1, 0.02, 0.0, 0.05)),
    }
    made = runs()
    full = {(one["train_size"], one["seed"]): one["test"] for one in made if one["strategy"] == "full"}
    for strategy, (shift, noise) in shifts.items():
        made += [run(strategy, size, seed, full[size, seed] + shift + noise[seed - 1]) for size, seed in full]
    found = {one.arm.strategy: one.word for one in analyse(*study(*made)).against}
    assert found == {"scratch": "worse", "tfidf": "worse", "frozen": "worse", "lp_ft": "equal", "top_k": "undecided"}


def test_an_analysis_of_nothing_is_empty():
    analysis = analyse(*study())
    assert [one.word for one in analysis.verdicts] == ["inconclusive"] * 3
    assert (analysis.curves, analysis.times, analysis.pooled, analysis.costs) == ([], [], [], [])


@pytest.mark.parametrize("sizes", [(100,), (100, 200)])
def test_pooled_scores_lie_between_the_majority_and_the_best(sizes):
    made = [*runs(sizes=sizes), *[run("majority", size, seed, 0.2) for size in sizes for seed in range(1, 6)]]
    found = {one.arm.strategy: one for one in analyse(*study(*made)).pooled}
    assert found["full"].iqm.mean == pytest.approx(1.0, abs=0.06)
    assert found["scratch"].better is None
    assert found["full"].better.mean == 1.0
    assert found["full"].profile[0] == 1.0
    assert "majority" not in found
