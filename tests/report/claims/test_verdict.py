"""The words follow from the rule, and say what is missing where there is nothing to judge."""

from dataclasses import replace

import numpy as np
import pytest

from report.claims.made_up import compared, run, study
from report.claims.predicted import answered
from thaw.report.claims.analysis import analyse
from thaw.report.claims.judge import WORDS
from thaw.report.claims.rule import Rule, rule_of
from thaw.report.claims.verdicts import verdicts
from thaw.report.differences import MACHINE
from thaw.report.figures import Style
from thaw.report.notes import notes
from thaw.report.page.content import gather
from thaw.report.page.document import _data
from thaw.report.page.listings import difference_tables
from thaw.report.page.record import report
from thaw.report.page.verdicts import cards, component_rows
from thaw.report.tables.claims import against_table

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
        == "full scores +0.100 [+0.096, +0.104] against scratch on 1 task, with this encoder, and +0.050 [+0.046,"
        " +0.054] against TF-IDF."
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
    assert found.why == "scratch does not gain from labels here (-0.100 from n to 2 times n)"


def test_the_mean_over_tasks_decides_unless_the_rule_asks_for_a_share_of_them():
    gain = {"trec": 0.1, "sst2": 0.0, "mrpc": 0.0}
    made = runs(tasks=tuple(gain), gain=gain, words=-0.1)
    found = accuracy(*made)
    assert found.word == "supported"
    assert "against scratch on 3 tasks" in found.sentence
    strict = accuracy(*made, rule=Rule(tasks=0.6))
    assert strict.word == "inconclusive"
    assert "1 of 3 tasks" in strict.sentence


def test_a_harmed_task_makes_it_mixed():
    found = accuracy(*runs(tasks=("trec", "sst2"), gain={"trec": 0.1, "sst2": -0.05}, words=-0.1))
    assert (found.word, found.why) == ("mixed", "helps on trec, harms on sst2")
    assert "but it helps on trec, harms on sst2" in found.sentence


def test_a_real_gain_below_the_margin_has_a_word_of_its_own():
    found = accuracy(*runs(gain=0.006, words=-0.1))
    assert found.word == "real but below the margin"
    assert "with this encoder, a gain of less than 0.01." in found.sentence


def test_no_gain_worth_the_name_is_not_supported():
    found = accuracy(*runs(gain=0.001))
    assert found.word == "not supported"
    assert accuracy(*runs(gain=0.001), rule=Rule(margin=0.0)).word == "inconclusive"


def test_one_seed_judges_nothing():
    found = accuracy(*runs(seeds=1))
    assert (found.word, found.why) == ("inconclusive", "1 paired seed, fewer than 3: no test")
    assert found.settle.startswith("Run 3 seeds or more: fewer are not tested.")


def test_two_seeds_judge_nothing_and_show_no_interval():
    found = accuracy(*runs(seeds=2))
    assert (found.word, found.why) == ("inconclusive", "2 paired seeds, fewer than 3: no test")
    assert "[" not in found.sentence
    assert found.judgement.tasks[0].p == 1.0


def test_tasks_that_share_one_seed_judge_nothing():
    made = runs(tasks=("sst2", "trec"))
    kept = [one for one in made if one["seed"] in ((1, 2, 3) if one["task"] == "trec" else (3, 4, 5))]
    found = accuracy(*kept)
    assert (found.word, found.why) == ("inconclusive", "1 paired seed, fewer than 3: no test")


def test_what_is_missing_is_named():
    sides = compared(*[one for one in runs() if one["strategy"] != "scratch"])
    assert [one.settle for one in verdicts(sides)] == ["Run strategy=scratch with the same seeds."] * 3
    only = compared(*[one for one in runs() if one["strategy"] == "scratch"])
    assert verdicts(only)[0].settle == "Run strategy=full from a checkpoint."
    for each in (sides, only, compared()):  # a claim is always listed
        assert [(one.claim, one.word) for one in verdicts(each)] == [
            (claim, "inconclusive") for claim in ("time", "accuracy", "labels")
        ]
        assert all(one.why for one in verdicts(each))


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
    assert "2 hosts (here in 19 runs and there in 1 run): their seconds are not comparable." in told
    assert "2 thread counts (1 in 19 runs and 4 in 1 run): their seconds are not comparable." in told
    assert "2 versions of torch (2.9.0 in 19 runs and 2.8.0 in 1 run): scores may differ by that alone." in told
    assert "2 versions of thaw (0.1.0 in 19 runs and 0.2.0 in 1 run): scores may differ by that alone." in told
    table = difference_tables(found[0])
    assert all(f'<th scope="row">{column}</th>' in table for column in MACHINE)
    content = gather(found[0])
    assert report(content)["machines"]["host"] == {"here": 29, "there": 1}
    runs_of_page = _data(content)["runs"]
    assert set(MACHINE) <= set(runs_of_page["config_keys"])
    place = runs_of_page["config_keys"].index("torch")
    assert sorted({one[place] for one in runs_of_page["config"]}) == ["2.8.0", "2.9.0", "–"]


def others():
    shifts = {
        "frozen": (-0.1, NOISE),
        "lp_ft": (0.0, [one / 10 for one in NOISE]),
        "top_k": (0.0, (0.1, -0.1, 0.02, 0.0, 0.05)),
    }
    made = runs()
    full = {(one["train_size"], one["seed"]): one["test"] for one in made if one["strategy"] == "full"}
    for strategy, (shift, noise) in shifts.items():
        made += [run(strategy, size, seed, full[size, seed] + shift + noise[seed - 1]) for size, seed in full]
    return made


def test_other_arms_are_better_worse_equal_or_undecided():
    made = others()
    for one in made:
        if one["strategy"] != "tfidf":
            one.config["tuned"] = "runs/tune"
    found = {one.arm.strategy: one.word for one in analyse(*study(*made)).against}
    assert found == {"scratch": "worse", "tfidf": "worse", "frozen": "worse", "lp_ft": "equal", "top_k": "undecided"}


def test_strategies_whose_rates_were_not_tuned_are_not_ranked():
    found = {one.arm.strategy: one for one in analyse(*study(*others())).against}
    assert {one.word for one in found.values()} == {"not tuned"}  # TF-IDF too: full, beside it, has a rate
    assert found["frozen"].why == "the learning rate of frozen and full was not tuned in every cell"
    assert found["tfidf"].why == "the learning rate of full was not tuned in every cell"


def test_one_side_that_was_tuned_is_not_ranked_against_one_that_was_not():
    """It was: several settings of one arm, of any key, were enough for both."""
    made = others()
    for one in made:
        if one["strategy"] in ("full", "scratch", "lp_ft"):
            one.config["tuned"] = "runs/tune"
    analysis = analyse(*study(*made))
    assert {one.arm.strategy: one.word for one in analysis.against} == {
        "scratch": "worse", "tfidf": "worse", "lp_ft": "equal", "frozen": "not tuned", "top_k": "not tuned"
    }  # fmt: skip
    assert "for frozen and top_k in at least one cell" in analysis.guards[0]  # the note has the same definition
    shown = {row[0]: row[-1] for row in against_table(analysis).rows}
    assert shown["frozen"] == (
        "the learning rate of frozen was not tuned in every cell; no predictions on 1 task: no test texts in the"
        " interval"
    )


def test_arms_of_unequal_steps_are_not_compared():
    """Newcomer N6: frozen with 60 steps was called worse than full with 200."""
    made = [run("tfidf", 100, seed, 0.5) for seed in range(1, 6)]
    for seed, shift in enumerate(NOISE, 1):
        for steps, gain in ((60, 0.0), (200, 0.1)):
            for strategy, score in (("scratch", 0.5), ("full", 0.6), ("frozen", 0.55), ("frozen_random", 0.4)):
                if (strategy, steps) != ("frozen", 200):
                    more = {"steps": steps, "config": {"tuned": "runs/tune", "steps": steps}}
                    made.append(run(strategy, 100, seed, score + gain + shift * (strategy == "full"), **more))
    analysis = analyse(*study(*made))
    steps = analysis.sides.transfer.steps
    asked = {"scratch", "frozen_random", "tfidf"} | ({"frozen"} if steps == 60 else set())
    assert {one.arm.strategy for one in analysis.against} == asked
    assert {one.arm.steps for one in analysis.against} == {steps, None}
    assert {one.arm.steps for one in analysis.pooled} == {steps, None}
    assert analysis.sides.control("frozen_random").steps == steps
    assert analysis.verdicts[1].controls["frozen_random"].mean == pytest.approx(0.2 + sum(NOISE) / 5)


def test_two_seeds_rank_nothing():
    assert analyse(*study(*runs(seeds=2))).against == []


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
    # all five seeds are better: Wilson's interval of 5 of 5, where it was [1, 1] over the sizes (trust 17)
    assert (found["full"].better.low, found["full"].better.high) == pytest.approx((0.5655, 1.0), abs=1e-4)
    assert found["full"].profile[0] == 1.0
    assert "majority" not in found


def test_improvement_is_paired_by_seed():
    made = []
    for seed in range(1, 11):  # the seeds differ much more than the arms: unpaired, half of the pairs would be lost
        made += [run("scratch", 100, seed, 0.05 * seed), run("full", 100, seed, 0.05 * seed + 0.01)]
    found = {one.arm.strategy: one.better for one in analyse(*study(*made)).pooled}
    assert (found["full"].mean, found["full"].n) == (1.0, 10)


def of_recipe(size, seed, score, number, **more):
    """Return a run of full from one of several pretrainings of one recipe."""
    made = run("full", size, seed, score, pretrain_run=f"p{number}", checkpoint=f"c{number}", **more)
    return replace(made, lineage={"recipe": "r"})


def test_the_table_and_the_verdict_have_one_mean_over_pretrainings():
    """The table took for a seed the pretrainings that it has, the verdict the seeds that all pretrainings have."""
    made = [of_recipe(100, seed, 0.5 + seed / 100 + number / 10, number) for number in (0, 1) for seed in (1, 2, 3)]
    made.append(of_recipe(100, 4, 0.9, 1))
    found = study(*made)
    (cell,) = found[1]
    sides = compared(*made)
    assert sides.scores("trec", sides.transfer, 100) == pytest.approx({1: 0.56, 2: 0.57, 3: 0.58})
    assert (cell.test.n, cell.test.mean) == (3, pytest.approx(0.57))  # it was 0.6525 of four seeds
    assert cell.partial_seeds == [4]
    assert "In 1 cell 1 seed is in no mean: not every pretraining has it." in notes(*found)


def test_a_checkpoint_that_the_lineage_alone_names_is_a_pretraining():
    """The cells read four sources, the verdicts two of them: there all such pretrainings were one."""
    made = [of_recipe(100, seed, 0.5 + number / 10, number) for number in (0, 1) for seed in (1, 2, 3)]
    for one in made:
        one.lineage["parent_run"] = one.row["pretrain_run"]
        one.row["pretrain_run"] = one.row["checkpoint"] = None
        one.lineage["checkpoint"] = f"{one.lineage['parent_run']} weights"
    sides = compared(*made)
    assert set(sides.by_pretraining("trec", sides.transfer, 100)) == {"p0", "p1"}


def test_pretrainings_that_differ_are_in_the_comparison_of_every_strategy():
    made = []
    for seed, shift in enumerate(NOISE, 1):
        made.append(run("tfidf", 100, seed, 0.5))
        for number, apart in enumerate((0.0, 0.06, -0.02, 0.05, 0.06)):
            made.append(of_recipe(100, seed, 0.55 + apart + shift, number))
    (row,) = analyse(*study(*made)).against
    assert row.estimate.high - row.estimate.low == pytest.approx(2 * 2.776 * 0.0374 / 5**0.5, rel=0.05)


def test_five_pretrainings_are_a_factor_and_not_five_arms():
    made = []
    for seed, shift in enumerate(NOISE, 1):
        made.append(run("scratch", 100, seed, 0.5))
        for number, apart in enumerate((0.0, 0.06, -0.02, 0.05, 0.06)):
            made.append(of_recipe(100, seed, 0.55 + apart + shift, number))
    sides = compared(*made)
    arm = sides.transfer
    assert sides.by_pretraining("trec", arm, 100)["p1"][1] == pytest.approx(0.614)
    assert sides.scores("trec", arm, 100)[1] == pytest.approx(0.58 + NOISE[0])
    for one in made:
        one.config["task.kind"] = "tags"
    found = verdicts(sides)[1]
    assert found.word == "supported"
    assert "against scratch on 1 task, over 5 pretrainings, where no control" in found.sentence
    assert found.judgement.components.pretraining == pytest.approx(0.0374, rel=0.01)
    assert component_rows(found)[:2] == [("seed: subset, order, head, dropout", "0.0031"), ("pretraining", "0.0374")]
    fixed = verdicts(compared(*(one for one in made if one["pretrain_run"] in (None, "p0", "p1"))))[1]
    assert "against scratch on 1 task, with these 2 encoders (+0.050 to +0.110 by encoder), " in fixed.sentence
    assert fixed.judgement.pooled.mean == pytest.approx(0.08)


def test_the_texts_are_in_the_interval_where_there_are_predictions(tmp_path):
    place = np.arange(500)  # transfer gains 140 texts of scratch and loses 125: +.03 in every seed but for one text
    right = {"scratch": place < 250, "full": (place >= 125) & (place < 390), "tfidf": place < 100}
    made = [
        answered(tmp_path, arm, 100, seed, texts ^ (place == (499 if arm == "full" and seed > 2 else -1)))
        for arm, texts in right.items()
        for seed in range(1, 6)
    ]
    found = accuracy(*made)
    assert found.judgement.pooled.error > 10 * found.judgement.pooled.deviation / 5**0.5  # the seeds hardly differ
    assert found.judgement.pooled.error == pytest.approx((0.53 / 500) ** 0.5, rel=0.02)  # 265 texts differ
    assert found.word == "inconclusive"
    assert "Other test texts would move it by" in found.settle
    assert "McNemar" in found.by_text
    assert found.judgement.components.texts == pytest.approx(found.examples["trec"].error)
    bare = accuracy(*runs(words=-0.1))
    assert bare.without_texts == ["trec"]
    assert "The test texts are not in the interval on trec" in bare.settle


def test_collapses_that_the_runs_do_not_exclude_are_told():
    made = runs(gain=0.03, words=-0.1, sizes=(100,))
    assert accuracy(*made).word == "supported"
    made += [run("majority", 100, seed, 0.2) for seed in range(1, 6)]
    found = accuracy(*made)
    assert found.word == "inconclusive"
    assert "but none of 5 runs collapsed, so up to 25 % may, and that many would take the gain" in found.sentence
    assert "runs at any task and size, none more of them collapsed, would exclude it" in found.settle
    assert "None of 5 runs collapsed (0 to 43 % by Wilson&#x27;s interval)." in cards(
        analyse(*study(*made)), [], Style.of([])
    )


def test_a_report_of_no_transfer_lists_all_claims_with_words_of_the_list():
    for made in ([], runs(), runs(seeds=2)):
        listed = report(gather(study(*made)[0]))["verdicts"]
        assert [one["claim"] for one in listed] == ["time", "accuracy", "labels"]
        assert all(one["word"] in WORDS and one["why"] and one["sentence"] for one in listed)


def wordless(*members):
    """Return runs of a kind to which TF-IDF does not apply."""
    for one in members:
        one.config["task.kind"] = "tags"
    return members


def test_every_judged_sentence_says_with_which_encoder_in_its_main_clause():
    made = runs(tasks=("mrpc", "sst2", "trec"), gain={"mrpc": 0.2, "sst2": 0.2, "trec": 0.2})
    _, found, labels = verdicts(compared(*made))
    assert found.sentence.startswith("full scores +0.200 [")
    assert "against scratch on 3 tasks, with this encoder, and +0.150 [" in found.sentence
    assert "against scratch with 2 times n on 3 tasks, with this encoder, " in labels.sentence
    assert "from scratch" in labels.sentence.split("with this encoder")[1]  # the exchange rates come after it
    strict = accuracy(*made, rule=Rule(tasks=1.0))
    assert "on 3 tasks, with this encoder, " in strict.sentence


def test_the_sentence_on_time_says_with_which_encoder():
    made = []
    for seed in range(1, 6):
        for strategy, pace in (("scratch", 1.0), ("full", 3.0)):
            curve = [(at, 0.9 - 0.6 * 0.8 ** (pace * at) + 0.001 * ((7 * seed + at) % 5)) for at in range(41)]
            made.append(run(strategy, 100, seed, 0.9, curve=curve, floor=0.3))
    found = verdicts(compared(*made, rule=Rule(clock="step")))[0]
    assert not found.sentence.startswith("N")  # neither "Nothing to judge" nor "No word"
    assert "on 1 task, with this encoder, " in found.sentence  # in its main clause


def test_words_alone_are_asked_for_on_every_task_to_which_they_apply():
    """TF-IDF on one task of three was enough, and nothing said so."""
    made = runs(tasks=("mrpc", "sst2", "trec"), gain=0.1)
    part = [one for one in made if one["strategy"] != "tfidf" or one["task"] == "trec"]
    found = accuracy(*part)
    assert found.word == "inconclusive"
    assert found.why == "TF-IDF has fewer than 3 seeds on mrpc and sst2, so words alone may do as well there"
    assert "+0.054] against TF-IDF on 1 of 3 tasks, but TF-IDF has" in found.sentence
    assert found.settle.startswith("Run strategy=tfidf on mrpc and sst2 with the same seeds. ")
    wordless(*(one for one in part if one["task"] != "trec"))
    assert accuracy(*part).word == "supported"


@pytest.mark.parametrize("claim", [1, 2])
def test_runs_that_failed_stand_in_the_sentence(claim):
    """The labels sentence said nothing of them, and that on accuracy of diverged ones alone."""
    made = runs(gain=0.2, words=0.05)
    for one in [one for one in made if one["strategy"] == "full"][:2]:
        one.row["collapsed"] = True
    next(one for one in made if one["strategy"] == "scratch").row["collapsed"] = True
    lost = run("full", 100, 9, 0.0)
    lost = replace(lost, state="failed", error="OSError: disk full", row=lost.row | {"test": None, "dev": None})
    sentence = verdicts(compared(*made, lost))[claim].sentence
    assert (
        "; 2 of 10 runs of full collapsed; 1 of 10 runs of scratch collapsed; 1 run of full failed, left out."
        in sentence
    )


def test_diverged_runs_stand_in_the_sentence_on_labels():
    made = runs(gain=0.2, words=0.05)
    one = next(one for one in made if one["strategy"] == "full" and one["seed"] == 3)
    made[made.index(one)] = replace(
        one, state="failed", error="DivergedError: loss", row=one.row | {"floor": 0.2, "floor_test": 0.2}
    )
    found = verdicts(compared(*made))
    for verdict in found[1:]:
        assert "; 1 of 10 runs of full diverged and counts as the majority answer." in verdict.sentence


def test_what_is_missing_is_told_apart():
    """All of it was "fewer than 3 seeds pair"."""

    def why(claim, *members, rule=None):
        found = verdicts(compared(*members, rule=rule))[("time", "accuracy", "labels").index(claim)]
        assert found.word == "inconclusive"
        assert found.sentence == f"Nothing to judge: {found.why}."
        return found.why

    def made(full=(1, 2, 3), scratch=(1, 2, 3), sizes=(100, 100), steps=(0, 0)):
        config = [{"steps": count} if count else {} for count in steps]
        return [run("full", sizes[0], seed, 0.6, config=config[0]) for seed in full] + [
            run("scratch", sizes[1], seed, 0.5, config=config[1]) for seed in scratch
        ]

    assert why("accuracy", *made(steps=(60, 200))) == "scratch was run with 200 optimizer steps and full with 60"
    assert why("accuracy", *made(sizes=(100, 200))) == "full and scratch have scores at no common train size"
    asked = Rule(sizes=[400])
    assert why("accuracy", *made(), rule=asked).endswith("no common train size among those of the rule (400)")
    assert why("accuracy", *made(scratch=(4, 5, 6))) == "full and scratch share no seed that all tasks have"
    assert why("labels", *made()) == (
        "scratch has no train size with 2 times as many labels, nor sizes on both sides of it"
    )
    assert why("time", *made()) == "no pair of runs has dev curves and a target to reach"
    elsewhere = [run("scratch", 100, 1, 0.5, task="sst2")]
    assert why("accuracy", *made(scratch=()), *elsewhere) == "scratch was run on no task of full"


def test_pretrainings_that_the_tasks_do_not_share_are_fixed_and_said_to_be():
    """Five on each of two tasks, none in common: it was "no seed is shared by both sides"."""

    def crossing(first):
        made = []
        for task, start in (("sst2", 0), ("trec", first)):
            for seed, shift in enumerate(NOISE, 1):
                made.append(run("scratch", 100, seed, 0.5, task=task))
                for number in range(start, start + 5):
                    made.append(of_recipe(100, seed, 0.6 + number / 500 + shift, number, task=task))
        return accuracy(*wordless(*made))

    for first, shared in ((5, "0 pretrainings"), (4, "1 pretraining")):
        found = crossing(first)
        assert found.word == "supported"
        assert found.judgement.random is False
        assert f"All tasks share {shared}, so these are fixed, not drawn." in found.settle
        assert f"with these {5 + first} encoders" in found.sentence
    assert crossing(0).judgement.random
    assert "fixed" not in crossing(0).settle


def test_an_encoder_that_harms_is_not_averaged_away():
    """Four encoders, +.25 and three times -.05: "supported, +0.028 with these 4 encoders"."""
    made = []
    for seed, shift in enumerate(NOISE, 1):
        made.append(run("scratch", 100, seed, 0.5))
        made += [
            of_recipe(100, seed, 0.5 + gain + shift, number) for number, gain in enumerate((0.25, -0.05, -0.05, -0.05))
        ]
    for one in made:
        one.config["task.kind"] = "tags"
    found = verdicts(compared(*made))[1]
    assert found.word == "mixed"
    assert "it helps with p0, harms with p1, p2 and p3" in found.sentence
    assert "with these 4 encoders (-0.050 to +0.250 by encoder)" in found.sentence


def test_a_task_on_which_words_alone_are_better_is_named():
    """TF-IDF was tested in the mean over tasks alone: "supported, +0.153 against TF-IDF", worse by .15 on one."""
    made = []
    for task, words in (("a", 0.2), ("b", 0.2), ("c", -0.15)):
        for seed, shift in enumerate(NOISE, 1):
            scores = {"scratch": 0.5, "full": 0.7 + shift, "tfidf": 0.7 - words + 2 * shift}
            made += [run(strategy, 100, seed, score, task=task) for strategy, score in scores.items()]
    found = verdicts(compared(*made))[1]
    assert found.word == "mixed"
    assert "but it is worse than TF-IDF, which reads words alone, on c" in found.sentence


def test_a_scratch_that_mostly_diverged_is_no_baseline():
    """Nine of ten seeds of scratch diverged: "supported, at least 14.9 times", "supported, +0.433"."""
    made = runs(gain=0.2, words=0.05)
    for one in [one for one in made if one["strategy"] == "scratch" and one["seed"] > 1]:
        made[made.index(one)] = replace(one, state="failed", error="DivergedError: the training loss is nan at step 3")
    for found in verdicts(compared(*made)):
        assert found.word == "inconclusive", found.sentence
        assert "diverged" in found.why


def test_a_size_with_few_seeds_is_named():
    """ "1 paired seed, fewer than 3" of seven at every other size, and the size was not named."""
    made = [one for one in runs(gain=0.2, words=0.05) if one["train_size"] == 100 or one["seed"] == 1]
    found = verdicts(compared(*made))[1]
    assert found.word == "inconclusive"
    assert "Only 1 seed pairs on trec at " in found.settle
    assert "leave that size out" in found.settle


def test_the_newest_results_epoch_counts_and_not_the_run_that_ended_last():
    """A mended bug's number was served where its run was touched after the new one."""
    old, new = (
        replace(run("full", 100, 1, score, run_id=str(epoch)), updated=at, lineage={"results": epoch})
        for score, epoch, at in ((0.9, 2, "2026-11-29"), (0.6, 3, "2026-11-28"))
    )
    for made in ((old, new), (new, old)):
        (cell,) = study(*made)[1]
        assert (cell.test.mean, cell.repeated) == (0.6, 1)
