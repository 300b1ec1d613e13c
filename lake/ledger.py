"""How much of each cell of work is done? The ledger audit.cells, read once per run and written as stages end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lake.audit import CELLS
from lake.door import Lake
from lake.spec import Table

EVERYTHING = "*"  # in place of an adapter or a corruption, where a table has none
COMMIT_EVERY = 15.0  # seconds: a commit takes one, which is much where a stage takes three


@dataclass(frozen=True)
class Cell:
    """One cell: a table's rows for one adapter, corruption and severity ("*" and 0 where the table has none). In place of a corruption may
    stand an attack, or the part of a table that has generations of its own."""

    adapter_id: str = EVERYTHING
    corruption: str = EVERYTHING
    severity: int = 0


@dataclass(frozen=True)
class Done:
    """State of a cell: computed from which inputs, how many rows the law demands, how many are there or rejected."""

    inputs_sha256: str
    n_expected: int
    n_done: int


class Ledger:
    """All cells of one dataset. `complete` decides from memory; `record` commits now and then, `commit` at once."""

    def __init__(self, lake: Lake, dataset: str) -> None:
        self.lake, self.dataset = lake, dataset
        self._cells: dict[tuple[str, str], dict[Cell, Done]] = {}
        self._generations: dict[tuple[str, str], int] = {}
        self._noted, self._committed = False, time.monotonic()
        known = lake.read(CELLS).where(f"dataset = '{dataset}'").collect() if lake.exists(CELLS) else []  # cells, not examples: small
        for row in known:
            key = (row.table_name, row.settings_id)
            cell = Cell(row.adapter_id, row.corruption, row.severity)
            self._cells.setdefault(key, {})[cell] = Done(row.inputs_sha256, row.n_expected, row.n_done)
            self._generations[key] = max(row.generation, self._generations.get(key, 0))

    def done(self, table: Table, settings_id: str, cell: Cell) -> Done | None:
        return self._cells.get((table.full_name, settings_id), {}).get(cell)

    def complete(self, table: Table, settings_id: str, cell: Cell, inputs_sha256: str, n_expected: int | None = None) -> bool:
        """True when this cell was finished from exactly these inputs, with this many rows where a number is given.

        The number matters: a method or metric group that was asked for later adds variants to a cell that was finished without them.
        """
        done = self.done(table, settings_id, cell)
        if done is None or done.inputs_sha256 != inputs_sha256 or done.n_done != done.n_expected:
            return False
        return n_expected is None or done.n_expected == n_expected

    def knows(self, table: Table, settings_id: str) -> bool:
        """True when some cell of this generation is in the ledger."""
        return (table.full_name, settings_id) in self._cells

    def generation(self, table: Table) -> str | None:
        """settings_id of the newest generation of a table that this dataset has; None without one."""
        known = {identity: number for (name, identity), number in self._generations.items() if name == table.full_name}
        known = {identity: number for identity, number in known.items() if self.knows(table, identity)}
        return max(known, key=known.__getitem__) if known else None

    def rows_done(self, table: Table, settings_id: str, inputs_sha256: str, wanted: Mapping[Cell, int]) -> int:
        """Rows of the wanted cells of one generation, made from these inputs, that are there or rejected.

        `wanted` is cell -> rows asked for; a cell counts for no more than that, and cells that nobody asks for count for nothing.
        """
        found = {cell: self.done(table, settings_id, cell) for cell in wanted}
        return sum(min(wanted[cell], done.n_done) for cell, done in found.items() if done and done.inputs_sha256 == inputs_sha256)

    def state(self, *tables: Table) -> list[list[str | int]]:
        """Every cell of these tables in a fixed order: what something computed from them rests on."""
        names = {table.full_name for table in tables}
        cells = ((key, cell, done) for key, found in self._cells.items() if key[0] in names for cell, done in found.items())
        return sorted([*key, cell.adapter_id, cell.corruption, cell.severity, done.inputs_sha256, done.n_done] for key, cell, done in cells)

    def record(self, table: Table, settings_id: str, cells: Mapping[Cell, Done]) -> None:
        """Notes the new state of a table's cells; commits what is noted when the last commit is `COMMIT_EVERY` ago."""
        self.note(table, settings_id, cells)
        if time.monotonic() - self._committed >= COMMIT_EVERY:
            self.commit()

    def note(self, table: Table, settings_id: str, cells: Mapping[Cell, Done]) -> None:
        """Notes the new state of a table's cells; `commit` writes it. Lost notes cost a count, never a row."""
        self._cells.setdefault((table.full_name, settings_id), {}).update(cells)
        self._generations[(table.full_name, settings_id)] = 1 + max(self._generations.values(), default=0)
        self._noted = True

    def reopen(self, tables: Iterable[Table], settings_id: str) -> None:
        """Writes down, in one commit, that the rows of these tables are about to be replaced by `settings_id`: a run that is killed half
        way leaves rows of two generations, and neither may be taken for done. Nothing where nothing was done before."""
        known = [table for table in tables if self.generation(table) is not None]
        for table in known:
            self.forget(table)
            self.note(table, settings_id, {Cell(): Done(settings_id, 1, 0)})
        if known:
            self.commit()

    def forget(self, table: Table) -> None:
        """Drops all generations of a table whose rows are about to be replaced; committed with the next note."""
        for key in [key for key in self._cells if key[0] == table.full_name]:
            del self._cells[key]

    def commit(self) -> None:
        """Replaces the dataset's ledger with what is known now, in one commit; nothing when nothing was noted."""
        if not self._noted:
            return
        rows = list(self._rows())
        frame = self.lake.spark.createDataFrame(rows, CELLS.ddl()).coalesce(1)
        self.lake.replace(CELLS, frame, len(rows), dataset=self.dataset)
        self._noted, self._committed = False, time.monotonic()

    def _rows(self) -> Iterable[tuple[object, ...]]:
        for (name, settings_id), cells in sorted(self._cells.items()):
            for cell, done in sorted(cells.items(), key=lambda item: (item[0].adapter_id, item[0].corruption, item[0].severity)):
                yield (
                    self.dataset, name, cell.adapter_id, cell.corruption, cell.severity, settings_id,
                    done.inputs_sha256, done.n_expected, done.n_done, self._generations[(name, settings_id)],
                )  # fmt: skip
