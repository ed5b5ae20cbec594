"""The columns of a table, and its rows that can not be read, by reason."""

from thaw.errors import DataError, nearest
from thaw.task.table import Table, offend


class Reader:
    """The columns of one table, and the rows that offend, by reason."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.columns = set().union(*(row.keys() for _, row in table.rows[:100]))
        self.bad: dict[tuple[str, str], list[int]] = {}
        self.general: set[tuple[str, str]] = set()

    def column(self, *names: str) -> str | None:
        """Return the first of some column names that the table has."""
        return next((name for name in names if name in self.columns), None)

    def needed(self, *names: str) -> str:
        """Return the first of some column names that the table has; DataError where it has none."""
        name = self.column(*names)
        if name is None:
            there = {str(column) for column in self.columns}
            hint = nearest(names[0], there) if len(there) > 1 else f": the only one is '{next(iter(there), '')[:60]}'"
            raise DataError(
                f"no column '{names[0]}', {self.table.where}{hint}; the first line of .csv and .tsv names the columns"
            )
        return name

    def offend(self, number: int, what: str, remedy: str, *, general: bool = False) -> None:
        """Note a row that can not be read; ``general`` is what a single row says of the whole table."""
        self.bad.setdefault((what, remedy), []).append(number)
        if general:
            self.general.add((what, remedy))

    def raise_bad(self) -> None:
        """Raise DataError for the first reason.

        The rows of the hub are left out, for their owner can not be asked, but not where the table is of another kind.
        """
        for (what, remedy), numbers in self.bad.items():
            if not self.table.hub or (what, remedy) in self.general:
                raise offend(self.table.where, what, numbers, remedy, self.table.noun)
