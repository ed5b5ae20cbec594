"""Which runs a panel shows: run sets by W&B id, and filters.

Decisions: filters are about what W&B itself knows of a run (id, group), which has one spelling everywhere.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from thaw.report.collect import Run
from thaw.report.wandb.panels import COLUMNS


def runset(
    name: str, runs: Sequence[Run], place: dict[str, str], *, colour: str = "", groupby: Sequence[str] = ()
) -> Any:
    """Return the set of exactly these runs, those that W&B knows; a colour is for all of them."""
    import wandb_workspaces.reports.v2 as wr

    ids = {str(run.mirror["id"]) for run in runs if run.mirror.get("id")}
    return wr.Runset(
        **place,
        name=name,
        filters=among("ID", ids) if ids else of_groups(runs),
        groupby=list(groupby),
        pinned_columns=["run:displayName", *(f"summary:{name}" for name in COLUMNS)],
        run_settings={one: wr.RunSettings(color=colour) for one in ids} if colour else {},
    )


def of_groups(runs: Sequence[Run]) -> str:
    """Return the filter that takes the W&B groups of the runs; no filter where one was recorded without a group."""
    groups = {run.mirror.get("group") for run in runs if run.mirror}
    if not groups or None in groups:
        return ""
    return among("Group", map(str, groups))


def among(attribute: str, values: Iterable[str]) -> str:
    """Return the filter that takes runs whose attribute, in W&B's words, is one of ``values``.

    W&B's parser rewrites comparisons inside of texts too (wandb-workspaces 0.4.13), so these are spelled by number.
    """
    text = repr(sorted(values))
    for letter in "<>=":
        text = text.replace(letter, f"\\x{ord(letter):x}")
    return f"Metric('{attribute}') in {text}"
