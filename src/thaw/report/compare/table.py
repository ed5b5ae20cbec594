"""The tables of a comparison of two studies."""

from collections.abc import Sequence

from thaw.report.compare.changes import Change, Setting
from thaw.report.statistics import within
from thaw.report.summary import spread
from thaw.report.tables.table import Table

ABSENT = "–"
MOST = 8  # values of a setting


def change_tables(found: Sequence[Change], names: tuple[str, str]) -> list[Table]:
    """Return the differences, a table a task."""
    made = []
    for task in dict.fromkeys(one.task for one in found):
        members = [one for one in found if one.task == task]
        made.append(
            Table(
                name=f"changes-{task}",
                title=f"{task}: test {members[0].metric}",
                caption=(
                    "Mean over seeds, 95% interval; difference paired by seed, or Welch's where runs do not pair. p is "
                    "adjusted over all cells of all tasks that are tested (Holm). Real: p below 0.05. No test: fewer "
                    "than three seeds, or values that do not vary."
                ),
                columns=("strategy", names[0], names[1], "difference", "test", "p", "real"),
                rows=tuple(_row(one) for one in members),
            )
        )
    return made


def _row(one: Change) -> tuple[str, ...]:
    gap = within(one.difference, one.metric)
    ends = f" [{gap.low:+.3f}, {gap.high:+.3f}]" if one.tested else ""
    return (
        f"{one.label}, {one.size} labels",
        f"{spread(one.first)}, n = {one.first.n}",
        f"{spread(one.second)}, n = {one.second.n}",
        f"{gap.mean:+.3f}{ends}",
        f"{'paired' if one.pairs else 'Welch'}, n = {gap.n}" if one.tested else f"n = {gap.n}: no test",
        f"{one.p:.2g}" if one.tested else ABSENT,
        ("yes" if one.real else "no") if one.tested else ABSENT,
    )


def setting_table(found: Sequence[Setting], names: tuple[str, str]) -> Table | None:
    """Return the settings that changed, None if none did."""
    if not found:
        return None
    return Table(
        name="settings",
        title="Settings that changed",
        caption="Values of transfer runs, with the number of runs that have each.",
        columns=("setting", *names),
        rows=tuple((one.key, _values(one.first), _values(one.second)) for one in found),
    )


def _values(values: Sequence[tuple[str, int]]) -> str:
    more = f" and {len(values) - MOST} more" if len(values) > MOST else ""
    return ", ".join(f"{value} ({n})" for value, n in values[:MOST]) + more
