"""``thaw study NAME --dry-run``: the runs of every stage, which are finished, what all will take and can see.

Starts nothing. A stage whose checkpoint or rates an earlier stage has yet to make is shown with all its runs; those
have no id before it is there, so they may be fewer: a control that serves several rates is one run.
"""

from collections.abc import Sequence

from thaw.cli import forecast, power
from thaw.cli.jobs import Job
from thaw.cli.stages import NO_ID, Stage, configs, jobs, scored


def show(stages: Sequence[Stage], until_settled: bool) -> int:
    """Print the runs of the stages, the total, what the design can see; return the exit code."""
    from thaw.cli import rounds

    known = {stage.number: configs(stage) for stage in stages}
    asked = [known[stage.number] for stage in stages if scored(stage, known[stage.number])]
    plan = rounds.plan(asked, until_settled, rounds.tuning_seeds(stages, known))
    everything: list[Job] = []
    to_be_scored: list[Job] = []
    unknown = 0
    for stage in stages:
        counts = scored(stage, known[stage.number])
        if plan is not None and counts:
            stage = stage.seeded(plan.seeds)
            known[stage.number] = configs(stage)
        print(stage.headline(len(stages)), flush=True)
        waits = any(job.pending for job in everything)
        runs, reason = jobs(stage, known[stage.number], waits)
        forecast.show(stage.command, runs)
        if reason:
            print(f"these runs have no id before the stages above are done: {reason}")
            unknown += len(runs)
        before = {job.folder for job in everything if job.folder.name != NO_ID}
        everything += [job for job in runs if job.folder not in before]
        to_be_scored += runs if counts else []
    pending = [job for job in everything if job.pending]
    most = " at most" if unknown or plan is not None else ""
    print(f"\n== all stages: {len(everything)} runs{most}, {len(everything) - len(pending)} finished, ", end="")
    print(f"{len(pending)} to run{most}; {forecast.expected(everything)}")
    power.show([job.config for job in to_be_scored], plan)
    return 0
